"""Cancelling many DERControls with one call. IEEE 2030.5-2018, 10.2.3."""

from sep2_server.event_times import repair_list
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.event_changes import cancel_event
from sep2_server.operator.requests import CancelControls
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Group, Row


def cancel_many(desk: Desk, call: Call) -> Answer:
    """Cancel the scheduled and active controls of a group or program, of a device's groups, or all."""
    asked = read(CancelControls, {} if call.body is None else call.body)
    mrids: list[str] = []
    for program in _programs(desk, asked):
        listed = desk.beside(program, "DERControlList")
        if listed is not None:
            repair_list(desk.transaction, desk.environment, listed.id, desk.now)
        for row in desk.open_controls(program):
            cancel_event(desk, row, randomized=asked.randomized, reason=asked.reason)
            mrids.append(row.mrid or "")
    return {"cancelled": len(mrids), "mRIDs": list(mrids)}


def _programs(desk: Desk, asked: CancelControls) -> list[Row]:
    chosen = [asked.group is not None, asked.device is not None, asked.all_of_them]
    if chosen.count(True) != 1:
        raise BadRequest("body: which controls?", "give one of group, device, all")
    if asked.group is not None:
        group = desk.group(asked.group)
        return desk.programs(group) if asked.program is None else [desk.program(group, asked.program)]
    if asked.program is not None:
        raise BadRequest("program: it is one of a group", "give group too")
    return [program for group in _groups(desk, asked) for program in desk.programs(group)]


def _groups(desk: Desk, asked: CancelControls) -> list[Group]:
    if asked.device is None:
        return desk.reader.groups()
    client = desk.client(asked.device)
    found = [desk.reader.group(a.group_id) for a in desk.reader.assignments_of_device(client.end_device_id)]
    return [group for group in found if group is not None]
