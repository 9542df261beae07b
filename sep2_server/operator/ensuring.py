"""What is to be there, many with one call: programs, rate components, curves, events; and events to end.

All are known by the mRIDs that whoever sends them gives, so that each call may be repeated: what is there
stays as it is, what is over stays over.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from function_sets import randomization_of
from schemas import Json
from sep2_server.event_times import event_of
from sep2_server.operator import defaults, programs
from sep2_server.operator.bulk import each
from sep2_server.operator.curves import with_hrefs
from sep2_server.operator.desk import OPEN_STATES, Desk, is_mrid
from sep2_server.operator.errors import BadRequest, Conflict, NotFound
from sep2_server.operator.event_changes import cancel_event, current
from sep2_server.operator.happenings import KINDS, list_href
from sep2_server.operator.planting import MODES, changed_value
from sep2_server.operator.requests_events import ChangeDefault, EndEvent, EnsureResource
from sep2_server.operator.resources import STATES, add_at
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.tree import put_item
from sep2_server.rows import Row
from sep2_server.uris import route_named

BELOW: Final[Mapping[str, str]] = {
    "DERControl": "DERProgram",
    "DERCurve": "DERProgram",
    "EndDeviceControl": "DemandResponseProgram",
    "RateComponent": "TariffProfile",
    "TextMessage": "MessagingProgram",
    "TimeTariffInterval": "RateComponent",
}
"""What hangs below what; all other kinds are programs."""


def ensure_many(desk: Desk, call: Call) -> Answer:
    """Have up to 1000 programs, rate components, curves and events by their mRIDs, each with its outcome.

    An item may hang `below` one before it. What has its mRID stays as it is; a program is shown to the
    `group` too and takes the `primacy`. All or none; with `keep_going` those that are right.
    """
    _expect(desk, call.body)
    told, problems = each(desk, call, _ensure, "ensured")
    return {"items": _numbered(told), "problems": list(problems)}


def end_many(desk: Desk, call: Call) -> Answer:
    """Cancel up to 1000 events by their mRIDs; those that are over or not known need nothing.

    `status` is that of each afterwards, null where there is none. With `randomized` an event that has a
    random window ends within it. All or none; with `keep_going` those that are right.
    """
    _expect(desk, call.body)
    told, problems = each(desk, call, _end, "cancelled")
    return {"items": _numbered(told), "problems": list(problems)}


def change_defaults(desk: Desk, call: Call) -> Answer:
    """Change the DefaultDERControls of up to 1000 programs, known by their mRIDs; null takes one away.

    What is given of a default is put over it, and null takes a field or mode away. All or none; with
    `keep_going` those that are right.
    """
    _expect(desk, call.body)
    told, problems = each(desk, call, _default, "changed")
    return {"items": _numbered(told), "problems": list(problems)}


def _expect(desk: Desk, body: object) -> None:
    """Read together what the items name."""
    items = [item for item in body if isinstance(item, dict)] if isinstance(body, list) else []
    held = [item.get("resource") for item in items]
    named = [one.get("mRID") for one in [*items, *held] if isinstance(one, dict)]
    named += [item.get(key) for item in items for key in ("below", "program")]
    desk.transaction.expect(mrid for mrid in named if isinstance(mrid, str) and is_mrid(mrid))


def _numbered(told: Any) -> list[Json]:  # noqa: ANN401 - each knows its own
    return [{"item": number, **one} for number, one in enumerate(told, 1) if one is not None]


def _ensure(desk: Desk, item: object) -> Callable[[], dict[str, Json]]:
    asked = read(EnsureResource, item)
    mrid = asked.resource.get("mRID")
    if not isinstance(mrid, str) or not is_mrid(mrid):
        raise BadRequest("resource.mRID: missing", "give the mRID by which it is known: 1 to 32 hex digits")
    above = _above(desk, asked)
    known = desk.all_by_mrid(mrid)
    created = not known
    row = _added(desk, asked, above) if created else _known(desk, asked, known[0], above)
    return lambda: _told(desk.settled(row), created=created)


def _added(desk: Desk, asked: EnsureResource, above: Row | None) -> Row:
    if above is None:
        return add_at(desk, f"{asked.kind}List", asked.resource, asked.group)
    given = _with_curves(desk, above, asked.resource)
    return add_at(desk, list_href(desk, above, f"{asked.kind}List"), given)


def _above(desk: Desk, asked: EnsureResource) -> Row | None:
    """What an item hangs below; None for a program."""
    kind = BELOW.get(asked.kind)
    if kind is None:
        if asked.below is not None:
            raise BadRequest(f"below: a {asked.kind} hangs below nothing", "leave it out")
        return None
    if asked.group is not None:
        raise BadRequest(f"group: a {asked.kind} is for those of its {kind}", "leave it out")
    if asked.below is None:
        raise BadRequest("below: missing", f"give the mRID of a {kind}")
    rows = desk.all_by_mrid(asked.below) if is_mrid(asked.below) else []
    found = next((row for row in rows if row.kind == kind), None)
    if found is None:
        raise NotFound(f"below: no {kind} has the mRID {asked.below[:40]!r}", "send it before what is below")
    return found


def _known(desk: Desk, asked: EnsureResource, row: Row, above: Row | None) -> Row:
    """What has the mRID already, if it is what is asked for."""
    if row.kind != asked.kind or (above is not None and row.owner_id != above.owner_id):
        raise Conflict(f"mRID: {row.mrid} is that of {row.href}", "give another, or its kind and place")
    if above is not None:
        return row
    if asked.group is not None:
        programs.show(desk, desk.group(asked.group), row)
    primacy = asked.resource.get("primacy")
    held: Any = desk.resource(row, desk.environment.codec.profile.resolve(route_named(row.kind).type))
    if primacy is None or primacy == getattr(held, "primacy", None):
        return row
    return put_item(desk, row, changed_value(desk, row.kind, held, {"primacy": primacy}))


def _with_curves(desk: Desk, program: Row, given: dict[str, Any]) -> dict[str, Any]:
    """A resource whose modes may name curves of its program by mRID."""
    modes = given.get(MODES)
    return {**given, MODES: with_hrefs(desk, program, modes)} if isinstance(modes, dict) else given


def _told(row: Row, *, created: bool) -> dict[str, Json]:
    told: dict[str, Json] = {"mRID": row.mrid, "href": row.href, "created": created}
    return told if row.status is None else {**told, "status": STATES.get(row.status, str(row.status))}


def _default(desk: Desk, item: object) -> Callable[[], dict[str, Json]]:
    told = _defaulted(desk, read(ChangeDefault, item))
    return lambda: told


def _defaulted(desk: Desk, asked: ChangeDefault) -> dict[str, Json]:
    rows = desk.all_by_mrid(asked.program)
    program = next((row for row in rows if row.kind == "DERProgram"), None)
    if asked.default is not None and program is None:
        raise NotFound(f"program: no DERProgram has the mRID {asked.program}", "lineside op group list")
    if asked.default is None or program is None:
        if program is not None:
            defaults.take_away(desk, program)
        return {"program": asked.program, "mRID": None}
    return {"program": asked.program, "mRID": defaults.put(desk, program, asked.default).mRID}


def _end(desk: Desk, item: object) -> Callable[[], dict[str, Json]]:
    asked = read(EndEvent, item)
    rows = desk.all_by_mrid(asked.mrid)
    row = next((row for row in rows if row.kind in KINDS), None)
    if row is None:
        return lambda: {"mRID": asked.mrid, "status": None, "cancelled": False}
    row = current(desk, row)
    is_open = row.status in OPEN_STATES
    if is_open:
        row = _cancelled(desk, row, asked)
    status = STATES.get(row.status or 0, str(row.status))
    return lambda: {"mRID": asked.mrid, "status": status, "cancelled": is_open}


def _cancelled(desk: Desk, row: Row, asked: EndEvent) -> Row:
    """An event that is cancelled; it ends at random only where it has a random part."""
    has_window = randomization_of(event_of(desk.environment, row)) != (0, 0)
    return cancel_event(desk, row, randomized=asked.randomized and has_window, reason=asked.reason)
