"""Short writes on the loop of the server: nothing is acknowledged before its log is on the disk."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sqlite3 import (
    SQLITE_BUSY,
    SQLITE_FULL,
    SQLITE_IOERR_DIR_FSYNC,
    SQLITE_IOERR_FSYNC,
    OperationalError,
)
from typing import TypeVar

import pytest

from schemas import Codec
from sep2_server import Store, log_syncer
from sep2_server.address import PostgresAddress
from sep2_server.errors import StoreError
from sep2_server.postgres import PostgresConnection
from sep2_server.reader import Reader
from sep2_server.rows import Change
from sep2_server.sqlite import SqliteConnection
from sep2_server.transaction import Transaction
from tests.integration.sep2_harness import Bench
from tests.integration.test_sep2_durability import event
from tests.postgres import Postgres

T = TypeVar("T")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "server.db")
    yield store
    store.close()


class Disk:
    """`os.fdatasync` that waits until it may, or fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_go_on = threading.Event()
        self.flaw: OSError | None = None
        self.syncs = 0
        self._sync = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._wait)

    def _wait(self, file: int) -> None:
        self.may_go_on.wait(5)
        self.syncs += 1
        if self.flaw is not None:
            raise self.flaw
        self._sync(file)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def test_a_write_is_acknowledged_after_the_sync_of_the_log(store: Store, disk: Disk) -> None:
    written = asyncio.ensure_future(store.do_short(lambda tx: tx.put_option("colour", "red")))
    await asyncio.sleep(0.05)
    assert store.reader.option("colour") == "red"
    assert not written.done()
    disk.may_go_on.set()
    await written
    assert disk.syncs == 1


async def test_what_comes_while_the_disk_is_busy_shares_one_commit_and_one_sync(
    store: Store, disk: Disk
) -> None:
    commits: list[int] = []
    store.observe(lambda jobs, _: commits.append(jobs))
    first = asyncio.ensure_future(store.do_short(lambda tx: tx.put_option("n", "0")))
    await asyncio.sleep(0.05)
    later = [asyncio.ensure_future(store.do_short(put(number))) for number in range(1, 20)]
    await asyncio.sleep(0.05)
    assert store.waiting_jobs == 19
    disk.may_go_on.set()
    await asyncio.gather(first, *later)
    assert commits == [1, 19]
    assert disk.syncs == 2
    assert store.reader.option("n") == "19"


def put(number: int) -> Callable[[Transaction], int]:
    def job(tx: Transaction) -> int:
        tx.put_option("n", str(number))
        return number

    return job


async def test_after_a_sync_that_failed_nothing_is_acknowledged_by_this_process(
    store: Store, disk: Disk, tmp_path: Path
) -> None:
    """The next sync would say that all is well, of a log that has a hole."""
    assert store.write(put(0)) == 0
    disk.flaw = OSError(5, "Input/output error")
    disk.may_go_on.set()
    with pytest.raises(StoreError, match="Input/output error"):
        await store.do_short(put(1))
    disk.flaw = None
    for write in (store.do_short, store.do):
        with pytest.raises(StoreError, match="Input/output error; nothing more is written before"):
            await write(put(2))
    assert disk.syncs == 1
    assert store.reader.option("n") == "1"
    with pytest.raises(StoreError, match="not kept"):
        store.require_durable()
    again = Store(tmp_path / "server.db")
    assert await again.do_short(put(3)) == 3
    again.close()


@pytest.mark.parametrize(
    ("code", "is_lost"),
    [(SQLITE_IOERR_FSYNC, True), (SQLITE_IOERR_DIR_FSYNC, True), (SQLITE_FULL, False), (SQLITE_BUSY, False)],
)
def test_a_commit_of_the_writer_that_was_not_synced_is_the_last(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int, *, is_lost: bool
) -> None:
    control = SqliteConnection.control

    def fail(connection: SqliteConnection, command: str) -> None:
        if command == "COMMIT":
            flaw = OperationalError("disk I/O error")
            flaw.sqlite_errorcode = code
            raise flaw
        control(connection, command)

    with monkeypatch.context() as patched:
        patched.setattr(SqliteConnection, "control", fail)
        with pytest.raises(StoreError, match="disk I/O error"):
            store.write(put(1))
    if is_lost:
        with pytest.raises(StoreError, match="nothing more is written before"):
            store.write(put(2))
    else:
        assert store.write(put(2)) == 2


async def test_a_promise_that_a_disk_does_not_let_keep_is_broken_in_time(tmp_path: Path, disk: Disk) -> None:
    store = Store(tmp_path / "hung.db", patience_s=0.3)
    try:
        begun = asyncio.ensure_future(store.do_short(put(1)))
        await asyncio.sleep(0.05)
        waiting = [asyncio.ensure_future(store.do_short(put(number))) for number in (2, 3)]
        await asyncio.wait([begun, *waiting], timeout=3)
        for promise in (begun, *waiting):
            with pytest.raises(StoreError, match=r"no answer within 0\.3 s"):
                await promise
        assert (store.waiting_jobs, disk.syncs) == (0, 0)
        disk.may_go_on.set()
        await asyncio.sleep(0.1)
        assert store.reader.option("n") == "1", "what had not begun was not done"
        assert await store.do_short(put(4)) == 4
    finally:
        disk.may_go_on.set()
        store.close()


async def test_a_job_that_fails_leaves_the_others_of_its_commit_alone(store: Store) -> None:
    def bad(tx: Transaction) -> None:
        tx.put_option("n", "bad")
        raise ValueError("no")

    tasks = [asyncio.ensure_future(store.do_short(job)) for job in (put(1), bad, put(2))]
    await asyncio.wait(tasks)
    assert [task.result() for task in (tasks[0], tasks[2])] == [1, 2]
    assert isinstance(tasks[1].exception(), ValueError)
    assert store.reader.option("n") == "2"


