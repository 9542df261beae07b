"""The way of active power to a setpoint: ramps, caps, charging, time in service. Interlocks 24 and 25."""

from dataclasses import replace

import pytest

from der_client.desired import Desired
from der_client.device import CellExtremes, Setpoint, Telemetry
from der_client.interlocks import SafetyRules, Surroundings
from der_client.safety import clamp
from tests.unit.der_client.safety_bench import GIVE, PV, REST, STORAGE, SUN, TAKE, Gate, names, says

SITE_RAMP = SafetyRules(ramp_w_per_min=10_000.0)
LARGE = replace(
    STORAGE,
    max_w=100_000,
    set_max_w=100_000,
    max_va=100_000,
    set_max_va=100_000,
    max_charge_w=100_000.0,
    max_discharge_w=100_000.0,
)
TARGETED = frozenset({"opModMaxLimW", "opModTargetW"})
GIVES = Telemetry(power_w=5_000.0, reactive_var=0.0, soc_pct=50.0)
TAKES = Telemetry(power_w=-5_000.0, reactive_var=0.0, soc_pct=50.0)
STRONG = says(charge_limit_a=5_000.0, discharge_limit_a=5_000.0)


def test_ten_kilowatts_a_minute_take_ten_minutes_to_a_hundred_kilowatts() -> None:
    gate = Gate(LARGE, SITE_RAMP)
    wish = Setpoint(target_w=100_000.0)
    found = [gate.step(wish, STRONG, float(at)).setpoint.target_w for at in range(0, 605, 5)]

    assert [found[at] for at in (0, 12, 60, 119)] == pytest.approx(
        [0.0, 10_000.0, 50_000.0, 99_166.7], abs=900
    )
    assert (found[119] or 0.0) < 100_000.0
    assert found[120] == pytest.approx(100_000.0)


def test_the_rule_of_the_site_is_slower_than_a_ramp_that_a_control_brings() -> None:
    gate = Gate(LARGE, SITE_RAMP)
    wish = Desired(setpoint=Setpoint(target_w=100_000.0), target_ramp_s=5.0)
    results = []
    for now in (0.0, 6.0):
        result = clamp(wish, STRONG, LARGE, gate.state, now, around=gate.around)
        gate.state = result.state
        results.append(result.setpoint.target_w)

    assert results == [0.0, 1_000.0]


def test_what_an_interlock_cut_comes_back_by_the_ramp() -> None:
    gate = Gate(rules=replace(SITE_RAMP, dead_band_pct=0.0))
    wish = Setpoint(target_w=3_000.0)
    gate.steps(wish, REST, [float(at) for at in range(20)])
    cut = gate.step(wish, says(discharge_allowed=False), 20.0)
    back = [gate.step(wish, STRONG, 20.0 + at).setpoint.target_w for at in (1, 4)]

    assert cut.setpoint.target_w == 0.0
    assert (back[0] or 0.0) <= 10_000.0 / 60.0 + 1e-6
    assert (back[1] or 0.0) <= 40_000.0 / 60.0 + 1e-6


def test_a_reduction_by_an_interlock_needs_no_ramp() -> None:
    gate = Gate(rules=SITE_RAMP)
    gate.steps(GIVE, REST, [float(at) for at in range(48)])

    assert gate.step(GIVE, says(alarms=frozenset({"fire"})), 48.0).setpoint.target_w == 0.0


def test_a_ramp_waits_while_power_turns_around() -> None:
    gate = Gate(rules=replace(SITE_RAMP, dead_band_pct=0.0))
    gate.steps(Setpoint(target_w=100.0), REST, (0.0, 1.0, 2.0))
    turned = [gate.step(TAKE, REST, at).setpoint.target_w for at in (3.0, 4.0, 5.0, 6.0)]

    assert turned[:2] == [0.0, 0.0]
    assert all(-10_000.0 / 60.0 - 1e-6 <= (step or 0.0) <= 0.0 for step in turned[:3])


def test_what_the_site_leaves_holds_at_once() -> None:
    gate = Gate(PV)
    wish = Desired(setpoint=Setpoint(max_w_pct=80.0), limit_ramp_s=600.0, cap_w=2_000.0)

    assert clamp(wish, SUN, PV, gate.state, 0.0, around=gate.around).setpoint.max_w_pct == 20.0


@pytest.mark.parametrize("cap_w", [-1.0, float("nan")])
def test_a_cap_that_is_none_is_refused(cap_w: float) -> None:
    gate = Gate(PV)
    result = clamp(Desired(cap_w=cap_w), SUN, PV, gate.state, 0.0, around=gate.around)

    assert names(result) == ["setpoint invalid"]


