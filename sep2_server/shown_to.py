"""Which lists show a client its own items, or the programs that it is assigned, and which all of them."""

from functools import cache
from typing import Final

from function_sets import Access, Route
from sep2_server.extra_routes import DEVICE_PROGRAMS, group_list_of

SHARED_LISTS: Final = frozenset({"ResponseSetList"})
"""Lists whose items belong to no device: every client sees the same."""
POINT_LISTS: Final = ("UsagePointList", "MirrorUsagePointList")
"""Lists at the root in which the items of a device are found by an index of their own."""
BILLING_SETS: Final = "BillingReadingSetList"


@cache
def group_list_beside(kind: str) -> str:
    """Id of the list of a group that shows some of the programs in a list at the root."""
    return group_list_of(kind.removesuffix("List"))


def shows_assigned(route: Route) -> bool:
    """True for a list at the root that shows each client the programs which it is assigned."""
    return route.access is Access.ASSIGNED and "{" not in route.path


def shows_programs(route: Route) -> bool:
    """True for a list whose items hang on what a device is assigned."""
    return shows_assigned(route) or route.id == DEVICE_PROGRAMS


def shows_own(route: Route) -> bool:
    """True for a list that shows each client the items of its own devices."""
    return route.access is Access.SELF and route.id not in SHARED_LISTS
