"""Pricing of CSIP-AUS v1.3: the combined list of intervals, with prices in them, over mutual TLS."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from certs import Pki
from schemas import (
    DeviceCapability,
    EndDeviceList,
    FunctionSetAssignmentsList,
    ListLink,
    PriceResponse,
    RateComponent,
    ReadingType,
    TariffProfileList,
    TimeTariffIntervalList,
    csip_aus,
)
from sep2_server.event_times import repair_due
from sep2_server.migrations import FORMAT_OPTION
from sep2_server.operator import resources
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.router import Call
from sep2_server.rows import EVERYBODY, Span
from sep2_server.transaction import Transaction
from tests.integration.lived_in_house import operate
from tests.integration.sep2_harness import START, Bench, Client, running

pytestmark = pytest.mark.usefixtures("each_database")
V13: dict[str, Any] = {"profile": "csip_aus_v1.3"}
TARIFF = {"primacy": 0, "serviceCategoryKind": 0, "currency": 36, "pricePowerOfTenMultiplier": 0}
VERSIONS = {"/aus12": "csip_aus_v1.2", "/storage": "csip_aus_v1.3_storage"}
NS = b'xmlns:csipaus="https://csipaus.org/ns/v1.3"'


class Shop:
    """An operator who sells energy, and one device that reads the prices; `components` by tag."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.tariff = ""
        self.components: dict[str, str] = {}

    async def open(self, **tariff: object) -> None:
        await self.bench.device("price-1")
        await self.bench.group("price", "price-1")
        self.tariff = await self.add("/tp", {**TARIFF, **tariff}, group="price")

    async def add(self, at: str, body: object, **query: str) -> str:
        call = {"href": at, **query}
        told = await self.bench.do(
            lambda desk: resources.add(desk, Call(query=call, body=body, now=self.bench.clock.now()))
        )
        return str(told["href"])

    async def component(self, tag: str, **kind: int) -> str:
        body = {"roleFlags": "00", "ReadingType": {"uom": 72, "powerOfTenMultiplier": 0, **kind}}
        self.components[tag] = await self.add(f"{self.tariff}/rc", body)
        return self.components[tag]

    async def interval(self, tag: str, start: int, duration: int, *prices: int, step: int = 100) -> str:
        """An interval with a price for each block, which begin every `step` units."""
        blocks = [
            {"consumptionBlock": number, "startValue": step * number, "price": price}
            for number, price in enumerate(prices)
        ]
        body = {
            "touTier": 0,
            "interval": {"start": start, "duration": duration},
            "ConsumptionTariffInterval": blocks,
        }
        return await self.add(f"{self.components[tag]}/tti", body)

    async def cancel(self, href: str) -> None:
        await operate(self.bench, resources.cancel, {}, href=href)

    @property
    def client(self) -> Client:
        return self.bench.clients["price-1"]

    async def combined(self, query: str = "l=255", at: str = "") -> tuple[Any, list[Any]]:
        """The combined list of the tariff and its items."""
        page = await self.client.read(f"{at}{self.tariff}/ctti?{query}", TimeTariffIntervalList)
        return page, page.TimeTariffInterval_


@pytest_asyncio.fixture
async def shop(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Shop]:
    async with running(tmp_path, sep2_pki, **V13) as bench:
        made = Shop(bench)
        await made.open()
        yield made


def prices_of(interval: Any) -> list[tuple[int, int]]:  # noqa: ANN401
    summary = interval.ConsumptionTariffIntervalListSummary
    assert summary.all == summary.results == len(summary.ConsumptionTariffInterval_)
    return [(block.startValue, block.price) for block in summary.ConsumptionTariffInterval_]


