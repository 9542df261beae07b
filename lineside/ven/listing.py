"""`lineside ven events`: every event that the VEN holds and what became of it, as JSON and as lines."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from lineside.ven.looking import time_text
from lineside.ven.settings import VenSettings
from lineside.ven.state import StateFolder
from lineside.ven.wires import kept_state
from openadr_ven.events import (
    CreateOpt,
    EventRecord,
    EventStatus,
    Point,
    Profile,
    Signal,
    State,
    Unit,
    Value,
    participants,
    status_at,
)
from openadr_ven.events.layout import end_of, spans
from openadr_ven.events.taking_part import opt_of
from openadr_ven.to_sep2 import Held, Record

MOST_LEVELS: Final = 288
"""So many intervals of a signal are shown: a day of five minutes each."""
EVER: Final = 2**62
Table = dict[str, Any]


async def holding_of(settings: VenSettings, now: int) -> Table:
    """All events and schedules as the state folder has them, of a VEN that runs or not. Raises KeptError."""
    file = StateFolder(settings.state).file
    state, ven_id = await kept_state(settings, file.memory(is_20b=settings.vtn.profile is Profile.V20B))
    return {
        "venID": ven_id or None,
        "events": events_of(state, file.held(), now),
        "schedules": [_schedule(one) for one in state.schedules],
    }


def events_of(state: State, held: Held, now: int) -> list[Table]:
    """The events by their start; `published` is what exists on the server by each of them."""
    published: dict[str, list[Record]] = {}
    for one in held.items.values():
        published.setdefault(one.eventID, []).append(one)
    ordered = sorted(state.records.items(), key=lambda one: (one[1].start, one[0]))
    return [_event(state, record, published.get(eventID, []), now) for eventID, record in ordered]


def lines_of(holding: Table) -> Iterator[str]:
    """The same for people."""
    if not holding["events"]:
        yield "no events"
    for one in holding["events"]:
        yield from _event_lines(one)
    for one in holding["schedules"]:
        whom = ", ".join(one["resources"]) or "all resources"
        times = ", ".join(f"{_text(w['start'])} to {_text(w['end'])}" for w in one["windows"])
        where = f" of {one['marketContext']}" if one["marketContext"] else ""
        yield f"schedule {one['optID']}: {one['opt']} of {whom}{where}, {times}"


def _event(state: State, record: EventRecord, published: list[Record], now: int) -> Table:
    event, refusal, cancellation = record.event, record.refusal, record.cancellation
    parts = participants(state, record)
    return {
        "eventID": event.eventID,
        "modification": event.modification,
        "marketContext": event.marketContext,
        "status": str(status_at(record, now)) if refusal is None else "refused",
        "phase": str(record.phase),
        "test": event.is_test,
        "priority": event.priority,
        "start": record.start,
        "end": end_of(event, record.start),
        "opt": str(opt_of(state, record)),
        "optedResources": {one.resource: str(one.optType) for one in record.opted},
        "refusal": None if refusal is None else {"code": int(refusal.code), "text": refusal.text},
        "cancelled": None if cancellation is None else {"how": str(cancellation.how), "at": cancellation.at},
        "signals": [
            _signal(record, signal, names, now) for signal, names in zip(event.signals, parts, strict=True)
        ],
        "published": [_published(one) for one in sorted(published, key=lambda one: (one.start, one.mRID))],
    }


def _signal(record: EventRecord, signal: Signal, resources: tuple[str, ...], now: int) -> Table:
    """A signal with its levels and the times at which we act; of one that runs those that are not over."""
    since = now if status_at(record, now) is EventStatus.ACTIVE else -EVER
    laid = list(
        islice(
            spans(record.event, signal, record.start, record.drawn, since=since, until=EVER), MOST_LEVELS + 1
        )
    )
    levels = [
        {
            "start": one.start + one.offset_s,
            "end": one.own_end,
            "values": [_value(value) for value in one.values],
        }
        for one in laid[:MOST_LEVELS]
    ]
    return {
        "signal": signal.signalName,
        "type": signal.signalType,
        "unit": None if signal.unit in {None, Unit.SHARE} else str(signal.unit),
        "resources": list(resources),
        "levels": levels,
        "more": len(laid) > MOST_LEVELS,
    }


def _published(one: Record) -> Table:
    return {
        "kind": str(one.home.kind),
        "programme": one.home.programme,
        "group": one.home.group,
        "mRID": one.mRID,
        "start": one.start,
        "end": one.end,
    }


def _schedule(one: CreateOpt) -> Table:
    windows = [
        {"start": w.start, "end": None if w.duration_s is None else w.start + w.duration_s}
        for w in one.windows
    ]
    return {
        "optID": one.optID,
        "opt": str(one.optType),
        "resources": list(one.resources),
        "marketContext": one.marketContext,
        "windows": windows,
    }


def _value(value: Value) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return [float(value.x), float(value.y)] if isinstance(value, Point) else value


def _event_lines(one: Table) -> Iterator[str]:
    said = [one["status"], one["opt"]]
    if one["test"]:
        said.append("test: nothing is dispatched")
    if one["refusal"] is not None:
        said.append(f"{one['refusal']['code']}: {one['refusal']['text']}")
    if one["cancelled"] is not None:
        said.append(f"{one['cancelled']['how']} at {_text(one['cancelled']['at'])}")
    yield (
        f"{one['eventID']} ({one['modification']}) of {one['marketContext'] or 'no programme'}, "
        f"{_text(one['start'])} to {_text(one['end'])}: {', '.join(said)}"
    )
    for name, opt in one["optedResources"].items():
        yield f"  {name}: {opt}"
    for signal in one["signals"]:
        yield from _signal_lines(signal)
    for held in one["published"]:
        yield (
            f"  published {held['mRID']} in {held['kind']} {held['programme']!r} for group {held['group']}, "
            f"{_text(held['start'])} to {_text(held['end'])}"
        )


def _signal_lines(signal: Table) -> Iterator[str]:
    title = " ".join(filter(None, (signal["signal"], signal["type"])))
    yield f"  {title} for {', '.join(signal['resources']) or 'nobody'}"
    for level in signal["levels"]:
        values = " ".join(str(value) for value in level["values"])
        unit = signal["unit"] or ""
        yield f"    {_text(level['start'])} to {_text(level['end'])}: {values} {unit}".rstrip()
    if signal["more"]:
        yield "    and so on"


def _text(at: int | None) -> str:
    return time_text(at) if at is not None else "further notice"
