"""Whose things changed: the change feed as an operator reads it, so that nobody need look at every device."""

from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import ACCESS


def changes(desk: Desk, call: Call) -> Answer:
    """Whose things of which kinds changed behind the place `after`; `next` is what to give for more.

    `complete` is false where that place is forgotten already: anything may have changed, and `next` is now.
    """
    after, limit = call.number("after", 0, 0, 2**62), call.number("limit", 1000, 1, 10_000)
    first, last = desk.reader.first_change(), desk.reader.last_change()
    if first > after + 1 or last < after:
        return {"changed": [], "next": last, "more": False, "complete": False}
    found = desk.reader.changes(after, limit)
    by_id: dict[int | None, set[str]] = {}
    for one in found:
        whose = one.resource_id or None if one.kind == ACCESS else one.owner_id
        by_id.setdefault(whose, set()).add(one.kind)
    kinds: dict[str | None, set[str]] = {}
    for key, held in by_id.items():
        kinds.setdefault(_name(desk, key), set()).update(held)
    return {
        "changed": [{"device": name, "kinds": [*sorted(held)]} for name, held in kinds.items()],
        "next": found[-1].seq if found else after,
        "more": len(found) == limit,
        "complete": True,
    }


def _name(desk: Desk, end_device_id: int | None) -> str | None:
    """The name of a device; None for what is nobody's, and of one that is gone."""
    client = None if end_device_id is None else desk.reader.client_of(end_device_id)
    return None if client is None else client.name
