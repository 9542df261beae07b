"""What the operations on events of all function sets share: their programs, their list, one by its mRID.

IEEE 2030.5-2018, 10.2.3. Events are made through `resources`, so that one code has the rules of all of them.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from function_sets import ROUTES
from schemas import DERProgram, Event, Json, json_of
from sep2_server.event_times import event_of
from sep2_server.extra_routes import GROUP_LIST, group_list_of
from sep2_server.operator import resources
from sep2_server.operator.desk import ALL, Desk, is_called, is_mrid
from sep2_server.operator.errors import BadRequest, NotFound
from sep2_server.operator.event_changes import cancel_event, current
from sep2_server.operator.reports import counts_of, page_told
from sep2_server.operator.requests import CancelControl
from sep2_server.operator.requests_events import Randomized, Timed
from sep2_server.operator.resources import STATES
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Group, Row
from sep2_server.uris import route_named

KINDS: Final = frozenset(
    kind for kind, route in ROUTES.items() if not route.is_list and issubclass(route.type, Event)
)
"""Ids of the resources that are events."""
USUAL_PRIMACY: Final = 1
"""That of a contracted provider, where the group has no DERProgram. IEEE 2030.5-2018, 10.2.3."""
WHICH_EVENT: Final = "list them: lineside op drlc list, tariff list, message list, flow list or controls"
FILTERS: Final = (*dict.fromkeys(STATES.values()),)


def show(desk: Desk, call: Call) -> Answer:
    """An event of any function set with its status now, and how many devices gave which Response."""
    row = of_name(desk, call)
    return {**told(desk, row), "responses": counts_of(desk, row.mrid)}


def cancel(desk: Desk, call: Call) -> Answer:
    """Cancel an event of any function set; with `randomized` each device ends within its random window."""
    asked = read(CancelControl, {} if call.body is None else call.body)
    row = current(desk, of_name(desk, call))
    return told(desk, cancel_event(desk, row, randomized=asked.randomized, reason=asked.reason))


def responses(desk: Desk, call: Call) -> Answer:
    """The Responses to an event of any function set in the order in which they came; `after` is an id."""
    row = of_name(desk, call)
    after, limit = call.number("after", 0, 0, 2**62), call.number("limit", 1000, 1, resources.MOST_COUNTED)
    reports = desk.reader.reports(row.mrid or "", after_id=after, limit=limit)
    return {
        "mRID": event_of(desk.environment, row).mRID,
        **page_told(desk, reports, limit),
    }


def of_name(desk: Desk, call: Call) -> Row:
    """The event with an mRID. NotFound where there is none."""
    mrid = call.names["event"]
    rows = desk.all_by_mrid(mrid) if is_mrid(mrid) else []
    found = next((row for row in rows if row.kind in KINDS), None)
    if found is None:
        raise NotFound(f"no event has the mRID {mrid[:40]!r}", WHICH_EVENT)
    return found


def told(desk: Desk, row: Row) -> dict[str, Json]:
    """An event as the API tells it."""
    event = event_of(desk.environment, row)
    return {
        "mRID": event.mRID,
        "href": row.href,
        "kind": row.kind,
        "status": STATES.get(row.status or 0, str(row.status)),
        "start": event.interval.start,
        "duration": event.interval.duration,
        "description": event.description,
        "resource": json_of(event),
    }


def listed(desk: Desk, above: Row, kind: str, state: str | None) -> Iterator[dict[str, Json]]:
    """The events of a list below a resource, those in one state where that is said."""
    row = desk.beside(above, kind)
    if row is None:
        return
    for item in desk.reader.items(row.id, limit=ALL):
        one = told(desk, item)
        if state in {None, one["status"]}:
            yield one


def group_events(desk: Desk, call: Call, program: str, kind: str) -> Answer:
    """The events of a group below its programs of a kind, in the order of their lists."""
    group, state = desk.group(call.names["group"]), state_of(call)
    found: list[Json] = []
    for row in programs_of(desk, group, program):
        found += [{"program": row.mrid, **one} for one in listed(desk, row, kind, state)]
    return {"group": group.name, "events": found}


def state_of(call: Call) -> str | None:
    """The state that a list is asked for. BadRequest for one that there is not."""
    state = call.query.get("state")
    if state is not None and state not in FILTERS:
        raise BadRequest(f"state: {state[:40]!r} in the query", f"allowed: {', '.join(FILTERS)}")
    return state


def publish(desk: Desk, above: Row, kind: str, body: Mapping[str, Any]) -> dict[str, Json]:
    """Add an event to the list of a kind below a resource; it as the API tells it."""
    added = resources.add(desk, Call(query={"href": list_href(desk, above, kind)}, body=body, now=desk.now))
    return told(desk, current(desk, _at(desk, str(added["href"]))))


def list_href(desk: Desk, above: Row, kind: str) -> str:
    """Where the list of a kind below a resource is, or would be."""
    place = desk.environment.uris.find(above.href)
    if place is None:
        raise NotFound(f"{above.href[:120]} is nowhere", WHICH_EVENT)
    return desk.environment.uris.beside(place, kind)


def times_of(asked: Timed) -> dict[str, Any]:
    """The fields of an event that say when it is, as `resources` reads them."""
    interval = {"start": asked.start, "in": asked.within, "duration": asked.duration}
    given: dict[str, Any] = {
        "interval": {name: value for name, value in interval.items() if value is not None},
        "description": asked.description,
        "responseRequired": asked.response_required.upper() if asked.response_required else None,
    }
    if isinstance(asked, Randomized):
        given["randomizeStart"] = asked.randomize_start_s
        given["randomizeDuration"] = asked.randomize_duration_s
    return without_none(given)


def without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, without what is not."""
    return {name: value for name, value in given.items() if value is not None}


