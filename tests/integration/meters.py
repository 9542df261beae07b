"""Devices that mirror their meters, and what they and their aggregator read of them."""

from collections.abc import Callable

from schemas import (
    MeterReadingList,
    MirrorMeterReading,
    Reading,
    ReadingList,
    ReadingSetList,
    UsagePoint,
    UsagePointList,
)
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Role
from tests.integration.sep2_harness import Bench, Reply
from tests.integration.test_sep2_mirror import mirror

Operation = Callable[[Desk, Call], Answer]


class Meters:
    """Two devices of an aggregator, a third device of its own, and what they post and read."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    async def start(self) -> None:
        aggregator = await self.bench.enrol("mirror-agg", role=Role.AGGREGATOR)
        for name in ("mirror-1", "mirror-2"):
            await self.bench.enrol(name, aggregator=aggregator)
        await self.bench.enrol("mirror-3")

    def lfdi(self, name: str) -> str:
        return self.bench.credentials(name).lfdi

    async def post(self, name: str, path: str, value: object) -> Reply:
        return await (await self.bench.client(name)).post(path, value)

    async def mirror(
        self, name: str, *readings: MirrorMeterReading, mrid: str = "B1", of: str | None = None
    ) -> Reply:
        """The answer to a MirrorUsagePoint of a device, or of another one."""
        return await self.post(name, "/mup", mirror(self.lfdi(of or name), *readings, mrid=mrid))

    async def points(self, name: str) -> list[UsagePoint]:
        return (await (await self.bench.client(name)).read("/upt?l=255", UsagePointList)).UsagePoint_

    async def meter_readings(self, name: str) -> MeterReadingList:
        """The MeterReadings of the only UsagePoint that a client sees."""
        (point,) = await self.points(name)
        assert point.MeterReadingListLink_ is not None
        client = await self.bench.client(name)
        return await client.read(f"{point.MeterReadingListLink_.href}?l=255", MeterReadingList)

    async def sets(self, name: str) -> ReadingSetList:
        """The ReadingSets of the first of them."""
        link = (await self.meter_readings(name)).MeterReading_[0].ReadingSetListLink_
        assert link is not None
        return await (await self.bench.client(name)).read(f"{link.href}?l=255", ReadingSetList)

    async def values(self, name: str, number: int = 0) -> list[Reading]:
        link = (await self.sets(name)).ReadingSet_[number].ReadingListLink_
        assert link is not None
        return (await (await self.bench.client(name)).read(f"{link.href}?l=255", ReadingList)).Reading_

    async def latest(self, name: str) -> Reading:
        link = (await self.meter_readings(name)).MeterReading_[0].ReadingLink_
        assert link is not None
        return await (await self.bench.client(name)).read(link.href, Reading)

    async def operate(self, run: Operation, body: object = None, **names: str) -> Answer:
        def job(desk: Desk) -> Answer:
            return run(desk, Call(names=names, body=body, now=self.bench.clock.now()))

        return await self.bench.do(job)
