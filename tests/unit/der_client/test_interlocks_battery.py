"""Interlocks 1 to 14, 34 and 36: what a battery says, against the levels of the published list."""

import math
from dataclasses import replace

import pytest

from der_client.device import Fault, FaultKind, Setpoint, Telemetry
from der_client.interlocks import SafetyRules
from der_client.interlocks.rules_battery import CurrentRules, SocRules, TemperatureRules
from tests.unit.der_client.safety_bench import GIVE, REST, TAKE, Gate, names, says

OUT = Setpoint(target_w=0.0, max_w_pct=0.0, energize=False)
OPEN = replace(OUT, open_contactor=True)


@pytest.mark.parametrize(
    ("cell_v", "expected_w"), [(3.45, -5_000.0), (3.525, -2_500.0), (3.60, 0.0), (3.64, 0.0)]
)
def test_charge_derates_in_a_line_while_a_cell_gets_full(cell_v: float, expected_w: float) -> None:
    result = Gate().step(TAKE, says(cell_v_max=cell_v))

    assert result.setpoint.target_w == pytest.approx(expected_w)


@pytest.mark.parametrize(
    ("cell_v", "expected_w"), [(3.00, 8_000.0), (2.95, 4_000.0), (2.90, 0.0), (2.85, 0.0)]
)
def test_discharge_derates_in_a_line_while_a_cell_gets_empty(cell_v: float, expected_w: float) -> None:
    result = Gate().step(GIVE, says(cell_v_min=cell_v, soc_pct=30.0))

    assert result.setpoint.target_w == pytest.approx(expected_w)


def test_a_cell_over_voltage_blocks_charge_after_two_seconds_until_it_is_below_its_clearing_level() -> None:
    gate = Gate()
    full = says(cell_v_max=3.60)
    assert names(gate.steps(TAKE, full, (0.0, 1.9))) == []
    assert names(gate.step(TAKE, full, 2.0)) == ["cell over voltage"]
    held = gate.step(TAKE, says(cell_v_max=3.50), 3.0)
    assert (names(held), held.setpoint.target_w) == (["cell over voltage"], 0.0)
    free = gate.step(TAKE, says(cell_v_max=3.44), 4.0)

    assert (names(free), free.setpoint.target_w) == ([], -5_000.0)


def test_a_cell_over_voltage_leaves_discharge_alone() -> None:
    assert Gate().steps(GIVE, says(cell_v_max=3.62), (0.0, 3.0)).setpoint.target_w == 8_000.0


def test_a_cell_far_over_voltage_stops_at_once_and_waits_for_an_operator() -> None:
    gate = Gate()
    assert gate.step(TAKE, says(cell_v_max=3.65)).setpoint == OUT
    assert names(gate.step(GIVE, REST)) == ["cell far over voltage"]
    gate.state = gate.state.resetting(frozenset({"cell far over voltage"}))

    assert names(gate.step(GIVE, REST)) == []


def test_a_latched_interlock_whose_cause_is_there_is_not_reset() -> None:
    gate = Gate()
    gate.step(TAKE, says(cell_v_max=3.65))
    gate.state = gate.state.resetting(frozenset({"cell far over voltage"}))

    assert names(gate.step(TAKE, says(cell_v_max=3.51))) == ["cell far over voltage"]


def test_cell_under_voltage_blocks_then_stops_then_opens_the_contactor() -> None:
    gate = Gate()
    low = gate.steps(GIVE, says(cell_v_min=2.90), (0.0, 5.0))
    stopped = gate.steps(GIVE, says(cell_v_min=2.80), (6.0, 8.0))
    opened = gate.step(GIVE, says(cell_v_min=2.50), 9.0)

    assert (names(low), low.setpoint.target_w, low.setpoint.energize) == (["cell under voltage"], 0.0, None)
    assert stopped.setpoint == OUT
    assert opened.setpoint == OPEN
    assert "cell deeply discharged" in names(opened)


def test_discharge_comes_back_above_three_point_zero_five_volts() -> None:
    gate = Gate()
    gate.steps(GIVE, says(cell_v_min=2.90), (0.0, 5.0))
    assert gate.step(GIVE, says(cell_v_min=3.05), 6.0).setpoint.target_w == 0.0

    assert gate.step(GIVE, says(cell_v_min=3.06), 7.0).setpoint.target_w == 8_000.0


@pytest.mark.parametrize(("cold_c", "expected_w"), [(5.0, -5_000.0), (2.5, -2_500.0), (0.0, 0.0)])
def test_charge_derates_in_the_cold(cold_c: float, expected_w: float) -> None:
    assert Gate().step(TAKE, says(cell_c_min=cold_c)).setpoint.target_w == expected_w


