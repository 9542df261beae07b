"""Messages to octets: by the templates of openleadr where they are right, by our own where they are not.

Ours: oadrCreateOpt (one target with several resources), oadrUpdateReport (status payloads, intervals that all
have the same form), oadrUpdatedReport and oadrCancelReport, and what a VTN says of events.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from openadr_ven.v2b import messages as m
from openadr_ven.v2b.document import OADR
from openadr_ven.v2b.templating import Given, rendered, span
from openadr_ven.v2b.writing_events import distribute_event
from openadr_ven.v2b.writing_opts import create_opt
from openadr_ven.v2b.writing_reports import (
    cancel_report,
    canceled_report,
    register_report,
    request_table,
    update_report,
    updated_report,
)

SIGNED_OBJECT: Final = "oadrSignedObject"
"""The oadr:Id of every signed object of ours."""
_HEAD: Final = f'<?xml version="1.0" encoding="utf-8"?>\n<oadr:oadrPayload xmlns:oadr="{OADR}">'
_TAIL: Final = "</oadr:oadrPayload>"


def write(message: m.Message) -> bytes:
    """The unsigned document of a message."""
    return enveloped(signed_object(message))


def signed_object(message: m.Message) -> str:
    """The oadrSignedObject of a message, which is what a signature is of."""
    return _WRITERS[type(message)](message)


def enveloped(signed: str, signature: str = "") -> bytes:
    """The document of an oadrSignedObject, with its ds:Signature before it."""
    return f"{_HEAD}{signature}{signed}{_TAIL}".encode()


def _response(response: m.EiResponse) -> Given:
    return {
        "response_code": response.code,
        "response_description": response.text,
        "request_id": response.requestID,
    }


def _created_event(message: m.CreatedEvent) -> str:
    """With answers the requestID of eiResponse stays empty (R42)."""
    answers: Given = [
        {
            "response_code": int(one.code),
            "response_description": one.description or None,
            "request_id": one.requestID,
            "event_id": one.eventID,
            "modification_number": one.modification,
            "opt_type": one.optType.value,
        }
        for one in message.answers
    ]
    return rendered(
        "oadrCreatedEvent",
        response=_response(message.response),
        event_responses=answers if message.answers else None,
        ven_id=message.venID,
    )


def _create_party_registration(message: m.CreatePartyRegistration) -> str:
    made = rendered(
        "oadrCreatePartyRegistration",
        request_id=message.requestID,
        registration_id=message.registrationID,
        ven_id=message.venID,
        profile_name="2.0b",
        transport_name="simpleHttp",
        transport_address=message.transportAddress or "",
        report_only=message.is_report_only,
        xml_signature=message.is_signed,
        ven_name=message.venName,
        http_pull_model=message.is_pull,
    )
    empty = "<oadr:oadrTransportAddress></oadr:oadrTransportAddress>"
    return made if message.transportAddress else made.replace(empty, "")


def _created_party_registration(message: m.CreatedPartyRegistration) -> str:
    transports: Given = [{"transport_name": "simpleHttp"}]
    return rendered(
        "oadrCreatedPartyRegistration",
        response=_response(message.response),
        registration_id=message.registrationID,
        ven_id=message.venID,
        vtn_id=message.vtnID,
        profiles=[{"profile_name": name, "transports": transports} for name in message.profiles],
        requested_oadr_poll_freq=None if message.poll_s is None else span(message.poll_s),
    )


def _created_report(message: m.CreatedReport) -> str:
    return rendered(
        "oadrCreatedReport",
        response=_response(message.response),
        pending_reports=[{"report_request_id": one} for one in message.pending],
        ven_id=message.venID,
    )


_WRITERS: Final[Mapping[type, Callable[[Any], str]]] = {
    m.QueryRegistration: lambda o: rendered("oadrQueryRegistration", request_id=o.requestID),
    m.CreatePartyRegistration: _create_party_registration,
    m.CreatedPartyRegistration: _created_party_registration,
    m.CancelPartyRegistration: lambda o: rendered(
        "oadrCancelPartyRegistration",
        request_id=o.requestID,
        registration_id=o.registrationID,
        ven_id=o.venID or "",
    ),
    m.CanceledPartyRegistration: lambda o: rendered(
        "oadrCanceledPartyRegistration",
        response=_response(o.response),
        registration_id=o.registrationID or "",
        ven_id=o.venID or "",
    ),
    m.RequestReregistration: lambda o: rendered("oadrRequestReregistration", ven_id=o.venID),
    m.Poll: lambda o: rendered("oadrPoll", ven_id=o.venID),
    m.Response: lambda o: rendered("oadrResponse", response=_response(o.response), ven_id=o.venID or ""),
    m.RequestEvent: lambda o: rendered(
        "oadrRequestEvent", request_id=o.requestID, ven_id=o.venID, reply_limit=o.replyLimit
    ),
    m.DistributeEvent: distribute_event,
    m.CreatedEvent: _created_event,
    m.CreateOptMessage: create_opt,
    m.CreatedOpt: lambda o: rendered("oadrCreatedOpt", response=_response(o.response), opt_id=o.optID),
    m.CancelOpt: lambda o: rendered("oadrCancelOpt", request_id=o.requestID, opt_id=o.optID, ven_id=o.venID),
    m.CanceledOpt: lambda o: rendered(
        "oadrCanceledOpt", response=_response(o.response), opt_id=o.optID or ""
    ),
    m.RegisterReport: register_report,
    m.RegisteredReport: lambda o: rendered(
        "oadrRegisteredReport",
        response=_response(o.response),
        report_requests=[request_table(one) for one in o.requests],
        ven_id=o.venID,
    ),
    m.CreateReport: lambda o: rendered(
        "oadrCreateReport",
        request_id=o.requestID,
        report_requests=[request_table(one) for one in o.requests],
        ven_id=o.venID or "",
    ),
    m.CreatedReport: _created_report,
    m.UpdateReport: update_report,
    m.UpdatedReport: updated_report,
    m.CancelReport: cancel_report,
    m.CanceledReport: canceled_report,
}
