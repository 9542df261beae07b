"""What hangs below a resource: for each link of its class, the resource at its other end.

A link leads below where the standard puts the resource that it names one segment further; all others refer to
something that stands elsewhere, and are given by whoever makes the resource.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from function_sets import ROUTES
from schemas import Link, spec_of
from sep2_server.extra_routes import EXTRA_ROUTES, LATEST_READING
from sep2_server.uris import route_named

_ELSEWHERE: Final = {
    ("MeterReading", "Reading"): LATEST_READING,
    ("RateComponent", "ReadingType"): "RateComponentReadingType",
    ("ProjectionReading", "ReadingType"): "ProjectionReadingType",
    ("ProjectionReading", "BillingReadingSetList"): "ProjectionReadingSetList",
    ("TargetReading", "ReadingType"): "TargetReadingType",
    ("TargetReading", "BillingReadingSetList"): "TargetReadingSetList",
    ("HistoricalReading", "ReadingType"): "HistoricalReadingType",
    ("HistoricalReading", "BillingReadingSetList"): "HistoricalReadingSetList",
}
"""Where a resource below has another id than its link says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """One resource below another: `name` as the link says it, `kind` the id of its route.

    `attr` and `link` are attribute and class of the link. `is_first` where clients put it the first time, so
    that its link is there before it is.
    """

    name: str
    kind: str
    attr: str
    link: type[Link]
    is_list: bool
    is_view: bool
    is_required: bool
    is_first: bool

    @property
    def is_linked(self) -> bool:
        """Whether the link is there from the start, whatever is at its other end."""
        return self.is_list or self.is_required or self.is_first


@cache
def below(kind: str) -> tuple[Below, ...]:
    """What hangs below a resource, by the id of its route, in the order of its links."""
    found = []
    for f in spec_of(route_named(kind).type):
        name = f.name.removesuffix("Link")
        other = _kind_of(kind, name)
        if f.target is None or not issubclass(f.target, Link) or other is None:
            continue
        route = route_named(other)
        found.append(
            Below(
                name=name,
                kind=other,
                attr=f.attr,
                link=f.target,
                is_list=route.is_list,
                is_view=route.view_of is not None,
                is_required=f.required,
                is_first="PUT" in route.writes,
            )
        )
    return tuple(found)


def _kind_of(kind: str, name: str) -> str | None:
    other = _ELSEWHERE.get((kind, name), name)
    if other not in ROUTES and other not in EXTRA_ROUTES:
        return None
    head, _, rest = route_named(other).path.rpartition("/")
    is_below = head == route_named(kind).path and not rest.startswith("{")
    return other if is_below else None
