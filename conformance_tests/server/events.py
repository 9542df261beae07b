"""The status of controls of one program as time, other controls and the operator change it.

IEEE 2030.5-2018, 10.2.3. What the procedures of CSIP leave out: they never have two controls of one program
that overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.case import AnyCase, Case, Role
from conformance_tests.server.csip import steps
from conformance_tests.server.csip.event_series import LEAD_S, Party, grouped, power_factor
from conformance_tests.server.csip.rows import OPERATOR
from conformance_tests.server.event_laws import CLAUSE, check_times
from conformance_tests.sources import STANDARD
from schemas import DERControlBase
from schemas.codes import EventState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance_tests.server.bench import ServerBench
    from schemas import DERControl

GROUP: Final = "SP"
PRIMACY: Final = 4
APART_S: Final = 5
"""Between the creation of two controls, s: creationTime is in whole seconds."""
RANDOM_S: Final = 60
LIMIT: Final = DERControlBase(opModMaxLimW=6000)
BOTH: Final = DERControlBase(opModMaxLimW=7000, opModFixedPFInjectW=power_factor(900).opModFixedPFInjectW)
"""Two modes, of which LIMIT is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A control that the operator published; times in server time, s."""

    name: str
    mrid: str
    start_s: int
    asked_s: int
    done_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One program of the device, its operator, and what the device sees of its controls."""

    bench: ServerBench
    party: Party

    async def publish(
        self,
        name: str,
        base: DERControlBase,
        in_s: int,
        duration_s: int,
        *,
        random_start_s: int | None = None,
        random_duration_s: int | None = None,
    ) -> Made:
        """Publish a control that starts in so many seconds. Skipped where it began before it was there."""
        asked_s = await self.bench.now()
        mrid = await self.bench.operator.publish(
            GROUP,
            base,
            start_s=asked_s + in_s,
            duration_s=duration_s,
            randomize_start_s=random_start_s,
            randomize_duration_s=random_duration_s,
        )
        done_s = await self.bench.now()
        if done_s >= asked_s + in_s:
            self.bench.trial.skip(f"the operator took {done_s - asked_s} s: {name} began before it was there")
        made = Made(name=name, mrid=mrid, start_s=asked_s + in_s, asked_s=asked_s, done_s=done_s)
        control = await self.seen(made)
        self.bench.trial.check(
            asked_s - 1 <= control.creationTime <= done_s,
            f"creationTime of {name} is when it was published",
            seen=f"{control.creationTime}, published {asked_s} to {done_s}",
        )
        return made

    async def rival(self, name: str, base: DERControlBase, in_s: int, duration_s: int) -> Made:
        """Publish a control that is newer than all that are there."""
        await self.bench.until(await self.bench.now() + APART_S)
        return await self.publish(name, base, in_s, duration_s)

    async def seen(self, made: Made) -> DERControl:
        """A control as it is shown now; its times are of the past."""
        program = self.party.programs[GROUP]
        control = await steps.present(self.bench, self.party.viewer, program, made.mrid)
        check_times(self.bench.trial, control, await self.bench.now(), made.name)
        return control

    async def has(self, made: Made, state: EventState, when: str, *, since_s: int | None = None) -> None:
        """A control has a status, and is in the list of active ones only if it is Active.

        `since_s` is when the status came about, server time, s.
        """
        check, control = self.bench.trial.check, await self.seen(made)
        status = control.EventStatus_
        word = f"{state.name.replace('_', ' ').capitalize()} ({int(state)})"
        check(status.currentStatus == state, f"{made.name} is {word} {when}", seen=status.currentStatus)
        if since_s is not None:
            what = f"EventStatus.dateTime of {made.name} is when it became so"
            check(since_s - 1 <= status.dateTime, what, seen=f"{status.dateTime}, so since {since_s}")
        active = await steps.active_mrids(self.bench, self.party.viewer, self.party.programs[GROUP])
        if self.party.programs[GROUP].ActiveDERControlListLink_ is not None:
            is_listed = made.mrid.upper() in active
            what = f"{made.name} is in the ActiveDERControlList only if it is Active"
            check(is_listed is (state is EventState.ACTIVE), what, seen=f"{word}, listed: {is_listed}")

    async def flagged(self, made: Made, when: str, *, wanted: bool, since_s: int | None = None) -> None:
        """Whether a control is potentiallySuperseded, and since when: a rival was published at `since_s`."""
        status, check = (await self.seen(made)).EventStatus_, self.bench.trial.check
        what = f"potentiallySuperseded of {made.name} is {str(wanted).lower()} {when}"
        check(status.potentiallySuperseded is wanted, what, seen=status.potentiallySuperseded)
        told_s = status.potentiallySupersededTime
        if since_s is not None and told_s is not None:
            what = f"potentiallySupersededTime of {made.name} is when its rival came"
            check(since_s - 1 <= told_s, what, seen=f"{told_s}, published at {since_s}")


async def _desk(bench: ServerBench) -> Desk:
    return Desk(bench=bench, party=await grouped(bench, {GROUP: PRIMACY}))


