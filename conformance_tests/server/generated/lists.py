"""Each list of the standard: its pages, its counts, its order, its items. IEEE 2030.5-2018, annex B.

Of each kind of list the one with most items is looked at (of the first few that are linked). Nothing is
written. At most two pages of 255 items are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.case import AnyCase, Case, Level, Role
from conformance_tests.server.event_laws import CLAUSE
from conformance_tests.server.generated.ordering import out_of_order, value_of
from conformance_tests.server.generated.statuses import OF_EVENTS, statuses
from conformance_tests.server.generated.survey import fullest
from conformance_tests.sources import STANDARD
from function_sets import ROUTES, Route
from schemas import spec_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from conformance_tests.server.bench import ServerBench, Viewer
    from conformance_tests.trial import Trial

PAGING: Final = "lists"
ORDER: Final = "annex B"
LONGEST: Final = 255
MOST_WALKED: Final = 8
"""Items that are walked through in small pages."""
MOST_READ: Final = 6
"""Items that are read by their hrefs."""
HUGE: Final = 4_294_967_295
UNWRITTEN: Final = frozenset(
    {"FileList", "LoadShedAvailabilityList", "NeighborList", "PriceResponseCfgList", "SupportedLocaleList"}
)
"""Lists for which annex B has no order."""
PARTLY: Final = frozenset({"MirrorUsagePointList"})
"""Lists whose items a GET shows in part only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its items, and the numbers that it tells."""

    items: Sequence[Any]
    all: int
    results: int

    @property
    def keys(self) -> list[str]:
        """What tells its items apart: the href, or all of it where it has none."""
        return [item.href or repr(item) for item in self.items]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One list as an identity sees it, and how it is read; `now` is server time, s since 1970 UTC."""

    trial: Trial
    viewer: Viewer
    route: Route
    href: str
    now: Callable[[], Awaitable[int]]

    async def page(self, query: str = "") -> Page:
        """One page of the list; the case ends where the answer is no such list."""
        joint = "&" if "?" in self.href else "?"
        value: Any = await self.viewer.read(
            f"{self.href}{joint}{query}" if query else self.href, self.route.type
        )
        place = next(f.attr for f in spec_of(type(value)) if f.is_list)
        page = Page(items=getattr(value, place), all=value.all, results=value.results)
        amount = len(page.items)
        what = "`results` is the number of items in the page"
        self.trial.check(page.results == amount, what, seen=f"{page.results} for {amount} items, ?{query}")
        return page

    async def whole(self) -> Page:
        """As much of the list as two large pages show."""
        first = await self.page(f"s=0&l={LONGEST}")
        if len(first.items) >= first.all or not first.items:
            return first
        more = await self.page(f"s={len(first.items)}&l={LONGEST}")
        items = [*first.items, *more.items]
        return Page(items=items, all=first.all, results=len(items))

    def some(self, page: Page) -> Page:
        """The page, which must have items for the case to mean something."""
        if not page.items:
            self.trial.skip(f"{self.href} has no items")
        return page


async def _default(listed: Listed) -> None:
    whole = await listed.whole()
    page = await listed.page()
    seen = f"{len(page.items)} of {whole.all}"
    listed.trial.check(
        page.keys == whole.keys[:1], "without a query the first item alone is shown", seen=seen
    )
    listed.trial.check(page.all == whole.all, "`all` counts every item, not those shown", seen=page.all)


async def _pages(listed: Listed) -> None:
    whole = listed.some(await listed.whole())
    wanted = whole.keys[:MOST_WALKED]
    twice = len(set(whole.keys)) == len(whole.keys)
    listed.trial.check(twice, "no item stands twice in the list", seen=f"{len(whole.keys)} items")
    for limit in (1, 2, 5):
        keys: list[str] = []
        while len(keys) < len(wanted):
            page = await listed.page(f"s={len(keys)}&l={limit}")
            fits = bool(page.items) and len(page.items) <= limit and page.all == whole.all
            what = "a page has at least one and at most `l` of the items that are left, and tells all of them"
            seen = f"{len(page.items)} items, all={page.all} of {whole.all}, s={len(keys)}&l={limit}"
            if not listed.trial.check(fits, what, seen=seen):
                break
            keys += page.keys
        same = keys[: len(wanted)] == wanted
        listed.trial.check(same, f"pages of {limit}, one after the other, are the list", seen=keys[:3])


