"""What a VEN holds of each event of one VTN: a plain value, the whole of which is kept over a restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from openadr_ven.events.answer import CreateOpt, OptType, Refusal
from openadr_ven.events.draws import Drawn
from openadr_ven.events.event import Event


class Phase(StrEnum):
    """How far an event has come here."""

    PENDING = "pending"
    STARTED = "started"
    ENDED = "ended"


class How(StrEnum):
    """In which way a VTN cancelled."""

    SAID = "said"
    MISSING = "missing"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """A VTN took an event back at `at`; what had begun runs on until `stop_at`. OpenADR 2.0b, R65."""

    how: How
    at: int
    stop_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOpt:
    """What an oadrCreateOpt said of one resource in an event. OpenADR 2.0b, R206."""

    resource: str
    optType: OptType
    optID: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One event with all that this VEN decided about it.

    `event` is the last version that was taken; after a cancellation, what is to run on, with the number of
    the cancellation. `start` is published, or when an event that starts now came. `resources` are those of
    each signal, `optType` what was decided for the whole of it, and `requestID` which message brought it
    last. `digest` is that of the version of 3.x as it came, "" where nobody kept it.
    """

    event: Event
    start: int
    optType: OptType
    refusal: Refusal | None = None
    resources: tuple[tuple[str, ...], ...] = ()
    drawn: tuple[Drawn, ...] = ()
    opted: tuple[ResourceOpt, ...] = ()
    requestID: str = ""
    cancellation: Cancellation | None = None
    phase: Phase = Phase.PENDING
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All events of one VTN by eventID, and our availability schedules, the newest last."""

    records: Mapping[str, EventRecord] = field(default_factory=dict)
    schedules: tuple[CreateOpt, ...] = ()
