"""What the BMS says, or does not say: interlocks 12, 13, 14 and the heartbeat of a battery (16)."""

import math

from der_client.device import BatteryState, Fault, FaultKind
from der_client.interlocks.current import each, largest
from der_client.interlocks.row import Action, Direction, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import Situation
from schemas import codes

EMERGENCY = codes.AlarmStatus.EMERGENCY_LOCAL


def has_bms(s: Situation) -> bool:
    """True where there is a BMS, whether it speaks or not."""
    return s.battery is not None


def silence_s(s: Situation) -> float | None:
    """Age of the BMS's words; endless once it is lost, just stale while it never spoke."""
    if isinstance(s.battery, BatteryState):
        return s.battery.stale_s
    if isinstance(s.battery, Fault):
        return s.rules.bms_stale_s if s.battery.kind is FaultKind.NO_ANSWER else math.inf
    return None


def warnings(s: Situation) -> float | None:
    """Warnings of the BMS."""
    return float(len(s.state.warnings)) if s.state else None


def alarms(s: Situation) -> float | None:
    """Alarms of the BMS."""
    return float(len(s.state.alarms)) if s.state else None


def charge_forbidden(s: Situation) -> float | None:
    """1 where the BMS forbids charge."""
    return float(not s.state.charge_allowed) if s.state else None


def discharge_forbidden(s: Situation) -> float | None:
    """1 where the BMS forbids discharge."""
    return float(not s.state.discharge_allowed) if s.state else None


def unknown_contactor_a(s: Situation) -> float | None:
    """Current while the state of the contactor, which was known, is not, A."""
    if s.state is None or not s.trends.battery.knows_contactor:
        return None
    return abs(s.state.current_a) if s.state.contactor_closed is None else 0.0


def open_contactor_a(s: Situation) -> float | None:
    """Largest current through a contactor that is told to be open, of the battery or one of its packs, A."""
    told = [one for one in each(s.state) if one.contactor_closed is not None]
    return largest([0.0 if one.contactor_closed else abs(one.current_a) for one in told])


def precharge_failed(s: Situation) -> float | None:
    """1 where the precharge failed."""
    return float(s.state.precharge_failed) if s.state else None


def still_s(s: Situation) -> float | None:
    """For how long the counter of the battery's own application has stood still, s."""
    beat = s.trends.battery_beat
    return None if beat is None else max(s.trends.at_s, s.trends.battery.at_s) - beat.moved_s


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of the link to the BMS and of what it says."""
    c, link = rules.current, rules.link
    return (
        Interlock(
            number=12,
            name="BMS silent",
            measure=silence_s,
            action=Action.ZERO,
            trip_at=rules.bms_stale_s,
            clear_at=rules.bms_stale_s,
            unit="s",
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=12,
            name="BMS lost",
            measure=silence_s,
            action=Action.OPEN,
            trip_at=rules.bms_lost_s,
            clear_at=rules.bms_lost_s,
            unit="s",
            of_battery=True,
            alarm_bit=EMERGENCY,
            does="recovers after 30 s of good frames, counted by the link to the BMS",
        ),
        Interlock(
            number=13,
            name="BMS warning",
            measure=warnings,
            action=Action.WARN,
            trip_at=1,
            clear_at=1,
            of_battery=True,
        ),
        Interlock(
            number=13,
            name="BMS alarm",
            measure=alarms,
            action=Action.STANDBY,
            trip_at=1,
            clear_at=1,
            clear_after_s=c.alarm_clear_s,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=13,
            name="BMS forbids charge",
            measure=charge_forbidden,
            direction=Direction.CHARGE,
            action=Action.ZERO,
            trip_at=1,
            clear_at=1,
            of_battery=True,
        ),
        Interlock(
            number=13,
            name="BMS forbids discharge",
            measure=discharge_forbidden,
            direction=Direction.DISCHARGE,
            action=Action.ZERO,
            trip_at=1,
            clear_at=1,
            of_battery=True,
        ),
        Interlock(
            number=14,
            name="contactor unknown under load",
            measure=unknown_contactor_a,
            action=Action.WARN,
            trip_at=c.contactor_a,
            clear_at=c.contactor_a,
            unit="A",
            trip_after_s=c.contactor_after_s,
            of_battery=True,
        ),
        Interlock(
            number=14,
            name="current through an open contactor",
            measure=open_contactor_a,
            action=Action.STANDBY,
            trip_at=c.contactor_a,
            clear_at=c.contactor_a,
            unit="A",
            trip_after_s=c.contactor_after_s,
            is_latched=True,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=14,
            name="precharge failed",
            measure=precharge_failed,
            action=Action.STANDBY,
            trip_at=1,
            clear_at=1,
            trip_after_s=c.contactor_after_s,
            is_latched=True,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
        Interlock(
            number=16,
            name="heartbeat of the battery slow",
            measure=still_s,
            action=Action.ZERO,
            trip_at=link.heartbeat_warn_s,
            clear_at=link.heartbeat_warn_s,
            unit="s",
            of_battery=True,
            alarm_bit=EMERGENCY,
            does="a battery whose application stands is as silent as one that says nothing",
        ),
        Interlock(
            number=16,
            name="heartbeat of the battery stands",
            measure=still_s,
            action=Action.STANDBY,
            trip_at=link.heartbeat_s,
            clear_at=link.heartbeat_warn_s,
            unit="s",
            clear_after_s=30,
            of_battery=True,
            alarm_bit=EMERGENCY,
        ),
    )
