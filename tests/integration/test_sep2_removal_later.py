"""What was below something that is gone is seen by nobody at once, and removed in short commits."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from certs import LFDI, Pki
from schemas import (
    DateTimeInterval,
    MeterReadingList,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePointList,
    Reading,
    ReadingSetList,
    UsagePointList,
)
from sep2_server import keeper, removal
from sep2_server.end_devices import Enrolment, add_end_device, remove_end_device
from sep2_server.messages import Request
from sep2_server.operator import enrolment, forgetting, resources
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import NotFound
from sep2_server.operator.router import Call
from sep2_server.rows import Change, Role, Row
from sep2_server.work import Work
from tests.integration.notifications.listening import listening, settled, subscribe
from tests.integration.sep2_harness import START, Bench, Client, running
from tests.integration.test_sep2_mirror import WATT, mirror
from tests.integration.test_sep2_removal import SETTINGS, held
from tests.integration.test_sep2_utility_meters import operation

pytestmark = pytest.mark.usefixtures("each_database")
SETS = 25
AT_ONCE = 5
WAIT_S = 20
ONE_POINT: dict[str, Any] = {**SETTINGS, "usage_points_per_device": 1}


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "AT_ONCE", AT_ONCE)
    monkeypatch.setattr(removal, "FEW", 2)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The clock task removes nothing until this is undone."""
    with monkeypatch.context() as patched:
        patched.setattr(keeper, "WORKING_S", -1)
        yield patched


def posted(*, sets: int = SETS, bare: int = 0) -> list[MirrorMeterReading]:
    """One MeterReading with sets, then values of it that are in none."""

    def period(n: int) -> DateTimeInterval:
        return DateTimeInterval(start=START + 300 * n, duration=300)

    made = [
        MirrorReadingSet(mRID=f"D0{n:04X}", timePeriod=period(n), Reading_=[Reading(localID="00", value=n)])
        for n in range(sets)
    ]
    alone = [
        MirrorMeterReading(mRID="C1", Reading_=Reading(localID=f"{n:02X}", value=n, timePeriod=period(n)))
        for n in range(bare)
    ]
    return [MirrorMeterReading(mRID="C1", MirrorReadingSet_=made, ReadingType_=WATT), *alone]


async def metered(client: Client, lfdi: str, mrid: str, readings: Sequence[MirrorMeterReading]) -> list[str]:
    """A usage point that a mirror has filled and that nothing mirrors now; the URIs at and below it."""
    mup = await client.post("/mup", mirror(lfdi, *readings, mrid=mrid))
    assert mup.status == 201
    assert (await client.send("DELETE", mup.location)).status == 204
    points = (await client.read("/upt?l=255", UsagePointList)).UsagePoint_
    point = next(one.href for one in points if one.mRID == mrid) or ""
    reading = (await client.read(f"{point}/mr", MeterReadingList)).MeterReading_[0].href or ""
    page = (await client.read(f"{reading}/rs?l=255", ReadingSetList)).ReadingSet_
    below = [f"{one.href}{tail}" for one in page for tail in ("", "/r", "/r/0")]
    return [point, f"{point}/mr", reading, f"{reading}/rt", f"{reading}/rs", *below]


async def answers(client: Client, hrefs: Sequence[str]) -> set[int]:
    """With what status these are answered, asked for twice: the second time out of what is kept."""
    return {(await client.get(href)).status for href in hrefs for _ in range(2)}


async def until_removed(bench: Bench) -> None:
    bench.server.keeper.wake()
    async with asyncio.timeout(WAIT_S):
        while bench.store.reader.next_removal() is not None:  # noqa: ASYNC110  what another task has written
            await asyncio.sleep(0.05)


def sets_and_values(bench: Bench) -> tuple[int, int]:
    """How many ReadingSets there are, and how many readings."""
    found = bench.store.reader._db.number(text("SELECT count(*) FROM reading"))
    return len(bench.store.reader.of_kind("ReadingSet", limit=1000)), found or 0


async def test_the_readings_of_a_point_that_made_room_are_gone_for_all_at_once_and_removed_later(
    tmp_path: Path, sep2_pki: Pki, waits: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, sep2_pki, **ONE_POINT) as bench:
        device, client = await bench.device("many-1")
        lfdi = bench.credentials("many-1").lfdi
        gone = await metered(client, lfdi, "B1", posted(bare=SETS))
        assert await answers(client, gone) == {200}
        async with listening(bench.credentials("many-1")) as listener:
            wanted = [gone[4], gone[6]]
            for href in wanted:
                await subscribe(client, device, href, listener.uri)
            now = await metered(client, lfdi, "B2", posted(sets=1))
            assert sets_and_values(bench) == (SETS + 1, 2 * SETS + 1)
            assert await answers(client, gone) == {404}
            for href in (gone[5], gone[6]):
                with pytest.raises(NotFound):
                    await bench.do(operation(resources.show, href))
            await settled(bench)
            assert len(listener.posted) == len(wanted)
            waits.undo()
            await until_removed(bench)
            await settled(bench)
            notes = [one.decoded() for one in listener.posted]
        assert sorted((note.subscribedResource, note.status) for note in notes) == sorted(
            (href, 4) for href in wanted
        )
        assert sets_and_values(bench) == (1, 1)
        assert await answers(client, now) == {200}


