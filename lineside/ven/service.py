"""A VEN that runs: the client of a VTN, the way to the 2030.5 server, and what comes back from there.

One task talks to the VTN, one brings the server to what the events ask, one reads what devices say.
None waits for another, so that a VTN or a server that is away delays nothing else.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Final

from lineside.ven.channel import Channel
from lineside.ven.orders import Order, obeyed
from lineside.ven.settings import VenSettings, secret_of
from lineside.ven.state import StateFolder
from lineside.ven.vehicles import Vehicles
from lineside.ven.wires import Around, Opening, Wire, descriptions_of, kept_state, wire_of
from openadr_ven.back import Standing, forgotten, out_resources, owed_opts, standing_of, told, told_anew
from openadr_ven.back.known import Known
from openadr_ven.back.living import live_of
from openadr_ven.back.reading import Reading, controls_of, members_of
from openadr_ven.back.serving import Serving
from openadr_ven.containing import translated
from openadr_ven.events import OptError, Phase, Profile, Step, plans_of
from openadr_ven.operator_api import OperatorApi, operator_session
from openadr_ven.publishing import AT_ONCE, Publishing
from openadr_ven.reserving import Reserving
from openadr_ven.to_sep2 import (
    Basis,
    Held,
    Live,
    Note,
    Publications,
    late,
    next_late,
    next_renewal,
    renewed,
    usual_homes,
)
from openadr_ven.to_sep2.fleet import VEHICLES

log = logging.getLogger(__name__)

RETRY_FIRST_S: Final = 1.0
FIRST_LOOK_S: Final = 15.0
"""So long the first event waits for what devices tell."""
MOST_SHOWN: Final = 10
LONGEST_S: Final = 3_600.0
"""However little happens, what is wanted is compared with what is there so often."""


class Service:
    """One VEN. `run` it as a task; cancel that to stop. `held` is what exists on the server by its doing."""

    def __init__(self, settings: VenSettings, *, now: Callable[[], float] = time.time) -> None:
        self._settings, self._now = settings, now
        self._folder = StateFolder(settings.state)
        self._file = self._folder.file
        self._fleet, self._programmes = settings.fleet, settings.by_context
        self._members = members_of(self._fleet)
        self._unprepared = usual_homes(self._fleet, self._programmes.values())
        self._turned = asyncio.Event()
        self._late: dict[str, frozenset[str]] | None = None
        """What has begun and is not on the server; None before that is known."""
        self._unable: Mapping[str, frozenset[str]] = {}
        self._telling = asyncio.Lock()
        self._said: set[Note] = set()
        self._vehicles: Vehicles | None = None
        self._bases: dict[str, Basis] = {}
        self._laid: tuple[Known | None, dict[str, Live]] = (None, {})
        self._wire: Wire | None = None
        self._publishing: Publishing | None = None
        self._reading: Reading | None = None

    @property
    def held(self) -> Held:
        """What exists on the server by our doing."""
        return Held() if self._publishing is None else self._publishing.held

    async def run(self) -> None:
        """Take up what was kept, and go on until cancelled.

        Raises SettingsError or CertsError for files that cannot be used, KeptError for a state that cannot be
        read, BusyError where another VEN has it.
        """
        settings = self._settings
        secret = secret_of(settings.server.token_file, "server.token_file")
        with self._folder.owned(), closing(self._file):
            memory = self._file.memory(is_20b=settings.vtn.profile is Profile.V20B)
            await kept_state(settings, memory)
            held, heard = self._file.held(), self._file.heard()
            self._bases = self._file.bases()
            async with operator_session(secret, settings.server.roots) as session:
                api = OperatorApi(session, settings.server.url)
                self._publishing = Publishing(api, held, self._file.keep_held)
                self._reading = Reading(api, self._members, heard, self._file.keep_heard)
                cars = [one.name for one in self._fleet.devices if one.kind in VEHICLES]
                reserving = Reserving(api, settings.vtn.url, cars)
                self._vehicles = Vehicles(reserving, self._now, settings.server.look_s)
                await self._work(Opening(memory), self._publishing, self._reading)

    async def _work(self, memory: Opening, publishing: Publishing, reading: Reading) -> None:
        serving = Serving(self._known, self._standing, descriptions_of(self._settings))
        around = Around(
            memory=memory, listener=self._heard_of, serving=serving, live=self._live, time=self._now
        )
        await self._look_once(publishing, reading)
        wire = self._wire = wire_of(self._settings, around)
        log.info("VEN %s: %s at %s", self._settings.name, self._settings.vtn.profile, self._settings.vtn.url)
        async with asyncio.TaskGroup() as group:
            group.create_task(wire.run())
            await memory.opened.wait()
            group.create_task(self._carry_out(wire, publishing))
            group.create_task(self._look(wire, publishing, reading))
            if self._vehicles is not None:
                group.create_task(self._vehicles.run())
            group.create_task(Channel(self._folder.channel, self._obeyed).run())

    async def _obeyed(self, order: Order) -> dict[str, object]:
        """Carry out an order of a person. Raises OptError."""
        if self._wire is None:
            raise OptError("the VEN is starting")
        return await obeyed(order, self._wire, self._settings.enrolment)

    async def _heard_of(self, step: Step) -> None:
        """The listener of steps: quick, since the client waits for it."""
        for one in step.changes:
            log.info("event %s (%d): %s %s", one.eventID, one.modification, one.kind, one.text)
        self._turned.set()

    async def _carry_out(self, wire: Wire, publishing: Publishing) -> None:
        """Bring the server to what the events ask: when one changes, when it is time, when it is back.

        What the server refuses is asked again too: a group that was missing may be made meanwhile.
        """
        retry_s = RETRY_FIRST_S
        while True:
            self._turned.clear()
            now = int(self._now())
            plans = plans_of(wire.state, now)
            await self._take_bases(self._renewed(wire, now))
            wanted = translated(plans, self._fleet, self._programmes, now, self._bases)
            self._say(wanted.notes)
            if self._vehicles is not None:
                self._vehicles.want(wanted.goals)
            outcome = await publishing.bring_about(wanted, now)
            if outcome.is_done:
                await self._prepare(publishing)
            await self._tell_late(wire, wanted, publishing.held)
            is_good = outcome.is_done and not outcome.refused and not self._unprepared
            edges = (
                wanted.wake_at,
                next_renewal(self._bases, plans, now),
                next_late(wanted, publishing.held, now),
            )
            wake_at = min((at for at in edges if at is not None), default=None)
            pause_s = pause_of(wake_at, self._now(), None if is_good else retry_s)
            retry_s = RETRY_FIRST_S if is_good else min(retry_s * 2, self._settings.server.retry_most_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._turned.wait()

    async def _prepare(self, publishing: Publishing) -> None:
        """Have the programs of the fleet there, some at a time, as long as no event wants anything."""
        while self._unprepared and not self._turned.is_set():
            some, rest = self._unprepared[:AT_ONCE], self._unprepared[AT_ONCE:]
            if not (await publishing.prepare(some)).is_done:
                return
            self._unprepared = rest

    async def _look(self, wire: Wire, publishing: Publishing, reading: Reading) -> None:
        """Read what devices say, and tell the VTN who does not take part."""
        while True:
            now = int(self._now())
            if await reading.look(now, controls_of(publishing.held, now)):
                await self._tell_opts(wire, reading)
            if self._renewed(wire, now) != self._bases:
                self._turned.set()
            await asyncio.sleep(self._settings.server.look_s)

    async def _look_once(self, publishing: Publishing, reading: Reading) -> None:
        """Read what devices say before the first event comes: what needs it would be refused."""
        now = int(self._now())
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_S):
                await reading.look(now, controls_of(publishing.held, now))

    def _renewed(self, wire: Wire, now: int) -> dict[str, Basis]:
        """What of its devices counts for each event from now on."""
        return renewed(self._bases, plans_of(wire.state, now), self._fleet, self._live(), now)

    async def _take_bases(self, bases: dict[str, Basis]) -> None:
        if bases != self._bases:
            await self._file.keep_bases(bases)
            self._bases = bases

    def _live(self) -> dict[str, Live]:
        """What devices told lately, laid out once for each look."""
        if self._reading is not None and self._reading.known is not self._laid[0]:
            self._laid = (self._reading.known, live_of(self._reading.known, int(self._now())))
        return self._laid[1]

    async def _tell_late(self, wire: Wire, wanted: Publications, held: Held) -> None:
        """Tell the VTN which devices an event has not reached by its start, or can do nothing of it."""
        before = self._still_open(wire)
        found = late(wanted, held, int(self._now()), before)
        for event, names in found.items():
            if names != before.get(event):
                log.warning("event %s has begun, and is not on the server for %s", event, _listed(names))
        if (found, wanted.unable) != (self._late, self._unable) and self._reading is not None:
            self._late, self._unable = found, wanted.unable
            await self._tell_opts(wire, self._reading)

    def _still_open(self, wire: Wire) -> dict[str, frozenset[str]]:
        """Who is late for what is not over; of the rest it is said that it was missed."""
        still: dict[str, frozenset[str]] = {}
        for event, names in (self._late or {}).items():
            record = wire.state.records.get(event)
            if record is not None and record.phase is not Phase.ENDED:
                still[event] = names
            else:
                log.warning("event %s was missed by %s", event, _listed(names))
        return still

    async def _tell_opts(self, wire: Wire, reading: Reading) -> None:
        """Opts are owed first, then kept as told: one that goes out again after a kill has the same optID.

        A VTN that knows us anew is told all of them; while it does not, none counts as told.
        """
        if self._late is None or not wire.registration:
            return
        async with self._telling:
            before = told_anew(reading.heard, wire.registration)
            news = (before, wire.state, self._members, self._late, self._unable)
            opts, out = owed_opts(*news), out_resources(*news)
            await wire.tell(opts, {event: tuple(sorted(names)) for event, names in out.items()})
            heard = forgotten(told(before, opts), wire.state)
            if heard != reading.heard:
                await self._file.keep_heard(heard)
                reading.heard = heard

    def _known(self) -> Known:
        return Known(members=self._members) if self._reading is None else self._reading.known

    def _standing(self) -> Standing:
        if self._reading is None or self._wire is None:
            return Standing()
        return standing_of(self._reading.heard, self._wire.state, self._members, self._late or {})

    def _say(self, notes: tuple[Note, ...]) -> None:
        """Notes of the translation, each once."""
        for one in notes:
            if one not in self._said:
                log.warning("event %s, %s: %s", one.eventID, one.device or "all", one.text)
        self._said = set(notes)


def _listed(names: frozenset[str]) -> str:
    """Some names, and how many there are."""
    shown = ", ".join(sorted(names)[:MOST_SHOWN])
    return shown if len(names) <= MOST_SHOWN else f"{shown} and {len(names) - MOST_SHOWN} more"


def pause_of(wake_at: int | None, now: float, retry_s: float | None) -> float:
    """How long nothing is to be done, s: until time changes what is wanted, or what failed is tried again."""
    waits = [LONGEST_S]
    if wake_at is not None:
        waits.append(max(0.0, wake_at - now))
    if retry_s is not None:
        waits.append(retry_s)
    return min(waits)
