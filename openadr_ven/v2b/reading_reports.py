"""Report requests, metadata and data of 2.0b to values. OpenADR 2.0b, R308, R312, R315, R324, R325."""

from collections.abc import Iterator
from decimal import Decimal

from openadr_ven.iso8601 import duration_s, instant
from openadr_ven.v2b.document import Element, child, local, named, needed, text
from openadr_ven.v2b.errors import Malformed
from openadr_ven.v2b.report_messages import (
    DataPoint,
    Datum,
    LoadControl,
    Measure,
    Report,
    ReportInterval,
    ReportOffer,
    ReportRequest,
    ResourceStatus,
    Sampling,
)

_STATES = {
    "capacity": "oadrCapacity",
    "level_offset": "oadrLevelOffset",
    "percent_offset": "oadrPercentOffset",
    "set_point": "oadrSetPoint",
}


def request_of(element: Element) -> ReportRequest:
    """One oadrReportRequest with its own rIDs and times. Raises Malformed for a negative time."""
    specifier = child(element, "reportSpecifier")
    interval = child(specifier, "reportInterval", "properties")
    start = text(interval, "dtstart", "date-time")
    length = text(interval, "duration", "duration")
    granularity_s = duration_s(needed(specifier, "granularity", "duration"))
    back_s = duration_s(needed(specifier, "reportBackDuration", "duration"))
    length_s = None if length is None else duration_s(length)
    if granularity_s is None or back_s is None or min(granularity_s, back_s, length_s or 0) < 0:
        raise Malformed("a duration of a report request is negative or has no end")
    begins = None if start is None else instant(start)
    if begins is not None and begins < 0:
        raise Malformed("a report request that starts before 1970")
    return ReportRequest(
        reportRequestID=needed(element, "reportRequestID"),
        reportSpecifierID=needed(specifier, "reportSpecifierID"),
        granularity_s=granularity_s,
        back_s=back_s,
        points=tuple(
            (needed(one, "rID"), needed(one, "readingType")) for one in _all(specifier, "specifierPayload")
        ),
        start=begins,
        duration_s=length_s or None,
    )


def offer_of(element: Element) -> ReportOffer:
    """One metadata report."""
    length = text(element, "duration", "duration")
    return ReportOffer(
        reportSpecifierID=needed(element, "reportSpecifierID"),
        reportName=text(element, "reportName") or "",
        buffer_s=None if length is None else duration_s(length),
        points=tuple(_point(one) for one in named(element, "oadrReportDescription")),
        createdDateTime=instant(needed(element, "createdDateTime")) or 0,
        reportRequestID=needed(element, "reportRequestID"),
    )


def report_of(element: Element) -> Report:
    """One report with data; an interval without dtstart follows the one before."""
    start = instant(text(element, "dtstart", "date-time") or "1970-01-01T00:00:00Z") or 0
    length = text(element, "duration", "duration")
    return Report(
        reportRequestID=needed(element, "reportRequestID"),
        reportSpecifierID=needed(element, "reportSpecifierID"),
        reportName=text(element, "reportName") or "",
        createdDateTime=instant(needed(element, "createdDateTime")) or 0,
        start=start,
        intervals=tuple(_interval(one) for one in _all(child(element, "intervals"), "interval")),
        eiReportID=text(element, "eiReportID") or "",
        duration_s=None if length is None else duration_s(length),
    )


def _all(element: Element | None, name: str) -> Iterator[Element]:
    return iter(()) if element is None else named(element, name)


def _point(element: Element) -> DataPoint:
    rate = child(element, "oadrSamplingRate")
    item = next((one for one in element if child(one, "itemUnits") is not None), None)
    mains = child(item, "powerAttributes")
    return DataPoint(
        rID=needed(element, "rID"),
        reportType=needed(element, "reportType"),
        readingType=needed(element, "readingType"),
        resource=text(element, "reportDataSource", "resourceID"),
        measure=None
        if item is None
        else Measure(
            item=local(item),
            description=text(item, "itemDescription") or "",
            units=needed(item, "itemUnits"),
            scale=text(item, "siScaleCode") or "none",
            hertz=text(mains, "hertz") or "50",
            volts=text(mains, "voltage") or "230",
        ),
        marketContext=text(element, "marketContext"),
        sampling=None
        if rate is None
        else Sampling(
            least_s=duration_s(needed(rate, "oadrMinPeriod")) or 0,
            most_s=duration_s(needed(rate, "oadrMaxPeriod")) or 0,
            is_on_change=text(rate, "oadrOnChange") in {"true", "1"},
        ),
    )


def _interval(element: Element) -> ReportInterval:
    start, length = text(element, "dtstart", "date-time"), text(element, "duration", "duration")
    return ReportInterval(
        start=None if start is None else instant(start),
        duration_s=None if length is None else duration_s(length),
        data=tuple(_datum(one) for one in named(element, "oadrReportPayload")),
    )


def _datum(element: Element) -> Datum:
    status = child(element, "oadrPayloadResourceStatus")
    return Datum(
        rID=needed(element, "rID"),
        value=Decimal(needed(element, "payloadFloat", "value")) if status is None else _status(status),
        quality=text(element, "oadrDataQuality"),
    )


def _status(element: Element) -> ResourceStatus:
    state = child(element, "oadrLoadControlState")
    found = {name: _load_control(child(state, tag)) for name, tag in _STATES.items()}
    return ResourceStatus(
        is_online=text(element, "oadrOnline") in {"true", "1"},
        is_overridden=text(element, "oadrManualOverride") in {"true", "1"},
        **found,
    )


def _load_control(element: Element | None) -> LoadControl | None:
    if element is None:
        return None
    numbers = {name: text(element, name) for name in ("oadrMin", "oadrMax", "oadrNormal")}
    least, most, normal = (None if one is None else float(one) for one in numbers.values())
    return LoadControl(current=float(needed(element, "oadrCurrent")), least=least, most=most, normal=normal)
