"""The BMS state machine and the limits that it lets through, on a manual clock."""

from dataclasses import replace

import pytest

from der_client.can import BatteryLimits, BmsState, CanFrame, Profile, load_profile
from der_client.can.limits import BatteryLimits as LimitsOfCore
from der_client.can.limits import Claim, LimitGuard, SteppedLimit
from der_client.can.soc_watch import SocWatch
from der_client.can.state import Phase
from der_client.device import BatteryState, Fault, FaultKind
from tests.unit.der_client.safety_bench import GIVE, REST, Gate, names

GOOD = ("351#1402740E740ECC01", "355#1A006400", "356#4E1300000405")


def frame(text: str) -> CanFrame:
    identifier, data = text.split("#")
    return CanFrame(arbitration_id=int(identifier, 16), data=bytes.fromhex(data))


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile("pylontech_lv")


@pytest.fixture
def bms(profile: Profile) -> BmsState:
    return BmsState(profile)


def feed(bms: BmsState, now: float, *texts: str) -> None:
    for text in texts:
        bms.feed(frame(text), now)


def good_until(bms: BmsState, start_s: int, end_s: int) -> None:
    """A good round of frames each second, both ends included."""
    for second in range(start_s, end_s + 1):
        feed(bms, float(second), *GOOD)


def phase_at(bms: BmsState, now: float) -> Phase:
    bms.assess(now)
    return bms.phase


def state_of(answer: BatteryState | Fault) -> BatteryState:
    assert isinstance(answer, BatteryState)
    return answer


def fault_of(answer: BatteryState | Fault) -> Fault:
    assert isinstance(answer, Fault)
    return answer


def test_before_the_first_complete_set_there_is_a_fault_and_no_limit(bms: BmsState) -> None:
    feed(bms, 1.0, GOOD[0], GOOD[1])
    fault = fault_of(bms.assess(50.0))
    assert (fault.kind, fault.detail) == (FaultKind.NO_ANSWER, "not received yet: current, temp, voltage")
    assert bms.phase is Phase.INIT


def test_a_first_set_that_is_late_in_parts_is_not_enough(bms: BmsState) -> None:
    feed(bms, 1.0, GOOD[0], GOOD[1])
    feed(bms, 5.0, GOOD[2])
    assert fault_of(bms.assess(5.0)).detail == "not received yet: a complete set"
    assert fault_of(bms.assess(30.0)).kind is FaultKind.NO_ANSWER
    assert bms.phase is Phase.INIT


def test_a_complete_set_gives_the_state_with_discharge_positive(bms: BmsState) -> None:
    feed(bms, 1.0, GOOD[0], GOOD[1], "356#4E13020304010000")
    state = state_of(bms.assess(1.5))
    assert state == BatteryState(
        voltage_v=49.42,
        current_a=-77.0,
        soc_pct=26.0,
        soh_pct=100.0,
        temperature_c=26.0,
        charge_limit_a=370.0,
        discharge_limit_a=370.0,
        charge_voltage_v=53.2,
        stale_s=0.5,
        discharge_voltage_v=46.0,
    )


def test_silence_is_stale_at_3_s_with_limits_0(bms: BmsState) -> None:
    feed(bms, 1.0, *GOOD)
    assert state_of(bms.assess(3.999)).charge_limit_a == 370.0
    state = state_of(bms.assess(4.0))
    assert (bms.phase, state.charge_limit_a, state.discharge_limit_a) == (Phase.STALE, 0.0, 0.0)
    assert (state.charge_allowed, state.discharge_allowed, state.stale_s) == (False, False, 3.0)


