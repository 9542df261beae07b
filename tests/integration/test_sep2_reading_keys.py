"""Readings are known by their keys, whatever comes together in one body. IEEE 2030.5-2018, 10.11."""

import pytest

from schemas import DateTimeInterval, MirrorMeterReading, MirrorMeterReadingList, Reading
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


async def test_of_a_bare_reading_of_one_time_the_last_value_is_kept_and_a_repeated_one_is_not_told(
    meter: Meter,
) -> None:
    period = DateTimeInterval(start=START, duration=60)
    posted = MirrorMeterReading(mRID="C1", ReadingType_=WATT, Reading_=Reading(value=7, timePeriod=period))
    mup = await meter.start(posted)
    reader = meter.bench.store.reader
    row = reader.by_href(await meter.meter_reading())
    assert row is not None
    seen = []
    for value in (7, 8, 8):
        before = reader.last_change()
        posted.Reading_ = Reading(value=value, timePeriod=period)
        assert (await meter.client.post(mup, posted)).status == 201
        values = [stored.value for stored in reader.readings(row.id)]
        seen.append((values, "Reading" in {change.kind for change in reader.changes(before)}))
    assert seen == [([7], False), ([8], True), ([8], False)]


async def test_a_set_that_comes_again_with_fewer_values_has_no_more(meter: Meter) -> None:
    mup = await meter.start()
    for values in ((1, 2, 3), (1, 2), (1, 2, 4)):
        assert (await meter.client.post(mup, reading_set("D1", START, *values, kind=WATT))).status == 201
        assert await meter.values() == list(values)
    assert (await meter.sets()).all == 1


async def test_what_is_posted_again_is_not_written_or_told(meter: Meter) -> None:
    period = DateTimeInterval(start=START, duration=60)
    posted = MirrorMeterReading(mRID="C1", ReadingType_=WATT, Reading_=Reading(value=7, timePeriod=period))
    mup = await meter.start(posted)
    before = meter.bench.store.reader.last_change()
    assert (await meter.client.post(mup, posted)).status == 201
    assert meter.bench.store.reader.changes(before) == []
