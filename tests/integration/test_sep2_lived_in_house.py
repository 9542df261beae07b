"""One device has one of everything, and reads all of it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import select

from certs import Pki
from function_sets import ROUTES
from sep2_server.keeper import REPORTED
from sep2_server.tables import resource
from tests.integration.lived_in_house import SETTINGS, House, furnish
from tests.integration.sep2_harness import running

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOSTED_BY_CLIENTS = {"NotificationList", "Notification"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> AsyncIterator[House]:
    async with running(tmp_path_factory.mktemp("house"), sep2_pki, profile="csip_aus", **SETTINGS) as bench:
        yield await furnish(bench)


async def test_a_device_reads_each_of_the_126_resources(house: House) -> None:
    client = await house.client()
    got = {kind: await client.get(house.places[kind]) for kind in ROUTES}
    assert len(got) == 126
    assert {kind for kind, reply in got.items() if reply.status != 200} == HOSTED_BY_CLIENTS


async def test_what_is_there_is_of_the_type_that_is_declared(house: House) -> None:
    client = await house.client()
    for kind in ROUTES.keys() - HOSTED_BY_CLIENTS:
        assert isinstance(await client.read(house.places[kind], ROUTES[kind].type), ROUTES[kind].type)


async def test_each_list_has_an_item(house: House) -> None:
    client = await house.client()
    lists = [kind for kind, route in ROUTES.items() if route.is_list and kind not in HOSTED_BY_CLIENTS]
    found: dict[str, int] = {
        kind: (await client.read(house.places[kind], ROUTES[kind].type)).all for kind in lists
    }
    assert {kind for kind, number in found.items() if number == 0} == set()


async def test_time_alone_changes_nothing_that_devices_report(house: House) -> None:
    """So that the clock task need not look after each report."""
    moving = select(resource.c.kind).where(resource.c.next_at.is_not(None)).distinct()
    rows = await house.bench.store.ask(lambda reader: reader._db.run(moving).fetchall())
    assert rows
    assert REPORTED.isdisjoint(row[0] for row in rows)
