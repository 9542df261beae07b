"""Subscriptions with a Condition: told when a reading leaves its window and when it comes back.

IEEE 2030.5-2018, 14. Every value comes in as a meter posts it, over mutual TLS.
"""

from dataclasses import dataclass

import pytest

from schemas import (
    Condition,
    Error,
    MeterReadingList,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingList,
    ReadingSetList,
    Subscription,
    UsagePointList,
)
from schemas.codes import ErrorReason
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import Listener, settled
from tests.integration.sep2_harness import START, Bench, Client, Reply
from tests.integration.test_sep2_mirror import mirror, reading_of, reading_set

STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""
LOW, HIGH = -10, 100
INSIDE, BELOW, ABOVE = 50, -11, 101


@dataclass
class Meter:
    """A device with a mirror, its latest Reading and the list of its first ReadingSet."""

    bench: Bench
    client: Client
    listener: Listener
    mup: str
    sub: str
    meter_reading: str

    @property
    def latest(self) -> str:
        return f"{self.meter_reading}/r"

    async def reads(self, value: int) -> None:
        """Post a value as the latest; what it leads to has been delivered."""
        await self._post(reading_of(value))

    async def records(self, start: int, *values: int) -> None:
        """Post the ReadingSet `D1`; what it leads to has been delivered."""
        await self._post(reading_set("D1", start, *values))

    async def subscribe(self, resource: str, condition: Condition | None, limit: int = 10) -> Reply:
        return await self.client.post(
            self.sub,
            Subscription(
                subscribedResource=resource,
                Condition_=condition,
                encoding=0,
                level="+S1",
                limit=limit,
                notificationURI=self.listener.uri,
            ),
        )

    def values(self) -> list[int | None]:
        """The latest value of each notification so far."""
        return [_value(posted.decoded().Resource_) for posted in self.listener.posted]

    async def _post(self, reading: MirrorMeterReading) -> None:
        reply = await self.client.post(self.mup, reading)
        assert reply.status in {201, 204}
        await settled(self.bench)


def _value(resource: object) -> int | None:
    if isinstance(resource, ReadingList):
        return resource.Reading_[-1].value
    assert isinstance(resource, Reading)
    return resource.value


def window(low: int = LOW, high: int = HIGH, attribute: int = 0) -> Condition:
    return Condition(attributeIdentifier=attribute, lowerThreshold=low, upperThreshold=high)


@pytest.fixture
async def meter(told: Bench, subscriber: Subscriber) -> Meter:
    client, lfdi = subscriber.client, told.credentials("one").lfdi
    posted: MirrorUsagePoint = mirror(lfdi, reading_of(INSIDE))
    mup = await client.post("/mup", posted)
    assert mup.status == 201
    (point,) = (await client.read("/upt", UsagePointList)).UsagePoint_
    assert point.MeterReadingListLink_ is not None
    (held,) = (await client.read(point.MeterReadingListLink_.href, MeterReadingList)).MeterReading_
    await settled(told)
    return Meter(
        told, client, subscriber.listener, mup.location, f"{subscriber.row.href}/sub", str(held.href)
    )


@STORED
async def test_a_value_is_told_when_it_leaves_the_window_and_when_it_comes_back(meter: Meter) -> None:
    assert (await meter.subscribe(meter.latest, window())).status == 201
    for value in (LOW, HIGH, INSIDE, ABOVE, ABOVE + 1, BELOW, INSIDE, LOW, BELOW, HIGH):
        await meter.reads(value)
    assert meter.values() == [ABOVE, INSIDE, BELOW, HIGH]


@STORED
async def test_a_value_that_is_outside_from_the_start_is_told_once_it_comes_back(meter: Meter) -> None:
    await meter.reads(ABOVE)
    await meter.subscribe(meter.latest, window())
    for value in (ABOVE + 1, BELOW, INSIDE):
        await meter.reads(value)
    assert meter.values() == [INSIDE]


async def test_without_a_condition_every_change_of_a_reading_is_told(meter: Meter) -> None:
    await meter.subscribe(meter.latest, None)
    for value in (INSIDE + 1, INSIDE + 2):
        await meter.reads(value)
    assert meter.values() == [INSIDE + 1, INSIDE + 2]


@STORED
async def test_the_newest_reading_of_a_list_is_held_against_the_window(meter: Meter) -> None:
    await meter.records(START - 300, INSIDE)
    (one,) = (await meter.client.read(f"{meter.meter_reading}/rs", ReadingSetList)).ReadingSet_
    assert one.ReadingListLink_ is not None
    await meter.subscribe(one.ReadingListLink_.href, window(), limit=100)
    await meter.records(START - 300, INSIDE, HIGH)
    await meter.records(START - 300, ABOVE, HIGH)
    assert meter.values() == []
    await meter.records(START - 300, INSIDE, HIGH, ABOVE)
    assert meter.values() == [ABOVE]


@pytest.mark.parametrize("threshold", [-(2**47), 2**47 - 1], ids=["lowest Int48", "highest Int48"])
async def test_thresholds_reach_as_far_as_values_do(meter: Meter, threshold: int) -> None:
    made = await meter.subscribe(meter.latest, window(threshold, threshold))
    assert made.status == 201
    held = (await meter.client.read(made.location, Subscription)).Condition_
    assert held == window(threshold, threshold)
    await meter.reads(threshold)
    assert meter.values() == [threshold]


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (window(attribute=1), ErrorReason.CONDITION_NOT_SUPPORTED),
        (window(attribute=255), ErrorReason.CONDITION_NOT_SUPPORTED),
        (window(HIGH, LOW), ErrorReason.INVALID_VALUES),
    ],
    ids=["attribute 1", "attribute 255", "no window"],
)
async def test_a_condition_that_cannot_be_held_is_refused(
    meter: Meter, condition: Condition, reason: ErrorReason
) -> None:
    refused = await meter.subscribe(meter.latest, condition)
    assert (refused.status, refused.decoded(Error).reasonCode) == (400, reason)


@pytest.mark.parametrize("below", ["", "/rs", "/rt"], ids=["MeterReading", "ReadingSetList", "ReadingType"])
async def test_a_condition_on_anything_but_readings_is_refused(meter: Meter, below: str) -> None:
    refused = await meter.subscribe(meter.meter_reading + below, window())
    assert refused.status == 400


@pytest.mark.parametrize("path", ["/edev", "/upt", "/derp"])
async def test_a_condition_on_a_list_of_other_things_has_reason_3(meter: Meter, path: str) -> None:
    refused = await meter.subscribe(path, window())
    assert refused.status == 400
    assert refused.decoded(Error).reasonCode == ErrorReason.CONDITION_NOT_SUPPORTED


async def test_readings_say_that_they_can_be_watched_both_ways(meter: Meter) -> None:
    assert (await meter.client.read(meter.latest, Reading)).subscribable == 3


@STORED
async def test_another_window_holds_from_when_it_was_put(meter: Meter) -> None:
    made = await meter.subscribe(meter.latest, window())
    await meter.reads(ABOVE)
    wider = Subscription(
        subscribedResource=meter.latest,
        Condition_=window(high=1000),
        encoding=0,
        level="+S1",
        limit=1,
        notificationURI=meter.listener.uri,
    )
    assert (await meter.client.put(made.location, wider)).status == 204
    for value in (ABOVE + 1, 1001, 1000):
        await meter.reads(value)
    assert meter.values() == [ABOVE, 1001, 1000]
