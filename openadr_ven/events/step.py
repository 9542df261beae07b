"""What one step of the state machine decides: what to say, what changed, what to keep, when to look again."""

from dataclasses import dataclass
from enum import StrEnum

from openadr_ven.events.answer import Answer, Code, CreateOpt
from openadr_ven.events.record import State


class ChangeKind(StrEnum):
    """What became of an event. After any of these its plan is another: `plan_of` says which."""

    RECEIVED = "received"
    MODIFIED = "modified"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    OPTED = "opted"
    STARTED = "started"
    COMPLETED = "completed"
    STOPPED = "stopped"
    MISSED = "missed"
    """It came and went while nobody looked: no device was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that happened to an event, at the second when it did.

    `text` is for people: why an event was refused, what of one of 3.x is left out, how it was cancelled.
    """

    kind: ChangeKind
    eventID: str
    modification: int
    at: int
    text: str = ""
    code: Code = Code.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A decision. `state` is to be on disk before anything of the rest is done.

    `answers` are the eventResponses of 2.0b, in the order of the message; `opts` are to be sent as
    oadrCreateOpt, `cancelled_opts` as oadrCancelOpt. `next_at` is when time alone changes something; None:
    nothing does.
    """

    state: State
    answers: tuple[Answer, ...] = ()
    changes: tuple[Change, ...] = ()
    opts: tuple[CreateOpt, ...] = ()
    cancelled_opts: tuple[str, ...] = ()
    next_at: int | None = None
