"""Operations on flow reservations: what devices ask for, what they are granted. IEEE 2030.5-2018, 10.9."""

from collections.abc import Iterator
from typing import Any, Final

from schemas import (
    ActivePower,
    FlowReservationRequest,
    Json,
    SignedRealEnergy,
    spec_of,
)
from sep2_server.flow_reservations import (
    REQUESTED,
    RESPONSE,
    RESPONSES,
    request_of,
    usual_duration_s,
    usual_interval,
)
from sep2_server.operator.desk import OPEN_STATES, Desk, is_mrid
from sep2_server.operator.errors import BadRequest, Conflict, NotFound
from sep2_server.operator.happenings import publish, told, without_none
from sep2_server.operator.model import natural_value, resource_of
from sep2_server.operator.requests_events import AnswerFlow
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.times import duration_s, start_at
from sep2_server.rows import Row

REQUEST: Final = "FlowReservationRequest"
LIST_THEM: Final = "list them: lineside op flow list"
_BATCH: Final = 200


def list_flows(desk: Desk, call: Call) -> Answer:
    """The requests of all devices, or of one, in the order in which they came, each with what was granted.

    `open` leaves out those that are cancelled or answered; `next` is what to give as `after` for more.
    """
    only = desk.client(call.query["device"]).end_device_id if "device" in call.query else None
    after, limit = call.number("after", 0, 0, 2**62), call.number("limit", 100, 1, 1000)
    is_open = call.flag("open")
    found: list[Json] = []
    following: int | None = None
    for row, answers in _answered(desk, after, only):
        if is_open and answers:
            continue
        shown = _told(desk, row, answers)
        if is_open and shown["status"] != "requested":
            continue
        if len(found) == limit:
            break
        found.append(shown)
        following = row.id
    return {"requests": found, "next": following if len(found) == limit else None}


def answer(desk: Desk, call: Call) -> Answer:
    """Answer a request as it is asked for, or with less energy, power or time; or decline it."""
    asked, row = read(AnswerFlow, call.body or {}), _request(desk, call)
    request = desk.resource(row, FlowReservationRequest)
    if any(event_row.status in OPEN_STATES for event_row in _answers(desk, row)):
        raise Conflict(
            f"{request.mRID}: it is answered already", "cancel that first: lineside op flow cancel MRID"
        )
    energy, power = _granted(request, asked)
    body = without_none(
        {
            "subject": request.mRID,
            "interval": _interval(desk, request, asked),
            "energyAvailable": {"multiplier": energy.multiplier, "value": energy.value},
            "powerAvailable": {"multiplier": power.multiplier, "value": power.value},
            "description": asked.description,
            "responseRequired": asked.response_required,
        }
    )
    given = publish(desk, row, RESPONSES, body)
    return {**_told(desk, row, _answers(desk, row)), "answer": given}


def _answered(desk: Desk, after: int, only: int | None) -> Iterator[tuple[Row, list[Row]]]:
    """Requests behind a row id with the events that answer them; those of a device are read once a batch."""
    for rows in _batches(desk, after, only):
        known: dict[int, dict[str | None, list[Row]]] = {}
        for row in rows:
            owner = row.owner_id or 0
            if owner not in known:
                known[owner] = _by_request(desk, owner)
            yield row, known[owner].get(row.mrid, [])


def _batches(desk: Desk, after: int, only: int | None) -> Iterator[list[Row]]:
    """The requests behind a row id: of all devices a part at a time, of one device at once."""
    if only is not None:
        yield [row for row in desk.reader.owned(only, REQUEST) if row.id > after]
        return
    while page := desk.reader.of_kind(REQUEST, after_id=after, limit=_BATCH):
        yield page
        after = page[-1].id


def _by_request(desk: Desk, owner_id: int) -> dict[str | None, list[Row]]:
    """What a device was granted, what is over too, by the mRID of the request that it answers."""
    found: dict[str | None, list[Row]] = {}
    for row in desk.reader.owned(owner_id, RESPONSE):
        if row.body:
            found.setdefault(request_of(row), []).append(row)
    return found


