"""What an operator does with the meter data of a device: usage points, readings, associations.

IEEE 2030.5-2018, 10.4 (Metering), 10.10 (AssociatedUsagePoint). Readings are a series beside the resources.
"""

from collections.abc import Iterator
from typing import Final

from schemas import Json, Reading, UsagePoint, json_of
from sep2_server.extra_routes import ASSOCIATED, METERED
from sep2_server.location import Target
from sep2_server.operator.desk import ALL, Desk, is_mrid
from sep2_server.operator.errors import BadRequest, Conflict, NotFound
from sep2_server.operator.own_ways import require_utility_data
from sep2_server.operator.planting import changed_value, plan_of
from sep2_server.operator.tree import Plan, insert_item, put_single
from sep2_server.operator.xml_bodies import replacing
from sep2_server.rows import Row, StoredReading
from sep2_server.stored_readings import stored

READING: Final = "Reading"
USAGE_POINT: Final = "UsagePoint"
USAGE_POINTS: Final = "UsagePointList"
WHICH_POINT: Final = "list them: lineside op resource list /upt"


def insert_usage_point(desk: Desk, listed: Row, plan: Plan) -> Row:
    """Store a UsagePoint of the utility for the device that its deviceLFDI names."""
    point = plan.value
    if not isinstance(point, UsagePoint) or point.deviceLFDI is None:
        raise BadRequest("deviceLFDI: missing", "give the LFDI of the device that may read it")
    client = desk.client(point.deviceLFDI)
    point.deviceLFDI = client.lfdi
    row = insert_item(desk, listed._replace(owner_id=client.end_device_id), plan)
    tx, href = desk.transaction, desk.environment.uris.of(METERED, (row.id,))
    tx.insert(Row(tx.next_id(), href, METERED, owner_id=client.end_device_id, body=row.body))
    return row


def listed(desk: Desk, target: Target, skip: int, limit: int) -> Iterator[dict[str, Json]]:
    """The Readings of a ReadingSet, in the order of a ReadingList."""
    for reading in desk.reader.readings(_reading_set(target).id, skip=skip, limit=limit):
        yield _told(desk, reading)


def shown(desk: Desk, target: Target) -> dict[str, Json]:
    """One Reading."""
    return _told(desk, _reading(desk, target))


def add(desk: Desk, target: Target, given: object) -> dict[str, Json]:
    """Add a Reading to a ReadingSet, in the place of one with its localID, block, tier and time."""
    reading_set = _reading_set(target)
    value = plan_of(desk, READING, given, READING).value
    if not isinstance(value, Reading):
        raise BadRequest("body: no Reading", "give the fields of a Reading")
    held = desk.reader.readings(reading_set.id, limit=ALL)
    position = 1 + max((reading.position for reading in held), default=-1)
    new = stored(desk.environment, reading_set.id, position, value, desk.now)
    known = next((r for r in held if (r.sort_key, r.time) == (new.sort_key, new.time)), None)
    position = position if known is None else known.position
    value.href = f"{target.href}/{position}"
    new = stored(desk.environment, reading_set.id, position, value, desk.now)
    desk.transaction.put_readings([*(r for r in held if r.position != position), new], reading_set)
    return _told(desk, new)


def change(desk: Desk, target: Target, body: object) -> dict[str, Json]:
    """Put what is given over one Reading of a ReadingSet. Conflict where that is the place of another."""
    old, reading_set = _reading(desk, target), _reading_set(target)
    value = desk.environment.codec.decode_fragment(old.body, Reading)
    wanted = changed_value(desk, READING, value, replacing(desk, body, READING, value))
    new = stored(desk.environment, reading_set.id, old.position, wanted, desk.now)
    held = [r for r in desk.reader.readings(reading_set.id, limit=ALL) if r.position != old.position]
    if any((r.sort_key, r.time) == (new.sort_key, new.time) for r in held):
        raise Conflict("another Reading of the set has that localID, block, tier and time", "change that one")
    desk.transaction.put_readings([*held, new], reading_set)
    return _told(desk, new)


def remove_reading(desk: Desk, target: Target) -> dict[str, Json]:
    """Remove one Reading of a ReadingSet."""
    gone, reading_set = _reading(desk, target), _reading_set(target)
    require_utility_data(desk, reading_set, READING, "removed")
    held = desk.reader.readings(reading_set.id, limit=ALL)
    desk.transaction.put_readings([r for r in held if r.position != gone.position], reading_set)
    return {"href": target.href}


def associate(desk: Desk, target: Target, given: object) -> Row:
    """Let a DER link to the UsagePoint that meters it, which is named by `href` or `mRID`."""
    point = _named(desk, given, target.owner_id)
    if point.owner_id != target.owner_id:
        raise Conflict(f"{point.href} is not of the device of the DER", WHICH_POINT)
    body = point.body
    if target.row is not None:
        return desk.transaction.replace(target.row, target.row._replace(body=body))
    plan = Plan(value=desk.resource(point, UsagePoint))
    row = put_single(desk, ASSOCIATED, target.place.parts, target.owner_id, plan)
    return desk.transaction.replace(row, row._replace(mrid=None, body=body))


def _named(desk: Desk, given: object, owner_id: int | None) -> Row:
    """The UsagePoint at `href`, or that of a device with `mRID`, which another device may have used too."""
    said = given if isinstance(given, dict) else {}
    href, mrid = said.get("href"), said.get("mRID")
    row = desk.reader.by_href(href) if isinstance(href, str) else None
    if isinstance(mrid, str) and is_mrid(mrid) and href is None:
        row = desk.reader.by_mrid(mrid, kind=USAGE_POINT, owner_id=owner_id)
    if row is None or row.kind != USAGE_POINT:
        raise BadRequest("href: no UsagePoint", f"give href or mRID of one; {WHICH_POINT}")
    return row


def _reading_set(target: Target) -> Row:
    if target.above is None:
        raise NotFound(f"nothing is at {target.href[:120]}", WHICH_POINT)
    return target.above


def _reading(desk: Desk, target: Target) -> StoredReading:
    position = target.place.parts[-1]
    is_number = position.isascii() and position.isdigit() and len(position) < 10
    found = desk.reader.reading(_reading_set(target).id, int(position)) if is_number else None
    if found is None:
        raise NotFound(f"nothing is at {target.href[:120]}", WHICH_POINT)
    return found


def _told(desk: Desk, reading: StoredReading) -> dict[str, Json]:
    value = desk.environment.codec.decode_fragment(reading.body, Reading)
    return {"href": value.href or "", "kind": READING, "resource": json_of(value)}
