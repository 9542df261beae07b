"""Settings of the meters at connection points. Pure; what is SunSpec's own is loaded with the first meter."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from owner import SettingsError, built

IMPORT, EXPORT = "import", "export"
LFDI_OR_SFDI: Final = re.compile(r"[0-9A-Fa-f]{40}|[0-9]{2,12}")
METER_KEYS: Final = frozenset({"name", "end_device", "positive"})
IDLE_KEYS: Final = METER_KEYS | {"host", "port", "unit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMeterSettings:
    """The SunSpec meter of one site.

    `positive` is what its positive power means, `import` or `export`: makers differ. `end_device` is the LFDI
    (or SFDI) of the EndDevice whose connection point it is at; absent: the client itself, or the only one
    that it stands for. `driver` says where it is and how it is reached.
    """

    name: str = "meter"
    end_device: str | None = None
    positive: str = IMPORT
    driver: object | None = None

    def __post_init__(self) -> None:
        if not self.name or not self.name.isprintable():
            raise ValueError("name: printable characters are wanted")
        if self.end_device is not None and not LFDI_OR_SFDI.fullmatch(self.end_device):
            raise ValueError("end_device: an LFDI of 40 hex digits, or an SFDI, is wanted")
        if self.positive not in {IMPORT, EXPORT}:
            raise ValueError(f"positive: {self.positive!r} is neither import nor export")


def meters_of(tree: dict[str, object], folder: Path) -> tuple[SiteMeterSettings, ...]:
    """The meters of a tree of settings, taken out of it: the list `meters`, or the one table `meter`.

    A table without an address is no meter. SettingsError names what is wrong.
    """
    if "meter" in tree and "meters" in tree:
        raise SettingsError("meter: there is meters too; write one of them")
    if "meter" in tree:
        named = [("meter.", tree.pop("meter"))]
    else:
        found = tree.pop("meters", [])
        if not isinstance(found, list | dict):
            raise SettingsError("meters: a list of tables is wanted, [[meters]] for each")
        numbered = found.items() if isinstance(found, dict) else enumerate(found)
        named = [(f"meters.{at}.", table) for at, table in numbered]
    meters: dict[str | None, SiteMeterSettings] = {}
    for place, table in named:
        if not isinstance(table, dict):
            raise SettingsError(f"{place.removesuffix('.')}: a table is wanted")
        meter = _meter(table, place, folder)
        if meter is None:
            continue
        owner = meter.end_device.upper() if meter.end_device else None
        if owner in meters:
            msg = f"{place}end_device: {meters[owner].name!r} is at the same connection point"
            raise SettingsError(f"{msg}; give each EndDevice one meter")
        meters[owner] = meter
    return tuple(meters.values())


def require_names(meters: Sequence[SiteMeterSettings], devices: Sequence[str]) -> None:
    """SettingsError for a meter that is named as a device: their readings could not be told apart."""
    for meter in meters:
        if meter.name in devices:
            raise SettingsError(f"meter.name: {meter.name!r} is the name of a device")


def _meter(table: Mapping[str, object], place: str, folder: Path) -> SiteMeterSettings | None:
    own = {name: value for name, value in table.items() if name in METER_KEYS}
    settings = built(SiteMeterSettings, own, place, folder)
    if table.keys() <= IDLE_KEYS and not table.get("host"):
        return None
    if "meter_positive" in table:
        raise SettingsError(f"{place}meter_positive: no such setting; positive says it")
    from der_client.sunspec.settings import SunSpecMeterSettings  # noqa: PLC0415 - only with a meter

    rest = {name: value for name, value in table.items() if name not in METER_KEYS}
    driver = built(SunSpecMeterSettings, {**rest, "meter_positive": settings.positive}, place, folder)
    if bool(driver.host) == (driver.transport.serial is not None):
        raise SettingsError(f"{place}host: an address, or the serial line of transport.serial, is wanted")
    return replace(settings, driver=driver)
