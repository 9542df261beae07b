"""The gate over random days: no telemetry, battery, wish, loss or leap of time makes it breach a limit.

What is allowed is written down here on its own, from the published levels and not from the code under test.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.desired import Desired
from der_client.device import (
    BatteryState,
    CurvePoint,
    CurveSetpoint,
    EnterServiceSetpoint,
    Fault,
    FaultKind,
    Nameplate,
    Setpoint,
    SiteReading,
    Telemetry,
)
from der_client.interlocks import LoopFacts, SafetyRules, SiteFacts, Situation, Surroundings, Trends
from der_client.power_window import window_of
from der_client.protected import TRIP_MODES
from der_client.safety import SafeSetpoint, SafetyState, clamp, unheard
from tests.inputs import inputs

GIVE_W, TAKE_W, SET_W = 8_000.0, 5_000.0, 9_000.0
RAMP_W_PER_MIN = 10_000.0
TINY = 1e-6
STORAGE = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=80,
    modes=frozenset({"opModFixedW"}),
    max_w=10_000,
    max_va=11_000,
    max_var=4_400,
    max_var_neg=4_400,
    set_max_w=SET_W,
    set_max_va=11_000,
    set_max_var=4_400,
    set_max_var_neg=4_400,
    max_charge_w=TAKE_W,
    max_discharge_w=GIVE_W,
    capacity_wh=10_000.0,
    v_nom_v=230.0,
)
STEADY = SafetyRules(ramp_w_per_min=RAMP_W_PER_MIN, reserve_pct=20.0, dead_band_pct=0.0)
RULES = SafetyRules(ramp_w_per_min=RAMP_W_PER_MIN, reserve_pct=20.0)


def often(good: st.SearchStrategy[float], low: float, high: float) -> st.SearchStrategy[float]:
    """Mostly a good value, sometimes any, and rarely no number at all."""
    return st.one_of(good, good, st.floats(low, high), st.sampled_from([math.nan, math.inf, -math.inf]))


CELL_V = often(st.floats(3.1, 3.44), 2.0, 4.0)
CELL_C = often(st.floats(6.0, 44.0), -40.0, 90.0)
STATES = st.builds(
    BatteryState,
    voltage_v=often(st.floats(48.0, 54.0), 0.0, 100.0),
    current_a=often(st.floats(-20.0, 20.0), -300.0, 300.0),
    soc_pct=often(st.floats(20.5, 99.0), 0.0, 100.0),
    soh_pct=st.just(100.0),
    temperature_c=CELL_C,
    charge_limit_a=often(st.floats(0.0, 120.0), -10.0, 500.0),
    discharge_limit_a=often(st.floats(0.0, 120.0), -10.0, 500.0),
    charge_voltage_v=often(st.just(56.0), 0.0, 80.0),
    charge_allowed=st.sampled_from([True, True, True, False]),
    discharge_allowed=st.sampled_from([True, True, True, False]),
    alarms=st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"fire"})]),
    stale_s=st.sampled_from([0.0, 0.0, 0.0, 2.9, 3.0, 11.0]),
    cell_v_min=st.none() | CELL_V,
    cell_v_max=st.none() | CELL_V,
    cell_c_min=st.none() | CELL_C,
    cell_c_max=st.none() | CELL_C,
    contactor_closed=st.sampled_from([None, True, True, False]),
    precharge_failed=st.sampled_from([False, False, False, True]),
)
GOOD = BatteryState(
    voltage_v=50.0,
    current_a=0.0,
    soc_pct=60.0,
    soh_pct=100.0,
    temperature_c=25.0,
    charge_limit_a=120.0,
    discharge_limit_a=180.0,
    charge_voltage_v=56.0,
    cell_v_min=3.30,
    cell_v_max=3.31,
    cell_c_min=24.0,
    cell_c_max=26.0,
    contactor_closed=True,
)
NEARLY_GOOD = st.one_of(
    st.just(GOOD),
    st.floats(18.0, 30.0).map(lambda it: replace(GOOD, soc_pct=it)),
    st.floats(94.0, 101.0).map(lambda it: replace(GOOD, soc_pct=it)),
    st.floats(3.40, 3.66).map(lambda it: replace(GOOD, cell_v_max=it, cell_v_min=it - 0.02)),
    st.floats(2.45, 3.05).map(lambda it: replace(GOOD, cell_v_min=it, cell_v_max=it + 0.02)),
    st.floats(40.0, 65.0).map(lambda it: replace(GOOD, cell_c_max=it)),
    st.floats(-22.0, 8.0).map(lambda it: replace(GOOD, cell_c_min=it)),
    st.floats(0.0, 200.0).map(lambda it: replace(GOOD, charge_limit_a=it, discharge_limit_a=it)),
)
"""A battery that works, with one thing near or beyond a level."""
FAULTS = st.builds(Fault, kind=st.sampled_from(FaultKind), detail=st.just("silent"))
CURVES = st.sampled_from(sorted(TRIP_MODES)).map(
    lambda mode: (CurveSetpoint(mode=mode, points=(CurvePoint(x=1.0, y=50.0),)),)
)
WILD_WISHES = st.builds(
    Desired,
    setpoint=st.builds(
        Setpoint,
        energize=st.sampled_from([None, None, True, False]),
        max_w_pct=st.none() | often(st.floats(0.0, 100.0), -10.0, 200.0),
        target_w=st.none() | often(st.floats(-9_000.0, 9_000.0), -1e6, 1e6),
        max_charge_w=st.none() | st.floats(0.0, 6_000.0),
        grad_w_pct_per_s=st.none() | st.floats(-1.0, 200.0),
        curves=st.just(()) | CURVES,
        enter_service=st.none() | st.builds(EnterServiceSetpoint, high_v_pct=st.just(120.0)),
    ),
    limit_ramp_s=st.none() | st.floats(0.0, 600.0),
    target_ramp_s=st.none() | st.floats(0.0, 600.0),
    charge_ramp_s=st.none() | st.floats(0.0, 600.0),
    leave_ramp_s=st.none() | st.floats(0.0, 600.0),
    cap_w=st.none() | st.floats(0.0, 10_000.0),
)
WISHES = st.one_of(
    st.sampled_from([-5_000.0, -300.0, 300.0, 3_000.0, 8_000.0]).map(
        lambda it: Desired(setpoint=Setpoint(target_w=it))
    ),
    st.sampled_from([8_000.0, -5_000.0]).map(
        lambda it: Desired(setpoint=Setpoint(target_w=it, max_w_pct=50.0), target_ramp_s=5.0)
    ),
    WILD_WISHES,
)
WILD_SITES = st.builds(
    SiteFacts,
    reading=st.none() | st.builds(SiteReading, power_w=often(st.floats(-6_000.0, 6_000.0), -1e5, 1e5)),
    age_s=st.sampled_from([0.0, 0.0, 5.0, 12.0]),
    export_limit_w=st.none() | st.floats(0.0, 8_000.0),
    import_limit_w=st.none() | st.floats(0.0, 8_000.0),
    share=st.floats(0.0, 1.0),
)


SITES = st.one_of(
    st.none(),
    st.none(),
    st.floats(0.0, 9_000.0).map(
        lambda it: SiteFacts(reading=SiteReading(power_w=it), export_limit_w=5_000.0, share=0.5)
    ),
    st.floats(-9_000.0, 0.0).map(
        lambda it: SiteFacts(reading=SiteReading(power_w=it), import_limit_w=5_000.0, share=0.5)
    ),
    WILD_SITES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One control period of a random day."""

    seconds: float
    wish: Desired
    power_w: float
    battery: BatteryState | Fault
    site: SiteFacts | None
    hertz: float
    ahead_s: float
    loop: LoopFacts
    is_silent: bool


