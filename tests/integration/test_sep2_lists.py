"""Lists over the wire: order, paging, counts, the query vectors, and pages that follow writes at once."""

import json
import re
from pathlib import Path

import pytest

from certs import Pki
from function_sets import ROUTES, sort_key
from schemas import (
    DERControlList,
    DERProgramList,
    EndDeviceList,
    LogEvent,
    LogEventList,
    ResponseList,
)
from sep2_server.reader import Reader
from sep2_server.rows import Role
from sep2_server.transaction import Transaction
from sep2_server.uris import route_named
from tests.integration.sep2_harness import START, Bench, Client, make_control, running

pytestmark = pytest.mark.usefixtures("each_database")
DAY_S = 86_400


async def control_list(bench: Bench, count: int = 6) -> tuple[Client, str]:
    """A list of controls that all lie in the future, one an hour."""
    _, client = await bench.device("list-1")
    _, program = await bench.group("list", "list-1")
    for number in range(count):
        await bench.control(program, make_control(f"{number + 1:04X}", START + 3600 * (number + 1), 600))
    return client, f"{program.href}/derc"


async def mrids(client: Client, path: str) -> list[int]:
    return [int(c.mRID, 16) for c in (await client.read(path, DERControlList)).DERControl_]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1]),
        ("s=0", [1]),
        ("l=0", []),
        ("l=1000", [1, 2, 3, 4, 5, 6]),
        ("s=1&l=1&s=2", [2]),
        ("l=0&l=2", []),
        ("l=1&b=2", [1]),
        (f"a={START + DAY_S}", []),
        (f"s=3&a={START + DAY_S}", []),
        (f"s=1&a={START + DAY_S}&a={START}", []),
        ("s=6", []),
        ("s=99999999999999999999&l=5", []),
        ("s=4&l=255", [5, 6]),
        (f"a={START + 3600 * 3}&l=2", [4, 5]),
        (f"a={START + 3600 * 3 - 1}&l=1", [3]),
        (f"a={START}&s=4&l=5", [5, 6]),
    ],
)
async def test_a_query_takes_the_page_that_the_standard_says(
    bench: Bench, query: str, expected: list[int]
) -> None:
    client, href = await control_list(bench)
    page = await client.read(f"{href}?{query}", DERControlList)
    assert [int(c.mRID, 16) for c in page.DERControl_] == expected
    assert page.results == len(expected)


async def test_the_query_vectors_are_all_covered(vectors: Path) -> None:
    listed = json.loads((vectors / "list_ordering.json").read_text(encoding="utf-8"))["query_vectors"]
    assert [vector["query"] for vector in listed] == [
        "",
        "s=0",
        "l=0",
        "l=1000",
        "s=1&l=1&s=2",
        "l=0&l=2",
        "l=1&b=2",
        "a=<now>",
        "s=3&a=<now>",
        "s=1&a=<t>&a=<t+24h>",
        "s=<N>",
    ]


async def test_all_counts_the_list_and_with_a_the_rest(bench: Bench) -> None:
    client, href = await control_list(bench)
    assert (await client.read(f"{href}?l=0", DERControlList)).all == 6
    assert (await client.read(f"{href}?s=6", DERControlList)).all == 6
    assert (await client.read(f"{href}?l=0&a={START + 3600 * 2}", DERControlList)).all == 4


async def test_pages_put_together_are_the_list(bench: Bench) -> None:
    client, href = await control_list(bench, 23)
    pages = [await mrids(client, f"{href}?s={start}&l=4") for start in range(0, 24, 4)]
    assert [number for page in pages for number in page] == list(range(1, 24))


async def test_a_page_holds_no_more_than_the_server_allows(bench: Bench) -> None:
    client, href = await control_list(bench, 260)
    page = await client.read(f"{href}?l=9999", DERControlList)
    assert (page.results, page.all) == (255, 260)


