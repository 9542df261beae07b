"""Which resources may be subscribed to: what `subscribable` says against the answer to a Subscription.

A Subscription that is accepted is deleted at once. Notifications are no matter here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.case import AnyCase, Case, Level, Role
from conformance_tests.errors import Skipped
from conformance_tests.server.generated.notifying import (
    UNCONDITIONAL,
    can_carry,
    posted,
    status_of,
    subscribable,
)
from conformance_tests.server.generated.specimens import DONE, SPECIMENS, Known, known_of
from conformance_tests.server.generated.survey import HOSTED_BY_CLIENTS, Found, found, survey_of
from conformance_tests.sources import STANDARD
from function_sets import ROUTES, Route
from schemas import Condition, Subscription

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance_tests.evidence import Exchange
    from conformance_tests.server.bench import ServerBench, Viewer

CLAUSE: Final = "subscription and notification"
CONDITIONAL: Final = frozenset({2, 3})
VALUED: Final = frozenset({"Reading", "ReadingList"})
"""What has a value that a Condition can be held against (attributeIdentifier 0)."""


async def _subscription_list(bench: ServerBench, viewer: Viewer) -> str:
    """Where the identity that sees a resource posts its subscriptions."""
    hrefs = (await survey_of(bench, viewer)).places.get("SubscriptionList", ())
    if not hrefs:
        bench.trial.skip(f"the {viewer.name} has no SubscriptionList: this server has no subscriptions")
    return hrefs[0]


async def _known(bench: ServerBench, seen: Found) -> Known:
    known = await known_of(bench, seen.viewer, await survey_of(bench, seen.viewer))
    return replace(known, subscribable=seen.href)


def _refused(bench: ServerBench, answer: Exchange, what: str) -> None:
    status = answer.status or 0
    bench.trial.check(400 <= status < 500 and status not in {404, 405}, what, seen=status)


async def _attribute(bench: ServerBench, route: Route) -> None:
    """What the attribute says holds: unconditional subscriptions are taken or refused accordingly."""
    seen = await found(bench, route)
    value: Any = seen.viewer.decoded(seen.exchange, route.type)
    mark = int(value.subscribable or 0)
    bench.trial.check(mark in {0, 1, 2, 3}, "`subscribable` is 0, 1, 2 or 3", seen=mark)
    if mark in CONDITIONAL:
        what = "conditions are offered for readings alone"
        bench.trial.check(route.id in VALUED, what, seen=f"subscribable={mark}", level=Level.SHOULD)
    listed = await _subscription_list(bench, seen.viewer)
    wish = SPECIMENS["SubscriptionList"](await _known(bench, seen))
    async with posted(bench, seen.viewer, listed, wish) as answer:
        if mark in UNCONDITIONAL:
            what = f"subscribable={mark}: a Subscription is taken (201)"
            bench.trial.check(answer.status in DONE, what, seen=status_of(bench, answer))
            bench.trial.check(answer.header("Location"), "and its Location is told", seen="none")
        else:
            _refused(
                bench, answer, f"subscribable={mark}: a Subscription without Condition is refused (400, 403)"
            )


async def _condition(bench: ServerBench, route: Route) -> None:
    """A Condition is taken where conditional subscriptions are offered, and refused elsewhere."""
    seen = await found(bench, route)
    value: Any = seen.viewer.decoded(seen.exchange, route.type)
    mark = int(value.subscribable or 0)
    listed = await _subscription_list(bench, seen.viewer)
    wish: Any = SPECIMENS["SubscriptionList"](await _known(bench, seen))
    wish.Condition_ = Condition(attributeIdentifier=0, lowerThreshold=-1, upperThreshold=1)
    async with posted(bench, seen.viewer, listed, wish) as answer:
        if mark in CONDITIONAL:
            what = f"subscribable={mark}: a Subscription with a Condition is taken (201)"
            bench.trial.check(answer.status in DONE, what, seen=status_of(bench, answer))
        else:
            _refused(bench, answer, f"subscribable={mark}: a Subscription with a Condition is refused (400)")


async def _none(bench: ServerBench, route: Route) -> None:
    """What cannot carry the attribute cannot be subscribed to."""
    seen = await found(bench, route)
    listed = await _subscription_list(bench, seen.viewer)
    wish = SPECIMENS["SubscriptionList"](await _known(bench, seen))
    async with posted(bench, seen.viewer, listed, wish) as answer:
        _refused(bench, answer, f"a {route.id} cannot be subscribed to: a Subscription is refused (400, 403)")


async def _again(bench: ServerBench) -> None:
    """The same Subscription once more changes the one that is there."""
    viewer, listed, wish = await _a_wish(bench)
    async with posted(bench, viewer, listed, wish) as first, posted(bench, viewer, listed, wish) as second:
        bench.trial.require(first.status in DONE, "a Subscription is taken", seen=status_of(bench, first))
        bench.trial.check(second.status in DONE, "the same one again is taken", seen=second.status)
        same = second.header("Location") in {None, first.header("Location")}
        bench.trial.check(same, "and makes no second one", seen=second.header("Location"))


async def _refused_wish(bench: ServerBench, change: Callable[[Subscription], None], what: str) -> None:
    viewer, listed, wish = await _a_wish(bench)
    change(wish)
    async with posted(bench, viewer, listed, wish) as answer:
        status = answer.status or 0
        bench.trial.check(400 <= status < 500, what, seen=status)


async def _a_wish(bench: ServerBench) -> tuple[Viewer, str, Subscription]:
    """A Subscription that must be taken, who posts it, and where."""
    viewer = bench.device
    listed = await _subscription_list(bench, viewer)
    async for seen in subscribable(bench, viewer):
        wish: Any = SPECIMENS["SubscriptionList"](await _known(bench, seen))
        return viewer, listed, wish
    raise Skipped("nothing that this device sees may be subscribed to")


def _relative(wish: Subscription) -> None:
    wish.notificationURI = "/conformance"


def _nowhere(wish: Subscription) -> None:
    wish.subscribedResource = f"{wish.subscribedResource}/conformance/nothing"


_REFUSED: Final = {
    "relative-uri": (_relative, "a notificationURI that is not absolute is refused"),
    "no-such-resource": (_nowhere, "a subscribedResource that does not exist is refused"),
}


def _case(
    name: str,
    requirement: str,
    procedure: Callable[[ServerBench], Awaitable[None]],
    level: Level = Level.MUST,
) -> AnyCase:
    return Case(
        id=f"subscribable/{name}/server",
        title=name.replace("-", " "),
        source=STANDARD,
        clause=CLAUSE,
        requirement=requirement,
        role=Role.SERVER,
        procedure=procedure,
        level=level,
        lasts_s=0.05,
    )


def _cases_of(route: Route) -> list[AnyCase]:
    if not can_carry(route):
        text = f"a {route.id}, which cannot carry `subscribable`, cannot be subscribed to"
        return [_case(route.id, text, partial(_none, route=route))]
    by_mark = f"{route.id}: Subscriptions are taken or refused as `subscribable` says"
    by_condition = f"{route.id}: a Condition is taken only where `subscribable` says so"
    return [
        _case(route.id, by_mark, partial(_attribute, route=route)),
        _case(f"{route.id}-condition", by_condition, partial(_condition, route=route)),
    ]


CASES: Final[tuple[AnyCase, ...]] = (
    *(case for route in ROUTES.values() if route.id not in HOSTED_BY_CLIENTS for case in _cases_of(route)),
    _case("again", "the same Subscription posted again makes no second one", _again),
    *(
        _case(name, requirement, partial(_refused_wish, change=change, what=requirement))
        for name, (change, requirement) in _REFUSED.items()
    ),
)
