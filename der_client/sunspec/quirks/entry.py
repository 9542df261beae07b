"""One entry of a file of quirks: what it matches, what it changes, where that is known from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Final, get_args, get_type_hints

from der_client.sunspec.drafts import (
    HZ_ABSOLUTE,
    HZ_OFFSET,
    LIMIT_AC,
    LIMIT_PV,
    OVER_EXCITED_NEGATIVE,
    REACTIVE_ORDER,
    UNDER_EXCITED_NEGATIVE,
)
from der_client.sunspec.scan import BY_EXCEPTION, BY_SILENCE
from der_client.sunspec.settings import EXPORT, IMPORT
from owner import SettingsError

Identity = tuple[str, str, str, str]
"""Manufacturer, model, serial number and version, as the common model says."""


class QuirkError(SettingsError):
    """A file of quirks that cannot be used; the message names the file, the entry and the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuirkFields:
    """What can differ; `None` says nothing.

    `min_limit_pct`: a smaller limit sends the device to standby. `limit_side`: a limit acts on all that
    leaves the device (`ac`) or on its PV alone (`pv`). `pf_sign`: the excitation that model 123 counts
    negative. `wrmp_scale`: what 704.WRmp holds for 1 %/s. `meter_positive`: what a meter counts positive.
    `one_connection`: a connection that is idle is let go. `max_block`: registers that one read may ask
    for. `map_end`: how the map ends without an end model, by an exception or in silence.
    `ena_toggle_refresh`: a reversion timer restarts only when its function is enabled anew. `hz_start`: how
    model 127 counts frequencies. `write_only`: models whose controls do not read back. `write_one_by_one`:
    function code 6 only. `reactive_order`: which reactive mode wins. `readback_s`: how long a written value
    may take to show. `controller_heartbeat`: whether 715.ControllerHb is counted up.
    `manual_shutdown_stops`: the event "manual shutdown" is an emergency stop.
    """

    min_limit_pct: float | None = None
    limit_side: str | None = None
    pf_sign: str | None = None
    wrmp_scale: float | None = None
    meter_positive: str | None = None
    one_connection: bool | None = None
    max_block: int | None = None
    map_end: str | None = None
    ena_toggle_refresh: bool | None = None
    hz_start: str | None = None
    write_only: tuple[int, ...] | None = None
    write_one_by_one: bool | None = None
    reactive_order: tuple[str, ...] | None = None
    readback_s: float | None = None
    controller_heartbeat: bool | None = None
    manual_shutdown_stops: bool | None = None

    def over(self, other: "QuirkFields") -> "QuirkFields":
        """Both together; where both say something this one wins."""
        own = {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}
        base = {f.name: getattr(other, f.name) for f in fields(other)}
        return QuirkFields(**{**base, **own})


CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "limit_side": (LIMIT_AC, LIMIT_PV),
    "pf_sign": (OVER_EXCITED_NEGATIVE, UNDER_EXCITED_NEGATIVE),
    "meter_positive": (IMPORT, EXPORT),
    "map_end": (BY_EXCEPTION, BY_SILENCE),
    "hz_start": (HZ_OFFSET, HZ_ABSOLUTE),
    "reactive_order": REACTIVE_ORDER,
}
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "min_limit_pct": (0, 100),
    "wrmp_scale": (0.001, 10_000),
    "max_block": (2, 125),
    "readback_s": (0.01, 60),
    "write_only": (1, 65_535),
}
PATTERNS: Final = ("manufacturer", "model", "version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """What the devices that match do differently. Patterns are as in file names: `SMA*`."""

    name: str
    source: str
    fields: QuirkFields
    manufacturer: str = "*"
    model: str = "*"
    version: str = "*"

    def matches(self, identity: Identity) -> bool:
        """True for a device of that identity."""
        manufacturer, model, _, version = identity
        pairs = ((manufacturer, self.manufacturer), (model, self.model), (version, self.version))
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)


def parse_quirks(content: object, origin: str) -> tuple[Quirk, ...]:
    """The entries of a file that was read. Raises QuirkError, which names what is wrong where."""
    if not isinstance(content, list):
        raise QuirkError(f"{origin}: a list of entries is wanted")
    return tuple(_entry(item, f"{origin}, entry {number}") for number, item in enumerate(content, start=1))


def _entry(item: object, place: str) -> Quirk:
    table = _table(item, place, {"name", "match", "source", "fields"})
    name = _text(table, "name", place)
    place = f"{place} ({name})"
    match = _table(table.get("match"), f"{place}: match", set(PATTERNS))
    if not match:
        raise QuirkError(f"{place}: match: at least one of {', '.join(PATTERNS)} is wanted")
    return Quirk(
        name=name,
        source=_text(table, "source", place),
        fields=_fields(table.get("fields"), place),
        **{pattern: _text(match, pattern, f"{place}: match") for pattern in match},
    )


def _table(value: object, place: str, known: set[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise QuirkError(f"{place}: a table is wanted")
    unknown = sorted(str(name) for name in set(value) - known)
    if unknown:
        raise QuirkError(f"{place}: {unknown[0]}: no such field; known are {', '.join(sorted(known))}")
    return {str(name): item for name, item in value.items()}


def _text(table: Mapping[str, object], name: str, place: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value.strip():
        raise QuirkError(f"{place}: {name}: a text is wanted")
    return value.strip()


def _fields(value: object, place: str) -> QuirkFields:
    hints = get_type_hints(QuirkFields)
    table = _table(value, f"{place}: fields", set(hints))
    if not table:
        raise QuirkError(f"{place}: fields: an entry without any changes nothing")
    values: dict[str, Any] = {name: _value(name, item, hints[name], place) for name, item in table.items()}
    return QuirkFields(**values)


def _value(name: str, value: object, hint: object, place: str) -> object:
    """A value of the type that its field declares, within its choices and its range."""
    kind = get_args(hint)[0]
    many = get_args(kind)
    values = value if many and isinstance(value, list) else [value]
    if many and not isinstance(value, list):
        raise QuirkError(f"{place}: {name}: a list is wanted")
    found = tuple(_single(name, item, many[0] if many else kind, place) for item in values)
    return found if many else found[0]


def _single(name: str, value: object, kind: object, place: str) -> object:
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise QuirkError(f"{place}: {name}: {value!r} is not of type {getattr(kind, '__name__', kind)}")
    if isinstance(value, str) and value not in CHOICES[name]:
        raise QuirkError(f"{place}: {name}: {value!r} is none of {', '.join(CHOICES[name])}")
    if name in RANGES and isinstance(value, int | float):
        low, high = RANGES[name]
        if not low <= value <= high:
            raise QuirkError(f"{place}: {name}: {value} is outside {low} to {high}")
    return value
