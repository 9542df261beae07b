"""Short writes on the loop of the server: nothing is acknowledged before its log is on the disk."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from sqlite3 import (
    SQLITE_BUSY,
    SQLITE_FULL,
    SQLITE_IOERR_DIR_FSYNC,
    SQLITE_IOERR_FSYNC,
    OperationalError,
    connect,
)
from typing import TypeVar

import pytest

from schemas import Codec
from sep2_server import Store, log_syncer, loop_writer
from sep2_server.address import PostgresAddress
from sep2_server.errors import StoreError, UndecidedError
from sep2_server.kernel_sync import KernelSync
from sep2_server.postgres import PostgresConnection
from sep2_server.reader import Reader
from sep2_server.rows import Change
from sep2_server.sqlite import SqliteConnection
from sep2_server.transaction import Transaction
from tests.descriptors import open_files
from tests.integration.sep2_harness import Bench
from tests.integration.test_sep2_durability import event
from tests.postgres import Postgres

T = TypeVar("T")


@pytest.fixture(autouse=True, params=["kernel", "thread"])
def hand(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who syncs."""
    if request.param == "thread":
        monkeypatch.setattr(log_syncer, "_kernel", lambda: None)
    elif (kernel := log_syncer._kernel()) is None:
        pytest.skip("the kernel does not sync for this process")
    else:
        kernel.close()
    return str(request.param)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "server.db")
    yield store
    store.close()


class Disk:
    """Syncs, of whatever hand, that wait until they may, or fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_go_on = threading.Event()
        self.flaw: OSError | None = None
        self.syncs = 0
        self._sync = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._wait)
        end = KernelSync.end

        def begin(kernel: KernelSync, file: int) -> None:
            kernel.is_under_way = True
            KernelSync.under_way += 1
            threading.Thread(target=self._submit, args=(kernel, file)).start()

        monkeypatch.setattr(KernelSync, "begin", begin)
        monkeypatch.setattr(KernelSync, "end", lambda kernel: end(kernel) or self.flaw)

    def _submit(self, kernel: KernelSync, file: int) -> None:
        self.may_go_on.wait(5)
        self.syncs += 1
        kernel._request.file = file
        kernel._call(*kernel._submission)

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
        with pytest.raises(StoreError, match="disk I/O error") as caught:
            store.write(put(1))
    assert isinstance(caught.value, UndecidedError) == is_lost
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


async def test_where_nothing_can_be_undone_those_who_wait_are_told_and_the_next_write_is_done(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> list[object]:
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr("sep2_server.commits.Commits.commit", broken)
        several = [asyncio.ensure_future(store.do_short(put(number))) for number in range(3)]
        await asyncio.wait(several, timeout=10)
        assert [str(task.exception()) for task in several] == ["the store cannot write: disk I/O error"] * 3
    assert await asyncio.wait_for(store.do_short(put(4)), 10) == 4


@pytest.mark.parametrize("asks", [True, False])
async def test_what_was_refused_and_could_not_be_undone_is_not_stored_by_who_reads_next(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asks: bool
) -> None:
    db = store._connections[0]
    plain, undo, tries = db.control, db.roll_back, count()

    def control(command: str) -> None:
        if command == "COMMIT":
            raise OperationalError("disk I/O error")
        plain(command)

    def roll_back() -> None:
        if next(tries):
            raise OperationalError("disk I/O error")
        undo()

    with monkeypatch.context() as patched:
        patched.setattr(db, "control", control)
        patched.setattr(db, "roll_back", roll_back)
        with pytest.raises(StoreError, match="cannot write"):
            await store.do_short(put(1))
    with suppress(OperationalError, StoreError), store.reader.snapshot():
        if asks:
            store.reader.by_href("/none")
    with closing(connect(tmp_path / "server.db")) as other:
        assert other.execute("SELECT value FROM option WHERE name = 'n'").fetchone() is None
    assert await store.do_short(put(2)) == 2


async def test_what_a_lost_disk_has_not_taken_is_not_synced_again(store: Store, disk: Disk) -> None:
    """The sync would say that all is well. Another commit was under way as the disk was lost."""
    disk.may_go_on.set()
    assert await store.do_short(put(1)) == 1
    assert store._syncer is not None
    store._disk.lose("Input/output error")
    told: list[object] = []
    done = threading.Event()

    def tell(flaw: object) -> None:
        told.append(flaw)
        done.set()

    store._syncer.sync(asyncio.get_running_loop(), tell)
    assert await asyncio.to_thread(done.wait, 10)
    assert isinstance(told[0], StoreError)
    assert disk.syncs == 1


async def test_the_first_flaw_of_a_disk_is_the_one_that_is_told(store: Store) -> None:
    store._disk.lose("the first")
    store._disk.lose("another")
    with pytest.raises(StoreError, match="was written: the first; nothing more"):
        store.require_durable()


async def test_a_log_is_emptied_while_all_wait_once_for_each_time_most_of_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    emptied: list[str] = []
    monkeypatch.setattr(log_syncer, "SYNCS_A_CHECKPOINT", 1_000_000)
    monkeypatch.setattr(
        log_syncer.LogSyncer, "_empty", lambda _: emptied.append(threading.current_thread().name)
    )
    assert store._syncer is not None
    store._syncer._empty_most()
    for number in range(5):
        await store.do_short(put(number))
    assert emptied[1:] == ["sep2-checkpoint_0"]


def test_a_syncer_that_is_closed_has_given_its_file_back_and_emptied_the_log_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that goes on behind the end of a store would meet a file that is somebody else's."""
    store = Store(tmp_path / "server.db")
    began, may_end = threading.Event(), threading.Event()
    ended: list[bool] = []

    def empty(_: object) -> None:
        began.set()
        may_end.wait(10)
        ended.append(True)

    monkeypatch.setattr(log_syncer.LogSyncer, "_empty", empty)
    monkeypatch.setattr(log_syncer, "SYNCS_A_CHECKPOINT", 1)
    asyncio.run(store.do_short(put(1)))
    assert began.wait(10)
    syncer = store._syncer
    assert syncer is not None
    file = syncer._file
    assert file is not None
    threading.Timer(0.1, may_end.set).start()
    store.close()
    assert ended == [True]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


