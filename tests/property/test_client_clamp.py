import math

from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.desired import Desired
from der_client.device import BatteryState, Fault, FaultKind, Nameplate, Setpoint, Telemetry
from der_client.interlocks import SafetyRules
from der_client.safety import SafetyState, Surroundings, clamp

ANY = st.floats(allow_nan=True, allow_infinity=True)
WATTS = st.one_of(ANY, st.floats(-20_000, 20_000))
PERCENT = st.one_of(ANY, st.floats(-10, 110))
AMPERES = st.one_of(ANY, st.floats(-10, 400))

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
    set_max_w=9_000,
    set_max_va=11_000,
    set_max_var=4_400,
    set_max_var_neg=4_400,
    max_charge_w=5_000.0,
    max_discharge_w=8_000.0,
)

BATTERIES = st.builds(
    BatteryState,
    voltage_v=st.one_of(ANY, st.floats(0, 60)),
    current_a=AMPERES,
    soc_pct=PERCENT,
    soh_pct=PERCENT,
    temperature_c=ANY,
    charge_limit_a=AMPERES,
    discharge_limit_a=AMPERES,
    charge_voltage_v=ANY,
    charge_allowed=st.booleans(),
    discharge_allowed=st.booleans(),
    alarms=st.frozensets(st.sampled_from(["a", "b"]), max_size=1),
    stale_s=st.floats(0, 20),
)
FAULTS = st.builds(Fault, kind=st.sampled_from(FaultKind), detail=st.just("silent"))
WISHES = st.builds(
    Desired,
    setpoint=st.builds(
        Setpoint,
        max_w_pct=st.none() | PERCENT,
        target_w=st.none() | WATTS,
        grad_w_pct_per_s=st.none() | st.floats(-1, 200),
    ),
    limit_ramp_s=st.none() | st.floats(0, 60),
    target_ramp_s=st.none() | st.floats(0, 60),
    charge_ramp_s=st.none() | st.floats(0, 60),
    leave_ramp_s=st.none() | st.floats(0, 60),
)
STEPS = st.lists(
    st.tuples(st.floats(0, 30), WISHES, WATTS, st.one_of(BATTERIES, FAULTS)), min_size=1, max_size=8
)


def _most_w(battery: BatteryState | Fault, rules: SafetyRules) -> tuple[float, float]:
    """Charge and discharge that are allowed at most, written down independently of the code under test."""
    if isinstance(battery, Fault) or battery.alarms or battery.stale_s >= rules.bms_stale_s:
        return 0.0, 0.0
    charge = min(battery.charge_limit_w, 5_000.0) if battery.charge_limit_w > 0 else 0.0
    discharge = min(battery.discharge_limit_w, 8_000.0) if battery.discharge_limit_w > 0 else 0.0
    if not math.isfinite(battery.soc_pct):
        return 0.0, 0.0
    if battery.soc_pct >= rules.full_pct:
        charge = 0.0
    if battery.soc_pct <= rules.reserve_pct:
        discharge = 0.0
    return charge, discharge


@settings(deadline=None)
@given(steps=STEPS)
def test_no_input_makes_a_battery_do_more_than_rating_bms_and_state_of_charge_allow(
    steps: list[tuple[float, Desired, float, BatteryState | Fault]],
) -> None:
    rules, state, now = SafetyRules(), SafetyState(), 0.0
    for dt_s, wish, power_w, battery in steps:
        now += dt_s
        reading = Telemetry(power_w=power_w, reactive_var=0.0, battery=battery)
        result = clamp(wish, reading, STORAGE, state, now, around=Surroundings(rules=rules))
        state = result.state
        charge_w, discharge_w = _most_w(battery, rules)

        assert result.setpoint.target_w is not None
        assert -charge_w <= result.setpoint.target_w <= discharge_w
        assert result.setpoint.max_w_pct is None or 0.0 <= result.setpoint.max_w_pct <= 100.0


@settings(deadline=None)
@given(steps=st.lists(st.tuples(st.floats(0, 30), WISHES, WATTS), min_size=1, max_size=8))
def test_no_input_makes_a_generator_do_more_than_its_limit_and_rating(
    steps: list[tuple[float, Desired, float]],
) -> None:
    state, now = SafetyState(), 0.0
    for dt_s, wish, power_w in steps:
        now += dt_s
        reading = Telemetry(power_w=power_w, reactive_var=0.0)
        result = clamp(wish, reading, STORAGE, state, now, around=Surroundings())
        state = result.state
        setpoint = result.setpoint

        limit_w = 9_000.0 if setpoint.max_w_pct is None else 90.0 * setpoint.max_w_pct
        assert setpoint.target_w is None or -5_000.0 <= setpoint.target_w <= limit_w + 1e-6
