"""A look at a device's registers from outside the client: own connection, read only."""

from collections.abc import Sequence
from dataclasses import dataclass

from der_client.sunspec.bus import Bus
from der_client.sunspec.codec import Value, Words
from der_client.sunspec.connection import run_scan
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.scan import Failure, ScanSettings
from der_client.sunspec.transport import ModbusTransport, TransportSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAndValue:
    """One point from outside: bus address, registers, engineering value (`None`: not implemented)."""

    address: int
    raw: Words
    value: Value | None


class ObserverError(Exception):
    """The device did not answer, or has no such point."""


async def read_points(
    host: str,
    port: int,
    unit: int,
    names: Sequence[str],
    *,
    scan: ScanSettings | None = None,
    transport: TransportSettings | None = None,
) -> dict[str, RawAndValue]:
    """The points named like `704.WMaxLimPct`, read over a connection of its own that is closed again.

    Raises ObserverError where the device does not answer or lacks a point, ValueError for a name without
    model.
    """
    wanted = {name: _split(name) for name in names}
    settings = transport or TransportSettings()
    own = Bus(settings.line(host, port), settings.bus)
    bus = ModbusTransport(host, port, unit, settings, own)
    try:
        found = await run_scan(bus, scan or ScanSettings(), frozenset(model for model, _ in wanted.values()))
    finally:
        await bus.close()
    if isinstance(found, Failure):
        raise ObserverError(found.detail)
    return {name: _seen(found, model_id, point) for name, (model_id, point) in wanted.items()}


def _split(name: str) -> tuple[int, str]:
    model_id, _, point = name.partition(".")
    if not model_id.isdigit() or not point:
        msg = f"{name!r} is not of the form 704.WMaxLimPct"
        raise ValueError(msg)
    return int(model_id), point


def _seen(device_map: DeviceMap, model_id: int, name: str) -> RawAndValue:
    model = device_map.first(model_id)
    point = model.point(name) if model else None
    raw = model.raw(name) if model else None
    if model is None or point is None or raw is None:
        msg = f"the device has no point {model_id}.{name}"
        raise ObserverError(msg)
    return RawAndValue(address=model.address + point.offset, raw=raw, value=model.value_of(point))
