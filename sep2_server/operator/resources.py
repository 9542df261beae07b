"""Operations on resources of any function set, by their href: list, show, add, change, remove, cancel, share.

One way for all: what a resource must be is in its declaration and in `function_rules`, what the server fills
in is in `planting`, what comes and goes with it is in `tree`.
"""

import re
from typing import Final

from function_sets import ROUTES, Access
from schemas import (
    DERCurve,
    Event,
    Json,
    Resource,
)
from schemas.codes import EventState
from sep2_server.below import below
from sep2_server.combined_tariffs import intervals
from sep2_server.event_times import event_of
from sep2_server.extra_routes import (
    ASSOCIATED,
    COMBINED_INTERVALS,
    DEVICE_PROGRAMS,
    FILE_CONTENT,
    GROUP_LIST,
    GROUP_LISTS,
    MEMBER_LISTS,
    PROGRAM_KINDS,
)
from sep2_server.files.stored import content_of
from sep2_server.flow_reservations import RESPONSE, request_of
from sep2_server.location import READING_KINDS, Target, locate
from sep2_server.operator import curves, metering, prepaid_rules, price_blocks, programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Conflict, NotFound
from sep2_server.operator.event_changes import abandon, cancel_event, change_event, current
from sep2_server.operator.function_rules import require_free, require_subject
from sep2_server.operator.own_ways import (
    require_added_here,
    require_changed_here,
    require_removed_here,
)
from sep2_server.operator.planting import changed_value, plan_of
from sep2_server.operator.reports import counts_of, page_told
from sep2_server.operator.requests import CancelControl
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.tree import Plan, insert_item, put_item, put_single, remove
from sep2_server.operator.untold import wire_of
from sep2_server.operator.xml_bodies import given_of, replacing
from sep2_server.rows import OVER, Group, Row
from sep2_server.uris import route_named
from sep2_server.usage_points import dissociate

REQUEST: Final = "FlowReservationRequest"
COMPONENT: Final = "RateComponent"
"""What is no program and has events below it."""
MOST_COUNTED: Final = 10_000
OPEN: Final = frozenset({EventState.SCHEDULED, EventState.ACTIVE})
PROGRAMS_HINT: Final = f"allowed: {', '.join(PROGRAM_KINDS)}"
_NUMBER: Final = re.compile("[0-9]{1,18}")
LIST_HINT: Final = "list what there is: lineside op resource list /tp"


def show(desk: Desk, call: Call) -> Answer:
    """A resource, or the items of a list, whatever function set it is of; a PIN is not among it."""
    target = _target(desk, call.query.get("href"))
    if target.route.id == metering.READING:
        return metering.shown(desk, target)
    if not target.route.is_list:
        return _told(desk, _row(target))
    skip, limit = call.number("start", 0, 0, 10_000_000), call.number("limit", 100, 1, 1000)
    if target.route.id in READING_KINDS:
        values = metering.listed(desk, target, skip, limit)
        return {"href": target.href, "kind": target.route.id, "items": list(values)}
    rows = _items_of(desk, target, skip, limit)
    return {"href": target.href, "kind": target.route.id, "items": [_told(desk, row) for row in rows]}


def _items_of(desk: Desk, target: Target, skip: int, limit: int) -> list[Row]:
    """A page of the items of a list, those that are active for a list of such."""
    listed = _source(desk, target)
    if listed is None:
        return []
    if target.route.id == COMBINED_INTERVALS:
        return intervals(desk.reader, desk.environment.uris, listed, skip + limit)[skip:]
    if listed.kind == DEVICE_PROGRAMS:
        return desk.reader.programs_shown(listed.owner_id or 0, GROUP_LIST)[skip : skip + limit]
    if target.route.view_of is not None:
        return desk.reader.active_items(listed.id, skip=skip, limit=limit)
    read_items = desk.reader.members if listed.kind in MEMBER_LISTS else desk.reader.items
    return read_items(listed.id, skip=skip, limit=limit)


