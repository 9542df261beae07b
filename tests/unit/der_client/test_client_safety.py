import math
from dataclasses import replace

import pytest

from der_client.desired import Desired
from der_client.device import (
    BatteryState,
    Fault,
    FaultKind,
    Nameplate,
    PowerFactorSetpoint,
    Setpoint,
    Telemetry,
    VarSetpoint,
)
from der_client.interlocks import SafetyRules
from der_client.interlocks.rules_battery import CurrentRules
from der_client.safety import SafeSetpoint, SafetyState, Surroundings, clamp, is_plain
from tests.unit.der_client.plates import plate

PV = replace(plate(10_000, 11_000, 4_400), min_pf_over_excited=0.85, min_pf_under_excited=0.9)
STORAGE = replace(PV, der_type=80, max_charge_w=5_000.0, max_discharge_w=8_000.0, capacity_wh=10_000.0)
READING = Telemetry(power_w=6_000.0, reactive_var=0.0)
BATTERY = BatteryState(
    voltage_v=50.0,
    current_a=0.0,
    soc_pct=50.0,
    soh_pct=100.0,
    temperature_c=20.0,
    charge_limit_a=200.0,
    discharge_limit_a=200.0,
    charge_voltage_v=56.0,
)
IDLE = Telemetry(power_w=0.0, reactive_var=0.0, battery=BATTERY)


def safe(
    setpoint: Setpoint,
    telemetry: Telemetry = READING,
    nameplate: Nameplate = PV,
    state: SafetyState | None = None,
    now: float = 0.0,
    rules: SafetyRules | None = None,
) -> SafeSetpoint:
    around = Surroundings(rules=rules or SafetyRules())
    return clamp(Desired(setpoint=setpoint), telemetry, nameplate, state or SafetyState(), now, around=around)


def names(result: SafeSetpoint) -> list[tuple[int, str]]:
    return [(reason.interlock, reason.name) for reason in result.reasons]


def battery_says(**change: object) -> Telemetry:
    return replace(IDLE, battery=replace(BATTERY, **change))  # type: ignore[arg-type]


def test_a_limit_passes_unchanged_where_nothing_is_against_it() -> None:
    assert safe(Setpoint(max_w_pct=50.0)).setpoint == Setpoint(max_w_pct=50.0)


def test_without_a_wish_a_generator_is_released() -> None:
    assert safe(Setpoint()).setpoint == Setpoint()


def test_a_target_stays_below_the_limit() -> None:
    result = safe(Setpoint(max_w_pct=30.0, target_w=5_000.0))

    assert result.setpoint.target_w == 3_000.0


def test_a_target_stays_within_the_rating() -> None:
    assert safe(Setpoint(target_w=50_000.0)).setpoint.target_w == 10_000.0


def test_a_generator_cannot_be_told_to_charge() -> None:
    assert safe(Setpoint(target_w=-3_000.0), READING).setpoint.target_w == 0.0


@pytest.mark.parametrize(
    "broken",
    [
        Setpoint(max_w_pct=math.nan),
        Setpoint(max_w_pct=-1.0),
        Setpoint(max_w_pct=101.0),
        Setpoint(target_w=math.inf),
        Setpoint(grad_w_pct_per_s=-1.0),
        Setpoint(pf_inject=PowerFactorSetpoint(power_factor=1.5, absorbing=False)),
        Setpoint(var=VarSetpoint(value=math.nan, ref=0)),
    ],
)
def test_an_invalid_setpoint_is_refused_and_the_last_valid_one_kept(broken: Setpoint) -> None:
    first = safe(Setpoint(max_w_pct=40.0))
    second = safe(broken, state=first.state, now=1.0)

    assert not is_plain(broken)
    assert second.setpoint == Setpoint(max_w_pct=40.0)
    assert names(second) == [(19, "setpoint invalid")]


def test_a_ramp_goes_in_steps_from_the_measured_power() -> None:
    wish = Desired(setpoint=Setpoint(max_w_pct=20.0), limit_ramp_s=4.0)
    state, shown = SafetyState(), []
    for now in (0.0, 1.0, 2.0, 3.0, 4.0):
        result = clamp(wish, READING, PV, state, now, around=Surroundings())
        state = result.state
        shown.append(result.setpoint.max_w_pct)

    assert shown == [60.0, 50.0, 40.0, 30.0, 20.0]


def test_setgradw_limits_the_ramp_where_the_control_has_none() -> None:
    wish = Setpoint(target_w=1_000.0, grad_w_pct_per_s=10.0)
    first = safe(wish)
    second = safe(wish, state=first.state, now=1.0)

    assert (first.setpoint.target_w, second.setpoint.target_w) == (6_000.0, 5_000.0)


