"""Operations that make the server forget what clients sent."""

from typing import Final

from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.requests import Forget
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import Row
from sep2_server.usage_points import dissociate, is_utility_data

READINGS: Final = ("/mup/", "/upt/")
RESPONSES: Final = ("/rsps/",)
LOG_EVENT: Final = "LogEvent"
USAGE_POINT: Final = "UsagePoint"


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
    gone = 0
    for row in reversed(tx.of_owner(end_device_id)):
        if _is_wanted(desk, row, asked):
            if row.kind == USAGE_POINT:
                dissociate(tx, desk.environment, row)
            tx.delete_readings(row.id)
            tx.delete(row)
            gone += 1
    if asked.responses:
        tx.delete_reports_of(end_device_id)
    return gone


def _is_wanted(desk: Desk, row: Row, asked: Forget) -> bool:
    tx, place = desk.transaction, desk.environment.uris.find(row.href)
    path = "" if place is None else place.path
    return (
        (asked.readings and path.startswith(READINGS) and not is_utility_data(tx, desk.environment, row))
        or (asked.responses and path.startswith(RESPONSES))
        or (asked.log_events and row.kind == LOG_EVENT)
    )
