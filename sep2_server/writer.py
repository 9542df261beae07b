"""The writer: one thread that runs the jobs of everybody, many of them in one durable commit."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from time import perf_counter
from typing import Any, Final, TypeVar

from sep2_server import statements as q
from sep2_server import tables
from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.feed import Feed
from sep2_server.reader import Reader
from sep2_server.rows import Change
from sep2_server.transaction import Transaction

T = TypeVar("T")
Job = Callable[[Transaction], T]
Waiting = tuple[Job[Any], Future[Any]]
Observer = Callable[[int, float], None]
"""Told the jobs of a commit and its time, s."""

MOST_TOGETHER: Final = 256
"""Most jobs that share one commit."""

log = logging.getLogger(__name__)


class Writer:
    """Runs jobs one after the other; each is whole or not at all, and its future is done after the commit.

    A job that raises leaves nothing behind and its future has what it raised. The feed hears the changes of a
    commit in the writer's thread before any future of that commit is done.
    """

    def __init__(self, connection: Connection, feed: Feed, *, is_shared: bool = False) -> None:
        self._db = connection
        self._feed = feed
        self._is_shared = is_shared
        self._rights: int | None = None
        self._jobs: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._closed = False
        self.observer: Observer | None = None
        self._thread = threading.Thread(target=self._work, name="sep2-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> Future[T]:
        """Run a job soon; the future is done once what it wrote is durable. Any thread may call."""
        if self._closed:
            raise StoreError("the store is closed")
        future: Future[T] = Future()
        self._jobs.put((job, future))
        return future

    @property
    def waiting_jobs(self) -> int:
        """How many jobs nobody has begun."""
        return self._jobs.qsize()

    def close(self) -> None:
        """Finish the jobs that are waiting, then stop."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()

    def _work(self) -> None:
        more = True
        while more:
            first = self._jobs.get()
            if first is None:
                break
            batch = [first]
            more = self._gather(batch)
            began = perf_counter()
            self._commit(batch)
            if self.observer is not None:
                self.observer(len(batch), perf_counter() - began)
        self._db.close()

    def _gather(self, batch: list[Waiting]) -> bool:
        """Take the jobs that are waiting already; False once the writer is to stop."""
        while len(batch) < MOST_TOGETHER:
            try:
                waiting = self._jobs.get_nowait()
            except queue.Empty:
                return True
            if waiting is None:
                return False
            batch.append(waiting)
        return True

    def _commit(self, batch: Sequence[Waiting]) -> None:
        running = [waiting for waiting in batch if waiting[1].set_running_or_notify_cancel()]
        done: list[tuple[Future[Any], Any]] = []
        try:
            written = self._carry_out(running, done)
        except Exception as flaw:
            log.exception("The store cannot write")
            self._abandon(running, flaw)
            return
        if written:
            self._feed.committed(written, Reader(self._db))
        for future, result in done:
            future.set_result(result)

    def _carry_out(self, batch: Sequence[Waiting], done: list[tuple[Future[Any], Any]]) -> Sequence[Change]:
        """Run the jobs and commit; the changes of all that succeeded."""
        if not batch:
            return ()
        changes: list[Change] = []
        self._db.begin()
        self._rights = self._known_rights()
        for job, future in batch:
            self._run(job, future, done, changes, is_alone=len(batch) == 1)
        if not done:
            self._db.roll_back()
            return ()
        written = self._number(changes)
        self._db.commit(written[-1].seq if written else None)
        return written

    def _run(
        self,
        job: Job[Any],
        future: Future[Any],
        done: list[tuple[Future[Any], Any]],
        changes: list[Change],
        *,
        is_alone: bool,
    ) -> None:
        """Run a job; one that fails is undone by itself, with the whole transaction where it is alone."""
        transaction = Transaction(self._db)
        transaction.rights = self._rights
        if not is_alone:
            self._db.control("SAVEPOINT job")
        try:
            result = job(transaction)
        except Exception as flaw:
            if is_alone:
                self._db.roll_back()
            else:
                self._db.control("ROLLBACK TO job")
                self._db.control("RELEASE job")
            future.set_exception(flaw)
            return
        if not is_alone:
            self._db.control("RELEASE job")
        self._rights = transaction.rights
        done.append((future, result))
        changes.extend(transaction.written)

    def _known_rights(self) -> int | None:
        """Place of the last change of rights; None where another process has made one that was not told."""
        if self._is_shared and self._db.number(q.RIGHTS_BEHIND, after=self._feed.position):
            return None
        return self._feed.rights

    def _number(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Append changes to the feed, in their order; the changes with their places."""
        rows = [change[1:] for change in changes]
        places = sorted(self._db.insert_many(tables.change, Change._fields[1:], rows))
        return [change._replace(seq=seq) for change, seq in zip(changes, places, strict=True)]

    def _abandon(self, batch: Sequence[Waiting], flaw: Exception) -> None:
        """Nothing of the batch is stored: tell all whose job had not failed by itself."""
        self._db.roll_back()
        for _, future in batch:
            if not future.done():
                future.set_exception(StoreError(f"the store cannot write: {flaw}"))