def test_a_released_limit_ramps_up_and_is_gone_at_the_end() -> None:
    held = safe(Setpoint(max_w_pct=50.0))
    rising = safe(Setpoint(grad_w_pct_per_s=25.0), state=held.state, now=1.0)
    risen = safe(Setpoint(grad_w_pct_per_s=25.0), state=rising.state, now=2.0)

    assert (rising.setpoint.max_w_pct, risen.setpoint.max_w_pct) == (75.0, None)


def test_a_released_target_ramps_and_is_gone_at_the_end() -> None:
    held = safe(Setpoint(target_w=4_000.0))
    rising = safe(Setpoint(grad_w_pct_per_s=50.0), state=held.state, now=1.0)
    risen = safe(Setpoint(grad_w_pct_per_s=50.0), state=rising.state, now=2.0)

    assert (rising.setpoint.target_w, risen.setpoint.target_w) == (9_000.0, None)


def test_a_measurement_that_is_no_number_starts_a_ramp_at_zero() -> None:
    wish = Setpoint(target_w=1_000.0, grad_w_pct_per_s=5.0)

    assert safe(wish, Telemetry(power_w=math.nan, reactive_var=0.0)).setpoint.target_w == 0.0


def test_a_battery_without_a_wish_rests() -> None:
    assert safe(Setpoint(), IDLE, STORAGE).setpoint.target_w == 0.0


def test_discharge_keeps_to_dcl_times_voltage() -> None:
    result = safe(Setpoint(target_w=8_000.0), battery_says(discharge_limit_a=40.0), STORAGE)

    assert result.setpoint.target_w == 2_000.0


def test_charge_keeps_to_ccl_times_voltage() -> None:
    result = safe(Setpoint(target_w=-5_000.0), battery_says(charge_limit_a=30.0), STORAGE)

    assert result.setpoint.target_w == -1_500.0


def test_a_battery_limit_never_widens_the_rating() -> None:
    result = safe(Setpoint(target_w=-9_000.0), battery_says(charge_limit_a=10_000.0), STORAGE)

    assert result.setpoint.target_w == -5_000.0
    assert names(result) == [(9, "battery limit implausible")]


@pytest.mark.parametrize("limit_a", [-5.0, math.nan, math.inf])
def test_a_limit_that_is_no_plain_number_counts_as_zero(limit_a: float) -> None:
    result = safe(Setpoint(target_w=5_000.0), battery_says(discharge_limit_a=limit_a), STORAGE)

    assert result.setpoint.target_w == 0.0
    assert (9, "battery limit implausible") in names(result)


@pytest.mark.parametrize(
    ("soc_pct", "expected_w"), [(50.0, 8_000.0), (12.5, 4_000.0), (10.0, 0.0), (3.0, 0.0), (math.nan, 0.0)]
)
def test_discharge_derates_to_nothing_at_the_reserve(soc_pct: float, expected_w: float) -> None:
    assert safe(Setpoint(target_w=8_000.0), battery_says(soc_pct=soc_pct), STORAGE).setpoint.target_w == (
        expected_w
    )


@pytest.mark.parametrize(("soc_pct", "expected_w"), [(90.0, -5_000.0), (97.5, -2_500.0), (100.0, 0.0)])
def test_charge_derates_to_nothing_at_full(soc_pct: float, expected_w: float) -> None:
    assert safe(Setpoint(target_w=-5_000.0), battery_says(soc_pct=soc_pct), STORAGE).setpoint.target_w == (
        expected_w
    )


def test_the_reserve_can_be_set_to_twenty_percent() -> None:
    rules = SafetyRules(reserve_pct=20.0)
    low = battery_says(soc_pct=20.0)
    first = safe(Setpoint(target_w=8_000.0), low, STORAGE, rules=rules)
    later = safe(Setpoint(target_w=8_000.0), low, STORAGE, first.state, 5.0, rules)

    assert (first.setpoint.target_w, names(first)) == (0.0, [])
    assert (later.setpoint.target_w, names(later)) == (0.0, [(10, "state of charge at reserve")])


def test_discharge_stays_blocked_until_two_percent_above_the_reserve() -> None:
    wish = Setpoint(target_w=8_000.0)
    first = safe(wish, battery_says(soc_pct=10.0), STORAGE)
    low = safe(wish, battery_says(soc_pct=10.0), STORAGE, first.state, 5.0)
    between = safe(wish, battery_says(soc_pct=11.9), STORAGE, low.state, 6.0)
    above = safe(wish, battery_says(soc_pct=12.5), STORAGE, between.state, 7.0)

    assert (between.setpoint.target_w, above.setpoint.target_w) == (0.0, 4_000.0)


