"""Groups of devices and their DERPrograms in the store.

A group is one DERProgramList; each member has a FunctionSetAssignments that links to it.
IEEE 2030.5-2018, 11 (function set assignments) and 10.10; CSIP 1.6.
"""

from function_sets import ROUTES, sort_key
from schemas import (
    ActiveDERControlListLink,
    DERControlListLink,
    DERCurveListLink,
    DERProgram,
    DERProgramListLink,
    FunctionSetAssignments,
    ResponseSetListLink,
    TimeLink,
)
from sep2_server.end_devices import touch
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import Conflict
from sep2_server.operator.mrid import make_mrid
from sep2_server.rows import Assignment, Client, Group, Row
from sep2_server.uris import GROUP_LIST

ASSOCIATED: str = "AssociatedDERProgramList"
DESCRIPTION_OCTETS = 32
MOST_DERS = 255
BATCH = 1000


def new_mrid(desk: Desk) -> str:
    """An mRID for something that this server makes."""
    return make_mrid(desk.random_below, desk.environment.settings.pen)


def add_group(desk: Desk, name: str) -> Group:
    """Store a group without programs and members."""
    tx = desk.transaction
    number = tx.next_id()
    tx.insert(Row(number, desk.environment.uris.of(GROUP_LIST, (number,)), GROUP_LIST))
    group = Group(number, name, number)
    tx.put_group(group)
    return group


def add_program(desk: Desk, group: Group, *, primacy: int, description: str | None) -> Row:
    """Store a DERProgram of a group with its empty lists; it has no default until one is set."""
    tx, of = desk.transaction, desk.environment.uris.of
    number = tx.next_id()
    program = DERProgram(
        href=of("DERProgram", (number,)),
        mRID=new_mrid(desk),
        description=description,
        version=0,
        ActiveDERControlListLink_=ActiveDERControlListLink(href=of("ActiveDERControlList", (number,))),
        DERControlListLink_=DERControlListLink(href=of("DERControlList", (number,))),
        DERCurveListLink_=DERCurveListLink(href=of("DERCurveList", (number,))),
        primacy=primacy,
    )
    for kind in ("DERControlList", "DERCurveList"):
        tx.insert(Row(tx.next_id(), of(kind, (number,)), kind, owner_id=number))
    row = insert_item(desk, program, "DERProgram", (number,), owner_id=number)
    tx.add_member(group.program_list_id, row)
    for client in members(desk, group):
        _associate(desk, client.end_device_id, [row])
    return row


def replace_program(desk: Desk, row: Row, program: DERProgram) -> Row:
    """Store a program in the place of what was there; its place in every list that shows it follows."""
    tx = desk.transaction
    key = sort_key(ROUTES["DERProgramList"], program)
    lists = [] if key == row.sort_key else tx.lists_of_member(row.id)
    for list_id in lists:
        tx.remove_member(list_id, row)
    stored = tx.replace(row, row._replace(sort_key=key, body=desk.environment.codec.fragment(program)))
    for list_id in lists:
        tx.add_member(list_id, stored)
    return stored


def insert_item(
    desk: Desk,
    value: DERProgram | FunctionSetAssignments,
    kind: str,
    parts: tuple[int, ...],
    *,
    owner_id: int,
) -> Row:
    """Store an item in the list of its kind; its id is the last of `parts`."""
    of = desk.environment.uris.of
    list_kind = f"{kind}List"
    listed = desk.transaction.by_href(of(list_kind, parts[:-1]))
    row = Row(
        parts[-1],
        of(kind, parts),
        kind,
        list_id=listed.id if listed else None,
        sort_key=sort_key(ROUTES[list_kind], value),
        owner_id=owner_id,
        mrid=value.mRID,
        body=desk.environment.codec.fragment(value),
    )
    return desk.transaction.insert(row)


