"""Resources in the store with all that hangs below them: made, replaced, removed. One code for all kinds.

What is made gets its href, its links, the lists below it, and, if it is an event, the status at this second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from function_sets import Route, sort_key
from schemas import (
    BillingReadingSet,
    Event,
    File,
    IdentifiedObject,
    Link,
    Reading,
    Resource,
    SubscribableIdentifiedObject,
    spec_of,
    wire_name,
)
from sep2_server.action import item_kind, item_scope
from sep2_server.below import Below, below
from sep2_server.bootstrap import NO_RESPONSE, reply_to
from sep2_server.event_times import refresh_overlapping, siblings_of, timed, winning_mrid
from sep2_server.extra_routes import MEMBER_LISTS, PROGRAM_KINDS
from sep2_server.interval_times import INTERVAL_KINDS, spanned
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import Conflict
from sep2_server.rows import EVERYBODY, Row
from sep2_server.stored_readings import stored
from sep2_server.tree import link_lists, remove_tree
from sep2_server.uris import route_named
from sep2_server.versions import next_version

READINGS: Final = "ReadingList"
"""A list without a row: its values are in the table of readings."""
Parts = tuple[str, ...]
Identified = IdentifiedObject | SubscribableIdentifiedObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A resource to make, and what is to hang below it, by the names that links give.

    `is_named`: its mRID is the operator's; that of an event which is not may yield to one that wins.
    """

    value: Resource
    is_named: bool = True
    below: Mapping[str, Sequence["Plan"]] = field(default_factory=dict)


def insert_item(desk: Desk, listed: Row, plan: Plan) -> Row:
    """Store a new item of a list with what hangs below it; it is stored in one list only."""
    if listed.kind in MEMBER_LISTS:
        return _insert_shown(desk, listed, plan)
    tx, value = desk.transaction, plan.value
    route = route_named(listed.kind)
    kind = item_kind(route, value)
    number = tx.next_id()
    parts = (*parts_of(desk, listed), str(number))
    if isinstance(value, Event) and not plan.is_named:
        value.mRID = winning_mrid(tx, desk.environment, listed.id, value, desk.random_below)
    owner_id = number if kind in PROGRAM_KINDS else listed.owner_id
    _furnish(desk, kind, parts, plan)
    row = Row(
        number,
        value.href or "",
        kind,
        list_id=listed.id,
        scope=_scope_of(desk, route, value, owner_id),
        sort_key=sort_key(route, value),
        owner_id=owner_id,
        mrid=getattr(value, "mRID", None),
        body=desk.environment.codec.fragment(value),
    )
    row = _insert(desk, row, value)
    _plant_below(desk, kind, parts, owner_id, plan)
    if plan.below.get(READINGS):
        put_readings(desk, row, [one.value for one in plan.below[READINGS]])
    return row


def _scope_of(desk: Desk, route: Route, value: Resource, owner_id: int | None) -> int:
    """Who sees an item: a File that names a device is for that alone. IEEE 2030.5-2018, 10 (FileDownload).

    Conflict for a device that is not there.
    """
    if isinstance(value, BillingReadingSet):
        return owner_id or EVERYBODY
    if not isinstance(value, File) or value.lFDI is None:
        return item_scope(desk.transaction, route, owner_id)
    client = desk.transaction.client(value.lFDI.upper())
    if client is None:
        raise Conflict(f"lFDI: no device has {value.lFDI}", "enrol the device first, or leave lFDI out")
    return client.end_device_id


def _insert_shown(desk: Desk, listed: Row, plan: Plan) -> Row:
    """Store an item of a list that shows what is stored in the list at the root."""
    home = desk.reader.by_href(desk.environment.uris.of(f"{wire_name(type(plan.value))}List"))
    if home is None:
        raise Conflict(f"{listed.href}: nothing is added here", "add to the list at the root")
    row = insert_item(desk, home._replace(owner_id=listed.owner_id), plan)
    desk.transaction.add_member(listed.id, row)
    return row


def put_readings(desk: Desk, reading_set: Row, values: Sequence[Resource]) -> None:
    """Store the Readings of a ReadingSet in the place of those that it had."""
    environment, parts = desk.environment, parts_of(desk, reading_set)
    readings = [value for value in values if isinstance(value, Reading)]
    for position, reading in enumerate(readings):
        reading.href = environment.uris.of("Reading", (*parts, str(position)))
    held = [stored(environment, reading_set.id, n, one, desk.now) for n, one in enumerate(readings)]
    desk.transaction.put_readings(held, reading_set)


def insert_in(desk: Desk, above: Row, kind: str, value: Resource) -> Row:
    """Store a new item of the list of a kind that hangs below a resource."""
    return insert_item(desk, desk.listed(above, kind), Plan(value=value))


def put_item(desk: Desk, row: Row, value: Resource) -> Row:
    """Store a new value in the place of what was there; its links stay, and its mRID is for life."""
    tx = desk.transaction
    value.href = row.href
    listed = None if row.list_id is None else tx.by_id(row.list_id)
    key = row.sort_key if listed is None else sort_key(route_named(listed.kind), value)
    new = row._replace(sort_key=key)
    if isinstance(value, Event):
        event = tx.replace(row, _timed(desk, new, value))
        _refresh(desk, event)
        return event
    return tx.replace(row, _still(desk, new, value))


