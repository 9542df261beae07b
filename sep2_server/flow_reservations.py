"""Flow reservations: a device asks for energy, an event grants it. IEEE 2030.5-2018, 10.9.

The operator answers a request with a FlowReservationResponse, as it is asked for or with less; zero energy
and power decline it. Where the settings say so the server grants or declines at once. A device that sets
requestStatus to cancelled takes its request back, and with it the event that granted it.
"""

import re
import secrets
from dataclasses import replace
from typing import Final

from function_sets import EventRuleError, cancelled, make_mrid, sort_key
from schemas import (
    DateTimeInterval,
    EventStatus,
    FlowReservationRequest,
    FlowReservationResponse,
    SignedRealEnergy,
)
from schemas.codes import EventState
from sep2_server.action import (
    SLACK_SHARE,
    Action,
    add_item,
    item_scope,
    put_value,
    require_room,
    updated_by_post,
)
from sep2_server.bootstrap import NO_RESPONSE, reply_to
from sep2_server.errors import BadRequest
from sep2_server.event_times import (
    refresh_overlapping,
    repair_list,
    siblings_of,
    timed,
    winning_mrid,
)
from sep2_server.messages import NO_CONTENT, Answer, created
from sep2_server.rows import ANSWERED, LATEST, Row, Span, full_mrid
from sep2_server.uris import route_named

REQUESTED: Final = 0
CANCELLED: Final = 1
"""RequestStatus.requestStatus."""
LOOKED_AT: Final = 20
"""First requests of a full list that are looked at for one whose time is over."""
RESPONSE: Final = "FlowReservationResponse"
RESPONSES: Final = "FlowReservationResponseList"
FORGOTTEN_AT_ONCE: Final = 200
"""So many answers that are over are forgotten by one request at most."""
_SUBJECT: Final = re.compile(rb"<subject>([^<]*)</subject>")


def post_request(action: Action) -> Answer:
    """Store a request, or a new value of the one with its mRID; answer it where the settings say so."""
    posted: FlowReservationRequest = action.value
    list_row = action.list_row()
    known = action.tx.by_mrid(posted.mRID, list_id=list_row.id)
    if known is not None:
        _change(action, known, posted)
        return updated_by_post(action, known)
    if posted.RequestStatus_.requestStatus != REQUESTED:
        raise BadRequest(f"requestStatus {posted.RequestStatus_.requestStatus} of a new request")
    _require_time(action, posted)
    _forget_over(action, list_row)
    most = action.environment.settings.items_per_list
    require_room(action, list_row, item_scope(action, action.target.route, list_row.owner_id), most)
    _require_room_for_answer(action, list_row.owner_id)
    row = add_item(action, list_row, posted)
    _answer_at_once(action, row, posted)
    return created(row.href)


def put_request(action: Action) -> Answer:
    """Store a new value of a request: cancelled, or changed as long as nothing has been granted."""
    _change(action, action.row, action.value)
    return NO_CONTENT


def delete_request(action: Action) -> Answer:
    """Remove a request; what was granted for it is cancelled."""
    for row, event in _going_on(action, action.row):
        _cancel(action, row, event)
    action.tx.delete(action.row)
    return NO_CONTENT


def _forget_over(action: Action, list_row: Row) -> None:
    """Where the list is full, let the first request go whose time is over: no client has to remove it."""
    most = action.environment.settings.items_per_list
    span = Span(list_id=list_row.id, scope=item_scope(action, action.target.route, list_row.owner_id))
    if action.tx.count(span) < most:
        return
    codec = action.environment.codec
    going_on: set[str | None] | None = None
    for row in action.tx.page(span, limit=LOOKED_AT):
        wanted = codec.decode_fragment(row.body, FlowReservationRequest).intervalRequested
        if wanted.start + wanted.duration > action.now:
            continue
        if going_on is None:
            going_on = {request_of(answer) for answer in _not_over(action, list_row.owner_id)}
        if row.mrid not in going_on:
            action.tx.delete(row)
            return


def _going_on(action: Action, request: Row) -> list[tuple[Row, FlowReservationResponse]]:
    """What was granted for a request and is not over."""
    rows = [row for row in _not_over(action, request.owner_id) if request_of(row) == request.mrid]
    decode = action.environment.codec.decode_fragment
    return [(row, decode(row.body, FlowReservationResponse)) for row in rows]


def _not_over(action: Action, owner_id: int | None) -> list[Row]:
    """The events that a device was granted and that are not over, whatever it was granted before."""
    listed = _current_list(action, owner_id)
    return [] if listed is None else action.tx.overlapping(listed.id, action.now, LATEST)


def _was_answered(action: Action, request: Row) -> bool:
    """Whether a request has an answer, be it over and have it left its list."""
    return any(request_of(row) == request.mrid for row in action.tx.owned(request.owner_id or 0, RESPONSE))


def request_of(answer: Row) -> str | None:
    """The mRID of the request that an event answers, as the store has it; None for one without content."""
    found = _SUBJECT.search(answer.body)
    return None if found is None else full_mrid(found[1].decode())


def _change(action: Action, row: Row, wanted: FlowReservationRequest) -> None:
    held: FlowReservationRequest = action.environment.codec.decode_fragment(row.body, FlowReservationRequest)
    if full_mrid(wanted.mRID) != full_mrid(held.mRID):
        raise BadRequest("the mRID of a request is for life")
    status, before = wanted.RequestStatus_.requestStatus, held.RequestStatus_.requestStatus
    is_changed = _asked(wanted) != _asked(held)
    if status == before == CANCELLED and not is_changed:
        return
    if status not in {REQUESTED, CANCELLED} or before == CANCELLED:
        raise BadRequest(f"requestStatus {status} after {before}")
    if status == CANCELLED:
        _take_back(action, row)
    elif is_changed:
        if _was_answered(action, row):
            raise BadRequest("the request has been answered: cancel it and make another")
        _require_time(action, wanted)
        _require_room_for_answer(action, row.owner_id)
    put_value(action, row, wanted)
    if is_changed and status == REQUESTED:
        _answer_at_once(action, row, wanted)


