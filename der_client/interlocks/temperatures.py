"""Temperatures of the battery, their spread and their rate: interlocks 3, 4, 5, 7 and 36."""

from der_client.interlocks.row import Action, Direction, Gradual, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import Situation
from schemas import codes

EMERGENCY = codes.AlarmStatus.EMERGENCY_LOCAL


def has_battery(s: Situation) -> bool:
    """True where a BMS speaks."""
    return s.state is not None


def has_temperatures(s: Situation) -> bool:
    """True where a BMS speaks, or the device tells temperatures of cells."""
    return s.state is not None or s.cell_c_max is not None or s.cell_c_min is not None


def coldest_c(s: Situation) -> float | None:
    """Lowest cell temperature, that of the battery where cells are not told, degC."""
    told = s.state.temperature_c if s.state else None
    return told if s.cell_c_min is None else s.cell_c_min


def hottest_c(s: Situation) -> float | None:
    """Highest cell temperature, that of the battery where cells are not told, degC."""
    told = s.state.temperature_c if s.state else None
    return told if s.cell_c_max is None else s.cell_c_max


def spread_k(s: Situation) -> float | None:
    """Highest less lowest cell temperature, K."""
    hottest, coldest = s.cell_c_max, s.cell_c_min
    return None if hottest is None or coldest is None else hottest - coldest


def rate_k_per_min(s: Situation) -> float | None:
    """Rise of the highest temperature, K/min."""
    return s.trends.battery.rate_k_per_min if has_temperatures(s) else None


def cold_charge_w(s: Situation) -> float | None:
    """Power that may charge a cold battery: a small share of its capacity, where its BMS permits it, W."""
    if s.state is None or not s.state.charge_allowed:
        return 0.0
    return s.rules.temperatures.cold_charge_c_rate * (s.nameplate.capacity_wh or 0.0)


def graduals(rules: SafetyRules) -> tuple[Gradual, ...]:
    """Power that goes down in the cold and in the heat."""
    t = rules.temperatures
    return (
        Gradual(
            number=3,
            name="battery cold for charge",
            measure=coldest_c,
            start=t.charge_low_derate_c,
            end=t.charge_low_c,
            unit="degC",
            direction=Direction.CHARGE,
            is_falling=True,
            of_battery=True,
            left_w=cold_charge_w,
        ),
        Gradual(
            number=4,
            name="battery hot",
            measure=hottest_c,
            start=t.high_derate_c,
            end=t.high_c,
            unit="degC",
            of_battery=True,
        ),
        Gradual(
            number=5,
            name="battery cold for discharge",
            measure=coldest_c,
            start=t.discharge_low_derate_c,
            end=t.discharge_low_end_c,
            unit="degC",
            direction=Direction.DISCHARGE,
            is_falling=True,
            of_battery=True,
        ),
    )


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of temperatures."""
    t = rules.temperatures
    return (
        Interlock(
            number=3,
            name="too cold to charge",
            measure=coldest_c,
            direction=Direction.CHARGE,
            action=Action.ZERO,
            trip_at=t.charge_low_c,
            clear_at=t.charge_low_clear_c,
            unit="degC",
            trip_after_s=t.after_s,
            is_falling=True,
            of_battery=True,
            left_w=cold_charge_w,
        ),
        Interlock(
            number=4,
            name="battery too hot",
            measure=hottest_c,
            action=Action.ZERO,
            trip_at=t.high_c,
            clear_at=t.high_clear_c,
            unit="degC",
            trip_after_s=t.after_s,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=4,
            name="battery far too hot",
            measure=hottest_c,
            action=Action.OPEN,
            trip_at=t.high_open_c,
            clear_at=t.high_clear_c,
            unit="degC",
            trip_after_s=t.high_open_after_s,
            is_latched=True,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=5,
            name="too cold to discharge",
            measure=coldest_c,
            direction=Direction.DISCHARGE,
            action=Action.ZERO,
            trip_at=t.discharge_low_c,
            clear_at=t.discharge_low_end_c,
            unit="degC",
            trip_after_s=t.after_s,
            is_falling=True,
            of_battery=True,
        ),
        Interlock(
            number=7,
            name="temperatures drift apart",
            measure=spread_k,
            action=Action.WARN,
            trip_at=t.spread_warn_k,
            clear_at=t.spread_warn_k,
            unit="K",
            trip_after_s=t.spread_after_s,
            clear_after_s=10,
            of_battery=True,
        ),
        Interlock(
            number=7,
            name="temperatures apart",
            measure=spread_k,
            action=Action.HALVE,
            trip_at=t.spread_derate_k,
            clear_at=t.spread_warn_k,
            unit="K",
            trip_after_s=t.spread_after_s,
            of_battery=True,
        ),
        Interlock(
            number=36,
            name="battery warms fast",
            measure=rate_k_per_min,
            action=Action.WARN,
            trip_at=t.rate_warn_k_per_min,
            clear_at=t.rate_warn_k_per_min,
            unit="K/min",
            trip_after_s=t.rate_after_s,
            clear_after_s=60,
            of_battery=True,
        ),
        Interlock(
            number=36,
            name="thermal runaway",
            measure=rate_k_per_min,
            action=Action.OPEN,
            trip_at=t.rate_k_per_min,
            clear_at=t.rate_warn_k_per_min,
            unit="K/min",
            trip_after_s=t.rate_after_s,
            is_latched=True,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
    )
