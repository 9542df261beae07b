"""Mirrors of an aggregator and of who has meter data of the utility. IEEE 2030.5-2018, 10.11."""

from pathlib import Path

import pytest

from certs import Pki
from schemas import MeterReading, MirrorUsagePointList, UsagePoint, UsagePointList
from sep2_server.operator import resources
from sep2_server.rows import Role
from tests.integration.sep2_harness import START, Bench, running
from tests.integration.test_sep2_mirror import Meter, mirror, reading_of
from tests.integration.test_sep2_utility_meters import operation, utility_point

pytestmark = pytest.mark.usefixtures("each_database")


async def test_an_aggregator_has_room_for_the_mirrors_of_each_of_its_devices_and_its_own(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, mirror_usage_points_per_device=1) as bench:
        aggregator = await bench.enrol("aggregator-1", role=Role.AGGREGATOR)
        await bench.enrol("managed-1", aggregator=aggregator)
        client = await bench.client("aggregator-1")
        lfdis = [bench.credentials(name).lfdi for name in ("aggregator-1", "managed-1", "managed-1")]
        posted = [mirror(lfdi, mrid=f"B{number}") for number, lfdi in enumerate(lfdis)]
        statuses = [(await client.post("/mup", one)).status for one in posted]
        assert statuses[:2] == [201, 201]
        assert statuses[2] >= 400
        assert (await client.read("/mup", MirrorUsagePointList)).all == 2


async def test_a_mirror_takes_no_usage_point_of_the_utility_over(bench: Bench) -> None:
    _, client = await bench.device("meter-u")
    lfdi = bench.credentials("meter-u").lfdi
    made = await bench.do(operation(resources.add, "/upt", utility_point(lfdi, START)))
    before = await client.get(made["href"])
    point = await client.read(made["href"], UsagePoint)
    reply = await client.post("/mup", mirror(lfdi, reading_of(5), mrid=point.mRID))
    assert reply.status == 403
    assert (await client.get(made["href"])).body == before.body
    assert (await client.read("/mup", MirrorUsagePointList)).all == 0
    assert (await client.read("/upt", UsagePointList)).all == 1


async def test_a_meter_reading_has_the_version_that_its_device_posted_last(bench: Bench) -> None:
    _, client = await bench.device("meter-1")
    meter = Meter(bench, client, bench.credentials("meter-1").lfdi)
    mup = await meter.start()
    seen = []
    for version in (1, 2, None):
        posted = reading_of(5)
        posted.version = version
        assert (await client.post(mup, posted)).status == 201
        seen.append((await client.read(await meter.meter_reading(), MeterReading)).version)
    assert seen == [1, 2, 2]
