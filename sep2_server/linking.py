"""Brings the FunctionSetAssignments of a group's members up to date, where the group's lists have changed.

The members are as many as the fleet may be: a part of them is done with the change itself, and the clock task
does the others in short commits, from where it is written that they are; so nobody waits for a large group.
"""

from typing import Final

from schemas import FunctionSetAssignments
from sep2_server.end_devices import touch
from sep2_server.environment import Environment
from sep2_server.membership import links_of, set_links
from sep2_server.rows import Group
from sep2_server.transaction import Transaction
from sep2_server.versions import next_version

AT_ONCE: Final = 100
"""Members that one commit does."""


def link_members(tx: Transaction, environment: Environment, group: Group, now: int, after: int = 0) -> None:
    """Do the members of a group behind an EndDevice, those of one commit; it is written where to go on."""
    links = links_of(tx, environment, group)
    members = tx.assignments_of_group(group.id, after_id=after, limit=AT_ONCE)
    for assignment in members:
        row = tx.by_id(assignment.assignments_id)
        if row is not None:
            value = environment.codec.decode_fragment(row.body, FunctionSetAssignments)
            set_links(value, links)
            value.version = next_version(value.version)
            tx.replace(row, row._replace(body=environment.codec.fragment(value)))
            touch(tx, environment, assignment.end_device_id, now)
    tx.delete_linking(group.id)
    if len(members) == AT_ONCE:
        tx.put_linking(group.id, members[-1].end_device_id)


def link_on(tx: Transaction, environment: Environment, now: int) -> None:
    """Go on with the members of one group that are left; those of one that is gone are forgotten."""
    found = tx.next_linking()
    if found is None:
        return
    group = tx.group(found.group_id)
    if group is None:
        tx.delete_linking(found.group_id)
    else:
        link_members(tx, environment, group, now, found.after_id)
