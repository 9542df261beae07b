"""An event of 3.x into the neutral model. What cannot be read is a flaw of that event alone.

OpenADR 3.0.1 and 3.1.0: event, interval, intervalPeriod.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from openadr_ven.events import Event, Interval, Randomization, Signal, Value, span_s
from openadr_ven.v3.errors import FlawError
from openadr_ven.v3.leniency import Leniency, Notes
from openadr_ven.v3.objects import EventObject, PayloadDescriptor, Program
from openadr_ven.v3.quantities import unit_of, values_of
from openadr_ven.v3.read_objects import (
    id_of,
    object_of,
    payload_descriptors,
    report_descriptors,
    targets_of,
    times_of,
)
from openadr_ven.v3.table import Table
from openadr_ven.v3.version import ObjectType, Version

MOST_INTERVALS: Final = 10_000
MOST_TYPES: Final = 100
"""Payload types of one event."""
LATEST: Final = 253_402_300_799
"""The end of the year 9999, s since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    """An intervalPeriod: its start (None: now, or after what precedes), and what it says of the rest."""

    start: int | None = None
    has_duration: bool = False
    duration_s: int | None = None
    randomization: Randomization | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """An interval with all its payloads; `begins` by the clock, None behind what has no end."""

    uid: int
    start: int | None
    begins: int | None
    duration_s: int | None
    randomization: Randomization | None
    payloads: Mapping[str, Table]


def read_event(
    found: object, version: Version, programs: Mapping[str, Program], notes: Notes, now: int
) -> EventObject:
    """An event; one that has an id but cannot be read has its `flaw`. `now` is what start now means.

    Raises FlawError where not even the id can be read: nobody knows which event it is.
    """
    table = object_of(found, ObjectType.EVENT, notes)
    eventID = id_of(table)
    try:
        return _event(table, eventID, version, programs, now)
    except FlawError as flaw:
        created, modification = times_of(table)
        event = Event(
            profile=version.profile,
            eventID=eventID,
            modification=modification,
            createdDateTime=created,
            start=None,
            duration_s=None,
            signals=(),
            flaw=str(flaw)[:500],
        )
        return EventObject(event=event)


def _event(
    table: Table, eventID: str, version: Version, programs: Mapping[str, Program], now: int
) -> EventObject:
    programID = table.identifier("programID") or ""
    program = programs.get(programID)
    if program is None:
        table.notes.add(Leniency.PROGRAM_UNKNOWN, table.place)
    known = {} if program is None else program.payloadDescriptors
    descriptors = {**known, **payload_descriptors(table)}
    reports = report_descriptors(table, version)
    period = _period(table)
    rows = _rows(table, period, now)
    if not rows and version is Version.V301:
        table.notes.add(Leniency.NO_INTERVALS, table.place)
    start = _start(period, rows)
    signals = _signals(rows, start, descriptors)
    created, modification = times_of(table)
    event = Event(
        profile=version.profile,
        eventID=eventID,
        modification=modification,
        createdDateTime=created,
        marketContext=programID,
        start=start,
        duration_s=None,
        signals=signals,
        priority=_priority(table),
        randomization=period.randomization or Randomization(),
        targets=targets_of(table, version),
    )
    event = replace(event, duration_s=_duration_s(table, event, period, is_asking=bool(reports), now=now))
    _require_no_loop_with_gaps(table, event, rows, now)
    return EventObject(event=event, eventName=table.text("eventName") or "", reportDescriptors=reports)


def _priority(table: Table) -> int | None:
    priority = table.whole("priority")
    if priority is not None and priority < 0:
        raise table.flaw("priority", "negative")
    return priority


def _period(table: Table) -> _Period:
    inner = table.inner("intervalPeriod")
    if inner is None:
        return _Period()
    has_duration, length_s = inner.duration_s("duration")
    has_window, window_s = inner.duration_s("randomizeStart")
    if has_window and window_s is None:
        raise inner.flaw("randomizeStart", "without end")
    bound_s = abs(window_s or 0)
    return _Period(
        start=inner.instant("start"),
        has_duration=has_duration,
        duration_s=length_s,
        randomization=Randomization(early_s=bound_s, late_s=bound_s) if has_window else None,
    )


