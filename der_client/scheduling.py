"""The task that keeps the schedule: rules of events against the server's clock, draws kept on disk first."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from der_client.absence import Absence
from der_client.client_event import Tell, What
from der_client.desired import TARGETS
from der_client.memory import (
    clock_from,
    clock_text,
    curves_from,
    curves_text,
    programs_from,
    programs_text,
)
from der_client.offers import Offered, Offers, OfferStep
from der_client.opting import OptOuts
from der_client.plan import Plan
from der_client.response import response_of
from der_client.scheduler import Abilities, Scheduler, Step, without_controls
from der_client.server_clock import ServerClock
from der_client.settings import ControlSettings
from der_client.spool import Lane, Owed, Spool, owed
from der_client.view import ServerView
from der_client.watched import Watched
from function_sets import ACTING, Due, EventRecord, Program, Rules
from schemas import Codec, DERControlResponse, DERCurve, Response

log = logging.getLogger(__name__)

CODEC: Final = Codec()
"""One for all EndDevices of a process: it is large."""

T = TypeVar("T")

TICK_S: Final = 1.0
PROGRAMS, CURVES, CLOCK, OPT_OUTS = "programs", "curves", "clock", "opt outs"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What a step of the schedule depends on; time alone changes nothing before `next_at`."""

    now: int
    able: Abilities
    taken: int
    opt_outs: OptOuts
    next_at: int | None = None

    def still_holds(self, later: "_Look") -> bool:
        """True if another step would find what this one found."""
        is_same = (self.able, self.taken, self.opt_outs) == (later.able, later.taken, later.opt_outs)
        return is_same and self.now <= later.now and (self.next_at is None or later.now < self.next_at)


