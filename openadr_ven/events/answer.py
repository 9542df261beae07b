"""What a VEN says to events: codes, opting in and out, and the answers of 2.0b."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Code(IntEnum):
    """Application codes of 2.0b. OpenADR 2.0b, R48."""

    OK = 200
    OUT_OF_SEQUENCE = 450
    NOT_ALLOWED = 451
    INVALID_ID = 452
    NOT_RECOGNISED = 453
    INVALID_DATA = 454
    COMPLIANCE_OTHER = 459
    SIGNAL_NOT_SUPPORTED = 460
    REPORT_NOT_SUPPORTED = 461
    TARGET_MISMATCH = 462
    NOT_AUTHORISED = 463
    DEPLOYMENT_OTHER = 469


class OptType(StrEnum):
    """Whether one takes part."""

    IN = "optIn"
    OUT = "optOut"


class OptReason(StrEnum):
    """Why, as an oadrCreateOpt says it."""

    ECONOMIC = "economic"
    EMERGENCY = "emergency"
    MUST_RUN = "mustRun"
    NOT_PARTICIPATING = "notParticipating"
    OUTAGE_RUN_STATUS = "outageRunStatus"
    OVERRIDE_STATUS = "overrideStatus"
    PARTICIPATING = "participating"
    SCHEDULE = "x-schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an event is not carried out: the code of the answer, and a line for people."""

    code: Code
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One eventResponse of an oadrCreatedEvent. `requestID` is that of the message that brought the event."""

    requestID: str
    eventID: str
    modification: int
    code: Code
    optType: OptType
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One part of an availability schedule; `duration_s` None has no end (0 on the wire, R210)."""

    start: int
    duration_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOpt:
    """One oadrCreateOpt: of an event and some of its resources, or a schedule. OpenADR 2.0b, R206, R210.

    With an `eventID` it has no windows and no market context. `resources` empty is the whole VEN.
    """

    optID: str
    optType: OptType
    reason: OptReason
    resources: tuple[str, ...] = ()
    eventID: str = ""
    modification: int = 0
    requestID: str = ""
    windows: tuple[Window, ...] = ()
    marketContext: str = ""
