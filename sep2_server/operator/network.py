"""The network as operators see it: nodes of seven levels, each a group with a program of its level's primacy.

CSIP 1.6 (topology and groups); MAINT-003 (a device moves).
"""

from collections.abc import Mapping
from typing import Final

from schemas import DERProgram, Json
from sep2_server.membership import short
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Conflict, NotFound
from sep2_server.operator.requests import PlaceDevice
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Client, Group, Node

PRIMACIES: Final[Mapping[str, int]] = {"SY": 10, "ST": 9, "SS": 8, "FD": 7, "SG": 6, "TF": 5, "SP": 4}
"""The levels from the system down to the service point, with their primacy: the deeper wins. CSIP 1.6."""
LEVELS: Final = tuple(PRIMACIES)
TOP: Final = 0
MOST_NODES: Final = 10_000


def place(desk: Desk, call: Call) -> Answer:
    """Put a device at its place in the network: nodes are made as needed, those of its old place are left.

    The FunctionSetAssignments of the device follow; groups beside the network stay as they are.
    """
    asked = read(PlaceDevice, call.body)
    client = desk.client(call.names["device"])
    created: list[Json] = []
    parent, path = TOP, ""
    nodes: list[Node] = []
    for level, name in _steps(asked):
        path = f"{path}/{name}" if path else name
        found = desk.reader.node_named(parent, name)
        if found is None:
            found = _add_node(desk, Node(0, level, name, parent), path, asked.primacies or {})
            created.append(path)
        elif found.level != level:
            raise Conflict(f"{path} is of level {found.level}, not {level}", "give it another name")
        else:
            _require_primacy(desk, found, path, (asked.primacies or {}).get(level))
        parent = found.id
        nodes.append(found)
    joined, left = _move(desk, client, nodes)
    return {
        "device": client.name,
        "path": path,
        "created": created,
        "joined": [*joined],
        "left": [*left],
    }


def unplace(desk: Desk, call: Call) -> Answer:
    """Take a device out of the network; groups beside it stay as they are."""
    client = desk.client(call.names["device"])
    _, left = _move(desk, client, [])
    return {"device": client.name, "path": "", "created": [], "joined": [], "left": [*left]}


def tree(desk: Desk, call: Call) -> Answer:
    """The network below a node (`under`), or all of it, some levels (`depth`) deep, with counted devices."""
    under = call.query.get("under", "")
    depth = call.number("depth", len(LEVELS), 1, len(LEVELS))
    parent = TOP
    for name in under.split("/") if under else ():
        found = desk.reader.node_named(parent, name)
        if found is None:
            raise NotFound(f"no node is at {under[:200]}", "see all of the network: lineside op tree")
        parent = found.id
    room = [MOST_NODES]
    return {"nodes": _below(desk, parent, under, depth, room), "complete": room[0] >= 0}


def place_of(desk: Desk, client: Client) -> str | None:
    """The path of the deepest node that a device is at, None where it is nowhere in the network."""
    found = [node for node, _ in _nodes_of(desk, client)]
    if not found:
        return None
    deepest = max(found, key=lambda node: LEVELS.index(node.level))
    group = desk.reader.group(deepest.id)
    return group.name if group else None


def require_empty(desk: Desk, group: Group) -> None:
    """Raise Conflict for the group of a node that others are below."""
    below = desk.reader.nodes_below(group.id)
    if below:
        raise Conflict(
            f"{len(below)} nodes are below {group.name}, {below[0].name} among them", "delete those first"
        )


def _steps(asked: PlaceDevice) -> list[tuple[str, str]]:
    """Level and name of each node of a place. BadRequest where that is none."""
    given = {level: name for level in LEVELS if (name := getattr(asked, level.lower())) is not None}
    if (asked.path is None) == (not given):
        raise BadRequest("path: give either path or names by level", f"levels: {', '.join(LEVELS)}")
    if asked.path is not None:
        given = dict(zip(LEVELS, asked.path.split("/"), strict=False))
        if asked.path.count("/") >= len(LEVELS):
            raise BadRequest("path: there are seven levels", f"allowed: {'/'.join(LEVELS)}")
    for level, name in given.items():
        if not name.strip() or "/" in name or len(name.encode()) > 64:
            raise BadRequest(f"{level}: {name[:60]!r} is no name", "allowed: 1 to 64 octets without /")
    for level, primacy in (asked.primacies or {}).items():
        if level not in PRIMACIES or type(primacy) is not int or not 0 <= primacy <= 255:
            raise BadRequest(f"primacies.{level[:20]}: {primacy!r:.20}", "allowed: 0 to 255 by level")
    return list(given.items())


def _add_node(desk: Desk, node: Node, path: str, primacies: Mapping[str, int]) -> Node:
    if desk.reader.group_named(path) is not None:
        raise Conflict(f"a group beside the network is named {path}", "give the node another name")
    group = programs.add_group(desk, path)
    primacy = primacies.get(node.level, PRIMACIES[node.level])
    programs.add_program(desk, group, primacy=primacy, description=short(f"{node.level} {node.name}"))
    made = node._replace(id=group.id)
    desk.transaction.put_node(made)
    return made


def _require_primacy(desk: Desk, node: Node, path: str, wanted: int | None) -> None:
    """Raise Conflict for a node that is there with another primacy: others are at it too."""
    held = _primacy(desk, node)
    if wanted is not None and wanted != held:
        raise Conflict(
            f"{path} has primacy {held}, not {wanted}", f"lineside op group primacy {path} {wanted}"
        )


def _move(desk: Desk, client: Client, nodes: list[Node]) -> tuple[list[str], list[str]]:
    """Make a device a member of these nodes and no others; what it joined and what it left."""
    wanted = {node.id for node in nodes}
    held = {node.id: group for node, group in _nodes_of(desk, client)}
    left = [group for number, group in held.items() if number not in wanted]
    for group in left:
        programs.unassign(desk, group, client)
    joined = [new for n in nodes if n.id not in held and (new := desk.reader.group(n.id))]
    for new in joined:
        programs.assign(desk, new, client)
    return [new.name for new in joined], sorted(group.name for group in left)


def _nodes_of(desk: Desk, client: Client) -> list[tuple[Node, Group]]:
    found: list[tuple[Node, Group]] = []
    for assignment in desk.reader.assignments_of_device(client.end_device_id):
        node = desk.reader.node(assignment.group_id)
        group = None if node is None else desk.reader.group(assignment.group_id)
        if node is not None and group is not None:
            found.append((node, group))
    return found


def _below(desk: Desk, parent: int, above: str, depth: int, room: list[int]) -> list[Json]:
    """The nodes below one; `room` holds how many more may be told."""
    told: list[Json] = []
    for node in desk.reader.nodes_below(parent) if depth else ():
        room[0] -= 1
        if room[0] < 0:
            break
        path = f"{above}/{node.name}" if above else node.name
        told.append(
            {
                "name": node.name,
                "level": node.level,
                "path": path,
                "primacy": _primacy(desk, node),
                "devices": desk.reader.count_members(node.id),
                "nodes": _below(desk, node.id, path, depth - 1, room),
            }
        )
    return told


def _primacy(desk: Desk, node: Node) -> int | None:
    group = desk.reader.group(node.id)
    found = [] if group is None else desk.programs(group)
    return desk.resource(found[0], DERProgram).primacy if found else None