def test_silence_is_lost_at_10_s(bms: BmsState) -> None:
    feed(bms, 1.0, *GOOD)
    assert isinstance(bms.assess(10.999), BatteryState)
    fault = fault_of(bms.assess(11.0))
    assert (bms.phase, fault.kind, fault.detail) == (Phase.LOST, FaultKind.STALE, "BMS silent for 10.0 s")


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_one_required_message_alone_that_is_silent_is_enough(bms: BmsState, missing: int) -> None:
    feed(bms, 1.0, *GOOD)
    feed(bms, 4.0, *(text for number, text in enumerate(GOOD) if number != missing))
    assert bms.phase is Phase.STALE


def test_from_stale_the_next_complete_set_is_enough(bms: BmsState) -> None:
    feed(bms, 1.0, *GOOD)
    feed(bms, 5.0, *GOOD)
    assert bms.phase is Phase.OK
    assert state_of(bms.assess(5.0)).discharge_limit_a == 370.0


def test_recovery_from_lost_takes_30_s_of_good_frames(bms: BmsState) -> None:
    feed(bms, 0.0, *GOOD)
    assert isinstance(bms.assess(20.0), Fault)
    good_until(bms, 21, 50)
    assert fault_of(bms.assess(50.0)).detail == "good frames for 29.0 s, 30 s are needed"
    assert bms.phase is Phase.RECOVERING
    good_until(bms, 51, 51)
    assert state_of(bms.assess(51.0)).charge_limit_a == 370.0


@pytest.mark.parametrize(("gap_s", "age_s"), [(5, 4.0), (15, 14.0)])
def test_a_gap_while_recovering_starts_the_30_s_again(bms: BmsState, gap_s: int, age_s: float) -> None:
    feed(bms, 0.0, *GOOD)
    bms.assess(20.0)
    good_until(bms, 21, 40)
    assert fault_of(bms.assess(39.0 + gap_s)).detail == f"BMS silent for {age_s:.1f} s"
    good_until(bms, 40 + gap_s, 69 + gap_s)
    assert phase_at(bms, 69.0 + gap_s) is Phase.RECOVERING
    good_until(bms, 70 + gap_s, 70 + gap_s)
    assert phase_at(bms, 70.0 + gap_s) is Phase.OK


def test_a_gap_counts_even_if_nobody_asked_meanwhile(bms: BmsState) -> None:
    feed(bms, 0.0, *GOOD)
    feed(bms, 20.0, *GOOD)
    assert bms.phase is Phase.RECOVERING
    feed(bms, 60.0, *GOOD)
    assert bms.phase is Phase.RECOVERING


def test_not_available_codes_become_stale_after_the_timeout(bms: BmsState) -> None:
    feed(bms, 1.0, *GOOD)
    feed(bms, 3.9, GOOD[0], GOOD[1], "356#0080008000800000")
    assert state_of(bms.assess(3.9)).voltage_v == 49.42
    feed(bms, 4.0, GOOD[0], GOOD[1], "356#0080008000800000")
    assert bms.phase is Phase.STALE


def test_third_all_zero_frame_is_stale_at_once_and_then_a_malformed_fault(bms: BmsState) -> None:
    good_until(bms, 0, 2)
    phases = []
    for now in (2.1, 2.2, 2.3):
        feed(bms, now, "351#0000000000000000")
        phases.append(bms.phase)
    assert phases == [Phase.OK, Phase.OK, Phase.STALE]
    fault = fault_of(bms.assess(12.0))
    assert (fault.kind, fault.detail) == (FaultKind.MALFORMED, "frames all zero: Limits")


def test_alarm_closes_both_directions_until_60_s_after_it_left(bms: BmsState) -> None:
    feed(bms, 0.0, *GOOD, "359#020000000A504E")
    state = state_of(bms.assess(0.0))
    assert (state.alarms, state.charge_limit_w, state.discharge_limit_w) == (
        frozenset({"high_voltage"}),
        0.0,
        0.0,
    )
    feed(bms, 1.0, *GOOD, "359#000000000A504E")
    good_until(bms, 2, 60)
    state = state_of(bms.assess(60.9))
    assert (state.alarms, state.charge_allowed, state.charge_limit_a) == (frozenset(), False, 0.0)
    good_until(bms, 61, 61)
    state = state_of(bms.assess(61.0))
    assert (state.charge_allowed, state.discharge_allowed, state.charge_limit_a) == (True, True, 370.0)


