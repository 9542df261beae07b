"""What operators do to an event of any kind: change it, cancel it. IEEE 2030.5-2018, 10.2.3."""

from dataclasses import replace
from typing import Final, TypeVar

from function_sets import (
    EventRuleError,
    cancelled,
    changed,
    changes_in_place,
    giving_way,
    replaced_by,
    replaces,
)
from schemas import Event, spec_of
from sep2_server.below import below
from sep2_server.event_times import event_of, repair_list
from sep2_server.operator.desk import OPEN_STATES, Desk
from sep2_server.operator.errors import Conflict
from sep2_server.operator.tree import Plan, insert_item, put_item
from sep2_server.rows import Row
from sep2_server.uris import route_named

E = TypeVar("E", bound=Event)
REMOVED: Final = "the event in its place was removed"
STATUS_HINT: Final = "see its status: lineside op resource show HREF"


def current(desk: Desk, row: Row) -> Row:
    """An event with everything written that time has changed in its list."""
    if row.list_id is not None:
        repair_list(desk.transaction, desk.environment, row.list_id, desk.now)
    return desk.reader.by_id(row.id) or row


def change_event(desk: Desk, row: Row, old: Event, wanted: Event) -> Row:
    """The event as it is wanted: the same one where the rules allow it, else another in its place.

    Conflict where the event is no longer open, or would be over before it starts.
    """
    names = {f.name for f in spec_of(type(old)) if getattr(old, f.attr) != getattr(wanted, f.attr)}
    try:
        if changes_in_place(old, names - {"version", "href", "subscribable"}, desk.now):
            return put_item(desk, row, wanted)
    except EventRuleError as flaw:
        raise Conflict(f"{old.mRID}: {flaw}", "publish a new event instead") from flaw
    return supersede(desk, row, old, replace(wanted, href=None, mRID=desk.new_mrid(), version=0))


def supersede(desk: Desk, row: Row, old: E, successor: E) -> Row:
    """Store a successor in the list of an event: that is superseded, or cancelled where it is not covered.

    Conflict where the event is no longer open, was changed before, or would be over before it starts.
    """
    listed = None if row.list_id is None else desk.reader.by_id(row.list_id)
    try:
        successor = changed(old, successor, desk.now)
        old.EventStatus_ = way = giving_way(old, successor)
        if not replaces(successor, old, desk.now):
            old.EventStatus_ = cancelled(old, desk.now, reason=way.reason)
    except EventRuleError as flaw:
        raise Conflict(f"{old.mRID}: {flaw}", "publish a new event instead") from flaw
    if listed is None:
        raise Conflict(f"{old.mRID}: it has left its list", "publish a new event instead")
    put_item(desk, row, old)
    return insert_item(desk, listed, Plan(value=successor, below=_hanging(desk, row)))


def _hanging(desk: Desk, row: Row) -> dict[str, list[Plan]]:
    """What hangs below an event (the prices of an interval), to hang below its successor too."""
    resolve = desk.environment.codec.profile.resolve
    return {
        one.name: [
            Plan(value=desk.resource(item, resolve(route_named(item.kind).type)))
            for item in desk.items(row, one.kind)
        ]
        for one in below(row.kind)
        if one.is_list and not one.is_view
    }


def cancel_event(desk: Desk, row: Row, *, randomized: bool, reason: str | None) -> Row:
    """Store an event as cancelled; it stays listed for its original duration. Conflict where it is over.

    What it has replaced and not superseded yet is cancelled with it: else that would run in its place.
    """
    event = event_of(desk.environment, row)
    try:
        event.EventStatus_ = cancelled(event, desk.now, randomized=randomized, reason=reason or None)
    except EventRuleError as flaw:
        raise Conflict(f"{event.mRID}: {flaw}", STATUS_HINT) from flaw
    stored = put_item(desk, row, event)
    for waiting in _replaced(desk, stored, event.mRID):
        cancel_event(desk, waiting, randomized=False, reason=reason)
    return stored


def abandon(desk: Desk, row: Row) -> None:
    """Cancel what an event has replaced and not superseded yet, before it is removed; else nothing is done.

    That would run in its place, although its operator has changed it. IEEE 2030.5-2018, 10.2.3.
    """
    if not issubclass(route_named(row.kind).type, Event):
        return
    row = current(desk, row)
    for waiting in _replaced(desk, row, event_of(desk.environment, row).mRID):
        cancel_event(desk, waiting, randomized=False, reason=REMOVED)


def _replaced(desk: Desk, row: Row, mrid: str) -> list[Row]:
    """The open events of a list in whose place an event was put by a change."""
    if row.list_id is None or row.starts is None or row.ends is None:
        return []
    found = desk.reader.overlapping(row.list_id, row.starts, row.ends)
    named = [one for one in found if one.status in OPEN_STATES and mrid.encode() in one.body]
    return [one for one in named if replaced_by(event_of(desk.environment, one)) == mrid]
