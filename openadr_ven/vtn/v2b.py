"""A 2.0b VTN without IO: what it answers to each message, which events it has, what it heard.

It pulls nothing and pushes nothing: VENs poll (HTTP pull). It follows the profile, except for what the
`Fault`s say that are switched on.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from certs import fingerprint_of
from openadr_ven.events import Code, Event, EventStatus
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.document import MOST_OCTETS, message_of, parsed
from openadr_ven.v2b.errors import Malformed, MessageError
from openadr_ven.v2b.exchange import stamp
from openadr_ven.v2b.reading import message as read_message
from openadr_ven.v2b.report_messages import ReportRequest
from openadr_ven.v2b.signature import Signer, Verifier
from openadr_ven.v2b.writing import enveloped, signed_object


class Fault(StrEnum):
    """How the VTN misbehaves, in every answer while it is switched on."""

    UNSIGNED = "answers are not signed"
    TAMPERED = "answers are changed after they were signed"
    REPLAYED = "the same signed octets are sent again"
    AHEAD = "timestamps of signatures are an hour ahead"
    BEHIND = "timestamps of signatures are an hour ago"
    GARBAGE = "answers are no XML"
    INVALID = "answers break the schema"
    ENTITIES = "answers declare entities"
    HUGE = "answers are larger than any message"
    UNEXPECTED = "polls are answered with messages that nobody polls for"
    OTHER_VTN = "events come with the vtnID of another"
    FLOOD = "every poll brings the events again"
    UNKNOWN_VEN = "nobody is registered, whatever was said"
    NO_REGISTRATION = "registrations are refused"
    BUSY = "HTTP 503"
    BROKEN = "HTTP 500"
    FORBIDDEN = "HTTP 403"
    NO_XML_TYPE = "answers are text/html"
    HANGING = "no answer at all"


STATUSES: Final = {Fault.BUSY: 503, Fault.BROKEN: 500, Fault.FORBIDDEN: 403}
AHEAD_S: Final = {Fault.AHEAD: 3600.0, Fault.BEHIND: -3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One VEN, by the certificate that it registered with."""

    venID: str
    registrationID: str
    venName: str
    fingerprint: str


