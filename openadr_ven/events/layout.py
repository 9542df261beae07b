"""The intervals of a signal on the clock: in order, one after the other, looped or cut. Ends are exclusive.

OpenADR 2.0b, R2, R18, R103; OpenADR 3.1.0, intervalPeriod, event.duration and payloads of several values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from openadr_ven.events.draws import Drawn, offset_of
from openadr_ven.events.event import Event, Interval, Profile, Signal, Value

MOST_ROUNDS: Final = 10_000
"""So many loops at most are laid out at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An interval, or an equal part of one, as published; `offset_s` is what this VEN is shifted by."""

    uid: int
    part: int
    round: int
    start: int
    end: int | None
    offset_s: int
    values: tuple[Value, ...]

    @property
    def own_end(self) -> int | None:
        """The first second at which this VEN is done with it."""
        return None if self.end is None else self.end + self.offset_s


def ordered(profile: Profile, signal: Signal) -> tuple[Interval, ...]:
    """Intervals in the order in which they come: by uid in 2.0b, as listed in 3.x."""
    if profile is Profile.V20B:
        return tuple(sorted(signal.intervals, key=lambda one: one.uid))
    return signal.intervals


def span_s(profile: Profile, signals: Sequence[Signal], start: int) -> int | None:
    """From the start of an event to the end of its last interval, s; None if one has no end.

    This is the `duration_s` of an event of 3.x that has none of its own.
    """
    ends = [_round_end(profile, signal, start) for signal in signals]
    return None if None in ends else max((end for end in ends if end is not None), default=start) - start


def end_of(event: Event, start: int) -> int | None:
    """The published end of an event that starts at `start`; None until further notice (R47)."""
    return None if event.duration_s is None else start + event.duration_s


def spans(
    event: Event, signal: Signal, start: int, drawn: Sequence[Drawn], *, since: int, until: int
) -> Iterator[Span]:
    """What of a signal is in force between `since` and `until`, with the draws of this VEN, in order.

    An event that is longer than its intervals begins with the first again (3.x); one that is shorter cuts
    them.
    """
    end = end_of(event, start)
    length_s = loop_s(event, signal, start)
    first = 0 if not length_s else max(0, (since - start - event.randomization.late_s) // length_s - 1)
    for number in range(first, first + (MOST_ROUNDS if length_s else 1)):
        shift = number * (length_s or 0)
        if start + shift - event.randomization.early_s >= until or (end is not None and start + shift >= end):
            return
        for span in _round(event, signal, start, drawn, number=number, shift=shift):
            cut = _cut(span, end)
            if cut is not None and _is_between(cut, since, until):
                yield cut


def _round(
    event: Event, signal: Signal, start: int, drawn: Sequence[Drawn], *, number: int, shift: int
) -> Iterator[Span]:
    """One time through the intervals."""
    at: int | None = start
    offset_s = offset_of(drawn)
    for one in ordered(event.profile, signal):
        begins = _begin(event.profile, one, at)
        if begins is None:
            return
        if one.randomization is not None and event.profile is not Profile.V20B:
            offset_s = offset_of(drawn, one.uid)
        elif begins != at:
            offset_s = offset_of(drawn)
        yield from _parts(one, begins + shift, number, offset_s)
        at = None if one.duration_s is None else begins + one.duration_s


def _parts(one: Interval, start: int, number: int, offset_s: int) -> Iterator[Span]:
    """An interval, in equal parts where it has several numbers."""
    is_series = len(one.values) > 1 and all(isinstance(v, Decimal) for v in one.values)
    length_s = one.duration_s
    if not is_series or length_s is None:
        end = None if length_s is None else start + length_s
        values = one.values[:1] if is_series else one.values
        yield Span(uid=one.uid, part=0, round=number, start=start, end=end, offset_s=offset_s, values=values)
        return
    count = len(one.values)
    for part, value in enumerate(one.values):
        yield Span(
            uid=one.uid,
            part=part,
            round=number,
            start=start + length_s * part // count,
            end=start + length_s * (part + 1) // count,
            offset_s=offset_s,
            values=(value,),
        )


def _begin(profile: Profile, one: Interval, at: int | None) -> int | None:
    """Where an interval begins: 2.0b ignores a start of its own (R103)."""
    return at if profile is Profile.V20B or one.start is None else one.start


def _round_end(profile: Profile, signal: Signal, start: int) -> int | None:
    at: int | None = start
    latest = start
    for one in ordered(profile, signal):
        begins = _begin(profile, one, at)
        if begins is None or one.duration_s is None:
            return None
        at = begins + one.duration_s
        latest = max(latest, at)
    return latest


def loop_s(event: Event, signal: Signal, start: int) -> int | None:
    """How long one time through a signal is, s, where an event of 3.x is longer; None where it is not."""
    if event.profile is Profile.V20B:
        return None
    end, round_end = end_of(event, start), _round_end(event.profile, signal, start)
    if round_end is None or round_end <= start or (end is not None and end <= round_end):
        return None
    return round_end - start


def _cut(span: Span, end: int | None) -> Span | None:
    if end is None or (span.end is not None and span.end <= end):
        return span if span.end is None or span.end > span.start else None
    if span.start >= end:
        return None
    return Span(
        uid=span.uid,
        part=span.part,
        round=span.round,
        start=span.start,
        end=end,
        offset_s=span.offset_s,
        values=span.values,
    )


def _is_between(span: Span, since: int, until: int) -> bool:
    own_end = span.own_end
    return span.start + span.offset_s < until and (own_end is None or own_end > since)
