"""BASIC-016 to 026 and AGG-002 to 012: programs, defaults and controls on a timeline, Responses in order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from conformance_tests.case import AnyCase, Level
from conformance_tests.client.csip.physical import holds
from conformance_tests.client.csip.replies import (
    ALTERNATE,
    COMPLETED,
    LOST,
    RECEIVED,
    STARTED,
    SUPERSEDED,
    Due,
    at,
    judge,
    received,
)
from conformance_tests.client.csip.row import Row
from conformance_tests.client.csip.scenarios import AGGREGATED, BASIC, FIXED_W, Planned, Scenario
from conformance_tests.client.csip.site import (
    FOUR,
    Site,
    by_notification,
    factor,
    groups_of,
    is_aggregator,
    levels_of,
    settled,
    site_of,
    subscribed_to,
)
from conformance_tests.client.tolerances import DEVICE_S, LATE_S
from schemas import DERControlBase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.staged import StagedEvent

DEFAULTS: Final = {"SY": 980, "SP": 970, "TFA": 970}
"""Power factor of each program's default, in thousandths."""
CONTROLS: Final = {"c1": factor(950), "c2": factor(930)}
FIXED: Final = DERControlBase(opModFixedW=5_000)


def base_of(one: Planned) -> DERControlBase:
    """The modes of a control of the series."""
    return FIXED if one.mode == FIXED_W else CONTROLS[one.name]


async def play(scenario: Scenario, bench: ClientBench) -> None:
    """Play one row of the series and judge what came."""
    site = built(scenario, bench)
    await settled(site)
    if () not in scenario.expected:
        await subscribed_to(site, [one.controls for one in site.programs.values()])
    await _idle(site, scenario, "before any event")
    known_s = float(bench.stage.now())
    events = {one.name: _publish(site, one) for one in scenario.controls if not one.is_late}
    published = dict.fromkeys(events, known_s)
    for one in scenario.controls:
        if one.is_late:
            await _running(site, events["c1"])
            published[one.name] = float(bench.stage.now())
            events[one.name] = _publish(site, one)
    await _watch(site, scenario, events)
    end_s = max((one.end_s for one in events.values()), default=bench.stage.now() + 60)
    await bench.until(end_s + DEVICE_S)
    await _idle(site, scenario, "once no event runs any more")
    judge_all(site, scenario, events, published)


def built(scenario: Scenario, bench: ClientBench) -> Site:
    """The programs of a row, with their defaults."""
    is_of_aggregator = () not in scenario.expected
    site = site_of(bench, FOUR if is_of_aggregator or is_aggregator(bench) else ())
    if is_of_aggregator:
        by_notification(bench)
        groups_of(site, ("SY", "TFA"))
    else:
        levels_of(site)
    if scenario.has_defaults:
        for name, program in site.programs.items():
            bench.stage.set_default(program, factor(DEFAULTS[name]))
    return site


def judge_all(
    site: Site, scenario: Scenario, events: Mapping[str, StagedEvent], published: Mapping[str, float]
) -> None:
    """Check the Responses of every device to every event."""
    for device in site.devices:
        expected = next(
            (codes for names, codes in scenario.expected.items() if not names or device in names), {}
        )
        for name, event in events.items():
            other = next((one for key, one in events.items() if key != name), event)
            due = _due(site, expected.get(name, ()), event, other, published[name])
            judge(site.bench, event, site.lfdi(device), due, f"control {name}")
    bench = site.bench
    if not events:
        bench.trial.check(
            not [one for one in bench.requests if one.route == "ResponseList"],
            "no Response is sent where there is no event",
            seen=f"{len([one for one in bench.requests if one.route == 'ResponseList'])} Responses",
        )


def _due(
    site: Site, codes: tuple[int, ...], event: StagedEvent, other: StagedEvent, known_s: float
) -> list[Due]:
    moments = {STARTED: at(STARTED, event.start_s), COMPLETED: at(COMPLETED, event.end_s)}
    has_run = STARTED in codes
    lost_s = float(other.start_s) if has_run else known_s
    until_s = None if has_run else float(max(event.start_s, other.start_s))
    is_lenient = is_aggregator(site.bench) and SUPERSEDED in codes and not has_run
    due = []
    for code in codes:
        if code == RECEIVED:
            due.append(received(site.bench, event, known_s))
        elif code in {SUPERSEDED, ALTERNATE}:
            due.append(at(LOST if is_lenient else code, lost_s, until_s))
        else:
            due.append(moments[code])
    return due


def _publish(site: Site, one: Planned) -> StagedEvent:
    stage = site.bench.stage
    return stage.publish(
        site.programs[one.program],
        base_of(one),
        start_s=stage.now() + one.start_s,
        duration_s=one.duration_s,
        description=one.name,
    )


async def _running(site: Site, event: StagedEvent) -> None:
    """Wait until every device has said that it began; a Response that is missing is judged at the end."""
    bench = site.bench
    await bench.until(event.start_s)

    def is_said() -> bool:
        return all(
            any(one.status == STARTED for one in bench.replies(event.mrid, device.lfdi))
            for device in site.devices.values()
        )

    await bench.waits(is_said, LATE_S)


async def _watch(site: Site, scenario: Scenario, events: Mapping[str, StagedEvent]) -> None:
    """Look at the devices while each control runs that is to run to its end."""
    for one in sorted(scenario.controls, key=lambda one: events[one.name].start_s):
        event = events[one.name]
        await site.bench.until(event.start_s + min(event.duration_s / 2, DEVICE_S))
        for names, codes in scenario.expected.items():
            if COMPLETED in codes.get(one.name, ()):
                devices = tuple(name for name in names or site.devices if name in site.devices)
                await holds(site, base_of(one), f"while control {one.name} runs", devices)


async def _idle(site: Site, scenario: Scenario, when: str) -> None:
    """Look at the devices while no event runs: the default of the best program that they have."""
    if not scenario.has_defaults:
        return
    await site.bench.pause(DEVICE_S)
    for device in site.devices:
        best = "SP" if "SP" in site.programs else "TFA"
        name = best if device in site.members(best) else "SY"
        await holds(site, factor(DEFAULTS[name]), when, (device,))


def _row(scenario: Scenario, *, client: Level | None) -> Row:
    groups = "; ".join(
        f"{', '.join(names) or 'every device'}: {_codes(codes)}" for names, codes in scenario.expected.items()
    )
    return Row(
        name=scenario.name,
        title=scenario.title,
        requirement=f"The best program's default holds while no event runs; Responses: {groups}",
        procedure=partial(play, scenario),
        lasts_s=scenario.lasts_s + 180,
        client=client,
    )


def _codes(codes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {'-'.join(map(str, one))}" for name, one in codes.items()) or "none"


ROWS: Final = (
    *(_row(one, client=Level.MUST) for one in BASIC),
    *(_row(one, client=None) for one in AGGREGATED),
)
CASES: Final[tuple[AnyCase, ...]] = tuple(case for row in ROWS for case in row.cases())
