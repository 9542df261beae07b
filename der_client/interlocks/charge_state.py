"""State of charge: its window, and whether it is to be believed: interlocks 10 and 11."""

from der_client.interlocks.row import Action, Direction, Gradual, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import Situation
from schemas import codes


def has_soc(s: Situation) -> bool:
    """True where a state of charge is known."""
    return s.state is not None or s.telemetry.soc_pct is not None


def soc_pct(s: Situation) -> float | None:
    """State of charge, %."""
    return s.soc_pct


def jump_pct(s: Situation) -> float | None:
    """Largest step of the state of charge within 10 s, %."""
    return s.trends.battery.jump_pct


def frozen_s(s: Situation) -> float | None:
    """For how long the state of charge has stood still under load, s; 0 before enough charge has flowed."""
    trend, capacity_wh = s.trends.battery, s.nameplate.capacity_wh
    if not capacity_wh:
        return None
    return trend.still_s if trend.still_wh >= 0.02 * capacity_wh else 0.0


def empty_cell_pct(s: Situation) -> float | None:
    """State of charge that is told while a cell is empty, %; 0 while none is."""
    soc_pct, lowest_v = s.soc_pct, s.cell_v_min
    if soc_pct is None or lowest_v is None:
        return None
    return soc_pct if lowest_v < s.rules.soc.contradiction_v else 0.0


def graduals(rules: SafetyRules) -> tuple[Gradual, ...]:
    """Power that goes down before the battery is full, empty, or at its reserve."""
    soc, band = rules.soc, rules.derate_band_pct
    full = (rules.full_pct - band, rules.full_pct)
    reserve = (rules.reserve_pct + band, rules.reserve_pct)
    empty = (soc.empty_derate_pct, soc.empty_pct)
    charge, discharge = Direction.CHARGE, Direction.DISCHARGE
    return tuple(
        Gradual(
            number=10,
            name=name,
            measure=soc_pct,
            start=start,
            end=end,
            unit="%",
            direction=direction,
            is_falling=direction is discharge,
            of_battery=True,
        )
        for name, (start, end), direction in (
            ("nearly full", full, charge),
            ("near the reserve", reserve, discharge),
            ("nearly empty", empty, discharge),
        )
    )


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of state of charge."""
    soc = rules.soc
    return (
        Interlock(
            number=10,
            name="state of charge full",
            measure=soc_pct,
            direction=Direction.CHARGE,
            action=Action.ZERO,
            trip_at=rules.full_pct,
            clear_at=rules.full_pct - rules.hysteresis_pct,
            unit="%",
            trip_after_s=soc.after_s,
            of_battery=True,
        ),
        Interlock(
            number=10,
            name="state of charge at reserve",
            measure=soc_pct,
            direction=Direction.DISCHARGE,
            action=Action.ZERO,
            trip_at=rules.reserve_pct,
            clear_at=rules.reserve_pct + rules.hysteresis_pct,
            unit="%",
            trip_after_s=soc.after_s,
            is_falling=True,
            of_battery=True,
            alarm_bit=codes.AlarmStatus.LOW_POWER_INPUT,
        ),
        Interlock(
            number=10,
            name="state of charge empty",
            measure=soc_pct,
            direction=Direction.DISCHARGE,
            action=Action.ZERO,
            trip_at=soc.empty_pct,
            clear_at=soc.empty_pct + rules.hysteresis_pct,
            unit="%",
            trip_after_s=soc.after_s,
            is_falling=True,
            of_battery=True,
            alarm_bit=codes.AlarmStatus.LOW_POWER_INPUT,
        ),
        Interlock(
            number=11,
            name="state of charge jumps",
            measure=jump_pct,
            action=Action.WARN,
            trip_at=soc.jump_pct,
            clear_at=soc.jump_pct,
            unit="%",
            clear_after_s=60,
            of_battery=True,
        ),
        Interlock(
            number=11,
            name="state of charge stands still",
            measure=frozen_s,
            action=Action.WARN,
            trip_at=soc.frozen_s,
            clear_at=1,
            unit="s",
            of_battery=True,
        ),
        Interlock(
            number=11,
            name="state of charge contradicts a cell",
            measure=empty_cell_pct,
            action=Action.HALVE,
            trip_at=soc.contradiction_pct + 1e-9,
            clear_at=soc.contradiction_pct,
            unit="%",
            trip_after_s=soc.contradiction_after_s,
            clear_after_s=60,
            of_battery=True,
        ),
    )
