"""Reports as they are written: metadata and requests by the templates of openleadr, data by our own.

OpenADR 2.0b, R305, R308, R311 to R315, R328, R329, R333.
"""

from openadr_ven.v2b import messages as m
from openadr_ven.v2b import report_messages as r
from openadr_ven.v2b.element import flag, leaf, message, nested, timed
from openadr_ven.v2b.templating import Given, at, rendered, span

_SPACES = {"pulseCount": "oadr", "temperature": "oadr", "current": "oadr", "frequency": "oadr"}
_STATES = {
    "oadr:oadrCapacity": "capacity",
    "oadr:oadrLevelOffset": "level_offset",
    "oadr:oadrPercentOffset": "percent_offset",
    "oadr:oadrSetPoint": "set_point",
}


def register_report(one: m.RegisterReport) -> str:
    """All capabilities; none leaves oadrReport out (R305). reportRequestID is 0 in each (R311)."""
    return rendered(
        "oadrRegisterReport",
        request_id=one.requestID,
        reports=[_offer_table(offer) for offer in one.offers],
        ven_id=one.venID,
    )


def _offer_table(offer: r.ReportOffer) -> Given:
    name = offer.reportName.removeprefix(f"{r.METADATA}_")
    return {
        "duration": None if offer.buffer_s is None else span(offer.buffer_s),
        "report_descriptions": [_point_table(point) for point in offer.points],
        "report_request_id": "0",
        "report_specifier_id": offer.reportSpecifierID,
        "report_name": f"{r.METADATA}_{name}",
        "created_date_time": at(offer.createdDateTime),
    }


def _point_table(point: r.DataPoint) -> Given:
    measure, sampling = point.measure, point.sampling
    return {
        "r_id": point.rID,
        "report_data_source": {"resource_id": point.resource} if point.resource else None,
        "report_type": point.reportType,
        "measurement": None
        if measure is None
        else {
            "ns": _SPACES.get(measure.item, "power"),
            "name": measure.item,
            "description": measure.description,
            "unit": measure.units,
            "scale": measure.scale,
            "power_attributes": {"hertz": measure.hertz, "voltage": measure.volts, "ac": "true"}
            if measure.item.startswith("power")
            else None,
        },
        "reading_type": point.readingType,
        "market_context": point.marketContext,
        "sampling_rate": None
        if sampling is None
        else {
            "min_period": span(sampling.least_s),
            "max_period": span(sampling.most_s),
            "on_change": sampling.is_on_change,
        },
    }


def request_table(request: r.ReportRequest) -> Given:
    """One oadrReportRequest, in the words of the templates."""
    interval: Given = None
    if request.start is not None:
        interval = {"dtstart": at(request.start), "duration": span(request.duration_s)}
    return {
        "report_request_id": request.reportRequestID,
        "report_specifier": {
            "report_specifier_id": request.reportSpecifierID,
            "granularity": span(request.granularity_s),
            "report_back_duration": span(request.back_s),
            "report_interval": interval,
            "specifier_payloads": [{"r_id": rID, "reading_type": kind} for rID, kind in request.points],
        },
    }


def update_report(one: m.UpdateReport) -> str:
    """Reports with data, each with dtstart and intervals (R313)."""
    reports = "".join(_report(report) for report in one.reports)
    return message(
        "oadrUpdateReport", leaf("pyld:requestID", one.requestID) + reports + leaf("ei:venID", one.venID)
    )


def _report(report: r.Report) -> str:
    return nested(
        "oadr:oadrReport",
        timed("xcal:dtstart", at(report.start), "date-time")
        + timed("xcal:duration", None if report.duration_s is None else span(report.duration_s))
        + nested("strm:intervals", "".join(map(_interval, report.intervals)))
        + leaf("ei:eiReportID", report.eiReportID or None)
        + leaf("ei:reportRequestID", report.reportRequestID)
        + leaf("ei:reportSpecifierID", report.reportSpecifierID)
        + leaf("ei:reportName", report.reportName)
        + leaf("ei:createdDateTime", at(report.createdDateTime)),
    )


def _interval(interval: r.ReportInterval) -> str:
    return nested(
        "ei:interval",
        timed("xcal:dtstart", None if interval.start is None else at(interval.start), "date-time")
        + timed("xcal:duration", None if interval.duration_s is None else span(interval.duration_s))
        + "".join(map(_datum, interval.data)),
    )


def _datum(datum: r.Datum) -> str:
    value = datum.value
    if isinstance(value, r.ResourceStatus):
        payload = _status(value)
    else:
        payload = f"<ei:payloadFloat><ei:value>{value}</ei:value></ei:payloadFloat>"
    return nested(
        "oadr:oadrReportPayload",
        leaf("ei:rID", datum.rID) + payload + leaf("oadr:oadrDataQuality", datum.quality),
    )


def _status(status: r.ResourceStatus) -> str:
    """oadrPayloadResourceStatus, which openleadr has no template of."""
    states = "".join(_load_control(tag, getattr(status, name)) for tag, name in _STATES.items())
    return nested(
        "oadr:oadrPayloadResourceStatus",
        flag("oadr:oadrOnline", status.is_online)
        + flag("oadr:oadrManualOverride", status.is_overridden)
        + (nested("oadr:oadrLoadControlState", states) if states else ""),
    )


def _load_control(tag: str, state: r.LoadControl | None) -> str:
    if state is None:
        return ""
    return nested(
        tag,
        leaf("oadr:oadrMin", state.least)
        + leaf("oadr:oadrMax", state.most)
        + leaf("oadr:oadrCurrent", state.current)
        + leaf("oadr:oadrNormal", state.normal),
    )


def cancel_report(one: m.CancelReport) -> str:
    """The end of one or more requests."""
    return message("oadrCancelReport", _cancelled(one))


def _cancelled(one: m.CancelReport) -> str:
    return (
        leaf("pyld:requestID", one.requestID)
        + "".join(leaf("ei:reportRequestID", each) for each in one.reportRequestIDs)
        + flag("pyld:reportToFollow", one.is_to_follow)
        + leaf("ei:venID", one.venID)
    )


def canceled_report(one: m.CanceledReport) -> str:
    """What is still scheduled after that."""
    pending = "".join(leaf("ei:reportRequestID", each) for each in one.pending)
    return message(
        "oadrCanceledReport",
        _response(one.response) + nested("oadr:oadrPendingReports", pending) + leaf("ei:venID", one.venID),
    )


def updated_report(one: m.UpdatedReport) -> str:
    """The answer to data, which may end requests (R328)."""
    cancel = "" if one.cancel is None else nested("oadr:oadrCancelReport", _cancelled(one.cancel))
    return message("oadrUpdatedReport", _response(one.response) + cancel + leaf("ei:venID", one.venID))


def _response(response: m.EiResponse) -> str:
    return nested(
        "ei:eiResponse",
        leaf("ei:responseCode", response.code)
        + leaf("ei:responseDescription", response.text)
        + leaf("pyld:requestID", response.requestID),
    )
