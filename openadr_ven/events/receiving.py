"""What a VEN makes of what a VTN says of its events. Pure: chance and the verdict of a translation are ports.

OpenADR 2.0b, R4, R12, R19, R50, R57, R58, R60 to R62; OpenADR 3.1.0, modificationDateTime.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from openadr_ven.events.answer import Answer, Code, OptType, Refusal
from openadr_ven.events.cancelling import cancelled, takes_back
from openadr_ven.events.checks import Accepted, checked
from openadr_ven.events.clockwork import advance, change, next_at
from openadr_ven.events.draws import Draw, draws_of
from openadr_ven.events.enrolment import Enrolment
from openadr_ven.events.event import Event, Profile, Snapshot
from openadr_ven.events.record import Cancellation, EventRecord, How, Phase, State
from openadr_ven.events.step import Change, ChangeKind, Step
from openadr_ven.events.stored import digest_of
from openadr_ven.events.taking_part import opt_of
from openadr_ven.events.timing import own_end, own_start

KEEP_S: Final = 7 * 86_400
"""How long an event that is over, and that no list shows any more, is remembered, s."""
MOST_ENDED: Final = 10_000
"""So many events that are over are remembered at most: the oldest go first."""

UNTOLD: Final = "changed without a newer modificationDateTime"
"""What is said of an event of 3.x whose VTN does not say that it changed it."""

Judge = Callable[[Event, tuple[str, ...]], Refusal | None]
"""The port of a translation: why it cannot carry out an event for these resources; None if it can."""


def takes_all(_: Event, __: tuple[str, ...]) -> None:
    """A judge that has nothing against any event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the machine asks of others. `draw` is chance, `judge` says what a translation cannot do."""

    enrolment: Enrolment
    draw: Draw
    judge: Judge = takes_all


@dataclass(slots=True)
class _Round:
    """One message, while it is worked through."""

    state: State
    now: int
    ports: Ports
    requestID: str
    records: dict[str, EventRecord]
    answers: list[Answer] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def receive(state: State, snapshot: Snapshot, now: int, ports: Ports) -> Step:
    """What holds after a message; each of its events is answered on its own (R19).

    Time passes to `now` first: what was to begin by then runs, since controls are published ahead. Raises
    ValueError where the draw is outside of its window.
    """
    before = advance(state, now)
    turn = _Round(
        state=before.state,
        now=now,
        ports=ports,
        requestID=snapshot.requestID,
        records=dict(before.state.records),
    )
    for event in snapshot.events:
        _take(turn, event)
    listed = {event.eventID for event in snapshot.events}
    missing = [one for one in turn.records if one not in listed] if snapshot.is_full else []
    _take_back(turn, [one for one in snapshot.deleted if one in turn.records], How.DELETED)
    _take_back(turn, missing, How.MISSING)
    kept = _kept(turn.records, listed if snapshot.is_full else listed | turn.records.keys(), now)
    after = advance(replace(before.state, records=kept), now)
    changes = (*before.changes, *turn.changes, *after.changes)
    return replace(after, answers=tuple(turn.answers), changes=changes)


def forget(state: State, now: int) -> Step:
    """Nothing is left of a VTN that cancelled our registration: all that runs stops at once (R407)."""
    before = advance(state, now)
    held = before.state.records.values()
    live = [one for one in held if one.phase is not Phase.ENDED and one.refusal is None]
    changes = [change(ChangeKind.CANCELLED, one, now, "registration cancelled") for one in live]
    return Step(state=State(), changes=(*before.changes, *changes), next_at=next_at(State(), now))


def _cancel(turn: _Round, record: EventRecord, how: How, modification: int | None = None) -> None:
    """An event is taken back."""
    after, changes = cancelled(record, how, turn.now, turn.ports.draw, modification)
    turn.records[record.event.eventID] = after
    turn.changes += changes


def _take(turn: _Round, event: Event) -> None:
    """One event of the message, by its number: newer, the same, or older than what is held."""
    record = turn.records.get(event.eventID)
    if record is not None and event.modification < record.event.modification:
        _say(turn, event, Code.OUT_OF_SEQUENCE, OptType.OUT, "an older number than before")
    elif takes_back(event):
        _take_cancelled(turn, event, record)
    elif record is None or event.modification > record.event.modification or _is_news(record, event):
        _take_new(turn, event, record)
    elif record.cancellation is not None:
        _say(turn, event, Code.OUT_OF_SEQUENCE, OptType.OUT, "cancelled already at this number")
    else:
        turn.records[event.eventID] = replace(record, requestID=turn.requestID)
        _say_verdict(turn, event, turn.records[event.eventID])


def _take_cancelled(turn: _Round, event: Event, record: EventRecord | None) -> None:
    """A cancelled event is complied with (R36), and answered even if nobody knew it (R21, R60)."""
    if record is None:
        record = EventRecord(
            event=event,
            start=turn.now if event.start is None else event.start,
            optType=OptType.IN,
            requestID=turn.requestID,
            cancellation=Cancellation(how=How.SAID, at=turn.now),
            resources=tuple(() for _ in event.signals),
            phase=Phase.ENDED,
        )
        turn.records[event.eventID] = record
    else:
        _cancel(turn, replace(record, requestID=turn.requestID), How.SAID, event.modification)
    _say(turn, event, Code.OK, OptType.IN)


def _take_new(turn: _Round, event: Event, before: EventRecord | None) -> None:
    """An event that nobody knew, or a newer version: it is taken as a whole, or refused as a whole (R57)."""
    found = checked(event, turn.ports.enrolment)
    record = _judged(turn, found, event, before)
    if before is not None and before.phase is Phase.STARTED and record.refusal is None:
        record = replace(record, phase=Phase.STARTED if own_start(record) <= turn.now else Phase.PENDING)
    elif record.refusal is None and _is_over(record, turn.now):
        late = Refusal(code=Code.OK, text="the event is over already")
        record = replace(record, refusal=late, phase=Phase.ENDED)
    turn.records[event.eventID] = record
    kind = ChangeKind.RECEIVED if before is None else ChangeKind.MODIFIED
    if record.refusal is not None:
        refused = change(ChangeKind.REFUSED, record, turn.now, record.refusal.text)
        turn.changes.append(replace(refused, code=record.refusal.code))
    else:
        left_out = () if isinstance(found, Refusal) else found.left_out
        untold = (UNTOLD,) if before is not None and _is_untold(before, event) else ()
        turn.changes.append(change(kind, record, turn.now, "; ".join((*untold, *left_out))))
    _say_verdict(turn, event, record)


def _judged(turn: _Round, found: Accepted | Refusal, event: Event, before: EventRecord | None) -> EventRecord:
    """The record of a version as it is taken: with what is kept of the version before."""
    refusal = found if isinstance(found, Refusal) else None
    taken = event if isinstance(found, Refusal) else found.event
    parts = () if isinstance(found, Refusal) else found.resources
    if refusal is None:
        refusal = turn.ports.judge(taken, tuple(dict.fromkeys(n for part in parts for n in part)))
    default = OptType.IN if turn.ports.enrolment.is_opted_in else OptType.OUT
    return EventRecord(
        event=taken,
        start=_start(event, before, turn.now),
        optType=default if before is None else before.optType,
        refusal=refusal,
        resources=parts or tuple(() for _ in taken.signals),
        drawn=draws_of(taken, () if before is None else before.drawn, turn.ports.draw)
        if refusal is None
        else (() if before is None else before.drawn),
        opted=() if before is None else before.opted,
        requestID=turn.requestID,
        digest="" if event.profile is Profile.V20B else digest_of(event),
    )


def _is_news(record: EventRecord, event: Event) -> bool:
    """Whether an event of 3.x is another than before under its modificationDateTime. 2.0b has numbers (R57).

    So it is where the VTN changed it, and where it was only missing: what we may see is granted and taken
    back, and that changes no event.
    """
    if event.profile is Profile.V20B:
        return False
    if record.cancellation is not None:
        return record.cancellation.how is How.MISSING
    if not record.digest:
        return False
    return event.modification == record.event.modification and digest_of(event) != record.digest


def _is_untold(before: EventRecord, event: Event) -> bool:
    """Whether an event that was there all the time is another under the same number."""
    return before.cancellation is None and before.event.modification == event.modification


def _start(event: Event, before: EventRecord | None, now: int) -> int:
    """The published start; one that means now is the time at which the event was first seen, and stays."""
    if event.start is not None:
        return event.start
    is_kept = before is not None and before.event.start is None and before.cancellation is None
    return before.start if before is not None and is_kept else now


def _take_back(turn: _Round, eventIDs: Iterable[str], how: How) -> None:
    """Events that are missing from a full list, or deleted. What was refused is simply forgotten."""
    for eventID in eventIDs:
        record = turn.records[eventID]
        if record.refusal is not None and record.cancellation is None:
            del turn.records[eventID]
        elif record.cancellation is not None or not _is_over(record, turn.now):
            _cancel(turn, record, how)


def _say_verdict(turn: _Round, event: Event, record: EventRecord) -> None:
    """The stored verdict: the code of a refusal, else in or out by who takes part."""
    refusal = record.refusal
    if refusal is not None:
        _say(turn, event, refusal.code, OptType.OUT, refusal.text)
    else:
        _say(turn, event, Code.OK, opt_of(turn.state, record))


def _say(turn: _Round, event: Event, code: Code, opt: OptType, text: str = "") -> None:
    """An answer, where one is wanted (R12, R62); there are none in 3.x."""
    if event.profile is Profile.V20B and event.is_response_required:
        turn.answers.append(
            Answer(
                requestID=turn.requestID,
                eventID=event.eventID,
                modification=event.modification,
                code=code,
                optType=opt,
                description=text,
            )
        )


def _is_over(record: EventRecord, now: int) -> bool:
    end = own_end(record)
    return end is not None and end <= now


def _kept(records: dict[str, EventRecord], listed: Iterable[str], now: int) -> dict[str, EventRecord]:
    """Records without those of events that are long over and that no list shows any more."""
    shown = frozenset(listed)
    kept = {
        eventID: record
        for eventID, record in records.items()
        if eventID in shown or not _is_long_over(record, now)
    }
    ended = [eventID for eventID, record in kept.items() if record.phase is Phase.ENDED]
    for eventID in ended[: max(0, len(ended) - MOST_ENDED)]:
        del kept[eventID]
    return kept


def _is_long_over(record: EventRecord, now: int) -> bool:
    """Over for so long that it cannot come back. What has no end and was cancelled is kept."""
    end = own_end(record)
    return record.phase is Phase.ENDED and end is not None and end + KEEP_S <= now
