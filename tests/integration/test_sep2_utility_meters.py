"""Meter data of the utility beside what clients send: what is forgotten, what stays, and no link to nothing.

IEEE 2030.5-2018, 10.10 (AssociatedUsagePoint), 10.11 (Metering Mirror).
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from certs import Pki
from schemas import DER, DERList, ReadingList, UsagePoint, UsagePointList
from sep2_server import tables
from sep2_server.operator import resources
from sep2_server.operator.desk import Desk
from sep2_server.operator.forgetting import forget
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Row
from tests.integration.sep2_harness import START, Bench, Client, running
from tests.integration.test_sep2_mirror import WATT, mirror, reading_of, reading_set

pytestmark = pytest.mark.usefixtures("each_database")
DAY = 86_400
OLD = START - 10 * DAY


def operation(run: Any, href: str, body: object = None) -> Any:  # noqa: ANN401 - of any operation
    """A job that runs an operation on a resource, as the operator API does."""

    def job(desk: Desk) -> Answer:
        answer: Answer = run(desk, Call(query={"href": href}, body=body, now=START))
        return answer

    return job


def utility_point(lfdi: str, start: int) -> dict[str, Any]:
    """A UsagePoint of the utility with one Reading."""
    period = {"start": start, "duration": 900}
    readings = {"timePeriod": period, "Reading": [{"value": 7, "timePeriod": period}]}
    kind = {"kind": 12, "uom": 72, "powerOfTenMultiplier": 0, "flowDirection": 1}
    meter = {"ReadingType": kind, "ReadingSet": [readings]}
    return {
        "deviceLFDI": lfdi,
        "roleFlags": "13",
        "serviceCategoryKind": 0,
        "status": 1,
        "MeterReading": [meter],
    }


async def furnish(bench: Bench, start: int) -> tuple[Row, Client, str, str]:
    """A device, its client, a point of the utility and one that mirrors the device; both have values."""
    row, client = await bench.device("meter-u")
    lfdi = bench.credentials("meter-u").lfdi
    made = await bench.do(operation(resources.add, "/upt", utility_point(lfdi, start)))
    posted = mirror(lfdi, reading_of(5), reading_set("D1", start, 1, 2, kind=WATT))
    assert (await client.post("/mup", posted)).status == 201
    points = (await client.read("/upt?l=9", UsagePointList)).UsagePoint_
    (mirrored,) = [point.href for point in points if point.mRID == "B1"]
    return row, client, str(made["href"]), str(mirrored)


async def associate(bench: Bench, client: Client, device: Row, point: str) -> str:
    """Let the DER of a device link to a point; the URI of the DER."""
    (der,) = (await client.read(f"{device.href}/der", DERList)).DER_
    await bench.do(operation(resources.change, f"{der.href}/upt", {"href": point}))
    assert (await linked(client, str(der.href))) == (200, point)
    return str(der.href)


async def linked(client: Client, der: str) -> tuple[int, str | None]:
    """What the link of a DER leads to: status, and URI of the point there. 0: there is no link."""
    link = (await client.read(der, DER)).AssociatedUsagePointLink_
    if link is None:
        assert (await client.get(f"{der}/upt")).status == 404
        return 0, None
    reply = await client.get(link.href)
    return reply.status, reply.decoded(UsagePoint).href if reply.status == 200 else None


async def values(bench: Bench, client: Client, point: str) -> list[int | None]:
    """The values in all ReadingSets of a point, as the device reads them."""
    found: list[int | None] = []
    for row in bench.store.reader.of_kind("ReadingSet"):
        if row.href.startswith(f"{point}/"):
            page = await client.read(f"{row.href}/r?l=99", ReadingList)
            found += [reading.value for reading in page.Reading_]
    return found


async def test_a_point_that_makes_room_takes_the_link_of_its_der_with_it(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, usage_points_per_device=1) as bench:
        device, client, utility, mirrored = await furnish(bench, START)
        der = await associate(bench, client, device, mirrored)
        (mup,) = bench.store.reader.of_kind("MirrorUsagePoint")
        assert (await client.send("DELETE", mup.href)).status == 204
        assert await linked(client, der) == (200, mirrored)
        lfdi = bench.credentials("meter-u").lfdi
        assert (await client.post("/mup", mirror(lfdi, mrid="B2"))).status == 201
        assert (await client.get(mirrored)).status == 404
        assert await linked(client, der) == (0, None)
        assert await values(bench, client, utility) == [7]
        await bench.do(operation(resources.change, f"{der}/upt", {"href": utility}))
        assert await linked(client, der) == (200, utility)


async def test_a_point_that_makes_room_takes_no_link_to_another_point(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, usage_points_per_device=1) as bench:
        device, client, utility, mirrored = await furnish(bench, START)
        der = await associate(bench, client, device, utility)
        (mup,) = bench.store.reader.of_kind("MirrorUsagePoint")
        assert (await client.send("DELETE", mup.href)).status == 204
        lfdi = bench.credentials("meter-u").lfdi
        assert (await client.post("/mup", mirror(lfdi, mrid="B2"))).status == 201
        assert (await client.get(mirrored)).status == 404
        assert await linked(client, der) == (200, utility)


async def test_what_a_client_sent_is_forgotten_and_what_the_utility_read_stays(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        device, client, utility, mirrored = await furnish(bench, START)
        der = await associate(bench, client, device, mirrored)
        call = Call(names={"device": "meter-u"}, body={"readings": True}, now=START)
        await bench.do(partial(forget, call=call))
        assert (await client.get(mirrored)).status == 404
        assert await linked(client, der) == (0, None)
        assert await values(bench, client, utility) == [7]
        points = (await client.read("/upt?l=9", UsagePointList)).UsagePoint_
        assert [point.href for point in points] == [utility]
        await bench.do(operation(resources.change, f"{der}/upt", {"href": utility}))
        await bench.do(partial(forget, call=call))
        assert await linked(client, der) == (200, utility)


@pytest.mark.parametrize("salt", ["", "pepper"])
async def test_the_clock_forgets_values_of_clients_alone(tmp_path: Path, sep2_pki: Pki, salt: str) -> None:
    async with running(tmp_path, sep2_pki, reading_retention_s=DAY, uri_salt=salt) as bench:
        await furnish_salted(bench)
        left = select(tables.reading.c.value, tables.reading.c.day)
        async with asyncio.timeout(10):
            bench.clock.set(START + 3601)
            while len(held := await bench.store.do(lambda tx: tx._db.all(tuple, left))) > 1:
                bench.server.keeper.wake()
                await asyncio.sleep(0.02)
        assert held == [(7, None)]
        kinds = [row.kind for row in bench.store.reader.of_kind("ReadingSet")]
        assert kinds == ["ReadingSet"]


async def furnish_salted(bench: Bench) -> None:
    """Old values of a client and of the utility, whatever the URIs look like."""
    _, client = await bench.device("meter-u")
    lfdi = bench.credentials("meter-u").lfdi
    of = bench.server.environment.uris.of
    made = await bench.do(operation(resources.add, of("UsagePointList"), utility_point(lfdi, OLD)))
    assert made["href"]
    posted = mirror(lfdi, reading_set("D1", OLD, 1, 2, kind=WATT))
    assert (await client.post(of("MirrorUsagePointList"), posted)).status == 201