DAYS = st.lists(
    st.builds(
        Moment,
        seconds=st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, 2.0, 9.0, 30.0, 400.0]),
        wish=WISHES,
        power_w=often(st.floats(-5_000.0, 8_000.0), -1e5, 1e5),
        battery=st.one_of(
            NEARLY_GOOD, NEARLY_GOOD, NEARLY_GOOD, st.just(GOOD), st.just(GOOD), STATES, FAULTS
        ),
        site=SITES,
        hertz=st.sampled_from([60.0] * 12 + [58.0]),
        ahead_s=st.sampled_from([0.0] * 12 + [3_600.0]),
        loop=st.sampled_from(
            [LoopFacts(), LoopFacts(), LoopFacts(late_s=6.0), LoopFacts(is_unverified=True)]
        ),
        is_silent=st.sampled_from([False, False, False, False, True]),
    ),
    min_size=1,
    max_size=40,
)


def most_w(battery: BatteryState | Fault) -> tuple[float, float]:
    """Most that may be taken and given by rating, BMS, cells, temperature and state of charge."""
    if isinstance(battery, Fault) or battery.alarms or battery.stale_s >= 3.0:
        return 0.0, 0.0
    hot_c = battery.temperature_c if battery.cell_c_max is None else battery.cell_c_max
    cold_c = battery.temperature_c if battery.cell_c_min is None else battery.cell_c_min
    heat = line(hot_c, 45.0, 55.0)
    take = min(line(cold_c, 5.0, 0.0), heat, line(battery.soc_pct, 95.0, 100.0))
    give = min(line(cold_c, 0.0, -10.0), heat, line(battery.soc_pct, 25.0, 20.0))
    take = min(take, 1.0 if battery.cell_v_max is None else line(battery.cell_v_max, 3.45, 3.60))
    give = min(give, 1.0 if battery.cell_v_min is None else line(battery.cell_v_min, 3.00, 2.90))
    take_w = plain(battery.charge_limit_a) * plain(battery.voltage_v) * battery.charge_allowed
    give_w = plain(battery.discharge_limit_a) * plain(battery.voltage_v) * battery.discharge_allowed
    return min(take_w, TAKE_W) * take, min(give_w, GIVE_W) * give


