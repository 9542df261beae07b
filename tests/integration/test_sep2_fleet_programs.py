"""An aggregator sees the programs of its devices, and each of those what it has, however many they are."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from certs import Pki
from schemas import DERProgram, DERProgramList, DeviceCapability, EndDeviceList
from sep2_server import access, fleet_programs
from sep2_server.access import viewer_of
from sep2_server.end_devices import remove_end_device
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.reader import Reader
from sep2_server.rows import Role, Row
from sep2_server.transaction import Transaction
from tests.integration.notifications.listening import listening, settled, subscribe
from tests.integration.sep2_harness import Bench, Client, running
from tests.integration.test_sep2_mirror import mirror

pytestmark = pytest.mark.usefixtures("each_database")
DEVICES = 7
TOLD: dict[str, Any] = {"notification_gap_ms": 0, "notification_hosts": "127.0.0.1"}


@pytest.fixture(params=[0, 256], ids=["by its groups", "by the programs"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to find which programs there are; little is remembered."""
    monkeypatch.setattr(fleet_programs, "FEW", request.param)
    monkeypatch.setattr(access, "MOST_GRANTED", 2)


async def fleet(bench: Bench) -> tuple[Row, Client, list[Row]]:
    """An aggregator with devices that have a program each, the best primacy last; and programs of others."""
    boss = await bench.enrol("boss", role=Role.AGGREGATOR)
    await bench.enrol("lone")
    rows = []
    for number in range(DEVICES):
        await bench.enrol(f"d{number}", aggregator=boss)
        _, program = await bench.group(f"g{number}", f"d{number}", primacy=DEVICES - number)
        await bench.group(f"other {number}", "lone", primacy=DEVICES - number)
        rows.append(program)
    return boss, await bench.client("boss"), rows


async def shown(client: Client) -> list[str | None]:
    """All that the list at the root shows, page by page."""
    pages = [await client.read(f"/derp?s={start}&l=3", DERProgramList) for start in (0, 3, 6, 9)]
    found = [one.href for page in pages for one in page.DERProgram_]
    capability = await client.read("/dcap", DeviceCapability)
    link = capability.DERProgramListLink_
    assert {*(page.all for page in pages), link and link.all} == {len(found)}
    return found


def describe(desk: Desk, row: Row, text: str) -> None:
    """Store another description of a program."""
    program = desk.resource(row, DERProgram)
    program.description = text
    current = desk.reader.by_id(row.id) or row
    desk.transaction.replace(current, current._replace(body=desk.environment.codec.fragment(program)))


@pytest.mark.usefixtures("way")
async def test_the_list_at_the_root_has_the_programs_of_its_devices_in_order_and_what_changes_at_once(
    bench: Bench,
) -> None:
    _, client, rows = await fleet(bench)
    hrefs = [row.href for row in reversed(rows)]
    assert await shown(client) == hrefs
    await bench.do(lambda desk: programs.unassign(desk, desk.group("g3"), desk.client("d3")))
    assert await shown(client) == [href for href in hrefs if href != rows[3].href]
    await bench.do(lambda desk: programs.assign(desk, desk.group("g3"), desk.client("d0")))
    assert await shown(client) == hrefs
    await bench.do(partial(describe, row=rows[5], text="another"))
    page = await client.read("/derp?l=9", DERProgramList)
    assert [one.description for one in page.DERProgram_][1] == "another"


@pytest.mark.usefixtures("way")
async def test_it_may_read_each_of_them_as_long_as_it_is_assigned_and_no_other(bench: Bench) -> None:
    _, client, rows = await fleet(bench)
    other = await bench.client("lone")
    foreign = [one.href for one in (await other.read("/derp?l=9", DERProgramList)).DERProgram_]
    below = [f"{row.href}{tail}" for row in rows for tail in ("", "/derc", "/dderc")]
    group_lists = await bench.do(
        lambda desk: [
            desk.reader.by_id(desk.reader.group_lists(desk.group(name).id)["GroupDERProgramList"])
            for name in ("g3", "other 3")
        ]
    )
    own, others = [row.href for row in group_lists if row is not None]
    for _ in range(2):
        assert {(await client.get(href)).status for href in (*below, own)} <= {200, 404}
        assert {(await client.get(row.href)).status for row in rows} == {200}
        assert (await client.get(own)).status == 200
        assert {(await client.get(href or "")).status for href in (*foreign, others)} == {404}
    await bench.do(lambda desk: programs.unassign(desk, desk.group("g3"), desk.client("d3")))
    assert [(await client.get(row.href)).status for row in rows] == [200] * 3 + [404] + [200] * 3
    assert (await client.get(own)).status == 404