def test_charge_at_freezing_point_is_blocked_after_five_seconds_until_above_three_degrees() -> None:
    gate = Gate()
    assert names(gate.steps(TAKE, says(cell_c_min=0.0), (0.0, 5.0))) == ["too cold to charge"]
    assert gate.step(TAKE, says(cell_c_min=3.0), 6.0).setpoint.target_w == 0.0

    assert gate.step(TAKE, says(cell_c_min=5.0), 7.0).setpoint.target_w == -5_000.0


def test_a_cold_battery_takes_a_twentieth_of_its_capacity_only_where_set_and_permitted() -> None:
    rules = SafetyRules(temperatures=TemperatureRules(cold_charge_c_rate=0.05))
    permitted = Gate(rules=rules).steps(TAKE, says(cell_c_min=-5.0), (0.0, 5.0))
    forbidden = Gate(rules=rules).steps(TAKE, says(cell_c_min=-5.0, charge_allowed=False), (0.0, 5.0))

    assert permitted.setpoint.target_w == -500.0
    assert forbidden.setpoint.target_w == 0.0


@pytest.mark.parametrize(("hot_c", "expected_w"), [(45.0, 8_000.0), (50.0, 4_000.0), (55.0, 0.0)])
def test_power_derates_in_the_heat(hot_c: float, expected_w: float) -> None:
    assert Gate().step(GIVE, says(cell_c_max=hot_c)).setpoint.target_w == expected_w


def test_heat_holds_zero_watts_after_five_seconds_and_opens_the_contactor_at_sixty_degrees() -> None:
    gate = Gate()
    hot = gate.steps(GIVE, says(cell_c_max=55.0), (0.0, 5.0))
    far = gate.steps(GIVE, says(cell_c_max=60.0), (6.0, 7.0))

    assert (names(hot), hot.setpoint) == (["battery too hot"], Setpoint(target_w=0.0, max_w_pct=0.0))
    assert far.setpoint == OPEN
    assert names(gate.steps(GIVE, REST, (8.0, 100.0))) == ["battery far too hot"]


def test_temperature_of_the_battery_counts_where_cells_are_not_told() -> None:
    warm = says(temperature_c=50.0, cell_c_min=None, cell_c_max=None)

    assert Gate().step(GIVE, warm).setpoint.target_w == 4_000.0


@pytest.mark.parametrize(("cold_c", "expected_w"), [(0.0, 8_000.0), (-5.0, 4_000.0), (-10.0, 0.0)])
def test_discharge_derates_below_freezing(cold_c: float, expected_w: float) -> None:
    assert Gate().step(GIVE, says(cell_c_min=cold_c)).setpoint.target_w == expected_w


def test_discharge_at_minus_twenty_is_blocked_after_five_seconds() -> None:
    result = Gate().steps(GIVE, says(cell_c_min=-20.0), (0.0, 5.0))

    assert "too cold to discharge" in names(result)
    assert result.setpoint.target_w == 0.0


@pytest.mark.parametrize(
    ("cell_v_max", "held", "expected_w"),
    [
        (3.36, [], 8_000.0),
        (3.38, ["cells drift apart"], 8_000.0),
        (3.45, ["cells drift apart", "cells apart"], 4_000.0),
        (3.60, ["cells drift apart", "cells apart", "cells far apart"], 0.0),
    ],
)
def test_imbalance_warns_halves_and_ends_after_a_minute(
    cell_v_max: float, held: list[str], expected_w: float
) -> None:
    gate = Gate()
    apart = says(cell_v_min=3.30, cell_v_max=cell_v_max)
    assert set(names(gate.steps(GIVE, apart, range(0, 60, 5)))) & set(held) == set()
    result = gate.step(GIVE, apart, 60.0)

    assert [name for name in names(result) if name.startswith("cells")] == held
    assert result.setpoint.target_w == expected_w


def test_imbalance_clears_below_a_hundred_millivolts() -> None:
    gate = Gate()
    gate.steps(GIVE, says(cell_v_min=3.30, cell_v_max=3.46), (0.0, 30.0, 60.0))
    assert gate.step(GIVE, says(cell_v_min=3.30, cell_v_max=3.41), 61.0).setpoint.target_w == 4_000.0

    assert gate.step(GIVE, says(cell_v_min=3.30, cell_v_max=3.39), 62.0).setpoint.target_w == 8_000.0


def test_a_spread_of_temperatures_warns_at_eight_and_halves_at_fifteen_kelvin() -> None:
    warned = Gate().steps(GIVE, says(cell_c_min=20.0, cell_c_max=28.0), (0.0, 30.0, 60.0))
    halved = Gate().steps(GIVE, says(cell_c_min=20.0, cell_c_max=35.0), (0.0, 30.0, 60.0))

    assert (names(warned), warned.setpoint.target_w) == (["temperatures drift apart"], 8_000.0)
    assert halved.setpoint.target_w == 4_000.0