def test_warning_is_shown_and_changes_nothing_else(bms: BmsState) -> None:
    feed(bms, 0.0, *GOOD, "359#000002000A504E")
    state = state_of(bms.assess(0.0))
    assert (state.warnings, state.charge_limit_a, state.charge_allowed) == (
        frozenset({"high_voltage"}),
        370.0,
        True,
    )


@pytest.mark.parametrize(
    ("data", "charge", "discharge", "warnings"),
    [
        ("C000", True, True, set()),
        ("4000", False, True, set()),
        ("8000", True, False, set()),
        ("0000", False, False, set()),
        ("E000", True, False, {"force_charge"}),
    ],
)
def test_enables_and_force_charge_of_0x35c_open_and_close_directions(
    bms: BmsState, data: str, charge: bool, discharge: bool, warnings: set[str]
) -> None:
    feed(bms, 0.0, *GOOD, f"35C#{data}")
    state = state_of(bms.assess(0.0))
    assert (state.charge_allowed, state.discharge_allowed) == (charge, discharge)
    assert (state.charge_limit_a, state.discharge_limit_a) == (370.0 * charge, 370.0 * discharge)
    assert state.warnings == warnings


def test_open_contactor_closes_both_directions(profile: Profile) -> None:
    contactor = replace(profile.values["charge_enable"], name="contactor")
    values = {name: item for name, item in profile.values.items() if name != "charge_enable"}
    bms = BmsState(replace(profile, values=values | {"contactor": contactor}))
    feed(bms, 0.0, *GOOD, "35C#4000")
    state = state_of(bms.assess(0.0))
    assert (state.charge_allowed, state.discharge_allowed) == (False, False)
    assert state.warnings == {"contactor_open"}


def test_heartbeat_that_stands_still_is_silence(profile: Profile) -> None:
    heartbeat = replace(profile.values["soh"], name="heartbeat", high=65535.0)
    bms = BmsState(replace(profile, values=dict(profile.values) | {"heartbeat": heartbeat}))
    good_until(bms, 0, 2)
    assert phase_at(bms, 2.0) is Phase.OK
    good_until(bms, 3, 3)
    assert phase_at(bms, 3.0) is Phase.STALE
    feed(bms, 3.5, "355#1A006300")
    assert phase_at(bms, 3.5) is Phase.OK


def test_silent_safety_message_is_a_warning(bms: BmsState) -> None:
    feed(bms, 0.0, *GOOD, "35C#C000")
    good_until(bms, 1, 10)
    assert state_of(bms.assess(10.0)).warnings == {"message_silent"}


def test_slower_message_may_have_its_own_stale_time(profile: Profile) -> None:
    slow = {name: replace(profile.values[name], stale_s=20.0) for name in ("soc", "soh")}
    bms = BmsState(replace(profile, values=dict(profile.values) | slow))
    feed(bms, 0.0, *GOOD)
    phases = {}
    for second in range(1, 28):
        feed(bms, float(second), GOOD[0], GOOD[2])
        phases[second] = bms.phase
    assert [phases[second] for second in (19, 20, 26, 27)] == [Phase.OK, Phase.STALE, Phase.STALE, Phase.LOST]


@pytest.mark.parametrize(("age_s", "stale_s", "is_silent"), [(19, 2.0, False), (20, 3.0, True)])
def test_a_slower_message_is_silent_for_the_interlock_after_its_own_stale_time(
    profile: Profile, age_s: int, stale_s: float, *, is_silent: bool
) -> None:
    slow = {name: replace(profile.values[name], stale_s=20.0) for name in ("soc", "soh")}
    bms = BmsState(replace(profile, values=dict(profile.values) | slow))
    feed(bms, 0.0, *GOOD)
    for second in range(1, age_s + 1):
        feed(bms, float(second), GOOD[0], GOOD[2])
    state = state_of(bms.assess(float(age_s)))

    assert state.stale_s == stale_s
    assert ("BMS silent" in names(Gate().step(GIVE, replace(REST, battery=state)))) is is_silent


