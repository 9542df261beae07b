"""Octets to messages: what a VTN says to a VEN, and for a VTN of ours what a VEN says."""

from collections.abc import Callable, Mapping
from typing import Final

from openadr_ven.events import Answer, Code, OptType
from openadr_ven.iso8601 import duration_s
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.document import (
    Element,
    child,
    local,
    message_of,
    named,
    needed,
    parsed,
    text,
)
from openadr_ven.v2b.errors import Malformed
from openadr_ven.v2b.reading_events import event_of
from openadr_ven.v2b.reading_opts import create_opt_of
from openadr_ven.v2b.reading_reports import offer_of, report_of, request_of
from openadr_ven.v2b.report_messages import ReportRequest

SLOWEST_POLL_S: Final = 86_400
"""A VEN polls once a day at least, whatever pace it is asked for."""


def read(data: bytes) -> m.Message:
    """The message of an unsigned document; signatures are not looked at. Raises Malformed."""
    return message(message_of(parsed(data)))


def message(element: Element) -> m.Message:
    """The message of an element that the schema allows. Raises Malformed where it makes no sense."""
    read_one = _READERS.get(local(element))
    if read_one is None:
        raise Malformed(f"{local(element)} is no message")
    try:
        return read_one(element)
    except (ValueError, ArithmeticError) as error:
        raise Malformed(f"{local(element)}: {error}") from error


def _response(element: Element) -> m.EiResponse:
    found = child(element, "eiResponse")
    return m.EiResponse(
        code=int(needed(found, "responseCode")),
        text=text(found, "responseDescription") or "",
        requestID=text(found, "requestID") or "",
    )


def _given(element: Element, name: str) -> str | None:
    """An ID; peers send an empty one for none."""
    return text(element, name) or None


def _flag(element: Element, name: str) -> bool:
    return text(element, name) in {"true", "1"}


def _distribute_event(element: Element) -> m.DistributeEvent:
    return m.DistributeEvent(
        vtnID=needed(element, "vtnID"),
        requestID=needed(element, "requestID"),
        events=tuple(event_of(one) for one in named(element, "oadrEvent")),
        response=None if child(element, "eiResponse") is None else _response(element),
    )


def _created_event(element: Element) -> m.CreatedEvent:
    inner = child(element, "eiCreatedEvent")
    responses = child(inner, "eventResponses")
    if inner is None:
        raise Malformed("eiCreatedEvent is missing")
    return m.CreatedEvent(
        venID=needed(inner, "venID"),
        response=_response(inner),
        answers=() if responses is None else tuple(_answer(one) for one in responses),
    )


def _answer(one: Element) -> Answer:
    code = int(needed(one, "responseCode"))
    return Answer(
        requestID=needed(one, "requestID"),
        eventID=needed(one, "qualifiedEventID", "eventID"),
        modification=int(needed(one, "qualifiedEventID", "modificationNumber")),
        code=Code(code) if code in set(Code) else Code.COMPLIANCE_OTHER,
        optType=OptType(needed(one, "optType")),
        description=text(one, "responseDescription") or "",
    )


def _request_event(element: Element) -> m.RequestEvent:
    inner = child(element, "eiRequestEvent")
    limit = text(inner, "replyLimit")
    return m.RequestEvent(
        requestID=needed(inner, "requestID"),
        venID=needed(inner, "venID"),
        replyLimit=None if limit is None else int(limit),
    )


def _create_party_registration(element: Element) -> m.CreatePartyRegistration:
    return m.CreatePartyRegistration(
        requestID=needed(element, "requestID"),
        venName=text(element, "oadrVenName") or "",
        registrationID=_given(element, "registrationID"),
        venID=_given(element, "venID"),
        transportAddress=_given(element, "oadrTransportAddress"),
        is_pull=_flag(element, "oadrHttpPullModel"),
        is_report_only=_flag(element, "oadrReportOnly"),
        is_signed=_flag(element, "oadrXmlSignature"),
    )


def _poll_s(asked: str | None) -> int | None:
    """The pace of polls, within bounds; None where none is asked for that a VEN can keep."""
    found_s = None if asked is None else duration_s(asked)
    return None if found_s is None or found_s <= 0 else min(found_s, SLOWEST_POLL_S)


