"""Where things are at the target: one tour of each identity, shared by all generated cases.

A tour takes some hundred requests; it is made once for each identity and kept with the target for two minutes
(`bench.shared`), since the cases here leave the server as it was. What a case judges it asks for itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance_tests.errors import Skipped, TargetError
from conformance_tests.server.tour import OF_SELF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance_tests.evidence import Exchange
    from conformance_tests.server.bench import ServerBench, Viewer
    from function_sets import Route

KEPT_S: Final = 120.0
MOST_FOLLOWED: Final = 6
"""Resources of one kind whose links are followed."""
MOST_TRIED: Final = 4
"""Hrefs of one kind that are asked for until one is there."""
HOSTED_BY_CLIENTS: Final = frozenset({"NotificationList", "Notification"})
"""What annex A marks for the notified client, which hosts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one identity was led to at the target itself: hrefs by the id of the route.

    `at_s` is when, s of the monotonic clock.

    `largest` is the list of each kind that has most items, as far as it was looked at.
    """

    places: Mapping[str, Sequence[str]]
    at_s: float
    largest: dict[str, str] = field(default_factory=dict)

    def bodies_of(self, route_id: str) -> Sequence[str]:
        """Where resources of a route are, those of the SelfDevice last: its body alone is judged."""
        return (*self.places.get(route_id, ()), *self.places.get(OF_SELF + route_id, ()))

    def all_hrefs(self) -> frozenset[str]:
        """Every href that was found."""
        return frozenset(href for hrefs in self.places.values() for href in hrefs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """A tour that broke off; it is not made again for each case."""

    why: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a list is, and whose view of it."""

    viewer: Viewer
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One resource that is there: whose view, where, and the answer to the GET."""

    viewer: Viewer
    href: str
    exchange: Exchange


async def survey_of(bench: ServerBench, viewer: Viewer) -> Survey:
    """The survey of an identity."""
    key = f"survey of {viewer.lfdi}"
    held = bench.shared.get(key)
    if isinstance(held, Survey) and time.monotonic() - held.at_s < KEPT_S:
        return held
    if isinstance(held, _Broken) and time.monotonic() - held.at_s < KEPT_S:
        raise TargetError(held.why)
    try:
        tour = await viewer.tour(MOST_FOLLOWED)
        here = {name: [href for href in hrefs if href.startswith("/")] for name, hrefs in tour.items()}
        made = Survey(places=here, at_s=time.monotonic())
    except TargetError as why:
        bench.shared[key] = _Broken(
            why=f"the tour of the {viewer.name} broke off: {why}", at_s=time.monotonic()
        )
        raise
    bench.shared[key] = made
    return made


def viewers(bench: ServerBench) -> Sequence[Viewer]:
    """The identities that a resource is looked for with: the device, then the aggregator if there is one."""
    try:
        return bench.device, bench.aggregator
    except Skipped:
        return (bench.device,)


async def found(bench: ServerBench, route: Route, others: frozenset[int] = frozenset()) -> Found:
    """One resource of a route that is there for the device, or else for the aggregator.

    The case is skipped where nothing leads to one, and fails where the answer to the GET is neither the
    resource nor that it is not there. `others` are statuses that are as good as the resource.
    """
    if route.id in HOSTED_BY_CLIENTS:
        bench.trial.skip("notified clients host it, a server has none")
    absent: list[str] = []
    for viewer in viewers(bench):
        for href in (await survey_of(bench, viewer)).places.get(route.id, ())[:MOST_TRIED]:
            exchange = await viewer.get(href)
            if exchange.status == 200 or exchange.status in others:
                return Found(viewer=viewer, href=href, exchange=exchange)
            absent.append(href)
            what = f"GET of a {route.id} that is linked answers 200, or 403 or 404 where there is none"
            bench.trial.require(exchange.status in {403, 404}, what, seen=exchange.status)
    if absent:
        raise Skipped(f"{absent[0]} is linked as {route.id}, and nothing is there yet (403 or 404)")
    raise Skipped(f"the server offers no {route.id} to these certificates: nothing leads to one")


async def fullest(bench: ServerBench, route: Route) -> Place:
    """The list of a route with most items among the first few; skipped as `found` where there is none."""
    for viewer in viewers(bench):
        survey = await survey_of(bench, viewer)
        if route.id in survey.largest:
            return Place(viewer=viewer, href=survey.largest[route.id])
    first = await found(bench, route)
    survey = await survey_of(bench, first.viewer)
    hrefs = survey.places[route.id][: 2 * MOST_TRIED]
    counts = [(await _count(first.viewer, one, route), one) for one in hrefs]
    survey.largest[route.id] = max(counts, key=lambda pair: pair[0])[1]
    return Place(viewer=first.viewer, href=survey.largest[route.id])


async def _count(viewer: Viewer, href: str, route: Route) -> int:
    """How many items a list says that it has; -1 where it is not there."""
    exchange = await viewer.get(href, l=1)
    if exchange.status != 200:
        return -1
    value: object = viewer.decoded(exchange, route.type)
    return int(getattr(value, "all", 0))
