"""Cancelling many events with one call. IEEE 2030.5-2018, 10.2.3."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sep2_server.event_times import repair_list
from sep2_server.extra_routes import group_list_of
from sep2_server.operator.desk import OPEN_STATES, Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.event_changes import cancel_event
from sep2_server.operator.gathered import Gathered
from sep2_server.operator.requests import CancelControls
from sep2_server.operator.requests_events import CancelEvents
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Group, Row

PROGRAM_OF: Final[Mapping[str, str]] = {
    "EndDeviceControl": "DemandResponseProgram",
    "TimeTariffInterval": "TariffProfile",
    "TextMessage": "MessagingProgram",
}
"""By the kind of an event, that of the programs which groups have of it."""


def cancel_many(desk: Desk, call: Call) -> Answer:
    """Cancel the scheduled and active controls of a group or program, of a device's groups, or all."""
    asked = read(CancelControls, {} if call.body is None else call.body)
    mrids: list[str] = []
    for program in _programs(desk, asked):
        listed = desk.beside(program, "DERControlList")
        if listed is not None:
            repair_list(desk.transaction, desk.environment, listed.id, desk.now)
        mrids += _cancel_all(desk, desk.open_controls(program), asked)
    return {"cancelled": len(mrids), "mRIDs": list(mrids)}


def cancel_events(desk: Desk, call: Call) -> Answer:
    """Cancel the scheduled and active events of one kind: of a group, of a device's groups, or all."""
    asked = read(CancelEvents, call.body)
    mrids: list[str] = []
    for program in _chosen(desk, asked):
        mrids += _cancel_in(desk, program, asked)
    return {"cancelled": len(mrids), "mRIDs": list(mrids)}


def _cancel_in(desk: Desk, program: Row, asked: CancelEvents) -> list[str]:
    """Cancel the open events of a kind below a program, as they are at this second."""
    lists = desk.reader.owned(program.id, f"{asked.kind}List")
    for listed in lists:
        repair_list(desk.transaction, desk.environment, listed.id, desk.now)
    rows = [row for row in desk.reader.owned(program.id, asked.kind) if row.status in OPEN_STATES]
    return _cancel_all(desk, rows, asked)


def _cancel_all(desk: Desk, rows: list[Row], asked: CancelControls | CancelEvents) -> list[str]:
    """Cancel events, some of which go with others of them; the mRIDs of all."""
    desk = replace(desk, gathered=Gathered())
    for row in rows:
        held = desk.reader.by_id(row.id) or row
        if held.status in OPEN_STATES:
            cancel_event(desk, held, randomized=asked.randomized, reason=asked.reason)
    desk.settle()
    return [row.mrid or "" for row in rows]


def _chosen(desk: Desk, asked: CancelEvents) -> list[Row]:
    """The programs whose events are meant."""
    chosen = [asked.group is not None, asked.device is not None, asked.all_of_them]
    if chosen.count(True) != 1:
        raise BadRequest("body: which events?", "give one of group, device, all")
    if asked.group is None and asked.device is None:
        return _with_events(desk, asked.kind)
    groups = _groups(desk, asked.device) if asked.device is not None else [desk.group(asked.group or "")]
    kind = group_list_of(PROGRAM_OF[asked.kind])
    return [program for group in groups for program in desk.programs_of(group, kind)]


def _programs(desk: Desk, asked: CancelControls) -> list[Row]:
    chosen = [asked.group is not None, asked.device is not None, asked.all_of_them]
    if chosen.count(True) != 1:
        raise BadRequest("body: which controls?", "give one of group, device, all")
    if asked.group is not None:
        group = desk.group(asked.group)
        return desk.programs(group) if asked.program is None else [desk.program(group, asked.program)]
    if asked.program is not None:
        raise BadRequest("program: it is one of a group", "give group too")
    if asked.device is None:
        return _with_events(desk, "DERControl")
    return [program for group in _groups(desk, asked.device) for program in desk.programs(group)]


def _with_events(desk: Desk, kind: str) -> list[Row]:
    """The programs that have events of a kind which are not over, the oldest first."""
    rows = filter(None, map(desk.reader.by_id, desk.reader.not_over()))
    owners = {row.owner_id for row in rows if row.kind == kind and row.owner_id is not None}
    return [program for program in map(desk.reader.by_id, sorted(owners)) if program is not None]


def _groups(desk: Desk, device: str) -> list[Group]:
    """The groups of a device."""
    client = desk.client(device)
    found = [desk.reader.group(a.group_id) for a in desk.reader.assignments_of_device(client.end_device_id)]
    return [group for group in found if group is not None]