def add(desk: Desk, call: Call) -> Answer:
    """Add a resource to a list, with what hangs below it; a program may be assigned to `group` at once."""
    target = _target(desk, call.query.get("href"))
    route = target.route
    if not route.is_list or route.view_of is not None:
        raise BadRequest(f"href: nothing can be added to {target.href}", "name a list such as /tp/1/rc")
    kind = _item_kind(target)
    require_added_here(desk, target, kind)
    if route.id in READING_KINDS:
        return metering.add(desk, target, given_of(desk, call.body, metering.READING))
    group = _group(desk, call.query.get("group"), target)
    row = _added(desk, target, given_of(desk, call.body, kind), group)
    return _told(desk, desk.reader.by_id(row.id) or row)


def add_at(desk: Desk, href: str, given: object, group: str | None = None) -> Row:
    """Add a resource to the list at an href, or with this name; a program for a group where one is named."""
    target = _target(desk, href)
    return _added(desk, target, given, _group(desk, group, target))


def _added(desk: Desk, target: Target, given: object, group: Group | None) -> Row:
    kind = _item_kind(target)
    plan = plan_of(desk, kind, given, kind)
    require_free(desk, plan)
    require_subject(desk, plan.value, target.owner_id)
    price_blocks.require_fit(desk, None if target.row is None else target.row.id, plan.value)
    if target.route.id in GROUP_LISTS or kind in PROGRAM_KINDS:
        row = insert_item(desk, programs.root_list(desk, kind), plan)
        if group is not None:
            programs.show(desk, group, row)
    else:
        row = _insert_below(desk, target, plan)
    prepaid_rules.added(desk, row)
    price_blocks.changed(desk, row)
    return row


def change(desk: Desk, call: Call) -> Answer:
    """Put what is given over a resource, or make the single one that is not there yet.

    Of an event the description changes in place, all else by another event that supersedes it. What devices
    put in one place is changed by an admin alone.
    """
    target = _target(desk, call.query.get("href"))
    route = target.route
    if route.is_list:
        raise BadRequest(f"href: {target.href} is a list", "add to it with POST, or name an item")
    require_changed_here(desk, target)
    if route.id == ASSOCIATED:
        given = given_of(desk, call.body, metering.USAGE_POINT)
        return _told(desk, metering.associate(desk, target, given))
    if target.row is None:
        return _first(desk, target, call.body)
    row = target.row
    prepaid_rules.require_changeable(row)
    cls = desk.environment.codec.profile.resolve(route.type)
    if issubclass(route.type, Event):
        row = current(desk, row)
        old = event_of(desk.environment, row)
        given = replacing(desk, call.body, route.id, old)
        wanted = changed_value(desk, route.id, event_of(desk.environment, row), given)
        require_subject(desk, wanted, row.owner_id)
        stored = change_event(desk, row, old, wanted)
        return _told(desk, stored) | ({} if stored.id == row.id else {"replaces": old.mRID})
    held: Resource = desk.resource(row, cls)
    value = changed_value(desk, route.id, held, replacing(desk, call.body, route.id, held))
    if isinstance(held, DERCurve) and held.curveType != value.curveType:
        curves.require_unfollowed(desk, row)
    price_blocks.require_fit(desk, row.list_id, value, row)
    was_exhausted = prepaid_rules.is_exhausted(desk, row)
    stored = put_item(desk, row, value)
    prepaid_rules.changed(desk, stored, was_exhausted=was_exhausted)
    price_blocks.changed(desk, stored)
    return _told(desk, desk.reader.by_id(row.id) or stored)


def delete(desk: Desk, call: Call) -> Answer:
    """Remove a resource and all below it. Conflict for events that are not over, but with `force`.

    What devices reported is forgotten by an admin alone.
    """
    target = _target(desk, call.query.get("href"))
    if target.route.id == metering.READING:
        return metering.remove_reading(desk, target)
    row = _row(target)
    kind = row.kind
    if route_named(kind).is_list:
        raise BadRequest(f"href: a {kind} is not removed here", "name an item")
    require_removed_here(desk, row)
    _require_dispensable(desk, target, row)
    if not call.flag("force"):
        _require_over(desk, row)
    abandon(desk, row)
    if kind in PROGRAM_KINDS:
        for group in programs.groups_of(desk, row):
            programs.hide(desk, group, row)
    prepaid_rules.removing(desk, row)
    if kind == metering.USAGE_POINT:
        dissociate(desk.transaction, desk.environment, row)
    remove(desk, row)
    price_blocks.changed(desk, row)
    if kind != "Prepayment":
        prepaid_rules.changed(desk, row)
    return {"href": row.href}


