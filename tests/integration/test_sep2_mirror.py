"""Mirror usage points: what a device posts and what readers then find. IEEE 2030.5-2018, 10.11."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    Codec,
    DateTimeInterval,
    DeviceCapability,
    Error,
    MeterReadingList,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorReadingSet,
    MirrorUsagePoint,
    MirrorUsagePointList,
    Reading,
    ReadingList,
    ReadingSetList,
    ReadingType,
    UsagePointList,
)
from sep2_server.commits import Job
from sep2_server.messages import Answer, Request
from sep2_server.rows import Change, Role
from tests.integration.sep2_harness import START, Bench, Client, Reply, running

pytestmark = pytest.mark.usefixtures("each_database")
WATT = ReadingType(commodity=1, kind=37, uom=38, powerOfTenMultiplier=0)


def mirror(lfdi: str, *readings: MirrorMeterReading, mrid: str = "B1", status: int = 1) -> MirrorUsagePoint:
    return MirrorUsagePoint(
        mRID=mrid,
        roleFlags="49",
        serviceCategoryKind=0,
        status=status,
        deviceLFDI=lfdi,
        MirrorMeterReading_=list(readings),
    )


def reading_of(value: int, *, kind: ReadingType | None = WATT, mrid: str = "C1") -> MirrorMeterReading:
    return MirrorMeterReading(mRID=mrid, Reading_=Reading(value=value), ReadingType_=kind)


def reading_set(mrid: str, start: int, *values: int, kind: ReadingType | None = None) -> MirrorMeterReading:
    readings = [
        Reading(
            localID=f"{n:02X}", value=value, timePeriod=DateTimeInterval(start=start + 60 * n, duration=60)
        )
        for n, value in enumerate(values)
    ]
    period = DateTimeInterval(start=start, duration=60 * len(values))
    one = MirrorReadingSet(mRID=mrid, timePeriod=period, Reading_=readings)
    return MirrorMeterReading(mRID="C1", MirrorReadingSet_=[one], ReadingType_=kind)


class Meter:
    """A device with its mirror."""

    def __init__(self, bench: Bench, client: Client, lfdi: str) -> None:
        self.bench = bench
        self.client = client
        self.lfdi = lfdi

    async def start(self, *readings: MirrorMeterReading) -> str:
        reply = await self.client.post("/mup", mirror(self.lfdi, *readings))
        assert reply.status == 201
        return reply.location

    async def meter_reading(self) -> str:
        """URI of the only MeterReading."""
        points = await self.client.read("/upt", UsagePointList)
        link = points.UsagePoint_[0].MeterReadingListLink_
        assert link is not None
        page = await self.client.read(link.href, MeterReadingList)
        assert page.all == 1
        return str(page.MeterReading_[0].href)

    async def sets(self) -> ReadingSetList:
        return await self.client.read(await self.meter_reading() + "/rs?l=255", ReadingSetList)

    async def values(self, start: int = 0) -> list[int | None]:
        """Values of the newest ReadingSet."""
        link = (await self.sets()).ReadingSet_[start].ReadingListLink_
        assert link is not None
        page = await self.client.read(link.href + "?l=255", ReadingList)
        assert page.all == page.results == link.all
        return [reading.value for reading in page.Reading_]


@pytest.fixture
async def meter(bench: Bench) -> Meter:
    _, client = await bench.device("meter-1")
    return Meter(bench, client, bench.credentials("meter-1").lfdi)


async def test_a_new_mirror_is_created_and_shows_its_first_level(meter: Meter) -> None:
    href = await meter.start(reading_of(5))
    shown = await meter.client.read(href, MirrorUsagePoint)
    assert shown == MirrorUsagePoint(
        href=href,
        mRID="B1",
        roleFlags="49",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=meter.lfdi,
        postRate=300,
    )
    assert (await meter.client.read("/mup?l=9", MirrorUsagePointList)).MirrorUsagePoint_ == [shown]


async def test_a_known_mirror_is_overwritten_with_204_and_its_location(meter: Meter) -> None:
    href = await meter.start()
    reply = await meter.client.post("/mup", mirror(meter.lfdi.lower(), mrid="00b1", status=0))
    assert (reply.status, reply.location) == (204, href)
    assert (await meter.client.read(href, MirrorUsagePoint)).status == 0
    assert (await meter.client.read("/mup", MirrorUsagePointList)).all == 1
    assert (await meter.client.read("/upt", UsagePointList)).UsagePoint_[0].status == 0


async def test_a_mirror_for_another_device_is_403(meter: Meter) -> None:
    await meter.bench.enrol("meter-2")
    other = meter.bench.credentials("meter-2").lfdi
    for lfdi in (other, "AB" * 20):
        reply = await meter.client.post("/mup", mirror(lfdi))
        assert (reply.status, reply.decoded(Error).reasonCode) == (403, 1)
    assert (await meter.client.read("/mup", MirrorUsagePointList)).all == 0
    assert (await meter.client.read("/upt", UsagePointList)).all == 0


async def test_an_aggregator_mirrors_for_its_devices(bench: Bench) -> None:
    aggregator = await bench.enrol("meter-agg", role=Role.AGGREGATOR)
    await bench.enrol("meter-managed", aggregator=aggregator)
    client = await bench.client("meter-agg")
    lfdi = bench.credentials("meter-managed").lfdi
    assert (await client.post("/mup", mirror(lfdi))).status == 201
    page = await client.read("/upt", UsagePointList)
    assert (page.all, page.UsagePoint_[0].deviceLFDI) == (1, lfdi)


async def test_a_bare_reading_replaces_the_former_one(meter: Meter) -> None:
    href = await meter.start(reading_of(5))
    reply = await meter.client.post(href, reading_of(7, kind=None))
    assert reply.status == 201
    place = await meter.meter_reading()
    assert reply.location == place
    assert (await meter.client.read(f"{place}/r", Reading)).value == 7
    assert (await meter.client.read(f"{place}/rt", ReadingType)).uom == 38


async def test_a_new_meter_reading_without_a_type_is_400_and_leaves_nothing(meter: Meter) -> None:
    href = await meter.start()
    several = MirrorMeterReadingList(
        all=2, results=2, MirrorMeterReading_=[reading_of(1), reading_of(2, kind=None, mrid="C2")]
    )
    reply = await meter.client.post(href, several)
    assert (reply.status, reply.decoded(Error).reasonCode) == (400, 1)
    points = await meter.client.read("/upt", UsagePointList)
    link = points.UsagePoint_[0].MeterReadingListLink_
    assert link is not None
    assert link.all == 0


async def test_reading_sets_are_added_newest_first(meter: Meter) -> None:
    href = await meter.start(reading_of(5))
    for number, start in enumerate((START, START + 300, START + 150)):
        reply = await meter.client.post(href, reading_set(f"D{number}", start, number, number))
        assert reply.status == 201
    sets = await meter.sets()
    assert [s.timePeriod.start for s in sets.ReadingSet_] == [START + 300, START + 150, START]
    assert await meter.values() == [1, 1]


async def test_a_known_reading_set_is_replaced(meter: Meter) -> None:
    href = await meter.start(reading_of(5))
    await meter.client.post(href, reading_set("D1", START, 1, 2, 3))
    await meter.client.post(href, reading_set("D1", START, 8, 9))
    assert (await meter.sets()).all == 1
    assert await meter.values() == [8, 9]


async def test_one_reading_has_its_own_uri_and_later_ones_can_be_asked_for(meter: Meter) -> None:
    href = await meter.start(reading_of(5))
    await meter.client.post(href, reading_set("D1", START, 1, 2, 3))
    link = (await meter.sets()).ReadingSet_[0].ReadingListLink_
    assert link is not None
    page = await meter.client.read(f"{link.href}?l=9&a={START}", ReadingList)
    assert [reading.value for reading in page.Reading_] == [2, 3]
    one = await meter.client.read(str(page.Reading_[0].href), Reading)
    assert one == page.Reading_[0]
    assert (await meter.client.get(f"{link.href}/99")).status == 404
    assert (await meter.client.get(f"{link.href}/x")).status == 404


async def test_readings_in_the_mirror_itself_are_taken(meter: Meter) -> None:
    await meter.start(reading_set("D1", START, 4, 5, kind=WATT))
    assert await meter.values() == [4, 5]


async def test_a_mirror_may_be_put_and_posted_to_itself(meter: Meter) -> None:
    href = await meter.start(reading_of(1))
    assert (await meter.client.put(href, mirror(meter.lfdi, reading_of(2), status=0))).status == 204
    assert (await meter.client.post(href, mirror(meter.lfdi, reading_of(3)))).status == 204
    assert (await meter.client.read(f"{await meter.meter_reading()}/r", Reading)).value == 3
    refused: Reply = await meter.client.put(href, reading_of(9))
    assert refused.status == 400


async def test_a_mirror_cannot_be_put_for_another_device(bench: Bench) -> None:
    aggregator = await bench.enrol("meter-agg", role=Role.AGGREGATOR)
    await bench.enrol("meter-managed", aggregator=aggregator)
    client = await bench.client("meter-agg")
    reply = await client.post("/mup", mirror(bench.credentials("meter-managed").lfdi))
    refused = await client.put(reply.location, mirror(bench.credentials("meter-agg").lfdi))
    assert refused.status == 403


async def test_what_was_mirrored_stays_when_the_mirror_is_deleted(meter: Meter) -> None:
    href = await meter.start(reading_of(5))
    assert (await meter.client.send("DELETE", href)).status == 204
    assert (await meter.client.get(href)).status == 404
    assert (await meter.client.read(f"{await meter.meter_reading()}/r", Reading)).value == 5
    again = await meter.client.post("/mup", mirror(meter.lfdi))
    assert again.status == 201
    assert (await meter.client.read("/upt", UsagePointList)).all == 1


async def test_a_mirror_whose_usage_point_is_gone_is_404(meter: Meter) -> None:
    href = await meter.start(reading_of(5))
    points = await meter.client.read("/upt", UsagePointList)
    copy = meter.bench.store.reader.by_href(str(points.UsagePoint_[0].href))
    assert copy is not None
    await meter.bench.store.do(lambda tx: tx.delete(copy))
    assert (await meter.client.post(href, reading_of(6))).status == 404


async def test_old_reading_sets_are_forgotten_and_no_more_mirrors_than_allowed(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    settings = {"reading_sets_kept": 2, "mirror_usage_points_per_device": 1, "post_rate_s": 60}
    async with running(tmp_path_factory.mktemp("mirror"), sep2_pki, **settings) as bench:
        _, client = await bench.device("meter-1")
        meter = Meter(bench, client, bench.credentials("meter-1").lfdi)
        assert (await client.read("/dcap", DeviceCapability)).MirrorUsagePointListLink_ is not None
        href = await meter.start(reading_of(5))
        assert (await client.read("/dcap", DeviceCapability)).MirrorUsagePointListLink_ is None
        assert (await client.read(href, MirrorUsagePoint)).postRate == 60
        for number in range(4):
            await client.post(href, reading_set(f"D{number}", START + number * 300, number))
        sets = await meter.sets()
        assert [s.mRID for s in sets.ReadingSet_] == ["D3", "D2"]
        refused = await client.post("/mup", mirror(meter.lfdi, mrid="B2"))
        assert (refused.status, refused.decoded(Error).reasonCode) == (400, 2)


async def test_what_a_later_post_leaves_out_stays(meter: Meter) -> None:
    first = reading_of(5)
    first.description, first.version = "real power", 3
    href = await meter.start(first)
    await meter.client.post(href, reading_of(6, kind=None))
    page = await meter.client.read((await meter.meter_reading()).rpartition("/")[0], MeterReadingList)
    assert (page.MeterReading_[0].description, page.MeterReading_[0].version) == ("real power", 3)
    second = reading_of(7, kind=None)
    second.description = "power"
    await meter.client.post(href, second)
    page = await meter.client.read((await meter.meter_reading()).rpartition("/")[0], MeterReadingList)
    assert (page.MeterReading_[0].description, page.MeterReading_[0].version) == ("power", 3)


async def test_a_list_with_one_reading_that_cannot_be_leaves_nothing(meter: Meter) -> None:
    href = await meter.start(reading_of(5))
    posted = MirrorMeterReadingList(
        all=2, results=2, MirrorMeterReading_=[reading_of(9), reading_of(1, kind=None, mrid="C9")]
    )
    assert (await meter.client.post(href, posted)).status == 400
    latest = await meter.client.read(f"{await meter.meter_reading()}/r", Reading)
    assert latest.value == 5


async def test_the_same_readings_posted_by_16_requests_at_once_are_stored_once(meter: Meter) -> None:
    mup = await meter.start()
    posted = reading_set("D1", START, 1, 2, 3, kind=WATT)
    async with asyncio.TaskGroup() as posters:
        tasks = [posters.create_task(meter.client.post(mup, posted)) for _ in range(16)]
    assert {task.result().status for task in tasks} == {201}
    assert len({task.result().location for task in tasks}) == 1
    assert (await meter.sets()).all == 1
    assert sorted(filter(None, await meter.values())) == [1, 2, 3]


async def test_posts_of_one_new_set_in_one_commit_replace_each_other(meter: Meter) -> None:
    """They have no reading in common."""
    mup = await meter.start()
    await meter.client.post(mup, reading_set("D0", START, 9, kind=WATT))
    store, dispatcher = meter.bench.store, meter.bench.server.dispatchers[0]

    def job_of(name: str, value: int) -> Answer | Job[Answer]:
        posted = reading_set("D1", START + 600, value)
        posted.MirrorReadingSet_[0].Reading_[0].localID = name
        body = Codec().encode(posted)
        asked = Request("POST", mup, meter.lfdi, START, "", body, "application/sep+xml", None, "x")
        return dispatcher.answer(store.reader, asked)

    told = [
        store.begin_short(job) for job in (job_of("00", 1), job_of("05", 2)) if not isinstance(job, Answer)
    ]
    assert [(await one).status for one in told] == [201, 201]
    assert await meter.values() == [2]


async def test_the_same_bare_reading_posted_by_16_requests_is_one_of_its_series(meter: Meter) -> None:
    mup = await meter.start()
    period = DateTimeInterval(start=START, duration=60)
    posted = MirrorMeterReading(
        mRID="C1", ReadingType_=WATT, Reading_=Reading(value=7, timePeriod=period, localID="01")
    )
    async with asyncio.TaskGroup() as posters:
        tasks = [posters.create_task(meter.client.post(mup, posted)) for _ in range(16)]
    assert {task.result().status for task in tasks} == {201}
    row = meter.bench.store.reader.by_href(await meter.meter_reading())
    assert row is not None
    later = DateTimeInterval(start=START + 60, duration=60)
    posted.Reading_ = Reading(value=8, timePeriod=later, localID="02")
    await meter.client.post(mup, posted)
    assert sorted(stored.value or 0 for stored in meter.bench.store.reader.readings(row.id)) == [7, 8]


async def test_new_values_are_in_the_change_feed_and_repeated_ones_are_not(meter: Meter) -> None:
    mup = await meter.start()
    await meter.client.post(mup, reading_set("D1", START, 1, 2, kind=WATT))
    before = meter.bench.store.reader.last_change()
    await meter.client.post(mup, reading_set("D1", START, 1, 2))
    assert meter.bench.store.reader.changes(before) == []
    await meter.client.post(mup, reading_set("D1", START, 1, 5))
    kinds = [change.kind for change in meter.bench.store.reader.changes(before)]
    assert kinds == ["ReadingList"]
    assert sorted(filter(None, await meter.values())) == [1, 5]


async def test_readings_of_days_that_are_over_long_enough_are_forgotten(meter: Meter) -> None:
    day = 86_400
    mup = await meter.start()
    for n in range(3):
        await meter.client.post(mup, reading_set(f"D{n}", START + n * day, n + 1, kind=WATT))
    last_day = (START + 2 * day) // day
    store = meter.bench.store
    assert await store.do(lambda tx: tx.forget_readings(last_day, 1)) == 1
    assert await store.do(lambda tx: tx.forget_readings(last_day, 100)) == 1
    assert await store.do(lambda tx: tx.forget_readings(last_day, 100)) == 0
    assert (await meter.sets()).all == 1
    assert await meter.values() == [3]


@pytest.mark.usefixtures("each_database")
@pytest.mark.parametrize("start", [START * 1_000_000, 2**63 - 61, -(2**63)])
async def test_readings_of_a_time_that_is_no_day_of_ours_are_stored(
    tmp_path: Path, sep2_pki: Pki, start: int
) -> None:
    """A meter that tells microseconds, or whose clock is broken altogether."""
    async with running(tmp_path, sep2_pki) as bench:
        _, client = await bench.device("meter-1")
        meter = Meter(bench, client, bench.credentials("meter-1").lfdi)
        mup = await meter.start()
        assert (await client.post(mup, reading_set("D1", start, 7, kind=WATT))).status == 201
        assert await meter.values() == [7]
        assert await bench.store.do(lambda tx: tx.forget_readings(START // 86_400, 1)) == (start < 0)


async def test_the_clock_task_forgets_old_readings(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, reading_retention_s=86_400) as bench:
        credentials = bench.credentials("meter-old")
        _, client = await bench.device("meter-old")
        meter = Meter(bench, client, credentials.lfdi)
        mup = await meter.start()
        gone, asyncio_loop = asyncio.Event(), asyncio.get_running_loop()
        bench.store.listen(lambda changes: _when_gone(changes, gone, asyncio_loop))
        await meter.client.post(mup, reading_set("D1", START - 10 * 86_400, 1, kind=WATT))
        bench.clock.set(START + 3601)
        bench.server.keeper.wake()
        async with asyncio.timeout(10):
            await gone.wait()
        assert (await meter.sets()).all == 0


def _when_gone(changes: Sequence[Change], gone: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    if any(change.kind == "ReadingSet" and change.version == 0 for change in changes):
        loop.call_soon_threadsafe(gone.set)