@dataclass(slots=True)
class Vtn:
    """The VTN. With a `signer` it signs its answers, with a `verifier` it wants signed messages.

    `heard` are all messages that were taken, in order; `queues` what each VEN has yet to poll; `faults` what
    it does wrong now.
    """

    vtnID: str = "vtn"
    poll_s: int | None = 10
    signer: Signer | None = None
    verifier: Verifier | None = None
    events: dict[str, Event] = field(default_factory=dict)
    heard: list[m.Message] = field(default_factory=list)
    vens: dict[str, Registered] = field(default_factory=dict)
    queues: dict[str, deque[m.Message]] = field(default_factory=lambda: defaultdict(deque))
    faults: set[Fault] = field(default_factory=set)
    requests: tuple[ReportRequest, ...] = ()
    """Asked for in the answer to every oadrRegisterReport."""
    cancel_in_update: m.CancelReport | None = None
    """Sent with the next oadrUpdatedReport."""
    hears: Callable[[m.Message, m.Message], None] = lambda _, __: None
    """Called with each message that was taken and what is answered to it."""
    _count: int = 0
    _last: bytes = b""

    def publish(self, *events: Event) -> None:
        """Put events into the list, and tell every VEN the whole of it. OpenADR 2.0b, R50."""
        self.events.update({event.eventID: event for event in events})
        self._tell()

    def cancel(self, eventID: str) -> None:
        """Cancel an event by its status, with the next number. OpenADR 2.0b, R10."""
        event = self.events[eventID]
        number = event.modification + 1
        self.publish(replace(event, modification=number, eventStatus=EventStatus.CANCELLED))

    def drop(self, eventID: str) -> None:
        """Leave an event out of the list, which cancels it by implication. OpenADR 2.0b, R61."""
        del self.events[eventID]
        self._tell()

    def send(self, message: m.Message) -> None:
        """Let every VEN have a message at its next poll."""
        for venID in self.vens:
            self.queues[venID].append(message)

    def of(self, kind: type[m.Message]) -> list[m.Message]:
        """What was heard of one kind."""
        return [one for one in self.heard if isinstance(one, kind)]

    def answer(self, service: str, body: bytes, now: float, peer: bytes | None = None) -> Reply:
        """The HTTP answer to one POST; `peer` is the certificate of the connection, DER."""
        for fault, status in STATUSES.items():
            if fault in self.faults:
                return Reply(status=status)
        if service not in set(m.Service):
            return Reply(status=404)
        try:
            root = parsed(body)
            if self.verifier is not None:
                root = self.verifier.verified(root, now, peer)
            message = read_message(message_of(root))
        except Malformed:
            return Reply(status=406)
        except MessageError as error:
            return self._spoiled(self._refusal(Code(error.code), str(error)), now)
        self.heard.append(message)
        answer = self._taken(message, fingerprint_of(peer) if peer else "")
        self.hears(message, answer)
        return self._spoiled(answer, now)

    def _taken(self, message: m.Message, fingerprint: str) -> m.Message:
        """The logical answer; a VEN that is not known by this certificate gets 463."""
        venID = getattr(message, "venID", None)
        is_open = isinstance(message, m.QueryRegistration | m.CreatePartyRegistration)
        ven = self.vens.get(venID or "")
        if Fault.UNKNOWN_VEN in self.faults and not is_open:
            return self._refusal(Code.NOT_AUTHORISED, "who are you?")
        if not is_open and (ven is None or ven.fingerprint != fingerprint):
            return self._refusal(Code.NOT_AUTHORISED, f"{venID} is not registered with this certificate")
        if isinstance(message, m.CreatePartyRegistration):
            return self._register(message, fingerprint)
        handle = _HANDLERS.get(type(message))
        if handle is None:
            return self._refusal(Code.NOT_RECOGNISED, f"{type(message).__name__} is not for a VTN")
        return handle(self, message)

    def _register(self, message: m.CreatePartyRegistration, fingerprint: str) -> m.Message:
        """A first registration wipes what there was of this certificate (R406); a second keeps it."""
        response = m.EiResponse(requestID=message.requestID)
        if Fault.NO_REGISTRATION in self.faults:
            refused = m.EiResponse(code=463, text="not here", requestID=message.requestID)
            return m.CreatedPartyRegistration(response=refused, vtnID=self.vtnID)
        known = self.vens.get(message.venID or "")
        if message.registrationID is not None or message.venID is not None:
            is_same = known is not None and (known.registrationID, known.fingerprint) == (
                message.registrationID,
                fingerprint,
            )
            if not is_same:
                refused = m.EiResponse(code=452, text="no such registration", requestID=message.requestID)
                return m.CreatedPartyRegistration(response=refused, vtnID=self.vtnID)
        else:
            for old in [one for one in self.vens.values() if one.fingerprint == fingerprint]:
                del self.vens[old.venID]
                self.queues.pop(old.venID, None)
            self._count += 1
            known = Registered(
                venID=f"ven-{self._count}",
                registrationID=f"registration-{self._count}",
                venName=message.venName,
                fingerprint=fingerprint,
            )
            self.vens[known.venID] = known
        return m.CreatedPartyRegistration(
            response=response,
            vtnID=self.vtnID,
            registrationID=known.registrationID if known else None,
            venID=known.venID if known else None,
            poll_s=self.poll_s,
        )

    def distribution(self, requestID: str, limit: int | None = None) -> m.DistributeEvent:
        """All events, or the first of them, the cancelled ones too."""
        is_other = Fault.OTHER_VTN in self.faults
        return m.DistributeEvent(
            vtnID="another" if is_other else self.vtnID,
            requestID=requestID,
            events=tuple(self.events.values())[:limit],
            response=m.EiResponse(requestID=requestID),
        )

    def polled(self, message: m.Poll) -> m.Message:
        """The next message of a VEN's queue."""
        if Fault.UNEXPECTED in self.faults:
            return m.CreatedOpt(response=m.EiResponse(), optID="nobody's")
        if Fault.FLOOD in self.faults:
            return self.distribution("flood")
        queue = self.queues[message.venID]
        return queue.popleft() if queue else m.Response(response=m.EiResponse(), venID=message.venID)

    def _tell(self) -> None:
        self._count += 1
        for venID in self.vens:
            queue = self.queues[venID]
            waiting = [one for one in queue if not isinstance(one, m.DistributeEvent)]
            self.queues[venID] = deque([*waiting, self.distribution(f"request-{self._count}")])

    def _refusal(self, code: Code, text: str) -> m.Message:
        return m.Response(response=m.EiResponse(code=code, text=text))

    def _spoiled(self, message: m.Message, now: float) -> Reply:
        """An answer as octets, with whatever is wrong with it."""
        signed = signed_object(message)
        signature = ""
        if self.signer is not None and Fault.UNSIGNED not in self.faults:
            ahead_s = sum(seconds for fault, seconds in AHEAD_S.items() if fault in self.faults)
            self._count += 1
            signature = self.signer.sign(signed, stamp(now + ahead_s), f"nonce-{self._count}")
        body = enveloped(signed, signature)
        for fault, spoil in _SPOILERS.items():
            if fault in self.faults:
                body = spoil(body)
        if Fault.REPLAYED in self.faults:
            body = self._last
        self._last = body
        return Reply(
            body=body, content_type="text/html" if Fault.NO_XML_TYPE in self.faults else "application/xml"
        )


