"""Server time: the clock of all events. The only place of this package that asks the system for the time."""

import time

from function_sets import Clock

__all__ = ["Clock", "ManualClock", "ShiftedClock", "SystemClock", "milliseconds"]


class SystemClock:
    """The clock of the system, shifted where a test bench wants another time."""

    def __init__(self, offset_s: int = 0) -> None:
        self._offset_s = offset_s

    def now(self) -> int:
        """Server time, s since 1970 UTC."""
        return int(time.time()) + self._offset_s

    def now_ms(self) -> int:
        """Server time, ms since 1970 UTC."""
        return int(time.time() * 1000) + 1000 * self._offset_s


class ShiftedClock:
    """Another clock, shifted by `offset_s`, which may be changed while it runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset_s = 0

    def now(self) -> int:
        """Server time, s since 1970 UTC."""
        return self._clock.now() + self.offset_s

    def now_ms(self) -> int:
        """Server time, ms since 1970 UTC."""
        return milliseconds(self._clock) + 1000 * self.offset_s


class ManualClock:
    """A clock that stands still until it is told."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        """Server time, s since 1970 UTC."""
        return self._now

    def now_ms(self) -> int:
        """Server time, ms since 1970 UTC."""
        return 1000 * self._now

    def set(self, now: int) -> None:
        """Make it another time, earlier or later."""
        self._now = now

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self._now += seconds


def milliseconds(clock: Clock) -> int:
    """Server time, ms since 1970 UTC, as finely as the clock tells it."""
    if isinstance(clock, SystemClock | ManualClock | ShiftedClock):
        return clock.now_ms()
    return 1000 * clock.now()
