"""When the reports that an event asks for fall due, and which intervals they are about. Pure.

The standard's words on startInterval are ambiguous; read here as: with historical, the point at which the
report is made (-1: behind the last interval), about intervals before it; without, the first interval it is
about, due at its start. OpenADR 3.1.0, reportDescriptor.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from openadr_ven.events import Event
from openadr_ven.events.layout import spans
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


def slots_of(event: Event, start: int, until: int, *, with_parts: bool = False) -> tuple[Slot, ...]:
    """Intervals of all signals up to `until`, once each, in order; loops have the same ids again.

    `with_parts` are the equal parts of payloads with several values, where there are such.
    """
    found: dict[tuple[int, int, int], Slot] = {}
    for signal in event.signals:
        for span in spans(event, signal, start, (), since=start - 1, until=until):
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


def dues_of(event: Event, start: int, descriptor: ReportDescriptor, until: int) -> Iterator[Due]:
    """All reports of a descriptor that fall due up to `until`, in order."""
    if not event.signals:
        if start <= until:
            yield Due(number=0, at=start, slots=(Slot(id=0, start=start, end=start),))
        return
    is_fine = descriptor.reportIntervals is ReportIntervals.SUB_INTERVALS
    slots = slots_of(event, start, until + 1, with_parts=is_fine)
    length = _length(event, start, slots)
    for number, index in enumerate(_indexes(descriptor, slots, length)):
        due = _due(descriptor, slots, number, index)
        if due is None or due.at > until:
            return
        if due.slots:
            yield due


def _length(event: Event, start: int, slots: Sequence[Slot]) -> int | None:
    """How many intervals the event has; None where not all of them are known yet."""
    if event.duration_s is None or not slots or slots[-1].end is None:
        return None
    return len(slots) if slots[-1].end >= start + event.duration_s else None


def _indexes(descriptor: ReportDescriptor, slots: Sequence[Slot], length: int | None) -> Iterator[int]:
    """Between which intervals reports are made."""
    first = _first(descriptor, slots, length)
    if first is None:
        return
    step = descriptor.frequency if descriptor.frequency > 0 else descriptor.numIntervals
    count = MOST_SLOTS if descriptor.repeat == -1 else min(descriptor.repeat, MOST_SLOTS)
    for number in range(count if step > 0 else min(count, 1)):
        index = first + number * step
        if index > len(slots):
            return
        yield index


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
