"""The device itself and whether it does what it is told: interlocks 16, 21, 28, 29, 30, 32 and 33."""

from typing import Final

from der_client.interlocks.row import Action, Gradual, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import Situation
from schemas import codes

STAYS_OFF: Final = "power stays off its target"
STAYS_ABOVE: Final = "power stays above its limit"


def always(s: Situation) -> bool:
    """True: each reading tells of the device."""
    del s
    return True


def still_s(s: Situation) -> float | None:
    """For how long the counter of the device's own application has stood still, s."""
    beat = s.trends.beat
    return None if beat is None else s.trends.at_s - beat.moved_s


def off_target_s(s: Situation) -> float | None:
    """For how long power has been off its target, after the device had time for it, s."""
    since_s = s.trends.off_since_s
    return 0.0 if since_s is None else s.trends.at_s - since_s


def over_limit_s(s: Situation) -> float | None:
    """For how long power has been above what was allowed, after the device had time for it, s."""
    since_s = s.trends.over_since_s
    return 0.0 if since_s is None else s.trends.at_s - since_s


def inputs(s: Situation) -> float | None:
    """Safety inputs that are active."""
    return float(len(s.telemetry.inputs))


def is_local(s: Situation) -> float | None:
    """1 where the device is under local control."""
    return float(s.telemetry.local_control)


def is_unverified(s: Situation) -> float | None:
    """1 where firmware or model are not those that were identified before."""
    return float(s.around.loop.is_unverified)


def energy_fault(s: Situation) -> float | None:
    """1 where counters of energy cannot be true."""
    return float(s.trends.energy_fault)


def temperature_c(s: Situation) -> float | None:
    """Highest temperature of the inverter, degC."""
    temperatures = s.telemetry.temperatures_c
    return max(temperatures.values()) if temperatures else None


def graduals(rules: SafetyRules) -> tuple[Gradual, ...]:
    """Power that goes down while the inverter is hot."""
    return (
        Gradual(
            number=33,
            name="inverter hot",
            measure=temperature_c,
            start=rules.inverter.derate_c,
            end=rules.inverter.stop_c,
            unit="degC",
        ),
    )


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of the device."""
    link, response = rules.link, rules.response
    return (
        Interlock(
            number=16,
            name="heartbeat of the device slow",
            measure=still_s,
            action=Action.WARN,
            trip_at=link.heartbeat_warn_s,
            clear_at=link.heartbeat_warn_s,
            unit="s",
        ),
        Interlock(
            number=16,
            name="heartbeat of the device stands",
            measure=still_s,
            action=Action.NO_WRITE,
            trip_at=link.heartbeat_s,
            clear_at=link.heartbeat_warn_s,
            unit="s",
            does="as a lost device: identified anew before any write",
        ),
        Interlock(
            number=21,
            name="power off its target",
            measure=off_target_s,
            action=Action.WARN,
            trip_at=response.settle_s,
            clear_at=response.settle_s,
            unit="s after the ramp",
        ),
        Interlock(
            number=21,
            name=STAYS_OFF,
            measure=off_target_s,
            action=Action.WARN,
            trip_at=response.stop_after_s,
            clear_at=response.settle_s,
            unit="s after the ramp",
            does="the control counts as followed in part",
        ),
        Interlock(
            number=21,
            name="power above its limit",
            measure=over_limit_s,
            action=Action.HALVE,
            trip_at=response.settle_s,
            clear_at=response.settle_s,
            unit="s after the ramp",
            clear_after_s=response.settle_s,
            does="a lower limit",
        ),
        Interlock(
            number=21,
            name=STAYS_ABOVE,
            measure=over_limit_s,
            action=Action.STANDBY,
            trip_at=response.stop_after_s,
            clear_at=response.settle_s,
            unit="s after the ramp",
            clear_after_s=response.clear_s,
        ),
        Interlock(
            number=28,
            name="safety input active",
            measure=inputs,
            action=Action.OPEN,
            trip_at=1,
            clear_at=1,
            is_latched=True,
            alarm_bit=codes.AlarmStatus.EMERGENCY_LOCAL,
            does="ground fault, open door, fire, gas, emergency stop",
        ),
        Interlock(
            number=29,
            name="device under local control",
            measure=is_local,
            action=Action.NO_WRITE,
            trip_at=1,
            clear_at=1,
        ),
        Interlock(
            number=30,
            name="firmware or model changed",
            measure=is_unverified,
            action=Action.NO_WRITE,
            trip_at=1,
            clear_at=1,
            does="scanned again; another model waits for an operator",
        ),
        Interlock(
            number=32,
            name="energy counters implausible",
            measure=energy_fault,
            action=Action.WARN,
            trip_at=1,
            clear_at=1,
            clear_after_s=60,
            does="the sample is dropped",
        ),
        Interlock(
            number=33,
            name="inverter too hot",
            measure=temperature_c,
            action=Action.STANDBY,
            trip_at=rules.inverter.stop_c,
            clear_at=rules.inverter.derate_c,
            unit="degC",
            trip_after_s=rules.inverter.stop_after_s,
            alarm_bit=codes.AlarmStatus.EMERGENCY_LOCAL,
        ),
    )
