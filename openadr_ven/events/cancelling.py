"""Events that a VTN takes back: said so, missing from a full list, or deleted.

One that has begun stops within its random window (R65); one that has not never begins. OpenADR 2.0b, R36,
R61.
"""

from dataclasses import replace

from openadr_ven.events.clockwork import change
from openadr_ven.events.draws import Draw, drawn_within
from openadr_ven.events.event import Event, EventStatus, Profile, Randomization
from openadr_ven.events.record import Cancellation, EventRecord, How, Phase
from openadr_ven.events.step import Change, ChangeKind
from openadr_ven.events.timing import stop_of


def takes_back(event: Event) -> bool:
    """Whether an event is cancelled by its own words: the status (R114); in 3.x a start now and no length."""
    if event.profile is Profile.V20B:
        return event.eventStatus is EventStatus.CANCELLED
    return event.start is None and event.duration_s == 0


def cancelled(
    record: EventRecord, how: How, now: int, draw: Draw, modification: int | None = None
) -> tuple[EventRecord, list[Change]]:
    """A record whose event is taken back; nothing changes for one that was already, but its number.

    And that one which was only missing is taken back for good. What began runs on as it was, up to its stop.
    `modification` is the number of the cancellation, if it has one.
    """
    number = record.event.modification if modification is None else modification
    event = replace(record.event, modification=number, eventStatus=EventStatus.CANCELLED)
    before = record.cancellation
    if before is not None:
        kept = replace(before, how=how) if before.how is How.MISSING else before
        return replace(record, event=event, cancellation=kept), []
    stop_at = _stop(record, now, draw) if record.phase is Phase.STARTED else None
    after = replace(record, event=event, cancellation=Cancellation(how=how, at=now, stop_at=stop_at))
    stop = stop_of(after)
    is_over = stop_at is None or (stop is not None and stop <= now)
    after = replace(after, phase=Phase.ENDED if is_over else Phase.STARTED)
    is_news = record.phase is not Phase.ENDED and record.refusal is None
    changes = [change(ChangeKind.CANCELLED, after, now, how.value)] if is_news else []
    if record.phase is Phase.STARTED and is_over:
        changes.append(change(ChangeKind.STOPPED, after, now))
    return after, changes


def _stop(record: EventRecord, now: int, draw: Draw) -> int:
    """When an event that runs is to stop: within its window from now on."""
    late = Randomization(late_s=record.event.randomization.late_s)
    return now + drawn_within(draw, record.event.eventID, late)
