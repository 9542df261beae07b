"""Flow reservations: a device asks for energy, an event grants it. IEEE 2030.5-2018, 10.9.

The operator answers a request with a FlowReservationResponse, as it is asked for or with less; zero energy
and power decline it. Where the settings say so the server grants or declines at once. A device that sets
requestStatus to cancelled takes its request back, and with it the event that granted it.
"""

import secrets
from dataclasses import replace
from typing import Final

from function_sets import EventRuleError, cancelled, is_over, make_mrid, sort_key
from schemas import (
    DateTimeInterval,
    EventStatus,
    FlowReservationRequest,
    FlowReservationResponse,
    SignedRealEnergy,
)
from schemas.codes import EventState
from sep2_server.action import Action, add_item, item_scope, put_value, require_room
from sep2_server.bootstrap import response_list_href
from sep2_server.errors import BadRequest
from sep2_server.event_times import (
    event_of,
    refresh_overlapping,
    repair_list,
    siblings_of,
    timed,
    winning_mrid,
)
from sep2_server.messages import NO_CONTENT, Answer, created, updated
from sep2_server.rows import Row, full_mrid
from sep2_server.uris import route_named

REQUESTED: Final = 0
CANCELLED: Final = 1
"""RequestStatus.requestStatus."""
RESPONSE: Final = "FlowReservationResponse"
RESPONSES: Final = "FlowReservationResponseList"


def post_request(action: Action) -> Answer:
    """Store a request, or a new value of the one with its mRID; answer it where the settings say so."""
    posted: FlowReservationRequest = action.value
    list_row = action.list_row()
    known = action.tx.by_mrid(posted.mRID, list_id=list_row.id)
    if known is not None:
        _change(action, known, posted)
        return updated(known.href)
    if posted.RequestStatus_.requestStatus != REQUESTED:
        raise BadRequest(f"requestStatus {posted.RequestStatus_.requestStatus} of a new request")
    most, decision = action.environment.settings.items_per_list, action.environment.settings.flow_reservations
    require_room(action, list_row, item_scope(action, action.target.route, list_row.owner_id), most)
    granted = _current_list(action, list_row.owner_id) if decision != "operator" else None
    if granted is not None:
        require_room(action, granted, item_scope(action, route_named(RESPONSES), granted.owner_id), most)
    row = add_item(action, list_row, posted)
    if decision != "operator":
        _answer(action, row, posted, is_granted=decision == "grant")
    return created(row.href)


def put_request(action: Action) -> Answer:
    """Store a new value of a request: cancelled, or changed as long as nothing has been granted."""
    _change(action, action.row, action.value)
    return NO_CONTENT


def delete_request(action: Action) -> Answer:
    """Remove a request; what was granted for it is cancelled."""
    for row, event in _granted(action, action.row):
        if not is_over(event, action.now):
            _cancel(action, row, event)
    action.tx.delete(action.row)
    return NO_CONTENT


def _change(action: Action, row: Row, wanted: FlowReservationRequest) -> None:
    held: FlowReservationRequest = action.environment.codec.decode_fragment(row.body, FlowReservationRequest)
    if full_mrid(wanted.mRID) != full_mrid(held.mRID):
        raise BadRequest("the mRID of a request is for life")
    granted = _granted(action, row)
    status = wanted.RequestStatus_.requestStatus
    if status not in {REQUESTED, CANCELLED} or held.RequestStatus_.requestStatus == CANCELLED:
        raise BadRequest(f"requestStatus {status} after {held.RequestStatus_.requestStatus}")
    if status == CANCELLED:
        if granted and all(is_over(event, action.now) for _, event in granted):
            raise BadRequest("what was granted is over: there is nothing to cancel")
        for event_row, event in granted:
            if not is_over(event, action.now):
                _cancel(action, event_row, event)
    elif granted and _asked(wanted) != _asked(held):
        raise BadRequest("the request has been answered: cancel it and make another")
    put_value(action, row, wanted)


