"""EndDevices that an older program has stored show the links of what is served now."""

import re
from pathlib import Path

import pytest

from certs import Pki
from schemas import EndDevice, EndDeviceList
from sep2_server.operator.device_changes import change
from sep2_server.operator.router import Call
from sep2_server.rows import Role
from sep2_server.transaction import Transaction
from tests.integration.sep2_harness import START, Bench, running

pytestmark = pytest.mark.usefixtures("each_database")
LATER = re.compile(
    rb"<(?:ConfigurationLink|FileStatusLink|IPInterfaceListLink|LoadShedAvailabilityListLink"
    rb"|FlowReservation\w+ListLink|SubscriptionListLink) [^>]*/>"
)


@pytest.mark.parametrize("function_sets", ["all", "-cfg"])
async def test_an_old_end_device_has_the_links_of_a_new_one(
    tmp_path: Path, sep2_pki: Pki, function_sets: str
) -> None:
    async with running(tmp_path, sep2_pki, function_sets=function_sets) as bench:
        row, client = await bench.device("old-1")
        new = await client.read(row.href, EndDevice)

        def forget_links(tx: Transaction) -> int:
            held = tx.by_id(row.id)
            assert held is not None
            body = LATER.sub(b"", held.body)
            tx.replace(held, held._replace(body=body))
            return len(held.body) - len(body)

        assert await bench.store.do(forget_links) > 0
        assert await client.read(row.href, EndDevice) == new
        assert (await client.read("/edev?l=9", EndDeviceList)).EndDevice_ == [new]
        assert (new.ConfigurationLink_ is None) == (function_sets == "-cfg")
        assert new.SubscriptionListLink_ is not None


@pytest.mark.parametrize("managed", [False, True])
async def test_a_device_that_an_aggregator_speaks_for_has_a_subscription_list_by_setting_only(
    tmp_path: Path, sep2_pki: Pki, managed: bool
) -> None:
    async with running(tmp_path, sep2_pki, managed_subscription_lists=managed) as bench:
        above = await bench.enrol("links-aggregator", role=Role.AGGREGATOR)
        below = await bench.enrol("links-managed", aggregator=above)
        client = await bench.client("links-aggregator")
        assert (await client.read(above.href, EndDevice)).SubscriptionListLink_ is not None
        link = (await client.read(below.href, EndDevice)).SubscriptionListLink_
        assert (link is not None) is managed


async def test_a_device_that_is_let_go_by_its_aggregator_finds_its_subscription_list_in_pages_too(
    bench: Bench,
) -> None:
    above = await bench.enrol("links-aggregator", role=Role.AGGREGATOR)
    below = await bench.enrol("links-managed", aggregator=above)
    client = await bench.client("links-managed")
    call = Call(names={"device": "links-managed"}, body={"aggregator": ""}, now=START)
    links = []
    for _ in range(2):
        page = await client.read("/edev?l=9", EndDeviceList)
        links.append([one.SubscriptionListLink_ for one in page.EndDevice_ if one.href == below.href])
        await bench.do(lambda desk: change(desk, call))
    assert links[0] == [None]
    assert links[1] != [None]


@pytest.mark.parametrize("managed", [False, True])
async def test_a_device_that_comes_under_an_aggregator_has_its_subscription_list_by_setting_only(
    tmp_path: Path, sep2_pki: Pki, managed: bool
) -> None:
    async with running(tmp_path, sep2_pki, managed_subscription_lists=managed) as bench:
        await bench.enrol("links-aggregator", role=Role.AGGREGATOR)
        row, _ = await bench.device("links-moved")
        call = Call(
            names={"device": "links-moved"}, query={}, body={"aggregator": "links-aggregator"}, now=START
        )
        await bench.do(lambda desk: change(desk, call))
        client = await bench.client("links-aggregator")
        link = (await client.read(row.href, EndDevice)).SubscriptionListLink_
        page = await client.read("/edev?l=9", EndDeviceList)
        in_page = {one.href: one.SubscriptionListLink_ is not None for one in page.EndDevice_}
        assert (link is not None, in_page[row.href]) == (managed, managed)
