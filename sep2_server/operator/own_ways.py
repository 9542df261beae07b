"""Resources that are more than their row: operators add, change and remove them in ways of their own."""

from collections.abc import Mapping
from typing import Final

from function_sets import Route
from schemas import Response
from sep2_server.extra_routes import METERED, REPORTED_CONFIGURATION, UPDATE_TIMES
from sep2_server.location import Target
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Forbidden
from sep2_server.rows import Row
from sep2_server.uris import route_named
from sep2_server.usage_points import is_utility_data

_FORGET: Final = "it is what the device said; to forget it: lineside op forget DEVICE --"
_READINGS: Final = f"{_FORGET}readings"
_RESPONSE: Final = f"{_FORGET}responses"
_ADDED: Final[Mapping[str, str]] = {
    "DER": "lineside op modify",
    "EndDevice": "lineside op enrol",
    "FunctionSetAssignments": "lineside op group add",
    "LogEvent": "the device makes it",
    "MirrorUsagePoint": "the device makes it",
    "Notification": "it is never stored",
    "Response": "the device makes it",
    "Subscription": "the device makes it",
}
"""Items that no operator adds as resources, and how they come to be."""
_BESIDE: Final[Mapping[str, str]] = {
    METERED: "it marks the UsagePoint above as that of the utility, and goes with it",
    REPORTED_CONFIGURATION: "it is what the device said; what is wanted: lineside op configuration",
    UPDATE_TIMES: "it is when the device posted",
}
"""What the server keeps beside a resource, for operators to read."""
_CHANGED: Final[Mapping[str, str]] = {
    **_BESIDE,
    "DER": "lineside op modify",
    "EndDevice": "lineside op modify",
    "FileContent": "give the group another: lineside op file add",
    "FlowReservationRequest": "the device changes it; answer it: lineside op flow",
    "FunctionSetAssignments": "lineside op group add",
    "LogEvent": f"{_FORGET}log-events",
    "MirrorUsagePoint": "the device changes it; its rate: lineside op rates DEVICE --mirrors",
    "Registration": "lineside op modify DEVICE --pin PIN",
    "Subscription": "the device changes it; to end it: lineside op notify cancel",
}
_REMOVED: Final[Mapping[str, str]] = {
    **_BESIDE,
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
    {
        "DERAvailability",
        "DERCapability",
        "DERSettings",
        "DERStatus",
        "DeviceStatus",
        "FileStatus",
        "PowerStatus",
    }
)


def require_added_here(desk: Desk, target: Target, kind: str) -> None:
    """Raise BadRequest for an item of a list that comes to be in another way, or that a mirror has."""
    if kind in _ADDED:
        raise BadRequest(f"{kind}: not added here", _ADDED[kind])
    _require_not_reported(desk, target, kind, "added")


def require_changed_here(desk: Desk, target: Target) -> None:
    """Raise BadRequest for a resource whose client, subscription or record would not follow, or as reported.

    What a device puts in one place may be changed there, by an admin: Forbidden for others.
    """
    _require(target.route, _CHANGED, "changed")
    _require_admin(desk, target.route)
    _require_not_reported(desk, target, target.route.id, "changed")


def require_removed_here(desk: Desk, row: Row) -> None:
    """Raise BadRequest for a resource that others would miss, whose record would stay, or that was reported.

    What a device puts in one place may be removed there, by an admin: Forbidden for others.
    """
    route = route_named(row.kind)
    _require(route, _REMOVED, "removed")
    _require_admin(desk, route)
    require_utility_data(desk, row, route.id, "removed")


def require_utility_data(desk: Desk, row: Row, kind: str, done: str) -> None:
    """Raise BadRequest for a `kind` at or below the UsagePoint of a mirror: to forget it is an admin's."""
    place = desk.environment.uris.find(row.href)
    is_reading = place is not None and place.path.startswith("/upt/")
    if is_reading and not is_utility_data(desk.transaction, desk.environment, row):
        raise BadRequest(f"href: a {kind} is not {done} here", _READINGS)


def _require_not_reported(desk: Desk, target: Target, kind: str, done: str) -> None:
    row = target.row or target.above
    if row is not None:
        require_utility_data(desk, row, kind, done)


def _require_admin(desk: Desk, route: Route) -> None:
    if route.id in _PUT_BY_DEVICES and not desk.may_rule:
        raise Forbidden(f"a {route.id} is what the device said", "use a token of role admin")


def _require(route: Route, ways: Mapping[str, str], done: str) -> None:
    way = _RESPONSE if issubclass(route.type, Response) else ways.get(route.id)
    if way is not None:
        raise BadRequest(f"href: a {route.id} is not {done} here", way)
