"""No answer from memory is older than an acknowledged write, however many write and read at once."""

import asyncio
import threading
from functools import partial
from pathlib import Path
from random import Random

import pytest

from certs import Pki
from schemas import (
    DERControlList,
    DERProgram,
    DERStatus,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    LogEvent,
    LogEventList,
    OperationalModeStatusType,
)
from sep2_server.end_devices import add_der, remove_end_device
from sep2_server.event_times import event_of
from sep2_server.listing import Listing
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.rows import Role, Row
from tests.integration.sep2_harness import START, Bench, Client, make_control, running

pytestmark = pytest.mark.usefixtures("each_database")
ROUNDS = 60


def event(number: int) -> LogEvent:
    return LogEvent(
        createdDateTime=START + number,
        functionSet=11,
        logEventCode=0,
        logEventID=number,
        logEventPEN=40732,
        profileID=2,
    )


async def write_and_read_logs(client: Client, href: str) -> None:
    for number in range(1, ROUNDS + 1):
        assert (await client.post(f"{href}/lel", event(number))).status == 201
        page = await client.read(f"{href}/lel", LogEventList)
        assert (page.all, page.LogEvent_[0].logEventID) == (number, number)
        device = await client.read(href, EndDevice)
        assert device.LogEventListLink_ is not None
        assert device.LogEventListLink_.all == number


async def write_and_read_status(client: Client, href: str) -> None:
    for number in range(ROUNDS):
        mode = OperationalModeStatusType(dateTime=START, value=number % 4)
        status = DERStatus(operationalModeStatus=mode, readingTime=START + number)
        assert (await client.put(f"{href}/ders", status)).status == 204
        assert (await client.read(f"{href}/ders", DERStatus)).readingTime == START + number


async def read_all_the_time(client: Client, paths: list[str], done: asyncio.Event) -> None:
    while not done.is_set():
        for path in paths:
            assert (await client.get(path)).status == 200


async def test_a_client_reads_what_it_wrote_while_others_write_and_read(bench: Bench) -> None:
    devices = [(*(await bench.device(f"fresh-{n}")),) for n in range(4)]
    done = asyncio.Event()
    async with asyncio.TaskGroup() as readers:
        for row, client in devices:
            readers.create_task(read_all_the_time(client, ["/dcap", row.href, f"{row.href}/lel"], done))
        async with asyncio.TaskGroup() as writers:
            for row, client in devices:
                der = next(item for item in bench.store.reader.of_owner(row.id) if item.kind == "DER")
                writers.create_task(write_and_read_logs(client, row.href))
                writers.create_task(write_and_read_status(client, der.href))
        done.set()


async def test_what_an_operator_did_is_read_by_the_next_request_of_a_device(bench: Bench) -> None:
    _, client = await bench.device("fresh-1")
    _, program = await bench.group("all", "fresh-1")
    done = asyncio.Event()
    async with asyncio.TaskGroup() as readers:
        readers.create_task(read_all_the_time(client, [program.href, f"{program.href}/derc?l=255"], done))
        for number in range(1, ROUNDS + 1):
            control = make_control(f"{number:032X}", START + 100 * number, 50)
            await bench.control(program, control)
            page = await client.read(f"{program.href}/derc?l=255", DERControlList)
            read = await client.read(program.href, DERProgram)
            assert read.DERControlListLink_ is not None
            assert (page.all, page.results, read.DERControlListLink_.all) == (number, number, number)
        done.set()


async def test_membership_counts_from_the_acknowledgement_on(bench: Bench) -> None:
    row, client = await bench.device("fresh-1")
    await bench.enrol("fresh-2")
    group, program = await bench.group("all", "fresh-2")
    for _ in range(10):
        await bench.do(lambda desk: _assign(desk, group.name, "fresh-1"))
        assert (await client.get(program.href)).status == 200
        capability = await client.read("/dcap", DeviceCapability)
        assert capability.DERProgramListLink_ is not None
        assert capability.DERProgramListLink_.all == 1
        await bench.do(lambda desk: _unassign(desk, group.name, "fresh-1"))
        assert (await client.get(program.href)).status == 404
    assert (await client.get(row.href)).status == 200


async def test_a_write_from_another_thread_is_read_once_it_is_acknowledged(bench: Bench) -> None:
    _, client = await bench.device("fresh-1")
    _, program = await bench.group("all", "fresh-1")
    row = await bench.control(program, make_control("AA", START + 1000, 60))
    for number in range(30):
        acknowledged = threading.Event()

        def change(text: str = f"n{number}", done: threading.Event = acknowledged) -> None:
            bench.store.write(lambda tx: _describe(bench.desk(tx), row.id, text))
            done.set()

        await asyncio.to_thread(change)
        assert acknowledged.is_set()
        page = await client.read(f"{program.href}/derc", DERControlList)
        assert page.DERControl_[0].description == f"n{number}"


def _describe(desk: Desk, row_id: int, text: str) -> None:
    row = desk.transaction.by_id(row_id)
    assert row is not None
    control = event_of(desk.environment, row)
    control.description = text
    desk.transaction.replace(row, row._replace(body=desk.environment.codec.fragment(control)))


