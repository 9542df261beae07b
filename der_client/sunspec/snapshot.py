"""The control registers as they were before a test, and the way back. SunSpec models 121, 123, 124, 704.

Ratings and limits of the same models are left alone: what the device has changed of them since stays so.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from der_client.device import Fault, FaultKind
from der_client.sunspec.connection import fault_of, run_scan
from der_client.sunspec.definitions import Point
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.permissions import DEFAULT
from der_client.sunspec.scan import Failure
from der_client.sunspec.settings import SunSpecSettings
from der_client.sunspec.transport import ModbusTransport

CONTROL_MODELS: Final = frozenset({121, 123, 124, 704})
Registers = dict[str, tuple[int, ...]]


class SunSpecKeeper:
    """The control points that may be written, on a connection of its own that is closed after each use."""

    def __init__(self, host: str, port: int, unit: int, settings: SunSpecSettings) -> None:
        self._where = (host, port, unit)
        self._settings = settings
        self._kept: Registers = {}

    async def remember(self) -> Fault | None:
        """Read all control points."""
        bus = self._bus()
        try:
            found = await self._scan(bus)
        finally:
            await bus.close()
        if isinstance(found, Fault):
            return found
        self._kept = {name: raw for name, _, _, raw in _points(found)}
        return None

    async def restore(self) -> tuple[str, ...] | Fault:
        """Write back the points that differ, what enables a function last, and look again."""
        bus = self._bus()
        try:
            found = await self._scan(bus)
            if isinstance(found, Fault):
                return found
            names = []
            for name, address, words in sorted(self._changed(found), key=_enables_last):
                failure = await bus.write(address, words)
                if failure:
                    return fault_of(failure, name)
                names.append(name)
            seen = await self._scan(bus) if names else found
        finally:
            await bus.close()
        if isinstance(seen, Fault):
            return seen
        left = ", ".join(name for name, _, _ in self._changed(seen))
        if left:
            return Fault(kind=FaultKind.READBACK, detail=f"not as before: {left}")
        return tuple(names)

    def _bus(self) -> ModbusTransport:
        return ModbusTransport(*self._where, self._settings.transport)

    async def _scan(self, bus: ModbusTransport) -> DeviceMap | Fault:
        """The control models; a Fault where one is there and is not shown: nothing could be said of it."""
        found = await run_scan(bus, self._settings.scan, CONTROL_MODELS)
        if isinstance(found, Failure):
            return fault_of(found)
        hidden = [m.model_id for m in found.models if m.model_id in CONTROL_MODELS and not m.words]
        if hidden:
            return Fault(kind=FaultKind.REFUSED, detail=f"model {hidden[0]} cannot be read")
        return found

    def _changed(self, found: DeviceMap) -> list[tuple[str, int, tuple[int, ...]]]:
        """Name, address and former registers of every group of points that is not as it was."""
        changed: dict[str, tuple[str, int, tuple[int, ...]]] = {}
        for name, model, point, raw in _points(found):
            if raw != self._kept.get(name, raw):
                group = [p for p in _group(model, point) if f"{model.model_id}.{p.name}" in self._kept]
                words = [word for p in group for word in self._kept[f"{model.model_id}.{p.name}"]]
                changed[f"{model.model_id}.{group[0].name}"] = (
                    f"{model.model_id}.{point.sync or point.name}",
                    model.address + group[0].offset,
                    tuple(words),
                )
        return list(changed.values())


def _points(found: DeviceMap) -> Iterator[tuple[str, Model, Point, tuple[int, ...]]]:
    """Every point of the control models that may be written, with its registers."""
    for model in found.models:
        if model.model_id not in CONTROL_MODELS or model.layout is None:
            continue
        for point in model.layout.points:
            raw = model.raw(point.name)
            if point.writable and raw is not None and DEFAULT.cover(model.model_id, point):
                yield f"{model.model_id}.{point.name}", model, point, raw


def _group(model: Model, point: Point) -> Sequence[Point]:
    """The point, or all of the group that must be written in one request with it."""
    if not point.sync or model.layout is None:
        return (point,)
    return [other for other in model.layout.points if other.sync == point.sync]


def _enables_last(change: tuple[str, int, tuple[int, ...]]) -> tuple[bool, int]:
    name, address, _ = change
    return name.endswith(("Ena", "StorCtl_Mod", "Conn")), address
