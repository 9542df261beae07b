"""Several processes on one database: what one commits the others learn, and one at a time holds a lease."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import cast

import pytest

import sep2_server.feed
from sep2_server import Store
from sep2_server.errors import StoreError
from sep2_server.feed import EVERYTHING, Feed
from sep2_server.lease import Lease
from sep2_server.reader import Reader
from sep2_server.rows import EVERYBODY, Change, Row
from sep2_server.transaction import Transaction
from tests.integration.process.site_process import until
from tests.integration.sep2_harness import DATABASES

WAIT_S = 10


class Ear:
    """Listens to a feed; `until` waits for a number of changes."""

    def __init__(self, store: Store) -> None:
        self.heard: list[Change] = []
        self._more = threading.Condition()
        store.listen(self._hear)

    def _hear(self, changes: Sequence[Change]) -> None:
        with self._more:
            self.heard += changes
            self._more.notify_all()

    def until(self, count: int) -> list[Change]:
        """What was heard, once there is so much."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.heard) >= count, WAIT_S), self.heard
            return self.heard


@pytest.fixture
def stores(tmp_path: Path, each_database: str) -> Iterator[tuple[Store, Store]]:
    """Two stores on one database, as two processes have them."""
    database = DATABASES.of(tmp_path)
    one, other = Store(database, is_shared=True), Store(database, is_shared=True)
    yield one, other
    one.close()
    other.close()


def put(store: Store, href: str) -> Row:
    return store.write(lambda tx: tx.insert(Row(tx.next_id(), href, "Time")))


def test_each_hears_the_commits_of_both_once_and_in_order(stores: tuple[Store, Store]) -> None:
    ears = [Ear(store) for store in stores]
    rows = [put(stores[n % 2], f"/{n}") for n in range(20)]
    for ear, store in zip(ears, stores, strict=True):
        heard = ear.until(20)
        assert sorted(change.resource_id for change in heard) == [row.id for row in rows]
        assert heard == store.reader.changes(heard[0].seq - 1)
    assert len(ears[0].heard) == len(ears[1].heard) == 20


def test_a_job_never_works_on_what_another_process_is_changing(stores: tuple[Store, Store]) -> None:
    def count(tx: Transaction) -> None:
        tx.put_option("count", str(int(tx.option("count") or 0) + 1))

    futures = [store.submit(count) for _ in range(50) for store in stores]
    for future in futures:
        future.result()
    assert stores[0].reader.option("count") == "100"


def test_a_reader_that_comes_too_late_is_told_that_anything_may_have_changed(
    stores: tuple[Store, Store],
) -> None:
    one, _ = stores
    feed = Feed()
    heard: list[Change] = []
    feed.start_at(one.reader.last_change())
    feed.listen(heard.extend)
    last = [put(one, f"/{n}") for n in range(5)][-1]
    one.write(lambda tx: tx.forget_changes(one.reader.last_change() - 1))
    feed.catch_up(one.reader)
    assert [change.kind for change in heard] == [EVERYTHING.kind]
    feed.catch_up(one.reader)
    assert (len(heard), feed.position) == (1, one.reader.last_change())
    one.write(lambda tx: tx.delete(last))
    feed.catch_up(one.reader)
    assert [change.resource_id for change in heard[1:]] == [last.id]


def test_a_single_change_that_was_forgotten_before_it_was_read_is_missed(stores: tuple[Store, Store]) -> None:
    one, _ = stores
    feed = Feed()
    heard: list[Change] = []
    feed.start_at(one.reader.last_change())
    feed.listen(heard.extend)
    missed, told = put(one, "/missed"), put(one, "/told")
    one.write(lambda tx: tx.forget_changes(one.reader.last_change() - 1))
    feed.catch_up(one.reader)
    assert missed.id not in {change.resource_id for change in heard}
    assert heard[0].kind == EVERYTHING.kind
    assert told.id in {change.resource_id for change in one.reader.changes(0)}


