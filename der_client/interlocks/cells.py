"""Voltages of single cells: interlocks 1, 2 and 6."""

from der_client.interlocks.row import Action, Direction, Gradual, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import Situation
from schemas import codes


def has_cells(s: Situation) -> bool:
    """True where the BMS or the device tells voltages of cells."""
    return s.cell_v_max is not None or s.cell_v_min is not None


def highest_v(s: Situation) -> float | None:
    """Highest cell voltage, V."""
    return s.cell_v_max


def lowest_v(s: Situation) -> float | None:
    """Lowest cell voltage, V."""
    return s.cell_v_min


def spread_mv(s: Situation) -> float | None:
    """Highest less lowest cell voltage, mV."""
    highest, lowest = s.cell_v_max, s.cell_v_min
    return None if highest is None or lowest is None else (highest - lowest) * 1000.0


def graduals(rules: SafetyRules) -> tuple[Gradual, ...]:
    """Power that goes down before a cell is full or empty."""
    cells = rules.cells
    return (
        Gradual(
            number=1,
            name="cell voltage near its highest",
            measure=highest_v,
            start=cells.high_derate_v,
            end=cells.high_v,
            unit="V",
            direction=Direction.CHARGE,
            of_battery=True,
        ),
        Gradual(
            number=2,
            name="cell voltage near its lowest",
            measure=lowest_v,
            start=cells.low_derate_v,
            end=cells.low_v,
            unit="V",
            direction=Direction.DISCHARGE,
            is_falling=True,
            of_battery=True,
        ),
    )


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of cell voltages."""
    cells = rules.cells
    return (
        Interlock(
            number=1,
            name="cell over voltage",
            measure=highest_v,
            direction=Direction.CHARGE,
            action=Action.ZERO,
            trip_at=cells.high_v,
            clear_at=cells.high_clear_v,
            unit="V",
            trip_after_s=cells.high_after_s,
            of_battery=True,
        ),
        Interlock(
            number=1,
            name="cell far over voltage",
            measure=highest_v,
            action=Action.STANDBY,
            trip_at=cells.high_stop_v,
            clear_at=cells.high_clear_v,
            unit="V",
            is_latched=True,
            of_battery=True,
            alarm_bit=codes.AlarmStatus.EMERGENCY_LOCAL,
        ),
        Interlock(
            number=2,
            name="cell under voltage",
            measure=lowest_v,
            direction=Direction.DISCHARGE,
            action=Action.ZERO,
            trip_at=cells.low_v,
            clear_at=cells.low_clear_v,
            unit="V",
            trip_after_s=cells.low_after_s,
            is_falling=True,
            of_battery=True,
            alarm_bit=codes.AlarmStatus.LOW_POWER_INPUT,
        ),
        Interlock(
            number=2,
            name="cell far under voltage",
            measure=lowest_v,
            action=Action.STANDBY,
            trip_at=cells.low_stop_v,
            clear_at=cells.low_clear_v,
            unit="V",
            trip_after_s=cells.low_stop_after_s,
            is_falling=True,
            of_battery=True,
            alarm_bit=codes.AlarmStatus.EMERGENCY_LOCAL,
        ),
        Interlock(
            number=2,
            name="cell deeply discharged",
            measure=lowest_v,
            action=Action.OPEN,
            trip_at=cells.low_open_v,
            clear_at=cells.low_clear_v,
            unit="V",
            is_falling=True,
            is_latched=True,
            of_battery=True,
            alarm_bit=codes.AlarmStatus.EMERGENCY_LOCAL,
        ),
        Interlock(
            number=6,
            name="cells drift apart",
            measure=spread_mv,
            action=Action.WARN,
            trip_at=cells.spread_warn_mv,
            clear_at=cells.spread_warn_mv,
            unit="mV",
            trip_after_s=cells.spread_after_s,
            clear_after_s=10,
            of_battery=True,
        ),
        Interlock(
            number=6,
            name="cells apart",
            measure=spread_mv,
            action=Action.HALVE,
            trip_at=cells.spread_derate_mv,
            clear_at=cells.spread_clear_mv,
            unit="mV",
            trip_after_s=cells.spread_after_s,
            of_battery=True,
        ),
        Interlock(
            number=6,
            name="cells far apart",
            measure=spread_mv,
            action=Action.ZERO,
            trip_at=cells.spread_stop_mv,
            clear_at=cells.spread_clear_mv,
            unit="mV",
            trip_after_s=cells.spread_after_s,
            of_battery=True,
            alarm_bit=codes.AlarmStatus.EMERGENCY_LOCAL,
        ),
    )