async def test_a_device_is_gone_for_all_at_once_and_what_it_had_is_removed_in_commits_of_a_bounded_size(
    tmp_path: Path, sep2_pki: Pki, waits: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, sep2_pki, **SETTINGS, hidden_status=403) as bench:
        boss = await bench.enrol("boss", role=Role.AGGREGATOR)
        before = await bench.store.do(held)
        client = await bench.client("boss")
        row = await bench.enrol("goer", aggregator=boss)
        lfdi = bench.credentials("goer").lfdi
        gone = await metered(client, lfdi, "B1", posted())
        gone += [(await client.post("/mup", mirror(lfdi, mrid="B2"))).location]
        gone += [f"{row.href}{path}" for path in ("", "/der", "/fsa", "/lel", "/rg")]
        assert await answers(client, gone) == {200}
        assert (await client.send("DELETE", row.href)).status == 204
        assert sets_and_values(bench)[0] > SETS - AT_ONCE
        assert await answers(client, gone) == {404}
        assert (await client.read("/upt", UsagePointList)).all == 0
        assert (await client.read("/mup", MirrorUsagePointList)).all == 0
        with pytest.raises(NotFound):
            await bench.do(operation(resources.show, gone[5]))
        removed: list[int] = []
        bench.store.listen(lambda changes: removed.append(count_gone(changes)))
        waits.undo()
        await until_removed(bench)
        assert max(removed) == AT_ONCE
        assert await bench.store.do(held) == before


def count_gone(changes: Sequence[Change]) -> int:
    return sum(change.version == 0 for change in changes)


@pytest.mark.parametrize("reuse", ["readings", "operator"])
async def test_a_device_that_is_removed_may_come_back_at_once_with_what_it_called_its_readings(
    tmp_path: Path, sep2_pki: Pki, waits: pytest.MonkeyPatch, reuse: str
) -> None:
    """Where an mRID of another client is refused, too."""
    async with running(tmp_path, sep2_pki, profile="csip_aus") as bench:
        row, client = await bench.device("goer")
        lfdi = bench.credentials("goer").lfdi
        assert (await client.post("/mup", mirror(lfdi, *posted()))).status == 201
        await bench.do(lambda desk: remove_end_device(desk.transaction, row))
        assert sets_and_values(bench)[0] > 0
        if reuse == "operator":
            assert await bench.do(lambda desk: desk.all_by_mrid(f"D0{SETS - 1:04X}")) == []
        await bench.enrol("goer")
        assert (await client.post("/mup", mirror(lfdi, *posted()))).status == 201
        assert len(await bench.do(lambda desk: desk.all_by_mrid("C1"))) == 1
        waits.undo()
        await until_removed(bench)
        assert sets_and_values(bench)[0] == SETS


async def test_readings_that_an_operator_forgets_are_gone_at_once_and_all_are_counted(
    bench: Bench, waits: pytest.MonkeyPatch
) -> None:
    _, client = await bench.device("goer")
    before = await bench.store.do(held)
    gone = await metered(client, bench.credentials("goer").lfdi, "B1", posted())
    full = await bench.store.do(held)
    told: list[int] = []
    bench.store.listen(lambda changes: told.append(count_gone(changes)))
    call = Call(names={"device": "goer"}, body={"readings": True}, now=START)
    answer = await bench.do(partial(forgetting.forget, call=call))
    assert answer["forgotten"] == len(full["resource"] - before["resource"])
    assert sum(told) == len(full["resource"] - before["resource"]) - SETS
    assert await answers(client, gone) == {404}
    waits.undo()
    await until_removed(bench)
    assert await bench.store.do(held) == before


async def test_a_server_that_was_ended_in_between_goes_on_at_its_next_start(
    tmp_path: Path, sep2_pki: Pki, waits: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, sep2_pki, **ONE_POINT) as bench:
        before = await bench.store.do(held)
        row, client = await bench.device("goer")
        lfdi = bench.credentials("goer").lfdi
        await metered(client, lfdi, "B1", posted())
        await metered(client, lfdi, "B2", posted())
        assert (await client.send("DELETE", row.href)).status == 204
    async with running(tmp_path, sep2_pki, **ONE_POINT) as bench:
        assert bench.store.reader.next_removal() is not None
        waits.undo()
        await until_removed(bench)
        assert await bench.store.do(held) == before


async def test_devices_that_are_removed_together_leave_the_most_of_the_work_to_later(
    tmp_path: Path, sep2_pki: Pki, waits: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, sep2_pki, **SETTINGS) as bench:
        before = await bench.store.do(held)
        boss = await bench.enrol("boss", role=Role.AGGREGATOR)

        def fleet(desk: Desk) -> list[Row]:
            wanted = [
                Enrolment(lfdi=LFDI(f"{n:040X}"), name=f"d{n}", aggregator_id=boss.id) for n in range(9)
            ]
            return [add_end_device(desk.transaction, desk.environment, one, desk.now) for one in wanted]

        rows = await bench.do(fleet)
        told: list[int] = []
        bench.store.listen(lambda changes: told.append(sum(c.kind == "DERList" for c in changes)))
        await bench.do(remove_all)
        assert sum(told) == 0
        assert {bench.store.reader.by_href(row.href) for row in rows} == {None}
        waits.undo()
        await until_removed(bench)
        assert await bench.store.do(held) == before


def remove_all(desk: Desk) -> object:
    """Remove an aggregator with its devices, as an operator does."""
    return enrolment.remove(desk, Call(names={"device": "boss"}, query={"managed": "true"}, now=START))


@pytest.mark.parametrize(("path", "is_short"), [("/mup", False), ("/edev", False), ("/mup/7", True)])
async def test_what_may_have_much_removed_is_not_carried_out_where_all_devices_wait(
    bench: Bench, path: str, is_short: bool
) -> None:
    work = Work(bench.server.environment, Request("POST", path, "", START), None)
    assert work.is_short == is_short