def line(value: float, whole: float, nothing: float) -> float:
    """1 at `whole`, 0 at `nothing` and for what is no number."""
    share = (value - nothing) / (whole - nothing)
    return min(1.0, max(0.0, share)) if not math.isnan(share) else 0.0


def plain(value: float) -> float:
    return value if math.isfinite(value) and value > 0 else 0.0


def site_w(moment: Moment) -> tuple[float, float]:
    """Most that may be taken and given so that the limits of the site hold, by the reading or without one."""
    site = moment.site
    if site is None:
        return math.inf, math.inf
    if site.reading is None and site.age_s < 3.0:
        own_w = moment.power_w if math.isfinite(moment.power_w) else 0.0
        return (
            math.inf if site.import_limit_w is None else max(0.0, -own_w),
            math.inf if site.export_limit_w is None else max(0.0, own_w),
        )
    power_w = site.reading.power_w if site.reading else math.nan
    if not math.isfinite(power_w) or site.age_s >= 10.0:
        give_w = math.inf if site.export_limit_w is None else site.share * site.export_limit_w
        return math.inf if site.import_limit_w is None else 0.0, give_w
    own_w = moment.power_w if math.isfinite(moment.power_w) else 0.0
    return (
        room_w(-own_w, -power_w, site.import_limit_w, site.share),
        room_w(own_w, power_w, site.export_limit_w, site.share),
    )


def room_w(own_w: float, power_w: float, limit_w: float | None, share: float) -> float:
    """Most of a device in one direction: what it has and its share of what is left, or its part back."""
    return math.inf if limit_w is None else max(0.0, own_w + share * (limit_w - power_w))


def stepped(state: SafetyState, moment: Moment, now: float, rules: SafetyRules = RULES) -> SafeSetpoint:
    reading = Telemetry(
        power_w=moment.power_w, reactive_var=0.0, frequency_hz=moment.hertz, battery=moment.battery
    )
    around = Surroundings(rules=rules, site=moment.site, loop=moment.loop, server_ahead_s=moment.ahead_s)
    return clamp(moment.wish, reading, STORAGE, state, now, around=around)


@settings(max_examples=inputs(300), deadline=None)
@given(day=DAYS)
def test_no_day_makes_the_gate_breach_rating_battery_cells_site_or_protection(day: list[Moment]) -> None:
    state, now = SafetyState(), 0.0
    for moment in day:
        now += moment.seconds
        result = stepped(state, moment, now)
        state, setpoint = result.state, result.setpoint
        take_w, give_w = most_w(moment.battery)
        site_take_w, site_give_w = site_w(moment)

        assert setpoint.target_w is not None
        assert -min(take_w, site_take_w) - TINY <= setpoint.target_w <= min(give_w, site_give_w) + TINY
        assert setpoint.max_w_pct is None or 0.0 <= setpoint.max_w_pct <= 100.0
        assert setpoint.curves == ()
        assert setpoint.enter_service is None or setpoint.enter_service.high_v_pct is None


@settings(max_examples=inputs(300), deadline=None)
@given(day=DAYS)
def test_each_way_out_of_the_window_ends_at_the_limits_of_the_site(day: list[Moment]) -> None:
    """The bounds of target, limit and charge each hold on their own: none relies on another."""
    for moment in day:
        reading = Telemetry(power_w=moment.power_w, reactive_var=0.0, battery=GOOD)
        around = Surroundings(rules=RULES, site=moment.site)
        situation = Situation(
            telemetry=reading, nameplate=STORAGE, battery=GOOD, state=GOOD, trends=Trends(), around=around
        )
        window = window_of(situation, ())
        take_w, give_w = site_w(moment)

        assert -take_w - TINY <= window.low_w <= 0.0
        assert 0.0 <= window.high_w <= give_w + TINY
        assert 0.0 <= window.limit_w <= give_w + TINY


