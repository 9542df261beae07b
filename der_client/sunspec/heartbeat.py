"""The heartbeat of a device: a counter that must move while Modbus answers. SunSpec model 715."""

from dataclasses import dataclass

COUNTER_END = 0xFFFFFFFF


@dataclass(slots=True)
class HeartbeatWatch:
    """Sees whether the counter moved; `limit_s` without movement makes what the device says stale."""

    limit_s: float
    _value: int | None = None
    _moved_s: float = 0.0

    def silent_s(self, value: int | None, now_s: float) -> float:
        """Seconds since the counter moved last; 0 for a device without one."""
        if value is None or value != self._value:
            self._value, self._moved_s = value, now_s
        return now_s - self._moved_s

    def is_stale(self, value: int | None, now_s: float) -> bool:
        """True if the counter has stood still for longer than the limit."""
        return self.silent_s(value, now_s) > self.limit_s


def next_beat(value: int) -> int:
    """The counter one step on; it wraps to 0 before the code that means "not implemented"."""
    return (value + 1) % COUNTER_END
