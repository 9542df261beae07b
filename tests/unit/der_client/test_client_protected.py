import pytest

from der_client.battery_driver import BatteryDriver, BatteryDriverSettings
from der_client.device import CurvePoint, CurveSetpoint, EnterServiceSetpoint, Setpoint
from der_client.protected import TRIP_MODES, may_write_grid_code, permitted
from der_client.sunspec import MappingSettings
from der_client.sunspec.permissions import Permissions
from der_client.sunspec_driver import SunSpecDriver, SunSpecDriverSettings
from schemas import DERControlBase

OPEN = MappingSettings(permissions=Permissions(allow_grid_code_writes=True))


def curve(mode: str) -> CurveSetpoint:
    return CurveSetpoint(mode=mode, points=(CurvePoint(x=1.0, y=50.0),))


def test_trip_modes_are_elements_of_the_control() -> None:
    assert set(DERControlBase.__dataclass_fields__) >= TRIP_MODES
    assert len(TRIP_MODES) == 10


@pytest.mark.parametrize("mode", sorted(TRIP_MODES))
def test_each_trip_curve_is_taken_out_and_named(mode: str) -> None:
    wish = Setpoint(max_w_pct=50.0, curves=(curve(mode), curve("opModVoltWatt")))

    assert permitted(wish, is_allowed=False) == (
        Setpoint(max_w_pct=50.0, curves=(curve("opModVoltWatt"),)),
        frozenset({mode}),
    )


def test_delays_and_ramps_of_entering_service_are_not_protected() -> None:
    wish = Setpoint(enter_service=EnterServiceSetpoint(delay_s=60.0, ramp_s=120.0))

    assert permitted(wish, is_allowed=False) == (wish, frozenset())


def test_the_permission_is_that_of_the_installer_for_this_device() -> None:
    inverter, permitted_one = SunSpecDriverSettings(), SunSpecDriverSettings(mapping=OPEN)

    assert not may_write_grid_code(SunSpecDriver("a", inverter))
    assert may_write_grid_code(SunSpecDriver("b", permitted_one))
    assert may_write_grid_code(BatteryDriver("c", BatteryDriverSettings(mapping=OPEN)))
    assert not may_write_grid_code(object())
