"""What is to be dispatched, for whom and when: the plans of all events that are carried out.

Tests are never dispatched (R6), nor anything refused, opted out of, or taken back before it began.
"""

from collections.abc import Iterator
from typing import Final

from openadr_ven.events.event import Event, Profile, Signal
from openadr_ven.events.layout import Span, end_of, spans
from openadr_ven.events.plan import Dispatch, Plan, Rank
from openadr_ven.events.record import EventRecord, Phase, State
from openadr_ven.events.signals import is_limit
from openadr_ven.events.taking_part import is_carried_out, participants
from openadr_ven.events.timing import ramp_of, recovery_end, stop_of

HORIZON_S: Final = 86_400
"""How far ahead plans go by default, s: what has no end is laid out again as time goes on."""
LAST: Final = 2**31
"""The priority of an event without one."""


def rank_of(event: Event, signal: Signal) -> Rank:
    """The rank of a signal among those of all events: sort by it, and the first wins.

    2.0b: 1 is highest and 0 is none, the lowest (R3). 3.x: 0 is highest, and none is the lowest.
    """
    is_20b = event.profile is Profile.V20B
    priority = event.priority if is_20b or event.priority is None else event.priority + 1
    return Rank(
        is_set_point=not is_limit(event.profile, signal),
        priority=LAST if priority is None or priority <= 0 else min(priority, LAST),
        older_s=-event.createdDateTime,
        eventID=event.eventID,
    )


def plans_of(state: State, now: int, horizon_s: int = HORIZON_S) -> tuple[Plan, ...]:
    """All events that are carried out and not over at `now`, by their start, laid out up to the horizon."""
    plans = (_plan(state, record, now, now + horizon_s) for record in state.records.values())
    return tuple(sorted((p for p in plans if p is not None), key=lambda p: (p.start, p.event.eventID)))


def plan_of(state: State, eventID: str, now: int, horizon_s: int = HORIZON_S) -> Plan | None:
    """The plan of one event; None where there is nothing to do for it any more, or ever."""
    record = state.records.get(eventID)
    return None if record is None else _plan(state, record, now, now + horizon_s)


def in_force(plans: tuple[Plan, ...], now: int) -> tuple[Dispatch, ...]:
    """What devices are to keep at `now` by the draws of this VEN, the winning first: one for each signal.

    Where an interval of 3.x was drawn to begin before the one ahead of it ends, it takes over.
    """
    found = {
        (one.eventID, place): one
        for plan in plans
        for place, one in _by_signal(plan)
        if one.own_start <= now and (one.own_end is None or now < one.own_end)
    }
    return tuple(sorted(found.values(), key=lambda one: (one.rank, one.signal.signalID)))


def _by_signal(plan: Plan) -> Iterator[tuple[int, Dispatch]]:
    """Dispatches with the place of their signal in the event, the earlier first."""
    for one in sorted(plan.dispatches, key=lambda one: one.own_start):
        yield plan.event.signals.index(one.signal), one


def _plan(state: State, record: EventRecord, now: int, until: int) -> Plan | None:
    if record.phase is Phase.ENDED or not is_carried_out(state, record):
        return None
    stop = stop_of(record)
    if stop is not None and stop <= now:
        return None
    return Plan(
        event=record.event,
        start=record.start,
        end=end_of(record.event, record.start),
        resources=tuple(dict.fromkeys(n for part in participants(state, record) for n in part)),
        dispatches=tuple(_dispatches(state, record, now, until)),
        ramp=ramp_of(record),
        recovery_end=recovery_end(record),
        stop_at=None if record.cancellation is None else stop,
    )


def _dispatches(state: State, record: EventRecord, now: int, until: int) -> Iterator[Dispatch]:
    event, stop = record.event, stop_of(record)
    before = until if stop is None or record.cancellation is None else min(until, stop)
    parts = participants(state, record)
    for signal, resources in zip(event.signals, parts, strict=True):
        if not resources:
            continue
        for span in spans(event, signal, record.start, record.drawn, since=now, until=before):
            yield _dispatch(event, signal, resources, span, stop if record.cancellation else None)


def _dispatch(
    event: Event, signal: Signal, resources: tuple[str, ...], span: Span, stop: int | None
) -> Dispatch:
    """One interval; after a cancellation it ends where this VEN stops."""
    last = None if stop is None else stop - span.offset_s
    ends = [end for end in (span.end, last) if end is not None]
    return Dispatch(
        eventID=event.eventID,
        modification=event.modification,
        signal=signal,
        uid=span.uid,
        part=span.part,
        round=span.round,
        start=span.start,
        end=min(ends, default=None),
        offset_s=span.offset_s,
        values=span.values,
        resources=resources,
        rank=rank_of(event, signal),
    )
