"""Heartbeats, pure: the device's, which must move while Modbus answers, and ours, one up each second.

SunSpec models 715 (DERHb, ControllerHb) and 802 (Hb, CtrlHb).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from der_client.sunspec.codec import REGISTER_BITS, Words, words_of
from der_client.sunspec.model import DeviceMap

PERIOD_S: Final = 1.0
SLACK_S: Final = 0.25
"""A beat may be early by so much: readings come every second too, give or take a little."""
BATTERY_SHARE: Final = 0.5
OURS: Final = ((715, "ControllerHb"), (802, "CtrlHb"))


@dataclass(slots=True)
class HeartbeatWatch:
    """Sees whether a counter of the device moved; `limit_s` without movement makes what it says stale."""

    limit_s: float
    point: str = "715.DERHb"
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


@dataclass(frozen=True, slots=True)
class DeviceHeartbeats:
    """The counters of a device's own application and of its battery."""

    watches: tuple[HeartbeatWatch, ...]

    @classmethod
    def of(cls, limit_s: float) -> Self:
        """Both counters; `limit_s` is that of the device, the battery has half the time."""
        battery = HeartbeatWatch(limit_s * BATTERY_SHARE, "802.Hb")
        return cls((HeartbeatWatch(limit_s, "715.DERHb"), battery))

    def silent(self, device_map: DeviceMap, now_s: float) -> HeartbeatWatch | None:
        """The counter that has stood still for too long, `None` while all move."""
        stale = None
        for watch in self.watches:
            model_id, _, name = watch.point.partition(".")
            model = device_map.first(int(model_id))
            if watch.is_stale(model.integer(name) if model else None, now_s):
                stale = stale or watch
        return stale


def next_beat(value: int, size: int = 2) -> int:
    """The counter of `size` registers one step on; it wraps to 0 before the not-implemented code."""
    return (value + 1) % ((1 << REGISTER_BITS * size) - 1)


def later_beat(one: int, other: int, size: int = 2) -> int:
    """The later of two values of a counter that wraps: that to which the other one has the shorter way."""
    values = (1 << REGISTER_BITS * size) - 1
    return one if (one - other) % values < values // 2 else other


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One counter to write: point (`715.ControllerHb`), bus address, registers."""

    point: str
    address: int
    words: Words


@dataclass(slots=True)
class ControllerHeartbeat:
    """When our counters are due, and what they are. Those that the device refused are left alone."""

    _due_s: float = 0.0
    _refused: set[str] = field(default_factory=set)
    _counters: dict[str, int] = field(default_factory=dict)

    def due(self, device_map: DeviceMap, now_s: float) -> tuple[Beat, ...]:
        """The counters to write now, none before a second has passed since the last."""
        if now_s < self._due_s - SLACK_S:
            return ()
        is_on_time = now_s <= self._due_s + SLACK_S
        self._due_s = (self._due_s if is_on_time else now_s) + PERIOD_S
        return tuple(self._beats(device_map))

    def refused(self, beat: Beat) -> None:
        """The device does not take this counter."""
        self._refused.add(beat.point)

    def _beats(self, device_map: DeviceMap) -> Iterator[Beat]:
        for model_id, name in OURS:
            model, path = device_map.first(model_id), f"{model_id}.{name}"
            point = model.point(name) if model else None
            read = model.integer(name) if model else None
            if model is None or point is None or read is None or path in self._refused:
                continue
            value = next_beat(later_beat(self._counters.get(path, read), read, point.size), point.size)
            self._counters[path] = value
            yield Beat(point=path, address=model.address + point.offset, words=words_of(value, point.size))
