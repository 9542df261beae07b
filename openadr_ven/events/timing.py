"""When an event is what: its status, when this VEN begins and ends, and what time alone changes next.

OpenADR 2.0b, R13, R18, R47, R66, R114. What a VTN says of the status is not asked, save that it cancelled.
"""

from collections.abc import Iterator
from typing import Final

from openadr_ven.events.event import Event, EventStatus, Signal
from openadr_ven.events.layout import end_of, spans
from openadr_ven.events.record import EventRecord

_EVER: Final = 2**62


def own_start(record: EventRecord) -> int:
    """The first second at which this VEN acts, with its draw."""
    return record.start + min((one.offset_s for one in record.drawn), default=0)


def own_end(record: EventRecord) -> int | None:
    """The first second at which this VEN does not act any more, with its draw; None: none is known."""
    end = end_of(record.event, record.start)
    return None if end is None else end + max((one.offset_s for one in record.drawn), default=0)


def stop_of(record: EventRecord) -> int | None:
    """When this VEN stops: at its own end, or where a cancellation stops it before."""
    end, cancellation = own_end(record), record.cancellation
    stop = None if cancellation is None else cancellation.stop_at
    known = [at for at in (end, stop) if at is not None]
    return min(known, default=None)


def ramp_of(record: EventRecord) -> tuple[int, int] | None:
    """From when to when this VEN ramps up: before its start, or behind it where x-eiRampUp is negative."""
    length_s, start = record.event.ramp_up_s, own_start(record)
    if length_s == 0:
        return None
    return (start - length_s, start) if length_s > 0 else (start, start - length_s)


def recovery_end(record: EventRecord) -> int | None:
    """When the recovery after the event is over; None where the event has none, or no end."""
    stop = stop_of(record)
    return None if stop is None or not record.event.recovery_s else stop + record.event.recovery_s


def status_at(record: EventRecord, now: int) -> EventStatus:
    """The status by our own clock: near from the ramp on, active from the published start to our own end."""
    if record.cancellation is not None:
        return EventStatus.CANCELLED
    end = own_end(record)
    if end is not None and now >= end:
        return EventStatus.COMPLETED
    starts = min(record.start, own_start(record))
    if now >= starts:
        return EventStatus.ACTIVE
    return EventStatus.NEAR if now >= starts - record.event.ramp_up_s else EventStatus.FAR


def overlap_end(event: Event, start: int) -> int | None:
    """Up to when an event counts as overlapping others: with the whole random window (R18)."""
    end = end_of(event, start)
    return None if end is None else end + event.randomization.late_s


def overlap(one: EventRecord, other: EventRecord) -> bool:
    """Whether two events may be in force at the same second; ends are exclusive."""
    return _begins_before(one, other) and _begins_before(other, one)


def next_times(record: EventRecord, now: int) -> Iterator[int]:
    """Seconds after `now` at which time alone changes something of an event that is carried out."""
    ramp = ramp_of(record)
    fixed = (record.start, own_start(record), stop_of(record), recovery_end(record), *(ramp or ()))
    yield from (at for at in fixed if at is not None and at > now)
    for signal in record.event.signals:
        yield from _next_boundary(record, signal, now)


def _next_boundary(record: EventRecord, signal: Signal, now: int) -> Iterator[int]:
    """Ends of what of a signal is in force, and the start of what comes after it."""
    for span in spans(record.event, signal, record.start, record.drawn, since=now, until=_EVER):
        begins, ends = span.start + span.offset_s, span.own_end
        yield from (at for at in (begins, ends) if at is not None and at > now)
        if begins > now:
            return


def _begins_before(one: EventRecord, other: EventRecord) -> bool:
    end = overlap_end(other.event, other.start)
    return end is None or one.start - one.event.randomization.early_s < end
