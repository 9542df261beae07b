"""Syncs of the log where something fails: nobody waits for ever, and nothing is told too early."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from sep2_server import Store, log_syncer
from sep2_server.errors import StoreError
from sep2_server.kernel_sync import KernelSync
from tests.descriptors import open_files
from tests.integration.test_sep2_kernel_sync import contexts
from tests.integration.test_sep2_loop_writer import Disk, disk, hand, put, store

__all__ = ["disk", "hand", "store"]

SOON_S = 10
Loops = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loops(request: pytest.FixtureRequest) -> Iterator[Loops]:
    """Makes loops, which are closed at the end."""
    made: list[asyncio.AbstractEventLoop] = []

    def make() -> asyncio.AbstractEventLoop:
        made.append(request.param())
        return made[-1]

    yield make
    for loop in made:
        loop.close()


async def written(store: Store, number: int) -> int:
    return await asyncio.wait_for(store.do_short(put(number)), SOON_S)


@pytest.mark.parametrize(
    "flaw", [OSError(28, "No space left on device"), NotImplementedError()], ids=["full", "of another kind"]
)
async def test_a_loop_that_cannot_look_at_the_kernel_has_a_thread_sync(
    store: Store, monkeypatch: pytest.MonkeyPatch, flaw: Exception
) -> None:
    def full(*_: object) -> None:
        raise flaw

    loop = asyncio.get_running_loop()
    with monkeypatch.context() as patched:
        patched.setattr(loop, "add_reader", full)
        assert [await written(store, number) for number in (1, 2)] == [1, 2]
    assert await written(store, 3) == 3
    assert store._syncer is not None
    assert store._syncer._kernel is None


async def test_where_nobody_can_sync_those_who_wait_are_told_and_the_next_write_is_done(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store._syncer is not None
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "sep2-syncer":
            raise RuntimeError("can't start new thread")
        start(thread)

    def unable(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        patched.setattr(KernelSync, "begin", unable)
        for number in (1, 2):
            with pytest.raises(StoreError, match="can't start new thread"):
                await written(store, number)
    assert await written(store, 3) == 3


async def test_a_log_that_no_thread_can_empty_keeps_nobody_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("sep2-checkpoint"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(log_syncer, "SYNCS_A_CHECKPOINT", 2)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert [await written(store, number) for number in range(6)] == [*range(6)]
    emptied = threading.Event()
    assert store._syncer is not None
    monkeypatch.setattr(store._syncer, "_empty", emptied.set)
    assert [await written(store, number) for number in range(2)] == [0, 1]
    assert await asyncio.to_thread(emptied.wait, SOON_S)


async def test_a_sync_that_nobody_knows_the_end_of_is_a_flaw_of_the_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> OSError:
        raise OSError(14, "Bad address")

    end = KernelSync.end
    with monkeypatch.context() as patched:
        patched.setattr(KernelSync, "end", lambda kernel: end(kernel) or lost())
        patched.setattr(os, "fdatasync", lost)
        with pytest.raises(StoreError, match="Bad address"):
            await written(store, 1)
    with pytest.raises(StoreError, match="not kept what was written"):
        await written(store, 2)


def test_a_loop_that_goes_on_after_another_has_taken_over_disturbs_nobody(
    store: Store, disk: Disk, loops: Loops
) -> None:
    """Its promise is kept; what the other one waits for is not told before it is durable."""
    first, second = loops(), loops()

    async def begin(number: int) -> "asyncio.Future[int]":
        promise = store.begin_short(put(number))
        await asyncio.sleep(0.02)
        return promise

    def sync_all() -> None:
        disk.may_go_on.set()

    one = first.run_until_complete(begin(1))
    release = threading.Timer(0.2, sync_all)
    release.start()
    other = second.run_until_complete(begin(2))
    release.join()
    disk.may_go_on.clear()
    third = second.run_until_complete(begin(3))
    assert first.run_until_complete(asyncio.wait_for(one, SOON_S)) == 1
    fourth = second.run_until_complete(begin(4))
    assert not third.done()
    assert not fourth.done()
    disk.may_go_on.set()
    waited = asyncio.wait([other, third, fourth], timeout=SOON_S)
    second.run_until_complete(waited)
    assert [promise.result() for promise in (other, third, fourth)] == [2, 3, 4]


async def test_what_waits_behind_a_sync_as_the_store_closes_is_told(store: Store, disk: Disk) -> None:
    first = store.begin_short(put(1))
    await asyncio.sleep(0.05)
    second = store.begin_short(put(2))
    threading.Timer(0.1, disk.may_go_on.set).start()
    store.close()
    assert await asyncio.wait_for(first, SOON_S) == 1
    with pytest.raises(StoreError, match="closed"):
        await asyncio.wait_for(second, SOON_S)
    with pytest.raises(StoreError, match="closed"):
        await written(store, 3)


@pytest.mark.parametrize("order", ["loop first", "store first", "let go"])
def test_whatever_is_closed_first_nothing_is_left(
    tmp_path: Path, disk: Disk, loops: Loops, order: str
) -> None:
    """While a sync is under way."""
    loop = loops()
    loop.run_until_complete(asyncio.sleep(0))
    before = open_files(), contexts(), KernelSync.under_way
    other = loops()
    store = Store(tmp_path / "another.db")

    async def begin() -> None:
        store.begin_short(put(1))
        await asyncio.sleep(0.02)

    other.run_until_complete(begin())
    threading.Timer(0.1, disk.may_go_on.set).start()
    if order == "let go":
        other.run_until_complete(store.let_loop_go())
    if order == "store first":
        store.close()
    other.close()
    if order != "store first":
        store.close()
    assert (open_files(), contexts(), KernelSync.under_way) == before


def test_stores_one_after_the_other_leave_nothing(tmp_path: Path, loops: Loops) -> None:
    before = 0, 0
    for number in range(12):
        store = Store(tmp_path / "one.db")
        loop = loops()
        loop.run_until_complete(written(store, number))
        loop.close()
        with contextlib.closing(store):
            assert store._syncer is not None
        before = before if number > 1 else (open_files(), contexts())
        assert (open_files(), contexts()) == before


def test_stores_one_after_the_other_in_one_loop_are_all_told(tmp_path: Path, loops: Loops) -> None:
    """The next has the descriptors of the one before: the loop must have forgotten those."""
    loop = loops()
    for number in range(3):
        with contextlib.closing(Store(tmp_path / "one.db")) as store:
            assert loop.run_until_complete(written(store, number)) == number


async def test_a_sync_that_fails_as_the_log_is_to_be_emptied_is_told_as_it_is(
    store: Store, disk: Disk
) -> None:
    disk.may_go_on.set()
    assert await written(store, 1) == 1
    assert store._syncer is not None
    store._syncer._is_nearly_empty = True
    disk.flaw = OSError(5, "Input/output error")
    with pytest.raises(StoreError, match="Input/output error"):
        await written(store, 2)
