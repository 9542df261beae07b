"""Operations on subscriptions and notifications: who is told, where that may go, what could not be told."""

from collections.abc import Sequence
from typing import Final

from schemas import Json
from schemas.codes import NotificationStatus
from sep2_server.errors import RemoteError
from sep2_server.notifications.ending import end
from sep2_server.notifications.entries import DeadLetter, Subscribed
from sep2_server.notifications.hosts import PlaceError, place_of
from sep2_server.notifications.rules import split
from sep2_server.operator import requests as r
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Conflict, NotFound
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.rows import EVERYBODY

MOST: Final = 1000


def subscriptions(desk: Desk, call: Call) -> Answer:
    """Subscriptions with what waits to be told to each, those of one device or of all."""
    client_id, after, limit = _page(desk, call)
    found = desk.reader.ledger.subscriptions(client_id=client_id, after=after, limit=limit)
    return {"subscriptions": [_subscription(desk, one) for one in found], "next": _next(found, limit)}


def cancel(desk: Desk, call: Call) -> Answer:
    """End a subscription; its client is told status 1, 2 (with `newResourceURI`) or 3."""
    asked = read(r.CancelSubscription, {} if call.body is None else call.body)
    found = desk.reader.ledger.subscription(_number(call, "subscription"))
    if found is None or found.status:
        raise NotFound("no such subscription", "list them: lineside op notify subscriptions")
    is_move = asked.status == NotificationStatus.MOVED
    if is_move is not (asked.new_resource_uri is not None):
        raise BadRequest("newResourceURI: goes with status 2, and with no other", "give both or neither")
    if asked.new_resource_uri is not None:
        _require_absolute(asked.new_resource_uri)
    end(desk.transaction, found, asked.status, 1000 * desk.now, asked.new_resource_uri)
    return _subscription(desk, found._replace(status=asked.status))


def dead_letters(desk: Desk, call: Call) -> Answer:
    """Notifications that were given up, the oldest first, and how many are no longer kept."""
    client_id, after, limit = _page(desk, call)
    found = desk.reader.ledger.dead_letters(client_id=client_id, after=after, limit=limit)
    dropped = desk.reader.ledger.count_dropped(client_id or EVERYBODY)
    letters: list[Json] = [_letter(desk, one) for one in found]
    return {"deadLetters": letters, "next": _next(found, limit), "dropped": dropped}


def dead_letter(desk: Desk, call: Call) -> Answer:
    """One notification that was given up."""
    return _letter(desk, _dead(desk, call))


def retry(desk: Desk, call: Call) -> Answer:
    """Tell the client again, as the resource is now; the dead letter is gone."""
    letter = _dead(desk, call)
    ledger = desk.transaction.ledger
    if ledger.subscription(letter.subscription_id) is None:
        raise Conflict("the subscription is over", "drop the dead letter: lineside op notify drop")
    ledger.drop_dead(letter.id)
    ledger.owe_at_once(letter.subscription_id, 1000 * desk.now)
    return _letter(desk, letter)


def drop(desk: Desk, call: Call) -> Answer:
    """Forget a dead letter."""
    letter = _dead(desk, call)
    desk.transaction.ledger.drop_dead(letter.id)
    return _letter(desk, letter)


def hosts(desk: Desk, call: Call) -> Answer:
    """Where notifications of a device may go: by the settings for all, and by the operator for this one."""
    return _hosts(desk, call)


def allow(desk: Desk, call: Call) -> Answer:
    """Let notifications of a device go to a host, an address or a network, at one port or any."""
    asked = read(r.AllowHost, call.body)
    client = desk.client(call.names["device"])
    desk.transaction.ledger.allow(client.end_device_id, _place(asked.host))
    return _hosts(desk, call)


def disallow(desk: Desk, call: Call) -> Answer:
    """No longer let notifications of a device go somewhere; what waits for it fails from now on."""
    asked = read(r.AllowHost, call.body)
    client = desk.client(call.names["device"])
    if not desk.transaction.ledger.disallow(client.end_device_id, _place(asked.host)):
        raise NotFound(f"{asked.host[:80]} is not allowed for {client.name}", "lineside op notify hosts")
    return _hosts(desk, call)


def _hosts(desk: Desk, call: Call) -> Answer:
    client = desk.client(call.names["device"])
    return {
        "name": client.name,
        "forAll": list(desk.environment.settings.notification_hosts),
        "hosts": list(desk.reader.ledger.places(client.end_device_id)),
    }


def _place(text: str) -> str:
    try:
        return str(place_of(text))
    except PlaceError as flaw:
        raise BadRequest(
            f"host: {flaw}", "allowed: HOST, HOST:PORT, an address, or a network as 10.1.0.0/16"
        ) from flaw


def _require_absolute(uri: str) -> None:
    """Raise BadRequest for a newResourceURI that is relative or none. IEEE 2030.5-2018, 3 and 14."""
    hint = "give scheme and host too, as in https://host:port/derp/1"
    try:
        parts = split(uri, "newResourceURI")
    except RemoteError as flaw:
        raise BadRequest(str(flaw), hint) from flaw
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise BadRequest(f"newResourceURI: {uri[:80]!r} is not absolute", hint)


def _page(desk: Desk, call: Call) -> tuple[int | None, int, int]:
    name = call.query.get("device")
    client_id = None if name is None else desk.client(name).end_device_id
    return client_id, call.number("after", 0, 0, 2**62), call.number("limit", 100, 1, MOST)


def _next(found: Sequence[Subscribed | DeadLetter], limit: int) -> int | None:
    return found[-1].id if len(found) == limit else None


def _number(call: Call, name: str) -> int:
    text = call.names[name]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound(f"no {name} is called {text[:40]!r}", "they have numbers: lineside op notify list")
    return int(text)


def _dead(desk: Desk, call: Call) -> DeadLetter:
    letter = desk.reader.ledger.dead_letter(_number(call, "letter"))
    if letter is None:
        raise NotFound("no such dead letter", "list them: lineside op notify list")
    return letter


def _name(desk: Desk, client_id: int) -> str | None:
    client = desk.reader.client_of(client_id)
    return None if client is None else client.name


def _subscription(desk: Desk, subscribed: Subscribed) -> dict[str, Json]:
    owed = desk.reader.ledger.owed(subscribed.id)
    return {
        "id": subscribed.id,
        "device": _name(desk, subscribed.client_id),
        "subscribedResource": subscribed.resource,
        "notificationURI": subscribed.notification_uri,
        "limit": subscribed.most,
        "renewed": subscribed.renewed_at,
        "status": subscribed.status,
        "attempts": 0 if owed is None else owed.attempts,
        "due": None if owed is None else owed.due // 1000,
        "error": None if owed is None else owed.error,
    }


def _letter(desk: Desk, letter: DeadLetter) -> dict[str, Json]:
    return {
        "id": letter.id,
        "device": _name(desk, letter.client_id),
        "subscription": letter.subscription_id,
        "subscribedResource": letter.resource,
        "notificationURI": letter.notification_uri,
        "status": letter.status,
        "attempts": letter.attempts,
        "error": letter.error,
        "first": letter.first_at,
        "givenUp": letter.given_up_at,
    }