async def test_while_somebody_else_writes_the_writer_thread_waits_and_the_loop_does_not(
    store: Store, tmp_path: Path
) -> None:
    other = SqliteConnection(tmp_path / "server.db")
    other.begin()
    written = asyncio.ensure_future(store.do_short(put(1)))
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not written.done()
    other.commit()
    assert await written == 1
    other.close()


async def test_changes_of_both_writers_are_told_once_and_in_order(store: Store) -> None:
    heard: list[int] = []
    store.listen(lambda changes: heard.extend(change.seq for change in changes))
    async with asyncio.TaskGroup() as group:
        for number in range(60):
            group.create_task(store.do_short(put(number)) if number % 3 else store.do(put(number)))
    assert heard == sorted(set(heard))
    assert len(heard) == store.reader.last_change() == 60


async def test_a_job_that_nobody_waits_for_any_more_is_not_begun(store: Store) -> None:
    given_up = asyncio.ensure_future(store.do_short(put(1)))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await store.do_short(put(2)) == 2
    assert given_up.cancelled()
    assert store.reader.last_change() == 1


def test_a_store_serves_one_loop_after_the_other(store: Store) -> None:
    for number in (1, 2):
        assert asyncio.run(store.do_short(put(number))) == number


async def test_the_log_is_emptied_into_the_file_and_stays_small(store: Store, tmp_path: Path) -> None:
    for number in range(1200):
        await store.do_short(put(number))
    assert (tmp_path / "server.db-wal").stat().st_size < 8_000_000


async def test_large_bodies_and_enrolments_go_to_the_writer_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, client = await bench.device("loop-1")
    short: list[object] = []

    async def do_short(job: Callable[[Transaction], T]) -> T:
        short.append(job)
        return await bench.store.do(job)

    monkeypatch.setattr(bench.store, "do_short", do_short)
    assert (await client.post(f"{row.href}/lel", event(1))).status == 201
    assert len(short) == 1
    padded = Codec().encode(event(2)).replace(b"><", b">" + b" " * 9000 + b"<", 1)
    assert (await client.send("POST", f"{row.href}/lel", padded)).status == 201
    assert len(short) == 1


async def test_on_postgresql_the_loop_goes_on_while_the_database_works(postgres: Postgres) -> None:
    name = postgres.make()
    store = Store(postgres.url(name))
    other = PostgresConnection(PostgresAddress.of(postgres.url(name)))
    held = ThreadPoolExecutor(1)
    await asyncio.wrap_future(held.submit(other.begin))
    written = [asyncio.ensure_future(store.do_short(put(number))) for number in range(5)]
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not any(task.done() for task in written)
    await asyncio.wrap_future(held.submit(other.commit))
    assert await asyncio.gather(*written) == [0, 1, 2, 3, 4]
    assert store.reader.option("n") == "4"
    await store.let_loop_go()
    assert await store.do_short(put(9)) == 9
    await store.let_loop_go()
    await asyncio.wrap_future(held.submit(other.close))
    held.shutdown()
    store.close()
    postgres.drop(name)


async def test_on_postgresql_own_commits_wake_nobody_and_those_of_others_do(postgres: Postgres) -> None:
    name = postgres.make()
    stores = [Store(postgres.url(name)) for _ in range(2)]
    heard: list[list[int]] = [[], []]
    looked = [0, 0]
    all_heard = threading.Event()
    for number, store in enumerate(stores):

        def hear(changes: Sequence[Change], n: int = number) -> None:
            heard[n].extend(change.seq for change in changes)
            if len(heard[1]) == 20:
                all_heard.set()

        store.listen(hear)
        catch_up = store.feed.catch_up

        def counted(reader: Reader, n: int = number, catch_up: Callable[[Reader], None] = catch_up) -> None:
            looked[n] += 1
            catch_up(reader)

        store.feed.catch_up = counted  # type: ignore[method-assign]
    await asyncio.sleep(0.1)
    looked[:] = [0, 0]
    for number in range(20):
        await stores[0].do_short(put(number))
    assert await asyncio.to_thread(all_heard.wait, 5)
    assert heard[0] == heard[1] == sorted(heard[0])
    assert looked[0] <= 2, "the feed of the writer looks once a second, whatever is committed"
    assert looked[1] > 2
    for store in stores:
        await store.let_loop_go()
        store.close()
    postgres.drop(name)


async def test_a_log_that_cannot_be_emptied_keeps_nobody_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OperationalError("unable to open database file")

    monkeypatch.setattr(log_syncer, "connect", broken)
    monkeypatch.setattr(log_syncer, "SYNCS_A_CHECKPOINT", 2)
    assert store._syncer is not None
    async with asyncio.timeout(10):
        for number in range(20):
            store._syncer._is_nearly_empty = True
            assert await store.do_short(put(number)) == number


async def test_a_log_that_cannot_be_opened_is_not_taken_for_the_file_that_has_its_number_now(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await store.do_short(put(1)) == 1
    syncer = store._syncer
    assert syncer is not None
    assert syncer._file is not None
    gone = tmp_path / "gone"
    gone.touch()
    with gone.open("rb") as file:
        os.dup2(file.fileno(), syncer._file)
    gone.unlink()

    def broken(*_: object) -> int:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", broken)
        with pytest.raises(StoreError, match="Too many open files"):
            await store.do_short(put(2))
        taken = tmp_path / "taken"
        with taken.open("wb"), pytest.raises(StoreError, match="Too many open files"):
            await store.do_short(put(3))
    assert await store.do_short(put(4)) == 4