async def _start(listed: Listed) -> None:
    whole = listed.some(await listed.whole())
    for start in sorted({0, 1, len(whole.items) // 2, len(whole.items) - 1}):
        page = await listed.page(f"s={start}&l=1")
        wanted = whole.keys[start : start + 1]
        listed.trial.check(page.keys == wanted, f"`s={start}` begins at item {start}, from 0", seen=page.keys)
    page = await listed.page("s=0")
    listed.trial.check(
        page.keys == whole.keys[:1], "`s` alone shows one item", seen=f"{len(page.items)} items"
    )


async def _limit(listed: Listed) -> None:
    whole = await listed.whole()
    none = await listed.page("l=0")
    listed.trial.check(not none.items, "`l=0` shows no items", seen=f"{len(none.items)} items")
    listed.trial.check(
        none.all == whole.all, "`l=0` counts all the same", seen=f"{none.all}, not {whole.all}"
    )
    for limit in (len(whole.items) + 1, LONGEST, HUGE):
        page = await listed.page(f"l={limit}")
        same = page.keys == whole.keys[: len(page.keys)] and bool(page.keys) == bool(whole.keys)
        what = f"`l={limit}` shows the first items, as many as the server gives"
        listed.trial.check(same and len(page.items) <= limit, what, seen=f"{len(page.items)} items")


async def _past_end(listed: Listed) -> None:
    whole = await listed.whole()
    for start in (whole.all, whole.all + 7, HUGE):
        page = await listed.page(f"s={start}&l=5")
        empty = not page.items and page.all == whole.all
        seen = f"{len(page.items)} items, all={page.all} of {whole.all}"
        listed.trial.check(
            empty, f"past the end (`s={start}`) there is an empty page that counts all", seen=seen
        )


async def _parameters(listed: Listed) -> None:
    whole = await listed.whole()
    same = await listed.page("l=1&x=9&colour=blue")
    first = whole.keys[:1]
    listed.trial.check(
        same.keys == first, "parameters that the standard does not have are ignored", seen=same.keys
    )
    again = await listed.page("l=0&l=5")
    what = "of a parameter that is there twice the first counts"
    listed.trial.check(not again.items, what, seen=f"{len(again.items)} items for l=0&l=5")


async def _malformed(listed: Listed) -> None:
    joint = "&" if "?" in listed.href else "?"
    for query in ("l=-1", "s=abc", "l=", "s=1.5", f"l={'9' * 40}"):
        answer = await listed.viewer.get(f"{listed.href}{joint}{query}")
        what = f"`{query}` is refused with 400, or read as if it were absent (200)"
        listed.trial.check(answer.status in {200, 400}, what, seen=answer.status)


async def _order(listed: Listed) -> None:
    whole = listed.some(await listed.whole())
    keys = ", ".join(
        f"{key.path} {'descending' if key.descending else 'ascending'}" for key in listed.route.order
    )
    wrong = out_of_order(listed.route, whole.items)
    listed.trial.check(not wrong, f"items go by {keys}", seen=wrong or f"{len(whole.items)} items")


async def _items(listed: Listed) -> None:
    whole = listed.some(await listed.whole())
    bare = [number for number, item in enumerate(whole.items) if not item.href]
    listed.trial.check(not bare, "every item of a list has its href", seen=f"items {bare[:5]} have none")
    step = max(1, len(whole.items) // MOST_READ)
    for number in [n for n in range(0, len(whole.items), step) if whole.items[n].href][:MOST_READ]:
        await _item(listed, number, whole.items[number])


async def _item(listed: Listed, number: int, item: Any) -> None:  # noqa: ANN401 - any resource of the standard
    answer = await listed.viewer.get(item.href)
    is_optional = listed.route.item is not None and _get_is_optional(listed.route.item)
    if is_optional and answer.status in {405, 501}:
        return
    what = f"the href of item {number} answers 200"
    if not listed.trial.check(answer.status == 200, what, seen=f"{item.href}: {answer.status}"):
        return
    read: Any = listed.viewer.decoded(answer, type(item))
    same = read == item
    if not same:
        page = await listed.page(f"s={number}&l=1")
        same = any(read == one for one in page.items) or listed.route.id in PARTLY
    mrids = (getattr(read, "mRID", None), getattr(item, "mRID", None))
    listed.trial.check(
        same and mrids[0] == mrids[1], f"the href of item {number} is of that item", seen=item.href
    )


def _get_is_optional(cls: type) -> bool:
    return any(route.type is cls and route.methods["GET"].value == "O" for route in ROUTES.values())


async def _after(listed: Listed) -> None:
    route, whole = listed.route, await listed.whole()
    if route.after is None or route.order[0].path != route.after:
        page = await listed.page(f"l={LONGEST}&a={HUGE}")
        what = "`a` is ignored where the first key is no time"
        is_open = route.after is not None
        listed.trial.check(
            is_open or page.keys == whole.keys[: len(page.keys)], what, seen=f"{len(page.items)} items"
        )
        return
    times = sorted({time for item in whole.items if (time := _time(route, item)) is not None})
    if not times:
        listed.trial.skip(f"{listed.href} has no items with a time")
    for after in sorted({times[0] - 1, times[0], times[len(times) // 2], times[-1]} - {-1}):
        later = _later(route, whole, after)
        page = await listed.page(f"l={LONGEST}&a={after}")
        shown = [
            key for key, item in zip(page.keys, page.items, strict=True) if _time(route, item) is not None
        ]
        if len(later) > LONGEST or len(whole.items) < whole.all:
            later, shown = later[: len(shown)], shown[: len(later)]
        what = f"`a={after}` shows the items that are later, and no other"
        listed.trial.check(shown == later, what, seen=f"{len(shown)} items, not {len(later)}")
    start = await listed.page(f"a={times[0]}&s=1&l=1")
    rest = _later(route, whole, times[0])
    listed.trial.check(start.keys == rest[1:2], "`s` counts the items that are later", seen=start.keys)


def _later(route: Route, page: Page, after: int) -> list[str]:
    """The items of a page that are later than a time; those without a time are none."""
    pairs = zip(page.keys, page.items, strict=True)
    return [key for key, item in pairs if (time := _time(route, item)) is not None and time > after]


def _time(route: Route, item: object) -> int | None:
    """The time of an item that `a` compares with."""
    value = value_of(route, route.after or "", item)
    return value if isinstance(value, int) else None


_ASPECTS: Final[dict[str, tuple[Callable[[Listed], Awaitable[None]], str, str]]] = {
    "after": (_after, PAGING, "`a` shows the items that are later than a time, where the list goes by time"),
    "default": (_default, PAGING, "without a query a list shows its first item, and counts all"),
    "items": (_items, PAGING, "every item has an href, at which the same item is found"),
    "limit": (_limit, PAGING, "`l` is the most items of a page: none for 0, what there is for more"),
    "malformed": (_malformed, PAGING, "a parameter that is no number breaks nothing"),
    "order": (_order, ORDER, "all items stand in the declared order"),
    "pages": (_pages, PAGING, "pages one after the other are the list, without gaps and doubles"),
    "parameters": (_parameters, PAGING, "unknown parameters are ignored, the first of repeated ones counts"),
    "past-end": (_past_end, PAGING, "past the end there is an empty page"),
    "start": (_start, PAGING, "`s` is the number of the first item, from 0"),
    "status": (statuses, CLAUSE, "the status of every event fits its times and the other events"),
}


async def _look(bench: ServerBench, route: Route, aspect: str) -> None:
    found = await fullest(bench, route)
    listed = Listed(trial=bench.trial, viewer=found.viewer, route=route, href=found.href, now=bench.now)
    await _ASPECTS[aspect][0](listed)


def _applies(route: Route, aspect: str) -> bool:
    """Whether a list can be held against a law: not all have an order, or items with a status."""
    return (aspect != "order" or route.id not in UNWRITTEN) and (aspect != "status" or route.id in OF_EVENTS)


def _case(route: Route, aspect: str) -> AnyCase:
    _, clause, requirement = _ASPECTS[aspect]
    return Case(
        id=f"lists/{route.id}-{aspect}/server",
        title=f"{route.id}: {aspect.replace('-', ' ')}",
        source=STANDARD,
        clause=clause,
        requirement=f"{route.id}: {requirement}",
        role=Role.SERVER,
        procedure=partial(_look, route=route, aspect=aspect),
        level=Level.SHOULD if aspect == "malformed" else Level.MUST,
        lasts_s=0.05,
    )


CASES: Final[tuple[AnyCase, ...]] = tuple(
    _case(route, aspect)
    for route in ROUTES.values()
    if route.is_list
    for aspect in _ASPECTS
    if _applies(route, aspect)
)
