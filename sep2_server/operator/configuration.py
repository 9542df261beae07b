"""Operations on the Configuration of a device: what the operator wants against what the device reports."""

from typing import Any

from schemas import Configuration, Json, json_of
from sep2_server import configurations
from sep2_server.extra_routes import REPORTED_CONFIGURATION
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.model import resource_of
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Client, Row

FIELDS = ("currentLocale", "PowerConfiguration", "TimeConfiguration", "userDeviceName")


def show(desk: Desk, call: Call) -> Answer:
    """What the operator wants and what the device reports; `wanted` is null where it follows."""
    return _told(desk, desk.client(call.names["device"]))


def change(desk: Desk, call: Call) -> Answer:
    """Want something of a device: what the body leaves out stays as it is."""
    client = desk.client(call.names["device"])
    body = call.body
    if not isinstance(body, dict) or not body:
        raise BadRequest("body: not an object with values", f"allowed: {', '.join(FIELDS)}")
    for key in body:
        if key not in FIELDS:
            raise BadRequest(f"{key}: is not the operator's to set", f"allowed: {', '.join(FIELDS)}")
    row = _row(desk, client, configurations.KIND)
    held: dict[str, Any] = {} if row is None else json_of(desk.resource(row, Configuration))
    given = {key: value for key, value in {**held, **body}.items() if key in FIELDS}
    wanted = resource_of(Configuration, given, "Configuration")
    configurations.want(desk.transaction, desk.environment, client.end_device_id, wanted)
    return _told(desk, client)


def withdraw(desk: Desk, call: Call) -> Answer:
    """Want nothing any more: what the device reported last is shown again."""
    client = desk.client(call.names["device"])
    done = configurations.withdraw(desk.transaction, desk.environment, client.end_device_id)
    return {**_told(desk, client), "withdrawn": done}


def _told(desk: Desk, client: Client) -> Answer:
    shown = _row(desk, client, configurations.KIND)
    reported = _row(desk, client, REPORTED_CONFIGURATION)
    pending = reported is not None
    return {
        "name": client.name,
        "wanted": _fields(desk, shown) if pending else None,
        "reported": _fields(desk, reported if pending else shown),
    }


def _fields(desk: Desk, row: Row | None) -> dict[str, Json] | None:
    if row is None or not row.body:
        return None
    held = json_of(desk.resource(row, Configuration))
    return {name: held[name] for name in FIELDS if name in held}


def _row(desk: Desk, client: Client, kind: str) -> Row | None:
    return desk.reader.by_href(desk.environment.uris.of(kind, (client.end_device_id,)))
