"""The thread that writes: what is given up is not begun, nobody is forgotten, nothing ends it but `close`."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from sqlite3 import IntegrityError, OperationalError
from typing import cast

import pytest
from asyncpg import PostgresError

from sep2_server import Store
from sep2_server.commits import MOST_TOGETHER
from sep2_server.errors import StoreError
from sep2_server.feed import Feed
from sep2_server.reader import Reader
from sep2_server.rows import Row
from sep2_server.sqlite import SqliteConnection
from sep2_server.transaction import Transaction
from sep2_server.writer import Group, Outcome
from tests.integration.process.site_process import until
from tests.integration.sep2_harness import DATABASES

WAIT_S = 10


@pytest.fixture
def store(tmp_path: Path, each_database: str) -> Iterator[Store]:
    store = Store(DATABASES.of(tmp_path))
    yield store
    store.close()


@pytest.fixture
def gate(store: Store) -> threading.Event:
    """Holds the writer up until it is set, in a commit of its own."""
    gate, begun = threading.Event(), threading.Event()

    def wait(_: Transaction) -> None:
        begun.set()
        gate.wait(WAIT_S)

    store.submit(wait)
    assert begun.wait(WAIT_S)
    return gate


def put(href: str) -> Callable[[Transaction], Row]:
    return lambda tx: tx.insert(Row(tx.next_id(), href, "Time"))


def broken(*_: object, **__: object) -> None:
    raise OperationalError("disk I/O error")


def test_a_job_that_was_given_up_is_not_begun_and_those_behind_it_are(
    store: Store, gate: threading.Event
) -> None:
    given_up, behind = store.submit(put("/1")), store.submit(put("/2"))
    assert given_up.cancel()
    gate.set()
    assert behind.result(WAIT_S).href == "/2"
    assert store.submit(put("/3")).result(WAIT_S).href == "/3"
    assert store.reader.by_href("/1") is None


@pytest.fixture
def hasty(tmp_path: Path, store: Store) -> Iterator[Store]:
    """A store of another process on the same database, which keeps nobody waiting for long."""
    hasty = Store(DATABASES.of(tmp_path), patience_s=0.3)
    yield hasty
    hasty.close()


async def test_a_write_that_is_told_to_be_late_before_it_has_begun_is_never_carried_out(
    hasty: Store, gate: threading.Event
) -> None:
    """Somebody else holds the lock of the database for longer than who asks is kept waiting."""
    for href in ("/1", "/2"):
        with pytest.raises(StoreError, match=r"no answer within 0\.3 s"):
            await hasty.do_short(put(href))
    gate.set()
    async with asyncio.timeout(WAIT_S):
        assert (await hasty.do(put("/3"))).href == "/3"
    assert [hasty.reader.by_href(href) for href in ("/1", "/2")] == [None, None]
    async with asyncio.timeout(WAIT_S):
        assert (await hasty.do_short(put("/1"))).href == "/1", "its repetition is carried out once"
    await hasty.let_loop_go()


def test_a_job_that_is_given_up_while_the_writer_waits_for_the_lock_is_not_begun(
    hasty: Store, gate: threading.Event
) -> None:
    given_up, other = hasty.submit(put("/1")), hasty.submit(put("/2"))
    until(lambda: hasty._writer.waiting_jobs == 0)
    assert given_up.cancel()
    gate.set()
    assert other.result(WAIT_S).href == "/2"
    assert hasty.reader.by_href("/1") is None


def failing(tx: Transaction) -> None:
    tx.insert(Row(tx.next_id(), "/bad", "Time", owner_id=9, mrid="0A" * 16))
    raise LookupError("no")


def test_a_job_sees_nothing_of_one_that_failed_in_the_same_commit(
    store: Store, gate: threading.Event
) -> None:
    failed = store.submit(failing)
    found = store.submit(
        lambda tx: (tx.by_href("/bad"), tx.by_mrid("0A" * 16, owner_id=9), tx.all_by_mrid("0A" * 16))
    )
    written = store.submit(put("/bad"))
    gate.set()
    assert isinstance(failed.exception(WAIT_S), LookupError)
    assert found.result(WAIT_S) == (None, None, [])
    assert store.reader.by_href("/bad") == written.result(WAIT_S)


async def test_more_short_jobs_than_share_a_commit_are_all_carried_out(store: Store) -> None:
    count = 2 * MOST_TOGETHER + 10
    commits: list[int] = []
    store.observe(lambda jobs, _: commits.append(jobs))
    async with asyncio.timeout(WAIT_S):
        rows = await asyncio.gather(*(store.do_short(put(f"/{number}")) for number in range(count)))
    assert [row.href for row in rows] == [f"/{number}" for number in range(count)]
    assert (store.waiting_jobs, sum(commits), max(commits)) == (0, count, MOST_TOGETHER)
    await store.let_loop_go()


async def test_a_commit_of_which_all_jobs_failed_holds_up_nobody(store: Store) -> None:
    for do in (store.do, store.do_short):
        with pytest.raises(LookupError):
            await do(failing)
        other = store.submit(put(f"/{do.__name__}"))
        assert (await asyncio.wrap_future(other)).href == f"/{do.__name__}"
        assert (await store.do_short(put(f"/{do.__name__}/2"))).version == 1
    await store.let_loop_go()


def test_everybody_whose_jobs_share_a_commit_is_told(store: Store, gate: threading.Event) -> None:
    told = [threading.Event() for _ in range(3)]
    outcomes = [Outcome() for _ in told]
    for number, (event, outcome) in enumerate(zip(told, outcomes, strict=True)):
        store._writer.submit_all(Group([(put(f"/{number}"), outcome)], event.set))
    gate.set()
    assert all(event.wait(WAIT_S) for event in told)
    assert [outcome.result.href for outcome in outcomes] == ["/0", "/1", "/2"]


def test_close_returns_once_all_that_waited_is_written(tmp_path: Path, each_database: str) -> None:
    store = Store(DATABASES.of(tmp_path))
    gate = threading.Event()
    store.submit(lambda _: gate.wait(0.2))
    last = store.submit(put("/last"))
    store.close()
    assert last.done()
    assert last.result().href == "/last"


def test_a_writer_that_cannot_even_undo_what_was_begun_tells_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "server.db")
    with monkeypatch.context() as patched:
        patched.setattr(SqliteConnection, "begin", broken)
        patched.setattr(SqliteConnection, "roll_back", broken)
        with pytest.raises(StoreError, match="cannot write"):
            store.submit(put("/1")).result(WAIT_S)
    assert store.submit(put("/2")).result(WAIT_S).href == "/2"
    assert store.reader.by_href("/1") is None
    store.close()


async def test_a_loop_that_cannot_even_undo_what_was_begun_tells_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "server.db")
    with monkeypatch.context() as patched:

        def commit(*_: object) -> None:
            patched.setattr(SqliteConnection, "roll_back", broken)
            broken()

        patched.setattr(SqliteConnection, "commit", commit)
        with pytest.raises(StoreError, match="cannot write"):
            await asyncio.wait_for(store.do_short(put("/1")), WAIT_S)
    async with asyncio.timeout(5):
        assert (await store.do_short(put("/2"))).href == "/2"
    assert store.reader.by_href("/1") is None
    store.close()


def test_who_tries_to_write_without_waiting_waits_again_afterwards(tmp_path: Path) -> None:
    Store(tmp_path / "server.db").close()
    one, other = (SqliteConnection(tmp_path / "server.db") for _ in range(2))
    tried = [one.try_begin(), other.try_begin()]
    waits = [db._execute("PRAGMA busy_timeout").fetchone()[0] for db in (one, other)]
    assert (tried, waits) == ([True, False], [10_000, 10_000])
    one.close()
    other.close()


def test_what_is_written_is_acknowledged_where_the_feed_of_others_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "server.db")
    heard: list[int] = []
    store.listen(lambda changes: heard.extend(change.resource_id for change in changes))
    store.feed.position -= 1
    with monkeypatch.context() as patched:
        patched.setattr(Reader, "first_change", broken)
        row = store.submit(put("/1")).result(WAIT_S)
    assert heard == [row.id]
    assert store.submit(put("/2")).result(WAIT_S).href == "/2"
    store.close()


def test_of_the_commits_of_others_those_before_an_own_one_are_told_with_it(store: Store) -> None:
    feed = Feed()
    heard: list[int] = []
    feed.listen(lambda changes: heard.extend(change.resource_id for change in changes))
    feed.start_at(store.reader.last_change())
    rows = [store.write(put(f"/{number}")) for number in range(3)]
    changes = store.reader.changes(feed.position)
    feed.committed(changes[1:2], store.reader)
    assert heard == [row.id for row in rows], "all that is committed, in its order"
    feed.committed(changes[1:2], store.reader)
    assert len(heard) == 3, "nothing twice"


def test_a_listener_that_fails_takes_neither_the_write_nor_other_listeners_with_it(store: Store) -> None:
    heard: list[int] = []
    store.listen(broken)
    store.listen(lambda changes: heard.extend(change.resource_id for change in changes))
    assert [store.submit(put(f"/{number}")).result(WAIT_S).id for number in range(2)] == heard


class Write:
    """A short write that can be repeated: a resource, and then what `then` does; none has room at `/full`."""

    is_repeatable = True

    def __init__(self, href: str, then: Callable[[Transaction], object] = lambda _: None) -> None:
        self.href = href
        self._then = then
        self.runs = 0

    def __call__(self, tx: Transaction) -> str:
        self.runs += 1
        if self.href:
            insert(tx, self.href)
        self._then(tx)
        return self.href


def insert(tx: Transaction, href: str) -> None:
    """Store a resource; the database refuses the one at `/full` once it is written."""
    row = Row(tx.next_id(), href, "Time")
    tx.insert(row._replace(sort_key=cast("bytes", None)) if href == "/full" else row)


def asking(tx: Transaction) -> None:
    """Ask what has to see all rows, so that what waits is written first."""
    tx.of_kind("Time", limit=1)


def asking_and_going_on(tx: Transaction) -> None:
    with suppress(Exception):
        asking(tx)


def trying(tx: Transaction) -> None:
    with suppress(Exception), tx.attempt():
        asking(tx)


def trying_badly(tx: Transaction) -> None:
    """Try what cannot be written, in vain, and go on."""
    with suppress(Exception), tx.attempt():
        insert(tx, "/full")


@pytest.mark.parametrize("then", [asking, asking_and_going_on, trying])
@pytest.mark.parametrize("do", ["do", "do_short"])
async def test_a_write_that_fails_inside_the_job_of_somebody_else_takes_nobody_elses_with_it(
    store: Store, gate: threading.Event, then: Callable[[Transaction], object], do: str
) -> None:
    """What waits is written where a job asks: what is acknowledged is there, of the rest it is told."""
    jobs = [
        Write("/1"),
        Write("/full"),
        Write("/2"),
        Write("", then),
        Write("/ask", then),
        Write("/3"),
        Write("", then),
    ]
    told = [asyncio.ensure_future(getattr(store, do)(job)) for job in jobs]
    await asyncio.sleep(0.05)
    gate.set()
    await asyncio.wait(told, timeout=WAIT_S)
    assert [task.exception() is None for task in told] == [True, False, True, True, True, True, True]
    assert jobs[1].runs == 2, "once with all others, once alone"
    assert [store.reader.by_href(f"/{name}") is not None for name in ("1", "2", "3", "ask")] == [True] * 4
    assert store.reader.by_href("/full") is None
    await store.let_loop_go()


@pytest.mark.parametrize("then", [asking, asking_and_going_on, trying])
async def test_a_write_of_one_job_that_fails_within_it_is_never_acknowledged(
    store: Store, then: Callable[[Transaction], object]
) -> None:
    for do in (store.do, store.do_short):
        with pytest.raises((IntegrityError, PostgresError, StoreError)):
            await do(Write("/full", then))
        assert store.reader.by_href("/full") is None
        await do(Write(f"/{do.__name__}", then))
        assert store.reader.by_href(f"/{do.__name__}") is not None
    await store.let_loop_go()


async def test_an_attempt_whose_write_fails_is_undone_alone(store: Store) -> None:
    assert await store.do(Write("/1", trying_badly)) == "/1"
    assert await store.do_short(Write("/2", trying_badly)) == "/2"
    assert [store.reader.by_href(href) is not None for href in ("/1", "/2", "/full")] == [True, True, False]
    changes = store.reader.changes(0, 100)
    assert {change.resource_id for change in changes} == {
        row.id for row in map(store.reader.by_href, ("/1", "/2")) if row is not None
    }
    await store.let_loop_go()


async def test_where_the_last_write_of_a_commit_fails_all_are_carried_out_one_by_one(
    store: Store, gate: threading.Event
) -> None:
    told = [asyncio.ensure_future(store.do(Write(href))) for href in ("/1", "/2", "/full")]
    await asyncio.sleep(0.05)
    gate.set()
    await asyncio.wait(told, timeout=WAIT_S)
    assert [task.exception() is None for task in told] == [True, True, False]
    assert [store.reader.by_href(href) is not None for href in ("/1", "/2", "/full")] == [True, True, False]
