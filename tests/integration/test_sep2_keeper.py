"""The clock task: it looks at the second without being told, keeps to retention, and hands its lease on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from certs import Pki
from schemas import Event, Reading
from sep2_server import Store, keeper
from sep2_server.event_times import repair_list
from sep2_server.interval_times import INTERVAL_KINDS
from sep2_server.keeper import FORGET_EVERY_S, LEASE, REPORTED
from sep2_server.lease import TTL_MS, Lease
from sep2_server.rows import EVERYBODY, Change
from sep2_server.transaction import Transaction
from sep2_server.uris import route_named
from tests.integration.sep2_harness import START, Bench, make_control, running
from tests.integration.test_sep2_mirror import WATT, Meter, reading_set

pytestmark = pytest.mark.usefixtures("each_database")
DAY = 86_400


async def test_what_is_due_is_written_at_its_second_though_nobody_wakes_the_task(bench: Bench) -> None:
    await bench.device("event-1")
    _, program = await bench.group("event", "event-1")
    bench.clock.set(START + 9)
    row = await bench.control(program, make_control("A1", START + 10, 100))
    written, loop = asyncio.Event(), asyncio.get_running_loop()

    def hear(changes: Sequence[Change]) -> None:
        if any(change.resource_id == row.id for change in changes):
            loop.call_soon_threadsafe(written.set)

    await asyncio.sleep(0.5)
    bench.store.listen(hear)
    bench.clock.set(START + 10)
    async with asyncio.timeout(4):
        await written.wait()


async def test_the_lease_of_the_clock_is_free_as_soon_as_the_task_has_stopped(bench: Bench) -> None:
    assert bench.server.keeper.holds_lease
    await bench.server.keeper.stop()
    assert await bench.store.ask(lambda reader: reader.is_lease_free(LEASE, "another"))


class Slow(Lease):
    """A lease whose taking is heard of late."""

    async def _attempt(self, job: Callable[[Transaction], bool | None]) -> bool:
        del job
        await asyncio.sleep(0.5)
        return True


async def test_who_hears_late_that_it_has_the_lease_does_not_believe_in_it_for_longer(bench: Bench) -> None:
    store = Store(bench.server.settings.database, is_shared=True)
    lease, begun = Slow(store, "late"), time.monotonic()
    await lease.start()
    assert lease.is_held
    assert lease._until < begun + TTL_MS / 1000 + 0.4
    await lease.stop()
    store.close()


@pytest.fixture
async def forgetful(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Meter]:
    """A meter at a server that keeps values for a day, and forgets them when a test says so."""
    async with running(tmp_path, sep2_pki, reading_retention_s=DAY) as bench:
        _, client = await bench.device("meter-old")
        await bench.server.keeper.stop()
        bench.server.keeper._forget_at = 0
        yield Meter(bench, client, bench.credentials("meter-old").lfdi)


async def test_values_are_kept_until_their_whole_day_is_over_long_enough(forgetful: Meter) -> None:
    mup = await forgetful.start()
    first_kept = (START - DAY) // DAY * DAY
    for number, start in enumerate((first_kept - 60, first_kept)):
        await forgetful.client.post(mup, reading_set(f"D{number}", start, number + 1, kind=WATT))
    await forgetful.bench.server.keeper._forget_readings()
    assert (await forgetful.sets()).all == 1
    assert await forgetful.values() == [2]


async def test_of_a_set_that_spans_days_the_old_values_go_alone(forgetful: Meter) -> None:
    mup = await forgetful.start()
    first_kept = (START - DAY) // DAY * DAY
    await forgetful.client.post(mup, reading_set("D1", first_kept - 60, 1, 2, kind=WATT))
    assert await forgetful.values() == [1, 2]
    await forgetful.bench.server.keeper._forget_readings()
    assert await forgetful.values() == [2]


async def test_a_value_without_a_time_is_of_the_day_on_which_it_came(forgetful: Meter) -> None:
    mup = await forgetful.start()
    posted = reading_set("D1", START, 1, kind=WATT)
    posted.MirrorReadingSet_[0].Reading_ = [Reading(value=7)]
    assert (await forgetful.client.post(mup, posted)).status == 201
    left = []
    for days in (0, 1, 2):
        forgetful.bench.clock.set(START + days * DAY)
        await forgetful.bench.server.keeper._forget_readings()
        left.append((await forgetful.sets()).all)
    assert left == [1, 1, 0]


async def test_old_values_are_looked_for_once_an_hour(
    forgetful: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0

    def look(tx: Transaction, **_: object) -> int:
        nonlocal looked
        looked += 1
        return 0

    task, clock = forgetful.bench.server.keeper, forgetful.bench.clock
    monkeypatch.setattr(keeper, "forget_readings", look)
    seen = []
    for now in (FORGET_EVERY_S, FORGET_EVERY_S + 1, 2 * FORGET_EVERY_S - 1, 2 * FORGET_EVERY_S):
        clock.set(START + now)
        await task._forget_readings()
        seen.append(looked)
    assert seen == [1, 1, 1, 2]


async def test_a_list_that_is_gone_by_the_time_of_its_repair_is_left_alone(bench: Bench) -> None:
    environment = bench.server.environment
    await bench.store.do(lambda tx: repair_list(tx, environment, 999_999, START))
    assert await bench.store.ask(lambda reader: reader.by_id(999_999)) is None


def told(kind: str, count: int = 1) -> list[Change]:
    return [Change(number, number, kind, None, EVERYBODY, None, 1) for number in range(count)]


async def until(is_so: Callable[[], bool]) -> None:
    """Look until something is so, for 10 s at most."""
    for _ in range(200):
        if is_so():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it never was")


async def idle(bench: Bench) -> None:
    """Wait until the task has looked at all that was written."""
    await until(lambda: not bench.server.keeper._woken.is_set())


@pytest.mark.parametrize("kind", sorted(REPORTED))
async def test_what_devices_report_all_the_time_wakes_nobody(bench: Bench, kind: str) -> None:
    await idle(bench)
    bench.server.keeper.hear(told(kind))
    assert not bench.server.keeper._woken.is_set()
    bench.server.keeper.hear([*told(kind), *told("DERControl")])
    assert bench.server.keeper._woken.is_set()


@pytest.mark.parametrize("kind", sorted(REPORTED))
def test_time_alone_changes_nothing_that_is_reported(kind: str) -> None:
    assert not issubclass(route_named(kind).type, Event)
    assert kind not in INTERVAL_KINDS


async def test_a_feed_that_gets_long_with_reports_alone_is_looked_at(bench: Bench) -> None:
    await idle(bench)
    most = bench.server.settings.changes_kept // 10
    bench.server.keeper.hear(told("DERStatus", most - bench.server.keeper._unshortened))
    assert not bench.server.keeper._woken.is_set()
    bench.server.keeper.hear(told("DERStatus"))
    assert bench.server.keeper._woken.is_set()
    await until(lambda: not bench.server.keeper._unshortened)
