"""Which reports a VEN owes: those that events ask for, and what it has to say of opting out. Pure.

3.x has no answer to an event: OPERATING_STATE tells that a resource does not take part. OpenADR 3.1.0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from openadr_ven.events import Code, Enrolment, EventRecord, Phase, State, Unit, Value, participants
from openadr_ven.events.quantity import UNITS
from openadr_ven.events.targets import resolved
from openadr_ven.v3.due import Due, dues_of
from openadr_ven.v3.kept import MOST_OWED, Asked, Kept, Owed
from openadr_ven.v3.objects import EventObject, ReportDescriptor
from openadr_ven.v3.report import (
    AGGREGATED,
    REPORTS_3,
    OperatingState,
    Payload,
    Report,
    ReportInterval,
    ResourceReport,
)

AHEAD_S: Final = 86_400
"""How far ahead the next report is looked for."""
NOT_FOR_US: Final = frozenset({Code.TARGET_MISMATCH, Code.OK})
"""Refusals that nobody has to be told of: the event is for others, or was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A report that is due: of which event, by which of its descriptors, about which resources."""

    eventID: str
    programID: str
    index: int
    descriptor: ReportDescriptor
    due: Due
    resources: tuple[str, ...]

    @property
    def name(self) -> str:
        """What tells it from all other reports of the event."""
        return f"{self.eventID}/{self.index}/{self.due.number}"

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """ResourceNames of the report, each with the resources that it stands for."""
        if self.descriptor.aggregate:
            return ((AGGREGATED, self.resources),)
        return tuple((name, (name,)) for name in self.resources)


def asking(kept: Kept, objects: Sequence[EventObject], now: int) -> Kept:
    """What is kept once events were read: their requests, without those of events that are forgotten."""
    asked = {eventID: one for eventID, one in kept.asked.items() if eventID in kept.state.records}
    for one in objects:
        eventID = one.event.eventID
        record = kept.state.records.get(eventID)
        if record is None or record.event.modification != one.event.modification or one.event.flaw:
            continue
        if not one.reportDescriptors:
            asked.pop(eventID, None)
        elif eventID not in asked or asked[eventID].descriptors != one.reportDescriptors:
            count = len(one.reportDescriptors)
            asked[eventID] = Asked(descriptors=one.reportDescriptors, done=(0,) * count, since=now)
    told = {eventID: words for eventID, words in kept.told.items() if eventID in kept.state.records}
    return replace(kept, asked=asked, told=told)


def wanted(kept: Kept, enrolment: Enrolment, now: int) -> Iterator[Wanted]:
    """All reports that are due at `now` and were not made yet."""
    for eventID, one in kept.asked.items():
        for index, descriptor in enumerate(one.descriptors):
            for due in _dues(kept, eventID, index, now):
                record = kept.state.records[eventID]
                yield Wanted(
                    eventID=eventID,
                    programID=record.event.marketContext,
                    index=index,
                    descriptor=descriptor,
                    due=due,
                    resources=_resources(record, descriptor, enrolment),
                )


def next_report_at(kept: Kept, now: int) -> int | None:
    """When the next report falls due within a day; None if none does."""
    times = (
        due.at
        for eventID, one in kept.asked.items()
        for index in range(len(one.descriptors))
        for due in _dues(kept, eventID, index, now + AHEAD_S)
    )
    return min(times, default=None)


def _dues(kept: Kept, eventID: str, index: int, until: int) -> Iterator[Due]:
    record, one = kept.state.records.get(eventID), kept.asked[eventID]
    if record is None or record.refusal is not None:
        return
    stop = None if record.cancellation is None else record.cancellation.at
    asked = one.descriptors[index]
    done = one.done[index]
    for due in dues_of(record.event, record.start, asked, until, since=one.since, done=done):
        is_late = due.at < one.since and bool(record.event.signals)
        if due.number >= done and not is_late and (stop is None or due.at <= stop):
            yield due


def _resources(record: EventRecord, descriptor: ReportDescriptor, enrolment: Enrolment) -> tuple[str, ...]:
    """Those that the event is for, and that the descriptor targets."""
    found = resolved(record.event, enrolment)
    ours = found if isinstance(found, tuple) else ()
    if not descriptor.targets:
        return ours
    chosen = resolved(replace(record.event, targets=descriptor.targets), enrolment)
    return tuple(name for name in ours if isinstance(chosen, tuple) and name in chosen)


def made(kept: Kept, one: Wanted, owed: Owed | None) -> Kept:
    """What is kept once a report was made; None where there was nothing to say."""
    asked = kept.asked.get(one.eventID)
    if asked is not None and one.index < len(asked.done):
        done = list(asked.done)
        done[one.index] = max(done[one.index], one.due.number + 1)
        kept = replace(kept, asked={**kept.asked, one.eventID: replace(asked, done=tuple(done))})
    return kept if owed is None else owing(kept, owed)


def owing(kept: Kept, *more: Owed) -> Kept:
    """What is kept with more reports to send."""
    return replace(kept, owed=(*kept.owed, *more)[-MOST_OWED:])


def opt_reports(
    kept: Kept, enrolment: Enrolment, clientName: str, now: int, *, is_running: bool
) -> tuple[Kept, tuple[Report, ...]]:
    """What has to be said of resources that do not take part any more, or again: by us or by their devices.

    The name of a report that goes out differs from those of all that wait, also within a second.
    """
    out = OperatingState.RUNNING_OPTED_OUT if is_running else OperatingState.IDLE_OPTED_OUT
    told, reports = dict(kept.told), []
    for eventID, record in kept.state.records.items():
        before = kept.told.get(eventID, {})
        away = (*_opted_out(kept.state, record, enrolment), *kept.away.get(eventID, ()))
        words = dict.fromkeys(away, out.value)
        words |= {name: OperatingState.NORMAL.value for name in before if name not in words}
        news = {name: word for name, word in words.items() if before.get(name) != word}
        if news and record.phase is not Phase.ENDED:
            told[eventID] = {**before, **words}
            name = f"{eventID}/opt/{record.event.modification}/{now}"
            behind = sum(one.reportName.startswith(name) for one in kept.owed)
            name = f"{name}.{behind}" if behind else name
            reports.append(_opt_report(record, news, clientName, name, now))
    return replace(kept, told=told), tuple(reports)


def _opted_out(state: State, record: EventRecord, enrolment: Enrolment) -> tuple[str, ...]:
    if record.refusal is not None:
        is_ours = record.refusal.code not in NOT_FOR_US
        return tuple(one.name for one in enrolment.resources) if is_ours else ()
    inside = {name for part in participants(state, record) for name in part}
    asked = dict.fromkeys(name for part in record.resources for name in part)
    return tuple(name for name in asked if name not in inside)


def _opt_report(record: EventRecord, words: dict[str, str], clientName: str, name: str, now: int) -> Report:
    def row(word: str) -> tuple[ReportInterval, ...]:
        payload = Payload(type="OPERATING_STATE", values=(word,))
        return (ReportInterval(id=0, start=now, payloads=(payload,)),)

    event = record.event
    return Report(
        eventID=event.eventID,
        programID=event.marketContext,
        clientName=clientName,
        reportName=name,
        resources=tuple(ResourceReport(resourceName=name, intervals=row(w)) for name, w in words.items()),
    )


def unit_of(descriptor: ReportDescriptor) -> tuple[str | None, Unit | None]:
    """The units of a report on the wire, and the plain unit that they are of."""
    shape = REPORTS_3.get(descriptor.payloadType)
    word = descriptor.units or (None if shape is None else shape.units)
    scaled = None if word is None else UNITS.get(word)
    return word, None if scaled is None else scaled.unit


def on_wire(value: Value, word: str | None) -> Value:
    """A value in the plain unit, as it stands in a report."""
    if isinstance(value, Decimal) and word in UNITS:
        return value / UNITS[word].factor
    return value
