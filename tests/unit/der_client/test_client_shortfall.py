"""What a device may not take or does not follow is no completion. Interlock 21; IEEE 2030.5-2018, 10.2.3."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from der_client.desired import Desired
from der_client.device import CurveSetpoint, Setpoint, Telemetry
from der_client.plan import Plan
from der_client.shortfall import LATE_S, Holding, Shortfall, not_taken
from tests.unit.der_client.safety_bench import GIVE, PV, REST, SUN, TAKE, Gate, says

TIMES = (0.0, 5.0, 10.0, 15.0, 20.0)
TRIP = CurveSetpoint(mode="opModHVRTMustTrip", points=())


def lasting(gate: Gate, wish: Setpoint, reading: Telemetry, times: Sequence[float] = TIMES) -> frozenset[str]:
    """What falls short at the end of these times."""
    short, rules = Shortfall(), gate.around.rules.response
    for at_s in times:
        result = gate.step(wish, reading, at_s)
        short = short.after(Desired(setpoint=wish), result, gate.plate, rules, at_s)
    return short.lasting


def test_a_battery_that_does_what_is_asked_falls_short_of_nothing() -> None:
    assert lasting(Gate(), GIVE, REST) == frozenset()


def test_a_target_that_the_battery_bounds_is_not_taken_once_that_lasts() -> None:
    weak = says(discharge_limit_a=20.0)

    assert lasting(Gate(), GIVE, weak, (0.0, 5.0, 9.0)) == frozenset()
    assert lasting(Gate(), GIVE, weak, (0.0, 5.0, 10.0)) == {"target_w"}


def test_a_shortfall_that_was_over_is_counted_anew() -> None:
    gate, short, small = Gate(), Shortfall(), replace(GIVE, target_w=500.0)
    for at_s, wish in ((0.0, GIVE), (6.0, small), (12.0, GIVE)):
        result = gate.step(wish, says(discharge_limit_a=20.0), at_s)
        short = short.after(Desired(setpoint=wish), result, gate.plate, gate.around.rules.response, at_s)

    assert short.since_s == {"target_w": 12.0}
    assert short.lasting == frozenset()


def test_the_pause_before_power_turns_round_is_no_shortfall() -> None:
    gate = Gate()
    gate.steps(GIVE, REST, (0.0, 1.0))

    assert lasting(gate, TAKE, REST, (2.0, 3.0, 4.0, 12.0, 20.0)) == frozenset()


def test_a_target_on_its_ramp_is_no_shortfall() -> None:
    slow = replace(GIVE, grad_w_pct_per_s=1.0)

    assert lasting(Gate(), slow, REST) == frozenset()


def test_a_limit_that_is_kept_tighter_than_asked_is_kept() -> None:
    hot = replace(SUN, temperatures_c={"heat sink": 80.0})

    assert lasting(Gate(PV), Setpoint(max_w_pct=90.0), hot) == frozenset()


def test_a_device_that_an_interlock_stops_holds_its_limits_alone() -> None:
    stopped = replace(SUN, inputs=frozenset({"emergency stop"}))
    wish = Setpoint(max_w_pct=90.0, target_w=8_000.0, energize=True, curves=(TRIP,))

    assert lasting(Gate(PV), wish, stopped) == {"target_w", "energize", "opModHVRTMustTrip"}


def test_who_is_told_to_stop_and_stands_falls_short_of_nothing() -> None:
    stopped = replace(SUN, inputs=frozenset({"emergency stop"}))

    assert lasting(Gate(PV), Setpoint(energize=False), stopped) == frozenset()


def test_a_setpoint_that_is_refused_is_not_taken() -> None:
    gate = Gate(PV)
    gate.step(Setpoint(max_w_pct=50.0), SUN, 0.0)
    broken = Setpoint(max_w_pct=101.0)

    assert lasting(gate, broken, SUN, (1.0, 6.0, 12.0)) == {"max_w_pct"}


@pytest.mark.parametrize(("seconds", "expected"), [(60, frozenset()), (80, {"target_w"})])
def test_power_that_stays_off_its_target_is_not_followed(seconds: int, expected: set[str]) -> None:
    gate = Gate(PV)
    gate.obeys = False

    assert lasting(gate, GIVE, replace(SUN, power_w=2_000.0), range(seconds)) == expected


def test_what_is_told_otherwise_is_named_at_once() -> None:
    gate = Gate()
    result = gate.step(GIVE, says(discharge_limit_a=20.0), 0.0)

    assert not_taken(Desired(setpoint=GIVE), result, gate.plate, gate.around.rules.response) == {"target_w"}


def test_what_was_written_is_held_until_the_reversion() -> None:
    plan = Plan()
    held = Holding().written(plan, 60.0).unwritten(plan, 30.0)

    assert held.lost_s(plan) == 60.0


def test_a_new_plan_waits_for_a_while_and_its_time_is_not_begun_anew() -> None:
    old, new = Plan(), Plan()
    held = Holding().written(old, 60.0).unwritten(new, 30.0).unwritten(new, 35.0)

    assert held.lost_s(new) == 30.0 + LATE_S
