"""Operations on DERControls: publish, change, cancel, list. IEEE 2030.5-2018, 10.2.3 and 10.10."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus, Json, json_of
from schemas.codes import EventState
from sep2_server.operator.curves import curve_finder, with_hrefs
from sep2_server.operator.desk import OPEN_STATES, Desk
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.event_changes import cancel_event, current, supersede
from sep2_server.operator.groups import page_of
from sep2_server.operator.model import natural_of, resource_of
from sep2_server.operator.reports import counts_of
from sep2_server.operator.requests import CancelControl, ChangeControl, PublishControl
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.rules import check_event, check_modes
from sep2_server.operator.shape import read
from sep2_server.operator.times import duration_s, start_at
from sep2_server.operator.tree import Plan, insert_item
from sep2_server.rows import LATEST, OVER, Group, Row

PAGE: Final = 1000
"""Controls that are read at once."""
GROUPS: Final = 100
"""Groups that are looked at for one answer."""
AFTER_LAST: Final = "after-last"
STATES: Final[Mapping[str, frozenset[int]]] = {
    "scheduled": frozenset({EventState.SCHEDULED}),
    "active": frozenset({EventState.ACTIVE}),
    "cancelled": frozenset({EventState.CANCELLED, EventState.CANCELLED_WITH_RANDOMIZATION}),
    "superseded": frozenset({EventState.SUPERSEDED}),
}
_STATE_NAMES: Final = {
    EventState.SCHEDULED: "scheduled",
    EventState.ACTIVE: "active",
    EventState.CANCELLED: "cancelled",
    EventState.CANCELLED_WITH_RANDOMIZATION: "cancelled with randomization",
    EventState.SUPERSEDED: "superseded",
    OVER: "over",
}


def publish(desk: Desk, call: Call) -> Answer:
    """Publish a DERControl in a program of a group."""
    program = desk.program(desk.group(call.names["group"]), call.query.get("program"))
    return publish_one(desk, program, read(PublishControl, call.body))


def publish_one(desk: Desk, program: Row, asked: PublishControl) -> dict[str, Json]:
    """Store a control in a program; it as the API tells it."""
    return told(desk, store_one(desk, program, asked), program)


def store_one(desk: Desk, program: Row, asked: PublishControl) -> Row:
    """Store a control in a program; its row."""
    control = DERControl(
        responseRequired=(asked.response_required or desk.environment.rules.response_required).upper(),
        mRID=desk.new_mrid(),
        description=asked.description,
        version=0,
        creationTime=desk.now,
        EventStatus_=EventStatus(
            currentStatus=EventState.SCHEDULED, dateTime=desk.now, potentiallySuperseded=False
        ),
        interval=DateTimeInterval(
            duration=duration_s(asked.duration, "duration"),
            start=_start_of(desk, program, asked),
        ),
        randomizeDuration=asked.randomize_duration_s,
        randomizeStart=asked.randomize_start_s,
        DERControlBase_=_base(desk, program, asked.modes),
        deviceCategory=_upper(asked.device_category),
    )
    check_event(control, desk.now)
    listed = desk.listed(program, "DERControlList")
    return insert_item(desk, listed, Plan(value=control, is_named=False))


def change(desk: Desk, call: Call) -> Answer:
    """Put a changed DERControl in the place of one that is not over.

    Events are not edited: the answer is a new control with an mRID of its own, which supersedes the old one
    where it covers it; otherwise the old one is cancelled too. One that would not differ stays as it is.
    IEEE 2030.5-2018, 10.2.3.
    """
    asked = read(ChangeControl, call.body)
    if asked == ChangeControl():
        raise BadRequest("body: nothing to set", "give what is to change, such as duration")
    row = _current(desk, call.names["control"])
    old = desk.control_of(row)
    program = _program_of(desk, row)
    successor = replace(
        old,
        href=None,
        mRID=desk.new_mrid(),
        version=0,
        interval=_interval(desk, asked, old),
        **_given(asked),
    )
    if asked.modes is not None:
        successor.DERControlBase_ = _base(desk, program, asked.modes)
    if replace(successor, href=old.href, mRID=old.mRID, version=old.version) == old:
        return told(desk, row, program)
    check_event(successor, desk.now)
    return {**told(desk, supersede(desk, row, old, successor), program), "replaces": old.mRID}


def cancel(desk: Desk, call: Call) -> Answer:
    """Cancel a DERControl; with `randomized` each device ends within its random window."""
    asked = read(CancelControl, {} if call.body is None else call.body)
    row = _current(desk, call.names["control"])
    stored = cancel_event(desk, row, randomized=asked.randomized, reason=asked.reason)
    return told(desk, stored, _program_of(desk, row))


def show(desk: Desk, call: Call) -> Answer:
    """One control with its status now and how many devices gave which Response."""
    row = desk.control(call.names["control"])
    return {**told(desk, row, _program_of(desk, row)), "responses": counts_of(desk, row.mrid)}


def list_controls(desk: Desk, call: Call) -> Answer:
    """Controls of a group, or of groups by name, in list order; `responses=true` counts those.

    Of all groups, an answer ends with the group that makes the controls `limit` or more, or that is the
    hundredth looked at; `next` is what to give as `after` for more.
    """
    state = call.query.get("state")
    counts = call.query.get("responses") == "true"
    if state is not None and state not in STATES:
        raise BadRequest(f"state: {state[:40]!r} in the query", f"allowed: {', '.join(STATES)}")
    limit = call.number("limit", 1000, 1, 10_000)
    name = call.names.get("group")
    if name is not None:
        return {"controls": [*_of_group(desk, desk.group(name), state, limit, counts=counts)], "next": None}
    groups, more = page_of(desk, call, limit=GROUPS)
    found: list[Json] = []
    for group in groups:
        found += _of_group(desk, group, state, limit, counts=counts)
        if len(found) >= limit and group is not groups[-1]:
            return {"controls": found, "next": group.name}
    return {"controls": found, "next": more}


def _of_group(
    desk: Desk, group: Group, state: str | None, limit: int, *, counts: bool
) -> Iterator[dict[str, Json]]:
    """Controls of a group as the API lists them, `limit` of each program at most."""
    for program in desk.programs(group):
        for row in _of_state(desk, program, state, limit):
            responses: dict[str, Json] = {"responses": counts_of(desk, row.mrid)} if counts else {}
            yield {"group": group.name, **told(desk, row, program), **responses}


def _of_state(desk: Desk, program: Row, state: str | None, limit: int) -> list[Row]:
    """The first controls of a program that are in a state, or in any, in list order."""
    listed = desk.beside(program, "DERControlList")
    found: list[Row] = []
    skip = 0
    while listed is not None and len(found) < limit:
        page = desk.reader.items(listed.id, skip=skip, limit=PAGE)
        found += [row for row in page if state is None or row.status in STATES[state]]
        skip += PAGE
        if len(page) < PAGE:
            break
    return found[:limit]


def told(desk: Desk, row: Row, program: Row) -> dict[str, Json]:
    """A control as the API tells it: identity, status, times, modes in natural units, and its wire form."""
    control = desk.control_of(row)
    return {
        "mRID": control.mRID,
        "description": control.description,
        "program": program.mrid,
        "status": _STATE_NAMES.get(row.status if row.status is not None else -1, row.status),
        "start": control.interval.start,
        "duration": control.interval.duration,
        "modes": natural_of(control.DERControlBase_),
        "href": row.href,
        "DERControl": json_of(control),
    }


def _start_of(desk: Desk, program: Row, asked: PublishControl) -> int:
    """When a control starts, s since 1970 UTC; `after-last`: when the last one of the program has ended."""
    if asked.start != AFTER_LAST:
        return start_at(asked.start, asked.within, desk.now)
    return start_at(None, asked.within, _last_end(desk, program))


def _last_end(desk: Desk, program: Row) -> int:
    """When the last open control of a program has ended without its random part, now at the earliest."""
    desk.settle()
    listed = desk.listed(program, "DERControlList")
    newest = desk.reader.last_open(listed.id)
    if newest is None:
        return desk.now
    last = max(desk.now, _end_of(desk, newest))
    longer = desk.reader.overlapping(listed.id, last, LATEST)
    return max([last, *(_end_of(desk, row) for row in longer if row.status in OPEN_STATES)])


def _end_of(desk: Desk, row: Row) -> int:
    interval = desk.control_of(row).interval
    return interval.start + interval.duration


def _base(desk: Desk, program: Row, modes: Mapping[str, Any]) -> DERControlBase:
    """The modes that are asked for, checked: ranges, and curves that exist and fit."""
    cls = desk.environment.codec.profile.resolve(DERControlBase)
    base: DERControlBase = resource_of(cls, with_hrefs(desk, program, modes), "DERControlBase")
    check_modes(base, curve_finder(desk), at_least_one=True)
    return base


def _current(desk: Desk, mrid: str) -> Row:
    """A control with everything written that time has changed in its list."""
    return current(desk, desk.control(mrid))


def _program_of(desk: Desk, row: Row) -> Row:
    program = None if row.owner_id is None else desk.reader.by_id(row.owner_id)
    if program is None:
        raise Conflict(f"{row.mrid}: its program is gone", "publish the control in another group")
    return program


def _interval(desk: Desk, asked: ChangeControl, old: DERControl) -> DateTimeInterval:
    is_moved = asked.start is not None or asked.within is not None
    return DateTimeInterval(
        duration=old.interval.duration if asked.duration is None else duration_s(asked.duration, "duration"),
        start=start_at(asked.start, asked.within, desk.now) if is_moved else old.interval.start,
    )


def _given(asked: ChangeControl) -> dict[str, Any]:
    """The plain fields that are to change."""
    given = {
        "description": asked.description,
        "randomizeStart": asked.randomize_start_s,
        "randomizeDuration": asked.randomize_duration_s,
        "responseRequired": _upper(asked.response_required),
        "deviceCategory": _upper(asked.device_category),
    }
    return {name: value for name, value in given.items() if value is not None}


def _upper(text: str | None) -> str | None:
    return None if text is None else text.upper()
