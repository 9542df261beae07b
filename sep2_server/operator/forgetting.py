"""Operations that make the server forget what clients sent."""

from typing import Final

from sep2_server.operator.desk import ALL, Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.requests import Forget
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import DELETED, Change, Row, Span
from sep2_server.shown_to import POINT_LISTS
from sep2_server.transaction import READING_SET
from sep2_server.tree import remove_tree
from sep2_server.usage_points import dissociate, is_metered

RESPONSES: Final = ("/rsps/",)


def forget(desk: Desk, call: Call) -> Answer:
    """Forget all readings, Responses or LogEvents of a client; meter data of the utility stays."""
    asked = read(Forget, call.body)
    if not (asked.readings or asked.responses or asked.log_events):
        raise BadRequest("body: nothing to forget", "give readings, responses or logEvents as true")
    client = desk.client(call.names["device"])
    devices = [client.end_device_id]
    if asked.managed:
        devices += desk.reader.managed(client.end_device_id)
    gone = sum(_forget_of(desk, device, asked) for device in devices)
    return {"name": client.name, "devices": len(devices), "forgotten": gone}


def _forget_of(desk: Desk, end_device_id: int, asked: Forget) -> int:
    """Forget what one EndDevice has sent; how many resources that were."""
    tx = desk.transaction
    items = _responses(desk, end_device_id) if asked.responses else []
    items += _log_events(desk, end_device_id) if asked.log_events else []
    tx.delete_items(items)
    if asked.responses:
        tx.delete_reports_of(end_device_id)
    return len(items) + (_forget_readings(desk, end_device_id) if asked.readings else 0)


def _responses(desk: Desk, end_device_id: int) -> list[Row]:
    find = desk.environment.uris.find
    rows = desk.reader.scoped_of(end_device_id)
    return [row for row in rows if (place := find(row.href)) and place.path.startswith(RESPONSES)]


def _log_events(desk: Desk, end_device_id: int) -> list[Row]:
    listed = desk.reader.by_href(desk.environment.uris.of("LogEventList", (end_device_id,)))
    return [] if listed is None else desk.reader.items(listed.id, limit=ALL)


def _forget_readings(desk: Desk, end_device_id: int) -> int:
    """Forget mirrors and the usage points that copy them; how many resources go, be it later."""
    tx, environment = desk.transaction, desk.environment
    before, sets = len(tx.written), 0
    points, mirrors = (_points(desk, kind, end_device_id) for kind in POINT_LISTS)
    for row in mirrors:
        tx.delete(row)
    for row in points:
        if not is_metered(tx, environment, row):
            dissociate(tx, environment, row)
            sets += _sets_below(desk, row)
            remove_tree(tx, environment.uris, row)
    gone = {change.resource_id for change in tx.written[before:] if _is_gone(change)}
    return len(gone) + sets


def _points(desk: Desk, kind: str, end_device_id: int) -> list[Row]:
    listed = desk.reader.by_href(desk.environment.uris.of(kind))
    return [] if listed is None else desk.reader.points_of(end_device_id, listed.id)


def _sets_below(desk: Desk, point: Row) -> int:
    """How many ReadingSets a usage point has."""
    lists = [desk.beside(reading, "ReadingSetList") for reading in desk.items(point, "MeterReadingList")]
    return sum(desk.reader.count(Span(list_id=listed.id)) for listed in lists if listed is not None)


def _is_gone(change: Change) -> bool:
    return change.version == DELETED and change.kind != READING_SET
