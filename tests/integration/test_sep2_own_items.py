"""What a device says of itself again: items that are known by their names, states, links of its own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    Configuration,
    DemandResponseProgramLink,
    DeviceInformation,
    DeviceStatus,
    IPAddr,
    IPAddrListLink,
    IPInterface,
    LoadShedAvailability,
    Neighbor,
    PowerStatus,
    Resource,
    RPLSourceRoutes,
    SupportedLocale,
)
from sep2_server import same_item
from sep2_server.operator import rates, resources
from sep2_server.rows import Row
from tests.integration.lived_in_house import operate
from tests.integration.sep2_harness import START, Bench, Client, Reply, running
from tests.integration.test_sep2_device_resources import (
    device_information,
    instance,
    interface,
    located,
    radio,
)


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server that offers every function set."""
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        yield bench


@pytest.fixture
async def device(bench: Bench) -> tuple[Row, Client]:
    return await bench.device("own-1")


def neighbor(short: int) -> Neighbor:
    return Neighbor(isChild=False, linkQuality=200, shortAddress=short)


def route(way: str, end: str) -> RPLSourceRoutes:
    return RPLSourceRoutes(SourceRoute=way, DestAddress=end)


NAMED: dict[str, tuple[Callable[[], Resource], Callable[[], Resource], list[Callable[[], Resource]]]] = {
    "": (lambda: interface(1), lambda: interface(1), [lambda: interface(2)]),
    "/addr": (
        lambda: IPAddr(address="FE80AA"),
        lambda: IPAddr(address="fe80aa"),
        [lambda: IPAddr(address="FE80AB")],
    ),
    "/addr/{}/rpl": (
        lambda: instance(1, 1),
        lambda: instance(1, 1),
        [lambda: instance(1, 2), lambda: instance(2, 1)],
    ),
    "/addr/{}/rpl/{}/srt": (
        lambda: route("0A", "0B"),
        lambda: route("0a", "0b"),
        [lambda: route("0A", "0C"), lambda: route("0C", "0B")],
    ),
    "/ll": (lambda: radio("AA"), lambda: radio("aa"), [lambda: radio("AB")]),
    "/ll/{}/nbh": (lambda: neighbor(3), lambda: neighbor(3), [lambda: neighbor(4)]),
}
"""By the end of a list in the network of a device: an item, the same one again, and others."""


async def list_at(client: Client, row: Row, end: str) -> str:
    """The list with an end of its path, below items that are made for it."""
    href = f"{row.href}/ns"
    if end:
        href = await located(client, href, interface(7))
    for segment in filter(None, end.replace("/{}", "").split("/")):
        href = f"{href}/{segment}"
        if not end.endswith(segment):
            made = {"addr": IPAddr(address="0A"), "rpl": instance(9, 9), "ll": radio("BB")}[segment]
            href = await located(client, href, made)
    return href


