"""A series of DERControls at a server: who publishes what when, what the server shows, who responds what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance_tests.server.csip import steps
from conformance_tests.server.event_laws import check_times
from conformance_tests.server.operator_acts import Json, as_json
from schemas import DefaultDERControl, DERControlBase, PowerFactorWithExcitation
from schemas.codes import EventState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance_tests.server.bench import ServerBench, Viewer
    from schemas import DERControl, DERProgram

LEAD_S: Final = 2
"""So long before a start the control must still be scheduled, and so long after it be active, s."""


def power_factor(displacement: int) -> DERControlBase:
    """A power factor (opModFixedPFInjectW) with a displacement of so many thousandths, under-excited."""
    value = PowerFactorWithExcitation(displacement=displacement, excitation=False, multiplier=-3)
    return DERControlBase(opModFixedPFInjectW=value)


def same() -> DERControlBase:
    """The mode that controls have which rival each other."""
    return power_factor(900)


OTHER: Final = DERControlBase(opModFixedW=6000)
"""A mode that is independent of the power factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One control of a series: start counts from the beginning, or (`later`) from its creation, s.

    A later one is created once the first control runs.
    """

    name: str
    program: str
    start_s: int
    duration_s: int
    base: DERControlBase = field(default_factory=same)
    later: bool = False
    randomize_duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Controls, and the Responses that each party owes for each of them, in order.

    `defaults` are the programs that have a DefaultDERControl.
    """

    controls: tuple[Planned, ...] = ()
    owed: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    defaults: tuple[str, ...] = ()

    @property
    def lasts_s(self) -> int:
        """How long it takes, s."""
        return 30 + max((2 * one.start_s + one.duration_s for one in self.controls), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who responds: by which identity, with which LFDI, and which programs govern it."""

    viewer: Viewer
    lfdi: str
    programs: Mapping[str, DERProgram]


@dataclass(slots=True, kw_only=True)
class Published:
    """A control as it was published, in server time; `control` is what a client saw first."""

    planned: Planned
    mrid: str
    start_s: int
    control: DERControl | None = None
    sent: set[tuple[str, int]] = field(default_factory=set)

    @property
    def end_s(self) -> int:
        """Its specified end."""
        return self.start_s + self.planned.duration_s

    @property
    def latest_end_s(self) -> int:
        """When it is over for everybody."""
        return self.end_s + max(0, self.planned.randomize_duration_s or 0)


async def set_defaults(bench: ServerBench, series: Series) -> None:
    """Give the programs of a series their defaults, which differ from its controls."""
    for number, group in enumerate(series.defaults):
        default = DefaultDERControl(mRID="00", DERControlBase_=power_factor(960 + number), setGradW=27)
        await bench.operator.set_default(group, default)


async def grouped(bench: ServerBench, primacies: Mapping[str, int]) -> Party:
    """The device in groups with programs of these primacies, and what it sees of them."""
    device = await steps.own(bench)
    for group, primacy in primacies.items():
        await bench.operator.assign(bench.device.lfdi, group, primacy=primacy)
    seen = {one.primacy: one for one in await steps.programs(bench, bench.device, device)}
    missing = sorted(set(primacies.values()) - set(seen))
    bench.trial.require(
        not missing, "the device finds the program of each assignment", seen=f"missing primacies {missing}"
    )
    return Party(
        viewer=bench.device,
        lfdi=bench.device.lfdi,
        programs={group: seen[primacy] for group, primacy in primacies.items()},
    )


class Play:
    """One series while it is played: publish, watch the status of each control, respond."""

    def __init__(self, bench: ServerBench, series: Series, parties: Mapping[str, Party]) -> None:
        self.bench = bench
        self.series = series
        self.parties = parties
        self.published: dict[str, Published] = {}

    async def run(self) -> None:
        """Play it to its end, and look up what the server holds of the Responses."""
        await self.publish_known()
        for planned in self.series.controls:
            if planned.later:
                await self._publish_later(planned)
        await self.follow()

    async def follow(self) -> None:
        """Watch what is published to its end, and look up what the server holds of the Responses."""
        for at_s, moment, one in self._moments():
            await self.bench.until(at_s)
            await moment(one)
        await self.check_recorded()

    async def publish_known(self) -> None:
        """Publish what is known before the series begins; each is received and answered."""
        known = [planned for planned in self.series.controls if not planned.later]
        begun_s = await self.bench.now() + self.bench.trial.deadline.ahead_s(len(known))
        for planned in known:
            await self.publish(planned, begun_s)
        for one in self.published.values():
            await self.received(one)

    async def publish(self, planned: Planned, from_s: int) -> Published:
        """Publish one control whose start counts from a time. Skipped where it began before it was there."""
        mrid = await self.bench.operator.publish(
            planned.program,
            planned.base,
            start_s=from_s + planned.start_s,
            duration_s=planned.duration_s,
            randomize_duration_s=planned.randomize_duration_s,
        )
        one = Published(planned=planned, mrid=mrid, start_s=from_s + planned.start_s)
        self.published[planned.name] = one
        if await self.bench.now() >= one.start_s:
            self.bench.trial.skip(f"the operator took so long that {planned.name} began before it was there")
        return one

    async def _publish_later(self, planned: Planned) -> None:
        first = next(iter(self.published.values()))
        await self.bench.until(first.start_s + LEAD_S)
        await self.started(first)
        await self.received(await self.publish(planned, await self.bench.now()))

    def _moments(self) -> list[tuple[int, Callable[[Published], Awaitable[None]], Published]]:
        found: list[tuple[int, Callable[[Published], Awaitable[None]], Published]] = []
        for one in self.published.values():
            found.append((one.start_s - LEAD_S, self.before, one))
            found.append((one.start_s + LEAD_S, self.started, one))
            found.append((one.latest_end_s + LEAD_S, self.ended, one))
        return sorted(found, key=lambda moment: moment[0])

    def _watcher(self, one: Published) -> Party:
        """Somebody who is governed by the program of a control."""
        return next(party for party in self.parties.values() if one.planned.program in party.programs)

    async def received(self, one: Published) -> None:
        """A control that is new is as it was published, and each party answers that it came."""
        party, check, planned = self._watcher(one), self.bench.trial.check, one.planned
        program = party.programs[planned.program]
        control = await steps.present(self.bench, party.viewer, program, one.mrid)
        one.control = control
        check_times(self.bench.trial, control, await self.bench.now(), planned.name)
        interval = (control.interval.start, control.interval.duration)
        wanted = (one.start_s, planned.duration_s)
        check(interval == wanted, f"the interval of {planned.name} is as published", seen=interval)
        base = control.DERControlBase_
        check(same_modes(base, planned.base), f"the modes of {planned.name} are as published", seen=base)
        asked = int(control.responseRequired or "0", 16)
        check(asked & 3 == 3, "responseRequired has bits 0 and 1", seen=control.responseRequired)
        drawn = control.randomizeDuration or 0
        what = f"randomizeDuration of {planned.name} is as published"
        check(drawn == (planned.randomize_duration_s or 0), what, seen=drawn)
        await self.respond(one, {1})

    async def before(self, one: Published) -> None:
        """Shortly before its start a control is Scheduled and not in the list of active ones."""
        if await self.bench.now() > one.start_s - LEAD_S:
            return
        party = self._watcher(one)
        program = party.programs[one.planned.program]
        control = await steps.present(self.bench, party.viewer, program, one.mrid)
        state = control.EventStatus_.currentStatus
        check_times(self.bench.trial, control, await self.bench.now(), one.planned.name)
        what = f"{one.planned.name} is Scheduled (0) until its start"
        self.bench.trial.check(state == EventState.SCHEDULED, what, seen=state)
        active = await steps.active_mrids(self.bench, party.viewer, program)
        what = f"{one.planned.name} is not in the ActiveDERControlList before its start"
        self.bench.trial.check(one.mrid.upper() not in active, what, seen=active)

    async def started(self, one: Published) -> None:
        """Right after its start a control is Active, and the parties that follow it answer so."""
        party, check, name = self._watcher(one), self.bench.trial.check, one.planned.name
        program = party.programs[one.planned.program]
        control = await steps.present(self.bench, party.viewer, program, one.mrid)
        status = control.EventStatus_
        what = f"{name} is Active (1) from its start on"
        check(status.currentStatus == EventState.ACTIVE, what, seen=status.currentStatus)
        now = await self.bench.now()
        what = f"EventStatus.dateTime of {name} is when it became active, and not in the future"
        seen = f"{status.dateTime}, start {one.start_s}, now {now}"
        check(one.start_s - 1 <= status.dateTime <= now, what, seen=seen)
        if program.ActiveDERControlListLink_ is not None:
            active = await steps.active_mrids(self.bench, party.viewer, program)
            check(one.mrid.upper() in active, f"{name} is in the ActiveDERControlList", seen=active)
        await self.respond(one, {2})
        await self._superseded(one)

    async def _superseded(self, winner: Published) -> None:
        """Those who follow a control of a better program answer that others lost."""
        for one in self.published.values():
            if one is not winner and one.start_s < winner.end_s and winner.start_s < one.end_s:
                await self.respond(one, {7, 14})

    async def ended(self, one: Published) -> None:
        """After its end a control is no longer active, and the parties answer so."""
        party, check, name = self._watcher(one), self.bench.trial.check, one.planned.name
        program = party.programs[one.planned.program]
        await self.respond(one, {3})
        active = await steps.active_mrids(self.bench, party.viewer, program)
        what = f"{name} is not in the ActiveDERControlList after its end"
        check(one.mrid.upper() not in active, what, seen=active)
        control = await steps.control_of(self.bench, party.viewer, program, one.mrid)
        state = None if control is None else control.EventStatus_.currentStatus
        what = f"{name} is neither Scheduled nor Active after its end"
        check(state not in {EventState.SCHEDULED, EventState.ACTIVE}, what, seen=state)

    async def respond(self, one: Published, statuses: set[int]) -> None:
        """Let each party send those of the Responses that it owes for a control."""
        for name, party in self.parties.items():
            for status in self.series.owed.get(name, {}).get(one.planned.name, ()):
                if status in statuses and (name, status) not in one.sent and one.control is not None:
                    one.sent.add((name, status))
                    await steps.respond(self.bench, party.viewer, one.control, party.lfdi, status)

    async def check_recorded(self) -> None:
        """The server holds the Responses of each party to each control, in their order, and no others."""
        for one in self.published.values():
            held = await self.bench.operator.responses(one.mrid)
            for name, party in self.parties.items():
                owed = self.series.owed.get(name, {}).get(one.planned.name, ())
                got = tuple(status for lfdi, status in held if lfdi.upper() == party.lfdi.upper())
                what = f"Responses of {name} to {one.planned.name} are kept: {owed or 'none'}"
                self.bench.trial.check(got == owed, what, seen=got)


def same_modes(one: DERControlBase, other: DERControlBase) -> bool:
    """Whether two controls ask for the same; an extension of the profile may add what neither sets."""
    return _by_path(as_json(one)) == _by_path(as_json(other))


def _by_path(value: Json) -> Json:
    """A resource whose links are paths: an operator may name by the whole URI what the server does not."""
    if isinstance(value, Mapping):
        return {name: _path(one) if name == "href" else _by_path(one) for name, one in value.items()}
    return value


def _path(href: Json) -> str:
    return urlsplit(str(href))._replace(scheme="", netloc="").geturl()
