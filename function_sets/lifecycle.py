"""The life of one event at a client: which phase follows which, and the Response that each step owes.

IEEE 2030.5-2018, 10.2.3.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from function_sets.events import OPEN_STATES, Draw, controls_of, effective_interval, specified_end
from function_sets.phases import (
    RECEIVED_BIT,
    SPECIFIC_BIT,
    TERMINAL,
    TIMED_OUT,
    USER_BIT,
    Phase,
    ResponseStatus,
)
from function_sets.records import Due, EventRecord, Program
from schemas import DERControl


class Happening(Enum):
    """What happens to an event."""

    START = auto()
    END = auto()
    CANCEL = auto()
    SUPERSEDE = auto()
    OPT_OUT = auto()
    OPT_IN = auto()
    OPT_IN_LATE = auto()
    REFUSE = auto()
    """The devices cannot do anything of it after all."""


P, H, R = Phase, Happening, ResponseStatus

TRANSITIONS: Final[dict[tuple[Phase, Happening], tuple[Phase, ResponseStatus]]] = {
    (P.RECEIVED, H.START): (P.STARTED, R.STARTED),
    (P.RECEIVED, H.CANCEL): (P.CANCELLED, R.CANCELLED),
    (P.RECEIVED, H.SUPERSEDE): (P.SUPERSEDED, R.SUPERSEDED),
    (P.RECEIVED, H.OPT_OUT): (P.DECLINED, R.OPT_OUT),
    (P.DECLINED, H.END): (P.OPTED_OUT, R.COMPLETED_WITHOUT_PARTICIPATION),
    (P.DECLINED, H.CANCEL): (P.CANCELLED, R.CANCELLED),
    (P.DECLINED, H.SUPERSEDE): (P.SUPERSEDED, R.SUPERSEDED),
    (P.DECLINED, H.OPT_IN): (P.RECEIVED, R.OPT_IN),
    (P.DECLINED, H.OPT_IN_LATE): (P.OPTED_IN, R.OPT_IN),
    (P.OPTED_IN, H.START): (P.REJOINED, R.STARTED),
    (P.OPTED_IN, H.CANCEL): (P.CANCELLED, R.CANCELLED),
    (P.OPTED_IN, H.SUPERSEDE): (P.SUPERSEDED, R.SUPERSEDED),
    (P.OPTED_IN, H.OPT_OUT): (P.DECLINED, R.OPT_OUT),
    (P.STARTED, H.END): (P.COMPLETED, R.COMPLETED),
    (P.STARTED, H.CANCEL): (P.CANCELLED, R.CANCELLED),
    (P.STARTED, H.SUPERSEDE): (P.SUPERSEDED, R.SUPERSEDED),
    (P.STARTED, H.OPT_OUT): (P.LEFT, R.OPT_OUT),
    (P.LEFT, H.END): (P.OPTED_OUT, R.PARTLY_COMPLETED_OPT_OUT),
    (P.LEFT, H.CANCEL): (P.CANCELLED, R.CANCELLED),
    (P.LEFT, H.SUPERSEDE): (P.SUPERSEDED, R.SUPERSEDED),
    (P.LEFT, H.OPT_IN_LATE): (P.REJOINED, R.OPT_IN),
    (P.REJOINED, H.END): (P.COMPLETED, R.PARTLY_COMPLETED_OPT_IN),
    (P.REJOINED, H.CANCEL): (P.CANCELLED, R.CANCELLED),
    (P.REJOINED, H.SUPERSEDE): (P.SUPERSEDED, R.SUPERSEDED),
    (P.REJOINED, H.OPT_OUT): (P.LEFT, R.OPT_OUT),
    **{(phase, H.REFUSE): (P.REJECTED, R.REJECTED_NOT_APPLICABLE) for phase in P if phase not in TERMINAL},
}
"""Where each happening leads, and the code of the Response that it owes; a missing key is a bug."""

BITS: Final[dict[int, int]] = {
    R.RECEIVED: RECEIVED_BIT,
    R.STARTED: SPECIFIC_BIT,
    R.COMPLETED: SPECIFIC_BIT,
    R.OPT_OUT: USER_BIT,
    R.OPT_IN: USER_BIT,
    R.CANCELLED: SPECIFIC_BIT,
    R.SUPERSEDED: SPECIFIC_BIT,
    R.PARTLY_COMPLETED_OPT_OUT: USER_BIT,
    R.PARTLY_COMPLETED_OPT_IN: USER_BIT,
    R.COMPLETED_WITHOUT_PARTICIPATION: USER_BIT,
    R.ABORTED_ALTERNATE_PROGRAM: SPECIFIC_BIT,
    R.REJECTED_NOT_APPLICABLE: RECEIVED_BIT,
    R.REJECTED_INVALID: RECEIVED_BIT,
    R.REJECTED_EXPIRED: RECEIVED_BIT,
}
"""The bit of responseRequired that asks for each code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Effective start and end at this client."""

    start: int
    end: int


def due_of(record: EventRecord, status: int, at: int) -> tuple[Due, ...]:
    """The Response with `status`, if the event asks for it."""
    if record.reply_to is None or not record.response_required & BITS[status]:
        return ()
    return (Due(mRID=record.mRID, reply_to=record.reply_to, status=int(status), at=at),)


def interval_of(control: DERControl, draw: Draw, now: int) -> Interval:
    """When the client acts on an event that it takes up at `now`.

    Taken up while it runs: start now plus the size of the random part where that leaves time, and the end as
    specified, with the random part of the duration where that leaves time. IEEE 2030.5-2018, 10.2.3.
    """
    start, end = effective_interval(control, draw)
    if control.interval.start > now:
        return Interval(start=max(start, now), end=max(end, now))
    end = specified_end(control) + draw.duration_s
    end = end if end > now else specified_end(control)
    start = now + abs(draw.start_s)
    return Interval(start=start if start < end else now, end=end)


def admitted(
    control: DERControl,
    program: Program,
    now: int,
    *,
    draw: Callable[[DERControl], Draw],
    supported: frozenset[str] | None,
    is_valid: bool = True,
) -> tuple[EventRecord, ResponseStatus]:
    """The record of an event seen for the first time at `now`, and the code that its receipt owes.

    Rejected are events that are over (254), that last no time, name no mode or are not `is_valid` (253), and
    whose modes the DER has none of (252). The draw is made for those that are taken up only.
    """
    named = controls_of(control)
    modes = named if supported is None else named & supported
    record = EventRecord(
        control=control,
        program_href=program.href,
        primacy=program.primacy,
        phase=Phase.REJECTED,
        start=control.interval.start,
        end=specified_end(control),
        draw=Draw(),
        modes=modes,
    )
    flaw = _flaw(record, named if is_valid else frozenset(), now)
    if flaw is not None:
        return record, flaw
    drawn = draw(control)
    when = interval_of(control, drawn, now)
    taken = replace(record, phase=Phase.RECEIVED, start=when.start, end=when.end, draw=drawn)
    return taken, ResponseStatus.RECEIVED


def is_open_again(record: EventRecord, control: DERControl, now: int) -> bool:
    """True for an event that was over here and is not: the server shows it open, and its time is not past.

    Its program was lost and is assigned again, or the server's clock was ahead for a while. What was
    cancelled, superseded or rejected stays so. IEEE 2030.5-2018, 10.2.3.
    """
    end = min(record.end, specified_end(record.control))
    if now >= end or control.EventStatus_.currentStatus not in OPEN_STATES or not record.left_modes:
        return False
    was_open = record.control.EventStatus_.currentStatus in OPEN_STATES
    return record.phase in TIMED_OUT or (record.phase is Phase.CANCELLED and was_open)


def _flaw(record: EventRecord, named: frozenset[str], now: int) -> ResponseStatus | None:
    if record.end <= now:
        return ResponseStatus.REJECTED_EXPIRED
    if record.end <= record.start or not named:
        return ResponseStatus.REJECTED_INVALID
    return None if record.modes else ResponseStatus.REJECTED_NOT_APPLICABLE
