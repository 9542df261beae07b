"""Short writes on the thread of the event loop, which hands nothing over but the sync of the disk.

To hand a job of a tenth of a millisecond to a thread and back costs more than the job. So the loop runs it,
with all that arrived meanwhile, in one commit, and the promises are kept once the log of the file is durable.
Where somebody else is writing the jobs go to the writer's thread, which waits.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from time import perf_counter
from typing import Any, TypeVar

from sep2_server.commits import MOST_TOGETHER, Commits, Done, Job, Observer, Waiting
from sep2_server.errors import StoreError
from sep2_server.feed import Feed
from sep2_server.log_syncer import LogSyncer
from sep2_server.sqlite import SqliteConnection

T = TypeVar("T")
Submit = Callable[[Job[Any]], Future[Any]]


class LoopWriter:
    """Runs short jobs in the thread of an event loop. All of it is for that thread.

    `submit` takes what cannot be written here and now. What a job wrote is seen by readers as soon as it has
    run, and acknowledged when it is durable.
    """

    def __init__(
        self, connection: SqliteConnection, feed: Feed, syncer: LogSyncer, submit: Submit, *, is_shared: bool
    ) -> None:
        self._db = connection
        self._commits = Commits(connection, feed, is_shared=is_shared)
        self._syncer = syncer
        self._submit = submit
        self._waiting: list[Waiting[asyncio.Future[Any]]] = []
        self._unsynced: list[Done[asyncio.Future[Any]]] | None = None
        self._is_due = False
        self.observer: Observer | None = None
        self._began = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def waiting_jobs(self) -> int:
        """How many jobs have not begun."""
        return len(self._waiting)

    def do(self, job: Job[T]) -> asyncio.Future[T]:
        """Run a short job soon; the future is done once what it wrote is durable."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._move(loop)
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((job, future))
        if self._unsynced is None and not self._is_due:
            self._is_due = True
            loop.call_soon(self._run)
        return future

    def _move(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work in another loop; nobody waits for what the one before has left."""
        self._loop = loop
        self._waiting, self._unsynced, self._is_due = [], None, False

    def _run(self) -> None:
        """Run what is waiting in one commit, and have it synced."""
        self._is_due = False
        while self._waiting and self._unsynced is None:
            taken, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            batch = [waiting for waiting in taken if not waiting[1].done()]
            self._began = perf_counter()
            if batch and self._db.try_begin():
                self._commit(batch)
            else:
                for job, future in batch:
                    _follow(self._submit(job), future)

    def _commit(self, batch: list[Waiting[asyncio.Future[Any]]]) -> None:
        done = self._commits.commit(batch, is_begun=True)
        if done:
            self._unsynced = done
            loop = asyncio.get_running_loop()
            self._syncer.sync(lambda flaw: _call(loop, self._synced, flaw))

    def _synced(self, flaw: OSError | None) -> None:
        """The disk has what was committed: acknowledge it, and go on with what has come since."""
        done, self._unsynced = self._unsynced or [], None
        if self.observer is not None:
            self.observer(len(done), perf_counter() - self._began)
        for future, result in done:
            if not future.done() and flaw is None:
                future.set_result(result)
            elif not future.done():
                future.set_exception(StoreError(f"the store cannot write: {flaw}"))
        self._run()


def _call(loop: asyncio.AbstractEventLoop, call: Callable[..., object], flaw: OSError | None) -> None:
    """Call in the thread of a loop; nobody waits any more where it is closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, flaw)


def _follow(told: Future[Any], future: asyncio.Future[Any]) -> None:
    """Let a future of the loop have what one of the writer's thread gets."""
    loop = future.get_loop()

    def settle() -> None:
        if future.done():
            return
        flaw = told.exception()
        if flaw is None:
            future.set_result(told.result())
        else:
            future.set_exception(flaw)

    told.add_done_callback(lambda _: None if loop.is_closed() else loop.call_soon_threadsafe(settle))
