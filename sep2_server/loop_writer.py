"""Short writes of an event loop: those that arrive together are carried out together, one commit at a time.

To hand a job of a tenth of a millisecond to a thread and back costs more than the job. On SQLite the loop
runs them itself, in one commit, and keeps its promises once the log of the file is durable. On PostgreSQL,
and where somebody else is writing to the file, they go to the thread of the writer together.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from sqlite3 import DatabaseError
from time import perf_counter
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy.util import greenlet_spawn

from sep2_server.address import PostgresAddress
from sep2_server.commits import MOST_TOGETHER, Commits, Done, Job, Observer, Waiting
from sep2_server.errors import StoreError
from sep2_server.feed import Feed
from sep2_server.log_syncer import LogSyncer, call
from sep2_server.postgres import LoopConnection
from sep2_server.sqlite import SqliteConnection
from sep2_server.writer import Group, Outcome

log = logging.getLogger(__name__)

T = TypeVar("T")
Submit = Callable[[Group], None]
Batch = list[Waiting[asyncio.Future[Any]]]
Committed = list[Done[asyncio.Future[Any]]]
Told = Callable[[list[Done[asyncio.Future[Any]]], Exception | None], None]
"""Told what was carried out, and what has kept it from the disk, if anything."""

MANY: Final = 4
"""So many jobs in one commit tell that many clients write at the same time."""
PATIENCE_S: Final = 20.0
"""How long who asks for something waits for the store, where no settings say so."""
LOOK_S: Final = 1.0
"""How often it is looked whether a promise was given too long ago."""
GATHER_S: Final = 0.001
"""How long the first job after such a commit waits for others to share the next one."""


class Here(Protocol):
    """Who writes on the loop's own thread."""

    def carry_out(self, batch: Batch, told: Told) -> bool:
        """Begin to carry jobs out, and call `told` once, later; False where that cannot be here and now."""
        ...

    async def close(self) -> None:
        """Let go of the loop."""
        ...


class SqliteHere:
    """Commits in the thread of the loop and has the log synced in another."""

    def __init__(self, db: SqliteConnection, feed: Feed, syncer: LogSyncer, *, is_shared: bool) -> None:
        """With a connection that leaves the sync to others from now on."""
        db.leave_sync()
        self._db = db
        self._commits = Commits(db, feed, is_shared=is_shared)
        self._syncer = syncer

    def carry_out(self, batch: Batch, told: Told) -> bool:
        """Commit, and tell once the log is durable; False where somebody else is writing."""
        if not self._db.try_begin():
            return False
        loop = asyncio.get_running_loop()
        try:
            done = self._commits.commit(batch, is_begun=True)
        except DatabaseError as flaw:  # not even undoing what was begun has worked
            log.exception("The store cannot write")
            for _, future in batch:
                _settle(future, None, StoreError(f"the store cannot write: {flaw}"))
            done = []
        if done:
            self._syncer.sync(loop, partial(told, done))
        else:
            loop.call_soon(told, done, None)
        return True

    async def close(self) -> None:
        """Nothing: the connection is the store's."""


