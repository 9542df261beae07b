"""Subscriptions where a device changes hands, and to lists that are put together out of others."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from schemas import (
    Condition,
    DateTimeInterval,
    EndDevice,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingSetList,
    ReadingType,
    SubscriptionList,
)
from sep2_server.operator import billing, device_changes, programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.requests import ChangeDevice
from sep2_server.operator.router import Call
from sep2_server.rows import Role
from tests.integration.notifications.listening import Listener, listening, settled, wish
from tests.integration.sep2_harness import START, Bench, make_control, running
from tests.integration.test_sep2_csip_aus_pricing import Shop

pytestmark = pytest.mark.usefixtures("each_database")
LOCAL: dict[str, Any] = {"notification_gap_ms": 0, "notification_hosts": "127.0.0.1"}


async def change(bench: Bench, name: str, **asked: object) -> None:
    def job(desk: Desk) -> object:
        return device_changes.apply(desk, desk.client(name), ChangeDevice(**asked), name)  # type: ignore[arg-type]

    await bench.do(job)
    await settled(bench)


def told(listener: Listener) -> list[tuple[str, int]]:
    """Resources and status of what was posted, which is forgotten."""
    found = [one.decoded() for one in listener.posted]
    listener.posted.clear()
    return sorted((one.subscribedResource, one.status) for one in found)


async def test_a_device_that_changes_hands_is_told_of_what_it_sees_from_then_on(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **LOCAL) as bench:
        boss = await bench.enrol("boss", role=Role.AGGREGATOR)
        await bench.enrol("one", aggregator=boss)
        client, lfdi = await bench.client("one"), bench.credentials("one").lfdi
        href = next(row.href for row in bench.store.reader.of_kind("EndDevice") if row.id != boss.id)
        async with listening(bench.credentials("one")) as listener:
            for path in ("/edev", "/upt"):
                assert (await client.post(f"{href}/sub", wish(path, listener.uri))).status == 201
            for number, aggregator in enumerate(("", "boss", "")):
                bench.clock.advance(10)
                await change(bench, "one", aggregator=aggregator)
                device = await client.read(href, EndDevice)
                assert device.changedTime == bench.clock.now()
                told(listener)
                mirror = MirrorUsagePoint(
                    mRID=f"AB{number:02}", roleFlags="0049", serviceCategoryKind=0, status=1, deviceLFDI=lfdi
                )
                assert (await client.post("/mup", mirror)).status == 201
                await change(bench, "one", post_rate_s=77 + number)
                assert {path for path, _ in told(listener)} == {"/edev", "/upt"}, (number, aggregator)


@pytest.mark.parametrize("lists", [True, False])
async def test_an_aggregator_that_loses_a_device_is_told_nothing_more_in_its_list(
    tmp_path: Path, sep2_pki: Pki, lists: bool
) -> None:
    async with running(tmp_path, sep2_pki, **LOCAL, managed_subscription_lists=lists) as bench:
        boss = await bench.enrol("boss", role=Role.AGGREGATOR)
        await bench.enrol("other", role=Role.AGGREGATOR)
        one = await bench.enrol("one", aggregator=boss)
        await bench.enrol("two", aggregator=boss)
        _, program = await bench.group("feeder", "two")
        first, second = await bench.client("boss"), await bench.client("other")
        place = one.href if lists else boss.href
        async with listening(bench.credentials("boss")) as listener:
            for path in ("/edev", f"{program.href}/derc"):
                assert (await first.post(f"{place}/sub", wish(path, listener.uri))).status == 201
            await change(bench, "one", aggregator="other")
            if lists:
                assert told(listener) == [(f"{program.href}/derc", 1), ("/edev", 1)]
                seen = await second.read(f"{one.href}/sub?l=9", SubscriptionList)
                assert seen.Subscription_ == []
            told(listener)
            await bench.control(program, make_control("C1", START, 600))
            await settled(bench)
            assert told(listener) == ([] if lists else [(f"{program.href}/derc", 0)])


async def test_who_subscribes_to_billing_readings_is_told_of_those_of_all_accounts(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **LOCAL, function_sets="all") as bench:
        row, client = await bench.device("one")
        await bench.group("house", "one")

        async def done(way: object, body: object, **names: str) -> dict[str, str]:
            call = Call(names=names, body=body, now=bench.clock.now())
            made: dict[str, str] = await bench.do(lambda desk: way(desk, call))  # type: ignore[operator]
            await settled(bench)
            return made

        async def agreement() -> str:
            account = await done(billing.add_account, {"currency": 978}, group="house")
            made = await done(billing.add_agreement, {"serviceLocation": "x"}, account=account["mRID"])
            return made["mRID"]

        async def add(to: str, at: int) -> None:
            period = {"start": at, "duration": 60}
            await done(
                billing.add_readings,
                {
                    "kind": "historical",
                    "ReadingType": {"uom": 72},
                    "BillingReading": [{"value": 9, "timePeriod": period}],
                },
                agreement=to,
            )

        known = await agreement()
        await add(known, START - 1000)
        async with listening(bench.credentials("one")) as listener:
            assert (await client.post(f"{row.href}/sub", wish("/brs", listener.uri))).status == 201
            await add(known, START)
            assert told(listener) == [("/brs", 0)]
            later = await agreement()
            told(listener)
            await add(later, START + 60)
            assert told(listener) == [("/brs", 0)]


async def test_who_subscribes_to_all_intervals_of_a_tariff_is_told_of_those_of_each_component(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **LOCAL, profile="csip_aus_v1.3") as bench:
        shop = Shop(bench)
        await shop.open()
        await shop.component("RC")
        device = await bench.do(lambda desk: desk.end_device(desk.client("price-1")))
        await shop.interval("RC", START, 600, 5)
        async with listening(bench.credentials("price-1")) as listener:
            path = f"{shop.tariff}/ctti"
            assert (await shop.client.post(f"{device.href}/sub", wish(path, listener.uri))).status == 201

            async def heard() -> int:
                await settled(bench)
                number = len(listener.posted)
                listener.posted.clear()
                return number

            await shop.interval("RC", START + 1000, 600, 7)
            assert await heard() == 1
            await shop.component("LATER")
            await heard()
            await shop.interval("LATER", START + 2000, 600, 7)
            assert await heard() == 1


async def test_a_condition_is_held_against_the_reading_with_the_highest_local_id(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **LOCAL) as bench:
        row, client = await bench.device("one")
        mirror = MirrorUsagePoint(
            mRID="AB",
            roleFlags="0049",
            serviceCategoryKind=0,
            status=1,
            deviceLFDI=bench.credentials("one").lfdi,
        )
        place = (await client.post("/mup", mirror)).location

        async def post(*readings: tuple[str, int]) -> str:
            held = MirrorReadingSet(
                mRID="D1",
                timePeriod=DateTimeInterval(start=START, duration=300),
                Reading_=[Reading(value=value, localID=local) for local, value in readings],
            )
            body = MirrorMeterReading(mRID="C1", ReadingType_=ReadingType(uom=38), MirrorReadingSet_=[held])
            reply = await client.post(place, body)
            await settled(bench)
            return reply.location

        sets = await client.read(f"{await post(('00', 50))}/rs?l=9", ReadingSetList)
        link = sets.ReadingSet_[0].ReadingListLink_
        assert link is not None
        async with listening(bench.credentials("one")) as listener:
            window = Condition(attributeIdentifier=0, lowerThreshold=-10, upperThreshold=100)
            asked = replace(wish(link.href, listener.uri), Condition_=window, limit=9)
            assert (await client.post(f"{row.href}/sub", asked)).status == 201
            await post(("02", 500), ("01", 50), ("00", 50))
            assert len(listener.posted) == 1
            await post(("02", 50), ("01", 50), ("00", 500))
            assert len(listener.posted) == 2


async def test_what_is_there_and_no_longer_seen_is_not_told_as_deleted(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, **LOCAL) as bench:
        row, client = await bench.device("one")
        group, program = await bench.group("feeder", "one")
        async with listening(bench.credentials("one")) as listener:
            for path in (f"{program.href}/derc", f"{program.href}/actderc"):
                assert (await client.post(f"{row.href}/sub", wish(path, listener.uri))).status == 201
            await bench.do(lambda desk: programs.unassign(desk, group, desk.client("one")))
            await bench.control(program, make_control("C1", START, 600))
            await settled(bench)
            assert told(listener) == [(f"{program.href}/actderc", 1), (f"{program.href}/derc", 1)]