def test_a_limit_of_the_bms_falls_at_once_and_rises_by_one_ampere_per_second() -> None:
    gate = Gate()
    gate.step(GIVE, says(discharge_limit_a=100.0), 0.0)
    fallen = gate.step(GIVE, says(discharge_limit_a=40.0), 1.0)
    rising = gate.step(GIVE, says(discharge_limit_a=100.0), 4.0)

    assert (fallen.setpoint.target_w, rising.setpoint.target_w) == (2_000.0, 2_150.0)


def test_modules_in_parallel_let_a_limit_rise_faster() -> None:
    gate = Gate(rules=SafetyRules(current=CurrentRules(modules=10.0)))
    gate.step(GIVE, says(discharge_limit_a=40.0), 0.0)

    assert gate.step(GIVE, says(discharge_limit_a=100.0), 4.0).setpoint.target_w == 4_000.0


def test_after_a_lost_bms_a_limit_begins_at_nothing() -> None:
    gate = Gate()
    gate.step(GIVE, REST, 0.0)
    gate.step(GIVE, replace(REST, battery=Fault(kind=FaultKind.STALE, detail="silent")), 1.0)

    assert gate.step(GIVE, REST, 3.0).setpoint.target_w == 100.0


def test_three_limits_in_ten_seconds_that_cannot_be_are_not_believed() -> None:
    rules = SafetyRules(current=CurrentRules(max_charge_a=150.0))
    gate = Gate(rules=rules)
    odd = says(charge_limit_a=151.0)
    two = gate.steps(GIVE, odd, (0.0, 1.0))
    three = gate.step(GIVE, odd, 2.0)
    free = gate.steps(GIVE, says(charge_limit_a=150.0), (3.0, 8.0, 13.0))

    assert (names(two), two.setpoint.target_w) == (["battery limit implausible"], 8_000.0)
    assert "battery limits not believed" in names(three)
    assert three.setpoint.target_w == 0.0
    assert (names(free), free.setpoint.target_w) == ([], 8_000.0)


@pytest.mark.parametrize("volts", [0.0, 39.9, 60.1])
def test_a_charge_voltage_outside_of_its_range_is_implausible(volts: float) -> None:
    gate = Gate(rules=SafetyRules(current=CurrentRules(min_charge_v=40.0, max_charge_v=60.0)))

    assert "battery limit implausible" in names(gate.step(GIVE, says(charge_voltage_v=volts)))


def test_charge_ends_where_the_charge_voltage_limit_is_below_the_battery() -> None:
    below = says(charge_voltage_v=49.7)

    assert Gate().step(TAKE, below).setpoint.target_w == 0.0
    assert Gate().step(GIVE, below).setpoint.target_w == 8_000.0
    assert names(Gate().step(TAKE, says(charge_voltage_v=49.8))) == []


def test_the_last_five_percent_are_kept_even_without_a_reserve() -> None:
    gate = Gate(rules=SafetyRules(reserve_pct=0.0, derate_band_pct=0.0))
    half = gate.step(GIVE, says(soc_pct=7.5), 0.0)
    empty = gate.steps(GIVE, says(soc_pct=5.0), (1.0, 6.0))

    assert half.setpoint.target_w == 4_000.0
    assert (names(empty), empty.setpoint.target_w) == (["state of charge empty"], 0.0)


def test_a_jump_of_state_of_charge_within_ten_seconds_is_told() -> None:
    gate = Gate()
    gate.steps(GIVE, says(soc_pct=50.0), range(10))
    slow = gate.step(GIVE, says(soc_pct=54.9), 10.0)
    jumped = gate.step(GIVE, says(soc_pct=55.0), 11.0)

    assert (names(slow), names(jumped)) == ([], ["state of charge jumps"])
    assert jumped.setpoint.target_w == 8_000.0


def test_a_state_of_charge_that_stands_still_under_load_is_told_after_ten_minutes() -> None:
    gate = Gate()
    load = says(current_a=100.0)
    before = gate.steps(Setpoint(target_w=5_000.0), load, [float(at) for at in range(0, 600, 5)])
    after = gate.step(Setpoint(target_w=5_000.0), load, 600.0)

    assert (names(before), names(after)) == ([], ["state of charge stands still"])


def test_a_state_of_charge_that_an_empty_cell_contradicts_halves_the_power_after_thirty_seconds() -> None:
    rules = SafetyRules(soc=SocRules(contradiction_v=3.2))
    gate = Gate(rules=rules)
    odd = says(soc_pct=60.0, cell_v_min=3.15, cell_v_max=3.16)
    early = gate.steps(GIVE, odd, (0.0, 15.0, 29.0))
    late = gate.step(GIVE, odd, 30.0)

    assert (early.setpoint.target_w, late.setpoint.target_w) == (8_000.0, 4_000.0)
    assert names(late) == ["state of charge contradicts a cell"]