def programs_of(desk: Desk, group: Group, kind: str) -> list[Row]:
    """The programs of a kind that a group assigns to its members."""
    return desk.programs_of(group, group_list_of(kind))


def program_for(
    desk: Desk,
    group: Group,
    kind: str,
    selector: str | None,
    *,
    primacy: int | None,
    usual: Mapping[str, object] = MappingProxyType({}),
    **fields: object,
) -> Row:
    """The one program of a kind of a group, or the one of this mRID or description; made where none is.

    Without a selector one with another primacy, or another of the `fields` that are asked for, is none of
    them. BadRequest where a group of several needs to be told which; NotFound for a selector that fits none.
    """
    wanted = without_none({"primacy": primacy, **fields})
    rows = programs_of(desk, group, kind)
    cls: type[Any] = route_named(kind).type
    values = [(row, desk.resource(row, cls)) for row in rows]
    chosen = [
        row
        for row, value in values
        if (_agrees(value, wanted) if selector is None else is_called(value, selector))
    ]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(f"{value.mRID} ({value.description or 'no description'})" for _, value in values)
    if chosen:
        raise BadRequest(f"program: group {group.name} has several", f"allowed: {names}")
    if selector is not None:
        raise NotFound(f"group {group.name} has no {kind} {selector[:60]}", f"there are: {names or 'none'}")
    body = {"primacy": _primacy(desk, group), **usual, **wanted}
    home = desk.environment.uris.of(f"{kind}List")
    call = Call(query={"href": home, "group": group.name}, body=body, now=desk.now)
    return _at(desk, str(resources.add(desk, call)["href"]))


def _agrees(value: object, wanted: Mapping[str, object]) -> bool:
    return all(getattr(value, name) == asked for name, asked in wanted.items())


def _primacy(desk: Desk, group: Group) -> int:
    """That of the group's best DERProgram."""
    rows = desk.programs_of(group, GROUP_LIST)
    return desk.resource(rows[0], DERProgram).primacy if rows else USUAL_PRIMACY


def _at(desk: Desk, href: str) -> Row:
    row = desk.reader.by_href(href)
    if row is None:
        raise NotFound(f"nothing is at {href[:120]}", WHICH_EVENT)
    return row
