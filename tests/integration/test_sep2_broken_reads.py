"""A database that cannot be read for a while: what looks at it by itself goes on once it can be again."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import OperationalError
from typing import TypeVar

import pytest

from sep2_server import Store, keeper
from sep2_server.feed import Feed
from sep2_server.lease import Lease
from sep2_server.reader import Reader
from sep2_server.rows import Row
from tests.integration.sep2_harness import Bench

T = TypeVar("T")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "server.db", is_shared=True)
    yield store
    store.close()


def broken(*_: object) -> None:
    raise OperationalError("disk I/O error")


async def test_a_lease_that_cannot_be_read_is_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gained = asyncio.Event()
    lease = Lease(store, "clock", gained.set)
    with monkeypatch.context() as patched:
        patched.setattr(Reader, "is_lease_free", broken)
        await lease.start()
        assert not lease.is_held
        await asyncio.sleep(1.2)
    async with asyncio.timeout(5):
        await gained.wait()
    await lease.stop()


def test_a_feed_that_cannot_be_read_is_read_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Store(tmp_path / "server.db", is_shared=True)
    failed, heard = threading.Event(), threading.Event()
    catch_up = Feed.catch_up

    def fail_once(feed: Feed, reader: Reader) -> None:
        if feed is other.feed and not failed.is_set():
            failed.set()
            raise OperationalError("disk I/O error")
        catch_up(feed, reader)

    monkeypatch.setattr(Feed, "catch_up", fail_once)
    other.listen(lambda _: heard.set())
    store.write(lambda tx: tx.insert(Row(tx.next_id(), "/1", "Time")))
    assert failed.wait(5)
    assert heard.wait(5)
    other.close()


class Ended(BaseException):
    """Ends what would go on for ever."""


async def test_the_clock_task_rests_while_nothing_can_be_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def ask(_: Callable[[Reader], T]) -> T:
        nonlocal asked
        asked += 1
        if asked > 100:
            raise Ended
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(keeper, "PAUSE_S", 0.2)
    monkeypatch.setattr(bench.store, "ask", ask)
    bench.server.keeper.wake()
    await asyncio.sleep(0.5)
    monkeypatch.undo()
    assert 0 < asked < 10
