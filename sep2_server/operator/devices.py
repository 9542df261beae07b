"""Operations on devices that read: the list, and one device with its groups and reports."""

from schemas import EndDevice, Json, json_of
from sep2_server.operator import network
from sep2_server.operator.desk import Desk
from sep2_server.operator.reports import der_reports
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Client


def list_devices(desk: Desk, call: Call) -> Answer:
    """Devices by name, from the one behind `after` on; `next` is what to give as `after` for more."""
    limit = call.number("limit", 100, 1, 1000)
    clients = desk.reader.clients(after=call.query.get("after", ""), limit=limit)
    last = clients[-1].name if len(clients) == limit else None
    return {"devices": [summary(desk, client) for client in clients], "next": last}


def show_device(desk: Desk, call: Call) -> Answer:
    """One device: identity, groups, its EndDevice, and what its DERs report."""
    client = desk.client(call.names["device"])
    end_device = desk.resource(desk.end_device(client), EndDevice)
    return {
        **summary(desk, client),
        "place": network.place_of(desk, client),
        "EndDevice": json_of(end_device),
        "DER": der_reports(desk, client),
    }


def summary(desk: Desk, client: Client) -> dict[str, Json]:
    """Identity and groups of a device; its PIN is not among them."""
    aggregator = None if client.aggregator_id is None else desk.reader.client_of(client.aggregator_id)
    groups = [desk.reader.group(a.group_id) for a in desk.reader.assignments_of_device(client.end_device_id)]
    return {
        "name": client.name,
        "role": client.role,
        "lFDI": client.lfdi,
        "sFDI": client.sfdi,
        "href": desk.end_device(client).href,
        "aggregator": aggregator.name if aggregator else None,
        "groups": [*sorted(group.name for group in groups if group)],
        "enabled": not desk.reader.is_disabled(client.end_device_id),
        "enrolled": client.enrolled_at,
    }