async def test_prc_01_a_client_finds_all_intervals_of_a_tariff_with_their_prices(shop: Shop) -> None:
    await shop.component("RC1", commodity=2, flowDirection=1)
    await shop.component("RC2", commodity=2, flowDirection=19)
    await shop.interval("RC1", START + 300, 300, 2)
    await shop.interval("RC2", START, 600, -3)
    shop.bench.clock.advance(1)
    await shop.interval("RC1", START, 300, 1)
    client = shop.client
    capability = await client.read("/dcap", DeviceCapability)
    assert capability.EndDeviceListLink_ is not None
    device = (await client.read(capability.EndDeviceListLink_.href, EndDeviceList)).EndDevice_[0]
    assert device.FunctionSetAssignmentsListLink_ is not None
    assigned = await client.read(device.FunctionSetAssignmentsListLink_.href, FunctionSetAssignmentsList)
    tariffs = assigned.FunctionSetAssignments_[0].TariffProfileListLink_
    assert tariffs is not None
    tariff: Any = (await client.read(tariffs.href, TariffProfileList)).TariffProfile_[0]
    link: ListLink = tariff.CombinedTimeTariffIntervalListLink
    page = await client.read(f"{link.href}?l=255", TimeTariffIntervalList)
    items: list[Any] = list(page.TimeTariffInterval_)
    assert (link.all, page.all, page.results) == (3, 3, 3)
    assert [(one.interval.start, prices_of(one)) for one in items] == [
        (START, [(0, 1)]),
        (START, [(0, -3)]),
        (START + 300, [(0, 2)]),
    ]
    flows = []
    for one in items:
        component = await client.read(one.RateComponentLink.href, RateComponent)
        flows.append((await client.read(component.ReadingTypeLink_.href, ReadingType)).flowDirection)
    assert flows == [1, 19, 1]


async def test_prc_02_blocks_negative_prices_and_charges_by_day(shop: Shop) -> None:
    await shop.component("RC-1", flowDirection=1, powerOfTenMultiplier=3)
    await shop.component("RC-4", uom=int(csip_aus.TimeUnit.DAY))
    made = [
        await shop.interval("RC-1", START + 7200, 300, 1, 2),
        await shop.interval("RC-1", START + 7500, 300, -1_000_001),
        await shop.interval("RC-4", START + 7200, 172_800, 10),
    ]
    _, items = await shop.combined()
    assert {one.href: prices_of(one) for one in items} == {
        made[0]: [(0, 1), (100, 2)],
        made[1]: [(0, -1_000_001)],
        made[2]: [(0, 10)],
    }
    for href in made:
        await shop.cancel(href)
    _, items = await shop.combined()
    assert [one.EventStatus_.currentStatus for one in items] == [2, 2, 2]


@pytest.mark.parametrize("unit", list(csip_aus.TimeUnit))
async def test_units_of_time_are_taken(shop: Shop, unit: csip_aus.TimeUnit) -> None:
    href = await shop.component("RC", uom=int(unit))
    assert (await shop.client.read(f"{href}/rt", ReadingType)).uom == unit


async def test_prc_04_a_client_answers_intervals_and_their_cancellation(shop: Shop) -> None:
    await shop.component("RC-1")
    kept = await shop.interval("RC-1", START, 120, 2)
    gone = await shop.interval("RC-1", START + 3600, 3600, 1)
    _, items = await shop.combined()
    own = shop.bench.credentials("price-1").lfdi
    for one in items:
        assert (one.responseRequired, one.replyTo is not None) == ("03", True)
        told = PriceResponse(createdDateTime=START, endDeviceLFDI=own, status=1, subject=one.mRID)
        assert (await shop.client.post(one.replyTo, told)).status == 201
    await shop.cancel(gone)
    _, items = await shop.combined()
    (cancelled,) = [one for one in items if one.EventStatus_.currentStatus == 2]
    told = PriceResponse(createdDateTime=START, endDeviceLFDI=own, status=6, subject=cancelled.mRID)
    assert (cancelled.href, (await shop.client.post(cancelled.replyTo, told)).status) == (gone, 201)
    counts = (await operate(shop.bench, resources.responses, href=gone))["counts"]
    assert counts == {"1": 1, "6": 1}
    assert (await operate(shop.bench, resources.responses, href=kept))["counts"] == {"1": 1}


async def test_prc_05_components_come_and_go(shop: Shop) -> None:
    assert (await shop.combined())[0].all == 0
    first = await shop.component("RC-1")
    assert (await shop.combined())[0].all == 0
    await shop.interval("RC-1", START, 120, 1)
    assert [prices_of(one) for one in (await shop.combined())[1]] == [[(0, 1)]]
    await shop.component("RC-2", flowDirection=19)
    await shop.interval("RC-2", START, 300, 2)
    assert (await shop.combined())[0].all == 2
    shop.bench.clock.advance(180)
    await operate(shop.bench, resources.delete, href=first, force="true")
    assert [prices_of(one) for one in (await shop.combined())[1]] == [[(0, 2)]]


async def test_a_price_that_changes_is_shown_at_once(shop: Shop) -> None:
    await shop.component("RC")
    href = await shop.interval("RC", START + 60, 120, 1)
    assert prices_of((await shop.combined())[1][0]) == [(0, 1)]
    added = await shop.add(f"{href}/cti", {"consumptionBlock": 1, "startValue": 50, "price": 7})
    assert prices_of((await shop.combined())[1][0]) == [(0, 1), (50, 7)]
    await operate(shop.bench, resources.change, {"price": 8}, href=added)
    assert prices_of((await shop.combined())[1][0]) == [(0, 1), (50, 8)]