@pytest.mark.parametrize(("stale_s", "until_s"), [(3.0, 10.0), (20.0, 27.0)])
def test_cell_data_is_shown_as_much_longer_as_its_message_is_slower(
    profile: Profile, stale_s: float, until_s: float
) -> None:
    dvl = replace(profile.values["dvl"], stale_s=stale_s, is_required=False)
    required = {name: replace(one, stale_s=60.0) for name, one in profile.values.items() if one.is_required}
    bms = BmsState(replace(profile, values={**profile.values, **required, "dvl": dvl}))
    feed(bms, 0.0, *GOOD)

    assert state_of(bms.assess(until_s)).discharge_voltage_v == 46.0
    assert state_of(bms.assess(until_s + 0.1)).discharge_voltage_v is None


def test_a_profile_of_constants_is_never_silent(profile: Profile) -> None:
    needed = {name: 1.0 for name, one in profile.values.items() if one.is_required}
    values = {name: one for name, one in profile.values.items() if name not in needed}
    bms = BmsState(replace(profile, values=values, constants=needed))
    feed(bms, 0.0, *GOOD)

    assert state_of(bms.assess(1_000.0)).stale_s == 0.0


def test_state_of_charge_that_is_frozen_under_load_is_a_warning(profile: Profile) -> None:
    bms = BmsState(profile, BatteryLimits(capacity_ah=100.0))
    for second in range(601):
        feed(bms, float(second), GOOD[0], GOOD[1], "356#4E13C800F000")
    assert state_of(bms.assess(600.0)).warnings == {"soc_frozen"}
    feed(bms, 601.0, GOOD[0], "355#1B006400", "356#4E13C800F000")
    assert state_of(bms.assess(601.0)).warnings == frozenset()


def test_constant_soc_is_never_frozen(profile: Profile) -> None:
    values = {name: item for name, item in profile.values.items() if name != "soc"}
    bms = BmsState(replace(profile, values=values, constants={"soc": 55.0}), BatteryLimits(capacity_ah=100.0))
    for second in range(601):
        feed(bms, float(second), *GOOD[:2], "356#4E13C800F000")
    state = state_of(bms.assess(600.0))
    assert (state.soc_pct, state.warnings) == (55.0, frozenset())


@pytest.mark.parametrize(
    ("current_a", "duration_s", "is_frozen"),
    [(6.0, 599, False), (6.0, 600, False), (6.0, 1200, True), (5.0, 3600, False), (30.0, 600, True)],
)
def test_soc_must_stand_still_10_min_and_for_two_of_its_steps(
    current_a: float, duration_s: int, is_frozen: bool
) -> None:
    watch = SocWatch(1.0)
    for second in range(duration_s + 1):
        watch.take(50.0, current_a, 100.0, float(second))
    assert watch.is_frozen is is_frozen


def claim(ccl_a: float, dcl_a: float, cvl_v: float = 56.0, voltage_v: float = 52.0) -> Claim:
    return Claim(ccl_a=ccl_a, dcl_a=dcl_a, cvl_v=cvl_v, voltage_v=voltage_v)


def in_force(guard: LimitGuard, now: float) -> tuple[float, float]:
    return guard.in_force(now, is_charge_open=True, is_discharge_open=True)


def test_limits_are_0_before_the_first_claim() -> None:
    assert in_force(LimitGuard(LimitsOfCore()), 0.0) == (0.0, 0.0)


