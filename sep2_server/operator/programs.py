"""Groups of devices and what they are assigned: programs of every kind.

Each member of a group has a FunctionSetAssignments that links to the lists of the group that have programs.
IEEE 2030.5-2018, 11 (function set assignments); CSIP 1.6.
"""

from collections.abc import Iterator

from schemas import DERProgram
from sep2_server.end_devices import touch
from sep2_server.extra_routes import group_list_of
from sep2_server.linking import link_members
from sep2_server.membership import has_room, join
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import Conflict
from sep2_server.operator.tree import Plan, insert_item, remove
from sep2_server.rows import Client, Group, Row

BATCH = 1000


def add_group(desk: Desk, name: str) -> Group:
    """Store a group without programs and members."""
    group = Group(desk.transaction.next_id(), name)
    desk.transaction.put_group(group)
    return group


def add_program(desk: Desk, group: Group, *, primacy: int, description: str | None) -> Row:
    """Store a DERProgram of a group with its empty lists; it has no default until one is set."""
    program = DERProgram(mRID=desk.new_mrid(), description=description, version=0, primacy=primacy)
    row = insert_item(desk, root_list(desk, "DERProgram"), Plan(value=program))
    show(desk, group, row)
    return row


def root_list(desk: Desk, kind: str) -> Row:
    """The list at the root that holds all programs of a kind."""
    found = desk.transaction.by_href(desk.environment.uris.of(f"{kind}List"))
    if found is None:
        raise LookupError(f"the database has no {kind}List")
    return found


def show(desk: Desk, group: Group, program: Row) -> bool:
    """Assign a program to the members of a group; False where it was."""
    kind = group_list_of(program.kind)
    listed = _list_of(desk, group, kind)
    return desk.transaction.add_member(listed.id, program)


def hide(desk: Desk, group: Group, program: Row) -> bool:
    """No longer assign a program to the members of a group; False where it was not."""
    tx, kind = desk.transaction, group_list_of(program.kind)
    list_id = tx.group_lists(group.id).get(kind)
    if list_id is None or not tx.remove_member(list_id, program):
        return False
    if not tx.members(list_id, limit=1):
        _remove_list(desk, group, list_id)
        link_members(desk.transaction, desk.environment, group, desk.now)
    return True


def _list_of(desk: Desk, group: Group, kind: str) -> Row:
    """The list of a group's programs of one kind, made with the first of them."""
    tx = desk.transaction
    known = tx.by_href(desk.environment.uris.of(kind, (group.id,)))
    if known is not None:
        return known
    listed = tx.insert(Row(tx.next_id(), desk.environment.uris.of(kind, (group.id,)), kind))
    tx.put_group_list(group.id, kind, listed.id)
    link_members(desk.transaction, desk.environment, group, desk.now)
    return listed


def _remove_list(desk: Desk, group: Group, list_id: int) -> None:
    tx = desk.transaction
    tx.delete_group_list(group.id, list_id)
    listed = tx.by_id(list_id)
    if listed is not None:
        tx.delete(listed)


def members(desk: Desk, group: Group) -> list[Client]:
    """The devices of a group by EndDevice."""
    found = map(desk.reader.client_of, member_ids(desk, group))
    return [client for client in found if client]


def member_ids(desk: Desk, group: Group) -> Iterator[int]:
    """Row ids of the EndDevices of a group, in their order."""
    after = 0
    while page := desk.reader.assignments_of_group(group.id, after_id=after, limit=BATCH):
        yield from (one.end_device_id for one in page)
        after = page[-1].end_device_id
        if len(page) < BATCH:
            break


def is_member(desk: Desk, group: Group, client: Client) -> bool:
    """Whether a device is in a group."""
    return any(a.group_id == group.id for a in desk.reader.assignments_of_device(client.end_device_id))


def assign(desk: Desk, group: Group, client: Client) -> None:
    """Make a device a member: it finds the group's programs by a new FunctionSetAssignments.

    Conflict where it has as many as it may. CSIP 1.6.
    """
    _require_room(desk, client)
    join(desk.transaction, desk.environment, group, client, desk.now, desk.random_below)


def _require_room(desk: Desk, client: Client) -> None:
    if has_room(desk.reader, desk.environment, client):
        return
    most = desk.environment.settings.function_set_assignments_per_device
    held = desk.reader.assignments_of_device(client.end_device_id)
    names = sorted(group.name for a in held if (group := desk.reader.group(a.group_id)))
    raise Conflict(
        f"{client.name} is in {len(held)} groups, and a client takes {most} FunctionSetAssignments",
        f"take it out of one first: {', '.join(names)[:200]}",
    )


def unassign(desk: Desk, group: Group, client: Client) -> None:
    """Take a device out of a group; with the assignment it loses the programs and their events."""
    tx = desk.transaction
    for assignment in desk.reader.assignments_of_device(client.end_device_id):
        if assignment.group_id == group.id:
            row = tx.by_id(assignment.assignments_id)
            if row is not None:
                tx.delete(row)
            tx.delete_assignment(assignment)
    touch(tx, desk.environment, client.end_device_id, desk.now)


def delete_group(desk: Desk, group: Group) -> None:
    """Remove a group with its memberships, and the programs that no other group has."""
    tx = desk.transaction
    for client in members(desk, group):
        unassign(desk, group, client)
    for kind, list_id in desk.reader.group_lists(group.id).items():
        programs = desk.programs_of(group, kind)
        _remove_list(desk, group, list_id)
        for program in programs:
            if not groups_of(desk, program):
                remove(desk, program)
    tx.delete_group(group.id)


def groups_of(desk: Desk, program: Row) -> list[Group]:
    """The groups whose members are assigned a program."""
    lists = desk.reader.lists_of_member(program.id)
    return [group for group in map(desk.reader.group_of_list, lists) if group]
