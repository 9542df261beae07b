"""Responses of devices to events. IEEE 2030.5-2018, 10.2.3; CSIP-AUS S-ALL-57."""

from typing import Final

from sep2_server.access import speaks_for
from sep2_server.action import Action, add_item, keep_newest
from sep2_server.errors import BadRequest
from sep2_server.messages import Answer, created
from sep2_server.rows import Report, full_mrid

STATUSES: Final = frozenset({*range(1, 15), 252, 253, 254})
"""Response codes of the standard."""
LOST: Final = frozenset({7, 14})
"""Codes for an event that lost against another; `superseded_responses` says which are taken."""


def post_response(action: Action) -> Answer:
    """Keep the Response of a device to an event that it could see.

    BadRequest for a status that is none, an unknown event, or a device that the client does not speak for.
    """
    posted = action.value
    lost = action.environment.rules.superseded_responses
    if posted.status not in STATUSES or (posted.status in LOST and posted.status not in lost):
        raise BadRequest(f"status {posted.status} is no response code")
    device = action.tx.client(posted.endDeviceLFDI.upper())
    if device is None or not speaks_for(action.tx, action.viewer, device.end_device_id):
        raise BadRequest("endDeviceLFDI is not one that the client speaks for")
    _require_known_event(action, posted.subject, device.end_device_id)
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


def _require_known_event(action: Action, subject: str, end_device_id: int) -> None:
    """Raise BadRequest where no event with this mRID is, or was lately, there for the device."""
    owners = {row.owner_id for row in action.tx.all_by_mrid(subject) if row.starts is not None}
    theirs = {None, end_device_id, *action.tx.programs_of_device(end_device_id)}
    if owners.isdisjoint(theirs):
        raise BadRequest(f"no event with mRID {subject}")
