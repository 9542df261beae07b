"""The messages of 2.0b as values, in both directions. Times are s since 1970 UTC, durations s.

OpenADR 2.0b, EiRegisterParty, EiEvent, EiReport, EiOpt, OadrPoll.
"""

from dataclasses import dataclass
from enum import StrEnum

from openadr_ven.events import Answer, CreateOpt, Event
from openadr_ven.v2b.report_messages import Report, ReportOffer, ReportRequest


class Service(StrEnum):
    """The last part of a URL. OpenADR 2.0b, R511."""

    REGISTER_PARTY = "EiRegisterParty"
    EVENT = "EiEvent"
    REPORT = "EiReport"
    OPT = "EiOpt"
    POLL = "OadrPoll"


@dataclass(frozen=True, slots=True, kw_only=True)
class EiResponse:
    """What was thought of the message with this requestID: a code of three digits."""

    code: int = 200
    text: str = "OK"
    requestID: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the other side did what it was asked."""
        return 200 <= self.code < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRegistration:
    """Asks what a VTN offers, without a registration."""

    requestID: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePartyRegistration:
    """A registration; with registrationID and venID it is a re-registration. OpenADR 2.0b, R406."""

    requestID: str
    venName: str
    registrationID: str | None = None
    venID: str | None = None
    transportAddress: str | None = None
    is_pull: bool = True
    is_report_only: bool = False
    is_signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedPartyRegistration:
    """What the VTN made of it; the answer to a query has no IDs. `poll_s` None: no pace was asked for."""

    response: EiResponse
    vtnID: str
    registrationID: str | None = None
    venID: str | None = None
    poll_s: int | None = None
    profiles: tuple[str, ...] = ("2.0b",)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPartyRegistration:
    """Either side ends a registration."""

    requestID: str
    registrationID: str
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanceledPartyRegistration:
    """The answer to that."""

    response: EiResponse
    registrationID: str | None = None
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReregistration:
    """The VTN wants the VEN to register again."""

    venID: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Asks a VTN for its next message."""

    venID: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer that says no more than how it went; to a poll: nothing is waiting."""

    response: EiResponse
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvent:
    """Asks for all events, or at most so many."""

    requestID: str
    venID: str
    replyLimit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributeEvent:
    """All events of the VEN, in the order of the message. OpenADR 2.0b, R50."""

    vtnID: str
    requestID: str
    events: tuple[Event, ...]
    response: EiResponse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedEvent:
    """Opting in and out; the requestID of `response` stays empty where there are answers (R42)."""

    venID: str
    answers: tuple[Answer, ...]
    response: EiResponse = EiResponse()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOptMessage:
    """An opt on its way, with the venID that its target holds."""

    venID: str
    requestID: str
    createdDateTime: int
    opt: CreateOpt


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedOpt:
    """The answer to that."""

    response: EiResponse
    optID: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOpt:
    """An availability schedule is taken back. OpenADR 2.0b, R211."""

    requestID: str
    optID: str
    venID: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CanceledOpt:
    """The answer to that."""

    response: EiResponse
    optID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterReport:
    """All that a side can report; it replaces what was told before. OpenADR 2.0b, R305, R306."""

    requestID: str
    offers: tuple[ReportOffer, ...]
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredReport:
    """The answer to that, which may ask for reports at once."""

    response: EiResponse
    requests: tuple[ReportRequest, ...] = ()
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReport:
    """Asks for reports."""

    requestID: str
    requests: tuple[ReportRequest, ...]
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedReport:
    """The answer to that; `pending` lists every request that is scheduled (R329)."""

    response: EiResponse
    pending: tuple[str, ...] = ()
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReport:
    """Reports with data."""

    requestID: str
    reports: tuple[Report, ...]
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReport:
    """Ends requests; with `is_to_follow` one last report comes."""

    requestID: str
    reportRequestIDs: tuple[str, ...]
    is_to_follow: bool = False
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanceledReport:
    """The answer to that, with what is still scheduled."""

    response: EiResponse
    pending: tuple[str, ...] = ()
    venID: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedReport:
    """The answer to reports with data; it may end requests (R328)."""

    response: EiResponse
    cancel: CancelReport | None = None
    venID: str | None = None


Message = (
    QueryRegistration
    | CreatePartyRegistration
    | CreatedPartyRegistration
    | CancelPartyRegistration
    | CanceledPartyRegistration
    | RequestReregistration
    | Poll
    | Response
    | RequestEvent
    | DistributeEvent
    | CreatedEvent
    | CreateOptMessage
    | CreatedOpt
    | CancelOpt
    | CanceledOpt
    | RegisterReport
    | RegisteredReport
    | CreateReport
    | CreatedReport
    | UpdateReport
    | UpdatedReport
    | CancelReport
    | CanceledReport
)
"""Any message of the profile."""
