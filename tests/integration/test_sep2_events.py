"""Events over the wire: status right at the second of the read, active lists, what leaves when."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from certs import Pki
from function_sets import cancelled
from schemas import DERControl, DERControlBase, DERControlList, DERProgram, Event, EventStatus
from sep2_server.environment import Environment
from sep2_server.event_times import BATCH, event_of, repair_due, repair_list
from sep2_server.lease import Lease
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import insert_in, put_item
from sep2_server.rows import OVER, Change, Row
from tests.integration.sep2_harness import START, Bench, Client, make_control, running

pytestmark = pytest.mark.usefixtures("each_database")


async def program_of(bench: Bench) -> tuple[Client, Row]:
    _, client = await bench.device("event-1")
    _, program = await bench.group("event", "event-1")
    return client, program


async def status_of(client: Client, href: str) -> EventStatus:
    return (await client.read(href, DERControl)).EventStatus_


async def cancel(bench: Bench, row: Row) -> None:
    def cancel(desk: Desk) -> None:
        current = desk.reader.by_id(row.id)
        assert current is not None
        control = desk.control_of(current)
        control.EventStatus_ = cancelled(control, desk.now)
        put_item(desk, current, control)

    await bench.do(cancel)


@pytest.mark.parametrize(
    ("now", "status", "since"),
    [(START, 0, START), (START + 99, 0, START), (START + 100, 1, START + 100), (START + 159, 1, START + 100)],
)
async def test_a_control_is_active_from_the_second_of_its_start(
    bench: Bench, now: int, status: int, since: int
) -> None:
    client, program = await program_of(bench)
    row = await bench.control(program, make_control("A1", START + 100, 60))
    assert (await status_of(client, row.href)).currentStatus == 0
    bench.clock.set(now)
    held = await status_of(client, row.href)
    assert (held.currentStatus, held.dateTime) == (status, since)
    page = await client.read(f"{program.href}/derc?l=5", DERControlList)
    assert page.DERControl_[0].EventStatus_ == held


async def test_the_active_list_follows_the_second(bench: Bench) -> None:
    client, program = await program_of(bench)
    for mrid, start in (("A1", 10), ("A2", 20), ("A3", 20)):
        base = DERControlBase(opModTargetW=None, opModConnect=True) if mrid == "A3" else None
        await bench.control(program, make_control(mrid, START + start, 10, base=base))
    seen = []
    for now in (9, 10, 19, 20, 29, 30):
        bench.clock.set(START + now)
        page = await client.read(f"{program.href}/actderc?l=9", DERControlList)
        link = (await client.read(program.href, DERProgram)).ActiveDERControlListLink_
        assert link is not None
        assert link.all == page.all == page.results
        seen.append([c.mRID for c in page.DERControl_])
    assert seen == [[], ["A1"], ["A1"], ["A3", "A2"], ["A3", "A2"], []]


async def test_a_randomized_start_makes_it_active_at_the_earliest(bench: Bench) -> None:
    client, program = await program_of(bench)
    control = make_control("A1", START + 100, 60, randomize_start=-30)
    row = await bench.control(program, control)
    bench.clock.set(START + 69)
    assert (await status_of(client, row.href)).currentStatus == 0
    bench.clock.set(START + 70)
    assert (await status_of(client, row.href)).currentStatus == 1


async def test_a_control_that_has_ended_leaves_the_list(bench: Bench) -> None:
    client, program = await program_of(bench)
    row = await bench.control(program, make_control("A1", START + 10, 10))
    bench.clock.set(START + 19)
    assert (await client.read(f"{program.href}/derc", DERControlList)).all == 1
    bench.clock.set(START + 20)
    assert (await client.read(f"{program.href}/derc", DERControlList)).all == 0
    assert (await client.get(row.href)).status == 200
    kept = bench.store.reader.by_id(row.id)
    assert kept is not None
    assert (kept.list_id, kept.status) == (None, OVER)


async def test_a_control_stays_as_long_as_the_settings_say(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    settings = {"event_retention_s": 60, "event_history_s": 86_400}
    async with running(tmp_path_factory.mktemp("events"), sep2_pki, **settings) as bench:
        client, program = await program_of(bench)
        row = await bench.control(program, make_control("A1", START + 10, 10))
        counts = []
        for now in (20, 79, 80):
            bench.clock.set(START + now)
            page = await client.read(f"{program.href}/derc", DERControlList)
            active = await client.read(f"{program.href}/actderc", DERControlList)
            counts.append((page.all, active.all))
        assert counts == [(1, 0), (1, 0), (0, 0)]
        there = []
        for now in (79 + 86_400, 80 + 86_400):
            job = partial(repair_due, environment=bench.server.environment, now=START + now)
            await bench.store.do(job)
            there.append(bench.store.reader.by_id(row.id) is not None)
        assert there == [True, False]


@pytest.mark.parametrize("retention_s", [0, 60])
@pytest.mark.parametrize("shared", [False, True])
async def test_a_control_that_was_over_before_anybody_saw_it_begin_is_not_scheduled(
    tmp_path: Path, sep2_pki: Pki, retention_s: int, *, shared: bool
) -> None:
    """Only what is ahead is scheduled, and what is over is listed, or there for who knows of it. 10.2.3."""
    async with running(tmp_path, sep2_pki, event_retention_s=retention_s) as bench:
        client, program = await program_of(bench)
        base = DERControlBase(opModConnect=True, opModMaxLimW=5000)
        row = await bench.control(program, make_control("A1", START + 10, 10, base=base))
        if shared:
            await bench.control(program, make_control("A2", START + 15, 60, created=START + 1))
        await bench.server.keeper.stop()
        before = await status_of(client, row.href)
        bench.clock.set(START + 30)
        listed = (await client.read(f"{program.href}/derc?l=9", DERControlList)).DERControl_
        assert [one.href for one in listed if one.mRID == "A1"] == [row.href] * bool(retention_s)
        held = await status_of(client, row.href)
        assert held == replace(before, currentStatus=1, dateTime=START + 10)
        assert held.potentiallySuperseded is shared
        assert (await client.read(f"{program.href}/actderc", DERControlList)).all == int(shared)


async def test_a_newer_control_supersedes_at_its_start(bench: Bench) -> None:
    client, program = await program_of(bench)
    old = await bench.control(program, make_control("A1", START + 10, 100))
    bench.clock.advance(1)
    new = await bench.control(program, make_control("A2", START + 50, 100, created=START + 1))
    bench.clock.set(START + 49)
    assert (await status_of(client, old.href)).currentStatus == 1
    bench.clock.set(START + 50)
    held = await status_of(client, old.href)
    assert (held.currentStatus, held.dateTime) == (4, START + 50)
    assert (await status_of(client, new.href)).currentStatus == 1
    page = await client.read(f"{program.href}/actderc?l=9", DERControlList)
    assert [c.mRID for c in page.DERControl_] == ["A2"]


@pytest.mark.parametrize("now", [30, 50])
async def test_what_an_event_has_superseded_does_not_resume_though_nobody_wrote_either(
    bench: Bench, now: int
) -> None:
    """That which is over is due first, and leaves its list last. IEEE 2030.5-2018, 10.2.3."""
    client, program = await program_of(bench)
    await bench.control(program, make_control("B2", START + 10, 20))
    old = await bench.control(program, make_control("A1", START + 20, 100))
    await bench.server.keeper.stop()
    bench.clock.set(START + now)
    held = await status_of(client, old.href)
    assert (held.currentStatus, held.dateTime) == (4, START + 10)
    assert (await client.read(f"{program.href}/derc", DERControlList)).all == 1
    assert (await client.read(f"{program.href}/actderc", DERControlList)).all == 0


async def test_a_control_that_shares_some_modes_is_potentially_superseded(bench: Bench) -> None:
    client, program = await program_of(bench)
    both = DERControlBase(opModConnect=True, opModMaxLimW=100)
    old = await bench.control(program, make_control("A1", START + 10, 100, base=both))
    assert (await status_of(client, old.href)).potentiallySuperseded is False
    bench.clock.advance(1)
    await bench.control(program, make_control("A2", START + 50, 100, created=START + 1))
    held = await status_of(client, old.href)
    assert (held.potentiallySuperseded, held.potentiallySupersededTime) == (True, START + 1)


async def test_cancelled_controls_of_the_same_time_are_not_read_for_each_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A utility that changes its mind each minute leaves many; none of them supersedes anything."""
    _, program = await program_of(bench)
    many = 12
    for number in range(many):
        await cancel(bench, await bench.control(program, make_control(f"{number:02X}", START + 100, 60)))
    read: list[int] = []

    def counted(environment: Environment, row: Row) -> Event:
        read.append(row.id)
        return event_of(environment, row)

    monkeypatch.setattr("sep2_server.event_times.event_of", counted)
    await bench.control(program, make_control("FF", START + 100, 60))
    assert len(read) <= 2 * many