async def test_its_rights_are_read_without_its_programs(bench: Bench) -> None:
    await fleet(bench)
    viewer = await bench.store.do(lambda tx: viewer_of(tx, bench.credentials("boss").lfdi))
    assert (viewer.programs, viewer.lists) == (frozenset(), frozenset())


async def test_a_subscription_to_the_list_waits_for_little_and_is_told_of_what_it_shows_alone(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **TOLD) as bench:
        boss, client, rows = await fleet(bench)
        foreign = await bench.do(lambda desk: desk.programs(desk.group("other 1"))[0])
        async with listening(bench.credentials("boss")) as listener:
            await subscribe(client, boss, "/derp", listener.uri)
            (subscribed,) = bench.store.reader.ledger.subscriptions()
            assert await bench.store.do(lambda tx: waits(tx, subscribed.id)) <= 4

            async def told() -> int:
                await settled(bench)
                return len(listener.posted)

            await bench.do(partial(describe, row=foreign, text="not its own"))
            await bench.group("other 9", "lone")
            await bench.do(lambda desk: programs.assign(desk, desk.group("g3"), desk.client("d0")))
            assert await told() == 0
            await bench.do(partial(describe, row=rows[5], text="its own"))
            assert await told() == 1
            await bench.do(lambda desk: programs.assign(desk, desk.group("other 9"), desk.client("d0")))
            assert await told() == 2
            await bench.do(lambda desk: programs.unassign(desk, desk.group("g4"), desk.client("d4")))
            assert await told() == 3
        assert await bench.store.do(lambda tx: waits(tx, subscribed.id)) <= 4


def waits(tx: Transaction, subscription_id: int) -> int:
    """How much a subscription waits for."""
    counted = sql("SELECT count(*) FROM watch WHERE subscription_id = :number")
    return tx._db.number(counted, number=subscription_id) or 0


@pytest.fixture
def looked_through(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lists of which all that an aggregator has in them was looked at."""
    asked: list[int] = []

    def look(reader: Reader, list_id: int, *_: object) -> list[Row]:
        asked.append(list_id)
        return reader.items(list_id)

    monkeypatch.setattr(Reader, "items_of_owner", look)
    return asked


async def test_its_own_entry_is_not_looked_for_among_those_of_its_aggregator(
    bench: Bench, looked_through: list[int]
) -> None:
    await fleet(bench)
    own = await bench.client("d1")
    page = await own.read("/edev?l=9", EndDeviceList)
    assert [one.lFDI for one in page.EndDevice_] == [bench.credentials("d1").lfdi]
    assert looked_through == []


@pytest.mark.parametrize("path", ["/upt", "/mup"])
async def test_what_a_device_has_is_not_looked_for_among_all_that_its_aggregator_has(
    bench: Bench, looked_through: list[int], path: str
) -> None:
    _, client, _ = await fleet(bench)
    own = await bench.client("d1")
    for name in ("d0", "d1"):
        assert (await client.post("/mup", mirror(bench.credentials(name).lfdi, mrid="B1"))).status == 201
    page = (await own.get(f"{path}?l=9")).body
    assert b'all="1"' in page
    assert b"B1" in page
    removed = await bench.do(lambda desk: desk.end_device(desk.client("d1")))
    await bench.do(lambda desk: remove_end_device(desk.transaction, removed))
    assert b'all="1"' in (await client.get(f"{path}?l=9")).body
    assert looked_through == []
