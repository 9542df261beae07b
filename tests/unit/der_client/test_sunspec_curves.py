"""Curves and droop for devices that adopt stored curves: models 705 to 712, with the exact registers."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from der_client.device import (
    CurvePoint,
    CurveSetpoint,
    DroopSetpoint,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    VarSetpoint,
)
from der_client.sunspec.drafts import CurveBefore, MappingSettings
from der_client.sunspec.mapping import Plan, plan
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.simulator.bank import put
from der_client.sunspec.writes import Adoption, Step, Use
from tests.sunspec_devices import newer_map, requests, writes

GUARD = Reversion(after_s=60)
NO_TIMER = Reversion(after_s=0)
GRID_CODE = MappingSettings(permissions=Permissions(allow_grid_code_writes=True))
DROOP = DroopSetpoint(
    dead_band_over_hz=0.05, dead_band_under_hz=0.06, slope_over=0.04, slope_under=0.03, open_loop_s=2.5
)


def curve(
    mode: str, *points: tuple[float, float], y_ref: int = 0, open_loop_s: float | None = None
) -> CurveSetpoint:
    return CurveSetpoint(
        mode=mode, points=tuple(CurvePoint(x=x, y=y) for x, y in points), y_ref=y_ref, open_loop_s=open_loop_s
    )


VOLT_VAR = curve("opModVoltVar", (90, 30), (97, 0), (103, 0), (109, -30), y_ref=2, open_loop_s=8)
VOLT_WATT = curve("opModVoltWatt", (105, 100), (109, 0), y_ref=1)
WATT_VAR = curve("opModWattVar", (0, 0), (50, 0), (100, -40), y_ref=2)


def model(of: DeviceMap, model_id: int) -> Model:
    found = of.first(model_id)
    assert found is not None
    return found


def adopted(on: DeviceMap, step: Step) -> None:
    """What a device does with a curve: it shows it as the one in force."""
    expected = [block for block in step.blocks if block.use is Use.EXPECTED]
    for block in expected:
        model(on, block.model.model_id).update(block.points[0].offset, block.words)


def made(
    setpoint: Setpoint,
    reversion: Reversion = GUARD,
    on: DeviceMap | None = None,
    settings: MappingSettings | None = None,
    before: Mapping[int, CurveBefore] | None = None,
) -> Plan:
    return plan(on or newer_map(), setpoint, reversion, settings, before=before)


def test_curve_is_stored_whole_adopted_and_enabled() -> None:
    assert writes(made(Setpoint(curves=(VOLT_VAR,)), NO_TIMER), "opModVoltVar") == [
        ("705.Crv[1].ActPt", (4, 1, 1, 1000)),
        ("705.Crv[1].VRefAutoEna", (0, 300, 0, 80)),
        ("705.Crv[1].Pt[0].V", (900, 300, 970, 0, 1030, 0, 1090, 65236)),
        ("705.AdptCrvReq", (2,)),
        ("705.RvrtTms", (0, 0)),
        ("705.Ena", (1,)),
    ]


def test_request_is_written_even_where_the_device_still_shows_the_last_one() -> None:
    assert ("705.AdptCrvReq", (2,)) in requests(
        made(Setpoint(curves=(VOLT_VAR,)), on=newer_map({"705.AdptCrvReq": 2}))
    )


@pytest.mark.parametrize(
    ("result", "shows", "progress"),
    [
        (1, False, Adoption.PENDING),
        (0, False, Adoption.PENDING),
        (0, True, Adoption.DONE),
        (1, True, Adoption.DONE),
        (2, False, Adoption.FAILED),
    ],
    ids=["result of an earlier one", "in progress", "never says so", "done", "failed"],
)
def test_request_is_over_when_the_device_shows_the_curve(
    result: int, shows: bool, progress: Adoption
) -> None:
    on = newer_map()
    (request,) = [step for step in made(Setpoint(curves=(VOLT_VAR,)), on=on).steps if step.result]
    put(model(on, 705), "AdptCrvRslt", result)
    adopted(on, replace(request, blocks=request.blocks if shows else ()))
    assert request.adoption is progress


def test_curve_that_is_in_force_is_not_stored_again() -> None:
    on = newer_map({"705.Ena": 1})
    adopted(on, made(Setpoint(curves=(VOLT_VAR,)), on=on).steps[-1])
    assert requests(made(Setpoint(curves=(VOLT_VAR,)), on=on)) == []


def test_what_the_setpoint_leaves_open_is_taken_from_the_curve_in_force() -> None:
    on = newer_map({"706.Crv[0].RspTms": 7.5})
    written = writes(made(Setpoint(curves=(VOLT_WATT,)), on=on), "opModVoltWatt")
    assert written[0] == ("706.Crv[1].ActPt", (2, 0, 0, 75))


@pytest.mark.parametrize(
    ("given", "y_ref", "reference"),
    [(VOLT_VAR, 1, 0), (VOLT_VAR, 2, 1), (VOLT_VAR, 3, 2), (VOLT_WATT, 1, 0), (VOLT_WATT, 7, 1)],
)
def test_reference_of_the_curve_counts_from_nothing(given: CurveSetpoint, y_ref: int, reference: int) -> None:
    written = writes(made(Setpoint(curves=(replace(given, y_ref=y_ref),))), given.mode)
    assert written[0][1][:2] == (len(given.points), reference)


@pytest.mark.parametrize(
    "given",
    [
        replace(VOLT_VAR, y_ref=7),
        curve("opModVoltVar", (97, 0), (97, 10), y_ref=2),
        curve("opModVoltVar", *[(90 + n, 0) for n in range(5)], y_ref=2),
        curve("opModVoltVar", y_ref=2),
        curve("opModVoltVar", (7_000, 0), y_ref=2),
        curve("opModWattPF", (0, 1), (100, 0.9)),
        replace(VOLT_VAR, v_ref_pct=7_000),
    ],
    ids=[
        "reference",
        "not rising",
        "too many points",
        "no point",
        "out of range",
        "no model",
        "reference voltage",
    ],
)
def test_curve_that_the_device_cannot_hold_is_unsupported_and_nothing_of_it_is_written(
    given: CurveSetpoint,
) -> None:
    result = made(Setpoint(max_w_pct=50, curves=(given,)))
    assert result.unsupported == {given.mode}
    assert requests(result) == [("704.WMaxLimPctEnaRvrt", (0, 0, 60)), ("704.WMaxLimPctEna", (1, 5000))]


def test_settings_of_volt_var_are_written_with_it() -> None:
    given = replace(VOLT_VAR, v_ref_pct=101.5, autonomous_v_ref=True, autonomous_v_ref_s=600.0)
    written = dict(requests(made(Setpoint(curves=(given,)))))
    assert written["705.Crv[1].ActPt"] == (4, 1, 1, 1015)
    assert written["705.Crv[1].VRefAutoEna"] == (1, 600, 0, 80)


def test_autonomous_reference_that_the_device_lacks_makes_the_curve_unsupported() -> None:
    on = newer_map({"705.Crv[0].VRefAutoEna": None, "705.Crv[1].VRefAutoEna": None})
    given = replace(VOLT_VAR, autonomous_v_ref=True)
    assert made(Setpoint(curves=(given,)), on=on).unsupported == {"opModVoltVar"}
    assert made(Setpoint(curves=(VOLT_VAR,)), on=on).unsupported == frozenset()


@pytest.mark.parametrize("read_only", [1, None])
def test_device_that_keeps_no_curve_to_write_is_unsupported(read_only: int | None) -> None:
    on = newer_map({"712.Crv[1].ReadOnly": read_only})
    assert made(Setpoint(curves=(WATT_VAR,)), on=on).unsupported == {"opModWattVar"}


@pytest.mark.parametrize(
    ("given", "neutral"),
    [
        pytest.param(VOLT_VAR, ("705.Crv[1].Pt[0].V", (900, 0, 970, 0, 1030, 0, 1090, 0)), id="no var"),
        pytest.param(VOLT_WATT, ("706.Crv[1].Pt[0].V", (1050, 1000, 1090, 1000)), id="no limit"),
        pytest.param(WATT_VAR, ("712.Crv[1].Pt[0].W", (0, 0, 500, 0, 1000, 0)), id="no var by power"),
    ],
)
def test_curve_without_a_default_reverts_to_one_that_asks_for_nothing(
    given: CurveSetpoint, neutral: tuple[str, tuple[int, ...]]
) -> None:
    result = made(Setpoint(curves=(given,)))
    number = neutral[0].partition(".")[0]
    size = len(neutral[1])
    assert [(name, words[:size]) for name, words in requests(result)[-4:]] == [
        neutral,
        (f"{number}.RvrtTms", (0, 60)),
        (f"{number}.RvrtCrv", (2,)),
        (f"{number}.Ena", (1,)),
    ]
    assert result.unguarded == frozenset()


def test_curve_without_a_default_reverts_to_the_one_that_was_in_force_before_us() -> None:
    former = newer_map({"706.Ena": 1, "706.Crv[0].Pt[0].V": 107.0, "706.Crv[0].Pt[1].W": 30.0})
    result = made(Setpoint(curves=(VOLT_WATT,)), on=former)
    assert [(name, words[:4]) for name, words in requests(result)[-4:]] == [
        ("706.Crv[1].Pt[0].V", (1070, 1000, 1100, 300)),
        ("706.RvrtTms", (0, 60)),
        ("706.RvrtCrv", (2,)),
        ("706.Ena", (1,)),
    ]
    assert result.unguarded == frozenset()


def test_curve_of_a_device_without_reversion_is_held_and_named() -> None:
    for missing in ("RvrtTms", "RvrtCrv"):
        result = made(Setpoint(curves=(VOLT_WATT,)), on=newer_map({f"706.{missing}": None}))
        assert result.unguarded == {"opModVoltWatt"}


def test_trip_curve_has_no_timer_and_is_named() -> None:
    trip = curve("opModHVRTMustTrip", (0.16, 120), (13, 110))
    assert made(Setpoint(curves=(trip,)), settings=GRID_CODE).unguarded == {"opModHVRTMustTrip"}


def test_reversion_curve_takes_the_place_of_the_one_that_was_adopted() -> None:
    default = curve("opModVoltWatt", (106, 100), (110, 20), y_ref=1)
    result = made(Setpoint(curves=(VOLT_WATT,)), Reversion(after_s=60, to=Setpoint(curves=(default,))))
    assert result.unguarded == frozenset()
    assert requests(result)[-3:] == [
        ("706.RvrtTms", (0, 60)),
        ("706.RvrtCrv", (2,)),
        ("706.Ena", (1,)),
    ]
    assert [(step.verify, step.result) for step in result.steps if step.field == "opModVoltWatt"] == [
        (True, None),
        (False, "AdptCrvRslt"),
        (True, None),
        (False, None),
    ]


def test_reversion_to_the_curve_in_force_needs_no_timer() -> None:
    result = made(Setpoint(curves=(VOLT_WATT,)), Reversion(after_s=60, to=Setpoint(curves=(VOLT_WATT,))))
    assert requests(result)[-1] == ("706.Ena", (1,))
    assert result.unguarded == frozenset()


def test_timer_of_a_curve_is_seen_by_the_device() -> None:
    default = curve("opModVoltWatt", (106, 100), (110, 20), y_ref=1)
    result = made(Setpoint(curves=(VOLT_WATT,)), Reversion(after_s=60, to=Setpoint(curves=(default,))))
    assert (result.steps[-1].timer, result.steps[-1].timer_s) == ("RvrtRem", 60)


@pytest.mark.parametrize(("connect", "order"), [(True, [704, 706, 715]), (False, [704, 715, 706])])
def test_curves_come_after_setpoints_and_a_disconnection_and_before_a_connection(
    connect: bool, order: list[int]
) -> None:
    setpoint = Setpoint(connect=connect, max_w_pct=50, curves=(VOLT_WATT,))
    models = [step.model.model_id for step in made(setpoint).steps]
    assert sorted(set(order), key=models.index) == order


@pytest.mark.parametrize(
    ("setpoint", "unsupported"),
    [
        (
            Setpoint(pf_inject=PowerFactorSetpoint(power_factor=0.9, absorbing=True)),
            {"opModVoltVar", "opModWattVar"},
        ),
        (Setpoint(var=VarSetpoint(value=10, ref=2)), {"opModVoltVar", "opModWattVar"}),
        (Setpoint(), {"opModWattVar"}),
    ],
    ids=["power factor", "reactive power", "curves alone"],
)
def test_only_one_reactive_mode_is_enabled(setpoint: Setpoint, unsupported: set[str]) -> None:
    assert made(replace(setpoint, curves=(VOLT_VAR, WATT_VAR))).unsupported == unsupported


def test_profile_may_prefer_a_curve() -> None:
    setpoint = Setpoint(var=VarSetpoint(value=10, ref=2), curves=(VOLT_VAR,))
    result = made(setpoint, settings=MappingSettings(reactive_order=("opModVoltVar",)))
    assert result.unsupported == {"var"}
    assert ("705.AdptCrvReq", (2,)) in requests(result)


def test_volt_var_that_stands_in_the_way_stops_first_and_is_remembered() -> None:
    setpoint = Setpoint(pf_inject=PowerFactorSetpoint(power_factor=0.9, absorbing=True))
    result = made(setpoint, on=newer_map({"705.Ena": 1}))
    assert requests(result)[0] == ("705.Ena", (0,))
    assert result.touched[705].enabled
    assert result.returned == frozenset()


def test_curve_that_is_released_is_disabled_where_it_was_disabled_before() -> None:
    on = newer_map()
    before = made(Setpoint(curves=(VOLT_VAR,)), on=on).touched
    put(model(on, 705), "Ena", 1)
    result = made(Setpoint(), on=on, before=before)
    assert requests(result) == [("705.Ena", (0,))]
    assert result.returned == {705}


def test_curve_that_is_released_is_put_back_where_it_was_enabled_before() -> None:
    on = newer_map({"705.Ena": 1})
    before = made(Setpoint(curves=(VOLT_VAR,)), on=on).touched
    adopted(on, made(Setpoint(curves=(VOLT_VAR,)), on=on).steps[-1])
    assert writes(made(Setpoint(), on=on, before=before), "opModVoltVar") == [
        ("705.Crv[1].ActPt", (4, 1, 1, 1000)),
        ("705.Crv[1].VRefAutoEna", (0, 300, 0, 50)),
        ("705.Crv[1].Pt[0].V", (920, 440, 980, 0, 1020, 0, 1080, 65096)),
        ("705.AdptCrvReq", (2,)),
        ("705.RvrtTms", (0, 0)),
        ("705.Ena", (1,)),
    ]


def test_curve_that_nobody_asked_for_is_left_alone() -> None:
    assert requests(made(Setpoint(max_w_pct=None), on=newer_map({"705.Ena": 1, "711.Ena": 1}))) == []


def test_droop_is_adopted_as_a_control_and_keeps_the_least_power() -> None:
    on = newer_map({"711.Ctl[0].PMin": 15})
    assert requests(made(Setpoint(droop=DROOP), on=on)) == [
        ("711.Ctl[1].DbOf", (0, 50, 0, 60, 40, 30, 0, 25, 15)),
        ("711.AdptCtlReq", (2,)),
        ("711.Ctl[1].DbOf", (0, 10_000, 0, 10_000, 40, 30, 0, 25, 15)),
        ("711.RvrtTms", (0, 60)),
        ("711.RvrtCtl", (2,)),
        ("711.Ena", (1,)),
    ]


def test_droop_whose_slope_the_registers_would_hold_as_a_step_is_unsupported() -> None:
    result = made(Setpoint(droop=DROOP), on=newer_map({"711.K_SF": -1}))
    assert requests(result) == []
    assert result.unsupported == {"droop"}


def test_frequency_watt_curve_that_is_a_droop_becomes_one() -> None:
    given = curve("opModFreqWatt", (59.0, 100), (60.2, 100), (63.2, 0), y_ref=1, open_loop_s=3)
    result = made(Setpoint(curves=(given,)))
    assert requests(result)[0] == ("711.Ctl[1].DbOf", (0, 200, 0, 10_000, 50, 50, 0, 30, 0))
    assert result.unsupported == frozenset()


@pytest.mark.parametrize(
    "points",
    [
        ((60.2, 100), (61, 50)),
        ((60.2, 100), (61, 50), (63, 0)),
        ((59.5, 100), (63, 0)),
        ((60.2, 90), (63, 0)),
        ((60.2, 100),),
    ],
    ids=["ends above nothing", "bends", "begins below nominal", "begins below full", "one point"],
)
def test_frequency_watt_curve_that_is_more_than_a_droop_is_unsupported(
    points: tuple[tuple[float, float], ...],
) -> None:
    result = made(Setpoint(curves=(curve("opModFreqWatt", *points, y_ref=1),)))
    assert result.unsupported == {"opModFreqWatt"}
    assert requests(result) == []


def test_trip_curves_are_not_written_without_permission() -> None:
    given = curve("opModLVRTMustTrip", (2, 50), (21, 88))
    result = made(Setpoint(curves=(given,)))
    assert requests(result) == []
    assert result.unsupported == {"opModLVRTMustTrip"}


def test_axes_of_a_trip_curve_are_swapped_and_the_other_curves_of_its_set_stay() -> None:
    given = curve("opModLVRTMustTrip", (1.5, 45), (10, 70))
    on = newer_map(
        {"707.Crv[0].MayTrip.ActPt": 1, "707.Crv[0].MayTrip.Pt[0].V": 40, "707.Crv[0].MayTrip.Pt[0].Tms": 5}
    )
    written = requests(made(Setpoint(curves=(given,)), on=on, settings=GRID_CODE))
    assert written[0] == (
        "707.Crv[1].MustTrip.ActPt",
        (2, 450, 0, 150, 700, 0, 1000, 1, 400, 0, 500, 880, 0, 2100, 0, 500, 0, 200, 880, 0, 2100),
    )
    assert written[1:] == [("707.AdptCrvReq", (2,)), ("707.Ena", (1,))]


def test_trip_and_may_trip_of_one_model_are_one_set() -> None:
    must = curve("opModHFRTMustTrip", (0.16, 62), (300, 61.2))
    may = curve("opModHFRTMayTrip", (0.1, 61.5))
    written = requests(made(Setpoint(curves=(may, must)), settings=GRID_CODE))
    assert [name for name, _ in written] == ["710.Crv[1].MustTrip.ActPt", "710.AdptCrvReq", "710.Ena"]
    assert written[0][1][:9] == (2, 0, 6200, 0, 16, 0, 6120, 0, 30_000)
    assert written[0][1][9:14] == (1, 0, 6150, 0, 10)


def test_trip_time_that_registers_can_only_round_is_unsupported() -> None:
    given = curve("opModLVRTMustTrip", (0.1666, 45))
    assert made(Setpoint(curves=(given,)), settings=GRID_CODE).unsupported == {"opModLVRTMustTrip"}


@pytest.mark.parametrize("mode", ["opModLFRTMustTrip", "opModLFRTMayTrip", "opModHVRTMomentaryCessation"])
def test_every_curve_of_a_trip_model_has_its_place(mode: str) -> None:
    given = curve(mode, (2, 58 if "LFRT" in mode else 115))
    result = made(Setpoint(curves=(given,)), settings=GRID_CODE)
    assert result.unsupported == frozenset()
    assert len(requests(result)) == 3