def test_a_limit_of_charging_bounds_the_target_and_goes_to_the_device() -> None:
    result = Gate().step(Setpoint(target_w=-5_000.0, max_charge_w=2_000.0), REST)

    assert (result.setpoint.target_w, result.setpoint.max_charge_w) == (-2_000.0, 2_000.0)


def test_a_limit_of_charging_never_exceeds_what_the_battery_takes() -> None:
    result = Gate().step(Setpoint(max_charge_w=9_000.0), says(charge_limit_a=10.0))

    assert result.setpoint.max_charge_w == 500.0


def test_storage_without_a_bms_is_told_not_to_charge_once_it_is_full() -> None:
    gate = Gate()
    full = Telemetry(power_w=0.0, reactive_var=0.0, soc_pct=100.0)

    assert gate.steps(Setpoint(), full, (0.0, 5.0)).setpoint == Setpoint(max_charge_w=0.0)


def after(gate: Gate, wish: Setpoint, reading: Telemetry) -> Setpoint:
    """What storage is told that does not obey, once interlocks have had their time."""
    gate.obeys = False
    return gate.steps(wish, reading, [float(at) for at in range(12)]).setpoint


def test_storage_without_a_bms_that_may_not_discharge_is_limited_to_nothing_and_may_charge() -> None:
    low = replace(GIVES, soc_pct=4.0, cells=CellExtremes(cell_v_min=2.85, cell_v_max=2.95))

    assert after(Gate(), Setpoint(max_w_pct=90.0), low) == Setpoint(max_w_pct=0.0)
    assert after(Gate(), Setpoint(), low) == Setpoint(max_w_pct=0.0)


def test_storage_that_has_no_limit_of_charging_is_held_by_a_target_and_without_one_is_stopped() -> None:
    cold = replace(TAKES, cells=CellExtremes(cell_c_min=-8.0, cell_c_max=-7.0))
    lacking = Surroundings(lacking=frozenset({"max_charge_w"}))
    able, unable = (Gate(replace(STORAGE, modes=modes)) for modes in (TARGETED, frozenset({"opModMaxLimW"})))
    able.around = unable.around = lacking

    assert after(able, Setpoint(), cold).target_w == 0.0
    stopped = after(unable, Setpoint(), cold)
    assert (stopped.energize, stopped.target_w) == (False, None)


def test_a_programs_limit_of_charging_is_kept_by_a_target_once_it_is_exceeded() -> None:
    gate, wish = Gate(replace(STORAGE, modes=TARGETED)), Setpoint(max_charge_w=1_000.0)
    gate.around, gate.obeys = Surroundings(lacking=frozenset({"max_charge_w"})), False
    told = [gate.step(wish, replace(TAKES, power_w=power_w)) for power_w in (-900.0, -5_000.0, -900.0)]
    over = gate.step(Setpoint(), TAKES)

    assert [one.setpoint.target_w for one in (*told, over)] == [None, -1_000.0, -1_000.0, None]
    assert all(one.setpoint.energize is None for one in told)


def test_storage_that_derates_its_charge_without_a_bms_is_told_so() -> None:
    told = [after(Gate(), Setpoint(), replace(TAKES, soc_pct=soc_pct)) for soc_pct in (90.0, 97.5)]

    assert told == [Setpoint(), Setpoint(max_charge_w=2_500.0)]


def test_a_limit_that_moves_within_the_dead_band_is_not_written_again() -> None:
    gate = Gate(PV)
    hot = [replace(SUN, temperatures_c={"cabinet": at}) for at in (77.5, 77.4, 77.6, 76.0)]

    assert [gate.step(Setpoint(), reading).setpoint.max_w_pct for reading in hot] == [
        50.0,
        50.0,
        pytest.approx(49.333, abs=1e-3),
        60.0,
    ]


def test_a_device_that_was_stopped_stays_out_for_its_time() -> None:
    gate = Gate(PV, SafetyRules(min_off_s=30.0))
    gate.step(Setpoint(energize=False), SUN, 0.0)
    early = gate.step(Setpoint(energize=True), SUN, 29.0)
    late = gate.step(Setpoint(energize=True), SUN, 30.0)

    assert (early.setpoint.energize, late.setpoint.energize) == (False, True)


def test_a_wished_stop_waits_for_the_time_in_service_and_an_interlock_does_not() -> None:
    gate = Gate(PV, SafetyRules(min_on_s=30.0, min_off_s=0.0))
    gate.step(Setpoint(energize=False), SUN, 0.0)
    gate.step(Setpoint(), SUN, 1.0)
    wished = gate.step(Setpoint(energize=False), SUN, 30.0)
    tripped = gate.step(Setpoint(), replace(SUN, inputs=frozenset({"fire"})), 30.5)

    assert wished.setpoint.energize is None
    assert tripped.setpoint.energize is False
