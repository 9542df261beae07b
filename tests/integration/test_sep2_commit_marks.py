"""Processes on one file that mark their commits in shared memory: none is missed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import sep2_server.sqlite
from sep2_server import Store
from sep2_server.commit_marks import WRITERS, CommitMarks, is_quiet
from sep2_server.rows import Change, Row
from sep2_server.sqlite import SqliteConnection
from sep2_server.transaction import Transaction
from tests.integration.marking_child import LIVES

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 2
COMMITS = 100_000
LONG_S = 30.0


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> CommitMarks:
    """With feeds that hear of nothing by themselves for as long as a test takes."""
    monkeypatch.setattr(sep2_server.sqlite, "LOOK_S", LONG_S)
    return CommitMarks(PROCESSES)


@pytest.fixture
def stores(tmp_path: Path, marks: CommitMarks) -> Iterator[list[Store]]:
    opened = [
        Store(tmp_path / "server.db", is_shared=True, marks=marks, process=number)
        for number in range(PROCESSES)
    ]
    for store in opened:
        store.refresh()
    yield opened
    for store in opened:
        store.close()


@pytest.fixture
def asked(stores: list[Store]) -> list[str]:
    """What the second store asks its file from now on."""
    connection = stores[1]._connections[0]
    assert isinstance(connection, SqliteConnection)
    texts: list[str] = []
    connection._driver.set_trace_callback(texts.append)
    return texts


@pytest.fixture
def heard(stores: list[Store]) -> list[int]:
    """The resources whose changes the second store tells."""
    numbers: list[int] = []

    def hear(changes: Sequence[Change]) -> None:
        numbers.extend(change.resource_id for change in changes)

    stores[1].listen(hear)
    return numbers


def put(tx: Transaction) -> Row:
    number = tx.next_id()
    return tx.insert(Row(number, f"/{number}", "Time"))


def test_a_file_that_nobody_has_written_to_is_not_asked(stores: list[Store], asked: list[str]) -> None:
    for _ in range(3):
        stores[1].refresh()
    assert asked == []


def test_what_the_thread_of_another_process_commits_is_heard_at_once(
    stores: list[Store], asked: list[str], heard: list[int]
) -> None:
    for _ in range(10):
        row = stores[0].write(put)
        stores[1].refresh()
        assert heard[-1] == row.id
    before = len(asked)
    stores[1].refresh()
    assert len(asked) == before


def test_what_the_loop_of_another_process_commits_is_heard_at_once(
    stores: list[Store], heard: list[int]
) -> None:
    async def write() -> None:
        for _ in range(10):
            row = await stores[0].do_short(put)
            stores[1].refresh()
            assert heard[-1] == row.id

    asyncio.run(write())


def test_a_commit_that_was_begun_and_never_ended_is_looked_for_at_each_answer(
    tmp_path: Path, marks: CommitMarks, stores: list[Store], asked: list[str], heard: list[int]
) -> None:
    """As of a process that is killed between its commit and the mark of it, until it is replaced."""
    row = stores[0].write(put)
    mark = marks.mark(0, 1)
    mark.__enter__()
    for count in range(1, 4):
        stores[1].refresh()
        assert (asked.count("PRAGMA data_version"), heard) == (count, [row.id])
    stores[0].close()
    stores[0] = Store(tmp_path / "server.db", is_shared=True, marks=marks, process=0)
    stores[1].refresh()
    before = len(asked)
    stores[1].refresh()
    assert len(asked) == before
    row = stores[0].write(put)
    stores[1].refresh()
    assert heard[-1] == row.id


def test_a_feed_that_cannot_be_read_is_read_by_the_next_who_asks(
    stores: list[Store], heard: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = stores[0].write(put)

    def fail(*_: object) -> None:
        raise OSError("the disk is away")

    with monkeypatch.context() as broken:
        broken.setattr(stores[1].feed, "catch_up", fail)
        with pytest.raises(OSError, match="away"):
            stores[1].refresh()
    stores[1].refresh()
    assert heard == [row.id]


def test_a_commit_that_fails_has_ended(tmp_path: Path) -> None:
    marks = CommitMarks(1)
    connection = SqliteConnection(tmp_path / "server.db")
    connection.mark_commits(marks.mark(0, 0))
    before = marks.seen()
    with pytest.raises(Exception, match="no transaction"):
        connection.commit()
    assert (is_quiet(marks.seen()), marks.seen() == before) == (True, False)
    connection.close()


def test_writers_count_apart() -> None:
    marks = CommitMarks(PROCESSES)
    places = [(process, writer) for process in range(PROCESSES) for writer in range(WRITERS)]
    told = [marks.mark(*place) for place in places]
    seen = {marks.seen()}
    for mark in told:
        with mark:
            assert not is_quiet(marks.seen())
            seen.add(marks.seen())
        assert is_quiet(marks.seen())
        seen.add(marks.seen())
    assert len(seen) == 1 + 2 * len(places)


def test_a_replaced_writer_goes_on_with_a_count_that_nobody_has_seen() -> None:
    marks = CommitMarks(1)
    first = marks.mark(0, 0)
    seen = {marks.seen()}
    for _ in range(300):
        with first:
            seen.add(marks.seen())
        seen.add(marks.seen())
    first.__enter__()
    seen.add(marks.seen())
    marks.mark(0, 0)
    assert is_quiet(marks.seen())
    assert marks.seen() not in seen


def test_a_count_is_written_in_one_piece() -> None:
    """Half of one, or none, may be what a process has seen before: it would miss all that came since."""
    marks = CommitMarks(1)
    mark = marks.mark(0, 0)
    writer = os.fork()
    if writer == 0:
        for _ in range(COMMITS):
            with mark:
                pass
        os._exit(0)
    counts = [0]
    while not os.waitpid(writer, os.WNOHANG)[0]:
        counts.append(int.from_bytes(marks.seen()[:8], sys.byteorder))
    assert counts == sorted(counts)
    assert int.from_bytes(marks.seen()[:8], sys.byteorder) == 2 * COMMITS


def test_whoever_is_killed_at_a_commit_what_was_acknowledged_is_heard_of_at_once(tmp_path: Path) -> None:
    database = str(tmp_path / "server.db")
    command = [sys.executable, "-m", "tests.integration.marking_child", database, str(2 * LIVES)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, f"{sum(range(LIVES)) * 2} []\n"), done.stderr
