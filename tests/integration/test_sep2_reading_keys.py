"""Readings are known by their keys, whatever comes together in one body. IEEE 2030.5-2018, 10.11."""

import pytest

from schemas import MirrorMeterReadingList
from tests.integration.sep2_harness import START, Bench
from tests.integration.test_sep2_mirror import WATT, Meter, reading_set

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
async def meter(bench: Bench) -> Meter:
    _, client = await bench.device("meter-1")
    return Meter(bench, client, bench.credentials("meter-1").lfdi)


async def test_a_set_that_stands_twice_in_one_body_is_stored_once_as_it_is_last(meter: Meter) -> None:
    mup = await meter.start()
    twice = [reading_set("D1", START, *values, kind=WATT) for values in ((1, 2), (1, 2), (5, 6))]
    posted = MirrorMeterReadingList(all=3, results=3, MirrorMeterReading_=twice)
    assert (await meter.client.post(mup, posted)).status == 201
    assert (await meter.sets()).all == 1
    assert await meter.values() == [5, 6]