def test_what_was_held_at_rest_comes_by_the_rule_of_the_site_where_its_control_brings_no_ramp() -> None:
    """A battery that was charged rests before it gives power; what its target has grown to waits."""
    at_once = Desired(setpoint=Setpoint(target_w=5_000.0), target_ramp_s=0.0)
    charging = Desired(setpoint=Setpoint(target_w=-5_000.0))
    state = SafetyState()
    sent: list[float] = []
    for now, wish in enumerate([charging] * 3 + [at_once] * 30):
        reading = Telemetry(power_w=sent[-1] if sent else 0.0, reactive_var=0.0, battery=GOOD)
        result = clamp(wish, reading, STORAGE, state, float(now), around=Surroundings(rules=STEADY))
        state = result.state
        sent.append(result.setpoint.target_w or 0.0)
    grown = [abs(new) - abs(old) for old, new in pairwise(sent)]
    assert max(grown) <= RAMP_W_PER_MIN / 60.0 + TINY
    assert sent[-1] > 3 * RAMP_W_PER_MIN / 60.0


def test_what_a_limit_of_charging_held_back_comes_by_the_rule_of_the_site_once_it_is_gone() -> None:
    """A control that lets nothing be charged ends: the target has not grown behind it meanwhile."""
    held = Desired(setpoint=Setpoint(target_w=-5_000.0, max_charge_w=0.0))
    free = Desired(setpoint=Setpoint(target_w=-5_000.0))
    state = SafetyState()
    sent: list[float] = []
    for now, wish in enumerate([held] * 60 + [free] * 30):
        reading = Telemetry(power_w=sent[-1] if sent else 0.0, reactive_var=0.0, battery=GOOD)
        result = clamp(wish, reading, STORAGE, state, float(now), around=Surroundings(rules=STEADY))
        state = result.state
        sent.append(result.setpoint.target_w or 0.0)
    grown = [abs(new) - abs(old) for old, new in pairwise(sent)]
    assert sent[59] == 0.0
    assert 0.0 < max(grown) <= RAMP_W_PER_MIN / 60.0 + TINY
    assert sent[-1] < -0.9 * TAKE_W


@settings(max_examples=inputs(150), deadline=None)
@given(day=DAYS)
def test_no_day_makes_power_rise_faster_than_the_rule_of_the_site(day: list[Moment]) -> None:
    """The size of the power grows by the ramp at most, whatever control, limit or trip came and went."""
    state, now = SafetyState(), 0.0
    former: float | None = None
    for wild in day:
        moment = replace(wild, seconds=min(wild.seconds, 9.0), power_w=former or 0.0)
        now += moment.seconds
        result = stepped(state, moment, now, STEADY)
        state, power_w = result.state, result.setpoint.target_w or 0.0
        grown_w = abs(power_w) - abs(former or 0.0)

        assert former is None or grown_w <= RAMP_W_PER_MIN / 60.0 * moment.seconds + TINY
        former = power_w


@settings(max_examples=inputs(150), deadline=None)
@given(day=DAYS)
def test_no_day_frees_what_is_latched_without_an_operator(day: list[Moment]) -> None:
    state, now = SafetyState(), 0.0
    latched: set[str] = set()
    for moment in day:
        now += moment.seconds
        if moment.is_silent:
            around = Surroundings(rules=RULES, loop=LoopFacts(silent_s=moment.seconds))
            reasons, state = unheard(state, now, around=around)
        else:
            result = stepped(state, moment, now)
            reasons, state = result.reasons, result.state
            opened = {"battery far too hot", "cell deeply discharged", "thermal runaway"} & latched
            assert not latched or result.setpoint.energize is False
            assert not opened or result.setpoint.open_contactor
        present = {reason.name for reason in reasons if reason.is_latched}

        assert latched <= present
        latched = present


@settings(max_examples=inputs(100), deadline=None)
@given(day=DAYS)
def test_no_day_turns_power_around_without_a_pause(day: list[Moment]) -> None:
    state, now = SafetyState(), 0.0
    moved_s, moved_w = -math.inf, 0.0
    for moment in day:
        now += moment.seconds
        result = stepped(state, moment, now)
        state, power_w = result.state, result.setpoint.target_w or 0.0

        assert power_w * moved_w >= 0.0 or now - moved_s >= RULES.reversal_s
        if power_w:
            moved_s, moved_w = now, power_w