async def test_pages_and_a_go_over_all_components(shop: Shop) -> None:
    for tag in ("RC-1", "RC-2", "RC-3"):
        await shop.component(tag)
    for number, tag in enumerate(("RC-3", "RC-1", "RC-2", "RC-1", "RC-3", "RC-2")):
        await shop.interval(tag, START + 600 * (number + 1), 600, number)
    whole, items = await shop.combined()
    assert [one.interval.start for one in items] == [START + 600 * n for n in range(1, 7)]
    for start in range(8):
        page, shown = await shop.combined(f"s={start}&l=2")
        assert [one.href for one in shown] == [one.href for one in items[start : start + 2]]
        assert (page.all, page.results) == (whole.all, len(shown))
    page, shown = await shop.combined(f"l=9&a={START + 1800}")
    assert ([one.href for one in shown], page.all) == ([one.href for one in items[3:]], 3)


async def test_time_moves_the_intervals_of_all_components(shop: Shop) -> None:
    for tag, start in (("RC-1", 60), ("RC-2", 120)):
        await shop.component(tag)
        await shop.interval(tag, START + start, 60, 1)
    seen = []
    for _ in range(4):
        _, items = await shop.combined()
        seen.append([one.EventStatus_.currentStatus for one in items])
        shop.bench.clock.advance(60)
    assert seen == [[0, 0], [1, 0], [1], []]


async def test_the_link_stands_last_and_counts(shop: Shop) -> None:
    await shop.component("RC")
    await shop.interval("RC", START, 60, 1)
    body = (await shop.client.get(shop.tariff)).body
    link = f'<csipaus:CombinedTimeTariffIntervalListLink href="{shop.tariff}/ctti" all="1"/></TariffProfile>'
    assert body.endswith(link.encode())
    assert NS in body


async def test_a_client_of_the_base_schema_gets_no_extension(shop: Shop) -> None:
    await shop.component("RC")
    await shop.interval("RC", START, 60, 1)
    for path in (shop.tariff, f"{shop.tariff}/ctti"):
        reply = await shop.client.get(path, Accept="application/sep+xml;level=-S1")
        assert (reply.status, b"csipaus" in reply.body) == (200, False)


async def test_nobody_writes_there_and_no_other_client_reads_it(shop: Shop) -> None:
    await shop.component("RC")
    href = f"{shop.tariff}/ctti"
    body = (await shop.client.get(href)).body
    for method in ("PUT", "POST", "DELETE"):
        reply = await shop.client.send(method, href, None if method == "DELETE" else body)
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
    _, other = await shop.bench.device("price-2")
    assert (await other.get(href)).status == 404
    with pytest.raises(BadRequest):
        await shop.add(href, {"touTier": 0, "interval": {"start": "now", "duration": 60}})


async def test_the_operator_reads_the_combined_list_too(shop: Shop) -> None:
    for tag, start in (("RC-1", 60), ("RC-2", 0)):
        await shop.component(tag)
        await shop.interval(tag, START + start, 60, 1)
    told = await operate(shop.bench, resources.show, href=f"{shop.tariff}/ctti")
    items = told["items"]
    assert isinstance(items, list)
    starts = [one["resource"]["interval"]["start"] for one in items if isinstance(one, dict)]  # type: ignore[index,call-overload]
    assert starts == [START, START + 60]


async def test_prices_stand_elsewhere_only_where_the_rule_says_so(tmp_path: Path, sep2_pki: Pki) -> None:
    mounts = {"/sum": {"name": "csip_aus_v1.3", "price_summary": "all"}}
    async with running(tmp_path, sep2_pki, mounts=mounts, **V13) as bench:
        shop = Shop(bench)
        await shop.open()
        await shop.component("RC")
        href = await shop.interval("RC", START, 60, 5)
        for path in (href, href.rpartition("/")[0], f"{shop.components['RC']}/acttti"):
            assert b"ListSummary" not in (await shop.client.get(path)).body
            shown = (await shop.client.get(f"/sum{path}")).body
            assert b"<price>5</price>" in shown
            assert f'<csipaus:RateComponentLink href="/sum{shop.components["RC"]}"/>'.encode() in shown


