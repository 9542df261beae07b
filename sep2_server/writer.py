"""The writer: one thread that runs the jobs of everybody, many of them in one durable commit."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.rows import Change
from sep2_server.transaction import Transaction

T = TypeVar("T")
Job = Callable[[Transaction], T]
Listener = Callable[[Sequence[Change]], None]

MOST_TOGETHER: Final = 256
"""Most jobs that share one commit."""

log = logging.getLogger(__name__)


class Writer:
    """Runs jobs one after the other; each is whole or not at all, and its future is done after the commit.

    A job that raises leaves nothing behind and its future has what it raised. Listeners hear the changes
    of a commit in the writer's thread before any future of that commit is done.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._jobs: queue.SimpleQueue[tuple[Job[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._listeners: list[Listener] = []
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="sep2-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> Future[T]:
        """Run a job soon; the future is done once what it wrote is durable. Any thread may call."""
        if self._closed:
            raise StoreError("the store is closed")
        future: Future[T] = Future()
        self._jobs.put((job, future))
        return future

    def listen(self, listener: Listener) -> None:
        """Tell `listener` the changes of each commit from now on."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """No longer tell `listener`, if it is told at all."""
        if listener in self._listeners:
            self._listeners.remove(listener)

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
            self._commit(batch)
        self._db.close()

    def _gather(self, batch: list[tuple[Job[Any], Future[Any]]]) -> bool:
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

    def _commit(self, batch: list[tuple[Job[Any], Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        changes: list[Change] = []
        try:
            self._db.control("BEGIN IMMEDIATE")
            for job, future in batch:
                if future.set_running_or_notify_cancel():
                    self._run(job, future, done, changes)
            self._db.control("COMMIT")
        except Exception as flaw:
            log.exception("The store cannot write")
            self._abandon(batch, flaw)
            return
        if changes:
            self._tell(changes)
        for future, result in done:
            future.set_result(result)

    def _tell(self, changes: Sequence[Change]) -> None:
        """Tell the listeners; one that fails takes neither the writer nor the others with it."""
        for listener in tuple(self._listeners):
            try:
                listener(changes)
            except Exception:
                log.exception("A listener failed")

    def _run(
        self, job: Job[Any], future: Future[Any], done: list[tuple[Future[Any], Any]], changes: list[Change]
    ) -> None:
        transaction = Transaction(self._db)
        self._db.control("SAVEPOINT job")
        try:
            result = job(transaction)
        except Exception as flaw:
            self._db.control("ROLLBACK TO job")
            self._db.control("RELEASE job")
            future.set_exception(flaw)
            return
        self._db.control("RELEASE job")
        done.append((future, result))
        changes.extend(transaction.written)

    def _abandon(self, batch: list[tuple[Job[Any], Future[Any]]], flaw: Exception) -> None:
        """Nothing of the batch is stored: tell all whose job had not failed by itself."""
        self._db.roll_back()
        for _, future in batch:
            if not future.done():
                future.set_exception(StoreError(f"the store cannot write: {flaw}"))
