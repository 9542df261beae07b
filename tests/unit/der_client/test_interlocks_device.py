"""Interlocks 15 to 35 beside the battery's own: links, grid, connection point, device, clock."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from der_client.desired import Desired
from der_client.device import (
    CurvePoint,
    CurveSetpoint,
    EnterServiceSetpoint,
    Setpoint,
    SiteReading,
    Telemetry,
)
from der_client.interlocks import LoopFacts, SafetyRules, SiteFacts, Surroundings
from der_client.interlocks.rules_device import GridRules, WriteRules
from der_client.safety import SafeSetpoint, SafetyState, clamp, unheard
from tests.unit.der_client.safety_bench import GIVE, PV, REST, STORAGE, SUN, TAKE, Gate, names, says

FREE = Setpoint()
HALF = Setpoint(max_w_pct=50.0)
SMALL = Setpoint(target_w=1_000.0)


def looped(gate: Gate, facts: LoopFacts, wish: Setpoint = HALF) -> SafeSetpoint:
    gate.around = replace(gate.around, loop=facts)
    return gate.step(wish, SUN)


def silent(gate: Gate, silent_s: float) -> list[str]:
    gate.around = replace(gate.around, loop=LoopFacts(silent_s=silent_s))
    reasons, gate.state = unheard(gate.state, gate.now + silent_s, around=gate.around)
    return [reason.name for reason in reasons]


def test_a_silent_device_is_told_after_three_and_lost_after_ten_seconds() -> None:
    gate = Gate(PV)
    gate.step(HALF, SUN)

    assert [silent(gate, at) for at in (2.9, 3.0, 10.0)] == [
        [],
        ["device silent"],
        ["device silent", "device lost"],
    ]


def test_what_holds_goes_on_holding_while_a_device_is_silent() -> None:
    gate = Gate(PV)
    gate.step(HALF, replace(SUN, inputs=frozenset({"fire"})))

    assert silent(gate, 1.0) == ["safety input active"]


def test_a_device_that_answers_again_is_free_again() -> None:
    gate = Gate(PV)
    gate.step(HALF, SUN)
    silent(gate, 10.0)
    gate.around = replace(gate.around, loop=LoopFacts())

    assert names(gate.step(HALF, SUN)) == []


def test_a_heartbeat_that_stands_is_told_after_three_seconds_and_ends_writing_after_ten() -> None:
    gate = Gate(PV)
    found = [gate.step(HALF, replace(SUN, heartbeat=5), at) for at in (0.0, 3.0, 10.0)]
    again = gate.step(HALF, replace(SUN, heartbeat=6), 11.0)

    assert [names(result) for result in found][1] == ["heartbeat of the device slow"]
    assert [result.may_write for result in (*found, again)] == [True, True, False, True]


def test_a_late_cycle_is_told_and_five_in_a_row_end_the_refreshing() -> None:
    gate = Gate(PV)
    late = looped(gate, LoopFacts(late_s=2.0, late_cycles=1))
    five = looped(gate, LoopFacts(late_s=2.0, late_cycles=5))
    punctual = [looped(gate, LoopFacts()) for _ in range(11)]

    assert (names(late), late.may_write) == (["control loop late"], True)
    assert not five.may_write
    assert [result.may_write for result in punctual] == [False] * 10 + [True]


def test_one_cycle_that_is_five_periods_late_ends_the_refreshing_too() -> None:
    assert not looped(Gate(PV), LoopFacts(late_s=5.0, late_cycles=1)).may_write


def test_a_setpoint_that_nobody_renews_is_told_after_three_periods() -> None:
    assert names(looped(Gate(PV), LoopFacts(plan_age_s=2.9))) == []
    assert names(looped(Gate(PV), LoopFacts(plan_age_s=3.0))) == ["setpoint stale"]


def test_a_control_that_is_not_held_is_told() -> None:
    gate = Gate(PV)
    gate.around = replace(gate.around, blocked=frozenset({"max_w_pct"}))
    result = gate.step(HALF, SUN)

    assert (names(result), result.setpoint) == (["setpoint not held"], Setpoint(energize=False))


def followed(powers: Sequence[float], wish: Setpoint, plate: object = None) -> list[SafeSetpoint]:
    gate = Gate(STORAGE if plate is None else PV)
    gate.obeys = False
    return [
        gate.step(wish, replace(SUN if plate else REST, power_w=power_w), float(at))
        for at, power_w in enumerate(powers)
    ]


def test_power_off_its_target_is_told_after_ten_seconds_and_counts_as_partial_after_a_minute() -> None:
    found = followed([400.0] * 62, SMALL)

    assert names(found[9]) == []
    assert names(found[10]) == ["power off its target"]
    assert names(found[60]) == ["power off its target", "power stays off its target"]
    assert found[61].setpoint == SMALL


def test_power_within_five_percent_or_a_hundred_watts_is_on_its_target() -> None:
    assert names(followed([600.0] * 12, SMALL)[-1]) == []


def test_power_above_its_limit_lowers_the_limit_and_then_stops() -> None:
    found = followed([6_000.0] * 62, HALF, plate=PV)

    assert [result.setpoint.max_w_pct for result in (found[9], found[10])] == [50.0, 25.0]
    assert (found[59].setpoint.energize, found[60].setpoint.energize) == (None, False)


def test_a_device_has_time_for_its_own_ramp_before_it_is_judged() -> None:
    gate = Gate(replace(PV, grad_w_pct_per_s=5.0))
    found = [gate.step(HALF, SUN, float(at)) for at in range(32)]

    assert (names(found[29]), names(found[31])) == ([], ["power above its limit"])


@pytest.mark.parametrize(
    ("rules", "wish", "stopped_s"),
    [
        (SafetyRules(), replace(HALF, grad_w_pct_per_s=1.0), 45 + 100 + 60),
        (SafetyRules(ramp_w_per_min=6_000.0), HALF, 45 + 100 + 60),
        (SafetyRules(ramp_w_per_min=6_000.0), replace(HALF, grad_w_pct_per_s=0.27), 167 + 370 + 60),
    ],
)
def test_a_device_that_ignores_its_limit_under_a_gradient_is_stopped(
    rules: SafetyRules, wish: Setpoint, stopped_s: int
) -> None:
    gate = Gate(PV, rules)
    ignored = replace(SUN, power_w=9_500.0)
    found = [gate.step(wish, ignored, float(at)) for at in range(1_000)]
    stopped = [at for at, result in enumerate(found) if result.setpoint.energize is False]

    assert stopped[0] == pytest.approx(stopped_s, abs=3)
    assert stopped == list(range(stopped[0], 1_000))


def test_half_of_the_power_is_left_under_a_gradient_too_and_comes_back_by_it() -> None:
    gate = Gate(PV)
    wish = replace(HALF, grad_w_pct_per_s=10.0)
    above = [gate.step(wish, SUN, float(at)).setpoint.max_w_pct for at in range(25)]
    below = [gate.step(wish, replace(SUN, power_w=2_500.0)).setpoint.max_w_pct for _ in range(14)]

    assert above[-4:] == [25.0] * 4
    assert below[8:] == [25.0, 25.0, 25.0, 35.0, 45.0, 50.0]


def test_a_device_that_comes_to_its_limit_late_and_on_its_ramp_is_not_stopped() -> None:
    gate = Gate(replace(PV, grad_w_pct_per_s=0.27))
    power_w, found = 9_500.0, []
    for at in range(1_200):
        result = gate.step(HALF, replace(SUN, power_w=power_w), float(at))
        goal_w = 10_000.0 if result.setpoint.max_w_pct is None else result.setpoint.max_w_pct * 100.0
        power_w = max(goal_w, power_w - 27.0) if at > 235 else power_w
        found.append(result)

    assert "power above its limit" in {name for result in found for name in names(result)}
    assert all(result.setpoint.energize is None for result in found)


def metered(
    power_w: float | None,
    own_w: float,
    wish: Setpoint = FREE,
    *,
    age_s: float = 0.0,
    export_limit_w: float | None = None,
    import_limit_w: float | None = None,
    share: float = 1.0,
) -> SafeSetpoint:
    gate = Gate(STORAGE if wish.target_w is not None else PV)
    gate.obeys = False
    site = SiteFacts(
        reading=None if power_w is None else SiteReading(power_w=power_w),
        age_s=age_s,
        export_limit_w=export_limit_w,
        import_limit_w=import_limit_w,
        share=share,
    )
    gate.around = replace(gate.around, site=site)
    reading = REST if wish.target_w is not None else SUN
    return gate.step(wish, replace(reading, power_w=own_w))


@pytest.mark.parametrize(
    ("site_w", "own_w", "expected_pct"),
    [(1_000.0, 6_000.0, 97.5), (4_750.0, 6_000.0, 60.0), (4_900.0, 6_000.0, 60.0), (6_000.0, 6_000.0, 47.5)],
)
def test_an_export_limit_leaves_room_holds_and_gives_way(
    site_w: float, own_w: float, expected_pct: float
) -> None:
    assert metered(site_w, own_w, export_limit_w=5_000.0).setpoint.max_w_pct == expected_pct


def test_each_gives_way_by_its_share() -> None:
    assert metered(6_000.0, 3_000.0, export_limit_w=5_000.0, share=0.5).setpoint.max_w_pct == 23.75


def test_an_import_limit_bounds_charging() -> None:
    result = metered(-4_000.0, -2_000.0, TAKE, import_limit_w=3_000.0)

    assert result.setpoint.target_w == -850.0


def test_a_battery_may_discharge_under_an_import_limit() -> None:
    assert metered(-4_000.0, 0.0, GIVE, import_limit_w=3_000.0).setpoint.target_w == 8_000.0


def test_a_limit_at_the_connection_point_is_told_after_two_seconds_and_stops_the_largest_after_fifteen() -> (
    None
):
    gate = Gate(PV)
    gate.around = replace(
        gate.around, site=SiteFacts(reading=SiteReading(power_w=6_000.0), export_limit_w=5_000.0)
    )
    found = [gate.step(FREE, SUN, float(at)) for at in range(16)]

    assert [names(found[at]) for at in (1, 2)] == [[], ["limit at the connection point exceeded"]]
    assert (found[14].setpoint.energize, found[15].setpoint.energize) == (None, False)


def test_a_smaller_unit_goes_on_where_the_largest_stops() -> None:
    gate = Gate(PV)
    gate.around = replace(
        gate.around,
        site=SiteFacts(
            reading=SiteReading(power_w=6_000.0), export_limit_w=5_000.0, share=0.2, is_largest=False
        ),
    )
    found = [gate.step(FREE, SUN, float(at)) for at in range(20)]

    assert found[-1].setpoint.energize is None


def stopped_at_the_site() -> tuple[Gate, SiteFacts]:
    """The largest unit of a site, stopped after 15 s; and the site without it."""
    gate = Gate(PV)
    site = SiteFacts(reading=SiteReading(power_w=6_000.0), export_limit_w=5_000.0, share=0.5)
    gate.around = replace(gate.around, site=site)
    assert gate.steps(FREE, SUN, [float(at) for at in range(16)]).setpoint.energize is False
    return gate, replace(site, reading=SiteReading(power_w=3_000.0), is_largest=False)


def test_a_unit_that_was_stopped_at_the_site_comes_back_though_another_one_is_the_largest_then() -> None:
    gate, below = stopped_at_the_site()
    gate.around = replace(gate.around, site=below)
    found = [gate.step(FREE, replace(SUN, power_w=0.0)).setpoint.energize for _ in range(61)]

    assert found == [False] * 60 + [None]


def test_a_unit_that_was_stopped_at_the_site_does_not_come_back_while_another_one_exceeds_the_limit() -> None:
    gate, below = stopped_at_the_site()
    gate.around = replace(gate.around, site=replace(below, reading=SiteReading(power_w=6_000.0)))
    found = [gate.step(FREE, replace(SUN, power_w=0.0)).setpoint.energize for _ in range(200)]

    assert found == [False] * 200


@pytest.mark.parametrize("site", [None, SiteFacts(reading=None, age_s=60.0)])
def test_a_unit_that_was_stopped_at_the_site_comes_back_once_no_limit_holds_there(
    site: SiteFacts | None,
) -> None:
    gate, _ = stopped_at_the_site()
    gate.around = replace(gate.around, site=site)
    found = [gate.step(FREE, replace(SUN, power_w=0.0)) for _ in range(61)]

    assert [result.setpoint.energize for result in found] == [False] * 60 + [None]
    assert names(found[-1]) == []


def test_a_meter_that_was_lost_is_told_no_more_once_no_limit_hangs_on_it() -> None:
    gate = Gate(PV)
    lost = SiteFacts(reading=SiteReading(power_w=0.0), age_s=10.0, export_limit_w=5_000.0)
    gate.around = replace(gate.around, site=lost)
    told = gate.step(FREE, SUN)
    gate.around = replace(gate.around, site=None)

    assert names(told) == ["meter silent", "meter lost"]
    assert names(gate.step(FREE, SUN)) == []


@pytest.mark.parametrize(
    ("age_s", "held"), [(2.9, []), (3.0, ["meter silent"]), (10.0, ["meter silent", "meter lost"])]
)
def test_a_silent_meter_is_told_and_then_lost(age_s: float, held: list[str]) -> None:
    assert names(metered(0.0, 2_000.0, age_s=age_s, export_limit_w=5_000.0)) == held


def test_without_a_meter_the_export_limit_bounds_generation_and_an_import_limit_forbids_charge() -> None:
    lost = metered(0.0, 6_000.0, age_s=10.0, export_limit_w=5_000.0, share=0.5)
    charging = metered(0.0, -1_000.0, TAKE, age_s=10.0, import_limit_w=5_000.0)

    assert (lost.setpoint.max_w_pct, charging.setpoint.target_w) == (25.0, 0.0)


@pytest.mark.parametrize(
    ("age_s", "held", "expected"),
    [
        (0.0, [], (60.0, -1_000.0)),
        (2.9, [], (60.0, -1_000.0)),
        (3.0, ["meter silent"], (50.0, 0.0)),
        (10.0, ["meter silent", "meter lost"], (50.0, 0.0)),
    ],
)
def test_a_meter_that_was_not_read_yet_is_waited_for_and_nothing_rises(
    age_s: float, held: list[str], expected: tuple[float, float]
) -> None:
    giving = metered(None, 6_000.0, age_s=age_s, export_limit_w=5_000.0)
    taking = metered(None, -1_000.0, TAKE, age_s=age_s, import_limit_w=5_000.0)

    assert (names(giving), names(taking)) == (held, held)
    assert (giving.setpoint.max_w_pct, taking.setpoint.target_w) == expected


def test_a_meter_that_gives_no_number_is_lost() -> None:
    result = metered(math.nan, 6_000.0, export_limit_w=5_000.0)

    assert names(result) == ["meter silent", "meter lost"]
    assert result.setpoint.max_w_pct == 50.0


@pytest.mark.parametrize(
    "grid",
    [
        {"voltage_v": 242.0},
        {"voltage_v": 210.0},
        {"frequency_hz": 50.2},
        {"frequency_hz": 49.4},
        {"frequency_hz": 60.2},
        {"frequency_hz": 59.4},
    ],
)
def test_outside_of_the_window_power_does_not_rise(grid: dict[str, float]) -> None:
    result = Gate(PV).step(FREE, replace(SUN, **grid))  # type: ignore[arg-type]

    assert names(result) == ["grid outside the enter-service window"]
    assert result.setpoint == Setpoint(max_w_pct=60.0)


@pytest.mark.parametrize("grid", [{"voltage_v": 241.0}, {"voltage_v": 398.0}, {"frequency_hz": 60.05}])
def test_inside_of_the_window_power_is_free(grid: dict[str, float]) -> None:
    assert Gate(PV).step(FREE, replace(SUN, **grid)).setpoint == FREE  # type: ignore[arg-type]


def test_a_device_that_stands_does_not_start_and_ramps_up_after_five_minutes_of_good_grid() -> None:
    gate = Gate(PV)
    still = replace(SUN, power_w=0.0)
    held = gate.step(FREE, replace(still, frequency_hz=49.0), 0.0)
    waiting = gate.steps(FREE, still, [float(at) for at in range(1, 301, 5)])
    begun = gate.step(FREE, still, 301.0)
    half = gate.steps(FREE, still, [float(at) for at in range(305, 452, 3)])
    done = gate.steps(FREE, still, [float(at) for at in range(455, 606, 5)])

    assert (held.setpoint.max_w_pct, waiting.setpoint.max_w_pct, begun.setpoint.max_w_pct) == (0, 0, 0)
    assert half.setpoint.max_w_pct == pytest.approx(50.0, abs=1.5)
    assert done.setpoint == FREE


def test_the_window_of_a_program_holds_in_the_place_of_the_rules() -> None:
    gate = Gate(PV)
    gate.around = replace(gate.around, allow_grid_code_writes=True)
    wide = Setpoint(enter_service=EnterServiceSetpoint(high_v_pct=110.0, low_hz=47.5, high_hz=50.15))

    assert names(gate.step(wide, replace(SUN, voltage_v=250.0, frequency_hz=48.0))) == []


def test_a_delay_and_a_ramp_of_nothing_let_power_back_at_once() -> None:
    gate = Gate(PV, SafetyRules(grid=GridRules(delay_s=0.0, ramp_s=0.0)))
    gate.step(FREE, replace(SUN, frequency_hz=49.0), 0.0)

    assert gate.step(FREE, SUN, 1.0).setpoint == FREE


TRIP = CurveSetpoint(mode="opModLVRTMustTrip", points=(CurvePoint(x=1.0, y=50.0),))
VOLT_VAR = CurveSetpoint(mode="opModVoltVar", points=(CurvePoint(x=92.0, y=44.0),))


def test_trip_curves_and_service_limits_need_a_permission() -> None:
    wish = Setpoint(
        curves=(TRIP, VOLT_VAR), enter_service=EnterServiceSetpoint(high_v_pct=106.0, ramp_s=100.0)
    )
    refused = Gate(PV).step(wish, SUN)
    gate = Gate(PV)
    gate.around = replace(gate.around, allow_grid_code_writes=True)
    allowed = gate.step(wish, SUN)

    assert refused.setpoint == Setpoint(curves=(VOLT_VAR,), enter_service=EnterServiceSetpoint(ramp_s=100.0))
    assert refused.refused == {"opModLVRTMustTrip", "enter_service"}
    assert names(refused) == ["grid code settings refused"]
    assert (allowed.setpoint, names(allowed)) == (wish, [])


@pytest.mark.parametrize("place", ["emergency stop", "door open", "fire", "ground fault", "gas"])
def test_a_safety_input_stops_opens_and_latches(place: str) -> None:
    gate = Gate(PV)
    result = gate.step(HALF, replace(SUN, inputs=frozenset({place})))

    assert result.setpoint == Setpoint(max_w_pct=0.0, energize=False, open_contactor=True)
    assert [reason.alarm_bit for reason in result.reasons] == [7]
    assert names(gate.step(HALF, SUN)) == ["safety input active"]


def test_a_device_under_local_control_is_not_written_to() -> None:
    gate = Gate(PV)

    assert not gate.step(HALF, replace(SUN, local_control=True)).may_write
    assert gate.step(HALF, SUN).may_write


def test_a_device_with_other_firmware_is_not_written_to() -> None:
    assert not looped(Gate(PV), LoopFacts(is_unverified=True)).may_write


def clocked(gate: Gate, ahead_s: float, wish: Setpoint, at_s: float) -> SafeSetpoint:
    gate.around = replace(gate.around, server_ahead_s=ahead_s, system_ahead_s=0.0)
    return gate.step(wish, replace(SUN, power_w=4_900.0), at_s)


def test_a_jump_of_the_servers_clock_is_told_and_a_large_one_holds_events() -> None:
    gate = Gate(PV)
    clocked(gate, 0.0, HALF, 0.0)
    small = clocked(gate, 1.5, HALF, 1.0)
    large = clocked(gate, 3_600.0, Setpoint(max_w_pct=80.0), 2.0)
    clocked(gate, 3_600.0, Setpoint(max_w_pct=80.0), 3.0)
    waiting = clocked(gate, 3_600.0, Setpoint(max_w_pct=80.0), 62.0)
    believed = clocked(gate, 3_600.0, Setpoint(max_w_pct=80.0), 63.0)

    assert names(small) == ["clock jumps"]
    assert "clock not believed" in names(large)
    assert [r.setpoint.max_w_pct for r in (large, waiting, believed)] == [50.0, 50.0, 80.0]


def test_what_a_site_leaves_to_a_device_holds_while_events_are_held() -> None:
    state, told = SafetyState(), []
    wishes = [(0.0, 50.0, 9_000.0, 4_000.0), (3_600.0, 80.0, 2_000.0, 500.0)]
    for at_s, (ahead_s, pct, cap_w, charge_w) in enumerate(wishes):
        wish = Desired(setpoint=Setpoint(max_w_pct=pct, max_charge_w=charge_w), cap_w=cap_w, of_site=True)
        around = Surroundings(server_ahead_s=ahead_s, system_ahead_s=0.0)
        safe = clamp(wish, replace(SUN, power_w=1_000.0), STORAGE, state, float(at_s), around=around)
        state = safe.state
        told.append((safe.setpoint.max_w_pct, safe.setpoint.max_charge_w))

    assert "clock not believed" in names(safe)
    assert told == [(50.0, 4_000.0), (20.0, 500.0)]
    assert state.believed.setpoint.max_w_pct == 50.0


def test_a_system_clock_that_is_wrong_is_told_and_changes_nothing() -> None:
    gate = Gate(PV)
    gate.around = replace(gate.around, system_ahead_s=-600.0)
    result = gate.step(HALF, SUN)

    assert (names(result), result.setpoint) == (["system clock wrong"], HALF)


@pytest.mark.parametrize("counter_wh", [899_999.0, 902_000.0, math.nan])
def test_energy_that_cannot_be_is_told(counter_wh: float) -> None:
    gate = Gate(PV)
    gate.step(FREE, replace(SUN, injected_wh=900_000.0), 0.0)
    result = gate.step(FREE, replace(SUN, injected_wh=counter_wh), 10.0)

    assert names(result) == ["energy counters implausible"]
    assert result.state.trends.energy_fault


def test_energy_that_can_be_is_believed() -> None:
    gate = Gate(PV)
    gate.step(FREE, replace(SUN, injected_wh=900_000.0), 0.0)

    assert names(gate.step(FREE, replace(SUN, injected_wh=900_016.0), 10.0)) == []


@pytest.mark.parametrize(("hot_c", "expected"), [(70.0, None), (77.5, 50.0), (85.0, 0.0)])
def test_a_hot_inverter_gives_less(hot_c: float, expected: float | None) -> None:
    hot = replace(SUN, temperatures_c={"cabinet": 40.0, "heat sink": hot_c})

    assert Gate(PV).step(FREE, hot).setpoint.max_w_pct == expected


def test_an_inverter_that_is_too_hot_stops_after_ten_seconds_until_it_is_cool() -> None:
    gate = Gate(PV)
    hot = replace(SUN, power_w=0.0, temperatures_c={"cabinet": 85.0})
    assert gate.steps(FREE, hot, (0.0, 9.0)).setpoint.energize is None
    assert gate.step(FREE, hot, 10.0).setpoint.energize is False
    assert gate.step(FREE, replace(hot, temperatures_c={"cabinet": 70.0}), 11.0).setpoint.energize is False

    assert gate.step(FREE, replace(hot, temperatures_c={"cabinet": 69.0}), 12.0).setpoint == FREE


def test_registers_that_are_written_too_often_are_told() -> None:
    rules = SafetyRules(writes=WriteRules(flash_backed=True))
    worn = looped(Gate(PV, rules), LoopFacts(writes_today=1000))
    queued = looped(Gate(PV), LoopFacts(writes_today=5000, writes_queued=1))

    assert names(worn) == ["flash written too often"]
    assert names(queued) == ["registers written too often"]


def test_nothing_of_a_device_that_tells_little_trips_anything() -> None:
    assert names(Gate(PV).step(HALF, Telemetry(power_w=5_000.0, reactive_var=0.0))) == []
    assert names(Gate(STORAGE).step(TAKE, says())) == []
