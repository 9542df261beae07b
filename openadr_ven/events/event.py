"""An event of a VTN, whatever profile it came in: what the wire layers make, and all others read.

Times are s since 1970 UTC, powers load-positive as on the wire, values in plain units.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from openadr_ven.events.quantity import Unit


class Profile(StrEnum):
    """In which words an event came."""

    V20B = "2.0b"
    V301 = "3.0.1"
    V310 = "3.1.0"


class EventStatus(StrEnum):
    """eventStatus of 2.0b; 3.x has none on the wire. OpenADR 2.0b, R13, R114."""

    NONE = "none"
    FAR = "far"
    NEAR = "near"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of a CURVE. OpenADR 3.1.0."""

    x: Decimal
    y: Decimal


Value = Decimal | bool | str | Point
"""What a payload holds: 2.0b one number, 3.x any of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomization:
    """How far the start may be shifted, s: 2.0b only delays (startafter), 3.x goes both ways."""

    early_s: int = 0
    late_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One item of a target: its kind in the wire's own word, and the value.

    2.0b: venID, groupID, groupName, resourceID, partyID, meterAsset, endDeviceAsset and so on. 3.0.1:
    VEN_NAME, RESOURCE_NAME, GROUP and so on. 3.1: no kind, "".
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One interval of a signal.

    `duration_s` None has no end (0 in an open-ended event of 2.0b, P9999Y in 3.x). `start` is its own start
    where 3.x gives one; None follows the interval before, or starts with the event. `randomization` is its
    own where 3.x gives one; None is that of the event.
    """

    uid: int
    duration_s: int | None
    values: tuple[Value, ...]
    start: int | None = None
    randomization: Randomization | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One eiEventSignal of 2.0b, or all payloads of one type in an event of 3.x.

    In 3.x `signalID` and `signalName` are the payload type and `signalType` is "". `unit` None is a signal
    without one. `currency` is the ISO 4217 code in letters. `device_classes` are those of the signal's own
    target.
    """

    signalID: str
    signalName: str
    signalType: str
    intervals: tuple[Interval, ...]
    unit: Unit | None = None
    currency: str | None = None
    device_classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as the VTN last described it.

    `modification` orders its versions: modificationNumber of 2.0b, modificationDateTime in microseconds of
    3.x. `start` None is now (3.x, 0001-01-01). `duration_s` None has no end; in 3.x it is event.duration,
    or the sum of the intervals. `marketContext` is the programID in 3.x. `priority` is as on the wire: see
    `rank_of`. `ramp_up_s` is negative inside the active period. `notification_s` None was not sent.
    `signals` and `baseline` have plain values. `flaw` says what of it the wire layer could not read: the
    event is answered with 454.
    """

    profile: Profile
    eventID: str
    modification: int
    start: int | None
    duration_s: int | None
    signals: tuple[Signal, ...]
    marketContext: str = ""
    createdDateTime: int = 0
    priority: int | None = None
    is_test: bool = False
    eventStatus: EventStatus = EventStatus.NONE
    vtnComment: str = ""
    is_response_required: bool = False
    randomization: Randomization = Randomization()
    notification_s: int | None = None
    ramp_up_s: int = 0
    recovery_s: int = 0
    targets: tuple[Target, ...] = ()
    baseline: Signal | None = None
    flaw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one message, or one complete round of pages, says of the events of a VTN.

    `is_full` is true if an event that is missing is cancelled by that: not for the answer to a request with
    replyLimit, nor for a notification of one object. `deleted` are events that 3.x told to be deleted.
    OpenADR 2.0b, R50, R61.
    """

    events: tuple[Event, ...]
    is_full: bool
    requestID: str = ""
    deleted: tuple[str, ...] = ()


def is_test_event(text: str | None) -> bool:
    """Whether a testEvent element makes an event a test: any text but false does. OpenADR 2.0b, R6."""
    return bool(text and text.strip()) and (text or "").strip().lower() != "false"
