"""Reports of 3.x as values, and the table of what a report may hold.

OpenADR 3.1.0, report payload types, units, readingType. Powers and energies are load-positive.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from openadr_ven.events import Value

AGGREGATED: Final = "AGGREGATED_REPORT"
"""The resourceName of what several resources do together."""


class OperatingState(StrEnum):
    """What a resource does, in the words of CTA-2045 but for the first two."""

    NORMAL = "NORMAL"
    ERROR = "ERROR"
    IDLE_NORMAL = "IDLE_NORMAL"
    RUNNING_NORMAL = "RUNNING_NORMAL"
    RUNNING_CURTAILED = "RUNNING_CURTAILED"
    RUNNING_HEIGHTENED = "RUNNING_HEIGHTENED"
    IDLE_CURTAILED = "IDLE_CURTAILED"
    SGD_ERROR_CONDITION = "SGD_ERROR_CONDITION"
    IDLE_HEIGHTENED = "IDLE_HEIGHTENED"
    IDLE_OPTED_OUT = "IDLE_OPTED_OUT"
    RUNNING_OPTED_OUT = "RUNNING_OPTED_OUT"


class DataQuality(StrEnum):
    """How good the values of an interval are."""

    OK = "OK"
    MISSING = "MISSING"
    ESTIMATED = "ESTIMATED"
    BAD = "BAD"


class ReadingType(StrEnum):
    """How values came about; DIRECT_READ where nothing is said."""

    DIRECT_READ = "DIRECT_READ"
    ESTIMATED = "ESTIMATED"
    SUMMED = "SUMMED"
    MEAN = "MEAN"
    PEAK = "PEAK"
    FORECAST = "FORECAST"
    AVERAGE = "AVERAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportShape:
    """One row of the table: what a payload may hold.

    `units` is what is written where nobody asks for others, `words` the only texts that are allowed, `low`
    and `high` bounds of numbers; `is_any` also takes texts, booleans and points.
    """

    units: str | None = None
    words: frozenset[str] = frozenset()
    low: int | None = None
    high: int | None = None
    is_whole: bool = False
    is_any: bool = False


_KW: Final = ReportShape(units="KW")
_KWH: Final = ReportShape(units="KWH")
_PLAIN: Final = ReportShape()

REPORTS_3: Final[Mapping[str, ReportShape]] = {
    "READING": _PLAIN,
    "USAGE": ReportShape(units="KWH", low=0),
    "DEMAND": ReportShape(units="KW", low=0),
    "SETPOINT": ReportShape(is_any=True),
    "DELTA_USAGE": _KWH,
    "BASELINE": _KWH,
    "OPERATING_STATE": ReportShape(words=frozenset(OperatingState)),
    "UP_REGULATION_AVAILABLE": _KW,
    "DOWN_REGULATION_AVAILABLE": _KW,
    "REGULATION_SETPOINT": _KW,
    "STORAGE_USABLE_CAPACITY": _KWH,
    "STORAGE_CHARGE_LEVEL": ReportShape(units="PERCENT", low=0, high=1),
    "STORAGE_MAX_DISCHARGE_POWER": _KW,
    "STORAGE_MAX_CHARGE_POWER": _KW,
    "SIMPLE_LEVEL": ReportShape(low=0, high=3, is_whole=True),
    "USAGE_FORECAST": _KWH,
    "STORAGE_DISPATCH_FORECAST": _KWH,
    "LOAD_SHED_DELTA_AVAILABLE": _KW,
    "GENERATION_DELTA_AVAILABLE": _KW,
    "DATA_QUALITY": ReportShape(words=frozenset(DataQuality)),
    "IMPORT_RESERVATION_CAPACITY": _KW,
    "IMPORT_RESERVATION_FEE": _PLAIN,
    "EXPORT_RESERVATION_CAPACITY": _KW,
    "EXPORT_RESERVATION_FEE": _PLAIN,
}
"""By payload type. Other types are private, and hold what their programme says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Values of one type, in the units of the wire."""

    type: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInterval:
    """An interval of a report: its id is that of the interval of the event."""

    id: int
    payloads: tuple[Payload, ...]
    start: int | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceReport:
    """What one resource has to say."""

    resourceName: str
    intervals: tuple[ReportInterval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPayloadDescriptor:
    """Units and reading type of one payload type of a report."""

    payloadType: str
    readingType: str | None = None
    units: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report about an event. `reportName` is ours, and tells it from all others of the event."""

    eventID: str
    programID: str
    clientName: str
    reportName: str
    resources: tuple[ResourceReport, ...]
    payloadDescriptors: tuple[ReportPayloadDescriptor, ...] = ()


def wrong_payload(payload: Payload) -> str | None:
    """What the standard does not allow in a payload; None if nothing."""
    shape = REPORTS_3.get(payload.type)
    if shape is None:
        return None if payload.type else "no type"
    if len(payload.values) != 1:
        return f"{len(payload.values)} values, not one"
    return _wrong_value(shape, payload.values[0])


def _wrong_value(shape: ReportShape, value: Value) -> str | None:
    if shape.is_any:
        return None
    if shape.words:
        return None if value in shape.words else f"{value} is no word of it"
    if isinstance(value, bool) or not isinstance(value, Decimal) or not value.is_finite():
        return f"{value} is no number"
    is_low = shape.low is not None and value < shape.low
    is_high = shape.high is not None and value > shape.high
    is_broken = shape.is_whole and value != value.to_integral_value()
    return f"{value} is out of range" if is_low or is_high or is_broken else None