def _take_back(action: Action, request: Row) -> None:
    """Cancel what was granted as far as it is not over; BadRequest where all of it is."""
    going_on = _going_on(action, request)
    if not going_on and _was_answered(action, request):
        raise BadRequest("what was granted is over: there is nothing to cancel")
    for row, event in going_on:
        _cancel(action, row, event)


def _require_time(action: Action, request: FlowReservationRequest) -> None:
    """Raise BadRequest for an interval in which nothing can be granted any more, or that has no end."""
    wanted = request.intervalRequested
    end = wanted.start + wanted.duration
    if end <= max(wanted.start, action.now):
        raise BadRequest(f"intervalRequested ends at {end}: ask for a time that ends after {action.now}")
    if end > LATEST:
        raise BadRequest(f"intervalRequested ends at {end}: ask for one that ends by {LATEST}")


def usual_interval(request: FlowReservationRequest, now: int) -> DateTimeInterval:
    """When energy flows where nothing else is said: from the begin of an interval on that is not over.

    What is asked for late still gets its whole duration, as far as that interval has it.
    """
    wanted = request.intervalRequested
    start = max(wanted.start, now)
    left_s = wanted.start + wanted.duration - start
    return DateTimeInterval(start=start, duration=min(usual_duration_s(request), left_s))


def usual_duration_s(request: FlowReservationRequest) -> int:
    """How long energy flows where nothing else is said: as is asked for, and within the interval, s."""
    most = request.intervalRequested.duration
    return min(request.durationRequested or most, most)


def _asked(request: FlowReservationRequest) -> object:
    """What a request asks for, without its status and texts."""
    return replace(
        request,
        href=None,
        mRID="",
        description=None,
        version=None,
        creationTime=0,
        RequestStatus_=replace(request.RequestStatus_, requestStatus=0, dateTime=0),
    )


def _current_list(action: Action, owner_id: int | None) -> Row | None:
    """The list of what a device was granted, as it is now; None where there is none yet."""
    listed = action.tx.by_href(action.environment.uris.of(RESPONSES, (owner_id or 0,)))
    if listed is not None:
        repair_list(action.tx, action.environment, listed.id, action.now)
    return listed


def _cancel(action: Action, row: Row, event: FlowReservationResponse) -> None:
    try:
        event.EventStatus_ = cancelled(event, action.now, reason="the device took its request back")
    except EventRuleError:
        return
    tx, environment = action.tx, action.environment
    new = timed(environment, row, event, siblings_of(tx, environment, row, event), action.now)
    refresh_overlapping(tx, environment, tx.replace(row, new), action.now)


def _require_room_for_answer(action: Action, owner_id: int | None) -> None:
    """Raise LimitReached where the server is to answer at once and the device has answers enough."""
    settings = action.environment.settings
    if settings.flow_reservations != "operator":
        listed = _current_list(action, owner_id)
        if listed is not None:
            scope = item_scope(action, route_named(RESPONSES), listed.owner_id)
            require_room(action, listed, scope, settings.items_per_list)


def _answer_at_once(action: Action, row: Row, request: FlowReservationRequest) -> None:
    """Grant or decline what is asked for, where the settings say so."""
    decision = action.environment.settings.flow_reservations
    if decision != "operator":
        answer = _answer(action, row, request, is_granted=decision == "grant")
        _keep_newest_answers(action, answer)


def _keep_newest_answers(action: Action, answer: Row) -> None:
    """Forget answers of a device that have left its list, so that it keeps as many as it may have in one.

    To find them takes a walk over those that stay: a twentieth more may be given before that.
    """
    most, place = action.environment.settings.items_per_list, (answer.list_id or 0, ANSWERED)

    def trim(amount: int) -> None:
        action.tx.unit.move(*place, -amount)
        for row in action.tx.left(answer.owner_id or 0, RESPONSE, skip=most, limit=FORGOTTEN_AT_ONCE):
            action.tx.delete(row)

    action.tx.keep_at_most(*place, most // SLACK_SHARE, trim)
    action.tx.unit.move(*place, 1)


def _answer(action: Action, request_row: Row, request: FlowReservationRequest, *, is_granted: bool) -> Row:
    """Store the event that grants all that is asked for, or nothing of it."""
    tx, environment = action.tx, action.environment
    owner = request_row.owner_id or 0
    of, number = environment.uris.of, tx.next_id()
    energy, power = request.energyRequested, request.powerRequested
    replied_at = reply_to(tx, environment)
    event = FlowReservationResponse(
        href=of(RESPONSE, (owner, number)),
        replyTo=replied_at,
        responseRequired=environment.rules.response_required if replied_at else NO_RESPONSE,
        mRID=make_mrid(secrets.randbelow, environment.settings.pen),
        version=0,
        creationTime=action.now,
        EventStatus_=EventStatus(
            currentStatus=int(EventState.SCHEDULED), dateTime=action.now, potentiallySuperseded=False
        ),
        interval=usual_interval(request, action.now),
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
    return row


def _new_list(action: Action, href: str, owner: int) -> Row:
    device = action.tx.by_id(owner)
    if device is not None:
        action.tx.tell(device)
    return action.tx.insert(Row(action.tx.next_id(), href, RESPONSES, owner_id=owner))