def _created_party_registration(element: Element) -> m.CreatedPartyRegistration:
    profiles = child(element, "oadrProfiles")
    return m.CreatedPartyRegistration(
        response=_response(element),
        vtnID=needed(element, "vtnID"),
        registrationID=_given(element, "registrationID"),
        venID=_given(element, "venID"),
        poll_s=_poll_s(text(element, "oadrRequestedOadrPollFreq", "duration")),
        profiles=() if profiles is None else tuple(needed(one, "oadrProfileName") for one in profiles),
    )


def _cancel_report(element: Element) -> m.CancelReport:
    return m.CancelReport(
        requestID=needed(element, "requestID"),
        reportRequestIDs=tuple((one.text or "").strip() for one in named(element, "reportRequestID")),
        is_to_follow=_flag(element, "reportToFollow"),
        venID=_given(element, "venID"),
    )


def _updated_report(element: Element) -> m.UpdatedReport:
    cancel = child(element, "oadrCancelReport")
    return m.UpdatedReport(
        response=_response(element),
        cancel=None if cancel is None else _cancel_report(cancel),
        venID=_given(element, "venID"),
    )


def _pending(element: Element) -> tuple[str, ...]:
    found = child(element, "oadrPendingReports")
    return () if found is None else tuple((one.text or "").strip() for one in found)


def _requests(element: Element) -> tuple[ReportRequest, ...]:
    return tuple(request_of(one) for one in named(element, "oadrReportRequest"))


_READERS: Final[Mapping[str, Callable[[Element], m.Message]]] = {
    "oadrQueryRegistration": lambda e: m.QueryRegistration(requestID=needed(e, "requestID")),
    "oadrCreatePartyRegistration": _create_party_registration,
    "oadrCreatedPartyRegistration": _created_party_registration,
    "oadrCancelPartyRegistration": lambda e: m.CancelPartyRegistration(
        requestID=needed(e, "requestID"),
        registrationID=needed(e, "registrationID"),
        venID=_given(e, "venID"),
    ),
    "oadrCanceledPartyRegistration": lambda e: m.CanceledPartyRegistration(
        response=_response(e), registrationID=_given(e, "registrationID"), venID=_given(e, "venID")
    ),
    "oadrRequestReregistration": lambda e: m.RequestReregistration(venID=needed(e, "venID")),
    "oadrPoll": lambda e: m.Poll(venID=needed(e, "venID")),
    "oadrResponse": lambda e: m.Response(response=_response(e), venID=_given(e, "venID")),
    "oadrRequestEvent": _request_event,
    "oadrDistributeEvent": _distribute_event,
    "oadrCreatedEvent": _created_event,
    "oadrCreateOpt": create_opt_of,
    "oadrCreatedOpt": lambda e: m.CreatedOpt(response=_response(e), optID=needed(e, "optID")),
    "oadrCancelOpt": lambda e: m.CancelOpt(
        requestID=needed(e, "requestID"), optID=needed(e, "optID"), venID=needed(e, "venID")
    ),
    "oadrCanceledOpt": lambda e: m.CanceledOpt(response=_response(e), optID=_given(e, "optID")),
    "oadrRegisterReport": lambda e: m.RegisterReport(
        requestID=needed(e, "requestID"),
        offers=tuple(offer_of(one) for one in named(e, "oadrReport")),
        venID=_given(e, "venID"),
    ),
    "oadrRegisteredReport": lambda e: m.RegisteredReport(
        response=_response(e), requests=_requests(e), venID=_given(e, "venID")
    ),
    "oadrCreateReport": lambda e: m.CreateReport(
        requestID=needed(e, "requestID"), requests=_requests(e), venID=_given(e, "venID")
    ),
    "oadrCreatedReport": lambda e: m.CreatedReport(
        response=_response(e), pending=_pending(e), venID=_given(e, "venID")
    ),
    "oadrUpdateReport": lambda e: m.UpdateReport(
        requestID=needed(e, "requestID"),
        reports=tuple(report_of(one) for one in named(e, "oadrReport")),
        venID=_given(e, "venID"),
    ),
    "oadrUpdatedReport": _updated_report,
    "oadrCancelReport": _cancel_report,
    "oadrCanceledReport": lambda e: m.CanceledReport(
        response=_response(e), pending=_pending(e), venID=_given(e, "venID")
    ),
}
