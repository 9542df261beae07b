"""The rampTms of a control ramps vars, power factors, charging and leaving too. IEEE 2030.5-2018, 10.10."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from der_client.desired import Desired, desired_of
from der_client.device import Nameplate, PowerFactorSetpoint, Setpoint, Telemetry, VarSetpoint
from der_client.eased import Easing, eased
from der_client.safety import SafeSetpoint, SafetyState, Surroundings, clamp
from function_sets import ModeSource
from schemas import ActivePower, FixedVar, PowerFactorWithExcitation, ReactivePower
from tests.unit.der_client.safety_bench import PV, STORAGE, SUN, says

STEPS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)


def run(
    wish: Desired, reading: Telemetry = SUN, times: Sequence[float] = STEPS, plate: Nameplate = PV
) -> list[SafeSetpoint]:
    """What a device is told at these times."""
    state, found = SafetyState(), []
    for now in times:
        found.append(clamp(wish, reading, plate, state, now, around=Surroundings()))
        state = found[-1].state
    return found


def told_var(wish: Desired, reading: Telemetry = SUN) -> list[float | None]:
    told = [one.setpoint.var for one in run(wish, reading)]
    return [None if one is None else one.value for one in told]


@pytest.mark.parametrize(
    ("ref", "value", "expected"),
    [
        (0, 2_000.0, [0.0, 500.0, 1_000.0, 1_500.0, 2_000.0, 2_000.0]),
        (1, 20.0, [0.0, 5.0, 10.0, 15.0, 20.0, 20.0]),
        (2, -50.0, [0.0, -12.5, -25.0, -37.5, -50.0, -50.0]),
        (3, 40.0, [0.0, 10.0, 20.0, 30.0, 40.0, 40.0]),
    ],
)
def test_vars_go_in_steps_from_the_measured_ones(ref: int, value: float, expected: list[float]) -> None:
    wish = Desired(setpoint=Setpoint(var=VarSetpoint(value=value, ref=ref)), reactive_ramp_s=4.0)

    assert told_var(wish) == pytest.approx(expected)


def test_vars_that_flow_already_are_the_start() -> None:
    wish = Desired(setpoint=Setpoint(var=VarSetpoint(value=2_000.0, ref=0)), reactive_ramp_s=4.0)

    assert told_var(wish, replace(SUN, reactive_var=1_600.0))[:2] == pytest.approx([1_600.0, 1_700.0])


def test_a_device_that_ramps_itself_is_told_the_goal() -> None:
    wish = Desired(setpoint=Setpoint(var=VarSetpoint(value=2_000.0, ref=0)), reactive_ramp_s=4.0)
    first = run(wish, plate=replace(PV, ramps=frozenset({"var"})))[0].setpoint

    assert first.var == VarSetpoint(value=2_000.0, ref=0)
    assert first.reactive_ramp_s == 4.0


def test_without_ramptms_vars_change_at_once_whatever_setgradw_says() -> None:
    asked = Setpoint(var=VarSetpoint(value=2_000.0, ref=0), grad_w_pct_per_s=0.27)

    assert told_var(Desired(setpoint=asked))[0] == 2_000.0


def test_a_power_factor_passes_through_one_where_the_excitation_changes() -> None:
    reading = replace(SUN, power_w=8_000.0, reactive_var=6_000.0)
    asked = PowerFactorSetpoint(power_factor=0.8, absorbing=True)
    found = run(Desired(setpoint=Setpoint(pf_inject=asked), reactive_ramp_s=4.0), reading)
    told = [one.setpoint.pf_inject for one in found]

    assert [one and round(one.power_factor, 3) for one in told] == [0.8, 0.936, 1.0, 0.936, 0.8, 0.8]
    assert [one and one.absorbing for one in told] == [False, False, False, True, True, True]
    assert told[4] == asked


def test_a_power_factor_without_ramptms_holds_at_once() -> None:
    asked = PowerFactorSetpoint(power_factor=0.9, absorbing=False)

    assert run(Desired(setpoint=Setpoint(pf_inject=asked)))[0].setpoint.pf_inject == asked


def test_next_to_no_power_says_nothing_of_a_power_factor() -> None:
    reading = replace(SUN, power_w=10.0, reactive_var=500.0)
    asked = PowerFactorSetpoint(power_factor=0.8, absorbing=False)
    first = run(Desired(setpoint=Setpoint(pf_absorb=asked), reactive_ramp_s=4.0), reading)[0].setpoint

    assert first.pf_absorb == PowerFactorSetpoint(power_factor=1.0, absorbing=False)


def test_a_limit_of_charging_comes_down_by_its_ramp() -> None:
    reading = replace(SUN, power_w=-5_000.0)
    wish = Desired(setpoint=Setpoint(max_charge_w=1_000.0), charge_ramp_s=4.0)
    found = [one.setpoint.max_charge_w for one in run(wish, reading, plate=STORAGE)]

    assert found == pytest.approx([5_000.0, 4_000.0, 3_000.0, 2_000.0, 1_000.0, 1_000.0])


def test_a_der_goes_to_nothing_before_it_leaves_service() -> None:
    """Power to 0 first, ramped by rampTms, then open."""
    wish = Desired(setpoint=Setpoint(energize=False), leave_ramp_s=4.0)
    found = [one.setpoint for one in run(wish, replace(SUN, power_w=8_000.0))]

    assert [one.max_w_pct for one in found] == pytest.approx([80.0, 60.0, 40.0, 20.0, 0.0, 0.0])
    assert [one.energize for one in found] == [None, None, None, None, False, False]


def test_a_battery_that_charges_comes_to_rest_before_it_disconnects() -> None:
    wish = Desired(setpoint=Setpoint(connect=False, target_w=-4_000.0), leave_ramp_s=4.0)
    reading = replace(says(), power_w=-4_000.0)
    found = [one.setpoint for one in run(wish, reading, plate=STORAGE)]

    assert [one.target_w for one in found][:5] == pytest.approx([-4_000.0, -3_000.0, -2_000.0, -1_000.0, 0.0])
    assert [one.connect for one in found] == [None, None, None, None, False, False]


def test_a_der_without_a_ramp_leaves_at_once() -> None:
    assert run(Desired(setpoint=Setpoint(energize=False)))[0].setpoint.energize is False


def test_an_interlock_that_stops_waits_for_no_ramp() -> None:
    wish = Desired(setpoint=Setpoint(energize=False), leave_ramp_s=400.0)
    stopped = run(wish, replace(SUN, inputs=frozenset({"emergency stop"})))

    assert stopped[0].setpoint.energize is False


def test_what_is_not_asked_for_has_no_ramp() -> None:
    plain = Setpoint(max_w_pct=50.0)

    assert eased(Desired(setpoint=plain), plain, Easing(), SUN, PV, 1.0) == (plain, Easing())


def source(mode: str, value: object, ramp_tms: int | None) -> ModeSource:
    return ModeSource(mode=mode, value=value, mRID="A", program_href="/p", primacy=1, ramp_tms=ramp_tms)


@pytest.mark.parametrize(
    ("mode", "value", "field"),
    [
        (
            "opModFixedPFInjectW",
            PowerFactorWithExcitation(displacement=950, excitation=True, multiplier=-3),
            "reactive_ramp_s",
        ),
        ("opModFixedVar", FixedVar(refType=2, value=5_000), "reactive_ramp_s"),
        ("opModTargetVar", ReactivePower(multiplier=0, value=100), "reactive_ramp_s"),
        ("opModLoadLimW", ActivePower(multiplier=0, value=100), "charge_ramp_s"),
        ("opModEnergize", False, "leave_ramp_s"),
        ("opModConnect", False, "leave_ramp_s"),
    ],
)
def test_each_mode_has_the_ramp_of_its_control(mode: str, value: object, field: str) -> None:
    plate = replace(STORAGE, modes=frozenset({"opModFixedW", mode}))

    assert getattr(desired_of({mode: source(mode, value, 250)}, plate), field) == 2.5
    assert getattr(desired_of({mode: source(mode, value, None)}, plate), field) in {None, 0.0}