def test_no_derate_band_is_a_plain_stop() -> None:
    rules = SafetyRules(derate_band_pct=0.0)

    assert safe(
        Setpoint(target_w=8_000.0), battery_says(soc_pct=10.1), STORAGE, rules=rules
    ).setpoint.target_w == (8_000.0)


def test_state_of_charge_of_the_device_counts_where_there_is_no_bms() -> None:
    reading = Telemetry(power_w=0.0, reactive_var=0.0, soc_pct=9.0)

    assert safe(Setpoint(target_w=8_000.0), reading, STORAGE).setpoint.target_w == 0.0


def test_a_silent_bms_holds_zero_watts() -> None:
    result = safe(Setpoint(target_w=5_000.0), battery_says(stale_s=3.0), STORAGE)

    assert result.setpoint == Setpoint(target_w=0.0, max_w_pct=0.0)
    assert names(result) == [(12, "BMS silent")]


def test_a_lost_bms_takes_the_inverter_out_of_service() -> None:
    lost = replace(IDLE, battery=Fault(kind=FaultKind.STALE, detail="silent"))
    result = safe(Setpoint(target_w=5_000.0), lost, STORAGE)

    assert result.setpoint == Setpoint(target_w=0.0, max_w_pct=0.0, energize=False, open_contactor=True)
    assert names(result) == [(12, "BMS silent"), (12, "BMS lost")]


def test_a_bms_that_never_spoke_holds_zero_watts_and_leaves_the_inverter_on() -> None:
    waiting = replace(IDLE, battery=Fault(kind=FaultKind.NO_ANSWER, detail="not received yet"))

    assert safe(Setpoint(target_w=5_000.0), waiting, STORAGE).setpoint == Setpoint(
        target_w=0.0, max_w_pct=0.0
    )


def test_an_alarm_stops_both_ways_and_clears_after_a_minute() -> None:
    wish = Setpoint(target_w=5_000.0)
    alarm = safe(wish, battery_says(alarms=frozenset({"cell over voltage"})), STORAGE)
    waiting = safe(wish, IDLE, STORAGE, alarm.state, 1.0)
    early = safe(wish, IDLE, STORAGE, waiting.state, 60.0)
    clear = safe(wish, IDLE, STORAGE, early.state, 61.0)

    assert alarm.setpoint == Setpoint(target_w=0.0, max_w_pct=0.0, energize=False)
    assert early.setpoint.energize is False
    assert clear.setpoint == Setpoint(target_w=5_000.0)


@pytest.mark.parametrize(
    ("change", "wish_w", "name"),
    [
        ({"charge_allowed": False}, -3_000.0, "BMS forbids charge"),
        ({"discharge_allowed": False}, 3_000.0, "BMS forbids discharge"),
    ],
)
def test_a_direction_that_the_bms_forbids_is_zero(change: dict[str, bool], wish_w: float, name: str) -> None:
    result = safe(Setpoint(target_w=wish_w), battery_says(**change), STORAGE)

    assert result.setpoint.target_w == 0.0
    assert names(result) == [(13, name)]


@pytest.mark.parametrize(("current_a", "wish_w"), [(50.0, 8_000.0), (-50.0, -5_000.0)])
def test_current_above_its_limit_halves_after_two_seconds_and_stops_after_ten(
    current_a: float, wish_w: float
) -> None:
    over = battery_says(current_a=current_a, charge_limit_a=40.0, discharge_limit_a=40.0)
    state, shown = SafetyState(), []
    for now in (0.0, 2.0, 10.0):
        result = safe(Setpoint(target_w=wish_w), over, STORAGE, state, now)
        state = result.state
        shown.append(result.setpoint.target_w)

    assert shown == [math.copysign(2_000.0, wish_w), math.copysign(1_000.0, wish_w), 0.0]
    assert result.setpoint.energize is False


def test_a_lost_server_limits_a_site_that_is_set_so() -> None:
    around = Surroundings(rules=SafetyRules(server_lost_max_w=1_500.0), server_silent_share=1.0)
    result = clamp(Desired(), READING, PV, SafetyState(), 0.0, around=around)

    assert result.setpoint.max_w_pct == 15.0
    assert names(result) == [(18, "server lost")]


