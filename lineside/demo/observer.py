"""The observer: reads registers and CAN frames by connections of its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from der_client.can import BusSettings, load_profile, watch_frames
from der_client.sunspec import ObserverError, RawAndValue, read_points

if TYPE_CHECKING:
    from collections.abc import Callable

POINTS = ("704.WMaxLimPctEna", "704.WMaxLimPct", "704.WSetEna", "704.WSet", "701.W")
PERIOD_S = 0.4
ENABLES = {"704.WMaxLimPct": "704.WMaxLimPctEna", "704.WSet": "704.WSetEna"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One observation: wall-clock time (s), device, point or signal, address or id, raw, value."""

    time_s: float
    device: str
    name: str
    address: int
    raw: str
    value: float


@dataclass(slots=True)
class Observer:
    """Keeps what it sees, and tells `on_change` of each new value."""

    on_change: Callable[[Seen], None]
    seen: list[Seen] = field(default_factory=list)
    _last: dict[tuple[str, str], float] = field(default_factory=dict)

    async def watch_registers(self, device: str, host: str, port: int) -> None:
        """Read the points of one inverter again and again; a device that does not answer is asked again."""
        while True:
            with contextlib.suppress(ObserverError):
                self._note_points(device, await read_points(host, port, 1, POINTS))
            await asyncio.sleep(PERIOD_S)

    async def watch_bus(self, device: str, host: str, port: int, profile: str) -> None:
        """Decode every frame of the bus."""
        bus = BusSettings(interface="socketcand", channel="can0", options={"host": host, "port": port})
        async with contextlib.aclosing(watch_frames(bus, load_profile(profile))) as frames:
            async for frame in frames:
                for signal, value in frame.signals.items():
                    if isinstance(value, int | float):
                        name = f"{frame.message}.{signal}"
                        self._note(device, name, frame.arbitration_id, frame.data.hex(" "), float(value))

    def values(self, device: str, name: str, since_s: float, until_s: float) -> list[Seen]:
        """What was seen of one point in a span of time."""
        return [
            s for s in self.seen if (s.device, s.name) == (device, name) and since_s <= s.time_s <= until_s
        ]

    def _note_points(self, device: str, points: dict[str, RawAndValue]) -> None:
        for name, found in points.items():
            enable = points.get(ENABLES.get(name, ""))
            if isinstance(found.value, int | float) and (enable is None or enable.value == 1):
                raw = " ".join(f"{word:04X}" for word in found.raw)
                self._note(device, name, found.address, raw, float(found.value))
            elif (device, name) in self._last:
                del self._last[device, name]

    def _note(self, device: str, name: str, address: int, raw: str, value: float) -> None:
        found = Seen(time_s=time.time(), device=device, name=name, address=address, raw=raw, value=value)
        self.seen.append(found)
        if self._last.get((device, name)) != value:
            self._last[device, name] = value
            self.on_change(found)
