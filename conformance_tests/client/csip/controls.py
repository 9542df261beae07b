"""CORE-012, 013, 021 to 023 and BASIC-002, 003, 015: programs and their controls in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level
from conformance_tests.client.csip.physical import holds
from conformance_tests.client.csip.replies import (
    CANCELLED,
    COMPLETED,
    LOST,
    STARTED,
    Due,
    at,
    judge,
    received,
    whole,
)
from conformance_tests.client.csip.row import Row
from conformance_tests.client.csip.site import LEVELS, PRIMACY, Site, factor, levels_of, settled, site_of
from conformance_tests.client.tolerances import CLOCK_S, DEVICE_S, LATE_S
from schemas import CurveData, DERControlBase, DERCurve, DERCurveLink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.staged import StagedEvent

IDLE: Final = factor(980)
"""The default of the best program in these procedures."""
RANDOMIZED: Final = ((180, 120, 0), (360, 60, 30), (540, 180, -30))
"""CORE-021: start, duration and randomizeDuration of its controls, s (errata 24 and 25)."""
TEN: Final = 10
MANY: Final = 24


def curve_of(
    bench: ClientBench, curve_type: int, points: Sequence[tuple[int, int]], *, y_ref: int
) -> DERCurve:
    """A curve with multipliers of -2."""
    return DERCurve(
        mRID=bench.stage.mrid(),
        creationTime=bench.stage.now(),
        CurveData_=[CurveData(xvalue=x, yvalue=y) for x, y in points],
        curveType=curve_type,
        xMultiplier=-2,
        yMultiplier=-2,
        yRefType=y_ref,
    )


async def one_program(bench: ClientBench) -> None:
    """CORE-012: default, one control with an immediate mode and a curve of ten points, default."""
    site = levels_of(site_of(bench), ("SP",))
    program = site.programs["SP"]
    bench.stage.set_default(program, IDLE)
    points = [(9_000 + 250 * n, 4_000 - 800 * n) for n in range(TEN)]
    curve = bench.stage.add_curve(program, curve_of(bench, 11, points, y_ref=3))
    await settled(site)
    await _idle(site, "before the control")
    known_s = bench.stage.now()
    base = DERControlBase(opModMaxLimW=6_000, opModVoltVar=DERCurveLink(href=curve))
    event = bench.stage.publish(program, base, start_s=known_s + 180, duration_s=120)
    await _through(site, event, base, known_s)
    fetched = bench.reads(curve) or bench.reads(program.curves)
    bench.trial.check(
        fetched, "the curve of the control is read", exchange=bench.proof(fetched[0]) if fetched else None
    )
    await _idle(site, "after the control")


async def ten_programs(bench: ClientBench) -> None:
    """CORE-013: program N of primacy N has a control N minutes from now for 30 s; all are run."""
    site = site_of(bench)
    for number in range(1, TEN + 1):
        site.group(f"program {number}", number)
    for program in site.programs.values():
        bench.stage.set_default(program, IDLE)
    await settled(site)
    known_s = bench.stage.now()
    events = [
        bench.stage.publish(program, factor(900 + 5 * number), start_s=known_s + 60 * number, duration_s=30)
        for number, program in enumerate(site.programs.values(), 1)
    ]
    for number, event in enumerate(events, 1):
        await bench.until(event.start_s + event.duration_s / 2)
        await holds(site, factor(900 + 5 * number), f"while the control of program {number} runs")
    await bench.until(events[-1].end_s + DEVICE_S)
    await holds(site, IDLE, "after the last control")
    for number, event in enumerate(events, 1):
        for device in site.devices.values():
            judge(bench, event, device.lfdi, whole(bench, event, known_s), f"the control of program {number}")


async def randomized(bench: ClientBench) -> None:
    """CORE-021: the duration is shifted within the bounds of randomizeDuration, and Responses follow."""
    site = levels_of(site_of(bench), ("SP",))
    bench.stage.set_default(site.programs["SP"], IDLE)
    await settled(site)
    known_s = bench.stage.now()
    events = {
        f"c{number}": bench.stage.publish(
            site.programs["SP"],
            factor(940 - 10 * number),
            start_s=known_s + start_s,
            duration_s=duration_s,
            randomizeDuration=shift_s,
        )
        for number, (start_s, duration_s, shift_s) in enumerate(RANDOMIZED, 1)
    }
    await bench.until(events["c3"].end_s + LATE_S)
    for device in site.devices.values():
        for (name, event), (_, duration_s, shift_s) in zip(events.items(), RANDOMIZED, strict=True):
            shortest_s, longest_s = sorted((duration_s, duration_s + shift_s))
            due = [
                received(bench, event, known_s),
                at(STARTED, event.start_s),
                at(COMPLETED, event.start_s + shortest_s, event.start_s + longest_s),
            ]
            judge(bench, event, device.lfdi, due, name)
            _lasted(bench, event, device.lfdi, name, (shortest_s, longest_s))


def _lasted(
    bench: ClientBench, event: StagedEvent, lfdi: str, name: str, bounds_s: tuple[float, float]
) -> None:
    """Check how long an event ran, by the times that the client gives, or by arrival where it gives none."""
    found = {one.status: one for one in bench.replies(event.mrid, lfdi)}
    begun, ended = found.get(STARTED), found.get(COMPLETED)
    if begun is None or ended is None:
        return
    is_dated = begun.created_s is not None and ended.created_s is not None
    lasted_s = float((ended.created_s or 0) - (begun.created_s or 0)) if is_dated else ended.at_s - begun.at_s
    slack_s = CLOCK_S if is_dated else LATE_S
    bench.trial.check(
        bounds_s[0] - slack_s <= lasted_s <= bounds_s[1] + slack_s,
        f"{name} runs for {bounds_s[0]:.0f} to {bounds_s[1]:.0f} s",
        seen=f"{lasted_s:.0f} s",
        exchange=bench.proof(ended.seen),
    )


async def cancelled_while_active(bench: ClientBench) -> None:
    """CORE-022: of three controls the first is cancelled while it runs."""
    site = levels_of(site_of(bench), ("SP",))
    program = site.programs["SP"]
    bench.stage.set_default(program, IDLE)
    await settled(site)
    known_s = bench.stage.now()
    times = ((180, 120), (360, 60), (540, 180))
    c1, c2, c3 = (
        bench.stage.publish(program, factor(940 - 10 * n), start_s=known_s + start_s, duration_s=for_s)
        for n, (start_s, for_s) in enumerate(times)
    )
    await bench.until(c1.start_s + 60)
    cancelled_s = bench.stage.now()
    bench.stage.cancel(c1)
    await bench.until(c3.end_s + LATE_S)
    rate_s = bench.stage.tree.poll_rate_s
    broken = at(CANCELLED, cancelled_s, cancelled_s + rate_s)
    for device in site.devices.values():
        judge(bench, c1, device.lfdi, [received(bench, c1, known_s), at(STARTED, c1.start_s), broken], "c1")
        judge(bench, c2, device.lfdi, whole(bench, c2, known_s), "c2")
        judge(bench, c3, device.lfdi, whole(bench, c3, known_s), "c3")


async def simultaneous(bench: ClientBench) -> None:
    """CORE-023: three programs, the same time and mode: the best one is run, the others are given up."""
    site = levels_of(site_of(bench), ("SY", "TF", "SP"))
    await settled(site)
    known_s = bench.stage.now()
    events = {
        name: bench.stage.publish(
            site.programs[name], factor(900 + PRIMACY[name]), start_s=known_s + 120, duration_s=60
        )
        for name in ("SY", "TF", "SP")
    }
    await bench.until(known_s + 180 + LATE_S)
    for device in site.devices.values():
        judge(bench, events["SP"], device.lfdi, whole(bench, events["SP"], known_s), "the control of SP")
        for name in ("SY", "TF"):
            due = [received(bench, events[name], known_s), _lost(events[name], known_s)]
            judge(bench, events[name], device.lfdi, due, f"the control of {name}")


async def groups(bench: ClientBench) -> None:
    """BASIC-002: seven groups; a control at the service point, the default before and after."""
    site = levels_of(site_of(bench), LEVELS)
    for name, program in site.programs.items():
        bench.stage.set_default(program, IDLE if name == "SP" else factor(900 + PRIMACY[name]))
    await settled(site)
    await _idle(site, "before the control")
    known_s = bench.stage.now()
    base = factor(950)
    event = bench.stage.publish(site.programs["SP"], base, start_s=known_s + 300, duration_s=120)
    await _through(site, event, base, known_s)
    await _idle(site, "after the control")


async def changed_group(bench: ClientBench) -> None:
    """BASIC-003: the feeder of the device changes; it follows the new one, then the transformer again."""
    site = levels_of(site_of(bench), [name for name in LEVELS if name != "FD"])
    site.group("FD1", PRIMACY["FD"])
    for program in site.programs.values():
        bench.stage.set_default(program, IDLE)
    await settled(site)
    known_s = bench.stage.now()
    transformer = bench.stage.publish(site.programs["TF"], factor(910), start_s=known_s + 900, duration_s=300)
    await bench.pause(60)
    moved_s = bench.stage.now()
    for device in site.devices:
        bench.stage.unassign(site.assignments.pop((device, "FD1")))
    site.group("FD2", PRIMACY["FD"])
    feeder = bench.stage.publish(site.programs["FD2"], factor(930), start_s=moved_s + 240, duration_s=120)
    await _through(site, feeder, factor(930), moved_s)
    await _through(site, transformer, factor(910), known_s)
    await _idle(site, "after both controls")
    left = site.programs["FD1"]
    later = [one for one in bench.reads(left.controls) if one.at_s > moved_s + 120]
    bench.trial.check(
        not later,
        "the program of a group that was left is not read any more",
        seen=f"{len(later)} GETs of its DERControlList",
        level=Level.SHOULD,
    )


async def many_cancelled(bench: ClientBench) -> None:
    """BASIC-015: 24 controls, all but the first cancelled after that; none of them is run."""
    site = levels_of(site_of(bench), ("TF", "SP"))
    for name, program in site.programs.items():
        bench.stage.set_default(program, IDLE if name == "SP" else factor(960))
    await settled(site)
    known_s = bench.stage.now()
    events = [
        bench.stage.publish(site.programs["SP"], factor(930), start_s=known_s + 120 * n, duration_s=60)
        for n in range(1, MANY + 1)
    ]
    other = bench.stage.publish(site.programs["TF"], factor(910), start_s=known_s + 120, duration_s=60)
    await bench.until(events[0].end_s + LATE_S)
    cancelled_s = bench.stage.now()
    for event in events[1:]:
        bench.stage.cancel(event)
    await bench.until(events[2].end_s + LATE_S)
    await holds(site, IDLE, "once the other controls are cancelled")
    due = at(CANCELLED, cancelled_s, cancelled_s + bench.stage.tree.poll_rate_s)
    for device in site.devices.values():
        judge(bench, events[0], device.lfdi, whole(bench, events[0], known_s), "sp1")
        judge(
            bench,
            other,
            device.lfdi,
            [received(bench, other, known_s), _lost(other, known_s)],
            "the control of the transformer",
        )
        for number, event in enumerate(events[1:], 2):
            judge(bench, event, device.lfdi, [received(bench, event, known_s), due], f"sp{number}")


def _lost(event: StagedEvent, known_s: float) -> Due:
    """7 or 14 for a control that another program keeps from starting."""
    return at(LOST, known_s, event.start_s)


async def _through(site: Site, event: StagedEvent, base: DERControlBase, known_s: float) -> None:
    """Wait until an event is over, look at the devices while it runs, and judge its Responses."""
    bench = site.bench
    await bench.until(event.start_s + min(DEVICE_S, event.duration_s / 2))
    await holds(site, base, "while the control runs")
    await bench.until(event.end_s + LATE_S)
    for device in site.devices.values():
        judge(bench, event, device.lfdi, whole(bench, event, known_s), "the control")


async def _idle(site: Site, when: str) -> None:
    await site.bench.pause(DEVICE_S)
    await holds(site, IDLE, when)


ROWS: Final = (
    Row(
        name="CORE-012",
        title="Basic DER program and control",
        requirement="A control with an immediate mode and a curve is run; the default holds before and after",
        procedure=one_program,
        lasts_s=480,
    ),
    Row(
        name="CORE-013",
        title="Advanced DER programs and controls",
        requirement="The controls of ten programs are each run in their time, with the default between them",
        procedure=ten_programs,
        lasts_s=780,
    ),
    Row(
        name="CORE-021",
        title="Randomized events",
        requirement="Each device shifts the end of an event by a random part within randomizeDuration",
        procedure=randomized,
        lasts_s=840,
    ),
    Row(
        name="CORE-022",
        title="Responses",
        requirement="An event that is cancelled while it runs is answered 1, 2, 6; others 1, 2, 3",
        procedure=cancelled_while_active,
        lasts_s=840,
    ),
    Row(
        name="CORE-023",
        title="Responses: three simultaneous controls",
        requirement="Of three controls of one time and mode the best is run, others end with 7 or 14",
        procedure=simultaneous,
        lasts_s=360,
        client=Level.SHOULD,
        aggregator=None,
    ),
    Row(
        name="BASIC-002",
        title="Basic group management",
        requirement="The control at the service point is run, and the default else",
        procedure=groups,
        lasts_s=660,
    ),
    Row(
        name="BASIC-003",
        title="Group management: change of assignment",
        requirement="A device that is moved to another group follows the new one and no longer the old",
        procedure=changed_group,
        lasts_s=1_500,
    ),
    Row(
        name="BASIC-015",
        title="Advanced events: many controls, cancellation",
        requirement="Controls that are cancelled before their start are answered 6 and never run",
        procedure=many_cancelled,
        lasts_s=780,
    ),
)
CASES: Final = tuple(case for row in ROWS for case in row.cases())
