"""How BASIC-004 to 014 are played: default settings, an event with others, default settings again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.case import AnyCase, Level
from conformance_tests.client.csip.functions import FREQ_WATT, FUNCTIONS, RAMPS, Curve, Function, Settings
from conformance_tests.client.csip.physical import holds
from conformance_tests.client.csip.replies import judge, whole
from conformance_tests.client.csip.row import Row
from conformance_tests.client.csip.site import Site, is_aggregator, levels_of, settled, site_of
from conformance_tests.client.tolerances import DEVICE_S, EARLY_S, LATE_S, POLL_LATE_FACTOR, POLL_LATE_S
from function_sets import modes_of
from schemas import CurveData, DERCurve, DERCurveLink

if TYPE_CHECKING:
    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.observer import Observation
    from conformance_tests.client.staged import StagedEvent, StagedProgram
    from schemas import DERControlBase

RATE_S: Final = 30
"""pollRate in these procedures: long enough to tell a look at the start from a poll."""


async def play(function: Function, bench: ClientBench) -> None:
    """Default settings, an event with others two minutes from now for one, default settings again."""
    site = levels_of(site_of(bench))
    bench.stage.tree.poll_rate_s = RATE_S
    program = site.programs["SP"]
    default = staged(bench, program, function.default)
    bench.stage.set_default(program, default)
    if function.name == "BASIC-012":
        bench.stage.add_curve(program, curve(bench, FREQ_WATT))
    await settled(site)
    await bench.pause(DEVICE_S)
    await holds(site, default, "by default")
    base = staged(bench, program, function.event)
    known_s = bench.stage.now()
    event = bench.stage.publish(program, base, start_s=known_s + 120, duration_s=60)
    await bench.until(event.start_s + DEVICE_S)
    await holds(site, base, "while the event runs")
    await bench.until(event.end_s + DEVICE_S)
    await holds(site, default, "after the event")
    for device in site.devices.values():
        judge(bench, event, device.lfdi, whole(bench, event, known_s), "the event")
    _looked_at_start(site, event)
    _curves_read(bench, base, program)


def staged(bench: ClientBench, program: StagedProgram, settings: Settings) -> DERControlBase:
    """The modes of settings; their curves are added to the program."""
    links: dict[str, Any] = {
        mode: DERCurveLink(href=bench.stage.add_curve(program, curve(bench, one)))
        for mode, one in settings.curves.items()
    }
    return replace(settings.base, **links)


def curve(bench: ClientBench, one: Curve) -> DERCurve:
    """A curve as a resource."""
    return DERCurve(
        mRID=bench.stage.mrid(),
        creationTime=bench.stage.now(),
        autonomousVRefEnable=one.autonomous_v_ref,
        autonomousVRefTimeConstant=None if one.autonomous_v_ref is None else 0,
        CurveData_=[CurveData(xvalue=x, yvalue=y) for x, y in one.points],
        curveType=one.curve_type,
        openLoopTms=one.open_loop,
        xMultiplier=one.x_multiplier,
        yMultiplier=one.y_multiplier,
        yRefType=one.y_ref,
    )


async def ramps(bench: ClientBench) -> None:
    """BASIC-007: the ramp rates of the default change; nothing is answered, the device follows."""
    site = levels_of(site_of(bench))
    program = site.programs["SP"]
    bench.stage.set_default(program, Settings().base, **RAMPS[0])
    await settled(site)
    await bench.pause(DEVICE_S)
    await _ramped(site, RAMPS[0], "by default")
    since = len(bench.requests)
    bench.stage.set_default(program, Settings().base, **RAMPS[1])
    rate_s = bench.stage.tree.poll_rate_s
    read = await bench.first(
        lambda one: one.path == program.default and one.status == 200,
        POLL_LATE_FACTOR * rate_s + POLL_LATE_S,
        since,
    )
    told = [one for one in bench.notified if one.subscribed == program.default]
    bench.trial.check(
        read is not None or told, "the client learns of the changed default", exchange=bench.proof(read)
    )
    await bench.pause(DEVICE_S)
    await _ramped(site, RAMPS[1], "after the change")
    answered = [one for one in bench.requests if one.route == "ResponseList"]
    bench.trial.check(
        not answered, "a default is answered with no Response", seen=f"{len(answered)} Responses"
    )


async def _ramped(site: Site, rates: dict[str, int], when: str) -> None:
    wanted = {name: value / 100 for name, value in rates.items()}

    def shows(seen: Observation) -> bool | None:
        held = [seen.settings.get(name) for name in wanted]
        if None in held:
            return None
        return all(abs(seen.settings[name] - value) <= 0.02 * value for name, value in wanted.items())

    text = ", ".join(f"{name} {value:g} %/s" for name, value in wanted.items())
    for name in site.devices:
        await site.bench.observed(f"{name} ramps by {text} {when}", shows, lfdi=site.lfdi(name))


def _looked_at_start(site: Site, event: StagedEvent) -> None:
    """Check that the control was read again at its start, where the client sees currentStatus."""
    bench = site.bench
    program = site.programs["SP"]
    places = {event.href, program.controls, program.active}
    near = [
        one
        for one in bench.requests
        if one.path in places and event.start_s - LATE_S <= one.at_s <= event.start_s + LATE_S
    ]
    told = [one for one in bench.notified if one.subscribed in places and one.at_s >= event.start_s - EARLY_S]
    bench.trial.check(
        near or told,
        f"the control, or its list, is read within {LATE_S:.0f} s of its start",
        seen=f"{len(near)} GETs",
        level=Level.SHOULD if is_aggregator(bench) else None,
        exchange=bench.proof(near[0]) if near else None,
    )


def _curves_read(bench: ClientBench, base: DERControlBase, program: StagedProgram) -> None:
    from_list = bool(bench.reads(program.curves))
    for name, link in modes_of(base).items():
        if isinstance(link, DERCurveLink):
            found = bench.reads(link.href)
            bench.trial.check(
                found or from_list,
                f"the curve of {name} is read",
                exchange=bench.proof(found[0]) if found else None,
            )


def _row(function: Function) -> Row:
    return Row(
        name=function.name,
        title=function.title,
        requirement=f"{function.title}: default settings, those of an event while it runs, default again",
        procedure=partial(play, function),
        lasts_s=480,
        client=function.client,
        aggregator=function.aggregator,
        preconditions=(f"the device has the function, and may take its settings: {function.title.lower()}",),
    )


ROWS: Final = (
    *(_row(one) for one in FUNCTIONS),
    Row(
        name="BASIC-007",
        title="Ramp rates",
        requirement="A change of setGradW and setSoftGradW of the default is followed, without a Response",
        procedure=ramps,
        lasts_s=300,
    ),
)
CASES: Final[tuple[AnyCase, ...]] = tuple(case for row in ROWS for case in row.cases())