class PostgresHere:
    """Commits on a connection of the loop, which does other work while the database does its part."""

    def __init__(self, address: PostgresAddress, feed: Feed, writers: set[int]) -> None:
        self._address = address
        self._writers = writers
        self._feed = feed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Committed]] = set()

    def carry_out(self, batch: Batch, told: Told) -> bool:
        """Begin to commit, and tell once it is durable."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._tasks = loop, set()
            self._db = LoopConnection(self._address, self._writers)
            self._commits = Commits(self._db, self._feed, is_shared=True)
        task = loop.create_task(greenlet_spawn(self._commits.commit, batch), name="sep2-commit")
        self._tasks.add(task)
        task.add_done_callback(partial(self._committed, batch, told))
        return True

    def _committed(self, batch: Batch, told: Told, task: asyncio.Task[Committed]) -> None:
        """Tell what was committed; nobody waits for ever where that could not even be tried."""
        self._tasks.discard(task)
        flaw = None if task.cancelled() else task.exception()
        if task.cancelled() or flaw is not None:
            log.error("The store cannot write", exc_info=flaw)
            for _, future in batch:
                _settle(future, None, StoreError(f"the store cannot write: {flaw}"))
            told([], None)
        else:
            told(task.result(), None)

    async def close(self) -> None:
        """Finish what was begun and close the connection."""
        if self._loop is asyncio.get_running_loop():
            if self._tasks:
                await asyncio.wait(self._tasks)
            self._loop = None
            await self._db.let_loop_go()


class LoopWriter:
    """Carries out short jobs for the thread of an event loop, which alone may use it.

    `submit` takes what cannot be written `here`. What a job wrote there is seen by readers as soon as it has
    run, and acknowledged when it is durable. A promise that cannot be kept within `patience_s` is broken
    with StoreError: a job that has not begun by then never will, of one that has nobody knows.
    """

    def __init__(self, submit: Submit, here: Here | None = None, patience_s: float = PATIENCE_S) -> None:
        self._submit = submit
        self._here = here
        self._patience_s = patience_s
        self._promised: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._look: asyncio.TimerHandle | None = None
        self._waiting: list[Waiting[asyncio.Future[Any]]] = []
        self._is_busy = False
        self._together = 0
        self._is_due = False
        self.observer: Observer | None = None
        self._began = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def close(self) -> None:
        """Let go of the loop."""
        if self._here is not None:
            await self._here.close()

    @property
    def waiting_jobs(self) -> int:
        """How many jobs have not begun."""
        return len(self._waiting)

    @property
    def unfinished_jobs(self) -> int:
        """Those, and the jobs of the commit that is under way."""
        return len(self._waiting) + (self._together if self._is_busy else 0)

    def do(self, job: Job[T]) -> asyncio.Future[T]:
        """Run a short job soon; the future is done once what it wrote is durable."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._move(loop)
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((job, future))
        self._promised.append((loop.time() + self._patience_s, future))
        if self._look is None:
            self._look = loop.call_later(min(LOOK_S, self._patience_s), self._break_promises)
        if not self._is_busy and not self._is_due:
            self._is_due = True
            if self._together < MANY:
                loop.call_soon(self._run)
            else:
                loop.call_later(GATHER_S, self._run)
        return future

    def _move(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work in another loop; nobody waits for what the one before has left."""
        self._loop = loop
        self._waiting, self._is_busy, self._is_due = [], False, False
        self._promised.clear()
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _break_promises(self) -> None:
        """Tell those who have waited too long, and forget those that were kept."""
        self._look = None
        loop, broken = asyncio.get_running_loop(), 0
        while self._promised and (self._promised[0][1].done() or self._promised[0][0] <= loop.time()):
            _, future = self._promised.popleft()
            if not future.done():
                broken += 1
                future.set_exception(StoreError(f"the store gave no answer within {self._patience_s:g} s"))
        if broken:
            self._waiting = [waiting for waiting in self._waiting if not waiting[1].done()]
        if self._promised:
            self._look = loop.call_later(min(LOOK_S, self._patience_s), self._break_promises)

    def _run(self) -> None:
        """Carry out what is waiting, in one commit; what comes until it is durable waits for the next."""
        self._is_due = False
        loop = asyncio.get_running_loop()
        while self._waiting and not self._is_busy:
            taken, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            batch = [waiting for waiting in taken if not waiting[1].done()]
            if batch:
                self._together = len(batch)
                self._is_busy, self._began = True, perf_counter()
                told = partial(self._carried_out, loop)
                if self._here is None or not self._here.carry_out(batch, told):
                    self._pass_on(loop, batch)

    def _carried_out(
        self, loop: asyncio.AbstractEventLoop, done: list[Done[asyncio.Future[Any]]], flaw: Exception | None
    ) -> None:
        """The disk has what was committed: acknowledge it, and go on with what has come since."""
        if self.observer is not None and done:
            self.observer(len(done), perf_counter() - self._began)
        failed = None if flaw is None else StoreError(f"the store cannot write: {flaw}")
        for future, result in done:
            _settle(future, result, failed)
        self._go_on(loop)

    def _pass_on(self, loop: asyncio.AbstractEventLoop, batch: list[Waiting[asyncio.Future[Any]]]) -> None:
        """Let the writer's thread carry the jobs out."""
        told = [(future, Outcome(future)) for _, future in batch]
        jobs = [(job, outcome) for (job, _), (_, outcome) in zip(batch, told, strict=True)]
        try:
            self._submit(Group(jobs, lambda: call(loop, lambda: self._passed(loop, told))))
        except StoreError as flaw:
            for _, outcome in told:
                outcome.set_exception(flaw)
            loop.call_soon(self._passed, loop, told)

    def _passed(
        self, loop: asyncio.AbstractEventLoop, told: list[tuple[asyncio.Future[Any], Outcome]]
    ) -> None:
        for future, outcome in told:
            _settle(future, outcome.result, outcome.flaw)
        self._go_on(loop)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with what is waiting, unless the commit was one of a loop that was left."""
        if loop is self._loop:
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
