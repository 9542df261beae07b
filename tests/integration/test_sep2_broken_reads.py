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


@pytest.mark.parametrize("way", ["first", "again"])
async def test_who_reads_meanwhile_is_told_to_come_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Whether its head is known or not, and a list or a resource."""
    row, client = await bench.device("reader-1")
    paths = [f"{row.href}/lel", f"{row.href}/der", "/edev"]
    if way == "again":
        assert [(await client.get(path)).status for path in paths for _ in range(3)] == [200] * 9
    for page in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(Reader, "snapshot", broken)
            for path in paths:
                reply = await client.get(f"{path}?l={page + 5}&s={page + 1}")
                assert (reply.status, reply.headers.get("Retry-After")) == (503, "30"), path
        assert (await client.get(f"{paths[0]}?l={page + 5}&s={page + 1}")).status == 200


async def test_who_reads_while_others_write_to_a_broken_file_is_told_to_come_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others have committed cannot be looked up: nothing that is kept is told as current."""
    _, client = await bench.device("reader-1")
    for _ in range(3):
        assert (await client.get("/edev")).status == 200
    monkeypatch.setattr(bench.store, "is_shared", True)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "_hear_others", broken)
        for _ in range(2):
            reply = await client.get("/edev")
            assert (reply.status, reply.headers.get("Retry-After")) == (503, "30")
    assert (await client.get("/edev")).status == 200
