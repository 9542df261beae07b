"""What interlocks must remember to measure change: rates, jumps, things that stand still. Pure.

`Trends.after` gives the memory one reading later; a gap of a minute begins a new one.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Final, Self

from der_client.device import BatteryState, Fault, Nameplate, Telemetry
from der_client.interlocks.battery_trend import BatteryTrend
from der_client.interlocks.rules import SafetyRules

GAP_S: Final = 60.0
"""After so long without a reading nothing that was seen before is compared any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A counter that must move: its value and when it moved last."""

    value: int
    moved_s: float

    def after(self, value: int, now: float) -> "Beat":
        """The beat with what the counter shows now."""
        return self if value == self.value else Beat(value=value, moved_s=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What was sent: power that is to be reached and that must not be exceeded, W.

    The device has until `due_s` for it.
    """

    target_w: float | None
    limit_w: float | None
    due_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Power between which a device has to be from `due_s` on, W."""

    low_w: float
    high_w: float
    due_s: float

    @classmethod
    def of(cls, expected: Expected) -> Self:
        """The bound of what was sent: a target may be exceeded in neither direction."""
        most_w = math.inf if expected.target_w is None else abs(expected.target_w)
        limit_w = math.inf if expected.limit_w is None else expected.limit_w
        return cls(low_w=-most_w, high_w=min(most_w, limit_w), due_s=expected.due_s)

    def is_left(self, power_w: float, tolerance_w: float) -> bool:
        """True for power outside, by more than the tolerance."""
        return not self.low_w - tolerance_w <= power_w <= self.high_w + tolerance_w

    def then(self, new: "Bound", *, is_exceeded: bool) -> "Bound":
        """The bound after a new one: a wider one is due when this one was.

        What exceeds this one gets no time anew by a narrower one: till that is due it must come into this.
        """
        is_wider = new.low_w <= self.low_w and new.high_w >= self.high_w
        if not is_exceeded and not is_wider:
            return new
        low_w, high_w = min(self.low_w, new.low_w), max(self.high_w, new.high_w)
        return Bound(low_w=low_w, high_w=high_w, due_s=self.due_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """What is remembered between two readings; `at_s` is the time of the last one.

    `off_since_s` and `over_since_s` say since when the power has been off its target, or outside of its
    bound, after the device had time for it. `energy_fault` tells that the last counters cannot be true.
    """

    at_s: float = -math.inf
    battery: BatteryTrend = field(default_factory=BatteryTrend)
    beat: Beat | None = None
    battery_beat: Beat | None = None
    injected_wh: float | None = None
    absorbed_wh: float | None = None
    energy_s: float = -math.inf
    energy_fault: bool = False
    off_since_s: float | None = None
    over_since_s: float | None = None
    expected: Expected | None = None
    bound: Bound | None = None
    server_ahead_s: float | None = None
    server_jump_s: float = 0.0

    def after(
        self,
        telemetry: Telemetry,
        nameplate: Nameplate,
        rules: SafetyRules,
        now: float,
        *,
        server_ahead_s: float | None,
    ) -> Self:
        """The memory with one more reading, at `now`, monotonic, s."""
        past = self if now - self.at_s <= GAP_S else self._after_gap()
        state = telemetry.battery if isinstance(telemetry.battery, BatteryState) else None
        tolerance_w = max(
            rules.response.tolerance_pct / 100.0 * nameplate.set_max_w, rules.response.tolerance_w
        )
        off_s = _off_since_s(past, telemetry.power_w, tolerance_w, now)
        over_s = _over_since_s(past, telemetry.power_w, tolerance_w, now)
        injected_wh, absorbed_wh, energy_s, is_wrong = _energy(past, telemetry, nameplate, rules, now)
        return type(self)(
            at_s=now,
            battery=_battery(past.battery, telemetry, nameplate, rules, now),
            beat=_beat(past.beat, telemetry.heartbeat, now),
            battery_beat=_beat(past.battery_beat, state.heartbeat if state else None, now),
            injected_wh=injected_wh,
            absorbed_wh=absorbed_wh,
            energy_s=energy_s,
            energy_fault=is_wrong,
            off_since_s=off_s,
            over_since_s=over_s,
            expected=past.expected,
            bound=past.bound if over_s is not None or past.over_since_s is None else _bound(past.expected),
            server_ahead_s=past.server_ahead_s if server_ahead_s is None else server_ahead_s,
            server_jump_s=_jump(past.server_ahead_s, server_ahead_s),
        )

    def beside(self, telemetry: Telemetry, nameplate: Nameplate, rules: SafetyRules, now: float) -> Self:
        """The memory with what a BMS says, at `now`, monotonic, s, while its inverter gives no reading."""
        past = self.battery if now - self.battery.at_s <= GAP_S else BatteryTrend()
        told = telemetry.battery.heartbeat if isinstance(telemetry.battery, BatteryState) else None
        battery = _battery(past, telemetry, nameplate, rules, now)
        return replace(self, battery=battery, battery_beat=_beat(self.battery_beat, told, now))

    def unwritten(self) -> Self:
        """The memory while the device is told nothing: then nothing is expected of it."""
        return replace(self, expected=None, bound=None, off_since_s=None, over_since_s=None)

    def _after_gap(self) -> Self:
        return replace(self.unwritten(), battery=BatteryTrend(), beat=None, battery_beat=None)

    def clock(self, server_ahead_s: float | None) -> Self:
        """The memory without a reading: only the clock was looked at."""
        ahead_s = self.server_ahead_s if server_ahead_s is None else server_ahead_s
        return replace(self, server_ahead_s=ahead_s, server_jump_s=_jump(self.server_ahead_s, server_ahead_s))

    def sent(
        self, target_w: float | None, limit_w: float | None, ramp_s: float, band_w: float, now: float
    ) -> Self:
        """The memory with what the device is told now; a change within `band_w` does not start anew."""
        old = self.expected
        if old is not None and _near(old.target_w, target_w, band_w) and _near(old.limit_w, limit_w, band_w):
            return self
        fresh = Expected(target_w=target_w, limit_w=limit_w, due_s=now + ramp_s)
        bound = Bound.of(fresh)
        if self.bound is not None:
            bound = self.bound.then(bound, is_exceeded=self.over_since_s is not None)
        return replace(self, expected=fresh, bound=bound)


def _battery(
    past: BatteryTrend, telemetry: Telemetry, nameplate: Nameplate, rules: SafetyRules, now: float
) -> BatteryTrend:
    """The memory of a battery with what is said of it now; as it was where nothing is."""
    state = telemetry.battery if isinstance(telemetry.battery, BatteryState) else None
    if state is not None or telemetry.soc_pct is not None or telemetry.cells is not None:
        return past.after(telemetry, state, nameplate, rules, now)
    return past.silent(now) if isinstance(telemetry.battery, Fault) else past


def _beat(beat: Beat | None, value: int | None, now: float) -> Beat | None:
    if value is None:
        return None
    return Beat(value=value, moved_s=now) if beat is None else beat.after(value, now)


def _jump(old_s: float | None, new_s: float | None) -> float:
    return 0.0 if old_s is None or new_s is None else abs(new_s - old_s)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _near(old: float | None, new: float | None, band: float) -> bool:
    if old is None or new is None:
        return old is new
    return abs(old - new) <= band


def _bound(expected: Expected | None) -> Bound | None:
    return None if expected is None else Bound.of(expected)


def _off_since_s(past: Trends, power_w: float, tolerance_w: float, now: float) -> float | None:
    """Since when power is off its target; None while it is not."""
    expected = past.expected
    if expected is None or expected.target_w is None or not math.isfinite(power_w) or now < expected.due_s:
        return None
    if abs(power_w - expected.target_w) <= tolerance_w:
        return None
    return max(expected.due_s, past.at_s) if past.off_since_s is None else past.off_since_s


def _over_since_s(past: Trends, power_w: float, tolerance_w: float, now: float) -> float | None:
    """Since when power is outside of its bound; None while it is not."""
    known = [bound for bound in (past.bound, _bound(past.expected)) if bound is not None]
    over = [bound for bound in known if bound.due_s <= now and bound.is_left(power_w, tolerance_w)]
    if not over or not math.isfinite(power_w):
        return None
    begins_s = max(min(bound.due_s for bound in over), past.at_s)
    return begins_s if past.over_since_s is None else past.over_since_s


def _energy(
    past: Trends, telemetry: Telemetry, nameplate: Nameplate, rules: SafetyRules, now: float
) -> tuple[float | None, float | None, float, bool]:
    """Counters that are believed, their time, and whether the new ones are not. Interlock 32."""
    injected_wh, absorbed_wh = telemetry.injected_wh, telemetry.absorbed_wh
    if injected_wh is None and absorbed_wh is None:
        return past.injected_wh, past.absorbed_wh, past.energy_s, False
    rating_w = max(nameplate.max_w, nameplate.max_charge_w or 0.0)
    most_wh = rules.inverter.energy_factor * rating_w * max(0.0, now - past.energy_s) / 3600.0 + 1000.0
    steps = ((past.injected_wh, injected_wh), (past.absorbed_wh, absorbed_wh))
    is_wrong = any(
        new is not None and not (math.isfinite(new) and (old is None or 0.0 <= new - old <= most_wh))
        for old, new in steps
    )
    if is_wrong and now - past.energy_s <= GAP_S:
        return past.injected_wh, past.absorbed_wh, past.energy_s, True
    return _finite(injected_wh), _finite(absorbed_wh), now, is_wrong