@pytest.mark.parametrize("behind", ["?s=6&l=5", f"?s={2**62}&l=255", f"?s=99&a={START}"])
async def test_a_page_behind_the_end_reads_no_item(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    """The database finds a page by walking to it: to the end of a long list for whoever asks too far."""
    client, path = await control_list(bench)
    devices = (await client.read("/edev", EndDeviceList)).EndDevice_
    asked: list[str] = []

    def walk(*_: object, **__: object) -> list[object]:
        asked.append("walked")
        return []

    for name in ("page", "places", "active"):
        monkeypatch.setattr(Reader, name, walk)
    for listed in (path, "/edev"):
        assert (await client.get(f"{listed}{behind}")).status == 200
    assert asked == []
    assert len(devices) == 1


async def test_controls_stand_by_start_then_newest_then_highest_mrid(bench: Bench) -> None:
    _, client = await bench.device("list-1")
    _, program = await bench.group("list", "list-1")
    for mrid, start, created in (("05", 20, 0), ("0A", 10, 0), ("0B", 10, 5), ("FF", 10, 0), ("0100", 10, 0)):
        await bench.control(program, make_control(mrid, START + start, 9, created=START + created))
    page = await mrids(client, f"{program.href}/derc?l=255")
    assert page == [0x0B, 0x0100, 0xFF, 0x0A, 0x05]


async def test_log_events_stand_newest_first(bench: Bench) -> None:
    row, client = await bench.device("list-1")
    for created, number in ((5, 1), (9, 1), (9, 7), (1, 3)):
        await client.post(f"{row.href}/lel", log_event(created, number))
    page = await client.read(f"{row.href}/lel?l=255", LogEventList)
    assert [(e.createdDateTime, e.logEventID) for e in page.LogEvent_] == [(9, 7), (9, 1), (5, 1), (1, 3)]


async def test_end_devices_stand_by_their_last_change(bench: Bench) -> None:
    from sep2_server.end_devices import touch

    aggregator = await bench.enrol("list-agg", role=Role.AGGREGATOR)
    devices = [await bench.enrol(f"list-{n}", aggregator=aggregator) for n in range(3)]
    client = await bench.client("list-agg")
    bench.clock.advance(5)
    await bench.store.do(lambda tx: touch(tx, bench.server.environment, devices[1].id, bench.clock.now()))
    page = await client.read("/edev?l=255", EndDeviceList)
    assert page.EndDevice_[0].href == devices[1].href
    assert [d.sFDI for d in page.EndDevice_[1:]] == sorted(d.sFDI for d in page.EndDevice_[1:])


async def test_programs_stand_by_primacy(bench: Bench) -> None:
    _, client = await bench.device("list-1")
    for primacy in (9, 4, 7):
        await bench.group(f"list-{primacy}", "list-1", primacy=primacy)
    page = await client.read("/derp?l=255", DERProgramList)
    assert [p.primacy for p in page.DERProgram_] == [4, 7, 9]


async def test_every_stored_list_is_in_the_order_of_its_declaration(bench: Bench) -> None:
    client, href = await control_list(bench)
    row = await bench.enrol("list-2")
    for number in range(5):
        bench.clock.advance(1)
        await (await bench.client("list-2")).post(f"{row.href}/lel", log_event(number % 3, number))
    lists = [r for kind in ROUTES for r in bench.store.reader.of_kind(kind, limit=1000) if not r.body]
    stored = {r.href: bench.store.reader.items(r.id, limit=1000) for r in lists}
    codec = bench.server.environment.codec
    for listed in lists:
        route = route_named(listed.kind)
        values: list[object] = [
            codec.decode_fragment(r.body, route_named(r.kind).type) for r in stored[listed.href]
        ]
        keys = [sort_key(route, value) for value in values]
        assert keys == sorted(keys)
        assert keys == [r.sort_key for r in stored[listed.href]]
    assert {len(rows) for rows in stored.values()} >= {0, 1, 5, 6}
    assert client is not None
    assert href in stored


async def test_a_page_shows_a_write_as_soon_as_it_is_answered(bench: Bench) -> None:
    row, client = await bench.device("list-1")
    seen = []
    for number in range(3):
        reply = await client.post(f"{row.href}/lel", log_event(number, number))
        page = await client.read(f"{row.href}/lel?l=255", LogEventList)
        seen.append((page.all, page.LogEvent_[0].href == reply.location))
    assert seen == [(1, True), (2, True), (3, True)]


async def test_a_log_event_that_is_deleted_is_gone(bench: Bench) -> None:
    row, client = await bench.device("list-1")
    reply = await client.post(f"{row.href}/lel", log_event(1, 1))
    assert (await client.send("DELETE", reply.location)).status == 204
    assert (await client.get(reply.location)).status == 404
    assert (await client.read(f"{row.href}/lel", LogEventList)).all == 0


async def test_the_count_of_a_link_follows_the_list(bench: Bench) -> None:
    row, client = await bench.device("list-1")
    before = await client.read("/edev", EndDeviceList)
    await client.post(f"{row.href}/lel", log_event(1, 1))
    after = await client.read("/edev", EndDeviceList)
    counts = [d.EndDevice_[0].LogEventListLink_ for d in (before, after)]
    assert [link.all for link in counts if link] == [0, 1]


async def test_a_list_that_nobody_filled_is_empty(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr") as bench:
        row, client = await bench.device("list-1")
        reply = await client.get(f"{row.href}/frq?l=5")
        assert reply.status == 200
        assert re.search(rb'<FlowReservationRequestList [^>]*all="0" results="0"', reply.body)


async def test_poll_rates_may_change_at_run_time(bench: Bench) -> None:
    _, client = await bench.device("list-1")
    assert (await client.read("/edev", EndDeviceList)).pollRate == 300

    def job(tx: Transaction) -> None:
        tx.put_option("poll_rate.EndDeviceList", "60")

    await bench.store.do(job)
    assert (await client.read("/edev", EndDeviceList)).pollRate == 60


async def test_a_list_of_responses_starts_empty(bench: Bench) -> None:
    _, client = await bench.device("list-1")
    sets = bench.store.reader.of_kind("ResponseSet")
    page = await client.read(f"{sets[0].href}/rsp", ResponseList)
    assert (page.all, page.results) == (0, 0)


def log_event(created: int, number: int) -> LogEvent:
    return LogEvent(
        createdDateTime=created,
        functionSet=11,
        logEventCode=0,
        logEventID=number,
        logEventPEN=40732,
        profileID=2,
    )
