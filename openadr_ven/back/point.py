"""What reports are made of, neutral to the profile: descriptions of what is told, and points of data."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from openadr_ven.v3.report import DataQuality, OperatingState


class Quantity(StrEnum):
    """What is told, with its unit. Signs are load positive: what is drawn counts positive."""

    POWER = "power, W"
    IMPORTED = "energy drawn, Wh"
    EXPORTED = "energy fed in, Wh"
    ENERGY = "energy drawn less energy fed in, Wh"
    CHARGE_LEVEL = "state of charge, share"
    USABLE_CAPACITY = "energy that storage can hold, Wh"
    MAX_CHARGE_POWER = "most power that storage can draw, W"
    MAX_DISCHARGE_POWER = "most power that storage can feed in, W"
    STATUS = "resource status"
    OPERATING_STATE = "operating state"
    OPTED_OUT = "devices that opted out"


ENERGIES: Final = frozenset({Quantity.IMPORTED, Quantity.EXPORTED, Quantity.ENERGY})


class Meter(StrEnum):
    """At which usage point of a device: of its premises, of its DER, or the first of the two there is."""

    ANY = "any"
    SITE = "site"
    DER = "DER"


class Quality(StrEnum):
    """How good a point is. Only GOOD, PARTIAL, UNCERTAIN, UNCHANGED and LAST_KNOWN come with a value."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    """An estimate, or of a part of its period only."""
    PARTIAL = "partial"
    """A sum without some of its resources."""
    UNCHANGED = "unchanged"
    LAST_KNOWN = "last known"
    """The server or the device gives no answer: this was so when it last did."""
    BAD = "bad"
    """The device itself says that its values are not valid."""
    NO_DATA = "no data"
    UNREACHABLE = "unreachable"
    """There is no data, and the 2030.5 server gives no answer."""


QUALITY_20B: Final[Mapping[Quality, str]] = {
    Quality.GOOD: "Quality Good - Non Specific",
    Quality.UNCERTAIN: "Quality Uncertain - Non Specific",
    Quality.PARTIAL: "Quality Uncertain - Sub Normal",
    Quality.UNCHANGED: "No New Value - Previous Value Used",
    Quality.LAST_KNOWN: "Quality Bad - Last Known Value",
    Quality.BAD: "Quality Bad - Device Failure",
    Quality.NO_DATA: "Quality Bad - Non Specific",
    Quality.UNREACHABLE: "Quality Bad - Comm Failure",
}
"""Words of oadrDataQuality. OpenADR 2.0b, R317, R318."""
QUALITY_3: Final[Mapping[Quality, DataQuality]] = {
    Quality.GOOD: DataQuality.OK,
    Quality.UNCERTAIN: DataQuality.ESTIMATED,
    Quality.PARTIAL: DataQuality.ESTIMATED,
    Quality.UNCHANGED: DataQuality.OK,
    Quality.LAST_KNOWN: DataQuality.BAD,
    Quality.BAD: DataQuality.BAD,
    Quality.NO_DATA: DataQuality.MISSING,
    Quality.UNREACHABLE: DataQuality.MISSING,
}
"""Values of DATA_QUALITY in 3.x."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """OadrCapacity: consumption as a share of the most that the resource can draw. OpenADR 2.0b, Table 1."""

    current: Decimal | None
    least: Decimal
    most: Decimal
    normal: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """TELEMETRY_STATUS of a resource."""

    is_online: bool
    is_overridden: bool
    capacity: Capacity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One thing that is reported: a quantity summed over resources of the VTN; none named are all of ours."""

    rID: str
    quantity: Quantity
    resources: tuple[str, ...] = ()
    meter: Meter = Meter.ANY


Told = Decimal | ResourceState | OperatingState


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPoint:
    """One value. `start` is that of its data period; `duration_s` None is a moment. OpenADR 2.0b, R315.

    `value` None is no data: writers put a placeholder, which `quality` says to be bad (R318).
    """

    rID: str
    start: int
    duration_s: int | None
    value: Told | None
    quality: Quality
