"""Ramps that a device makes itself: told once with the time that is left, and never stepped besides."""

from dataclasses import replace

import pytest

from der_client.desired import Desired, desired_of
from der_client.device import Nameplate, PowerFactorSetpoint, Setpoint, Telemetry
from der_client.interlocks import SafetyRules, SiteFacts, Surroundings
from der_client.safety import SafetyState, clamp
from function_sets import ModeSource
from schemas import PowerFactorWithExcitation
from tests.unit.der_client.safety_bench import PV

ABLE = replace(PV, ramps=frozenset({"max_w_pct", "pf_inject", "var"}))
FULL = Telemetry(power_w=10_000.0, reactive_var=0.0, voltage_v=230.0, frequency_hz=50.0)
LIMITED = Desired(setpoint=Setpoint(max_w_pct=20.0), limit_ramp_s=60.0)
HELD = PowerFactorSetpoint(power_factor=0.9, absorbing=True)


class Gate:
    """The gate, second by second."""

    def __init__(self, plate: Nameplate = ABLE, rules: SafetyRules | None = None) -> None:
        self.plate = plate
        self.around = Surroundings(rules=rules or SafetyRules())
        self.state = SafetyState()

    def told(self, wish: Desired, now: float) -> Setpoint:
        result = clamp(wish, FULL, self.plate, self.state, now, around=self.around)
        self.state = result.state
        return result.setpoint


def test_a_device_that_ramps_itself_is_told_the_goal_and_the_time_that_is_left() -> None:
    gate = Gate()
    gate.told(Desired(), 0.0)
    told = [gate.told(LIMITED, float(now)) for now in range(1, 70)]
    assert {setpoint.max_w_pct for setpoint in told} == {20.0}
    times = [setpoint.limit_ramp_s for setpoint in told]
    assert times[0] == pytest.approx(60.0, abs=1.1)
    assert times[30] == pytest.approx(30.0, abs=5.1)
    assert times[-1] is None
    assert len(set(times)) <= 14


def test_a_device_that_does_not_is_stepped() -> None:
    gate = Gate(PV)
    gate.told(Desired(), 0.0)
    told = [gate.told(LIMITED, float(now)) for now in range(1, 8)]
    assert told[-1].limit_ramp_s is None
    assert 85.0 < (told[-1].max_w_pct or 0.0) < 95.0


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param(Desired(setpoint=Setpoint(), limit_ramp_s=60.0), id="no limit at all"),
        pytest.param(replace(LIMITED, cap_w=5_000.0), id="its site wants less now"),
        pytest.param(
            Desired(setpoint=Setpoint(max_w_pct=20.0, target_w=1_000.0), limit_ramp_s=60.0), id="a target"
        ),
    ],
)
def test_what_else_bounds_power_is_not_left_to_the_ramp_of_the_device(wish: Desired) -> None:
    gate = Gate()
    gate.told(replace(LIMITED, limit_ramp_s=None), 0.0)
    gate.told(replace(LIMITED, limit_ramp_s=None), 1.0)
    assert [gate.told(wish, 2.0 + step).limit_ramp_s for step in range(3)] == [None] * 3


def test_an_interlock_cuts_at_once_in_the_middle_of_a_ramp() -> None:
    gate = Gate()
    gate.told(Desired(), 0.0)
    for now in range(1, 5):
        gate.told(LIMITED, float(now))
    gate.around = replace(gate.around, site=SiteFacts(reading=None, age_s=60.0, export_limit_w=500.0))
    cut = gate.told(LIMITED, 5.0)
    assert (cut.max_w_pct, cut.limit_ramp_s) == (5.0, None)


def test_the_rule_of_the_site_is_stepped() -> None:
    gate = Gate(rules=SafetyRules(ramp_w_per_min=6_000.0))
    gate.told(Desired(), 0.0)
    told = gate.told(LIMITED, 1.0)
    assert told.limit_ramp_s is None
    assert (told.max_w_pct or 0.0) >= 99.0


def test_reactive_power_is_ramped_by_the_device_alone() -> None:
    gate = Gate()
    wish = Desired(setpoint=Setpoint(pf_inject=HELD), reactive_ramp_s=20.0)
    told = [gate.told(wish, float(now)).reactive_ramp_s for now in range(24)]
    assert (told[0], told[23]) == (20.0, None)
    assert told[12] == pytest.approx(10.0, abs=1.1)
    assert Gate(PV).told(wish, 0.0).reactive_ramp_s is None


def test_the_ramp_of_a_control_is_that_of_its_power_factor() -> None:
    value = PowerFactorWithExcitation(displacement=90, excitation=True, multiplier=-2)
    source = ModeSource(
        mode="opModFixedPFInjectW", value=value, mRID="AA", program_href="/p", primacy=1, ramp_tms=1_500
    )
    plate = replace(PV, modes=frozenset({"opModFixedPFInjectW"}))
    assert desired_of({"opModFixedPFInjectW": source}, plate).reactive_ramp_s == 15.0
