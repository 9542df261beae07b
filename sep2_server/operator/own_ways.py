"""Resources that are more than their row: operators change and remove them in ways of their own."""

from collections.abc import Mapping
from typing import Final

from function_sets import Route
from schemas import Response
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Forbidden
from sep2_server.rows import Row
from sep2_server.uris import route_named
from sep2_server.usage_points import is_utility_data

_FORGET: Final = "it is what the device said; to forget it: lineside op forget DEVICE --"
_READINGS: Final = f"{_FORGET}readings"
_RESPONSE: Final = f"{_FORGET}responses"
_CHANGED: Final[Mapping[str, str]] = {
    "DER": "lineside op modify",
    "EndDevice": "lineside op modify",
    "FlowReservationRequest": "the device changes it; answer it: lineside op flow",
    "FunctionSetAssignments": "lineside op group add",
    "MirrorUsagePoint": "the device changes it; its rate: lineside op rates DEVICE --mirrors",
    "Registration": "lineside op modify DEVICE --pin PIN",
    "Subscription": "the device changes it; to end it: lineside op notify cancel",
}
_REMOVED: Final[Mapping[str, str]] = {
    "DER": "lineside op modify",
    "EndDevice": "lineside op remove",
    "FileContent": "lineside op file remove",
    "FunctionSetAssignments": "lineside op group remove",
    "LogEvent": f"{_FORGET}log-events",
    "MirrorUsagePoint": _READINGS,
    "Registration": "lineside op modify DEVICE --no-registration",
    "ResponseSet": "the events of the server name it as the place for Responses",
    "Subscription": "lineside op notify cancel",
}

_PUT_BY_DEVICES: Final = frozenset(
    {"DERAvailability", "DERCapability", "DERSettings", "DERStatus", "DeviceStatus", "PowerStatus"}
)


def require_changed_here(route: Route) -> None:
    """Raise BadRequest for a resource whose client, subscription or record would not follow."""
    _require(route, _CHANGED, "changed")


def require_removed_here(desk: Desk, row: Row) -> None:
    """Raise BadRequest for a resource that others would miss, whose record would stay, or that was reported.

    What a device puts in one place may be removed there, by an admin: Forbidden for others.
    """
    route = route_named(row.kind)
    _require(route, _REMOVED, "removed")
    if route.id in _PUT_BY_DEVICES and not desk.may_rule:
        raise Forbidden(f"a {route.id} is what the device said", "use a token of role admin")
    require_utility_data(desk, row, route.id, "removed")


def require_utility_data(desk: Desk, row: Row, kind: str, done: str) -> None:
    """Raise BadRequest for a `kind` at or below the UsagePoint of a mirror: to forget it is an admin's."""
    place = desk.environment.uris.find(row.href)
    is_reading = place is not None and place.path.startswith("/upt/")
    if is_reading and not is_utility_data(desk.transaction, desk.environment, row):
        raise BadRequest(f"href: a {kind} is not {done} here", _READINGS)


def _require(route: Route, ways: Mapping[str, str], done: str) -> None:
    way = _RESPONSE if issubclass(route.type, Response) else ways.get(route.id)
    if way is not None:
        raise BadRequest(f"href: a {route.id} is not {done} here", way)
