"""Every list of the standard with several items: its order, its pages, its counts. IEEE 2030.5-2018, annex B.

What the answers must be is worked out here from the items themselves, not by the keys of the server.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from certs import Pki
from function_sets import ROUTES, Access, Route
from function_sets.model import attribute_path
from schemas import TimeTariffInterval, spec_of
from schemas.codes import EventState
from sep2_server.extra_routes import EXTRA_ROUTES
from sep2_server.operator import resources
from sep2_server.operator.errors import BadRequest
from tests.integration.crowded_lists import crowd
from tests.integration.lived_in_house import NOW, SETTINGS, House, furnish, operate
from tests.integration.sep2_harness import START, Client, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE = {"name": "csip_aus_v1.3", "pen_suffix": False}
"""The profile with the most lists; the LFDIs of the devices here end in no PEN."""
FEW = {
    "NotificationList": "clients host it: a server has none",
    "ResponseSetList": "the server makes one ResponseSet for all events, and nobody adds another",
    "ActiveTimeTariffIntervalList": "of one RateComponent the newer interval supersedes the one it overlaps",
}
"""Lists that cannot have three items, with the reason, which is tested below."""
LISTS = {r.id: r for r in (*ROUTES.values(), *EXTRA_ROUTES.values()) if r.is_list}
FULL = [pytest.param(route, id=route.id) for route in LISTS.values() if route.id not in FEW]
MIXED = [pytest.param(LISTS[str(p.id)], id=p.id) for p in FULL if LISTS[str(p.id)].order[0].path != "href"]
"""Lists whose order is not that of the URIs, which the server makes."""
BY_AGGREGATOR = {"EndDeviceList", "ResponseList"}
"""Lists in which a device of an aggregator sees one item, and the aggregator those of all."""


@dataclass(frozen=True)
class Page:
    """One page: its items, and the numbers that it tells."""

    items: list[Any]
    all: int
    results: int

    @property
    def hrefs(self) -> list[str]:
        return [item.href for item in self.items]


@dataclass(frozen=True)
class Lists:
    """A house whose lists are full, and how they are read."""

    house: House

    async def client(self, route: Route) -> Client:
        name = self.house.aggregator if route.id in BY_AGGREGATOR else self.house.device
        return await self.house.bench.client(name)

    async def page(self, route: Route, query: str) -> Page:
        client = await self.client(route)
        value: Any = await client.read(f"{self.house.places[route.id]}?{query}", route.type)
        (field,) = (f for f in spec_of(type(value)) if f.is_list)
        return Page(getattr(value, field.attr), value.all, value.results)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def lists(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> AsyncIterator[Lists]:
    folder = tmp_path_factory.mktemp("lists")
    with ExitStack() as stack:
        settings = dict(SETTINGS)
        if request.param == "postgresql":
            of = stack.enter_context(request.getfixturevalue("postgres").databases())
            settings["database"] = of(folder)
        async with running(folder, sep2_pki, profile=PROFILE, **settings) as bench:
            house = await furnish(bench, device="lists", aggregator="lists-aggregator")
            await crowd(house)
            yield Lists(house)


async def test_every_list_is_full_or_has_its_reason() -> None:
    assert len([r for r in ROUTES.values() if r.is_list]) == 54
    assert FEW.keys() <= LISTS.keys()


@pytest.mark.parametrize("route", FULL)
async def test_items_stand_in_the_order_of_annex_b(lists: Lists, route: Route) -> None:
    page = await lists.page(route, "l=255")
    assert len(page.items) >= 3
    assert len(set(page.hrefs)) == len(page.items)
    compare = comparison(route)
    assert [compare(one, other) <= 0 for one, other in pairwise(page.items)] == [True] * (len(page.items) - 1)
    assert (page.results, page.all) == (len(page.items), len(page.items))


@pytest.mark.parametrize("route", FULL)
async def test_every_key_of_annex_b_has_decided(lists: Lists, route: Route) -> None:
    """No list is in order by chance: each key has told two neighbours apart whose keys before are equal."""
    items = (await lists.page(route, "l=255")).items
    decided = {deciding_key(route, one, other) for one, other in pairwise(items)}
    assert decided - {len(route.order)} == set(range(len(route.order)))


@pytest.mark.parametrize("route", MIXED)
async def test_items_came_in_another_order(lists: Lists, route: Route) -> None:
    """The order is not that of coming, which the numbers in the URIs follow."""
    page = await lists.page(route, "l=255")
    assert sorted(page.hrefs, key=number_in) != page.hrefs


@pytest.mark.parametrize("route", FULL)
async def test_every_page_is_a_part_of_the_list(lists: Lists, route: Route) -> None:
    whole = await lists.page(route, "l=255")
    amount = len(whole.items)
    pages = [(0, 0), (0, 1), (0, amount), (1, 2), (amount // 2, 255), (amount - 1, 2), (amount, 1)]
    for start, limit in [*pages, (amount + 7, 255)]:
        page = await lists.page(route, f"s={start}&l={limit}")
        wanted = whole.hrefs[start : start + limit]
        assert (page.hrefs, page.results, page.all) == (wanted, len(wanted), amount)


@pytest.mark.parametrize("route", FULL)
async def test_behind_all_numbers_there_is_nothing(lists: Lists, route: Route) -> None:
    whole = await lists.page(route, "l=255")
    page = await lists.page(route, f"s={'9' * 30}&l=255")
    assert (page.hrefs, page.all) == ([], whole.all)


@pytest.mark.parametrize("route", FULL)
async def test_without_a_query_one_item_is_shown(lists: Lists, route: Route) -> None:
    whole, page = await lists.page(route, "l=255"), await lists.page(route, "")
    assert (page.hrefs, page.results, page.all) == (whole.hrefs[:1], 1, len(whole.items))


@pytest.mark.parametrize("route", FULL)
async def test_pages_one_after_the_other_are_the_list(lists: Lists, route: Route) -> None:
    whole = (await lists.page(route, "l=255")).hrefs
    for limit in (1, 2):
        found: list[str] = []
        while page := (await lists.page(route, f"s={len(found)}&l={limit}")).hrefs:
            found += page
        assert found == whole


@pytest.mark.parametrize("route", FULL)
async def test_a_shows_what_is_later_where_the_list_goes_by_time(lists: Lists, route: Route) -> None:
    whole = await lists.page(route, "l=255")
    times = sorted({time_of(route, item) for item in whole.items}) if route.after else [START]
    for after in {times[0] - 1, times[0], times[len(times) // 2], times[-1]}:
        page = await lists.page(route, f"l=255&a={after}")
        wanted = [item.href for item in whole.items if not takes_after(route) or time_of(route, item) > after]
        assert (page.hrefs, page.results, page.all) == (wanted, len(wanted), len(wanted))


@pytest.mark.parametrize("route", FULL)
async def test_a_goes_with_s_and_l(lists: Lists, route: Route) -> None:
    whole = await lists.page(route, "l=255")
    after = sorted(time_of(route, item) for item in whole.items)[0] if takes_after(route) else START
    rest = await lists.page(route, f"l=255&a={after}")
    page = await lists.page(route, f"a={after}&s=1&l=1")
    assert (page.hrefs, page.results, page.all) == (rest.hrefs[1:2], len(rest.hrefs[1:2]), len(rest.hrefs))


async def test_no_server_has_a_list_of_notifications(lists: Lists) -> None:
    client = await lists.house.client()
    assert ROUTES["NotificationList"].access is Access.OPERATOR
    assert (await client.get("/ntfy?l=255")).status in {404, 405}


async def test_there_is_one_response_set_and_nobody_adds_another(lists: Lists) -> None:
    page = await lists.page(ROUTES["ResponseSetList"], "l=255")
    assert (page.results, page.all) == (1, 1)
    with pytest.raises(BadRequest):
        await operate(lists.house.bench, resources.add, {"mRID": "AA"}, href="/rsps")


async def test_of_one_rate_component_one_interval_is_active(lists: Lists) -> None:
    route = ROUTES["ActiveTimeTariffIntervalList"]
    bench, listed = lists.house.bench, lists.house.places["TimeTariffIntervalList"]
    for tier in (1, 2, 3):
        bench.clock.advance(1)
        told = await operate(bench, resources.add, {"touTier": tier, "interval": NOW}, href=listed)
    page = await lists.page(route, "l=255")
    assert (page.hrefs, page.all) == ([told["href"]], 1)
    client = await lists.house.client()
    first = await client.read(lists.house.places["TimeTariffInterval"], TimeTariffInterval)
    assert first.EventStatus_.currentStatus == EventState.SUPERSEDED


def comparison(route: Route) -> Callable[[object, object], int]:
    """Whether an item goes before another (negative) by the keys of a list, read from the items alone."""

    def compare(one: object, other: object) -> int:
        for key in route.order:
            first, second = key_value(route, key.path, one), key_value(route, key.path, other)
            if first != second:
                return (1 if first > second else -1) * (-1 if key.descending else 1)
        return 0

    return compare


def deciding_key(route: Route, one: object, other: object) -> int:
    """The number of the first key in which two items differ."""
    for number, key in enumerate(route.order):
        if key_value(route, key.path, one) != key_value(route, key.path, other):
            return number
    return len(route.order)


def key_value(route: Route, path: str, item: object) -> Any:  # noqa: ANN401
    """What a key compares: numbers, hex as numbers, texts by their octets; nothing goes before something."""
    assert route.item is not None
    value: Any = item
    cls = route.item
    for name, attr in zip(path.split("."), attribute_path(route.item, path), strict=True):
        field = next(f for f in spec_of(cls) if f.name == name)
        value, cls = getattr(value, attr), field.target or cls
    is_hex = field.scalar is not None and field.scalar.primitive == "xs:hexBinary"
    if value is None:
        return (False, 0)
    if is_hex:
        return (True, int(value, 16))
    return (True, value.encode() if isinstance(value, str) else int(value))


def takes_after(route: Route) -> bool:
    """Whether `a` is defined: the first key is a time, and annex A has the parameter."""
    return route.after is not None


def time_of(route: Route, item: object) -> int:
    """The time that `a` compares with."""
    assert route.after is not None
    return int(key_value(route, route.after, item)[1])


def number_in(href: str) -> int:
    return int(href.rpartition("/")[2])