async def test_close_leaves_nothing_that_syncs(tmp_path: Path) -> None:
    before = open_files()
    store = Store(tmp_path / "server.db")
    await store.do_short(put(1))
    syncer = store._syncer
    assert syncer is not None
    thread = syncer._thread
    store.close()
    assert thread is None or not thread.is_alive()
    assert (syncer._kernel, syncer._file, open_files()) == (None, None, before)


async def test_close_tells_of_a_sync_that_is_under_way(tmp_path: Path, disk: Disk) -> None:
    store = Store(tmp_path / "server.db")
    written = asyncio.ensure_future(store.do_short(put(1)))
    await asyncio.sleep(0.05)
    threading.Timer(0.1, disk.may_go_on.set).start()
    assert not written.done()
    store.close()
    assert await asyncio.wait_for(written, 10) == 1


async def test_where_the_kernel_takes_no_more_a_thread_syncs(
    store: Store, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.may_go_on.set()
    assert await store.do_short(put(1)) == 1

    def refuse(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(KernelSync, "begin", refuse)
    for number in (2, 3):
        assert await asyncio.wait_for(store.do_short(put(number)), 10) == number
    syncer = store._syncer
    assert syncer is not None
    assert syncer._kernel is None
    assert syncer._thread is not None
    assert disk.syncs == 3


async def test_a_log_that_was_made_anew_is_opened_anew_and_the_old_one_given_back(store: Store) -> None:
    await store.do_short(put(1))
    syncer = store._syncer
    assert syncer is not None
    old = syncer._file
    assert old is not None
    spare = os.dup(old)
    count = open_files()
    os.close(spare)
    syncer._open()
    assert open_files() == count - 1


async def test_one_who_gives_up_while_the_disk_works_keeps_nobody_waiting(store: Store, disk: Disk) -> None:
    given_up = asyncio.ensure_future(store.do_short(put(1)))
    other = asyncio.ensure_future(store.do_short(put(2)))
    await asyncio.sleep(0.05)
    given_up.cancel()
    disk.may_go_on.set()
    assert await asyncio.wait_for(other, 10) == 2
    assert await asyncio.wait_for(store.do_short(put(3)), 10) == 3


async def test_the_loop_goes_on_behind_what_the_thread_has_written(store: Store, tmp_path: Path) -> None:
    other = SqliteConnection(tmp_path / "server.db")
    other.begin()
    written = [asyncio.ensure_future(store.do_short(put(1)))]
    await asyncio.sleep(0.05)
    written.append(asyncio.ensure_future(store.do_short(put(2))))
    await asyncio.sleep(0.05)
    other.commit()
    other.close()
    assert await asyncio.wait_for(asyncio.gather(*written), 10) == [1, 2]


def test_on_postgresql_a_loop_that_was_left_does_not_keep_the_next_waiting(postgres: Postgres) -> None:
    name = postgres.make()
    store = Store(postgres.url(name))

    async def write(number: int) -> int:
        return await asyncio.wait_for(store.do_short(put(number)), 10)

    async def write_and_let_go(number: int) -> int:
        try:
            return await write(number)
        finally:
            await store.let_loop_go()

    left = asyncio.new_event_loop()
    assert left.run_until_complete(write(1)) == 1
    here = store._loop_writer._here
    assert isinstance(here, loop_writer.PostgresHere)
    old = here._db
    assert asyncio.run(write_and_let_go(2)) == 2
    assert here._db is not old
    left.run_until_complete(old.let_loop_go())
    left.close()
    store.close()
    postgres.drop(name)


class Loop:
    """A loop that closes at the moment in which it is called."""

    def is_closed(self) -> bool:
        """Not yet."""
        return False

    def call_soon_threadsafe(self, _: object) -> None:
        """As that of a closed loop."""
        raise RuntimeError("Event loop is closed")


def test_a_loop_that_closes_while_it_is_called_takes_nobody_with_it() -> None:
    """The thread that syncs serves the next loop too."""
    log_syncer.call(Loop(), lambda: None)  # type: ignore[arg-type]


def test_what_one_loop_has_left_does_not_keep_the_next_waiting(
    store: Store, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended while a commit was not yet on the disk and another job waited."""

    async def leave() -> None:
        store.begin_short(put(1))
        await asyncio.sleep(0.01)
        store.begin_short(put(2))
        await asyncio.sleep(0.01)

    async def begin_only() -> None:
        store.begin_short(put(3))

    asyncio.run(leave())
    disk.may_go_on.set()
    with monkeypatch.context() as patched:
        patched.setattr(loop_writer, "GATHER_S", 60)
        store._loop_writer._together = loop_writer.MANY
        asyncio.run(begin_only())
    assert asyncio.run(asyncio.wait_for(store.do_short(put(4)), 10)) == 4
    assert store.reader.option("n") == "4"
    assert store.reader.last_change() == 2


async def test_a_lock_that_somebody_holds_is_waited_for_by_the_thread_after_a_try_of_the_loop(
    tmp_path: Path,
) -> None:
    db = SqliteConnection(tmp_path / "server.db")
    other = SqliteConnection(tmp_path / "server.db")
    other.begin()
    assert not db.try_begin()
    assert db._execute("PRAGMA busy_timeout").fetchone()[0] == 10_000
    other.roll_back()
    db.begin()
    assert db.try_begin(), "what was left begun is undone"
    db.close()
    other.close()