@pytest.mark.parametrize("salt", ["", "pepper"])
async def test_other_versions_know_nothing_of_it(tmp_path: Path, sep2_pki: Pki, salt: str) -> None:
    others = {name: {"name": profile, "function_sets": ["tp"]} for name, profile in VERSIONS.items()}
    mounts = {**others, "/aus13": "csip_aus_v1.3"}
    async with running(tmp_path, sep2_pki, mounts=mounts, function_sets="tp", uri_salt=salt) as bench:
        await bench.device("price-1")
        await bench.group("price", "price-1")
        shop = Shop(bench)
        uris = bench.server.environment.uris
        shop.tariff = await shop.add(uris.of("TariffProfileList"), TARIFF, group="price")
        place = uris.find(shop.tariff)
        assert place is not None
        combined = uris.of("CombinedTimeTariffIntervalList", place.parts)
        for path in ("", *VERSIONS):
            assert b"<csipaus:" not in (await shop.client.get(f"{path}{shop.tariff}")).body
            assert (await shop.client.get(f"{path}{combined}")).status == 404
        shown = (await shop.client.get(f"/aus13{shop.tariff}")).body
        assert f'href="/aus13{combined}"'.encode() in shown
        assert (await shop.client.get(f"/aus13{combined}")).status == 200


PRICED = ("TimeTariffInterval", "ConsumptionTariffIntervalList", "ConsumptionTariffInterval")


async def amounts(bench: Bench) -> list[int]:
    """How many intervals, lists of prices and prices are stored."""
    return await bench.store.ask(lambda reader: [len(reader.of_kind(kind, limit=99)) for kind in PRICED])


async def priced(bench: Bench, *starts: int) -> None:
    """Intervals of two prices each, whatever the URIs look like."""
    uris, shop = bench.server.environment.uris, Shop(bench)

    def below(kind: str, href: str) -> str:
        place = uris.find(href)
        assert place is not None
        return uris.of(kind, place.parts)

    await bench.device("price-1")
    await bench.group("price", "price-1")
    tariff = await shop.add(uris.of("TariffProfileList"), TARIFF, group="price")
    kind = {"roleFlags": "00", "ReadingType": {"uom": 72}}
    component = await shop.add(below("RateComponentList", tariff), kind)
    prices = [{"consumptionBlock": number, "startValue": number, "price": number + 1} for number in range(2)]
    for start in starts:
        interval = {"start": start, "duration": 10}
        body = {"touTier": 0, "interval": interval, "ConsumptionTariffInterval": prices}
        await shop.add(below("TimeTariffIntervalList", component), body)


@pytest.mark.parametrize("salt", ["", "pepper"])
async def test_with_an_interval_that_is_forgotten_its_prices_go(
    tmp_path: Path, sep2_pki: Pki, salt: str
) -> None:
    async with running(tmp_path, sep2_pki, **V13, event_history_s=86_400, uri_salt=salt) as bench:
        await priced(bench, START, START + 10, START + 200_000)
        assert await amounts(bench) == [3, 3, 6]
        bench.clock.set(START + 100_000)
        while await bench.store.do(
            partial(repair_due, environment=bench.server.environment, now=START + 100_000)
        ):
            pass
        assert await amounts(bench) == [1, 1, 2]


@pytest.mark.parametrize("salt", ["", "pepper"])
async def test_prices_that_format_13_has_left_are_gone_once_its_database_is_opened(
    tmp_path: Path, sep2_pki: Pki, salt: str
) -> None:
    tallies = text("SELECT count(*) FROM tally WHERE list_id NOT IN (SELECT id FROM resource)")

    def leave(tx: Transaction) -> None:
        for row in tx.of_kind("TimeTariffInterval", limit=2):
            tx.delete(row)
        tx._db.control("DROP TABLE removal")
        tx._db.control("DROP INDEX resource_points")
        tx.put_option(FORMAT_OPTION, "13")

    async with running(tmp_path, sep2_pki, **V13, uri_salt=salt) as bench:
        await priced(bench, START, START + 10, START + 20)
        left = await bench.store.do(lambda tx: tx._db.number(tallies))
        await bench.store.do(leave)
        assert await amounts(bench) == [1, 3, 6]
    async with running(tmp_path, sep2_pki, **V13, uri_salt=salt) as bench:
        assert await amounts(bench) == [1, 1, 2]
        (listed,) = bench.store.reader.of_kind("ConsumptionTariffIntervalList")
        assert bench.store.reader.count(Span(list_id=listed.id, scope=EVERYBODY)) == 2
        assert await bench.store.do(lambda tx: tx._db.number(tallies)) == left