def cancel(desk: Desk, call: Call) -> Answer:
    """Cancel an event of any kind; with `randomized` each device ends within its random window."""
    asked = read(CancelControl, {} if call.body is None else call.body)
    row = current(desk, _event(_target(desk, call.query.get("href"))))
    return _told(desk, cancel_event(desk, row, randomized=asked.randomized, reason=asked.reason))


def responses(desk: Desk, call: Call) -> Answer:
    """A page of the Responses to an event of any kind as they came, and the counts of all."""
    row = _event(_target(desk, call.query.get("href")))
    after, limit = call.number("after", 0, 0, 2**62), call.number("limit", 1000, 1, MOST_COUNTED)
    reports = desk.reader.reports(row.mrid or "", after_id=after, limit=limit)
    return {
        "href": row.href,
        "counts": counts_of(desk, row.mrid),
        **page_told(desk, reports, limit),
    }


def list_assigned(desk: Desk, call: Call) -> Answer:
    """The programs of all kinds that a group assigns to its members."""
    group = desk.group(call.names["group"])
    kinds = sorted(desk.reader.group_lists(group.id))
    rows = [row for kind in kinds for row in desk.programs_of(group, kind)]
    return {"name": group.name, "items": [_told(desk, row) for row in rows]}


def assign(desk: Desk, call: Call) -> Answer:
    """Assign a program of any kind to the members of a group; a repetition changes nothing."""
    group, row = desk.group(call.names["group"]), _program(_target(desk, call.query.get("href")))
    return {"group": group.name, "href": row.href, "changed": programs.show(desk, group, row)}


def unassign(desk: Desk, call: Call) -> Answer:
    """No longer assign a program to the members of a group; it stays for other groups."""
    group, row = desk.group(call.names["group"]), _program(_target(desk, call.query.get("href")))
    return {"group": group.name, "href": row.href, "changed": programs.hide(desk, group, row)}


def _told(desk: Desk, row: Row) -> Answer:
    """A resource as the API tells it: where and what it is, itself in wire form; octets by their digest."""
    if row.kind == FILE_CONTENT:
        content = content_of(row)
        octets: dict[str, Json] = {"sha256": content.digest, "size": content.size}
        return {"href": row.href, "kind": row.kind, "resource": octets}
    route = route_named(row.kind)
    cls = desk.environment.codec.profile.resolve(route.type)
    told: Answer = {"href": row.href, "kind": row.kind}
    if row.mrid is not None:
        told["mRID"] = row.mrid
    if row.status is not None:
        told["status"] = STATES.get(row.status, str(row.status))
    return {**told, "resource": wire_of(desk, desk.resource(row, cls)) if row.body else None}


STATES: Final = {
    EventState.SCHEDULED: "scheduled",
    EventState.ACTIVE: "active",
    EventState.CANCELLED: "cancelled",
    EventState.CANCELLED_WITH_RANDOMIZATION: "cancelled with randomization",
    EventState.SUPERSEDED: "superseded",
    OVER: "over",
}


def _target(desk: Desk, href: str | None) -> Target:
    if href is None:
        raise BadRequest("href: missing in the query", "give the href of a resource, as in ?href=/tp/1")
    if not href.startswith("/") and href in ROUTES and not ROUTES[href].placeholders:
        href = desk.environment.uris.of(href)
    target = locate(desk.reader, desk.environment.uris, href)
    is_there = target is not None and (target.exists or target.route.id in GROUP_LISTS)
    if target is not None and target.owner_id is not None and desk.reader.is_gone(target.owner_id):
        is_there = False
    if target is None or not is_there or (target.route.access is Access.OPERATOR and target.row is None):
        raise NotFound(f"nothing is at {href[:120]}", LIST_HINT)
    return target


def _row(target: Target) -> Row:
    if target.row is None:
        raise NotFound(f"nothing is at {target.href[:120]} yet", LIST_HINT)
    return target.row


def _event(target: Target) -> Row:
    row = _row(target)
    if not issubclass(route_named(row.kind).type, Event):
        raise BadRequest(f"href: a {row.kind} is no event", "name an event such as /dr/1/edc/2")
    return row


