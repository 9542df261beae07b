"""Short writes of an event loop: those that arrive together are carried out together, one commit at a time.

To hand a job of a tenth of a millisecond to a thread and back costs more than the job. On SQLite the loop
runs them itself, in one commit, and keeps its promises once the log of the file is durable. On PostgreSQL,
and where somebody else is writing to the file, they go to the thread of the writer together.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from sep2_server.commits import MOST_TOGETHER, Commits, Done, Job, Observer, Waiting
from sep2_server.errors import StoreError
from sep2_server.feed import Feed
from sep2_server.log_syncer import LogSyncer
from sep2_server.sqlite import SqliteConnection
from sep2_server.writer import Group, Outcome

T = TypeVar("T")
Submit = Callable[[Group], None]


@dataclass(frozen=True, slots=True)
class Here:
    """What the loop needs to write by itself: its own connection, and who syncs the log."""

    db: SqliteConnection
    commits: Commits
    syncer: LogSyncer

    @classmethod
    def of(cls, db: SqliteConnection, feed: Feed, syncer: LogSyncer, *, is_shared: bool) -> "Here":
        """With a connection that leaves the sync to others from now on."""
        db.leave_sync()
        return cls(db, Commits(db, feed, is_shared=is_shared), syncer)


class LoopWriter:
    """Carries out short jobs for the thread of an event loop, which alone may use it.

    `submit` takes what cannot be written `here`. What a job wrote there is seen by readers as soon as it has
    run, and acknowledged when it is durable.
    """

    def __init__(self, submit: Submit, here: Here | None = None) -> None:
        self._submit = submit
        self._here = here
        self._waiting: list[Waiting[asyncio.Future[Any]]] = []
        self._is_busy = False
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
        if not self._is_busy and not self._is_due:
            self._is_due = True
            loop.call_soon(self._run)
        return future

    def _move(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work in another loop; nobody waits for what the one before has left."""
        self._loop = loop
        self._waiting, self._is_busy, self._is_due = [], False, False

    def _run(self) -> None:
        """Carry out what is waiting, in one commit; what comes until it is durable waits for the next."""
        self._is_due = False
        while self._waiting and not self._is_busy:
            taken, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            batch = [waiting for waiting in taken if not waiting[1].done()]
            if batch and self._here is not None and self._here.db.try_begin():
                self._commit(batch, self._here)
            elif batch:
                self._pass_on(batch)

    def _commit(self, batch: list[Waiting[asyncio.Future[Any]]], here: Here) -> None:
        self._began = perf_counter()
        done = here.commits.commit(batch, is_begun=True)
        if done:
            self._is_busy = True
            loop = asyncio.get_running_loop()
            here.syncer.sync(lambda flaw: _call(loop, lambda: self._synced(done, flaw)))

    def _synced(self, done: list[Done[asyncio.Future[Any]]], flaw: OSError | None) -> None:
        """The disk has what was committed: acknowledge it, and go on with what has come since."""
        if self.observer is not None:
            self.observer(len(done), perf_counter() - self._began)
        failed = None if flaw is None else StoreError(f"the store cannot write: {flaw}")
        for future, result in done:
            _settle(future, result, failed)
        self._go_on()

    def _pass_on(self, batch: list[Waiting[asyncio.Future[Any]]]) -> None:
        """Let the writer's thread carry the jobs out."""
        self._is_busy = True
        loop = asyncio.get_running_loop()
        told = [(future, Outcome()) for _, future in batch]
        jobs = [(job, outcome) for (job, _), (_, outcome) in zip(batch, told, strict=True)]
        self._submit(Group(jobs, lambda: _call(loop, lambda: self._carried_out(told))))

    def _carried_out(self, told: list[tuple[asyncio.Future[Any], Outcome]]) -> None:
        for future, outcome in told:
            _settle(future, outcome.result, outcome.flaw)
        self._go_on()

    def _go_on(self) -> None:
        self._is_busy = False
        self._run()


def _settle(future: asyncio.Future[Any], result: object, flaw: BaseException | None) -> None:
    """Tell what has become of a job, if anybody waits for it."""
    if future.done():
        return
    if flaw is None:
        future.set_result(result)
    else:
        future.set_exception(flaw)


def _call(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Call in the thread of a loop; nobody waits any more where it is closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