async def test_a_cancelled_control_stays_listed_for_its_original_time(bench: Bench) -> None:
    client, program = await program_of(bench)
    row = await bench.control(program, make_control("A1", START + 10, 100))
    bench.clock.set(START + 20)
    assert (await status_of(client, row.href)).currentStatus == 1
    await cancel(bench, row)
    held = await status_of(client, row.href)
    assert (held.currentStatus, held.dateTime) == (2, START + 20)
    bench.clock.set(START + 109)
    assert (await client.read(f"{program.href}/derc", DERControlList)).all == 1
    assert (await client.read(f"{program.href}/actderc", DERControlList)).all == 0
    bench.clock.set(START + 110)
    assert (await client.read(f"{program.href}/derc", DERControlList)).all == 0


async def test_status_is_right_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    folder = tmp_path_factory.mktemp("restart")
    async with running(folder, sep2_pki) as bench:
        _, program = await program_of(bench)
        row = await bench.control(program, make_control("A1", START + 10, 100))
    async with running(folder, sep2_pki, now=START + 10) as bench:
        client = await bench.client("event-1")
        assert (await status_of(client, row.href)).currentStatus == 1
        assert (await client.read(f"{program.href}/derc", DERControlList)).all == 1


async def test_an_event_is_forgotten_when_its_history_ends(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    folder = tmp_path_factory.mktemp("history")
    async with running(folder, sep2_pki, event_history_s=86_400) as bench:
        _, program = await program_of(bench)
        row = await bench.control(program, make_control("A1", START + 10, 10))
    async with running(folder, sep2_pki, now=START + 50) as bench:
        assert bench.store.reader.by_id(row.id) is not None
    async with running(folder, sep2_pki, now=START + 20 + 31_536_000) as bench:
        assert bench.store.reader.by_id(row.id) is None


async def test_a_control_that_is_published_too_late_is_over(bench: Bench) -> None:
    client, program = await program_of(bench)
    row = await bench.control(program, make_control("A1", START - 20, 10))
    assert (row.list_id, row.status) == (None, OVER)
    assert (await client.read(f"{program.href}/derc", DERControlList)).all == 0


async def test_the_clock_task_writes_at_the_second(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    _, program = await program_of(bench)
    row = await bench.control(program, make_control("A1", START + 10, 10))
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(_: Sequence[Change]) -> None:
        loop.call_soon_threadsafe(heard.set)

    bench.store.listen(hear)
    bench.clock.set(START + 10)
    bench.server.keeper.wake()
    async with asyncio.timeout(10):
        await heard.wait()
    kept = bench.store.reader.by_id(row.id)
    assert kept is not None
    assert kept.status == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_the_clock_task_writes_nothing_while_another_holds_the_lease(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, program = await program_of(bench)
    row = await bench.control(program, make_control("A1", START + 10, 10))
    keeper, rounds = bench.server.keeper, asyncio.Queue[None]()
    wait = keeper._wait

    async def counted() -> None:
        rounds.put_nowait(None)
        await wait()

    monkeypatch.setattr(keeper, "_wait", counted)
    monkeypatch.setattr(Lease, "is_held", property(lambda _: False))
    bench.clock.set(START + 10)
    for _ in range(2):
        keeper.wake()
        await asyncio.wait_for(rounds.get(), 10)
    kept = bench.store.reader.by_id(row.id)
    assert kept is not None
    assert kept.status == 0
    assert (await status_of(client, row.href)).currentStatus == 1


async def test_the_clock_task_goes_on_after_a_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = asyncio.Event()

    async def fail(*_: object) -> None:
        failed.set()
        raise OSError("no")

    monkeypatch.setattr(bench.server.keeper, "_shorten", fail)
    for _ in range(2):
        failed.clear()
        bench.server.keeper.wake()
        async with asyncio.timeout(10):
            await failed.wait()
    assert "The clock task failed; it goes on" in caplog.messages


async def test_the_change_feed_is_kept_short(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> None:
    async with running(tmp_path_factory.mktemp("feed"), sep2_pki, changes_kept=10) as bench:
        await program_of(bench)
        reader = bench.store.reader
        assert reader.last_change() > 20
        async with asyncio.timeout(30):
            while reader.last_change() - reader.first_change() >= 20:
                bench.server.keeper.wake()
                await asyncio.sleep(0.05)


async def test_the_clock_task_writes_what_is_due_at_the_start(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    folder = tmp_path_factory.mktemp("due")
    async with running(folder, sep2_pki) as bench:
        _, program = await program_of(bench)
        row = await bench.control(program, make_control("A1", START + 10, 100))
    async with running(folder, sep2_pki, now=START + 500) as bench:
        kept = bench.store.reader.by_id(row.id)
        assert kept is not None
        assert (kept.list_id, kept.status) == (None, OVER)


async def test_the_clock_task_writes_nothing_at_the_start_while_another_holds_the_lease(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("due")
    async with running(folder, sep2_pki) as bench:
        _, program = await program_of(bench)
        row = await bench.control(program, make_control("A1", START + 10, 100))
    monkeypatch.setattr(Lease, "is_held", property(lambda _: False))
    async with running(folder, sep2_pki, now=START + 500) as bench:
        assert bench.store.reader.by_id(row.id) == row


async def test_all_that_is_due_in_a_list_is_written_together(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lease, "is_held", property(lambda _: False))
    _, program = await program_of(bench)
    controls = [make_control(f"{n:04X}", START + 10 + n, 1) for n in range(BATCH + 5)]
    await bench.do(lambda desk: [insert_in(desk, program, "DERControlList", one) for one in controls])
    listed = bench.store.reader.by_href(f"{program.href}/derc")
    assert listed is not None
    list_id, now = listed.id, START + 500
    bench.clock.set(now)
    await bench.do(lambda desk: repair_list(desk.transaction, desk.environment, list_id, now))
    assert bench.store.reader.due_in_list(list_id, now) == []


async def test_an_event_that_a_new_one_beside_it_does_not_change_is_not_written_or_told(bench: Bench) -> None:
    _, program = await program_of(bench)
    row = await bench.control(program, make_control("A1", START + 10, 100))
    other = make_control("A2", START + 10, 100, base=DERControlBase(opModConnect=True))
    before = bench.store.reader.last_change()
    await bench.control(program, other)
    assert bench.store.reader.by_id(row.id) == row
    assert row.id not in {change.resource_id for change in bench.store.reader.changes(before)}


async def test_many_events_of_one_second_are_written_in_small_commits(bench: Bench) -> None:
    await bench.enrol("event-1")
    count = 3 * BATCH - 5
    for number in range(count):
        _, program = await bench.group(f"feeder {number}")
        await bench.control(program, make_control(f"{number:04X}", START + 10, 100))
    commits: list[int] = []
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(changes: Sequence[Change]) -> None:
        commits.append(len(changes))
        if sum(commits) == count:
            loop.call_soon_threadsafe(ended.set)

    bench.store.listen(hear)
    bench.clock.set(START + 10)
    bench.server.keeper.wake()
    async with asyncio.timeout(10):
        await ended.wait()
    assert commits == [BATCH, BATCH, BATCH - 5]
    assert bench.store.reader.due(START + 10) == []


async def test_what_is_written_while_the_clock_task_is_at_work_wakes_it_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, looked = bench.server.keeper, asyncio.Event()
    steps = iter([keeper.wake, looked.set])

    async def forget() -> None:
        next(steps, looked.set)()

    monkeypatch.setattr(keeper, "_forget_readings", forget)
    keeper.wake()
    async with asyncio.timeout(10):
        await looked.wait()


async def test_events_that_overlap_in_one_list_are_told_from_those_that_stand_alone(bench: Bench) -> None:
    _, program = await program_of(bench)
    _, other = await bench.group("other")
    spans = [(program, 10, 20), (program, 25, 10), (program, 35, 10), (other, 10, 20)]
    rows = [
        await bench.control(place, make_control(f"A{number}", START + start, duration))
        for number, (place, start, duration) in enumerate(spans)
    ]
    found = bench.store.reader.with_siblings([row.id for row in rows])
    assert found == {rows[0].id, rows[1].id}
    assert bench.store.reader.with_siblings([rows[1].id]) == {rows[1].id}
    assert bench.store.reader.with_siblings([]) == set()
    await bench.control(program, make_control("B0", START + 36, 2))
    assert bench.store.reader.with_siblings([row.id for row in rows]) == {row.id for row in rows[:3]}


@pytest.mark.parametrize("newer_first", [True, False])
async def test_events_that_only_touch_by_their_random_parts_are_successive(
    bench: Bench, newer_first: bool
) -> None:
    """The random part of one neither ends the other early nor takes it away. IEEE 2030.5-2018, 10.2.3."""
    _, client = await bench.device("touch-1")
    _, program = await bench.group("touching", "touch-1")
    short, long = make_control("A1", START + 10, 90), make_control("B1", START + 100, 1000)
    short.randomizeDuration = 60
    long.randomizeStart = -60
    for control in (long, short) if newer_first else (short, long):
        control.creationTime = bench.clock.now()
        await bench.control(program, control)
        bench.clock.advance(1)

    async def statuses(at: int) -> dict[str, int]:
        bench.clock.set(START + at)
        page = await client.read(f"{program.href}/derc?l=9", DERControlList)
        return {one.mRID.lstrip("0"): one.EventStatus_.currentStatus for one in page.DERControl_}

    assert await statuses(9) == {"A1": 0, "B1": 0}
    assert await statuses(39) == {"A1": 1, "B1": 0}
    assert await statuses(99) == {"A1": 1, "B1": 1}
    assert await statuses(161) == {"B1": 1}


async def test_events_that_overlap_supersede_each_other_with_random_parts_too(bench: Bench) -> None:
    _, client = await bench.device("touch-1")
    _, program = await bench.group("touching", "touch-1")
    older, newer = make_control("A1", START + 10, 91), make_control("B1", START + 100, 1000)
    newer.randomizeStart = -60
    for control in (older, newer):
        control.creationTime = bench.clock.now()
        await bench.control(program, control)
        bench.clock.advance(1)
    bench.clock.set(START + 40)
    page = await client.read(f"{program.href}/derc?l=9", DERControlList)
    assert [one.EventStatus_.currentStatus for one in page.DERControl_] == [4, 1]


async def test_an_event_that_is_made_in_the_random_tail_of_another_supersedes_it(bench: Bench) -> None:
    _, client = await bench.device("touch-1")
    _, program = await bench.group("touching", "touch-1")
    older = make_control("A1", START + 10, 90)
    older.randomizeDuration = 600
    await bench.control(program, older)
    bench.clock.set(START + 200)
    newer = make_control("B1", START + 50, 1000, created=START + 200)
    await bench.control(program, newer)
    for at in (200, 300):
        bench.clock.set(START + at)
        page = await client.read(f"{program.href}/derc?l=9", DERControlList)
        assert [one.EventStatus_.currentStatus for one in page.DERControl_] == [4, 1]
