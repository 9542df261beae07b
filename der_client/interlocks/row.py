"""What an interlock is, and the engine that trips, holds and clears it. Pure.

An interlock trips when its measure has stood at `trip_at` or beyond for `trip_after_s`, and clears when it
has stood on the good side of `clear_at` for `clear_after_s`. What is not measured changes nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum

from der_client.interlocks.situation import Situation


class Direction(StrEnum):
    """Which way of the power an interlock acts on."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    BOTH = "both"


class Action(Enum):
    """What a tripped interlock does. The value is its letters in the published list.

    NO_RAISE keeps power from starting and rising; NO_WRITE leaves the device to its reversion timers;
    HOLD_EVENTS goes on with what the programs wanted last; an order of an operator and the caps of a site
    do not wait.
    """

    WARN = "W"
    HALVE = "D 50 %"
    NO_RAISE = "no raise"
    ZERO = "Z"
    STANDBY = "Z S"
    OPEN = "Z S O"
    NO_WRITE = "no writes"
    HOLD_EVENTS = "hold events"


STOPS = frozenset({Action.STANDBY, Action.OPEN})
"""Actions that take the inverter out of service."""
BLOCKS = STOPS | {Action.ZERO}
"""Actions that leave no power in their direction."""

Measure = Callable[[Situation], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interlock:
    """One level of one interlock; `number` is that of the published list, 36 is the rate of temperature.

    `alarm_bit` is the bit of DERStatus.alarmStatus that stands for it, `None` where none fits. A latched
    interlock stays until an operator resets it. `is_falling` tells that low values are bad. `of_battery`
    says that it limits the battery and not a generator. `left_w` is the power that is left in a blocked
    direction. `does` says what it does beyond its action.
    """

    number: int
    name: str
    measure: Measure
    action: Action
    direction: Direction = Direction.BOTH
    trip_at: float = 0.0
    clear_at: float = 0.0
    unit: str = ""
    trip_after_s: float = 0.0
    clear_after_s: float = 0.0
    is_falling: bool = False
    is_latched: bool = False
    of_battery: bool = False
    alarm_bit: int | None = None
    left_w: Measure | None = None
    does: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradual:
    """Power that goes down in a straight line while a measure goes from `start` to `end`.

    No delay, no memory: at `start` all of the power is left, at `end` and beyond nothing but `left_w`.
    """

    number: int
    name: str
    measure: Measure
    start: float
    end: float
    unit: str
    direction: Direction = Direction.BOTH
    is_falling: bool = False
    of_battery: bool = False
    left_w: Measure | None = None

    def share(self, situation: Situation) -> float | None:
        """Share of the power that is left, 1 to 0; None where nothing is measured. No number: nothing."""
        value = self.measure(situation)
        if value is None:
            return None
        if math.isnan(value):
            return 0.0
        if self.start == self.end:
            return float(value > self.end if self.is_falling else value < self.end)
        return min(1.0, max(0.0, (self.end - value) / (self.end - self.start)))


@dataclass(frozen=True, slots=True)
class Held:
    """State of one interlock; `since_s` is when the condition for the next change began."""

    is_tripped: bool = False
    since_s: float | None = None


IDLE = Held()
TRIPPED = Held(True)


def advanced(interlock: Interlock, held: Held, situation: Situation, now: float) -> Held:
    """State of an interlock at `now`, s (monotonic). A measure that is not a number counts as the worst."""
    value = interlock.measure(situation)
    if value is None:
        return TRIPPED if held.is_tripped else IDLE
    if held.is_tripped:
        if interlock.is_latched or not _is_good(interlock, value):
            return TRIPPED
        return _after(held, now, interlock.clear_after_s)
    if is_bad(interlock, value):
        return _after(held, now, interlock.trip_after_s)
    return IDLE


def may_reset(interlock: Interlock, situation: Situation) -> bool:
    """True where an operator may reset a latched interlock: its measure is good, or there is none."""
    value = interlock.measure(situation)
    return value is None or _is_good(interlock, value)


def is_bad(interlock: Interlock, value: float | None) -> bool:
    """True for a measure at its level or beyond, and for one that is no number."""
    if value is None:
        return False
    if interlock.is_falling:
        return not value > interlock.trip_at
    return not value < interlock.trip_at


def _is_good(interlock: Interlock, value: float) -> bool:
    return value > interlock.clear_at if interlock.is_falling else value < interlock.clear_at


def _after(held: Held, now: float, delay_s: float) -> Held:
    """Turn the state over once its condition has held for `delay_s` without a gap."""
    since_s = now if held.since_s is None else held.since_s
    if now - since_s >= delay_s:
        return IDLE if held.is_tripped else TRIPPED
    return Held(held.is_tripped, since_s)
