"""Each setting of CSIP BASIC-004 to 014, as default and as event, becomes a Setpoint. CSIP tests v1.3."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from der_client.desired import desired_of
from der_client.device import (
    CurvePoint,
    CurveSetpoint,
    DroopSetpoint,
    Nameplate,
    PowerFactorSetpoint,
    Setpoint,
)
from der_client.scheduler import Scheduler, abilities_of
from function_sets import Draw, Program, Rules
from schemas import (
    ActivePower,
    CurveData,
    DateTimeInterval,
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERCurve,
    DERCurveLink,
    EventStatus,
    FreqDroopType,
    PowerFactorWithExcitation,
    codes,
)

Y_REFS = {"opModVoltVar": 2, "opModVoltWatt": 1, "opModFreqWatt": 1}
"""What y refers to where the procedures leave it open."""
PLATE = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=frozenset(codes.DERControlType.__members__),
    max_w=10_000,
    max_va=10_000,
    max_var=4_400,
    max_var_neg=4_400,
    set_max_w=10_000,
    set_max_va=10_000,
    set_max_var=4_400,
    set_max_var_neg=4_400,
)
START = 1_000
CURVES = [
    ("BASIC-004", "default"),
    ("BASIC-004", "event"),
    ("BASIC-005", "default"),
    ("BASIC-006", "default"),
    ("BASIC-006", "event"),
    ("BASIC-011", "default"),
    ("BASIC-011", "event"),
]


def setting(vectors: Path, name: str) -> Mapping[str, Any]:
    table = json.loads((vectors / "csip_control_settings.json").read_text())
    found: Mapping[str, Any] = next(one for one in table["settings"] if one["id"] == name)
    return found


def curve_of(mode: str, given: Mapping[str, Any], href: str) -> DERCurve:
    return DERCurve(
        href=href,
        mRID="AA",
        creationTime=0,
        autonomousVRefEnable=given.get("autonomousVRefEnable"),
        autonomousVRefTimeConstant=given.get("autonomousVRefTimeConstant"),
        CurveData_=[CurveData(xvalue=x, yvalue=y) for x, y in given["points"]],
        curveType=given["curveType"],
        openLoopTms=given.get("openLoopTms"),
        xMultiplier=given["xMultiplier"],
        yMultiplier=given["yMultiplier"],
        yRefType=given.get("yRefType", Y_REFS.get(mode, 0)),
    )


def applied(default: DERControlBase, event: DERControlBase, curves: Sequence[DERCurve]) -> list[Setpoint]:
    """What the device is asked for before, during and after the event."""
    control = DERControl(
        mRID="C1",
        creationTime=1,
        EventStatus_=EventStatus(currentStatus=0, dateTime=1, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=START),
        DERControlBase_=event,
    )
    own = DefaultDERControl(mRID="DD", DERControlBase_=default)
    programs = (Program(href="/p", mRID="AB", primacy=4, default=own, controls=(control,)),)
    schedule = Scheduler(Rules(), lambda _: Draw())
    able = abilities_of([PLATE])
    by_href = {curve.href or "": curve for curve in curves}
    steps = [schedule.step(programs, at, able) for at in (START - 1, START, START + 60)]
    return [desired_of(step.outcome.modes, PLATE, by_href).setpoint for step in steps]


def given_curves(found: Mapping[str, Any], when: str) -> dict[str, Mapping[str, Any]]:
    return {mode: {**found.get("curve_common", {}), **one} for mode, one in found[when].items()}


def linked(modes: Iterable[str]) -> DERControlBase:
    links: dict[str, Any] = {mode: DERCurveLink(href=f"/dc/{mode}") for mode in modes}
    return DERControlBase(**links)


def exact(value: int, multiplier: int) -> float:
    return float(Decimal(value).scaleb(multiplier))


def expected_curve(mode: str, given: Mapping[str, Any]) -> CurveSetpoint:
    points = tuple(
        CurvePoint(x=exact(x, given["xMultiplier"]), y=exact(y, given["yMultiplier"]))
        for x, y in given["points"]
    )
    constant = given.get("autonomousVRefTimeConstant")
    return CurveSetpoint(
        mode=mode,
        points=points,
        y_ref=given.get("yRefType", Y_REFS.get(mode, 0)),
        open_loop_s=exact(given["openLoopTms"], -2) if "openLoopTms" in given else None,
        autonomous_v_ref=given.get("autonomousVRefEnable"),
        autonomous_v_ref_s=None if constant is None else exact(constant, -2),
    )


@pytest.mark.parametrize(("name", "when"), CURVES)
def test_curves_reach_the_device_in_engineering_units(vectors: Path, name: str, when: str) -> None:
    given = given_curves(setting(vectors, name), when)
    curves = [curve_of(mode, one, f"/dc/{mode}") for mode, one in given.items()]
    base = linked(given)
    event, default = (base, DERControlBase()) if when == "event" else (DERControlBase(), base)
    before, during, after = applied(default, event, curves)

    expected = tuple(expected_curve(mode, given[mode]) for mode in sorted(given))
    assert {"event": during, "default": before}[when].curves == expected
    assert after == before


def test_the_ride_through_curve_of_the_facts_reads_as_seconds_and_percent(vectors: Path) -> None:
    given = given_curves(setting(vectors, "BASIC-004"), "default")["opModHVRTMustTrip"]
    base = DERControlBase(opModHVRTMustTrip=DERCurveLink(href="/dc/1"))
    before, _, _ = applied(base, DERControlBase(), [curve_of("opModHVRTMustTrip", given, "/dc/1")])

    assert [(point.x, point.y) for point in before.curves[0].points][:3] == [
        (0.16, 130.0),
        (0.16, 120.0),
        (13.0, 120.0),
    ]


def test_basic_007_a_changed_default_changes_the_ramps(vectors: Path) -> None:
    found = setting(vectors, "BASIC-007")
    defaults = [
        DefaultDERControl(mRID="DD", DERControlBase_=DERControlBase(), **found[when])
        for when in ("default", "event")
    ]
    setpoints = [desired_of({}, PLATE, default=default).setpoint for default in defaults]

    assert [(one.grad_w_pct_per_s, one.soft_grad_w_pct_per_s) for one in setpoints] == [
        (100.0, 2.0),
        (90.0, 4.0),
    ]


def factor(given: Mapping[str, Any]) -> DERControlBase:
    return DERControlBase(opModFixedPFInjectW=PowerFactorWithExcitation(**given["opModFixedPFInjectW"]))


def plain(given: Mapping[str, Any]) -> DERControlBase:
    return DERControlBase(**given)


def watts(given: Mapping[str, Any]) -> DERControlBase:
    return DERControlBase(opModTargetW=ActivePower(multiplier=0, value=given["opModTargetW"]))


def droop(given: Mapping[str, Any]) -> DERControlBase:
    return DERControlBase(opModFreqDroop=FreqDroopType(**given["opModFreqDroop"]))


def droop_setpoint(dead_band_hz: tuple[float, float], slope: float, open_loop_s: float) -> Setpoint:
    over_hz, under_hz = dead_band_hz
    return Setpoint(
        droop=DroopSetpoint(
            dead_band_over_hz=over_hz,
            dead_band_under_hz=under_hz,
            slope_over=slope,
            slope_under=slope,
            open_loop_s=open_loop_s,
        )
    )


@pytest.mark.parametrize(
    ("name", "base_of", "default", "event"),
    [
        (
            "BASIC-008",
            factor,
            Setpoint(pf_inject=PowerFactorSetpoint(power_factor=0.95, absorbing=False)),
            Setpoint(pf_inject=PowerFactorSetpoint(power_factor=0.9, absorbing=False)),
        ),
        ("BASIC-010", plain, Setpoint(max_w_pct=50.0), Setpoint(max_w_pct=60.0)),
        (
            "BASIC-012",
            droop,
            droop_setpoint((0.036, 0.036), 0.05, 5.0),
            droop_setpoint((60.03, 59.97), 0.04, 6.0),
        ),
        ("BASIC-013", plain, Setpoint(target_w=5_000.0), Setpoint(target_w=6_000.0)),
        ("BASIC-014", watts, Setpoint(target_w=2_000.0), Setpoint(target_w=3_000.0)),
    ],
)
def test_values_reach_the_device_in_engineering_units(
    vectors: Path,
    name: str,
    base_of: Callable[[Mapping[str, Any]], DERControlBase],
    default: Setpoint,
    event: Setpoint,
) -> None:
    found = setting(vectors, name)

    assert applied(base_of(found["default"]), base_of(found["event"]), []) == [default, event, default]


@pytest.mark.parametrize("energize", [False, True])
def test_basic_009_energize_goes_as_it_is(energize: bool) -> None:
    default = DERControlBase(opModEnergize=True, opModConnect=True)
    before, during, after = applied(default, DERControlBase(opModEnergize=energize), [])

    assert before == after == Setpoint(connect=True, energize=True)
    assert during == Setpoint(connect=True, energize=energize)


def test_basic_012_freq_watt_is_in_hz_and_percent(vectors: Path) -> None:
    given = setting(vectors, "BASIC-012")["opModFreqWatt"]
    base = DERControlBase(opModFreqWatt=DERCurveLink(href="/dc/0"))
    before, _, _ = applied(base, DERControlBase(), [curve_of("opModFreqWatt", given, "/dc/0")])

    assert [(point.x, point.y) for point in before.curves[0].points] == [
        (59.0, 100.0),
        (59.5, 80.0),
        (60.5, 80.0),
        (62.0, 0.0),
    ]
    assert before.curves[0].y_ref == 1
