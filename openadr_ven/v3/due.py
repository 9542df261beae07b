"""When the reports that an event asks for fall due, and which intervals they are about. Pure.

The standard's words on startInterval are ambiguous; read here as: with historical, the point at which the
report is made (-1: behind the last interval), about intervals before it; without, the first interval it is
about, due at its start. OpenADR 3.1.0, reportDescriptor.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from openadr_ven.events import Event
from openadr_ven.events.layout import loop_s, spans
from openadr_ven.v3.objects import ReportDescriptor, ReportIntervals

MOST_SLOTS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An interval of an event on the clock, as published; `end` None has none."""

    id: int
    start: int
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The report of this number (from 0) that a descriptor asks for."""

    number: int
    at: int
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One time through an event that begins again and again: how long it is, s, and what is in it."""

    length_s: int
    slots: tuple[Slot, ...]


def slots_of(
    event: Event, start: int, until: int, *, since: int | None = None, with_parts: bool = False
) -> tuple[Slot, ...]:
    """Intervals of all signals up to `until`, once each, in order; loops have the same ids again.

    `with_parts` are the equal parts of payloads with several values, where there are such. What ends by
    `since` is left out; None leaves out nothing.
    """
    since = start - 1 if since is None else since
    found: dict[tuple[int, int, int], Slot] = {}
    for signal in event.signals:
        for span in spans(event, signal, start, (), since=since, until=until):
            key = (span.round, span.uid, span.start if with_parts else 0)
            slot = Slot(id=span.uid, start=span.start, end=span.end)
            found[key] = _joined(found[key], slot) if key in found else slot
            if len(found) >= MOST_SLOTS:
                break
    return tuple(sorted(found.values(), key=lambda one: (one.start, one.id)))


def _joined(one: Slot, other: Slot) -> Slot:
    """One slot of an interval and its further parts, or of the same interval of another signal."""
    ends = (one.end, other.end)
    end = None if None in ends else max(end for end in ends if end is not None)
    return Slot(id=one.id, start=min(one.start, other.start), end=end)


def dues_of(
    event: Event, start: int, descriptor: ReportDescriptor, until: int, *, since: int = 0, done: int = 0
) -> Iterator[Due]:
    """All reports of a descriptor that fall due up to `until`, in order.

    Of a loop that has gone on for long, those before `since` and the first `done` are left out: nobody asks
    for them any more, and all of it would never end.
    """
    if not event.signals:
        if start <= until:
            yield Due(number=0, at=start, slots=(Slot(id=0, start=start, end=start),))
        return
    is_fine = descriptor.reportIntervals is ReportIntervals.SUB_INTERVALS
    loop = _loop_of(event, start, with_parts=is_fine)
    skipped = 0 if loop is None else _skipped(event, start, descriptor, loop, until, since, done)
    begin = None if loop is None or not skipped else start + skipped * loop.length_s
    slots = slots_of(event, start, until + 1, since=begin, with_parts=is_fine)
    before = 0 if loop is None else skipped * len(loop.slots)
    length = _length(event, start, slots)
    first = _first(descriptor, slots if loop is None else loop.slots, length and before + length)
    for number, index in () if first is None else _indexes(descriptor, first, before, before + len(slots)):
        due = _due(descriptor, slots, number, index - before)
        if due is None or due.at > until:
            return
        if due.slots:
            yield due


def _length(event: Event, start: int, slots: Sequence[Slot]) -> int | None:
    """How many intervals the event has; None where not all of them are known yet."""
    if event.duration_s is None or not slots or slots[-1].end is None:
        return None
    return len(slots) if slots[-1].end >= start + event.duration_s else None


def _loop_of(event: Event, start: int, *, with_parts: bool) -> Loop | None:
    """One time through an event that begins again with all its signals at once; None for any other."""
    lengths = {loop_s(event, signal, start) for signal in event.signals}
    length_s = lengths.pop() if len(lengths) == 1 else None
    own = (one.start for signal in event.signals for one in signal.intervals)
    if length_s is None or any(at is not None and at < start for at in own):
        return None
    slots = slots_of(event, start, start + length_s, with_parts=with_parts)
    return Loop(length_s=length_s, slots=slots) if slots else None


def _skipped(
    event: Event, start: int, descriptor: ReportDescriptor, loop: Loop, until: int, since: int, done: int
) -> int:
    """How many times through an event are not laid out: none as long as all of it is little enough."""
    size = len(loop.slots)
    last = until if event.duration_s is None else min(until, start + event.duration_s)
    rounds = (last - start) // loop.length_s + 1
    if rounds * size <= MOST_SLOTS:
        return 0
    earliest = (rounds - 1) * size
    if not (descriptor.historical and descriptor.startInterval == -1):
        first = _first(descriptor, loop.slots, None) or 0
        reported = first + done * max(_step(descriptor), 0)
        earliest = min(earliest, max(reported, (since - start) // loop.length_s * size))
    reach = descriptor.numIntervals if descriptor.numIntervals >= 0 else MOST_SLOTS // 2
    return max(0, (earliest - reach) // size)


def _step(descriptor: ReportDescriptor) -> int:
    return descriptor.frequency if descriptor.frequency > 0 else descriptor.numIntervals


def _indexes(descriptor: ReportDescriptor, first: int, before: int, total: int) -> Iterator[tuple[int, int]]:
    """Numbers of reports, and between which intervals they are made; `before` many are not laid out."""
    step = _step(descriptor)
    least = before + max(descriptor.numIntervals, 0) if before and descriptor.historical else before
    if step <= 0:
        if least <= first <= total and (descriptor.repeat == -1 or descriptor.repeat > 0):
            yield 0, first
        return
    skipped = max(0, -((first - least) // step))
    for number in itertools.count(skipped) if descriptor.repeat == -1 else range(skipped, descriptor.repeat):
        index = first + number * step
        if index > total:
            return
        yield number, index


def _first(descriptor: ReportDescriptor, slots: Sequence[Slot], length: int | None) -> int | None:
    if descriptor.startInterval == -1:
        return length if descriptor.historical else 0
    return next((i for i, one in enumerate(slots) if one.id == descriptor.startInterval), None)


def _due(descriptor: ReportDescriptor, slots: Sequence[Slot], number: int, index: int) -> Due | None:
    count = descriptor.numIntervals
    if descriptor.historical:
        part = slots[:index] if count < 0 else slots[max(0, index - count) : index]
        at = slots[index].start if index < len(slots) else slots[-1].end
    else:
        part = slots[index:] if count < 0 else slots[index : index + count]
        at = slots[index].start if index < len(slots) else None
    return None if at is None else Due(number=number, at=at, slots=tuple(part))
