"""Current of the battery against what its BMS allows, and whether that is to be believed: 8, 9 and 34."""

import math
from collections.abc import Sequence

from der_client.device import BatteryState
from der_client.interlocks.battery_trend import DOUBTS, is_doubtful
from der_client.interlocks.row import Action, Direction, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import Situation
from schemas import codes

LIMIT_MARGIN = 4.0
"""A battery limit may exceed the inverter's rating by this factor before it counts as implausible."""
CVL_TOLERANCE = 0.005
EMERGENCY, OVER_CURRENT = codes.AlarmStatus.EMERGENCY_LOCAL, codes.AlarmStatus.OVER_CURRENT


def each(state: BatteryState | None) -> tuple[BatteryState, ...]:
    """The battery and, where several packs are one, each of them; nothing where no BMS speaks."""
    return () if state is None else (state, *state.packs)


def largest(values: Sequence[float]) -> float | None:
    """The largest, one that is no number before all; None of nothing."""
    return max(values, key=lambda value: math.inf if math.isnan(value) else value, default=None)


def charge_excess_a(s: Situation) -> float | None:
    """Charging current above CCL and the tolerance, of the battery or the worst of its packs, A."""
    return largest([_excess_a(-one.current_a, one.charge_limit_a, s.rules) for one in each(s.state)])


def discharge_excess_a(s: Situation) -> float | None:
    """Discharging current above DCL and the tolerance, of the battery or the worst of its packs, A."""
    return largest([_excess_a(one.current_a, one.discharge_limit_a, s.rules) for one in each(s.state)])


def implausible(s: Situation) -> float | None:
    """1 where a limit is no number, negative, outside of the settings, or far above the device; else 0."""
    if s.state is None:
        return None
    return float(is_doubtful(s.state, s.rules) or _widest_w(s.state) > LIMIT_MARGIN * _rated_w(s))


def doubts(s: Situation) -> float | None:
    """Limits that cannot be believed within the last 10 s."""
    return float(len(s.trends.battery.doubts)) if s.state else None


def above_cvl_v(s: Situation) -> float | None:
    """Voltage of the battery above its charge voltage limit and the tolerance, V."""
    return s.state.voltage_v - s.state.charge_voltage_v * (1 + CVL_TOLERANCE) if s.state else None


def _excess_a(current_a: float, limit_a: float, rules: SafetyRules) -> float:
    return current_a - limit_a - max(rules.current.over_pct / 100.0 * limit_a, rules.current.over_a)


def _widest_w(state: BatteryState) -> float:
    return max(state.charge_limit_w, state.discharge_limit_w)


def _rated_w(s: Situation) -> float:
    plate = s.nameplate
    return max(plate.max_charge_w or 0.0, plate.max_discharge_w or 0.0, plate.max_w)


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of currents and limits."""
    c = rules.current
    return (
        Interlock(
            number=8,
            name="charge current above CCL",
            measure=charge_excess_a,
            direction=Direction.CHARGE,
            action=Action.HALVE,
            unit="A",
            trip_after_s=c.over_after_s,
            clear_after_s=10,
            of_battery=True,
            alarm_bit=OVER_CURRENT,
            does="CCL is obeyed at once, its rise at `current.step_up_a_per_s`",
        ),
        Interlock(
            number=8,
            name="charge current stays over CCL",
            measure=charge_excess_a,
            action=Action.STANDBY,
            unit="A",
            trip_after_s=c.stop_after_s,
            clear_after_s=60,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=8,
            name="discharge current above DCL",
            measure=discharge_excess_a,
            direction=Direction.DISCHARGE,
            action=Action.HALVE,
            unit="A",
            trip_after_s=c.over_after_s,
            clear_after_s=10,
            of_battery=True,
            alarm_bit=OVER_CURRENT,
            does="DCL is obeyed at once, its rise at `current.step_up_a_per_s`",
        ),
        Interlock(
            number=8,
            name="discharge current stays over DCL",
            measure=discharge_excess_a,
            action=Action.STANDBY,
            unit="A",
            trip_after_s=c.stop_after_s,
            clear_after_s=60,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=9,
            name="battery limit implausible",
            measure=implausible,
            action=Action.WARN,
            trip_at=1,
            clear_at=1,
            clear_after_s=10,
            of_battery=True,
            does="the lowest valid limit holds; no number and a negative one are 0",
        ),
        Interlock(
            number=9,
            name="battery limits not believed",
            measure=doubts,
            action=Action.ZERO,
            trip_at=DOUBTS,
            clear_at=1,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=34,
            name="charge voltage limit below the battery",
            measure=above_cvl_v,
            direction=Direction.CHARGE,
            action=Action.ZERO,
            unit="V",
            trip_at=1e-9,
            clear_at=1e-9,
            clear_after_s=10,
            of_battery=True,
            does="charge ends by power; a charge voltage of 0 is never sent",
        ),
    )