def _rows(table: Table, period: _Period, now: int) -> list[_Row]:
    """Intervals in the order of the list, which is the order in time where they have no start."""
    found = table.tables("intervals")
    if len(found) > MOST_INTERVALS:
        raise table.flaw("intervals", f"{len(found)} are too many")
    at: int | None = now if period.start is None else period.start
    rows: list[_Row] = []
    for number, one in enumerate(found):
        own = _period(one)
        begins = at if own.start is None else own.start
        if begins is not None and not 0 <= begins <= LATEST:
            raise one.flaw("intervalPeriod", "begins before 1970 or after the year 9999")
        length_s = own.duration_s if own.has_duration else period.duration_s
        if not own.has_duration and not period.has_duration:
            table.notes.add(Leniency.NO_DURATION, one.place)
        rows.append(
            _Row(
                uid=_uid(one, number),
                start=own.start,
                begins=begins,
                duration_s=length_s,
                randomization=own.randomization,
                payloads=_payloads(one),
            )
        )
        at = None if begins is None or length_s is None else begins + length_s
    return _told_apart(table, rows)


def _told_apart(table: Table, rows: list[_Row]) -> list[_Row]:
    """Intervals each with an id of its own: by that they are known from then on."""
    used = {row.uid for row in rows}
    if len(used) == len(rows):
        return rows
    table.notes.add(Leniency.SAME_INTERVAL_ID, table.place)
    free = (number for number in itertools.count() if number not in used)
    seen: set[int] = set()
    found: list[_Row] = []
    for row in rows:
        found.append(replace(row, uid=next(free)) if row.uid in seen else row)
        seen.add(row.uid)
    return found


def _uid(one: Table, number: int) -> int:
    uid = one.whole("id")
    if uid is None:
        one.notes.add(Leniency.NO_INTERVAL_ID, one.place)
    return number if uid is None else uid


def _payloads(one: Table) -> dict[str, Table]:
    payloads: dict[str, Table] = {}
    for payload in one.tables("payloads"):
        kind = payload.word("type")
        if kind in payloads:
            raise payload.flaw("type", f"two payloads of {kind[:128]}")
        payloads[kind] = payload
    return payloads


def _start(period: _Period, rows: Sequence[_Row]) -> int | None:
    """When an event begins: with its earliest interval; None now."""
    if period.start is not None and not 0 <= period.start <= LATEST:
        raise FlawError("the event begins before 1970 or after the year 9999")
    is_now = period.start is None and (not rows or rows[0].start is None)
    if is_now:
        return None
    if not rows:
        return period.start
    return min(row.begins for row in rows if row.begins is not None)


def _signals(
    rows: Sequence[_Row], start: int | None, descriptors: Mapping[str, PayloadDescriptor]
) -> tuple[Signal, ...]:
    """All payloads of one type are one signal."""
    kinds = dict.fromkeys(kind for row in rows for kind in row.payloads)
    if len(kinds) > MOST_TYPES:
        raise FlawError(f"{len(kinds)} payload types are too many")
    return tuple(_signal(kind, rows, start, descriptors) for kind in kinds)


def _signal(
    kind: str, rows: Sequence[_Row], start: int | None, descriptors: Mapping[str, PayloadDescriptor]
) -> Signal:
    scale, currency = unit_of(kind, descriptors)
    intervals: list[Interval] = []
    follows = True
    for number, row in enumerate(rows):
        payload = row.payloads.get(kind)
        if payload is not None:
            is_early = number == 0 and start is not None and row.begins != start
            own = row.begins if row.start is None and (is_early or not follows) else row.start
            intervals.append(_interval(row, own, values_of(payload, kind, scale)))
        follows = payload is not None
    return Signal(
        signalID=kind,
        signalName=kind,
        signalType="",
        intervals=tuple(intervals),
        unit=None if scale is None else scale.unit,
        currency=currency,
    )


def _interval(row: _Row, start: int | None, values: tuple[Value, ...]) -> Interval:
    return Interval(
        uid=row.uid,
        duration_s=row.duration_s,
        values=values,
        start=start,
        randomization=row.randomization,
    )


def _duration_s(table: Table, event: Event, period: _Period, *, is_asking: bool, now: int) -> int | None:
    """The length of an event: its own (3.1.0), or of its intervals. PT0S of its own is the schema's default.

    An event that only asks for reports lasts until it is deleted, where it has no length.
    """
    has_own, own_s = table.duration_s("duration")
    if has_own and own_s != 0:
        return own_s
    if event.signals:
        return span_s(event.profile, event.signals, now if event.start is None else event.start)
    is_until_deleted = not period.has_duration or (is_asking and period.duration_s == 0)
    return None if is_until_deleted else period.duration_s


def _require_no_loop_with_gaps(table: Table, event: Event, rows: Sequence[_Row], now: int) -> None:
    """A loop of intervals is told by each signal alone: every interval must have every type then."""
    if len(event.signals) == 0 or all(len(row.payloads) == len(event.signals) for row in rows):
        return
    once_s = span_s(event.profile, event.signals, now if event.start is None else event.start)
    if once_s is not None and (event.duration_s is None or event.duration_s > once_s):
        raise table.flaw("duration", "a loop of intervals that have not all the same payload types")
