"""What an interlock is, and the engine that trips, holds and clears it. Pure.

A measure grows as things get worse; an interlock trips when its measure has stood at `trip_at` or above for
`trip_after_s`, and clears when it has stood below `clear_below` for `clear_after_s`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from der_client.device import BatteryState, Fault, Nameplate, Telemetry


class Direction(StrEnum):
    """Which way of the power an interlock acts on."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    BOTH = "both"


class Action(Enum):
    """What a tripped interlock does, the gravest last: warn, halve the power, hold 0 W, leave service."""

    WARN = 1
    HALVE = 2
    ZERO = 3
    STANDBY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRules:
    """What an operator may set of the safety layer; every value has hard bounds.

    `reserve_pct` is the floor of discharge, `full_pct` the ceiling of charge; power derates over
    `derate_band_pct` before each. `dead_band_pct` is the change of power, % of setMaxW, that is not worth a
    write. A change of direction waits `reversal_s` at 0 W. `server_lost_max_w` limits the power while the
    server is lost (`None`: the default control alone holds).
    """

    reserve_pct: float = 10.0
    full_pct: float = 100.0
    derate_band_pct: float = 5.0
    hysteresis_pct: float = 2.0
    dead_band_pct: float = 1.0
    reversal_s: float = 2.0
    bms_stale_s: float = 3.0
    bms_lost_s: float = 10.0
    server_lost_max_w: float | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in HARD_BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"safety.{name}: {value} outside {low} to {high}")


HARD_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "reserve_pct": (0.0, 90.0),
    "full_pct": (50.0, 100.0),
    "derate_band_pct": (0.0, 20.0),
    "hysteresis_pct": (0.0, 10.0),
    "dead_band_pct": (0.0, 10.0),
    "reversal_s": (0.0, 60.0),
    "bms_stale_s": (0.5, 10.0),
    "bms_lost_s": (1.0, 60.0),
    "server_lost_max_w": (0.0, math.inf),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the interlocks look at. `server_silent_share` is 1 when the server counts as lost."""

    telemetry: Telemetry
    nameplate: Nameplate
    battery: BatteryState | Fault | None
    rules: SafetyRules
    server_silent_share: float = 0.0
    setpoint_is_valid: bool = True

    @property
    def state(self) -> BatteryState | None:
        """The battery, where a BMS speaks."""
        return self.battery if isinstance(self.battery, BatteryState) else None

    @property
    def soc_pct(self) -> float | None:
        """State of charge by the BMS, else by the device."""
        return self.state.soc_pct if self.state else self.telemetry.soc_pct


Measure = Callable[[Situation], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interlock:
    """One row of the table; `number` is that of the published list of BESS interlocks.

    `alarm_bit` is the bit of DERStatus.alarmStatus that stands for it, `None` where none fits. A latched
    interlock stays until an operator resets it.
    """

    number: int
    name: str
    direction: Direction
    action: Action
    measure: Measure
    trip_at: float = 0.0
    clear_below: float = 0.0
    trip_after_s: float = 0.0
    clear_after_s: float = 0.0
    is_latched: bool = False
    alarm_bit: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """State of one interlock; `since_s` is when the condition for the next change began."""

    is_tripped: bool = False
    since_s: float | None = None


def advanced(interlock: Interlock, held: Held, situation: Situation, now: float) -> Held:
    """State of an interlock at `now`, s (monotonic). A measure that is not a number counts as the worst."""
    value = interlock.measure(situation)
    if value is not None and math.isnan(value):
        value = math.inf
    if held.is_tripped:
        is_good = not interlock.is_latched and (value is None or value < interlock.clear_below)
        return _after(held, now, interlock.clear_after_s, is_due=is_good)
    is_bad = value is not None and value >= interlock.trip_at
    return _after(held, now, interlock.trip_after_s, is_due=is_bad)


def _after(held: Held, now: float, delay_s: float, *, is_due: bool) -> Held:
    """Turn the state over once its condition has held for `delay_s` without a gap."""
    if not is_due:
        return Held(held.is_tripped)
    since_s = now if held.since_s is None else held.since_s
    if now - since_s >= delay_s:
        return Held(not held.is_tripped)
    return Held(held.is_tripped, since_s)
