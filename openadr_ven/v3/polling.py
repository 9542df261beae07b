"""Looking at the VTN: who we are there, subscriptions, and all events, at a pace, and sooner when told to."""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from openadr_ven.events import Step, Target
from openadr_ven.v3.desk import Desk, Round
from openadr_ven.v3.errors import RefusedError, V3Error
from openadr_ven.v3.pace import Backoff, spread
from openadr_ven.v3.ports import Settings, Surroundings
from openadr_ven.v3.rounds import Enlisted, enlist, events_of, programs_of
from openadr_ven.v3.subscribing import are_there, scopes, subscribe
from openadr_ven.v3.wire import Wire

if TYPE_CHECKING:
    from openadr_ven.v3.objects import Program

log: Final = logging.getLogger(__name__)
SOONEST_S: Final = 1.0
"""However often we are told to look, not sooner than this behind the last look."""


class Owner(Protocol):
    """Who has the desk."""

    @property
    def desk(self) -> Desk:
        """To read."""
        ...

    async def hand_in(self, work: Callable[[int], Step | None]) -> None:
        """To change."""
        ...

    async def take_round(self, found: Round) -> None:
        """To hand in a look."""
        ...


class Polling:
    """The pace of one VTN. What fails is tried again, ever slower, and never given up."""

    def __init__(self, settings: Settings, wire: Wire, ports: Surroundings, owner: Owner) -> None:
        self._settings, self._wire, self._ports, self._owner = settings, wire, ports, owner
        self._soon = asyncio.Event()
        self._backoff = Backoff(settings.poll_s)
        self._targets: tuple[Target, ...] = ()
        self.has_broker = False
        self._programs: dict[str, Program] = {}
        self._enlist_at = -math.inf

    def look_soon(self, *, is_wide: bool = False) -> None:
        """Look at the VTN before it is time; `is_wide` at programs and at ourselves too."""
        if is_wide:
            self._enlist_at = -math.inf
        self._soon.set()

    def broker_changed(self, has_broker: bool) -> None:
        """A broker tells us from now on, or no more: what happened meanwhile is looked for."""
        if has_broker or self.has_broker:
            self.look_soon(is_wide=True)
        self.has_broker = has_broker

    async def run(self) -> None:
        """Look at the VTN for ever."""
        while True:
            self._soon.clear()
            pause_s = await self._looked()
            if self._backoff.failures:
                await self._ports.wait(asyncio.Event(), pause_s)
                continue
            await self._ports.wait(asyncio.Event(), min(SOONEST_S, pause_s))
            await self._ports.wait(self._soon, max(0.0, pause_s - SOONEST_S))

    async def _looked(self) -> float:
        """How long to pause after a look, s."""
        chance = self._ports.random()
        try:
            await self._look()
        except V3Error as error:
            pause_s = self._backoff.failed(chance, getattr(error, "retry_after_s", None))
            log.warning("the VTN cannot be looked at, again in %.0f s: %s", pause_s, error)
            self._enlist_at = -math.inf if isinstance(error, RefusedError) else self._enlist_at
            return pause_s
        self._backoff.worked()
        is_told = self.has_broker or bool(self._owner.desk.kept.subscriptions)
        return spread(self._settings.fallback_s if is_told else self._settings.poll_s, chance)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._enlist_at:
            await self._enlist()
            self._enlist_at = now + self._settings.enlist_s
        desk = self._owner.desk
        serial = desk.serial
        objects, is_complete = await events_of(
            self._wire, self._targets, self._programs, int(self._ports.time())
        )
        await self._owner.take_round(Round(objects=objects, is_complete=is_complete, serial=serial))
        if desk.moved_since(serial):
            self.look_soon()

    async def _enlist(self) -> None:
        settings, desk = self._settings, self._owner.desk
        found = await self._found()
        self._targets = self._own_targets() if found is None else found.targets
        self._programs = await programs_of(self._wire, self._targets)
        await self._owner.hand_in(lambda _: desk.enlisted(found, self._programs))
        if settings.webhook is not None:
            await self._subscribe(settings.webhook.url)

    async def _found(self) -> Enlisted | None:
        """Who we are at the VTN; None where it has no VENs, or none for us: a public one of tariffs.

        Raises RefusedError where it had one: what we may see follows from what is granted to it, and without
        that every event for us would count as deleted.
        """
        settings = self._settings
        resources = {
            one.name: settings.resource_attributes.get(one.name, {}) for one in settings.enrolment.resources
        }
        ven_id = self._owner.desk.kept.ven_id
        try:
            return await enlist(self._wire, settings.venName, settings.ven_attributes, resources, ven_id)
        except RefusedError as error:
            if ven_id is not None:
                raise
            log.warning("the VTN takes no VEN of ours, its events are read without: %s", error)
            return None

    def _own_targets(self) -> tuple[Target, ...]:
        """The targets of our resources as they are configured."""
        values = {value for one in self._settings.enrolment.resources for value in one.targets}
        return tuple(Target(kind="", value=value) for value in sorted(values))

    async def _subscribe(self, url: str) -> None:
        """Without a subscription we poll: a VTN that takes none, or fails at it, is no reason to fail."""
        desk = self._owner.desk
        known = desk.kept.subscriptions
        try:
            is_same = sorted(known) == scopes(self._settings.version, self._programs)
            if is_same and await are_there(self._wire, known.values()):
                return
            made = await subscribe(self._wire, self._settings.venName, url, desk.kept.token, self._programs)
        except V3Error as error:
            log.warning("the VTN takes no subscription, it is polled: %s", error)
            made = {}

        def subscribed(_: int) -> None:
            desk.kept = replace(desk.kept, subscriptions=made)

        await self._owner.hand_in(subscribed)
