"""Values and steps that the tests of the safety layer share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from der_client.desired import Desired
from der_client.device import BatteryState, Nameplate, Setpoint, Telemetry
from der_client.interlocks import SafetyRules, Surroundings
from der_client.safety import SafeSetpoint, SafetyState, clamp
from tests.unit.der_client.plates import plate

PV: Final = replace(plate(10_000, 11_000, 4_400), v_nom_v=230.0)
STORAGE: Final = replace(PV, der_type=80, max_charge_w=5_000.0, max_discharge_w=8_000.0, capacity_wh=10_000.0)
BATTERY: Final = BatteryState(
    voltage_v=50.0,
    current_a=0.0,
    soc_pct=50.0,
    soh_pct=100.0,
    temperature_c=20.0,
    charge_limit_a=200.0,
    discharge_limit_a=200.0,
    charge_voltage_v=56.0,
    cell_v_min=3.30,
    cell_v_max=3.31,
    cell_c_min=20.0,
    cell_c_max=21.0,
    contactor_closed=True,
)
SUN: Final = Telemetry(power_w=6_000.0, reactive_var=0.0, voltage_v=230.0, frequency_hz=50.0)
REST: Final = Telemetry(power_w=0.0, reactive_var=0.0, battery=BATTERY)
GIVE: Final = Setpoint(target_w=8_000.0)
TAKE: Final = Setpoint(target_w=-5_000.0)


def says(**change: object) -> Telemetry:
    """A reading of a resting battery whose BMS says something else than all is well."""
    return replace(REST, battery=replace(BATTERY, **change))  # type: ignore[arg-type]


class Gate:
    """The gate of one device, period by period. A battery does what it was told, unless `obeys` is false."""

    def __init__(self, plate: Nameplate = STORAGE, rules: SafetyRules | None = None) -> None:
        self.plate = plate
        self.around = Surroundings(rules=rules or SafetyRules())
        self.state = SafetyState()
        self.now = 0.0
        self.obeys = plate.is_storage

    def step(self, wish: Setpoint, reading: Telemetry, at_s: float | None = None) -> SafeSetpoint:
        """One period; at its own time, or one second after the last one."""
        self.now = self.now + 1.0 if at_s is None else at_s
        if self.obeys and self.state.sent_w is not None:
            reading = replace(reading, power_w=self.state.sent_w)
        desired = Desired(setpoint=wish)
        result = clamp(desired, reading, self.plate, self.state, self.now, around=self.around)
        self.state = result.state
        return result

    def steps(self, wish: Setpoint, reading: Telemetry, times: Sequence[float]) -> SafeSetpoint:
        """Some periods with the same reading; the last one."""
        return [self.step(wish, reading, at_s) for at_s in times][-1]


def names(result: SafeSetpoint) -> list[str]:
    """The interlocks that hold."""
    return [reason.name for reason in result.reasons]