def members(desk: Desk, group: Group) -> list[Client]:
    """The devices of a group by EndDevice."""
    found: list[Client] = []
    after = 0
    while page := desk.reader.assignments_of_group(group.id, after_id=after, limit=BATCH):
        clients = [desk.reader.client_of(a.end_device_id) for a in page]
        found += [client for client in clients if client]
        after = page[-1].end_device_id
    return found


def is_member(desk: Desk, group: Group, client: Client) -> bool:
    """Whether a device is in a group."""
    return any(a.group_id == group.id for a in desk.reader.assignments_of_device(client.end_device_id))


def assign(desk: Desk, group: Group, client: Client) -> None:
    """Make a device a member: it finds the group's programs by a new FunctionSetAssignments.

    Conflict where it has as many as it may. CSIP 1.6.
    """
    _require_room(desk, client)
    tx, of = desk.transaction, desk.environment.uris.of
    number = tx.next_id()
    parts = (client.end_device_id, number)
    assignments = FunctionSetAssignments(
        href=of("FunctionSetAssignments", parts),
        mRID=new_mrid(desk),
        description=_short(group.name),
        version=0,
        DERProgramListLink_=DERProgramListLink(href=of(GROUP_LIST, (group.id,))),
        ResponseSetListLink_=ResponseSetListLink(href=of("ResponseSetList")),
        TimeLink_=TimeLink(href=of("Time")),
    )
    insert_item(desk, assignments, "FunctionSetAssignments", parts, owner_id=client.end_device_id)
    tx.put_assignment(Assignment(group.id, client.end_device_id, number))
    _associate(desk, client.end_device_id, desk.programs(group))
    touch(tx, desk.environment, client.end_device_id, desk.now)


def _require_room(desk: Desk, client: Client) -> None:
    most = desk.environment.settings.function_set_assignments_per_device
    held = desk.reader.assignments_of_device(client.end_device_id)
    if len(held) >= most:
        names = sorted(group.name for a in held if (group := desk.reader.group(a.group_id)))
        raise Conflict(
            f"{client.name} is in {len(held)} groups, and a client takes {most} FunctionSetAssignments",
            f"take it out of one first: {', '.join(names)[:200]}",
        )


def unassign(desk: Desk, group: Group, client: Client) -> None:
    """Take a device out of a group; with the assignment it loses the programs and their events."""
    tx = desk.transaction
    programs = desk.programs(group)
    for assignment in desk.reader.assignments_of_device(client.end_device_id):
        if assignment.group_id == group.id:
            row = tx.by_id(assignment.assignments_id)
            if row is not None:
                tx.delete(row)
            tx.delete_assignment(assignment)
    for listed in _associated_lists(desk, client.end_device_id):
        for program in programs:
            tx.remove_member(listed.id, program)
    touch(tx, desk.environment, client.end_device_id, desk.now)


def delete_group(desk: Desk, group: Group) -> None:
    """Remove a group with its memberships and programs, and all that is below those."""
    tx = desk.transaction
    for client in members(desk, group):
        unassign(desk, group, client)
    for program in desk.programs(group):
        for owned in tx.of_owner(program.id):
            tx.delete(owned)
    listed = tx.by_id(group.program_list_id)
    if listed is not None:
        tx.delete(listed)
    tx.delete_group(group.id)


def _associate(desk: Desk, end_device_id: int, programs: list[Row]) -> None:
    for listed in _associated_lists(desk, end_device_id):
        for program in programs:
            desk.transaction.add_member(listed.id, program)


def _associated_lists(desk: Desk, end_device_id: int) -> list[Row]:
    """The AssociatedDERProgramList of each DER of a device."""
    end_device = desk.reader.by_id(end_device_id)
    ders = [] if end_device is None else desk.items(end_device, "DERList", MOST_DERS)
    return [row for der in ders if (row := desk.beside(der, ASSOCIATED))]


def _short(text: str) -> str:
    """A text cut to what String32 holds, at a whole character."""
    return text.encode()[:DESCRIPTION_OCTETS].decode(errors="ignore")