def usual_duration_s(request: FlowReservationRequest) -> int:
    """How long energy flows where nothing else is said: as is asked for, and within the interval, s."""
    most = request.intervalRequested.duration
    return min(request.durationRequested or most, most)


def _asked(request: FlowReservationRequest) -> object:
    """What a request asks for, without its status and texts."""
    return replace(
        request,
        href=None,
        description=None,
        version=None,
        creationTime=0,
        RequestStatus_=replace(request.RequestStatus_, requestStatus=0, dateTime=0),
    )


def _granted(action: Action, request: Row) -> list[tuple[Row, FlowReservationResponse]]:
    """The events that answer a request as they are now, those that have left their list among them."""
    _current_list(action, request.owner_id)
    found = []
    for row in action.tx.owned(request.owner_id or 0, RESPONSE):
        event = event_of(action.environment, row)
        if isinstance(event, FlowReservationResponse) and _is_same(event.subject, request.mrid):
            found.append((row, event))
    return found


def _current_list(action: Action, owner_id: int | None) -> Row | None:
    """The list of what a device was granted, as it is now; None where there is none yet."""
    listed = action.tx.by_href(action.environment.uris.of(RESPONSES, (owner_id or 0,)))
    if listed is not None:
        repair_list(action.tx, action.environment, listed.id, action.now)
    return listed


def _is_same(subject: str, mrid: str | None) -> bool:
    return mrid is not None and full_mrid(subject) == full_mrid(mrid)


def _cancel(action: Action, row: Row, event: FlowReservationResponse) -> None:
    try:
        event.EventStatus_ = cancelled(event, action.now, reason="the device took its request back")
    except EventRuleError:
        return
    tx, environment = action.tx, action.environment
    new = timed(environment, row, event, siblings_of(tx, environment, row, event), action.now)
    refresh_overlapping(tx, environment, tx.replace(row, new), action.now)


def _answer(action: Action, request_row: Row, request: FlowReservationRequest, *, is_granted: bool) -> None:
    """Store the event that grants all that is asked for, or nothing of it."""
    tx, environment = action.tx, action.environment
    owner = request_row.owner_id or 0
    of, number = environment.uris.of, tx.next_id()
    energy, power = request.energyRequested, request.powerRequested
    event = FlowReservationResponse(
        href=of(RESPONSE, (owner, number)),
        replyTo=response_list_href(tx, environment),
        responseRequired=environment.rules.response_required,
        mRID=make_mrid(secrets.randbelow, environment.settings.pen),
        version=0,
        creationTime=action.now,
        EventStatus_=EventStatus(
            currentStatus=int(EventState.SCHEDULED), dateTime=action.now, potentiallySuperseded=False
        ),
        interval=DateTimeInterval(start=request.intervalRequested.start, duration=usual_duration_s(request)),
        energyAvailable=energy if is_granted else SignedRealEnergy(multiplier=0, value=0),
        powerAvailable=power if is_granted else replace(power, value=0),
        subject=request.mRID,
    )
    href = of(RESPONSES, (owner,))
    listed = tx.by_href(href) or _new_list(action, href, owner)
    event.mRID = winning_mrid(tx, environment, listed.id, event, secrets.randbelow)
    bare = Row(
        number,
        event.href or "",
        RESPONSE,
        list_id=listed.id,
        sort_key=sort_key(route_named(RESPONSES), event),
        owner_id=owner,
        mrid=event.mRID,
    )
    row = tx.insert(timed(environment, bare, event, siblings_of(tx, environment, bare, event), action.now))
    refresh_overlapping(tx, environment, row, action.now)


def _new_list(action: Action, href: str, owner: int) -> Row:
    device = action.tx.by_id(owner)
    if device is not None:
        action.tx.tell(device)
    return action.tx.insert(Row(action.tx.next_id(), href, RESPONSES, owner_id=owner))
