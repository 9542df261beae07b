"""Operations on groups: create, list, show, delete, members, programs."""

from schemas import DERProgram, Json
from sep2_server.operator import curves, network, programs
from sep2_server.operator.desk import OPEN_STATES, Desk
from sep2_server.operator.devices import summary
from sep2_server.operator.errors import Conflict
from sep2_server.operator.happenings import KINDS
from sep2_server.operator.requests import AddProgram, CreateGroup
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Group, Row


def create(desk: Desk, call: Call) -> Answer:
    """Create a group with its first DERProgram."""
    asked = read(CreateGroup, call.body)
    if desk.reader.group_named(asked.name) is not None:
        raise Conflict(f"name: a group is named {asked.name!r} already", "choose a name that is free")
    group = programs.add_group(desk, asked.name)
    programs.add_program(desk, group, primacy=asked.primacy, description=asked.description)
    return told(desk, group)


def list_groups(desk: Desk, call: Call) -> Answer:
    """Groups by name with their programs, a page of them."""
    groups, more = page_of(desk, call)
    return {"groups": [told(desk, group) for group in groups], "next": more}


def page_of(desk: Desk, call: Call, *, limit: int | None = None) -> tuple[list[Group], str | None]:
    """Groups by name, from the one behind `after` on, and the last one's name where there may be more.

    `limit`: how many, where `limit` in the query is about something else.
    """
    most = limit or call.number("limit", 100, 1, 1000)
    found = desk.reader.groups(after=call.query.get("after", ""), limit=most)
    return found, found[-1].name if len(found) == most else None


def show(desk: Desk, call: Call) -> Answer:
    """One group with its programs."""
    return told(desk, desk.group(call.names["group"]))


def delete(desk: Desk, call: Call) -> Answer:
    """Delete a group; Conflict while an event of it is open, or a curve of it followed elsewhere."""
    group = desk.group(call.names["group"])
    _require_over(desk, group)
    network.require_empty(desk, group)
    going = [row for row in desk.programs(group) if len(programs.groups_of(desk, row)) == 1]
    curves.require_dispensable(desk, going)
    desk.transaction.delete_node(group.id)
    programs.delete_group(desk, group)
    return {"name": group.name}


def list_members(desk: Desk, call: Call) -> Answer:
    """The devices of a group in the order of their enrolment, a page of them.

    `after` and `next` are numbers of EndDevices: a device whose name is not known any more is no obstacle.
    """
    group = desk.group(call.names["group"])
    limit = call.number("limit", 100, 1, 1000)
    found = desk.reader.assignments_of_group(
        group.id, after_id=call.number("after", 0, 0, 2**62), limit=limit
    )
    clients = filter(None, (desk.reader.client_of(one.end_device_id) for one in found))
    return {
        "devices": [summary(desk, client) for client in clients],
        "next": found[-1].end_device_id if len(found) == limit else None,
    }


def add_member(desk: Desk, call: Call) -> Answer:
    """Make a device a member of a group; a repetition changes nothing."""
    group, client = desk.group(call.names["group"]), desk.client(call.names["device"])
    is_new = not programs.is_member(desk, group, client)
    if is_new:
        programs.assign(desk, group, client)
    return {"group": group.name, "device": client.name, "added": is_new}


def remove_member(desk: Desk, call: Call) -> Answer:
    """Take a device out of a group; a repetition changes nothing."""
    group, client = desk.group(call.names["group"]), desk.client(call.names["device"])
    was_there = programs.is_member(desk, group, client)
    if was_there:
        programs.unassign(desk, group, client)
    return {"group": group.name, "device": client.name, "removed": was_there}


def add_program(desk: Desk, call: Call) -> Answer:
    """Add a further DERProgram to a group."""
    asked = read(AddProgram, call.body)
    group = desk.group(call.names["group"])
    row = programs.add_program(desk, group, primacy=asked.primacy, description=asked.description)
    return program_told(desk, row)


def list_programs(desk: Desk, call: Call) -> Answer:
    """The DERPrograms of one group, or of a page of the groups by name."""
    name = call.names.get("group")
    groups, more = page_of(desk, call) if name is None else ([desk.group(name)], None)
    told_ones: list[Json] = [
        {"group": group.name, **program_told(desk, row)} for group in groups for row in desk.programs(group)
    ]
    return {"programs": told_ones, "next": more}


def told(desk: Desk, group: Group) -> dict[str, Json]:
    """A group as the API tells it."""
    return {
        "name": group.name,
        "devices": desk.reader.count_members(group.id),
        "programs": [program_told(desk, row) for row in desk.programs(group)],
    }


def program_told(desk: Desk, row: Row) -> dict[str, Json]:
    """A program as the API tells it."""
    program = desk.resource(row, DERProgram)
    return {
        "mRID": program.mRID,
        "description": program.description,
        "primacy": program.primacy,
        "href": row.href,
        "hasDefault": program.DefaultDERControlLink_ is not None,
        "openControls": desk.count_open_controls(row),
    }


def _require_over(desk: Desk, group: Group) -> None:
    """Raise Conflict while an event of a program of any kind is open: devices would lose it with that."""
    held = [one for kind in desk.reader.group_lists(group.id) for one in desk.programs_of(group, kind)]
    rows = [row for program in held for row in desk.reader.of_owner(program.id)]
    waiting = [row for row in rows if row.kind in KINDS and row.status in OPEN_STATES]
    if not waiting:
        return
    are_controls = all(row.kind == "DERControl" for row in waiting)
    noun, way = ("controls", "cancel MRID") if are_controls else ("events", "drlc|tariff|message cancel")
    raise Conflict(
        f"{len(waiting)} {noun} of {group.name} are scheduled or active, {waiting[0].mrid} among them",
        f"cancel them first: lineside op {way}",
    )
