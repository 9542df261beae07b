"""All resources of the standard in one place, and the way from a path to its resource."""

from typing import Final

from function_sets import (
    billing,
    configuration,
    der,
    device_capability,
    device_information,
    drlc,
    end_device,
    file_download,
    flow_reservation,
    function_set_assignments,
    log_event,
    messaging,
    metering,
    metering_mirror,
    network_status,
    power_status,
    prepayment,
    pricing,
    response,
    self_device,
    subscription,
    time,
)
from function_sets.model import FunctionSet, Route

FUNCTION_SETS: Final[tuple[FunctionSet, ...]] = (
    device_capability.FUNCTION_SET,
    self_device.FUNCTION_SET,
    end_device.FUNCTION_SET,
    function_set_assignments.FUNCTION_SET,
    subscription.FUNCTION_SET,
    response.FUNCTION_SET,
    time.FUNCTION_SET,
    device_information.FUNCTION_SET,
    power_status.FUNCTION_SET,
    network_status.FUNCTION_SET,
    log_event.FUNCTION_SET,
    configuration.FUNCTION_SET,
    file_download.FUNCTION_SET,
    drlc.FUNCTION_SET,
    metering.FUNCTION_SET,
    metering_mirror.FUNCTION_SET,
    pricing.FUNCTION_SET,
    messaging.FUNCTION_SET,
    billing.FUNCTION_SET,
    prepayment.FUNCTION_SET,
    flow_reservation.FUNCTION_SET,
    der.FUNCTION_SET,
)
ROUTES: Final[dict[str, Route]] = {route.id: route for one in FUNCTION_SETS for route in one.routes}
"""Every resource by its id in the WADL (IEEE 2030.5-2018, annex A)."""

_WILD: Final = "*"


class _Node:
    """One segment of a path: what follows it, and the resource that ends there."""

    __slots__ = ("below", "route")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.route: Route | None = None


def _tree() -> _Node:
    root = _Node()
    for route in ROUTES.values():
        node = root
        for segment in route.path.strip("/").split("/"):
            node = node.below.setdefault(_WILD if segment.startswith("{") else segment, _Node())
        node.route = node.route or route
    return root


_ROOT: Final = _tree()


def route_of(path: str) -> tuple[Route, dict[str, str]] | None:
    """The resource at a default path with its identifiers, None where the standard has none.

    Where several resources share a path (`Response`, `DrResponse`, ...), the most general one is meant.
    """
    node = _ROOT
    identifiers = []
    for segment in path.removeprefix("/").split("/"):
        found = node.below.get(segment)
        if found is None:
            found = node.below.get(_WILD) if segment else None
            identifiers.append(segment)
        if found is None:
            return None
        node = found
    route = node.route
    return None if route is None else (route, dict(zip(route.placeholders, identifiers, strict=True)))


def routes_of_type(cls: type) -> tuple[Route, ...]:
    """The resources that hold a class at GET."""
    return tuple(route for route in ROUTES.values() if route.type is cls)
