"""How a device becomes a member of a group: it gets a FunctionSetAssignments.

IEEE 2030.5-2018, 11 (function set assignments); CSIP 1.6.
"""

from collections.abc import Callable, Mapping
from typing import Final

from function_sets import make_mrid, sort_key
from schemas import FunctionSetAssignments, Link, spec_of
from sep2_server.end_devices import touch
from sep2_server.environment import Environment
from sep2_server.reader import Reader
from sep2_server.rows import Assignment, Client, Group, Row
from sep2_server.transaction import Transaction
from sep2_server.uris import route_named

DESCRIPTION_OCTETS: Final = 32
SERVER_WIDE: Final = ("ResponseSetList", "Time", "UsagePointList")
"""What every FunctionSetAssignments links to: the same for all."""
_LIST: Final = "FunctionSetAssignmentsList"


def has_room(reader: Reader, environment: Environment, client: Client) -> bool:
    """Whether a device may be in one more group. CSIP 1.6."""
    most = environment.settings.function_set_assignments_per_device
    return len(reader.assignments_of_device(client.end_device_id)) < most


def join(
    tx: Transaction,
    environment: Environment,
    group: Group,
    client: Client,
    now: int,
    random_below: Callable[[int], int],
) -> None:
    """Make a device a member: it finds the group's programs by a new FunctionSetAssignments."""
    listed = tx.by_href(environment.uris.of(_LIST, (client.end_device_id,)))
    if listed is None:
        raise LookupError(f"EndDevice {client.end_device_id} has no {_LIST}")
    number = tx.next_id()
    assignments = FunctionSetAssignments(
        href=environment.uris.of("FunctionSetAssignments", (client.end_device_id, number)),
        mRID=make_mrid(random_below, environment.settings.pen),
        description=short(group.name),
        version=0,
    )
    set_links(assignments, links_of(tx, environment, group))
    row = tx.insert(
        Row(
            number,
            assignments.href or "",
            "FunctionSetAssignments",
            list_id=listed.id,
            sort_key=sort_key(route_named(_LIST), assignments),
            owner_id=listed.owner_id,
            mrid=assignments.mRID,
            body=environment.codec.fragment(assignments),
        )
    )
    tx.put_assignment(Assignment(group.id, client.end_device_id, row.id))
    touch(tx, environment, client.end_device_id, now)


def links_of(reader: Reader, environment: Environment, group: Group) -> dict[str, Link | None]:
    """What the FunctionSetAssignments of a group link to, by attribute: the lists that are there."""
    of = environment.uris.of
    lists = reader.group_lists(group.id)
    links: dict[str, Link | None] = {}
    for f in spec_of(FunctionSetAssignments):
        if f.target is None or not issubclass(f.target, Link):
            continue
        kind = f.name.removesuffix("Link")
        mine = f"Group{kind}"
        href = of(kind) if kind in SERVER_WIDE else of(mine, (group.id,)) if mine in lists else None
        links[f.attr] = None if href is None else f.target(href=href)
    return links


def set_links(value: FunctionSetAssignments, links: Mapping[str, Link | None]) -> None:
    """Let a FunctionSetAssignments have these links."""
    for attr, link in links.items():
        setattr(value, attr, link)


def short(text: str) -> str:
    """A text cut to what String32 holds, at a whole character."""
    return text.encode()[:DESCRIPTION_OCTETS].decode(errors="ignore")