_SPOILERS: Final[dict[Fault, Callable[[bytes], bytes]]] = {
    Fault.TAMPERED: lambda body: body.replace(b"responseDescription>OK<", b"responseDescription>KO<"),
    Fault.GARBAGE: lambda _: b"<html>busy",
    Fault.INVALID: lambda body: body.replace(b"responseCode", b"answerCode"),
    Fault.ENTITIES: lambda body: body.replace(b"?>", b'?><!DOCTYPE a [<!ENTITY b "c">]>', 1),
    Fault.HUGE: lambda body: body + b" " * MOST_OCTETS,
}


def _good(message: m.Message) -> m.EiResponse:
    return m.EiResponse(requestID=getattr(message, "requestID", ""))


def _plain(vtn: Vtn, message: m.Message) -> m.Message:
    """The oadrResponse to the answer of a VEN."""
    del vtn
    return m.Response(response=_good(message), venID=getattr(message, "venID", None))


def _updated(vtn: Vtn, message: m.UpdateReport) -> m.Message:
    cancel, vtn.cancel_in_update = vtn.cancel_in_update, None
    return m.UpdatedReport(response=_good(message), cancel=cancel, venID=message.venID)


def _cancelled_registration(vtn: Vtn, message: m.CancelPartyRegistration) -> m.Message:
    ven = vtn.vens.pop(message.venID or "", None)
    vtn.queues.pop(message.venID or "", None)
    return m.CanceledPartyRegistration(
        response=_good(message),
        registrationID=message.registrationID if ven else None,
        venID=message.venID,
    )


_HANDLERS: Final[dict[type, Callable[..., m.Message]]] = {
    m.QueryRegistration: lambda vtn, o: m.CreatedPartyRegistration(
        response=_good(o), vtnID=vtn.vtnID, poll_s=vtn.poll_s, profiles=("2.0b",)
    ),
    m.CancelPartyRegistration: _cancelled_registration,
    m.CanceledPartyRegistration: _plain,
    m.Poll: lambda vtn, o: vtn.polled(o),
    m.RequestEvent: lambda vtn, o: vtn.distribution(o.requestID, o.replyLimit),
    m.CreatedEvent: _plain,
    m.CreateOptMessage: lambda _, o: m.CreatedOpt(response=_good(o), optID=o.opt.optID),
    m.CancelOpt: lambda _, o: m.CanceledOpt(response=_good(o), optID=o.optID),
    m.RegisterReport: lambda vtn, o: m.RegisteredReport(
        response=_good(o), requests=vtn.requests, venID=o.venID
    ),
    m.RegisteredReport: _plain,
    m.CreatedReport: _plain,
    m.CanceledReport: _plain,
    m.UpdateReport: _updated,
    m.UpdatedReport: _plain,
    m.Response: _plain,
}