def test_a_feed_that_is_behind_its_reader_was_put_back_and_anything_may_have_changed(
    stores: tuple[Store, Store],
) -> None:
    one, _ = stores
    put(one, "/1")
    feed = Feed()
    heard: list[Change] = []
    feed.start_at(one.reader.last_change() + 10)
    feed.listen(heard.extend)
    feed.catch_up(one.reader)
    assert [change.kind for change in heard] == [EVERYTHING.kind]
    row = put(one, "/2")
    feed.catch_up(one.reader)
    assert [change.resource_id for change in heard[1:]] == [row.id]


def test_all_that_is_behind_is_told_however_much_it_is(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = stores
    feed = Feed()
    heard: list[Change] = []
    feed.start_at(one.reader.last_change())
    feed.listen(heard.extend)
    rows = [put(one, f"/{n}") for n in range(5)]
    monkeypatch.setattr(sep2_server.feed, "BATCH", 2)
    feed.catch_up(one.reader)
    assert [change.resource_id for change in heard] == [row.id for row in rows]


class RestlessReader:
    """A store in which somebody commits whenever it is looked at, a hundred times."""

    def __init__(self) -> None:
        self.last = 1

    def first_change(self) -> int:
        return 1

    def last_change(self) -> int:
        return self.last

    def changes(self, after: int, _: int) -> list[Change]:
        told = [Change(n, 5, "LogEvent", None, EVERYBODY, None, 1) for n in range(after + 1, self.last + 1)]
        self.last = min(self.last + 1, 100)
        return told


def test_what_others_commit_without_a_pause_holds_nobody_up() -> None:
    feed, reader = Feed(), RestlessReader()
    feed.start_at(0)
    feed.catch_up(cast("Reader", reader))
    assert feed.position == 1
    feed.catch_up(cast("Reader", reader))
    assert feed.position == 2


class HangingReader:
    """A reader whose database gives no answer to what is committed until it goes on."""

    def __init__(self, reader: Reader, asks: str) -> None:
        self._reader = reader
        self._asks = asks
        self.is_asked = threading.Event()
        self.goes_on = threading.Event()

    def first_change(self) -> int:
        return self._reader.first_change()

    def last_change(self) -> int:
        found = self._reader.last_change()
        self._hang("last_change")
        return found

    def changes(self, after: int, limit: int) -> list[Change]:
        found = self._reader.changes(after, limit)
        self._hang("changes")
        return found

    def _hang(self, asked: str) -> None:
        if asked == self._asks:
            self.is_asked.set()
            assert self.goes_on.wait(WAIT_S)


@pytest.mark.parametrize("asks", ["last_change", "changes"])
def test_nobody_waits_for_a_session_that_hangs_and_all_is_told_once_and_in_order(
    stores: tuple[Store, Store], asks: str
) -> None:
    one, _ = stores
    feed = Feed()
    heard: list[int] = []
    feed.listen(lambda changes: heard.extend(change.resource_id for change in changes))
    feed.start_at(one.reader.last_change())
    rows = [put(one, f"/{n}") for n in range(3)]
    hanging = HangingReader(one.new_reader(), asks)
    with ThreadPoolExecutor(2) as threads:
        try:
            late = threads.submit(feed.catch_up, cast("Reader", hanging))
            assert hanging.is_asked.wait(WAIT_S)
            rows += [put(one, f"/{n}") for n in range(3, 6)]
            changes = one.reader.changes(feed.position)
            threads.submit(feed.committed, changes[4:5], one.new_reader()).result(2)
            assert heard == [row.id for row in rows]
        finally:
            hanging.goes_on.set()
        late.result(WAIT_S)
    assert heard == [row.id for row in rows], "what was read before is not told again"


def test_a_feed_that_hears_nothing_for_too_long_says_so_until_it_does(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = stores
    one.feed.require_current()
    monkeypatch.setattr(sep2_server.feed, "MOST_LATE_S", 1.5)
    monkeypatch.setattr(one.feed, "catch_up", lambda _: None)
    until(lambda: is_late(one.feed), WAIT_S)
    monkeypatch.undo()
    one.feed.catch_up(one.reader)
    assert not is_late(one.feed)


def is_late(feed: Feed) -> bool:
    try:
        feed.require_current()
    except StoreError:
        return True
    return False


def rights_of(tx: Transaction) -> int | None:
    return tx.rights


async def test_rights_are_unknown_to_a_write_while_another_process_has_changed_them_unheard(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    assert await one.do(rights_of) == await one.do_short(rights_of) == one.feed.rights
    with monkeypatch.context() as patched:
        patched.setattr(one.feed, "catch_up", lambda _: None)
        await other.do(lambda tx: tx.tell_access(3))
        assert await one.do(rights_of) is None
        assert await one.do_short(rights_of) is None
    one.feed.catch_up(one.reader)
    assert await one.do(rights_of) == await one.do_short(rights_of) == one.reader.last_change()
    await one.let_loop_go()


def test_what_a_consumer_has_not_read_is_kept(stores: tuple[Store, Store]) -> None:
    one, _ = stores
    rows = [put(one, f"/{n}") for n in range(5)]
    seqs = [change.seq for change in one.reader.changes(0)]
    one.write(lambda tx: tx.put_consumer("notifier", seqs[1]))
    one.write(lambda tx: tx.forget_changes(seqs[4]))
    assert [change.resource_id for change in one.reader.changes(0)] == [row.id for row in rows[2:]]
    one.write(lambda tx: tx.put_consumer("notifier", seqs[3]))
    one.write(lambda tx: tx.forget_changes(seqs[4]))
    assert one.reader.consumers() == {"notifier": seqs[3]}
    assert one.reader.first_change() == seqs[4]
    one.write(lambda tx: tx.delete_consumer("notifier"))
    one.write(lambda tx: tx.forget_changes(seqs[4]))
    assert one.reader.changes(0) == []


class Watched(Lease):
    """The lease of the clock, and when it was gained."""

    def __init__(self, store: Store) -> None:
        self.gained = asyncio.Event()
        super().__init__(store, "clock", self.gained.set)


@pytest.fixture
async def leases(stores: tuple[Store, Store]) -> AsyncIterator[list[Watched]]:
    """The clock of both processes; the first was there first."""
    made = [Watched(store) for store in stores]
    for lease in made:
        await lease.start()
    yield made
    for lease in made:
        await lease.stop()


def take(tx: Transaction, holder: str) -> bool:
    return tx.take_lease("clock", holder, 60_000)


def test_of_two_that_found_a_lease_free_the_first_has_it(stores: tuple[Store, Store]) -> None:
    """Both may have asked before either has taken it: the transaction decides."""
    one, other = stores
    taken = [one.write(partial(take, holder="a")), other.write(partial(take, holder="b"))]
    other.write(lambda tx: tx.drop_lease("clock", "b"))
    again = [other.write(partial(take, holder="b")), one.write(partial(take, holder="a"))]
    assert (taken, again) == ([True, False], [False, True])


async def test_one_of_the_processes_has_the_lease_and_hands_it_on(leases: list[Watched]) -> None:
    assert [lease.is_held for lease in leases] == [True, False]
    await leases[0].stop()
    assert not leases[0].is_held
    async with asyncio.timeout(2):
        await leases[1].gained.wait()


async def test_the_lease_of_a_holder_that_died_is_taken_within_5_s(leases: list[Watched]) -> None:
    task = leases[0]._task
    assert task is not None
    task.cancel()
    async with asyncio.timeout(5):
        await leases[1].gained.wait()
    assert not leases[0].is_held


async def test_a_store_of_one_process_needs_no_lease(tmp_path: Path) -> None:
    store = Store(tmp_path / "alone.db")
    lease = Lease(store, "clock")
    await lease.start()
    assert lease.is_held
    await lease.stop()
    assert store.reader.last_change() == 0
    store.close()


def test_a_lease_from_a_clock_that_was_ahead_holds_nobody_up(stores: tuple[Store, Store]) -> None:
    """A machine that starts with a wrong clock: its lease would be held until that time has come."""
    one, other = stores
    assert one.write(lambda tx: tx.take_lease("clock", "dead", 3_600_000))
    assert other.reader.is_lease_free("clock", "b")
    assert other.write(partial(take, holder="b"))
    assert not one.reader.is_lease_free("clock", "a")
