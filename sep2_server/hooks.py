"""What a write does: for most resources it is stored, for a few there is real behaviour."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from function_sets import Route
from sep2_server import (
    configurations,
    device_status,
    flow_reservations,
    log_events,
    mirror,
    registration,
    responses,
)
from sep2_server.action import Action
from sep2_server.environment import Environment
from sep2_server.extra_routes import CONNECTION_POINT
from sep2_server.messages import Answer
from sep2_server.notifications import subscribing
from sep2_server.rows import Row
from sep2_server.unit import Unit
from sep2_server.want import Want
from sep2_server.writes import delete_resource, post_item, put_connection_point, put_resource

Hook = Callable[[Action], Answer]


def hook_of(method: str, route: Route) -> Hook:
    """What a method does at a resource."""
    return HOOKS.get((method, route.id)) or GENERIC[method]


def wanted(environment: Environment, method: str, row: Row, value: object, unit: Unit) -> Iterator[Want]:
    """What a method will ask the store for at a resource, as far as that is worth to be read together."""
    want = WANTED.get((method, row.kind))
    return iter(()) if want is None else want(environment, row, value, unit)


WANTED: Final[Mapping[tuple[str, str], Callable[[Environment, Row, object, Unit], Iterator[Want]]]] = {
    ("POST", "MirrorUsagePoint"): mirror.wanted,
    ("POST", "ResponseList"): responses.wanted,
}
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
    ("POST", "SubscriptionList"): subscribing.post_subscription,
    ("PUT", "Subscription"): subscribing.put_subscription,
    ("DELETE", "Subscription"): subscribing.delete_subscription,
    ("POST", "LogEventList"): log_events.post_log_event,
    ("POST", "MirrorUsagePointList"): mirror.post_usage_point,
    ("POST", "MirrorUsagePoint"): mirror.post_readings,
    ("PUT", "MirrorUsagePoint"): mirror.put_usage_point,
    ("DELETE", "MirrorUsagePoint"): mirror.delete_usage_point,
    ("POST", "FlowReservationRequestList"): flow_reservations.post_request,
    ("PUT", "FlowReservationRequest"): flow_reservations.put_request,
    ("DELETE", "FlowReservationRequest"): flow_reservations.delete_request,
    ("PUT", "Configuration"): configurations.put_configuration,
    ("PUT", "DeviceStatus"): device_status.put_status,
    ("PUT", "PowerStatus"): device_status.put_status,
    ("PUT", CONNECTION_POINT): put_connection_point,
    ("POST", CONNECTION_POINT): put_connection_point,
}
"""By method and id of the route."""
