"""A setting of model 123 or 124 with its window, ramp and reversion: what it is at a time. Pure.

A changed setpoint takes effect when its enable is written. SunSpec model 123: WinTms, RmpTms, RvrtTms.
"""

import math

RAMP_STEP_S = 1.0


class Timed:
    """One timed setting that is `neutral` while its function is disabled."""

    def __init__(self, neutral: float) -> None:
        self._neutral = neutral
        self._before = self._after = neutral
        self._starts_at = -math.inf
        self._ramp_s = 0.0
        self._ends_at = math.inf
        self.is_enabled = False

    def enable(self, value: float, now: float, *, wait_s: float, ramp_s: float, revert_s: float) -> None:
        """Go to a value: after a wait, over a ramp, until the function reverts (0: never)."""
        self._before, self._after = self.at(now), value
        self._starts_at, self._ramp_s = now + wait_s, ramp_s
        self._ends_at = now + revert_s if revert_s > 0 else math.inf
        self.is_enabled = True

    def disable(self, now: float) -> None:
        """End the function at once."""
        del now
        self._before = self._after = self._neutral
        self._ends_at, self.is_enabled = math.inf, False

    def at(self, now: float) -> float:
        """The value at a time."""
        if now < self._starts_at:
            return self._before
        if self._ramp_s <= 0:
            return self._after
        part = min(1.0, (now - self._starts_at) / self._ramp_s)
        return self._before + (self._after - self._before) * part

    def next_at(self, now: float) -> float:
        """When it is next another: the start, a step of the ramp, the end."""
        if now < self._starts_at:
            return min(self._starts_at, self._ends_at)
        if now < self._starts_at + self._ramp_s:
            return min(now + RAMP_STEP_S, self._starts_at + self._ramp_s, self._ends_at)
        return self._ends_at

    def has_ended(self, now: float) -> bool:
        """True once at the time when it reverts."""
        if now < self._ends_at:
            return False
        self.disable(now)
        return True
