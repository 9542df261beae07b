"""What devices report: DER capability, settings, status, availability; log events; Responses."""

from collections.abc import Mapping, Sequence
from typing import Final

import schemas as s
from schemas import Json, json_of
from sep2_server.operator.desk import Desk
from sep2_server.operator.model import natural_of
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Client, Report

DER_REPORTS: Final[Mapping[str, type]] = {
    "DERCapability": s.DERCapability,
    "DERSettings": s.DERSettings,
    "DERStatus": s.DERStatus,
    "DERAvailability": s.DERAvailability,
}
MEANINGS: Final[Mapping[int, str]] = {
    1: "received",
    2: "started",
    3: "completed",
    4: "user opted out",
    5: "user opted in",
    6: "cancelled",
    7: "superseded",
    8: "partially completed with opt-out",
    9: "partially completed with opt-in",
    10: "completed without participation",
    11: "acknowledged",
    12: "cannot be displayed",
    13: "aborted: alternate server",
    14: "aborted: alternate program",
    252: "rejected: parameter not applicable",
    253: "rejected: invalid",
    254: "rejected: expired on receipt",
}
"""Meaning of Response.status. IEEE 2030.5-2018, 10.2.3."""
MOST_DERS: Final = 255


def der_reports(desk: Desk, client: Client) -> list[Json]:
    """Every DER of a device with the last that it reported, in natural units; null where it has not."""
    found: list[Json] = []
    for der in desk.items(desk.end_device(client), "DERList", MOST_DERS):
        told: dict[str, Json] = {"href": der.href}
        for kind, cls in DER_REPORTS.items():
            row = desk.beside(der, kind)
            told[kind] = None if row is None else natural_of(desk.resource(row, cls))
        found.append(told)
    return found


def log_events(desk: Desk, call: Call) -> Answer:
    """The LogEvents of a device, the newest first."""
    end_device = desk.end_device(desk.client(call.names["device"]))
    rows = desk.items(end_device, "LogEventList", call.number("limit", 100, 1, 1000))
    return {"LogEvent": [json_of(desk.resource(row, s.LogEvent)) for row in rows]}


def responses(desk: Desk, call: Call) -> Answer:
    """A page of the Responses to a control in the order in which they came, all or those of one device."""
    mrid = desk.control_of(desk.control(call.names["control"])).mRID
    limit = call.number("limit", 1000, 1, 10_000)
    after = call.number("after", 0, 0, 2**62)
    if "device" in call.query:
        asker = desk.client(call.query["device"]).end_device_id
        reports = desk.reader.reports_of(asker, mrid, after_id=after, limit=limit)
    else:
        reports = desk.reader.reports(mrid, after_id=after, limit=limit)
    return {"mRID": mrid, **page_told(desk, reports, limit)}


def page_told(desk: Desk, reports: Sequence[Report], limit: int) -> dict[str, Json]:
    """A page of Responses as the API tells it, and what to give as `after` where there may be more."""
    return {
        "responses": [response_told(desk, report) for report in reports],
        "next": reports[-1].response_id if len(reports) == limit else None,
    }


def counts_of(desk: Desk, mrid: str | None) -> dict[str, Json]:
    """How many devices gave which Response to an event, by its status; one may have given several."""
    counts = desk.reader.count_reports(mrid or "")
    return dict(sorted((str(status), amount) for status, amount in counts.items()))


def response_told(desk: Desk, report: Report) -> dict[str, Json]:
    """A Response as the API tells it."""
    client = desk.reader.client_of(report.end_device_id)
    return {
        "id": report.response_id,
        "device": client.name if client else None,
        "endDeviceLFDI": client.lfdi if client else None,
        "status": report.status,
        "meaning": MEANINGS.get(report.status or 0),
        "createdDateTime": report.created,
        "received": report.received,
    }