class Scheduling:
    """Publishes the `plan` of the devices; `queued` tells that Responses wait in the spool."""

    def __init__(
        self,
        scheduler: Scheduler,
        spool: Spool,
        view: Watched[ServerView | None],
        clock: Watched[ServerClock | None],
        *,
        lfdi: str,
        tell: Tell,
        offers: Offers | None = None,
    ) -> None:
        self.plan: Watched[Plan | None] = Watched(None)
        self.queued: Watched[int] = Watched(0)
        self.looked_s: float | None = None
        self._scheduler = scheduler
        self._spool = spool
        self._view = view
        self._clock = clock
        self._offers = offers
        self._offered = Offered()
        self._lfdi = lfdi
        self.tick_s = TICK_S
        """How often what changes without a word is looked at, s: what devices make of events."""
        self.reversion_s = ControlSettings().reversion_s
        """After how long without a client devices fall back by themselves, s."""
        self._left_at = spool.left_at
        self._tell = tell
        self._programs: tuple[Program, ...] = ()
        self._curves: Mapping[str, DERCurve] = {}
        self._seen = -1
        self._taken = 0
        self._looked: _Look | None = None

    async def restore(self, local_s: Callable[[], float], system_s: Callable[[], float] = time.time) -> None:
        """Take up what the last run knew, to go on without the server: programs, curves, clock, opt-outs."""
        ahead_s = await self._recalled(CLOCK, clock_from)
        self._programs = await self._recalled(PROGRAMS, programs_from)
        self._curves = await self._recalled(CURVES, curves_from)
        self._scheduler.opt_outs = await self._recalled(OPT_OUTS, OptOuts.from_text)
        if ahead_s is not None and self._clock.value is None:
            self._clock.set(ServerClock(offset_s=ahead_s + system_s() - local_s()))

    async def _recalled(self, name: str, read: Callable[[str | None], T]) -> T:
        """What was kept under a name; as if nothing was where it cannot be read."""
        text = await asyncio.to_thread(self._spool.recall, name)
        try:
            return read(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("what was kept of %s cannot be read: %s", name, error)
            return read(None)

    async def opt_out(self, mrid: str | None = None, until: int | None = None) -> None:
        """Leave one event, or all (None), alone until server time `until`, or `opt_in`; kept on disk."""
        self._scheduler.opt_out(mrid, until)
        await self._keep_opt_outs(f"opted out of {mrid or 'all events'}")

    async def opt_in(self, mrid: str | None = None) -> None:
        """Take part in one event, or in all (None), again."""
        self._scheduler.opt_in(mrid)
        await self._keep_opt_outs(f"opted in to {mrid or 'all events'}")

    async def run(self, abilities: Callable[[], Abilities | None], local_s: Callable[[], float]) -> None:
        """Step at each change of the view and whenever time changes something; for ever."""
        while True:
            self.looked_s = local_s()
            version, clock = self._view.version, self._clock.value
            able = abilities()
            if clock is None or able is None:
                await self._view.newer(version, TICK_S)
                continue
            await self._keep(local_s)
            next_at = await self.look(clock.now(local_s()), able)
            wait_s = self.tick_s if next_at is None else next_at - clock.time_s(local_s())
            await self._view.newer(version, min(self.tick_s, max(0.001, wait_s)))

    async def look(self, now: int, able: Abilities) -> int | None:
        """One look at the clock, server time, s: a step where it may change something; when to look next."""
        await self._own_up(now)
        next_at = await self._looked_at(now, able)
        if self._spool.is_alive_due(now) and any(one.phase in ACTING for one in self._records().values()):
            await asyncio.to_thread(self._spool.alive, now)
        return next_at

    async def _looked_at(self, now: int, able: Abilities) -> int | None:
        look = _Look(now=now, able=able, taken=self._taken, opt_outs=self._scheduler.opt_outs)
        former = self._looked
        if former is not None and former.still_holds(look):
            return former.next_at
        next_at = await self._step(now, able)
        self._looked = replace(look, next_at=look.opt_outs.next_at(now, next_at))
        return self._looked.next_at

    async def _own_up(self, now: int) -> None:
        """Once, before the first step: mark on disk the events that devices left while no client ran."""
        if self._left_at is None:
            return
        absence = Absence(since=self._left_at, until=now, most_s=self.reversion_s)
        self._left_at, before = None, self._records()
        self._scheduler.records = absence.marked(self._scheduler.records)
        if self._offers is not None:
            self._offers.records = absence.marked(self._offers.records)
        marked = self._records()
        if marked == before:
            return
        await asyncio.to_thread(self._spool.commit, marked)
        for mrid in (mrid for mrid, one in marked.items() if one != before[mrid]):
            text = f"event {mrid} ran without the client for longer than devices hold it"
            log.warning("%s", text)
            self._tell(What.CONTROL, text, mrid=mrid, href=marked[mrid].program_href)

    def _records(self) -> dict[str, EventRecord]:
        """All records that are kept."""
        return {**self._scheduler.records, **(self._offers.records if self._offers else {})}

    async def take(self, view: ServerView) -> None:
        """Take up what the server says now, and keep it for a start without the server."""
        self._taken += 1
        self._offered = view.offered
        if view.programs != self._programs:
            self._programs = view.programs
            await asyncio.to_thread(self._spool.remember, PROGRAMS, programs_text(view.programs))
        if view.curves != self._curves:
            self._curves = view.curves
            await asyncio.to_thread(self._spool.remember, CURVES, curves_text(view.curves))

    async def _step(self, now: int, able: Abilities) -> int | None:
        """One step of the schedule: on disk first, then to the devices; when time changes something next."""
        step = self._scheduler.step(self._programs, now, able, self._curves)
        offer = self._offer(now, able)
        if step.is_changed or offer.is_changed:
            bodies = [self._body(due, now) for due in step.owed]
            bodies += [self._body(one.due, now, one.response) for one in offer.owed]
            await asyncio.to_thread(self._spool.commit, self._records(), bodies)
        self._publish(step, offer, now, able.modes)
        for news in step.news:
            log.info("%s", news.text)
            self._tell(What.CONTROL, news.text, mrid=news.mrid, href=news.program_href)
        if step.owed or offer.owed:
            self.queued.set(self.queued.version)
        times = [at for at in (step.outcome.next_at, offer.next_at) if at is not None]
        return min(times, default=None)

    def _offer(self, now: int, able: Abilities) -> OfferStep:
        """One step of prices and reservations, if they are followed."""
        if self._offers is None:
            return OfferStep()
        out = self._scheduler.opt_outs.leaves_out(self._offers.records, now)
        rules = Rules(opted_out=able.execution.is_local, opted_out_of=out)
        return self._offers.step(self._offered, now, rules, able.storage)

    def _publish(self, step: Step, offer: OfferStep, now: int, supported: frozenset[str]) -> None:
        """Put out what the devices shall do; a power that a DERProgram sets goes before what is offered."""
        modes = step.outcome.modes
        if modes.keys().isdisjoint(TARGETS):
            modes = {**modes, **offer.modes}
        plan = Plan(
            modes=modes,
            defaults=without_controls(self._programs, now, supported),
            curves=self._curves,
            default=step.outcome.defaults,
        )
        if plan != self.plan.value:
            self.plan.set(plan)

    def _body(self, due: Due, now: int, kind: type[Response] = DERControlResponse) -> Owed:
        body = CODEC.encode(response_of(due, self._lfdi, now, kind))
        return owed(Lane.RESPONSE, due.reply_to, due.mRID, body)

    async def _keep(self, local_s: Callable[[], float]) -> None:
        """Keep what the server said for a start without it."""
        view, version = self._view.value, self._view.version
        if view is None or version == self._seen:
            return
        self._seen = version
        await self.take(view)
        clock = self._clock.value
        if clock is not None:
            text = clock_text(clock.time_s(local_s()) - time.time())
            await asyncio.to_thread(self._spool.remember, CLOCK, text)

    async def _keep_opt_outs(self, text: str) -> None:
        log.info("%s", text)
        self._tell(What.CONTROL, text)
        await asyncio.to_thread(self._spool.remember, OPT_OUTS, self._scheduler.opt_outs.to_text())
