"""What clients do to subscriptions: POST, PUT and DELETE. IEEE 2030.5-2018, 14; CSIP-AUS S-ALL-26."""

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sep2_server.action import Action, add_item, put_value
from sep2_server.errors import BadRequest, Forbidden, LimitReached, NotFound
from sep2_server.location import Target, locate
from sep2_server.messages import NO_CONTENT, Answer, created, updated
from sep2_server.notifications import rules
from sep2_server.notifications.ending import drop
from sep2_server.notifications.entries import CONSUMER, Subscribed
from sep2_server.notifications.hosts import place_of, refusal_of_host
from sep2_server.notifications.subscribable import subscribable
from sep2_server.notifications.watching import first_sight, watches_of
from sep2_server.rows import Client, Row
from sep2_server.uris import normal
from sep2_server.visibility import require_visible

if TYPE_CHECKING:
    from schemas import Subscription

_AUTHORITY: Final = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_PORTS: Final = {"https": 443, "http": 80}


def post_subscription(action: Action) -> Answer:
    """Subscribe; the same resource and notificationURI again renews the subscription that there is."""
    target = _checked(action)
    list_row = action.list_row()
    known = action.tx.ledger.same(list_row.id, target.href, action.value.notificationURI)
    if known is not None:
        row = _row_of(action, known)
        put_value(action, row, action.value)
        _remember(action, row, target, list_row.id, known)
        return Answer(action.environment.rules.repeated_subscription_status, updated(row.href).headers)
    if action.tx.ledger.count_of(_client(action).end_device_id) >= _most(action):
        raise LimitReached(f"{_most(action)} subscriptions of one client")
    row = add_item(action, list_row, action.value)
    _remember(action, row, target, list_row.id)
    return created(row.href)


def put_subscription(action: Action) -> Answer:
    """Change or renew a subscription. BadRequest where it would become another that there is."""
    target = _checked(action)
    row, ledger = action.row, action.tx.ledger
    if row.list_id is None:
        raise NotFound(row.href)
    same = ledger.same(row.list_id, target.href, action.value.notificationURI)
    if same is not None and same.id != row.id:
        raise BadRequest(f"{same.uri} is to the same resource with the same notificationURI")
    put_value(action, row, action.value)
    _remember(action, row, target, row.list_id, ledger.subscription(row.id))
    return NO_CONTENT


def delete_subscription(action: Action) -> Answer:
    """Unsubscribe; what was still owed is forgotten."""
    drop(action.tx, action.row.id)
    return NO_CONTENT


def _checked(action: Action) -> Target:
    """What a sound subscription is to. RemoteError where a rule is broken, NotFound for what is hidden."""
    asked: Subscription = action.value
    _require_place(action, asked.notificationURI)
    asked.subscribedResource = rules.without_query(asked.subscribedResource)
    path = normal(rules.local_path(asked.subscribedResource, _authorities(action)))
    if action.environment.mount.prefix:
        asked.subscribedResource = path
    target = locate(action.tx, action.environment.uris, path)
    if target is None:
        raise NotFound(path)
    require_visible(action.tx, action.environment, action.viewer, target)
    rules.require_sound(asked, subscribable(target.route.id), action.environment.codecs.encodings)
    if not target.is_stored:
        raise NotFound(path)
    return target


def _require_place(action: Action, uri: str) -> None:
    """Raise BadRequest for a URI that cannot be posted to, Forbidden for one that is not allowed."""
    settings = action.environment.settings
    parts = rules.require_notification_uri(uri, allow_http=settings.notification_http)
    allowed = (*settings.notification_hosts, *action.tx.ledger.places(_client(action).end_device_id))
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    refusal = refusal_of_host(map(place_of, allowed), parts.hostname or "", port)
    if refusal is not None:
        raise Forbidden(refusal)


def _remember(
    action: Action, row: Row, target: Target, list_id: int, known: Subscribed | None = None
) -> None:
    """Keep what the matcher and the notifiers need of a subscription; `known` is what it was before.

    One that is renewed keeps its place: what changed before and was not looked at yet is told.
    """
    asked: Subscription = action.value
    tx, environment, viewer = action.tx, action.environment, action.viewer
    condition = asked.Condition_
    window = None if condition is None else (condition.lowerThreshold, condition.upperThreshold)
    if target.route.is_list and target.row is None:
        target = locate(tx, environment.uris, target.href) or target
    is_renewed = known is not None and known.path == target.href
    since = tx.ledger.since(row.id) if is_renewed else None
    watches = watches_of(tx, environment, viewer, target, row.id, since)
    is_same_window = known is not None and window == (None if known.low is None else (known.low, known.high))
    subscribed = Subscribed(
        id=row.id,
        list_id=list_id,
        client_id=_client(action).end_device_id,
        owner_id=row.owner_id or _client(action).end_device_id,
        uri=_base(action) + environment.mount.href(row.href),
        resource=environment.mount.href(asked.subscribedResource),
        path=target.href,
        notification_uri=asked.notificationURI,
        most=asked.limit,
        level=asked.level,
        encoding=asked.encoding,
        low=window[0] if window else None,
        high=window[1] if window else None,
        seen=known.seen
        if known is not None and is_renewed and is_same_window
        else first_sight(tx, environment, viewer, target, window),
        renewed_at=action.now,
        mount=environment.mount.prefix,
    )
    tx.ledger.put(subscribed, watches)
    if CONSUMER not in tx.consumers():
        tx.put_consumer(CONSUMER, tx.last_change())


def _client(action: Action) -> Client:
    if action.viewer.client is None:
        raise Forbidden("the client is not enrolled")
    return action.viewer.client


def _most(action: Action) -> int:
    return action.environment.settings.subscriptions_per_client


def _row_of(action: Action, subscribed: Subscribed) -> Row:
    row = action.tx.by_id(subscribed.id)
    if row is None:
        raise BadRequest(f"{subscribed.uri} is gone")
    return row


def _base(action: Action) -> str:
    """What makes a URI of this server absolute: as set, or as the client wrote it."""
    settings = action.environment.settings
    if settings.public_url:
        return settings.public_url.rstrip("/")
    is_plain = _AUTHORITY.fullmatch(action.authority)
    return f"https://{action.authority if is_plain else f'{settings.host}:{settings.port}'}"


def _authorities(action: Action) -> frozenset[str]:
    """Host and port by which this server is meant."""
    public = urlsplit(action.environment.settings.public_url).netloc
    return frozenset(one.lower() for one in (public, action.authority) if one)
