"""What time alone does to events: they begin, they end, they were missed; and when to look again."""

from dataclasses import replace

from openadr_ven.events.record import EventRecord, Phase, State
from openadr_ven.events.step import Change, ChangeKind, Step
from openadr_ven.events.taking_part import is_carried_out
from openadr_ven.events.timing import next_times, own_end, own_start, recovery_end, stop_of


def advance(state: State, now: int) -> Step:
    """All that fell due up to `now`, in order. A second call at the same time changes nothing."""
    changes: list[Change] = []
    records = {}
    for eventID, record in state.records.items():
        after, happened = _advanced(state, record, now)
        records[eventID] = after
        changes += happened
    ahead = replace(state, records=records)
    return Step(
        state=ahead, changes=tuple(sorted(changes, key=lambda one: one.at)), next_at=next_at(ahead, now)
    )


def next_at(state: State, now: int) -> int | None:
    """When time alone next changes something of any event; None if it does not any more."""
    return min((at for record in state.records.values() for at in _times(state, record, now)), default=None)


def change(kind: ChangeKind, record: EventRecord, at: int, text: str = "") -> Change:
    """A change of an event at the second `at`."""
    event = record.event
    return Change(kind=kind, eventID=event.eventID, modification=event.modification, at=at, text=text)


def _times(state: State, record: EventRecord, now: int) -> list[int]:
    if record.phase is Phase.ENDED:
        after = recovery_end(record)
        return [after] if after is not None and after > now and is_carried_out(state, record) else []
    return list(next_times(record, now))


def _advanced(state: State, record: EventRecord, now: int) -> tuple[EventRecord, list[Change]]:
    if record.phase is Phase.ENDED:
        return record, []
    happened: list[Change] = []
    end, stop, start = own_end(record), stop_of(record), own_start(record)
    is_over = stop is not None and stop <= now
    is_live = is_carried_out(state, record)
    if record.phase is Phase.PENDING and is_live and is_over:
        happened.append(change(ChangeKind.MISSED, record, stop or now))
    elif record.phase is Phase.PENDING and is_live and start <= now:
        record = replace(record, phase=Phase.STARTED)
        happened.append(change(ChangeKind.STARTED, record, now))
    elif record.phase is Phase.STARTED and is_over:
        kind = ChangeKind.COMPLETED if stop == end else ChangeKind.STOPPED
        happened.append(change(kind, record, stop or now))
    return (replace(record, phase=Phase.ENDED) if is_over else record), happened