def _program(target: Target) -> Row:
    row = _row(target)
    if row.kind not in PROGRAM_KINDS:
        raise BadRequest(
            f"href: a {row.kind} is not assigned to groups", f"allowed: {', '.join(PROGRAM_KINDS)}"
        )
    return row


def _source(desk: Desk, target: Target) -> Row | None:
    view_of = target.route.view_of
    if view_of is None:
        return target.row
    return desk.reader.by_href(desk.environment.uris.beside(target.place, view_of))


def _item_kind(target: Target) -> str:
    item = target.route.item
    return "" if item is None else item.__name__


def _group(desk: Desk, name: str | None, target: Target) -> Group | None:
    """The group that a new program is for: of the list that it is added to, or the one that is named."""
    if target.route.id in GROUP_LISTS:
        number = target.place.parts[0]
        group = desk.reader.group(int(number)) if _NUMBER.fullmatch(number) else None
        if group is None:
            raise NotFound(f"no group has {target.href}", "list the groups: lineside op group list")
        return group
    if name is None:
        return None
    if _item_kind(target) not in PROGRAM_KINDS:
        raise BadRequest(
            "group: only programs are assigned to groups", f"allowed: {', '.join(PROGRAM_KINDS)}"
        )
    return desk.group(name)


def _insert_below(desk: Desk, target: Target, plan: Plan) -> Row:
    listed = target.row or _make_list(desk, target)
    if listed.kind == metering.USAGE_POINTS:
        return metering.insert_usage_point(desk, listed, plan)
    if listed.owner_id is None:
        raise BadRequest(
            f"href: items of {target.href} belong to something", "post them to the list below that"
        )
    return insert_item(desk, listed, plan)


def _make_list(desk: Desk, target: Target) -> Row:
    tx = desk.transaction
    if target.above is not None:
        tx.tell(target.above)
    return tx.insert(Row(tx.next_id(), target.href, target.route.id, owner_id=target.owner_id))


def _first(desk: Desk, target: Target, body: object) -> Answer:
    """The first value of a single resource; or a Reading, which has no row of its own."""
    kind = target.route.id
    if kind == metering.READING:
        return metering.change(desk, target, body)
    plan = plan_of(desk, kind, given_of(desk, body, kind), kind)
    return _told(desk, put_single(desk, kind, target.place.parts, target.owner_id, plan))


def _require_dispensable(desk: Desk, target: Target, row: Row) -> None:
    """Raise Conflict for what others follow, the first of several prices, and what must be there."""
    if row.kind == curves.KIND:
        curves.require_unfollowed(desk, row)
    if row.kind == "DERProgram":
        curves.require_dispensable(desk, [row])
    price_blocks.require_dispensable(desk, row)
    above = desk.environment.uris.parent(target.place)
    parent = None if above is None else desk.reader.by_href(above)
    needed = () if parent is None else below(parent.kind)
    if parent is not None and any(one.kind == target.route.id and one.is_required for one in needed):
        raise Conflict(f"{parent.href} must have a {target.route.id}", "change it, or remove all of that")


def _require_over(desk: Desk, row: Row) -> None:
    """Raise Conflict while an event here or below is scheduled or active: its removal would not end it."""
    below_it = _rows_below(desk, row) if row.kind == COMPONENT else []
    below_it += _grants_of(desk, row) if row.kind == REQUEST else []
    rows = desk.reader.of_owner(row.id) if row.kind in PROGRAM_KINDS else [row, *below_it]
    waiting = [one for one in rows if one.status in OPEN and issubclass(route_named(one.kind).type, Event)]
    if waiting:
        raise Conflict(
            f"{waiting[0].href} is scheduled or active: to remove an event does not end it",
            "cancel it first, or give force=true",
        )


def _grants_of(desk: Desk, request: Row) -> list[Row]:
    """The events that answer a request."""
    rows = desk.reader.owned(request.owner_id or 0, RESPONSE)
    return [row for row in rows if request_of(row) == request.mrid]


def _rows_below(desk: Desk, row: Row) -> list[Row]:
    """What hangs below a resource, whatever the number of segments."""
    find = desk.environment.uris.find
    place = find(row.href)
    rows = [] if row.owner_id is None or place is None else desk.reader.of_owner(row.owner_id)
    start = "" if place is None else f"{place.path}/"
    return [one for one in rows if (found := find(one.href)) and found.path.startswith(start)]