def _add_der(end_device_id: int, desk: Desk) -> Row:
    return add_der(desk.transaction, desk.environment, end_device_id)


def _assign(desk: Desk, group: str, device: str) -> None:
    programs.assign(desk, desk.group(group), desk.client(device))


def _unassign(desk: Desk, group: str, device: str) -> None:
    programs.unassign(desk, desk.group(group), desk.client(device))


async def test_a_page_counts_the_lists_of_its_items_as_each_item_alone_does(bench: Bench) -> None:
    aggregator = await bench.enrol("counting", role=Role.AGGREGATOR)
    devices = [await bench.enrol(f"counted-{n}", aggregator=aggregator) for n in range(4)]
    await bench.group("counted", "counted-1", "counted-3")
    await bench.do(lambda desk: add_der(desk.transaction, desk.environment, devices[2].id))
    client = await bench.client("counting")
    page = await client.read("/edev?s=0&l=10", EndDeviceList)
    alone = [await client.read(str(device.href), EndDevice) for device in page.EndDevice_]
    assert page.EndDevice_ == alone
    assert sorted(d.DERListLink_.all or 0 for d in alone if d.DERListLink_) == [1, 1, 1, 1, 2]
    await bench.do(lambda desk: add_der(desk.transaction, desk.environment, devices[0].id))
    again = await client.read("/edev?s=0&l=10", EndDeviceList)
    assert sorted(d.DERListLink_.all or 0 for d in again.EndDevice_ if d.DERListLink_) == [1, 1, 1, 2, 2]


async def test_a_page_shows_what_is_new_in_items_that_others_showed_before(bench: Bench) -> None:
    aggregator = await bench.enrol("paging", role=Role.AGGREGATOR)
    devices = [await bench.enrol(f"paged-{n}", aggregator=aggregator) for n in range(6)]
    client = await bench.client("paging")
    for number in range(1, 6):
        start = number % 2
        await client.read(f"/edev?s={start}&l=200", EndDeviceList)
        await bench.do(partial(_add_der, devices[number].id))
        page = await client.read(f"/edev?s={1 - start}&l=200", EndDeviceList)
        alone = [await client.read(str(device.href), EndDevice) for device in page.EndDevice_]
        assert page.EndDevice_ == alone
        counts = {d.href: d.DERListLink_.all for d in alone if d.DERListLink_}
        assert counts.get(devices[number].href, 2) == 2
    await bench.do(lambda desk: remove_end_device(desk.transaction, devices[3]))
    page = await client.read("/edev?s=0&l=255", EndDeviceList)
    assert devices[3].href not in {device.href for device in page.EndDevice_}


async def test_a_page_asked_for_before_a_removal_is_heard_of_leaves_the_device_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where another process removes it: for a moment the database knows and this process does not."""
    aggregator = await bench.enrol("unheard", role=Role.AGGREGATOR)
    devices = [await bench.enrol(f"unheard-{n}", aggregator=aggregator) for n in range(4)]
    client = await bench.client("unheard")
    await client.read("/edev?s=0&l=9", EndDeviceList)
    monkeypatch.setattr(Listing, "drop", lambda _self, _tokens: None)
    await bench.do(lambda desk: remove_end_device(desk.transaction, devices[2]))
    page = await client.read("/edev?s=0&l=10", EndDeviceList)
    shown = {device.href for device in page.EndDevice_}
    assert shown == {device.href for device in (aggregator, *devices)} - {devices[2].href}
    assert page.results == len(shown)


@pytest.mark.parametrize("octets", [1 << 26, 40_000, 0], ids=["all kept", "some kept", "nothing kept"])
async def test_pages_of_any_size_show_what_each_item_alone_shows(
    tmp_path: Path, sep2_pki: Pki, octets: int
) -> None:
    """Whatever is kept, and forgotten to make room: an item has as many DERs as it was given."""
    random = Random(7)  # noqa: S311 - the same changes each time
    async with running(tmp_path, sep2_pki, cached_octets=octets) as bench:
        aggregator = await bench.enrol("mixed", role=Role.AGGREGATOR)
        devices = [await bench.enrol(f"mixed-{n}", aggregator=aggregator) for n in range(12)]
        other = await bench.enrol("mixed-other", role=Role.AGGREGATOR)
        ders = {device.href: 1 for device in (aggregator, *devices)}
        clients = [await bench.client("mixed"), await bench.client("mixed-other")]
        for _ in range(150):
            start, limit = random.randrange(14), random.randrange(1, 14)
            page = await clients[0].read(f"/edev?s={start}&l={limit}", EndDeviceList)
            counted = {str(d.href): d.DERListLink_.all for d in page.EndDevice_ if d.DERListLink_}
            assert counted == {href: ders[href] for href in counted}
            assert len(page.EndDevice_) == max(min(limit, 13 - start), 0)
            mine = await clients[1].read("/edev?s=0&l=9", EndDeviceList)
            assert [d.href for d in mine.EndDevice_] == [other.href]
            if random.random() < 0.4:
                device = random.choice(devices)
                await bench.do(partial(_add_der, device.id))
                ders[device.href] += 1
