"""Devices in words: maps, ratings, readings, and why one could not be found. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from der_client.commissioning.trial import ratings_of
from der_client.device import BatteryState, Fault, Nameplate, Telemetry
from der_client.driver_registry import DriverKind
from der_client.sunspec import DeviceMap, Model

HINTS: Final = (
    (
        "refused",
        "the port is closed: is Modbus TCP switched on in the device, and is that its port (--port)?",
    ),
    ("not known", "the name is not known: give the address"),
    ("resolution", "the name is not known: give the address"),
    ("unreachable", "there is no way to that address: cable, VLAN, address"),
    ("exception 11", "a gateway answers, nobody is behind that unit id: try --unit 1, 2, 3, 126 or 247"),
    ("exception 10", "a gateway answers, its path is not set up: try another --unit"),
    ("exception 6", "the device is busy: another client may keep it so; try again"),
    (
        "exception 2",
        "it speaks Modbus and refuses these addresses: SunSpec switched off, or a map elsewhere (--base)",
    ),
    ("SunS marker", "it speaks Modbus, its registers are no SunSpec map: another --unit, or another --base"),
    ("protocol identifier", "what answers is no Modbus TCP: a web server, or serial frames over TCP"),
    (
        "no answer",
        "connected or not, nothing answers: another client may hold its only connection; --timeout 3",
    ),
    ("in time", "no connection in time: wrong address, a firewall, or the device sleeps"),
)
"""What a technician can look for, by a word of what went wrong; the first that fits."""


def hint_of(fault: Fault) -> str:
    """What to look for, empty where nothing is known."""
    return next((hint for word, hint in HINTS if word in fault.detail), "")


def map_lines(found: DeviceMap) -> Iterator[str]:
    """The models of a device, one a line, and what was odd."""
    maker, model, serial, version = found.identity()
    yield f"{maker} {model}, serial {serial}, version {version}".strip()
    yield f"map at {found.base}, {len(found.models)} models{'' if found.is_complete else ', NOT COMPLETE'}"
    yield f"  {'address':>7} {'model':>6} {'length':>6}"
    for one in found.models:
        yield f"  {one.address:>7} {one.model_id:>6} {one.length:>6}  {_said_of(one)}"
    for warning in found.warnings:
        yield f"  odd: {warning}"


def map_values(found: DeviceMap) -> dict[str, object]:
    """The same as plain values."""
    maker, model, serial, version = found.identity()
    return {
        "manufacturer": maker,
        "model": model,
        "serial": serial,
        "version": version,
        "base": found.base,
        "is_complete": found.is_complete,
        "models": [{"id": m.model_id, "address": m.address, "length": m.length} for m in found.models],
        "warnings": list(found.warnings),
    }


def point_lines(found: DeviceMap) -> Iterator[str]:
    """Every point that is implemented, with its value."""
    for one in found.models:
        for point, value in one.values():
            yield f"{one.address + point.offset} {one.model_id}.{point.name} = {value}"


def plate_lines(plate: Nameplate) -> Iterator[str]:
    """Ratings and what the device can be asked for."""
    yield f"{plate.manufacturer} {plate.model}, serial {plate.serial}, version {plate.version}"
    for figure in ratings_of(plate):
        yield f"  {figure.name:<14} {figure.value:g} {figure.unit}"
    yield f"  {'modes':<14} {' '.join(sorted(plate.modes)) or 'none'}"


def reading_lines(found: Telemetry) -> Iterator[str]:
    """One reading; what the device does not say is left out."""
    values = asdict(found)
    battery = found.battery
    for name, value in values.items():
        if name != "battery" and value not in (None, (), {}, frozenset()):
            yield f"  {name:<18} {_text_of(value)}"
    if isinstance(battery, Fault):
        yield f"  {'battery':<18} {battery.kind}: {battery.detail}"
    if isinstance(battery, BatteryState):
        yield from (f"  battery {line}" for line in battery_lines(battery))


def battery_lines(battery: BatteryState) -> Iterator[str]:
    """What a BMS says."""
    for name, value in asdict(battery).items():
        if name != "packs" and value not in (None, frozenset()):
            yield f"{name:<20} {_text_of(value)}"
    for number, pack in enumerate(battery.packs, 1):
        yield from (f"pack {number} {line}" for line in battery_lines(pack))


def kind_lines(kind: DriverKind) -> Iterator[str]:
    """A driver with what can be set of it."""
    yield f"{kind.kind} ({kind.package}): {kind.summary}"
    for shape in kind.schema:
        default = "must be set" if shape.default is None else f"default {shape.default}"
        yield f"  {shape.name:<28} {shape.type_name:<14} {default}"


def _said_of(model: Model) -> str:
    if model.layout is None:
        return "not defined: stepped over"
    if not model.words:
        return "cannot be read"
    implemented = sum(1 for _ in model.values())
    return f"{implemented} points implemented"


def _text_of(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text_of(item)}" for name, item in value.items())
    if isinstance(value, tuple | frozenset):
        return (
            ", ".join(sorted(map(str, value))) if isinstance(value, frozenset) else ", ".join(map(str, value))
        )
    return str(value)
