"""POST of specimens, and what a 403 to a Subscription says: no to the resource, or to where it would notify.

The standard lets a server refuse (400, 403) what is not subscribable, and knows no list of places that may be
notified; servers have one all the same. With `--listen` the user says that the server may notify there: a 403
is judged as it stands. Without, it is judged only where the server takes another Subscription with the same
place; else the case is skipped, and its reason says what to do.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from conformance_tests.case import Need
from conformance_tests.server.generated.specimens import CREATED, DONE, notify_uri
from conformance_tests.server.generated.survey import Found, survey_of
from function_sets import ROUTES
from schemas import Subscription, spec_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conformance_tests.evidence import Exchange
    from conformance_tests.server.bench import ServerBench, Viewer
    from function_sets import Route

OK: Final = 200
FORBIDDEN: Final = 403
PROBE: Final = "probe"
UNCONDITIONAL: Final = frozenset({1, 3})


def can_carry(route: Route) -> bool:
    """Whether the type of a resource has the attribute `subscribable`."""
    return any(field.name == "subscribable" for field in spec_of(route.type))


@asynccontextmanager
async def posted(
    bench: ServerBench, viewer: Viewer, list_href: str, value: object
) -> AsyncIterator[Exchange]:
    """The answer to the POST of a resource, which is deleted at the end where it is a new one."""
    exchange = await judged(bench, viewer, list_href, value)
    location = exchange.header("Location")
    try:
        yield exchange
    finally:
        if exchange.status == CREATED and location:
            await viewer.delete(location)


async def judged(bench: ServerBench, viewer: Viewer, list_href: str, value: object) -> Exchange:
    """The answer to the POST of a resource; the case is skipped where it says nothing of the resource."""
    exchange = await viewer.post(list_href, value)
    if not isinstance(value, Subscription) or exchange.status != FORBIDDEN:
        return exchange
    if Need.LISTENER not in bench.has and await _is_barred(bench, viewer, list_href):
        bench.trial.skip(
            f"the server refuses (403) every Subscription that would notify {_place(bench)}: give --listen "
            "HOST:PORT, and have the operator of the server allow notifications to that place"
        )
    return exchange


def status_of(bench: ServerBench, answer: Exchange) -> str:
    """The status in words; of a Subscription that was refused with 403, with what may be behind it."""
    if answer.status != FORBIDDEN or b"Subscription" not in answer.request_body:
        return str(answer.status)
    return f"403; is the server allowed to notify {_place(bench)}, as --listen says?"


def _place(bench: ServerBench) -> str:
    return f"https://{urlsplit(notify_uri(bench, PROBE)).netloc}"


async def subscribable(bench: ServerBench, viewer: Viewer) -> AsyncIterator[Found]:
    """One resource of each kind that says of itself that it may be subscribed to without a Condition."""
    for route in (one for one in ROUTES.values() if can_carry(one)):
        for href in (await survey_of(bench, viewer)).places.get(route.id, ())[:1]:
            answer = await viewer.get(href)
            if answer.status != OK:
                continue
            value: Any = viewer.decoded(answer, route.type)
            if value.subscribable in UNCONDITIONAL:
                yield Found(viewer=viewer, href=href, exchange=answer)


async def _is_barred(bench: ServerBench, viewer: Viewer, list_href: str) -> bool:
    """Whether the server takes no Subscription with the place of this run, and refuses some with 403.

    False where nothing may be subscribed to: nothing can be told apart then.
    """
    key = f"place for notifications of {viewer.lfdi} at {list_href}"
    if key not in bench.shared:
        bench.trial.note("probe: whether the server takes any Subscription with this place")
        bench.shared[key] = await _takes_none(bench, viewer, list_href)
    return bool(bench.shared[key])


async def _takes_none(bench: ServerBench, viewer: Viewer, list_href: str) -> bool:
    statuses: set[int | None] = set()
    async for seen in subscribable(bench, viewer):
        wish = Subscription(
            subscribedResource=seen.href,
            encoding=0,
            level="+S1",
            limit=1,
            notificationURI=notify_uri(bench, PROBE),
        )
        answer = await viewer.post(list_href, wish)
        location = answer.header("Location")
        if answer.status == CREATED and location:
            await viewer.delete(location)
        if answer.status in DONE:
            return False
        statuses.add(answer.status)
    return FORBIDDEN in statuses
