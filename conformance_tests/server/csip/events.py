"""Programs and controls of one device: CORE-012, 013, 021, 022, 023 and BASIC-015 to 026."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.server.csip import steps
from conformance_tests.server.csip.event_series import (
    LEAD_S,
    OTHER,
    Party,
    Planned,
    Play,
    Published,
    Series,
    grouped,
    power_factor,
    same_modes,
    set_defaults,
)
from conformance_tests.server.csip.rows import OPERATOR, row
from conformance_tests.server.csip.settings import curve
from schemas import DERControlBase, DERCurve, DERCurveLink, DERCurveList
from schemas.codes import EventState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance_tests.case import AnyCase
    from conformance_tests.server.bench import ServerBench

PRIMACY: Final[Mapping[str, int]] = {
    "SY": 10,
    "ST": 9,
    "SS": 8,
    "FD": 7,
    "SG": 6,
    "TF": 5,
    "SP": 4,
}
"""The groups of the CSIP topology with the primacy of their programs."""
DONE: Final = (1, 2, 3)
LOST: Final = (1, 7)
BEFORE_S: Final = 1
"""So long before it is cancelled EventStatus.dateTime of a control may be, s."""
VOLT_VAR: Final = tuple((9000 + 200 * n, 4000 - 900 * n) for n in range(10))


def two(*controls: Planned, defaults: bool = True, **owed: tuple[int, ...]) -> Series:
    """A series of one device in the programs SY and SP."""
    return Series(controls=controls, owed={"device": owed}, defaults=("SY", "SP") if defaults else ())


SERIES: Final[Mapping[str, Series]] = {
    "BASIC-017": two(Planned(name="c1", program="SY", start_s=120, duration_s=60), defaults=False, c1=DONE),
    "BASIC-018": two(Planned(name="c1", program="SY", start_s=120, duration_s=60), c1=DONE),
    "BASIC-019": two(
        Planned(name="c1", program="SY", start_s=120, duration_s=60),
        Planned(name="c2", program="SY", start_s=240, duration_s=60),
        c1=DONE,
        c2=DONE,
    ),
    "BASIC-020": two(
        Planned(name="c1", program="SY", start_s=120, duration_s=60),
        Planned(name="c2", program="SP", start_s=240, duration_s=60),
        c1=DONE,
        c2=DONE,
    ),
    "BASIC-021": two(
        Planned(name="c1", program="SY", start_s=120, duration_s=120),
        Planned(name="c2", program="SP", start_s=180, duration_s=60),
        c1=LOST,
        c2=DONE,
    ),
    "BASIC-022": two(
        Planned(name="c1", program="SY", start_s=180, duration_s=120),
        Planned(name="c2", program="SP", start_s=120, duration_s=120),
        c1=LOST,
        c2=DONE,
    ),
    "BASIC-023": two(
        Planned(name="c1", program="SY", start_s=60, duration_s=240),
        Planned(name="c2", program="SP", start_s=120, duration_s=120, later=True),
        c1=(1, 2, 7),
        c2=DONE,
    ),
    "BASIC-024": two(
        Planned(name="c1", program="SY", start_s=120, duration_s=120),
        Planned(name="c2", program="SP", start_s=180, duration_s=60, base=OTHER),
        c1=DONE,
        c2=DONE,
    ),
    "BASIC-025": two(
        Planned(name="c1", program="SY", start_s=180, duration_s=120),
        Planned(name="c2", program="SP", start_s=120, duration_s=120, base=OTHER),
        c1=DONE,
        c2=DONE,
    ),
    "BASIC-026": two(
        Planned(name="c1", program="SY", start_s=60, duration_s=240),
        Planned(name="c2", program="SP", start_s=120, duration_s=120, base=OTHER, later=True),
        c1=DONE,
        c2=DONE,
    ),
}
TITLES: Final[Mapping[str, str]] = {
    "BASIC-017": "System control, no defaults",
    "BASIC-018": "System control with defaults",
    "BASIC-019": "Two consecutive system controls",
    "BASIC-020": "Consecutive system and service point controls",
    "BASIC-021": "Overlap, system starts first, both known",
    "BASIC-022": "Overlap, service point starts first, both known",
    "BASIC-023": "Overlap, service point created while system active",
    "BASIC-024": "Independent modes, system starts first",
    "BASIC-025": "Independent modes, service point starts first",
    "BASIC-026": "Independent modes, service point created while system active",
}


def series_case(id_: str) -> AnyCase:
    """The case of a series in the programs SY and SP."""
    series = SERIES[id_]

    async def run(bench: ServerBench) -> None:
        party = await grouped(bench, {"SY": PRIMACY["SY"], "SP": PRIMACY["SP"]})
        await set_defaults(bench, series)
        await Play(bench, series, {"device": party}).run()

    requirement = (
        "Each control is shown with the right status at each time, and Responses are taken and kept."
    )
    return row(id_, TITLES[id_], requirement).case(run, needs=OPERATOR, lasts_s=series.lasts_s)


async def defaults_only(bench: ServerBench) -> None:
    """BASIC-016: both defaults are there as set, and no control is."""
    party = await grouped(bench, {"SY": PRIMACY["SY"], "SP": PRIMACY["SP"]})
    await set_defaults(bench, Series(defaults=("SY", "SP")))
    device = await steps.end_device(bench, bench.device)
    for number, group in enumerate(("SY", "SP")):
        program = await steps.program_of(bench, bench.device, device, PRIMACY[group])
        held = await steps.default_of(bench, bench.device, program)
        good = held is not None and same_modes(held.DERControlBase_, power_factor(960 + number))
        bench.trial.check(good, f"the default of {group} is as the operator set it", seen=held)
        found = await steps.controls(bench, bench.device, party.programs[group])
        bench.trial.check(not found, f"{group} has no controls", seen=len(found))


async def basic_control(bench: ServerBench) -> None:
    """CORE-012: a default, and a control with an immediate mode and a curve of ten points."""
    party = await grouped(bench, {"SP": PRIMACY["SP"]})
    await set_defaults(bench, Series(defaults=("SP",)))
    points = DERCurve(
        mRID="00",
        creationTime=await bench.now(),
        curveType=11,
        CurveData_=curve(*VOLT_VAR),
        xMultiplier=-2,
        yMultiplier=-2,
        yRefType=3,
    )
    href = await bench.operator.add_curve("SP", points)
    base = DERControlBase(opModMaxLimW=6000, opModVoltVar=DERCurveLink(href=href))
    planned = Planned(name="c1", program="SP", start_s=180, duration_s=120, base=base)
    series = Series(controls=(planned,), owed={"device": {"c1": DONE}})
    await Play(bench, series, {"device": party}).run()
    device = await steps.end_device(bench, bench.device)
    program = await steps.program_of(bench, bench.device, device, PRIMACY["SP"])
    place = steps.linked(bench, program, "DERCurveListLink")
    held = await bench.device.items(place, DERCurveList, DERCurve)
    got = [(one.xvalue, one.yvalue) for item in held for one in item.CurveData_]
    bench.trial.check(tuple(got) == VOLT_VAR, "the curve has its ten points in their order", seen=got)


async def ten_programs(bench: ServerBench) -> None:
    """CORE-013: ten programs of primacy 1 to 10, each with a control of 30 s, a minute apart."""
    party = await grouped(bench, {f"P{n}": n for n in range(1, 11)})
    planned = tuple(
        Planned(name=f"c{n}", program=f"P{n}", start_s=60 * n, duration_s=30, base=power_factor(900 + n))
        for n in range(1, 11)
    )
    owed = {"device": {one.name: DONE for one in planned}}
    await Play(bench, Series(controls=planned, owed=owed), {"device": party}).run()


async def randomized(bench: ServerBench) -> None:
    """CORE-021: three controls, two of them with randomizeDuration."""
    party = await grouped(bench, {"SP": PRIMACY["SP"]})
    planned = (
        Planned(name="c1", program="SP", start_s=180, duration_s=120, randomize_duration_s=0),
        Planned(name="c2", program="SP", start_s=360, duration_s=60, randomize_duration_s=30),
        Planned(name="c3", program="SP", start_s=540, duration_s=180, randomize_duration_s=-30),
    )
    owed = {"device": {one.name: DONE for one in planned}}
    await Play(bench, Series(controls=planned, owed=owed), {"device": party}).run()


async def cancelled(bench: ServerBench, party: Party, one: Published) -> None:
    """A control that is cancelled stays in the list with status 2, and is not active.

    Skipped where it was over before the operator had done it.
    """
    asked_s = await bench.now()
    await bench.operator.cancel(one.mrid)
    took_s = await bench.now() - asked_s
    if asked_s + took_s >= one.end_s:
        bench.trial.skip(f"the operator took {took_s} s to cancel {one.planned.name}, which was over then")
    program = party.programs[one.planned.program]
    control = await steps.present(bench, party.viewer, program, one.mrid)
    state = control.EventStatus_.currentStatus
    bench.trial.check(state == EventState.CANCELLED, "a cancelled control has status 2", seen=state)
    now = await bench.now()
    changed = control.EventStatus_.dateTime
    what = "EventStatus.dateTime is when it was cancelled"
    held = asked_s - BEFORE_S <= changed <= now
    bench.trial.check(held, what, seen=f"{changed}, cancelled from {asked_s} on, now {now}")
    active = await steps.active_mrids(bench, party.viewer, program)
    what = "a cancelled control is not in the ActiveDERControlList"
    bench.trial.check(one.mrid.upper() not in active, what, seen=active)


async def responses(bench: ServerBench) -> None:
    """CORE-022: one control is cancelled while it runs, two run to their end."""
    party = await grouped(bench, {"SP": PRIMACY["SP"]})
    planned = (
        Planned(name="c1", program="SP", start_s=180, duration_s=120),
        Planned(name="c2", program="SP", start_s=360, duration_s=60),
        Planned(name="c3", program="SP", start_s=540, duration_s=180),
    )
    owed = {"device": {"c1": (1, 2, 6), "c2": DONE, "c3": DONE}}
    play = Play(bench, Series(controls=planned, owed=owed), {"device": party})
    await play.publish_known()
    first = play.published["c1"]
    await bench.until(first.start_s + LEAD_S)
    await play.started(first)
    await bench.until(first.start_s + max(LEAD_S, 60 - int(bench.trial.deadline.slowest_s)))
    await cancelled(bench, party, first)
    await play.respond(first, {6})
    for name in ("c2", "c3"):
        one = play.published[name]
        await bench.until(one.start_s - LEAD_S)
        await play.before(one)
        await bench.until(one.start_s + LEAD_S)
        await play.started(one)
        await bench.until(one.end_s + LEAD_S)
        await play.ended(one)
    await play.check_recorded()


async def three_at_once(bench: ServerBench) -> None:
    """CORE-023: three programs, three controls of the same mode and time."""
    party = await grouped(bench, {"SY": 10, "TF": 5, "SP": 4})
    planned = tuple(
        Planned(name=f"c{n}", program=group, start_s=120, duration_s=60)
        for n, group in enumerate(("SY", "TF", "SP"), 1)
    )
    owed = {"device": {"c1": LOST, "c2": (1, 14), "c3": DONE}}
    await Play(bench, Series(controls=planned, owed=owed), {"device": party}).run()


async def many_controls(bench: ServerBench) -> None:
    """BASIC-015: 24 controls in a row; after the first one the others are cancelled."""
    party = await grouped(bench, {"TF": PRIMACY["TF"], "SP": PRIMACY["SP"]})
    planned = [Planned(name=f"sp{n}", program="SP", start_s=120 * n, duration_s=60) for n in range(1, 25)]
    planned.append(Planned(name="tf1", program="TF", start_s=120, duration_s=60, base=OTHER))
    owed: dict[str, tuple[int, ...]] = {f"sp{n}": (1, 6) for n in range(2, 25)}
    owed |= {"sp1": DONE, "tf1": DONE}
    play = Play(bench, Series(controls=tuple(planned), owed={"device": owed}), {"device": party})
    await play.publish_known()
    held = await steps.controls(bench, bench.device, party.programs["SP"])
    starts = [one.interval.start for one in held]
    bench.trial.check(len(held) == 24, "the list shows all 24 controls", seen=len(held))
    bench.trial.check(starts == sorted(starts), "the controls are in the order of their start", seen=starts)
    for name in ("sp1", "tf1"):
        await bench.until(play.published[name].start_s + LEAD_S)
        await play.started(play.published[name])
    for name in ("sp1", "tf1"):
        await bench.until(play.published[name].end_s + LEAD_S)
        await play.ended(play.published[name])
    for number in range(2, 25):
        one = play.published[f"sp{number}"]
        await cancelled(bench, party, one)
        await play.respond(one, {6})
    await play.check_recorded()


def _case(
    id_: str, title: str, what: str, run: Callable[[ServerBench], Awaitable[None]], lasts_s: float
) -> AnyCase:
    return row(id_, title, what).case(run, needs=OPERATOR, lasts_s=lasts_s)


CASES: Final = (
    _case(
        "CORE-012",
        "Basic DER program and control",
        "A program with default, control and curve is shown whole, and its control with the right status.",
        basic_control,
        330,
    ),
    _case(
        "CORE-013",
        "Advanced DER program and control",
        "Ten programs are shown with their controls, each active in its own time.",
        ten_programs,
        700,
    ),
    _case(
        "CORE-021",
        "Randomized events",
        "randomizeDuration is shown as published; a control is active until its latest end.",
        randomized,
        800,
    ),
    _case(
        "CORE-022",
        "Responses",
        "A cancelled control stays listed with status 2; Responses 1, 2, 3 and 6 are taken and kept.",
        responses,
        800,
    ),
    _case(
        "CORE-023",
        "Responses: three simultaneous controls",
        "Three controls of three programs are active at once; Responses 7 and 14 are taken.",
        three_at_once,
        250,
    ),
    _case(
        "BASIC-015",
        "Advanced events: many controls, cancellation",
        "24 controls are listed in order; those that are cancelled stay listed with status 2.",
        many_controls,
        300,
    ),
    _case(
        "BASIC-016",
        "Defaults only, two programs",
        "The default of each program is shown as the operator set it.",
        defaults_only,
        5,
    ),
    *(series_case(id_) for id_ in SERIES),
)