@pytest.mark.parametrize("end", list(NAMED))
async def test_an_item_of_the_network_is_kept_once(device: tuple[Row, Client], end: str) -> None:
    """A device that starts anew posts them once more; two may not have one name either."""
    row, client = device
    first, again, others = NAMED[end]
    path = await list_at(client, row, end)
    href = await located(client, path, first())
    reply = await client.post(path, again())
    assert (reply.status, reply.location) == (204, href)
    for other in others:
        place = await located(client, path, other())
        assert (await client.put(place, again())).status == 400
        assert (await client.put(place, other())).status == 204
    assert f'all="{1 + len(others)}"'.encode() in (await client.get(path)).body


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the server has looked at the names of."""
    found: list[object] = []
    name_of = same_item._name

    def noted(item: type, paths: tuple[str, ...], value: object) -> tuple[object, ...]:
        found.append(value)
        return name_of(item, paths, value)

    monkeypatch.setattr(same_item, "_name", noted)
    return found


@pytest.mark.usefixtures("each_database")
@pytest.mark.parametrize("end", ["/di/loc", "/ns"])
async def test_a_new_item_is_looked_for_among_what_may_have_its_name_and_not_in_the_whole_list(
    bench: Bench, device: tuple[Row, Client], looked_at: list[object], end: str
) -> None:
    row, client = device
    assert (
        await client.put(f"{row.href}/di", device_information(bench.credentials("own-1").lfdi))
    ).status < 300

    def item(number: int) -> Resource:
        return SupportedLocale(locale=f"x<&{number}") if end == "/di/loc" else interface(number)

    hrefs = [await located(client, row.href + end, item(number)) for number in range(12)]
    assert len(looked_at) == len(hrefs)
    again = await client.post(row.href + end, item(1))
    assert (again.status, again.location) == (204, hrefs[1])
    assert len(looked_at) == len(hrefs) + 2


@pytest.mark.usefixtures("each_database")
async def test_what_can_be_shed_is_kept_once_for_each_program_and_once_for_any(
    bench: Bench, device: tuple[Row, Client], looked_at: list[object]
) -> None:
    row, client = device
    group, _ = await bench.group("loads", "own-1")
    for _ in range(3):
        await operate(bench, resources.add, {"primacy": 1}, href=f"/fsa/{group.id}/dr")
    links = [
        DemandResponseProgramLink(href=program.href)
        for program in bench.store.reader.of_kind("DemandResponseProgram")
    ]

    async def post(link: DemandResponseProgramLink | None, percent: int) -> Reply:
        wanted = LoadShedAvailability(sheddablePercent=percent, DemandResponseProgramLink_=link)
        return await client.post(f"{row.href}/lsl", wanted)

    first = [await post(link, 100) for link in (*links, None)]
    second = [await post(link, 200) for link in (*links, None)]
    assert ({one.status for one in first}, {one.status for one in second}) == ({201}, {204})
    assert [one.location for one in first] == [one.location for one in second]
    assert len(looked_at) == len(first) + 2 * len(second)


async def test_links_that_a_device_sends_are_not_those_that_it_gets(device: tuple[Row, Client]) -> None:
    """Of a new item too: the server makes the links to its lists."""
    row, client = device
    foreign = IPAddrListLink(href="https://elsewhere.example/addr", all=9)
    href = await located(client, f"{row.href}/ns", IPInterface(ifIndex=1, IPAddrListLink_=foreign))
    stored = (await client.read(href, IPInterface)).IPAddrListLink_
    assert stored is not None
    assert (stored.href, stored.all) == (f"{href}/addr", 0)


@pytest.mark.parametrize("end", ["dstat", "ps"])
async def test_changed_time_goes_back_only_from_where_it_was_ahead(
    bench: Bench, device: tuple[Row, Client], end: str
) -> None:
    """Where the device does not move it with what has changed, the server does."""
    row, client = device
    path, times = f"{row.href}/{end}", []

    def status(state: int, at: int) -> DeviceStatus | PowerStatus:
        if end == "dstat":
            return DeviceStatus(changedTime=at, opState=state)
        return PowerStatus(batteryStatus=state, changedTime=at, currentPowerSource=1)

    for now, state, at in ((0, 1, 0), (50, 1, 0), (60, 2, 0), (70, 3, 500), (80, 2, 100), (90, 1, 600)):
        bench.clock.set(START + now)
        await client.put(path, status(state, START + at))
        cls: type[DeviceStatus] | type[PowerStatus] = DeviceStatus if end == "dstat" else PowerStatus
        times.append((await client.read(path, cls)).changedTime - START)
    assert times == [0, 0, 60, 500, 100, 600]


@pytest.mark.parametrize(("member", "status"), [("own-1", 201), ("own-2", 400)])
async def test_what_can_be_shed_is_shed_for_a_program_that_the_device_has(
    bench: Bench, device: tuple[Row, Client], member: str, status: int
) -> None:
    row, client = device
    await bench.enrol("own-2")
    group, _ = await bench.group("loads", member)
    await operate(bench, resources.add, {"primacy": 1}, href=f"/fsa/{group.id}/dr")
    [program] = bench.store.reader.of_kind("DemandResponseProgram")
    path = f"{row.href}/lsl"
    wanted = LoadShedAvailability(
        sheddablePercent=100, DemandResponseProgramLink_=DemandResponseProgramLink(href=program.href)
    )
    reply = await client.post(path, wanted)
    assert reply.status == status
    held = await located(client, path, LoadShedAvailability(sheddablePercent=200))
    for href in (f"{program.href}/edc", f"{program.href}9", row.href):
        wanted.DemandResponseProgramLink_, wanted.href = DemandResponseProgramLink(href=href), None
        assert (await client.post(path, wanted)).status == 400
        assert (await client.put(held, wanted)).status == 400


@pytest.mark.parametrize("end", ["dstat", "ps", "cfg", "di"])
@pytest.mark.parametrize("rate", [60, None])
async def test_the_server_says_how_often_to_poll(
    bench: Bench, device: tuple[Row, Client], end: str, rate: int | None
) -> None:
    """A device may put what it has read: its pollRate is not kept, and the document is well-formed."""
    row, client = device
    values: dict[str, DeviceStatus | PowerStatus | Configuration | DeviceInformation] = {
        "dstat": DeviceStatus(changedTime=START, opState=1),
        "ps": PowerStatus(batteryStatus=1, changedTime=START, currentPowerSource=1),
        "cfg": Configuration(currentLocale="en", userDeviceName="own"),
        "di": device_information(bench.credentials("own-1").lfdi),
    }
    value = values[end]
    if rate is not None:
        await operate(bench, rates.change, {"pollRate": {type(value).__name__: rate}})
    value.pollRate = 7
    for _ in range(2):
        await client.put(f"{row.href}/{end}", value)
        assert (await client.read(f"{row.href}/{end}", type(value))).pollRate == rate