def test_limit_above_nameplate_is_cut_to_it_with_a_warning() -> None:
    guard = LimitGuard(LimitsOfCore(max_charge_a=100.0, max_discharge_a=120.0))
    guard.claim(claim(500.0, 90.0), 0.0)
    assert (in_force(guard, 0.0), guard.warnings) == ((100.0, 90.0), frozenset({"limit_implausible"}))


def test_limit_above_nameplate_never_widens_the_last_good_one() -> None:
    guard = LimitGuard(LimitsOfCore(max_charge_a=100.0, max_discharge_a=120.0))
    guard.claim(claim(30.0, 40.0), 0.0)
    guard.claim(claim(500.0, 500.0), 1.0)
    assert in_force(guard, 1.0) == (30.0, 40.0)
    guard.claim(claim(60.0, 70.0), 2.0)
    assert (in_force(guard, 2.0), guard.warnings) == ((60.0, 70.0), frozenset())


def test_negative_charge_limit_is_0_with_a_warning() -> None:
    guard = LimitGuard(LimitsOfCore())
    guard.claim(claim(-5.0, 40.0), 0.0)
    assert (in_force(guard, 0.0), guard.warnings) == ((0.0, 40.0), frozenset({"limit_implausible"}))


@pytest.mark.parametrize("cvl_v", [39.0, 61.0])
def test_charge_voltage_outside_its_range_is_implausible(cvl_v: float) -> None:
    guard = LimitGuard(LimitsOfCore(min_cvl_v=40.0, max_cvl_v=60.0))
    guard.claim(claim(10.0, 10.0, cvl_v, 39.0), 0.0)
    assert guard.warnings == {"limit_implausible"}


def test_three_implausible_claims_in_10_s_hold_both_limits_at_0() -> None:
    guard = LimitGuard(LimitsOfCore(max_charge_a=100.0))
    for now in (0.0, 5.0, 9.0):
        assert in_force(guard, now) == ((0.0, 0.0) if now == 0.0 else (100.0, 50.0))
        guard.claim(claim(500.0, 50.0), now)
    assert in_force(guard, 9.0) == (0.0, 0.0)
    guard.claim(claim(80.0, 50.0), 10.0)
    assert in_force(guard, 10.0) == (0.0, 0.0)
    assert in_force(guard, 10.1) == (80.0, 50.0)


def test_charge_voltage_below_the_pack_stops_charging_only() -> None:
    guard = LimitGuard(LimitsOfCore())
    guard.claim(claim(50.0, 60.0, 50.0, 52.0), 0.0)
    assert (in_force(guard, 0.0), guard.warnings) == ((0.0, 60.0), frozenset({"cvl_below_voltage"}))


def test_noise_of_the_voltage_around_the_charge_voltage_is_tolerated() -> None:
    guard = LimitGuard(LimitsOfCore())
    guard.claim(claim(50.0, 60.0, 56.0, 56.2), 0.0)
    assert in_force(guard, 0.0) == (50.0, 60.0)


def test_closed_direction_has_limit_0() -> None:
    guard = LimitGuard(LimitsOfCore())
    guard.claim(claim(50.0, 60.0), 0.0)
    assert guard.in_force(0.0, is_charge_open=False, is_discharge_open=True) == (0.0, 60.0)
    assert guard.in_force(0.0, is_charge_open=True, is_discharge_open=False) == (50.0, 0.0)


def test_stepped_limit_rises_slowly_and_falls_at_once() -> None:
    limit = SteppedLimit(2.0)
    steps = [limit.step(*step) for step in ((100.0, 0.0), (100.0, 3.0), (100.0, 2.0), (4.0, 3.0), (5.0, 9.0))]
    assert steps == [0.0, 6.0, 6.0, 4.0, 5.0]


def test_step_up_counts_modules_and_starts_again_after_silence(profile: Profile) -> None:
    bms = BmsState(profile, BatteryLimits(step_up_a_per_s=1.0, modules=3))
    good_until(bms, 0, 10)
    assert state_of(bms.assess(0.0)).charge_limit_a == 0.0
    assert state_of(bms.assess(10.0)).charge_limit_a == 30.0
    assert state_of(bms.assess(13.0)).charge_limit_a == 0.0
    feed(bms, 14.0, *GOOD)
    assert state_of(bms.assess(15.0)).charge_limit_a == 3.0


