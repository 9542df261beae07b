"""Every method at every resource of the standard, with valid bodies. IEEE 2030.5-2018, annex A.

What a client may write is written: a value that it has read, a new item, the end of one made for that.
"""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from certs import Pki
from function_sets import METHODS, ROUTES, Mark, Route
from sep2_server.dispatch import allowed_methods
from tests.integration.house_items import ITEMS
from tests.integration.lived_in_house import SETTINGS, House, furnish
from tests.integration.sep2_harness import Client, Reply, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTED_BY_CLIENTS = {"NotificationList", "Notification"}
"""What annex A marks for the notified client, which hosts it."""
CELLS = [(route, method) for route in ROUTES.values() for method in METHODS]
DONE = [(r, m) for r, m in CELLS if m in allowed_methods(r)]
REFUSED = [(r, m) for r, m in CELLS if m not in allowed_methods(r)]
_numbers = count(1)


def cells(method: str) -> list[object]:
    return [pytest.param(route, id=route.id) for route, one in DONE if one == method]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> AsyncIterator[House]:
    async with running(tmp_path_factory.mktemp("matrix"), sep2_pki, profile="base", **SETTINGS) as bench:
        yield await furnish(bench, device="matrix", aggregator="matrix-aggregator")


async def writer(house: House, kind: str) -> Client:
    """Who posts there: the aggregator registers devices, all else is the device's own."""
    name = house.aggregator if kind == "EndDeviceList" else house.device
    return await house.bench.client(name)


async def posted(house: House, kind: str) -> Reply:
    number = next(_numbers) % 8 if kind == "SupportedLocaleList" else next(_numbers) + 1
    client = await writer(house, kind)
    return await client.post(house.places[kind], ITEMS[kind](house.known, number))


async def test_the_matrix_has_630_cells() -> None:
    assert (len(CELLS), len(DONE) + len(REFUSED)) == (630, 630)
    assert {r.id for r, m in REFUSED if r.methods[m] is Mark.MUST} <= HOSTED_BY_CLIENTS
    assert {r.id for r, m in DONE if r.methods[m] in {Mark.ERROR, Mark.DISCOURAGED}} == set()


@pytest.mark.parametrize(("route", "method"), [pytest.param(r, m, id=f"{r.id}-{m}") for r, m in REFUSED])
async def test_what_no_client_may_do_is_405_with_allow(house: House, route: Route, method: str) -> None:
    client = await house.client()
    path = house.places[route.id]
    got = await client.get(path)
    reply = await client.send(method, path, got.body if method in {"PUT", "POST"} else None)
    assert (reply.status, reply.headers["Allow"]) == (405, ", ".join(allowed_methods(route)))
    assert (await client.get(path)).body == got.body


@pytest.mark.parametrize("route", cells("GET"))
async def test_what_may_be_read_is_there_in_its_type(house: House, route: Route) -> None:
    client = await house.client()
    reply = await client.get(house.places[route.id])
    assert reply.status == 200
    assert isinstance(await client.read(house.places[route.id], route.type), route.type)


@pytest.mark.parametrize("route", cells("HEAD"))
async def test_head_has_the_headers_of_get_and_no_body(house: House, route: Route) -> None:
    client = await house.client()
    got = await client.get(house.places[route.id])
    head = await client.send("HEAD", house.places[route.id])
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "Date": ""} == {**got.headers, "Date": ""}


@pytest.mark.parametrize("route", cells("PUT"))
async def test_what_may_be_put_takes_the_value_that_it_has(house: House, route: Route) -> None:
    client = await house.client()
    path = house.places[route.id]
    value: object = await client.read(path, route.type)
    reply = await client.put(path, value)
    assert reply.status == 204
    assert await client.read(path, route.type) == value


@pytest.mark.parametrize("route", cells("POST"))
async def test_what_is_posted_can_be_read_at_its_location(house: House, route: Route) -> None:
    reply = await posted(house, route.id)
    assert reply.status == 201
    assert (await (await writer(house, route.id)).get(reply.location)).status == 200


@pytest.mark.parametrize("route", cells("DELETE"))
async def test_what_is_deleted_is_gone(house: House, route: Route) -> None:
    made = await posted(house, f"{route.id}List")
    client = await writer(house, f"{route.id}List")
    assert made.status == 201
    assert (await client.send("DELETE", made.location)).status == 204
    assert (await client.get(made.location)).status == 404