async def superseded(bench: ServerBench) -> None:
    """A newer control of the same modes takes the place of an older one at its own start."""
    desk = await _desk(bench)
    older = await desk.publish("the older control", power_factor(900), 60, 300)
    await desk.flagged(older, "while nothing overlaps it", wanted=False)
    newer = await desk.rival("the newer control", power_factor(930), 120, 60)
    await bench.until(older.start_s + LEAD_S)
    await desk.has(older, EventState.ACTIVE, "until the newer one starts", since_s=older.start_s)
    await desk.has(newer, EventState.SCHEDULED, "until its start")
    await bench.until(newer.start_s + LEAD_S)
    await desk.has(older, EventState.SUPERSEDED, "once the newer one has started", since_s=newer.start_s)
    await desk.has(newer, EventState.ACTIVE, "from its start on", since_s=newer.start_s)
    await desk.flagged(newer, "as the newest", wanted=False)


async def partly_superseded(bench: ServerBench) -> None:
    """A newer control of one of two modes leaves the older one Active, and says so by a flag."""
    desk = await _desk(bench)
    older = await desk.publish("the control of two modes", BOTH, 60, 300)
    await desk.flagged(older, "while nothing overlaps it", wanted=False)
    newer = await desk.rival("the newer control of one of them", LIMIT, 120, 60)
    when = "since a newer control has one of its modes in some of its time"
    await desk.flagged(older, when, wanted=True, since_s=newer.asked_s)
    await desk.flagged(newer, "as the newest", wanted=False)
    await bench.until(newer.start_s + LEAD_S)
    await desk.has(older, EventState.ACTIVE, "though one of its modes is taken over", since_s=older.start_s)
    await desk.has(newer, EventState.ACTIVE, "from its start on", since_s=newer.start_s)
    await desk.flagged(older, when, wanted=True, since_s=newer.asked_s)


async def independent(bench: ServerBench) -> None:
    """Controls without a common mode, and those that follow each other, leave each other alone."""
    desk = await _desk(bench)
    first = await desk.publish("the first control", power_factor(900), 60, 120)
    beside = await desk.rival("the control of another mode", LIMIT, 60, 120)
    at_s = await bench.now()
    after = await desk.rival("the control after it", power_factor(930), first.start_s + 125 - at_s, 60)
    await bench.until(max(first.start_s, beside.start_s) + LEAD_S)
    for one in (first, beside):
        await desk.has(one, EventState.ACTIVE, "beside the other", since_s=one.start_s)
        await desk.flagged(one, "beside a control of another mode", wanted=False)
    await desk.has(after, EventState.SCHEDULED, "until its start")
    await desk.flagged(after, "where nothing overlaps it", wanted=False)


async def random_start(bench: ServerBench) -> None:
    """A control is Active from the earliest start that a device may draw."""
    desk = await _desk(bench)
    early = await desk.publish("the control that may start early", LIMIT, 150, 60, random_start_s=-RANDOM_S)
    await bench.until(early.start_s - RANDOM_S - LEAD_S)
    if await bench.now() <= early.start_s - RANDOM_S - LEAD_S:
        await desk.has(early, EventState.SCHEDULED, "until a device may have started")
    await bench.until(early.start_s - RANDOM_S + LEAD_S)
    since_s = early.start_s - RANDOM_S
    await desk.has(early, EventState.ACTIVE, "once a device may have started", since_s=since_s)


async def cancelled_randomly(bench: ServerBench) -> None:
    """A control with a random part that is cancelled with randomization says so, and stays listed."""
    desk = await _desk(bench)
    made = await desk.publish("the control", LIMIT, 30, 120, random_duration_s=RANDOM_S)
    await bench.until(made.start_s + LEAD_S)
    await desk.has(made, EventState.ACTIVE, "from its start on", since_s=made.start_s)
    at_s = await bench.now()
    await bench.operator.cancel(made.mrid, randomized=True)
    state = EventState.CANCELLED_WITH_RANDOMIZATION
    await desk.has(made, state, "once it is cancelled so", since_s=at_s)


def _case(
    name: str, title: str, requirement: str, procedure: Callable[[ServerBench], Awaitable[None]], lasts_s: int
) -> AnyCase:
    return Case(
        id=f"events/{name}/server",
        title=title,
        source=STANDARD,
        clause=CLAUSE,
        requirement=requirement,
        role=Role.SERVER,
        procedure=procedure,
        needs=OPERATOR,
        lasts_s=lasts_s,
    )


CASES: Final = (
    _case(
        "superseded",
        "a newer control of the same modes supersedes an older one",
        "The older control of a program is Superseded (4) from the start of a newer one that covers it.",
        superseded,
        150,
    ),
    _case(
        "partly-superseded",
        "a newer control of some of its modes makes a control potentiallySuperseded",
        "potentiallySuperseded is true while a newer control shares some, not all; the control stays Active.",
        partly_superseded,
        150,
    ),
    _case(
        "independent",
        "controls of other modes or times leave each other alone",
        "potentiallySuperseded is false where no other control of the program shares mode and time.",
        independent,
        80,
    ),
    _case(
        "random-start",
        "a control is Active from its earliest start",
        "With a negative randomizeStart a control is Active (1) from the earliest effective start on.",
        random_start,
        100,
    ),
    _case(
        "cancelled-randomly",
        "a control is cancelled with randomization",
        "Cancelled with randomization (3) is told of a control with a random part, which stays listed.",
        cancelled_randomly,
        50,
    ),
)
