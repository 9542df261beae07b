"""What reports are made of: what can be reported, what was asked for, the data. OpenADR 2.0b, EiReport."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

NO_NEW_VALUE: Final = "No New Value - Previous Value Used"
"""oadrDataQuality of a value that did not change. OpenADR 2.0b, R317."""
NO_DATA: Final = "Quality Bad - Non Specific"
"""oadrDataQuality of a placeholder. OpenADR 2.0b, R318."""
GOOD: Final = "Quality Good - Non Specific"
METADATA: Final = "METADATA"
"""The specifier, and the prefix of the names, of reports about reports. OpenADR 2.0b, R308, R327."""


class ReportName(StrEnum):
    """The reports that we make."""

    TELEMETRY_USAGE = "TELEMETRY_USAGE"
    TELEMETRY_STATUS = "TELEMETRY_STATUS"
    HISTORY_USAGE = "HISTORY_USAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """An itemBase: name of the element, description, units and scale as the schema fixes them.

    Values on the wire are in `units` times 10 to the power that `scale` stands for. Powers say at which mains
    they are: `hertz` and `volts`.
    """

    item: str
    description: str
    units: str
    scale: str = "none"
    hertz: str = "50"
    volts: str = "230"


POWER: Final = Measure(item="powerReal", description="RealPower", units="W")
ENERGY: Final = Measure(item="energyReal", description="RealEnergy", units="Wh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """oadrSamplingRate: the shortest and longest period of samples, s, and whether changes are kept."""

    least_s: int
    most_s: int
    is_on_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPoint:
    """One oadrReportDescription. `rID` is unique within its specifier (R308)."""

    rID: str
    reportType: str
    readingType: str
    resource: str | None = None
    measure: Measure | None = None
    marketContext: str | None = None
    sampling: Sampling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOffer:
    """One metadata report: what can be asked for. `buffer_s` is how long data is kept (R312)."""

    reportSpecifierID: str
    reportName: str
    buffer_s: int | None
    points: tuple[DataPoint, ...]
    createdDateTime: int = 0
    reportRequestID: str = "0"

    def __post_init__(self) -> None:
        rIDs = [point.rID for point in self.points]
        if len(set(rIDs)) != len(rIDs):
            raise ValueError(f"report {self.reportSpecifierID}: an rID stands twice")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """One oadrReportRequest.

    `granularity_s` 0 is on change (R317), `back_s` 0 is once (R324). `start` None is at once; `duration_s`
    None is for ever: 0 on the wire, or no reportInterval (R325). `points` are rID and readingType.
    """

    reportRequestID: str
    reportSpecifierID: str
    granularity_s: int
    back_s: int
    points: tuple[tuple[str, str], ...]
    start: int | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadControl:
    """One kind of oadrLoadControlState: what it is now, and what it can be."""

    current: float
    least: float | None = None
    most: float | None = None
    normal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceStatus:
    """oadrPayloadResourceStatus. OpenADR 2.0b, TELEMETRY_STATUS."""

    is_online: bool
    is_overridden: bool
    capacity: LoadControl | None = None
    level_offset: LoadControl | None = None
    percent_offset: LoadControl | None = None
    set_point: LoadControl | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """The value of one rID: a number, or the status of a resource."""

    rID: str
    value: Decimal | ResourceStatus
    quality: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInterval:
    """Values of the period that begins at `start`; `duration_s` None is a point in time. OpenADR 2.0b, R315.

    `start` None leaves it to the report: then its first interval starts with it.
    """

    data: tuple[Datum, ...]
    start: int | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Data for one request. `reportName` has no METADATA_ (R313)."""

    reportRequestID: str
    reportSpecifierID: str
    reportName: str
    createdDateTime: int
    start: int
    intervals: tuple[ReportInterval, ...]
    eiReportID: str = ""
    duration_s: int | None = None