def put_single(desk: Desk, kind: str, parts: Parts, owner_id: int | None, plan: Plan) -> Row:
    """Store the first value of a resource that is no item, and let what it hangs on link to it."""
    value = plan.value
    _furnish(desk, kind, parts, plan)
    row = Row(desk.transaction.next_id(), value.href or "", kind, owner_id=owner_id)
    row = _insert(desk, row._replace(mrid=getattr(value, "mRID", None)), value)
    _plant_below(desk, kind, parts, owner_id, plan)
    _link(desk, row, is_there=True)
    return row


def remove(desk: Desk, row: Row) -> None:
    """Remove a resource, what hangs below it, and the link to it; to other events it is no rival any more."""
    _link(desk, row, is_there=False)
    remove_tree(desk.transaction, desk.environment.uris, row)
    if issubclass(route_named(row.kind).type, Event):
        _refresh(desk, row)


def parts_of(desk: Desk, row: Row) -> Parts:
    """The identifiers in the URI of a resource."""
    place = desk.environment.uris.find(row.href)
    return () if place is None else place.parts


def linked(desk: Desk, kind: str, parts: Parts, one: Below) -> Link:
    """The link of a resource to what hangs below it."""
    return one.link(href=desk.environment.uris.of(one.kind, parts))


def _furnish(desk: Desk, kind: str, parts: Parts, plan: Plan) -> None:
    """Give a new resource its href, its links, and an event the place for Responses that it asks for."""
    value = plan.value
    value.href = desk.environment.uris.of(kind, parts)
    for one in below(kind):
        is_there = one.is_linked or bool(plan.below.get(one.name))
        setattr(value, one.attr, linked(desk, kind, parts, one) if is_there else None)
    for f in spec_of(type(value)):
        held = getattr(value, f.attr)
        if f.target is not None and not f.is_list and held is not None and not isinstance(held, Link):
            link_lists(desk.environment, kind, held, parts)
    if isinstance(value, Event):
        asks = int(value.responseRequired or "00", 16) != 0
        value.replyTo = reply_to(desk.transaction, desk.environment) if asks else None
        if asks and value.replyTo is None:
            value.responseRequired = NO_RESPONSE


def _insert(desk: Desk, row: Row, value: Resource) -> Row:
    if not isinstance(value, Event):
        return desk.transaction.insert(_still(desk, row, value))
    event = desk.transaction.insert(_timed(desk, row, value))
    _refresh(desk, event)
    return event


def _timed(desk: Desk, row: Row, event: Event) -> Row:
    """The row of an event as it is now; where many are written, as if it was alone until all are settled."""
    tx, environment = desk.transaction, desk.environment
    siblings = siblings_of(tx, environment, row, event) if desk.gathered is None else []
    return timed(environment, row, event, siblings, desk.now)


def _refresh(desk: Desk, event: Row) -> None:
    """Bring up to date what overlaps with an event that is new or has changed, or note that it has to be."""
    if desk.gathered is None:
        refresh_overlapping(desk.transaction, desk.environment, event, desk.now)
    else:
        desk.gathered.note(event)


def _still(desk: Desk, row: Row, value: Resource) -> Row:
    """The row of a resource that is no event; some have an interval in which they are active."""
    row = row._replace(body=desk.environment.codec.fragment(value))
    return spanned(row, value, desk.now) if row.kind in INTERVAL_KINDS else row


def _plant_below(desk: Desk, kind: str, parts: Parts, owner_id: int | None, plan: Plan) -> None:
    tx, of = desk.transaction, desk.environment.uris.of
    for one in below(kind):
        plans = plan.below.get(one.name, ())
        if one.is_list and not one.is_view and one.kind != READINGS:
            listed = tx.insert(Row(tx.next_id(), of(one.kind, parts), one.kind, owner_id=owner_id))
            for item in plans:
                insert_item(desk, listed, item)
        elif not one.is_list:
            for single in plans:
                _plant_single(desk, one.kind, parts, owner_id, single)


def _plant_single(desk: Desk, kind: str, parts: Parts, owner_id: int | None, plan: Plan) -> None:
    _furnish(desk, kind, parts, plan)
    mrid = getattr(plan.value, "mRID", None)
    row = Row(desk.transaction.next_id(), plan.value.href or "", kind, owner_id=owner_id, mrid=mrid)
    _insert(desk, row, plan.value)
    _plant_below(desk, kind, parts, owner_id, plan)


def _link(desk: Desk, row: Row, *, is_there: bool) -> None:
    """Let the resource above link to one that comes, or no longer to one that goes."""
    tx, environment = desk.transaction, desk.environment
    place = environment.uris.find(row.href)
    above = None if place is None or row.list_id is not None else environment.uris.parent(place)
    parent = None if above is None else tx.by_href(above)
    one = None if parent is None else next((b for b in below(parent.kind) if b.kind == row.kind), None)
    if place is None or parent is None or one is None or one.is_linked:
        return
    value: Resource = desk.resource(parent, environment.codec.profile.resolve(route_named(parent.kind).type))
    setattr(value, one.attr, linked(desk, parent.kind, place.parts, one) if is_there else None)
    if isinstance(value, Identified):
        value.version = next_version(value.version)
    tx.replace(parent, parent._replace(body=environment.codec.fragment(value)))
