"""Links and our own loop, known without a reading of the device: interlocks 15, 17, 18, 19, 20, 31 and 35."""

from der_client.interlocks.row import Action, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import Situation


def always(s: Situation) -> bool:
    """True: these are known whatever the device says."""
    del s
    return True


def silent_s(s: Situation) -> float | None:
    """For how long the device has not answered, s."""
    return s.around.loop.silent_s


def late_periods(s: Situation) -> float | None:
    """By how many periods this control cycle began late."""
    loop = s.around.loop
    return loop.late_s / loop.period_s


def late_cycles(s: Situation) -> float | None:
    """Cycles late in a row, or periods by which one was late, whichever is more."""
    loop = s.around.loop
    return max(float(loop.late_cycles), loop.late_s / loop.period_s)


def server_lost(s: Situation) -> float | None:
    """Silence of the server as a share of the time after which it counts as lost."""
    return s.around.server_silent_share


def setpoint_invalid(s: Situation) -> float | None:
    """1 where the setpoint is no plain numbers."""
    return float(not s.setpoint_is_valid)


def setpoint_age(s: Situation) -> float | None:
    """Age of the setpoint in control periods; None where nobody tells."""
    loop = s.around.loop
    return None if loop.plan_age_s is None else loop.plan_age_s / loop.period_s


def not_held(s: Situation) -> float | None:
    """Fields of the setpoint that the device takes and does not hold."""
    return float(len(s.around.blocked))


def clock_jump_s(s: Situation) -> float | None:
    """Step of the server's clock against ours since the last look, s."""
    return s.trends.server_jump_s


def clock_offset_s(s: Situation) -> float | None:
    """How far the clock of our system is from the server's, s."""
    ahead_s = s.around.system_ahead_s
    return None if ahead_s is None else abs(ahead_s)


def writes_queued(s: Situation) -> float | None:
    """Writes that wait because registers were written too often."""
    return float(s.around.loop.writes_queued)


def writes_today(s: Situation) -> float | None:
    """Writes of the busiest register within a day, where registers are backed by flash."""
    return float(s.around.loop.writes_today) if s.rules.writes.flash_backed else None


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of what is known without a reading."""
    link, clock = rules.link, rules.clock
    warn = Action.WARN
    return (
        Interlock(
            number=15,
            name="device silent",
            measure=silent_s,
            action=warn,
            trip_at=link.silent_s,
            clear_at=link.silent_s,
            unit="s",
        ),
        Interlock(
            number=15,
            name="device lost",
            measure=silent_s,
            action=Action.NO_WRITE,
            trip_at=link.lost_s,
            clear_at=link.silent_s,
            unit="s",
            does="unavailable to the server; identified anew before any write; its reversion timers run",
        ),
        Interlock(
            number=17,
            name="control loop late",
            measure=late_periods,
            action=warn,
            trip_at=link.late_periods,
            clear_at=link.late_periods,
            unit="periods",
            clear_after_s=link.late_clear_s,
        ),
        Interlock(
            number=17,
            name="control loop not to be relied on",
            measure=late_cycles,
            action=Action.NO_WRITE,
            trip_at=link.late_cycles,
            clear_at=1,
            unit="cycles",
            clear_after_s=link.late_clear_s,
            does="the reversion timers are not refreshed and take the device to its default",
        ),
        Interlock(
            number=18,
            name="server lost",
            measure=server_lost,
            action=warn,
            trip_at=1,
            clear_at=1,
            unit="x max(3 pollRate, 15 min)",
            does="events that are known end; then the DefaultDERControl, below `server_lost_max_w`",
        ),
        Interlock(
            number=19,
            name="setpoint invalid",
            measure=setpoint_invalid,
            action=warn,
            trip_at=1,
            clear_at=1,
            does="the last valid setpoint holds",
        ),
        Interlock(
            number=19,
            name="setpoint stale",
            measure=setpoint_age,
            action=warn,
            trip_at=link.stale_periods,
            clear_at=link.stale_periods,
            unit="periods",
            does="the last valid setpoint holds",
        ),
        Interlock(
            number=20,
            name="setpoint not held",
            measure=not_held,
            action=warn,
            trip_at=1,
            clear_at=1,
            does="the control is given up for `control.retry_s`: a limit in its place, else a stop",
        ),
        Interlock(
            number=31,
            name="clock jumps",
            measure=clock_jump_s,
            action=warn,
            trip_at=clock.jump_warn_s,
            clear_at=clock.jump_warn_s,
            unit="s",
            clear_after_s=60,
        ),
        Interlock(
            number=31,
            name="system clock wrong",
            measure=clock_offset_s,
            action=warn,
            trip_at=clock.offset_warn_s,
            clear_at=clock.offset_warn_s,
            unit="s",
            does="nothing depends on it: timers are monotonic, events go by the server's time",
        ),
        Interlock(
            number=31,
            name="clock not believed",
            measure=clock_jump_s,
            action=Action.HOLD_EVENTS,
            trip_at=clock.jump_s,
            clear_at=clock.jump_s,
            unit="s",
            clear_after_s=clock.settle_s,
            does="what programs want goes on until the time has stood without a jump; an order of a local "
            "operator and the caps of a site hold at once",
        ),
        Interlock(
            number=35,
            name="registers written too often",
            measure=writes_queued,
            action=warn,
            trip_at=1,
            clear_at=1,
            clear_after_s=30,
            does="the latest value waits; what makes power less is written at once",
        ),
        Interlock(
            number=35,
            name="flash written too often",
            measure=writes_today,
            action=warn,
            trip_at=rules.writes.per_day,
            clear_at=rules.writes.per_day,
            unit="writes",
            does="the latest value waits; what makes power less is written at once",
        ),
    )