@pytest.mark.parametrize("bits", ["20", "10"], ids=["force charge I", "force charge II"])
def test_either_request_to_be_charged_stops_discharge_and_is_told(bms: BmsState, bits: str) -> None:
    feed(bms, 1.0, *GOOD, f"35C#{int(bits, 16) | 0xC0:02X}00")
    state = state_of(bms.assess(1.0))

    assert (state.wants_charge, state.discharge_allowed, state.charge_allowed) == (True, False, True)
    assert state.warnings == {"force_charge"}


def test_a_wish_for_a_full_charge_is_a_warning_only(bms: BmsState) -> None:
    feed(bms, 1.0, *GOOD, "35C#C800")
    state = state_of(bms.assess(1.0))

    assert state.warnings == {"full_charge"}
    assert (state.wants_charge, state.discharge_allowed) == (False, True)


def test_cell_data_is_told_while_it_is_recent(bms: BmsState) -> None:
    feed(bms, 1.0, *GOOD, "373#EE0CF80C2A012C01")
    now = state_of(bms.assess(1.0))
    good_until(bms, 2, 12)
    later = state_of(bms.assess(12.0))

    assert (now.cell_v_min, now.cell_v_max) == (3.31, 3.32)
    assert (now.cell_c_min, now.cell_c_max) == pytest.approx((24.85, 26.85))
    assert (later.cell_v_min, later.cell_v_max, later.cell_c_min, later.cell_c_max) == (
        None,
        None,
        None,
        None,
    )


def test_a_silent_bms_keeps_its_charge_voltage_and_loses_its_currents(bms: BmsState) -> None:
    feed(bms, 1.0, *GOOD)
    state = state_of(bms.assess(5.0))

    assert bms.phase is Phase.STALE
    assert (state.charge_limit_a, state.discharge_limit_a, state.charge_voltage_v) == (0.0, 0.0, 53.2)


@pytest.fixture
def sma() -> BmsState:
    return BmsState(load_profile("sma_35x"))


def test_a_quick_stop_closes_both_directions_for_the_restart_delay(sma: BmsState) -> None:
    good_until(sma, 0, 5)
    feed(sma, 5.5, "00F#")
    stopped = state_of(sma.assess(5.5))
    good_until(sma, 6, 65)
    still = state_of(sma.assess(65.0))
    good_until(sma, 66, 66)
    again = state_of(sma.assess(66.0))

    assert stopped.alarms == still.alarms == {"quick_stop"}
    assert (stopped.charge_allowed, stopped.discharge_allowed, still.charge_limit_a) == (False, False, 0.0)
    assert (len(again.alarms), again.charge_allowed, again.discharge_allowed) == (0, True, True)


def test_modules_that_are_away_or_block_are_warnings(sma: BmsState) -> None:
    feed(sma, 1.0, *GOOD, "372#0300010000000200")

    assert state_of(sma.assess(1.0)).warnings == {"modules_blocking", "modules_offline"}
    assert sma.details() == {
        "modules": 3.0,
        "modules_blocking_charge": 1.0,
        "modules_blocking_discharge": 0.0,
        "modules_offline": 2.0,
    }


def test_identity_and_capacity_of_a_pack_are_kept(sma: BmsState) -> None:
    feed(sma, 1.0, "35F#0100020168006F00", "379#C800", "374#43454C4C20303120")

    assert sma.details() == {
        "capacity": 200.0,
        "available_capacity": 104.0,
        "chemistry": 1.0,
        "hardware_minor": 2.0,
        "hardware_major": 1.0,
        "firmware": 111.0,
    }
    assert sma.decoder.text("cell_v_min_id") == "CELL 01"