def _request(desk: Desk, call: Call) -> Row:
    """The request with an mRID; where several devices have used it, that of the one which is named."""
    mrid = call.names["request"]
    rows = desk.all_by_mrid(mrid) if is_mrid(mrid) else []
    only = desk.client(call.query["device"]).end_device_id if "device" in call.query else None
    found = [row for row in rows if row.kind == REQUEST and only in {None, row.owner_id}]
    if not found:
        raise NotFound(f"no request has the mRID {mrid[:40]!r}", LIST_THEM)
    if len(found) > 1:
        names = [client.name for row in found if (client := desk.reader.client_of(row.owner_id or 0))]
        raise BadRequest("device: several devices have used this mRID", f"allowed: {', '.join(names)}")
    return found[0]


def _answers(desk: Desk, request: Row) -> list[Row]:
    """The events that answer a request, those that are over among them."""
    return _by_request(desk, request.owner_id or 0).get(request.mrid, [])


def _granted(request: FlowReservationRequest, asked: AnswerFlow) -> tuple[SignedRealEnergy, ActivePower]:
    """Energy and power of an answer. BadRequest for more than was asked for, or the other way round."""
    if asked.decline:
        if asked.energy is not None or asked.power is not None:
            raise BadRequest("decline: energy or power is granted too", "leave one of them out")
        return SignedRealEnergy(multiplier=0, value=0), ActivePower(multiplier=0, value=0)
    energy, power = request.energyRequested, request.powerRequested
    if asked.energy is not None:
        energy = resource_of(SignedRealEnergy, asked.energy, "energyAvailable")
        _require_within("energyAvailable", energy, request.energyRequested)
    if asked.power is not None:
        power = resource_of(ActivePower, asked.power, "powerAvailable")
        _require_within("powerAvailable", power, request.powerRequested)
    return energy, power


def _require_within(
    name: str, given: SignedRealEnergy | ActivePower, most: SignedRealEnergy | ActivePower
) -> None:
    shift = min(given.multiplier, most.multiplier)
    held = given.value * 10 ** (given.multiplier - shift)
    bound = most.value * 10 ** (most.multiplier - shift)
    if not (0 <= held <= bound or bound <= held <= 0):
        raise BadRequest(f"{name}: it is not within what is asked for", f"allowed: 0 to {bound} x 10^{shift}")


def _interval(desk: Desk, request: FlowReservationRequest, asked: AnswerFlow) -> dict[str, Any]:
    """When the answer holds: inside the time that is asked for. BadRequest outside, Conflict once over."""
    wanted = request.intervalRequested
    end = wanted.start + wanted.duration
    if end <= desk.now:
        raise Conflict(f"{request.mRID}: the time that is asked for ended at {end}", "the device asks anew")
    is_timed = asked.start is not None or asked.within is not None
    usual = usual_interval(request, desk.now)
    start = start_at(asked.start, asked.within, desk.now) if is_timed else usual.start
    usual_s = usual_duration_s(request) if is_timed else usual.duration
    duration = usual_s if asked.duration is None else duration_s(asked.duration, "duration")
    if start < wanted.start or start + duration > end:
        raise BadRequest(
            f"start: {start} and {duration} s are outside the time that is asked for",
            f"allowed: from {wanted.start} to {end}",
        )
    return {"start": start, "duration": duration}


def _told(desk: Desk, row: Row, answers: list[Row]) -> dict[str, Json]:
    """A request as the API tells it, in natural units, with the events that answer it."""
    request = desk.resource(row, FlowReservationRequest)
    client = desk.reader.client_of(row.owner_id or 0)
    fields = {f.name: f for f in spec_of(FlowReservationRequest)}
    is_asked = request.RequestStatus_.requestStatus == REQUESTED
    return {
        "mRID": request.mRID,
        "href": row.href,
        "device": None if client is None else client.name,
        "status": "requested" if is_asked else "cancelled",
        "energy": natural_value(fields["energyRequested"], request.energyRequested),
        "power": natural_value(fields["powerRequested"], request.powerRequested),
        "start": request.intervalRequested.start,
        "duration": request.durationRequested or request.intervalRequested.duration,
        "until": request.intervalRequested.start + request.intervalRequested.duration,
        "answers": [told(desk, one) for one in answers],
    }
