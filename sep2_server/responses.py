"""Responses of devices to events. IEEE 2030.5-2018, 10.2.3; CSIP-AUS S-ALL-57."""

from collections.abc import Iterator
from typing import Final

from schemas import (
    DERControlResponse,
    DrResponse,
    FlowReservationResponseResponse,
    PriceResponse,
    Response,
    TextResponse,
)
from sep2_server.access import speaks_for
from sep2_server.action import Action, add_item, keep_newest
from sep2_server.environment import Environment
from sep2_server.errors import BadRequest
from sep2_server.messages import Answer, created
from sep2_server.rows import Report, Row, full_mrid
from sep2_server.unit import Unit
from sep2_server.want import Want

STATUSES: Final = frozenset({*range(1, 11), 13, 14, 252, 253, 254})
"""Response codes that any event may cause."""
ACKNOWLEDGED: Final = 11
CANNOT_BE_DISPLAYED: Final = 12
STATUSES_OF: Final = {
    "TextMessage": frozenset({1, 2, 3, 6, ACKNOWLEDGED, CANNOT_BE_DISPLAYED, 252, 253, 254}),
    "TimeTariffInterval": STATUSES | {ACKNOWLEDGED},
}
"""Codes of the events that people read: they are acknowledged; a message is never superseded."""
BODY_OF: Final = {
    "DERControl": DERControlResponse,
    "EndDeviceControl": DrResponse,
    "TimeTariffInterval": PriceResponse,
    "TextMessage": TextResponse,
    "FlowReservationResponse": FlowReservationResponseResponse,
}
"""The kind of Response to each kind of event; a plain Response will do for all."""
LOST: Final = frozenset({7, 14})
"""Codes for an event that lost against another; `superseded_responses` says which are taken."""


def post_response(action: Action) -> Answer:
    """Keep the Response of a device to an event that it could see.

    BadRequest for a status that is none, an unknown event, or a device that the client does not speak for.
    """
    posted = action.value
    device = action.client(posted.endDeviceLFDI.upper())
    if device is None or not speaks_for(action.tx, action.viewer, device.end_device_id):
        raise BadRequest("endDeviceLFDI is not one that the client speaks for")
    _require_fit(action, _known_event(action, posted.subject, device.end_device_id))
    posted.endDeviceLFDI = device.lfdi
    list_row = action.list_row()
    row = add_item(action, list_row, posted, owner_id=device.end_device_id)
    action.tx.put_report(
        Report(
            row.id,
            full_mrid(posted.subject),
            device.end_device_id,
            posted.status,
            posted.createdDateTime,
            action.now,
        )
    )
    keep_newest(action, list_row, row.scope, action.environment.settings.responses_kept)
    return created(row.href)


def wanted(environment: Environment, row: Row, posted: object, unit: Unit) -> Iterator[Want]:
    """What a Response will ask the store for: its event."""
    del environment, row, unit
    if isinstance(posted, Response) and posted.subject:
        yield Want(mrids=(posted.subject,))


def _known_event(action: Action, subject: str, end_device_id: int) -> Row:
    """The event with an mRID. BadRequest where none is, or was lately, there for the device.

    A device that has answered an event may go on to do so after it has lost the program.
    """
    events = [row for row in action.tx.all_by_mrid(subject) if row.starts is not None]
    theirs = {None, end_device_id, *action.programs_of(end_device_id)}
    known = [row for row in events if row.owner_id in theirs]
    if not known and action.tx.has_reported(end_device_id, subject):
        known = events
    if not known:
        raise BadRequest(f"no event with mRID {subject}")
    return known[0]


def _require_fit(action: Action, event: Row) -> None:
    """Raise BadRequest for a Response whose type or status does not go with the kind of the event."""
    posted = action.value
    body, expected = type(posted), BODY_OF.get(event.kind)
    if body is not Response and body is not expected:
        raise BadRequest(f"a {body.__name__} to a {event.kind}")
    lost = action.environment.rules.superseded_responses
    allowed = STATUSES_OF.get(event.kind, STATUSES)
    if posted.status not in allowed or (posted.status in LOST and posted.status not in lost):
        raise BadRequest(f"status {posted.status} is no response code of a {event.kind}")
