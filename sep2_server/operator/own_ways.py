"""Resources that are more than their row: operators change and remove them in ways of their own."""

from collections.abc import Mapping
from typing import Final

from function_sets import Route
from schemas import Response
from sep2_server.operator.errors import BadRequest

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
    "Registration": "lineside op modify DEVICE --no-registration",
    "ResponseSet": "the events of the server name it as the place for Responses",
    "Subscription": "lineside op notify cancel",
}
_RESPONSE: Final = "it is what the device said; to forget it: lineside op forget DEVICE --responses"


def require_changed_here(route: Route) -> None:
    """Raise BadRequest for a resource whose client, subscription or record would not follow."""
    _require(route, _CHANGED, "changed")


def require_removed_here(route: Route) -> None:
    """Raise BadRequest for a resource that others would miss, or whose record would stay."""
    _require(route, _REMOVED, "removed")


def _require(route: Route, ways: Mapping[str, str], done: str) -> None:
    way = _RESPONSE if issubclass(route.type, Response) else ways.get(route.id)
    if way is not None:
        raise BadRequest(f"href: a {route.id} is not {done} here", way)
