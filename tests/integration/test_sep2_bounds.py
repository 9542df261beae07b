"""What a client may do for ever must not grow for ever; what it says of one thing stays with that thing."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    Codec,
    DateTimeInterval,
    DERControlResponse,
    Error,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingType,
    Subscription,
    SubscriptionList,
    UsagePointList,
)
from schemas.codes import ErrorReason
from sep2_server.event_times import repair_due
from sep2_server.rows import Role
from tests.integration.sep2_harness import START, Bench, make_control, running
from tests.integration.test_sep2_durability import event

MRID = "0F" * 16
KINDS_BELOW = (
    "MeterReadingList",
    "MeterReading",
    "ReadingType",
    "LatestReading",
    "ReadingSetList",
    "ReadingSet",
)
"""What hangs on a UsagePoint."""


def mirror(lfdi: str, mrid: str, *readings: MirrorMeterReading) -> MirrorUsagePoint:
    return MirrorUsagePoint(
        mRID=mrid,
        roleFlags="49",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=lfdi,
        MirrorMeterReading_=list(readings),
    )


def meter_reading(mrid: str) -> MirrorMeterReading:
    return MirrorMeterReading(mRID=mrid, Reading_=Reading(value=1), ReadingType_=ReadingType(uom=38))


def readings_of(mrid: str) -> MirrorMeterReading:
    """A MirrorMeterReading with a set of two values and no latest one."""
    period = DateTimeInterval(start=START, duration=60)
    values = MirrorReadingSet(mRID="D1", timePeriod=period, Reading_=[Reading(value=1), Reading(value=2)])
    return MirrorMeterReading(mRID=mrid, MirrorReadingSet_=[values], ReadingType_=ReadingType(uom=38))


async def pass_time(bench: Bench, seconds: int) -> None:
    """Let time pass, and let the server write what it has changed."""
    bench.clock.advance(seconds)
    await bench.store.do(
        partial(repair_due, environment=bench.server.environment, now=bench.clock.now()),
    )


async def test_usage_points_without_a_mirror_make_room_for_new_ones(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, usage_points_per_device=3) as bench:
        _, client = await bench.device("many-1")
        lfdi = bench.credentials("many-1").lfdi
        kept = await client.post("/mup", mirror(lfdi, "A0"))
        for number in range(1, 8):
            reply = await client.post(
                "/mup", mirror(lfdi, f"A{number}", meter_reading("C1"), readings_of("C2"))
            )
            assert reply.status == 201
            assert (await client.send("DELETE", reply.location)).status == 204
        page = await client.read("/upt?l=255", UsagePointList)
        assert (page.all, [point.mRID for point in page.UsagePoint_]) == (3, ["A7", "A6", "A0"])
        left = {kind: len(bench.store.reader.of_kind(kind)) for kind in KINDS_BELOW}
        assert left == {
            "MeterReadingList": 3,
            "MeterReading": 4,
            "ReadingType": 4,
            "LatestReading": 2,
            "ReadingSetList": 4,
            "ReadingSet": 2,
        }
        assert (await client.get(kept.location)).status == 200


async def test_a_mirror_of_another_device_keeps_no_usage_point(tmp_path: Path, sep2_pki: Pki) -> None:
    """Both chose the same mRIDs."""
    async with running(tmp_path, sep2_pki, usage_points_per_device=1) as bench:
        _, other = await bench.device("many-2")
        _, client = await bench.device("many-1")
        for number in range(3):
            made = mirror(bench.credentials("many-2").lfdi, f"A{number}")
            assert (await other.post("/mup", made)).status == 201
            reply = await client.post("/mup", mirror(bench.credentials("many-1").lfdi, f"A{number}"))
            assert (await client.send("DELETE", reply.location)).status == 204
        page = await client.read("/upt?l=255", UsagePointList)
        assert [point.mRID for point in page.UsagePoint_] == ["A2"]
        assert (await other.read("/upt?l=255", UsagePointList)).all == 3


async def test_a_usage_point_has_so_many_meter_readings_and_no_more(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, meter_readings_per_usage_point=2) as bench:
        _, client = await bench.device("many-1")
        lfdi = bench.credentials("many-1").lfdi
        made = await client.post("/mup", mirror(lfdi, "A0", meter_reading("C1"), meter_reading("C2")))
        again = await client.post(made.location, meter_reading("C2"))
        refused = await client.post(made.location, meter_reading("C3"))
        assert (made.status, again.status, refused.status) == (201, 201, 400)
        assert refused.decoded(Error).reasonCode == ErrorReason.RESOURCE_LIMIT_REACHED


async def test_a_mirror_keeps_its_mrid(bench: Bench) -> None:
    _, client = await bench.device("many-1")
    lfdi = bench.credentials("many-1").lfdi
    made = await client.post("/mup", mirror(lfdi, "A0"))
    replies = [await client.put(made.location, mirror(lfdi, mrid)) for mrid in ("A1", "00a0")]
    assert [reply.status for reply in replies] == [400, 204]
    assert (await client.read("/upt", UsagePointList)).all == 1


async def test_reports_of_an_event_go_with_its_history(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, event_history_s=86_400) as bench:
        _, client = await bench.device("many-1")
        _, program = await bench.group("all", "many-1")
        await bench.control(program, make_control(MRID, START, 60))
        sets = bench.store.reader.of_kind("ResponseSet")
        answer = DERControlResponse(
            endDeviceLFDI=bench.credentials("many-1").lfdi, status=1, subject=MRID, createdDateTime=START
        )
        assert (await client.post(f"{sets[0].href}/rsp", answer)).status == 201
        await pass_time(bench, 60)
        done = replace(answer, status=3)
        assert (await client.post(f"{sets[0].href}/rsp", done)).status == 201, "it is over, and is answered"
        await pass_time(bench, 86_399)
        assert [report.status for report in bench.store.reader.reports(MRID)] == [1, 3]
        await pass_time(bench, 1)
        assert bench.store.reader.reports(MRID) == []


async def test_an_aggregator_answers_only_for_devices_that_have_the_event(bench: Bench) -> None:
    boss = await bench.enrol("boss", role=Role.AGGREGATOR)
    await bench.enrol("many-1", aggregator=boss)
    await bench.enrol("many-2", aggregator=boss)
    _, program = await bench.group("one", "many-1")
    await bench.control(program, make_control(MRID, START, 60))
    client = await bench.client("boss")
    href = f"{bench.store.reader.of_kind('ResponseSet')[0].href}/rsp"
    statuses = [
        (
            await client.post(
                href, DERControlResponse(endDeviceLFDI=bench.credentials(name).lfdi, status=1, subject=MRID)
            )
        ).status
        for name in ("many-1", "many-2", "boss")
    ]
    assert statuses == [201, 400, 400]


@pytest.mark.parametrize("resource", ["/dcap", "/rsps", "/tm"])
async def test_what_is_not_subscribable_cannot_be_subscribed_to(
    tmp_path: Path, sep2_pki: Pki, resource: str
) -> None:
    async with running(tmp_path, sep2_pki, notification_hosts="127.0.0.1") as bench:
        await refused_subscription(bench, resource)


async def refused_subscription(bench: Bench, resource: str) -> None:
    row, client = await bench.device("many-1")
    asked = Subscription(
        subscribedResource=resource,
        encoding=0,
        level="+S1",
        limit=1,
        notificationURI="https://127.0.0.1:1/ntfy",
    )
    reply = await client.post(f"{row.href}/sub", asked)
    assert (reply.status, reply.decoded(Error).reasonCode) == (400, ErrorReason.INVALID_VALUES)
    assert (await client.read(f"{row.href}/sub", SubscriptionList)).all == 0


async def test_a_larger_body_is_taken_as_soon_as_the_settings_are_renewed(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        row, client = await bench.device("bounds-1")
        body = Codec().encode(event(1)).replace(b"><", b">%s<" % (b" " * 1_500_000), 1)
        assert (await client.send("POST", f"{row.href}/lel", body)).status == 400
        bench.server.renew(replace(bench.server.settings, most_octets=2 << 20))
        assert (await client.send("POST", f"{row.href}/lel", body)).status == 201
        bench.server.renew(replace(bench.server.settings, most_octets=1 << 20))
        assert (await client.send("POST", f"{row.href}/lel", body)).status == 400
