"""What a write does: for most resources it is stored, for a few there is real behaviour."""

from collections.abc import Callable, Mapping
from typing import Final

from function_sets import Route
from sep2_server import log_events, mirror, registration, responses, subscriptions
from sep2_server.action import Action, add_item, item_scope, keep_links, put_value, require_room
from sep2_server.errors import Forbidden
from sep2_server.messages import NO_CONTENT, Answer, created, updated
from sep2_server.rows import Row
from sep2_server.uris import CONNECTION_POINT

Hook = Callable[[Action], Answer]


def hook_of(method: str, route: Route) -> Hook:
    """What a method does at a resource."""
    return HOOKS.get((method, route.id)) or GENERIC[method]


def post_item(action: Action) -> Answer:
    """Store a new item of a list."""
    list_row = action.list_row()
    scope = item_scope(action.tx, action.target.route, list_row.owner_id)
    require_room(action, list_row, scope, action.environment.settings.items_per_list)
    keep_links(action.value, None)
    return created(add_item(action, list_row, action.value).href)


def put_resource(action: Action) -> Answer:
    """Store a new value of a resource, or its first one where the URI is known and nothing was put yet."""
    _require_own_lfdi(action)
    row = action.target.row
    if row is not None:
        keep_links(action.value, _stored(action, row))
        put_value(action, row, action.value)
    else:
        _add_single(action)
    return NO_CONTENT


def delete_resource(action: Action) -> Answer:
    """Remove a resource."""
    action.tx.delete(action.row)
    return NO_CONTENT


def put_connection_point(action: Action) -> Answer:
    """Store where a device is connected: created the first time, updated from then on. CSIP-AUS S-ALL-53."""
    row = action.target.row
    if row is not None:
        return updated(put_value(action, row, action.value).href)
    return created(_add_single(action).href)


def _require_own_lfdi(action: Action) -> None:
    """Raise Forbidden for a body that names another device than the one it is put for."""
    named = getattr(action.value, "lFDI", None)
    owner_id = action.target.owner_id
    owner = None if owner_id is None else action.tx.client_of(owner_id)
    if named is not None and owner is not None and named.upper() != owner.lfdi:
        raise Forbidden("lFDI is not that of the EndDevice")


def _add_single(action: Action) -> Row:
    target = action.target
    keep_links(action.value, None)
    action.value.href = target.href
    body = action.environment.codec.fragment(action.value)
    row = Row(action.tx.next_id(), target.href, target.route.id, owner_id=target.owner_id, body=body)
    return action.tx.insert(row)


def _stored(action: Action, row: Row) -> object:
    return action.environment.codec.decode_fragment(row.body, action.target.route.type)


GENERIC: Final[Mapping[str, Hook]] = {
    "POST": post_item,
    "PUT": put_resource,
    "DELETE": delete_resource,
}
HOOKS: Final[Mapping[tuple[str, str], Hook]] = {
    ("POST", "EndDeviceList"): registration.post_end_device,
    ("PUT", "EndDevice"): registration.put_end_device,
    ("DELETE", "EndDevice"): registration.delete_end_device,
    ("POST", "ResponseList"): responses.post_response,
    ("POST", "SubscriptionList"): subscriptions.post_subscription,
    ("POST", "LogEventList"): log_events.post_log_event,
    ("POST", "MirrorUsagePointList"): mirror.post_usage_point,
    ("POST", "MirrorUsagePoint"): mirror.post_readings,
    ("PUT", "MirrorUsagePoint"): mirror.put_usage_point,
    ("DELETE", "MirrorUsagePoint"): mirror.delete_usage_point,
    ("PUT", CONNECTION_POINT): put_connection_point,
    ("POST", CONNECTION_POINT): put_connection_point,
}
"""By method and id of the route."""