def test_direction_turns_only_after_two_seconds_at_zero() -> None:
    state, shown = SafetyState(), []
    for now, wish_w in ((0.0, 3_000.0), (1.0, -3_000.0), (2.0, -3_000.0), (3.0, -3_000.0)):
        result = safe(Setpoint(target_w=wish_w), IDLE, STORAGE, state, now)
        state = result.state
        shown.append(result.setpoint.target_w)

    assert shown == [3_000.0, 0.0, 0.0, -3_000.0]


def test_time_at_rest_counts_for_the_turn() -> None:
    state, shown = SafetyState(), []
    for now, wish_w in ((0.0, 3_000.0), (1.0, 0.0), (2.0, 0.0), (3.0, -3_000.0)):
        result = safe(Setpoint(target_w=wish_w), IDLE, STORAGE, state, now)
        state = result.state
        shown.append(result.setpoint.target_w)

    assert shown == [3_000.0, 0.0, 0.0, -3_000.0]


def test_a_change_within_the_dead_band_is_not_worth_a_write() -> None:
    wish, rules = Setpoint(target_w=8_000.0), SafetyRules(current=CurrentRules(step_up_a_per_s=None))
    first = safe(wish, battery_says(discharge_limit_a=100.0), STORAGE, rules=rules)
    rising = safe(wish, battery_says(discharge_limit_a=101.0), STORAGE, first.state, 1.0, rules)
    more = safe(wish, battery_says(discharge_limit_a=103.0), STORAGE, rising.state, 2.0, rules)

    assert (rising.setpoint.target_w, more.setpoint.target_w) == (5_000.0, 5_150.0)


def test_the_dead_band_never_keeps_what_is_not_allowed_any_more() -> None:
    wish = Setpoint(target_w=8_000.0)
    first = safe(wish, battery_says(discharge_limit_a=100.0), STORAGE)
    falling = safe(wish, battery_says(discharge_limit_a=99.0), STORAGE, first.state, 1.0)

    assert falling.setpoint.target_w == 4_950.0


def test_power_factor_and_vars_stay_inside_the_settings() -> None:
    result = safe(
        Setpoint(
            pf_inject=PowerFactorSetpoint(power_factor=0.5, absorbing=False),
            pf_absorb=PowerFactorSetpoint(power_factor=0.5, absorbing=True),
            var=VarSetpoint(value=9_000.0, ref=0),
        )
    )

    assert result.setpoint.pf_inject == PowerFactorSetpoint(power_factor=0.85, absorbing=False)
    assert result.setpoint.pf_absorb == PowerFactorSetpoint(power_factor=0.9, absorbing=True)
    assert result.setpoint.var == VarSetpoint(value=4_400.0, ref=0)


def test_a_var_percentage_stays_within_a_hundred() -> None:
    result = safe(Setpoint(var=VarSetpoint(value=-250.0, ref=2)))

    assert result.setpoint.var == VarSetpoint(value=-100.0, ref=2)


def test_a_field_that_the_device_does_not_hold_is_not_used() -> None:
    around = Surroundings(blocked=frozenset({"max_w_pct"}))
    wish = Desired(setpoint=Setpoint(max_w_pct=50.0))

    assert clamp(wish, READING, PV, SafetyState(), 0.0, around=around).setpoint == Setpoint(energize=False)


def test_a_rule_outside_its_hard_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"safety\.reserve_pct: 95"):
        SafetyRules(reserve_pct=95.0)
    with pytest.raises(ValueError, match=r"safety\.bms_stale_s"):
        SafetyRules(bms_stale_s=0.0)


@pytest.mark.parametrize("wish", [Setpoint(max_w_pct=50.0), Setpoint(target_w=1_000.0)])
@pytest.mark.parametrize("blocked", [frozenset[str](), frozenset({"target_w"})])
def test_a_device_that_is_set_to_give_nothing_is_limited_to_nothing(
    wish: Setpoint, blocked: frozenset[str]
) -> None:
    plate = replace(PV, set_max_w=0.0)
    around = Surroundings(blocked=blocked)
    result = clamp(Desired(setpoint=wish), READING, plate, SafetyState(), 1.0, around=around)

    assert result.setpoint.max_w_pct in {None, 0.0}
    assert result.setpoint.target_w in {None, 0.0}


def test_charging_keeps_to_the_setting_below_the_rating() -> None:
    plate = replace(STORAGE, set_max_charge_w=1_000.0)
    result = clamp(
        Desired(setpoint=Setpoint(target_w=-9_000.0)),
        replace(READING, power_w=-1_000.0),
        plate,
        SafetyState(),
        1.0,
        around=Surroundings(),
    )

    assert result.setpoint.target_w == -1_000.0
