"""What time has done to events while nobody looked: the same as if each second had been looked at. 10.2.3."""

from itertools import permutations

import pytest

from certs import Pki
from schemas import DERControl, DERControlBase
from sep2_server.rows import Row
from tests.integration.sep2_harness import START, Bench, Client, make_control, running

pytestmark = pytest.mark.usefixtures("each_database")


async def long_and_short(bench: Bench, *, short_first: bool) -> Row:
    """A long control, and a short newer one in its middle that covers it; the row of the long one."""
    await bench.device("event-1")
    _, program = await bench.group("event", "event-1")
    controls = {
        False: make_control("A1", START + 10, 1000),
        True: make_control("A2", START + 100, 60, created=START + 1),
    }
    rows = {
        is_short: await bench.control(program, controls[is_short])
        for is_short in (short_first, not short_first)
    }
    return rows[False]


@pytest.mark.parametrize("short_first", [False, True])
async def test_an_event_that_was_superseded_while_the_server_was_down_stays_so(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki, *, short_first: bool
) -> None:
    folder = tmp_path_factory.mktemp("missed")
    async with running(folder, sep2_pki) as bench:
        long = await long_and_short(bench, short_first=short_first)
        bench.clock.set(START + 50)
        client = await bench.client("event-1")
        assert (await client.read(long.href, DERControl)).EventStatus_.currentStatus == 1
    async with running(folder, sep2_pki, now=START + 400) as bench:
        client = await bench.client("event-1")
        status = (await client.read(long.href, DERControl)).EventStatus_
        assert (status.currentStatus, status.dateTime) == (4, START + 100)


@pytest.mark.parametrize("short_first", [False, True])
async def test_an_event_that_was_superseded_between_two_reads_stays_so(
    bench: Bench, *, short_first: bool
) -> None:
    long = await long_and_short(bench, short_first=short_first)
    client = await bench.client("event-1")
    statuses = []
    for now in (50, 400):
        bench.clock.set(START + now)
        status = (await client.read(long.href, DERControl)).EventStatus_
        statuses.append((status.currentStatus, status.dateTime))
    assert statuses == [(1, START + 10), (4, START + 100)]


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))), ids=str)
async def test_what_was_superseded_by_what_is_superseded_stays_so(
    bench: Bench, order: tuple[int, int, int]
) -> None:
    await bench.device("event-1")
    client = await bench.client("event-1")
    _, program = await bench.group("event", "event-1")
    spans = [(10, 1000), (100, 1000), (200, 50)]
    hrefs = {}
    for number in order:
        start, duration = spans[number]
        control = make_control(f"A{number}", START + start, duration, created=START + number)
        hrefs[number] = (await bench.control(program, control)).href
    bench.clock.set(START + 400)
    statuses = [(await client.read(hrefs[number], DERControl)).EventStatus_ for number in (0, 1)]
    assert [(s.currentStatus, s.dateTime) for s in statuses] == [(4, START + 100), (4, START + 200)]


async def test_a_new_event_beside_one_that_has_ended_does_not_undo_what_that_superseded(bench: Bench) -> None:
    client = await client_of(bench)
    _, program = await bench.group("event", "event-1")
    short = make_control("A1", START + 10, 20, created=START + 1)
    await bench.control(program, short)
    long = await bench.control(program, make_control("A2", START + 20, 1000))
    bench.clock.set(START + 100)
    other = make_control("A3", START + 25, 500, created=START + 100, base=DERControlBase(opModConnect=True))
    await bench.control(program, other)
    status = (await client.read(long.href, DERControl)).EventStatus_
    assert (status.currentStatus, status.dateTime) == (4, START + 10)


async def client_of(bench: Bench) -> Client:
    await bench.device("event-1")
    return await bench.client("event-1")