def test_a_lost_bms_asks_for_an_open_contactor_and_a_silent_one_does_not() -> None:
    assert Gate().step(GIVE, says(stale_s=3.0)).setpoint == Setpoint(target_w=0.0, max_w_pct=0.0)
    assert Gate().step(GIVE, says(stale_s=10.0)).setpoint == OPEN


def test_a_warning_of_the_bms_is_told_and_takes_nothing_away() -> None:
    result = Gate().step(GIVE, says(warnings=frozenset({"high voltage"})))

    assert (names(result), result.setpoint.target_w) == (["BMS warning"], 8_000.0)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"contactor_closed": False, "current_a": 2.0}, "current through an open contactor"),
        ({"contactor_closed": False, "current_a": -2.5}, "current through an open contactor"),
        ({"precharge_failed": True}, "precharge failed"),
    ],
)
def test_a_contactor_that_is_not_what_it_says_stops_and_latches(change: dict[str, object], name: str) -> None:
    gate = Gate()
    assert names(gate.step(GIVE, says(**change), 0.0)) == []
    assert gate.step(GIVE, says(**change), 1.0).setpoint == OUT

    assert names(gate.step(GIVE, REST, 2.0)) == [name]


def test_a_contactor_that_was_known_and_is_unknown_under_load_is_told() -> None:
    gate = Gate()
    unknown = says(contactor_closed=None, current_a=50.0)
    assert names(Gate().steps(GIVE, unknown, (0.0, 5.0))) == []
    gate.step(GIVE, REST, 0.0)

    assert names(gate.steps(GIVE, unknown, (1.0, 2.0))) == ["contactor unknown under load"]


def test_a_battery_whose_heartbeat_stands_is_held_and_then_stopped() -> None:
    gate = Gate()
    still = says(heartbeat=7)
    assert gate.steps(GIVE, still, (0.0, 2.9)).setpoint.target_w == 8_000.0
    assert gate.step(GIVE, still, 3.0).setpoint == Setpoint(target_w=0.0, max_w_pct=0.0)
    assert gate.step(GIVE, still, 10.0).setpoint == OUT
    beating = [gate.step(GIVE, says(heartbeat=at), float(at)) for at in (11, 26, 41)]

    assert (beating[1].setpoint.energize, beating[2].setpoint.energize) == (False, None)


def test_a_fast_rise_of_temperature_warns_and_a_runaway_opens_the_contactor() -> None:
    warm, run = Gate(), Gate()
    warned = [warm.step(GIVE, says(cell_c_max=21.0 + 4.0 * at / 60), float(at)) for at in range(40)][-1]
    gone = [run.step(GIVE, says(cell_c_max=21.0 + 10.5 * at / 60), float(at)) for at in range(40)]

    assert (names(warned), warned.setpoint.target_w) == (["battery warms fast"], 8_000.0)
    assert (names(gone[29]), gone[-1].setpoint) == ([], OPEN)
    assert "thermal runaway" in names(run.step(GIVE, REST, 40.0))


def test_a_slow_rise_of_temperature_is_no_runaway() -> None:
    gate = Gate()
    steady = [gate.step(GIVE, says(cell_c_max=21.0 + 2.0 * at / 60), float(at)) for at in range(120)]

    assert [names(result) for result in steady if names(result)] == []


@pytest.mark.parametrize("name", ["cell_v_max", "cell_c_max", "current_a", "soc_pct"])
def test_a_value_that_is_no_number_counts_as_the_worst(name: str) -> None:
    result = Gate().steps(TAKE, says(**{name: math.nan}), (0.0, 5.0, 10.0))

    assert result.setpoint.target_w == 0.0


def test_what_is_not_measured_trips_nothing() -> None:
    bare = says(cell_v_min=None, cell_v_max=None, cell_c_min=None, cell_c_max=None, contactor_closed=None)
    result = Gate().steps(GIVE, bare, (0.0, 30.0, 60.0))

    assert (names(result), result.setpoint.target_w) == ([], 8_000.0)


def test_an_interlock_that_holds_does_not_clear_because_its_measure_is_gone() -> None:
    gate = Gate()
    gate.steps(TAKE, says(cell_v_max=3.61), (0.0, 2.0))

    assert names(gate.step(TAKE, says(cell_v_max=None, cell_v_min=None), 3.0)) == ["cell over voltage"]


def test_a_generator_knows_nothing_of_batteries() -> None:
    reading = Telemetry(power_w=100.0, reactive_var=0.0)

    assert names(Gate().step(Setpoint(max_w_pct=50.0), reading)) == []
