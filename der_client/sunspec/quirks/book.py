"""All quirks that are known, from files, and what they make of the settings of a device."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

from der_client.sunspec.drafts import MappingSettings
from der_client.sunspec.quirks.entry import Identity, Quirk, QuirkError, QuirkFields, parse_quirks
from der_client.sunspec.scan import ScanSettings
from der_client.sunspec.settings import MeterSettings, SunSpecSettings

T = TypeVar("T", MappingSettings, ScanSettings, SunSpecSettings, MeterSettings)

MAPPING: Final[Mapping[str, str]] = {
    "min_limit_pct": "min_limit_pct",
    "limit_side": "limit_side",
    "pf_sign": "pf_sign",
    "wrmp_scale": "ramp_scale",
    "hz_start": "hz_start",
    "write_only": "write_only",
    "reactive_order": "reactive_order",
    "manual_shutdown_stops": "manual_shutdown_stops",
}
SCAN: Final[Mapping[str, str]] = {"max_block": "max_block", "map_end": "map_end"}
DEVICE: Final[Mapping[str, str]] = {
    "ena_toggle_refresh": "toggle_to_refresh",
    "write_one_by_one": "write_one_by_one",
    "one_connection": "one_connection",
    "readback_s": "readback_s",
    "controller_heartbeat": "controller_heartbeat",
}
METER: Final[Mapping[str, str]] = {"meter_positive": "meter_positive"}
"""The setting that each field of a quirk is."""


@dataclass(frozen=True, slots=True)
class QuirkBook:
    """Entries in the order of their weight: a later one wins over an earlier one."""

    quirks: tuple[Quirk, ...] = ()

    def of(self, identity: Identity) -> tuple[Quirk, ...]:
        """The entries that match a device."""
        return tuple(quirk for quirk in self.quirks if quirk.matches(identity))

    def fields_of(self, identity: Identity) -> QuirkFields:
        """What the entries that match a device say together."""
        found = QuirkFields()
        for quirk in self.of(identity):
            found = quirk.fields.over(found)
        return found

    def scan(self, settings: ScanSettings, identity: Identity) -> ScanSettings:
        """How the map of a device is read on, once its common model is known."""
        return _changed(settings, self.fields_of(identity), SCAN)

    def device(self, settings: SunSpecSettings, identity: Identity) -> SunSpecSettings:
        """The settings of a device; what the operator has set to something else than the default stays."""
        found = self.fields_of(identity)
        own = _changed(settings, found, DEVICE)
        return replace(
            own, mapping=_changed(own.mapping, found, MAPPING), scan=_changed(own.scan, found, SCAN)
        )

    def meter(self, settings: MeterSettings, identity: Identity) -> MeterSettings:
        """The settings of a meter; what the operator has set to something else than the default stays."""
        found = self.fields_of(identity)
        own = _changed(settings, found, METER)
        return replace(own, scan=_changed(own.scan, found, SCAN))


def _changed(settings: T, found: QuirkFields, names: Mapping[str, str]) -> T:
    """The settings with what quirks say of those that stand at their default."""
    untouched = type(settings)()
    changes = {
        name: value
        for field, name in names.items()
        if (value := getattr(found, field)) is not None
        and getattr(settings, name) == getattr(untouched, name)
    }
    return replace(settings, **changes)


@lru_cache(maxsize=16)
def load_book(paths: tuple[Path, ...] = ()) -> QuirkBook:
    """The quirks that are known, those of the operator's files behind them.

    Raises QuirkError for a file that cannot be read or used.
    """
    own = files("der_client.sunspec.quirks") / "inverters.yaml"
    texts = [("inverters.yaml", own.read_text(encoding="utf-8"))]
    for path in paths:
        try:
            texts.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise QuirkError(f"{path}: {error}") from error
    return QuirkBook(tuple(quirk for origin, text in texts for quirk in _parsed(text, origin)))


def _parsed(text: str, origin: str) -> tuple[Quirk, ...]:
    import yaml  # noqa: PLC0415

    try:
        content: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise QuirkError(f"{origin}: no YAML: {error}") from error
    return parse_quirks(content, origin)


def field_names() -> tuple[str, ...]:
    """Everything that an entry can say."""
    return tuple(field.name for field in fields(QuirkFields))
