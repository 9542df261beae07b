"""The interlocks of a battery and its inverter: a table of data and the measures it names. Pure.

Numbers are those of the published list of BESS interlocks; times and levels are our defaults, not limits
of a certification: the pack maker's data sheet wins.
"""

import math
from functools import cache
from typing import Final

from der_client.device import BatteryState, Fault, FaultKind
from der_client.interlocks import Action, Direction, Interlock, SafetyRules, Situation
from schemas import codes

LIMIT_MARGIN: Final = 4.0
"""A battery limit may exceed the inverter's rating by this factor before it counts as implausible."""
EMERGENCY: Final = codes.AlarmStatus.EMERGENCY_LOCAL
OVER_CURRENT: Final = codes.AlarmStatus.OVER_CURRENT
LOW_INPUT: Final = codes.AlarmStatus.LOW_POWER_INPUT


def _silence_s(s: Situation) -> float | None:
    """Age of the BMS's words; endless once it is lost, just stale while it never spoke."""
    if isinstance(s.battery, BatteryState):
        return s.battery.stale_s
    if isinstance(s.battery, Fault):
        return s.rules.bms_stale_s if s.battery.kind is FaultKind.NO_ANSWER else math.inf
    return None


def _stale_s(s: Situation) -> float | None:
    silence_s = _silence_s(s)
    return None if silence_s is None else silence_s - s.rules.bms_stale_s


def _lost_s(s: Situation) -> float | None:
    silence_s = _silence_s(s)
    return None if silence_s is None else silence_s - s.rules.bms_lost_s


def _charge_excess_a(s: Situation) -> float | None:
    return _excess_a(-s.state.current_a, s.state.charge_limit_a) if s.state else None


def _discharge_excess_a(s: Situation) -> float | None:
    return _excess_a(s.state.current_a, s.state.discharge_limit_a) if s.state else None


def _excess_a(current_a: float, limit_a: float) -> float:
    """How far a current is above its limit and the tolerance of 5 %, at least 2 A."""
    return current_a - limit_a - max(0.05 * limit_a, 2.0)


def _implausible(s: Situation) -> float | None:
    """0 where a limit is no number, negative, or above what the device can do; else below."""
    if s.state is None:
        return None
    limits = (s.state.charge_limit_a, s.state.discharge_limit_a, s.state.charge_voltage_v, s.state.voltage_v)
    is_plain = all(math.isfinite(limit) and limit >= 0 for limit in limits)
    most_w = max(s.nameplate.max_charge_w or 0.0, s.nameplate.max_discharge_w or 0.0, s.nameplate.max_w)
    widest_w = max(s.state.charge_limit_w, s.state.discharge_limit_w)
    return -1.0 if is_plain and widest_w <= LIMIT_MARGIN * most_w else 0.0


def _over_full_pct(s: Situation) -> float | None:
    return None if s.soc_pct is None else s.soc_pct - s.rules.full_pct


def _under_reserve_pct(s: Situation) -> float | None:
    return None if s.soc_pct is None else s.rules.reserve_pct - s.soc_pct


def _alarms(s: Situation) -> float | None:
    return None if s.state is None else len(s.state.alarms) - 1.0


def _charge_forbidden(s: Situation) -> float | None:
    return None if s.state is None else -float(s.state.charge_allowed)


def _discharge_forbidden(s: Situation) -> float | None:
    return None if s.state is None else -float(s.state.discharge_allowed)


def _server_lost(s: Situation) -> float | None:
    return s.server_silent_share - 1.0


def _setpoint_invalid(s: Situation) -> float | None:
    return -float(s.setpoint_is_valid)


@cache
def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The table for these rules."""
    hysteresis = -rules.hysteresis_pct
    return (
        Interlock(
            number=8,
            name="charge current above CCL",
            direction=Direction.CHARGE,
            action=Action.HALVE,
            measure=_charge_excess_a,
            trip_after_s=2,
            clear_after_s=10,
            alarm_bit=OVER_CURRENT,
        ),
        Interlock(
            number=8,
            name="charge current stays over CCL",
            direction=Direction.BOTH,
            action=Action.STANDBY,
            measure=_charge_excess_a,
            trip_after_s=10,
            clear_after_s=60,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=8,
            name="discharge current above DCL",
            direction=Direction.DISCHARGE,
            action=Action.HALVE,
            measure=_discharge_excess_a,
            trip_after_s=2,
            clear_after_s=10,
            alarm_bit=OVER_CURRENT,
        ),
        Interlock(
            number=8,
            name="discharge current stays over DCL",
            direction=Direction.BOTH,
            action=Action.STANDBY,
            measure=_discharge_excess_a,
            trip_after_s=10,
            clear_after_s=60,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=9,
            name="battery limit implausible",
            direction=Direction.BOTH,
            action=Action.WARN,
            measure=_implausible,
            clear_after_s=10,
        ),
        Interlock(
            number=10,
            name="state of charge full",
            direction=Direction.CHARGE,
            action=Action.ZERO,
            measure=_over_full_pct,
            clear_below=hysteresis,
        ),
        Interlock(
            number=10,
            name="state of charge at reserve",
            direction=Direction.DISCHARGE,
            action=Action.ZERO,
            measure=_under_reserve_pct,
            clear_below=hysteresis,
            alarm_bit=LOW_INPUT,
        ),
        Interlock(
            number=12,
            name="BMS silent",
            direction=Direction.BOTH,
            action=Action.ZERO,
            measure=_stale_s,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=12,
            name="BMS lost",
            direction=Direction.BOTH,
            action=Action.STANDBY,
            measure=_lost_s,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=13,
            name="BMS alarm",
            direction=Direction.BOTH,
            action=Action.STANDBY,
            measure=_alarms,
            clear_after_s=60,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=13,
            name="BMS forbids charge",
            direction=Direction.CHARGE,
            action=Action.ZERO,
            measure=_charge_forbidden,
        ),
        Interlock(
            number=13,
            name="BMS forbids discharge",
            direction=Direction.DISCHARGE,
            action=Action.ZERO,
            measure=_discharge_forbidden,
        ),
        Interlock(
            number=18,
            name="server lost",
            direction=Direction.BOTH,
            action=Action.WARN,
            measure=_server_lost,
        ),
        Interlock(
            number=19,
            name="setpoint invalid",
            direction=Direction.BOTH,
            action=Action.WARN,
            measure=_setpoint_invalid,
        ),
    )
