"""Curves and droop for devices of the older series: models 126 to 142, with the exact registers."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from der_client.device import CurvePoint, CurveSetpoint, DroopSetpoint, Reversion, Setpoint
from der_client.sunspec.codec import Value
from der_client.sunspec.drafts import UNDER_EXCITED_NEGATIVE, MappingSettings
from der_client.sunspec.mapping import Plan, plan
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.simulator.bank import put
from tests.sunspec_devices import INVERTER, Older, older_map, requests, writes

GUARD = Reversion(after_s=60)
ALLOWED = MappingSettings(permissions=Permissions(models=(126, 127, 131, 132, 134)))
GRID_CODE = MappingSettings(permissions=Permissions(allow_grid_code_writes=True))
DROOP = DroopSetpoint(
    dead_band_over_hz=0.2, dead_band_under_hz=0.2, slope_over=0.05, slope_under=0.05, open_loop_s=5
)
FREQ_WATT: Mapping[str, Value] = {
    "WGra": 30,
    "HzStr": 0.5,
    "HzStop": 0.1,
    "HysEna": 1,
    "ModEna": 1,
    "HzStopWGra": 10,
    "WGra_SF": 0,
    "HzStrStop_SF": -2,
    "RmpIncDec_SF": 0,
}


def curve(mode: str, *points: tuple[float, float], y_ref: int = 0) -> CurveSetpoint:
    return CurveSetpoint(mode=mode, points=tuple(CurvePoint(x=x, y=y) for x, y in points), y_ref=y_ref)


VOLT_VAR = curve("opModVoltVar", (92, 44), (98, 0), (108, -44), y_ref=2)


def made(
    setpoint: Setpoint,
    on: DeviceMap,
    reversion: Reversion = GUARD,
    settings: MappingSettings = ALLOWED,
) -> Plan:
    return plan(on, setpoint, reversion, settings)


def test_curve_is_written_selected_and_enabled() -> None:
    on = older_map(INVERTER, Older(model_id=126))
    assert requests(made(Setpoint(curves=(VOLT_VAR,)), on)) == [
        ("126.curve[1].ActPt", (3, 2, 920, 440, 980, 0, 1080, 65096)),
        ("126.ActCrv", (2, 1, 0, 60, 0)),
    ]


def test_curves_of_the_older_series_are_not_written_without_permission() -> None:
    on = older_map(INVERTER, Older(model_id=126))
    result = made(Setpoint(curves=(VOLT_VAR,)), on, settings=MappingSettings())
    assert result.unsupported == {"opModVoltVar"}
    assert requests(result) == []


def test_curve_that_shall_hold_without_us_has_no_timer() -> None:
    on = older_map(INVERTER, Older(model_id=126))
    result = made(Setpoint(curves=(VOLT_VAR,)), on, Reversion(after_s=60, to=Setpoint(curves=(VOLT_VAR,))))
    assert requests(result)[-1] == ("126.ActCrv", (2, 1, 0, 0, 0))


def test_curve_in_force_is_not_overwritten_where_another_one_can_be() -> None:
    on = older_map(INVERTER, Older(model_id=126, curves=3, first_read_only=False))
    assert requests(made(Setpoint(curves=(VOLT_VAR,)), on))[0][0] == "126.curve[1].ActPt"


def test_only_curve_is_overwritten() -> None:
    on = older_map(INVERTER, Older(model_id=126, curves=1, first_read_only=False))
    assert requests(made(Setpoint(curves=(VOLT_VAR,)), on))[0][0] == "126.curve[0].ActPt"


def test_device_with_read_only_curves_is_unsupported() -> None:
    on = older_map(INVERTER, Older(model_id=126, curves=1))
    assert made(Setpoint(curves=(VOLT_VAR,)), on).unsupported == {"opModVoltVar"}


def test_curve_with_more_points_than_the_device_holds_is_unsupported() -> None:
    on = older_map(INVERTER, Older(model_id=126))
    given = curve("opModVoltVar", *[(90 + n, 0) for n in range(5)], y_ref=2)
    assert made(Setpoint(curves=(given,)), on).unsupported == {"opModVoltVar"}


@pytest.mark.parametrize(("y_ref", "reference"), [(1, 1), (7, 2)])
def test_reference_of_volt_watt_counts_from_one(y_ref: int, reference: int) -> None:
    on = older_map(INVERTER, Older(model_id=132))
    given = curve("opModVoltWatt", (106, 100), (110, 20), y_ref=y_ref)
    assert requests(made(Setpoint(curves=(given,)), on))[0][1][:2] == (2, reference)


@pytest.mark.parametrize(
    ("sign", "raw"), [("over_excited_negative", (950, 64636)), (UNDER_EXCITED_NEGATIVE, (64586, 900))]
)
def test_power_factor_curve_has_the_sign_of_the_profile(sign: str, raw: tuple[int, int]) -> None:
    points = (CurvePoint(x=50, y=0.95, absorbing=True), CurvePoint(x=100, y=0.9, absorbing=False))
    settings = MappingSettings(pf_sign=sign, permissions=ALLOWED.permissions)
    on = older_map(INVERTER, Older(model_id=131))
    given = CurveSetpoint(mode="opModWattPF", points=points)
    assert requests(made(Setpoint(curves=(given,)), on, settings=settings))[0] == (
        "131.curve[1].ActPt",
        (2, 500, raw[0], 1000, raw[1]),
    )


def test_frequency_watt_curve_is_written_as_a_curve() -> None:
    on = older_map(INVERTER, Older(model_id=134))
    given = curve("opModFreqWatt", (50.2, 100), (51.5, 50), y_ref=1)
    assert requests(made(Setpoint(curves=(given,)), on))[0] == (
        "134.curve[1].ActPt",
        (2, 5020, 1000, 5150, 500),
    )


@pytest.mark.parametrize(
    ("model_id", "mode", "level", "raw"),
    [(129, "opModLVRTMustTrip", 50.0, (1, 16, 500)), (135, "opModLFRTMustTrip", 47.5, (1, 16, 4750))],
)
def test_trip_curves_keep_their_axes_and_need_permission_for_the_grid_code(
    model_id: int, mode: str, level: float, raw: tuple[int, ...]
) -> None:
    on = older_map(INVERTER, Older(model_id=model_id))
    setpoint = Setpoint(curves=(curve(mode, (0.16, level)),))
    assert made(setpoint, on).unsupported == {mode}
    assert requests(made(setpoint, on, settings=GRID_CODE))[0] == (f"{model_id}.curve[1].ActPt", raw)


def test_released_curve_goes_back_to_the_one_that_was_selected() -> None:
    on = older_map(INVERTER, Older(model_id=126))
    volt_var = on.first(126)
    assert volt_var is not None
    put(volt_var, "ModEna", 1)
    before = made(Setpoint(curves=(VOLT_VAR,)), on).touched
    put(volt_var, "ActCrv", 2)
    result = plan(on, Setpoint(), GUARD, ALLOWED, before=before)
    assert requests(result) == [("126.ActCrv", (1, 1, 0, 0, 0))]
    assert result.returned == {126}


def test_released_curve_is_disabled_where_none_was_in_force() -> None:
    on = older_map(INVERTER, Older(model_id=126))
    before = made(Setpoint(curves=(VOLT_VAR,)), on).touched
    volt_var = on.first(126)
    assert volt_var is not None
    put(volt_var, "ModEna", 1)
    assert requests(plan(on, Setpoint(), GUARD, ALLOWED, before=before)) == [("126.ModEna", (0,))]


@pytest.mark.parametrize(
    ("shown_hz", "form", "raw"),
    [(0.5, None, 20), (50.2, None, 5020), (50.2, "offset", 20), (0.5, "absolute", 5020)],
    ids=["offset as shown", "absolute as shown", "offset by profile", "absolute by profile"],
)
def test_start_of_the_droop_counts_as_the_device_counts(shown_hz: float, form: str | None, raw: int) -> None:
    on = older_map({**INVERTER, 127: FREQ_WATT}, values={"127.HzStr": shown_hz})
    settings = MappingSettings(hz_start=form, permissions=ALLOWED.permissions)
    assert writes(made(Setpoint(droop=DROOP), on, settings=settings), "droop") == [
        ("127.WGra", (40, raw, raw, 0, 1))
    ]


@pytest.mark.parametrize(
    ("low", "after_s", "lost"), [(92.0, 0, set()), (91.0, 60, {"opModVoltVar"})], ids=["this one", "another"]
)
def test_curve_disables_itself_where_the_default_is_another_one(
    low: float, after_s: int, lost: set[str]
) -> None:
    default = curve("opModVoltVar", (low, 44), (98, 0), (108, -44), y_ref=2)
    result = made(
        Setpoint(curves=(VOLT_VAR,)),
        older_map(INVERTER, Older(model_id=126)),
        Reversion(after_s=60, to=Setpoint(curves=(default,))),
    )
    assert requests(result)[-1] == ("126.ActCrv", (2, 1, 0, after_s, 0))
    assert result.unguarded == lost


def test_droop_of_the_older_series_has_no_timer_and_is_put_back() -> None:
    on = older_map({**INVERTER, 127: FREQ_WATT})
    result = made(Setpoint(droop=DROOP), on)
    assert result.unguarded == {"droop"}
    held = on.first(127)
    assert held is not None
    held.update(2, (40, 20, 20, 0, 1))
    back = plan(on, Setpoint(), GUARD, ALLOWED, before=result.touched)
    assert requests(back) == [("127.WGra", (30, 50, 10, 1, 1))]


def test_droop_too_flat_for_the_register_is_unsupported() -> None:
    result = made(Setpoint(droop=replace(DROOP, slope_over=5.0)), older_map({**INVERTER, 127: FREQ_WATT}))
    assert requests(result) == []
    assert result.unsupported == {"droop"}


def test_droop_without_any_model_is_unsupported() -> None:
    assert made(Setpoint(droop=DROOP), older_map(INVERTER)).unsupported == {"droop"}


def test_model_that_cannot_be_permitted_by_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"models \[707\] cannot be permitted by name"):
        Permissions(models=(707,))
