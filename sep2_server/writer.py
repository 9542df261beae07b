"""The writer: one thread that runs the jobs of everybody, many of them in one durable commit."""

import queue
import threading
from concurrent.futures import Future
from time import perf_counter
from typing import Any, TypeVar

from sep2_server.commits import MOST_TOGETHER, Commits, Job, Observer, Waiting
from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.feed import Feed

T = TypeVar("T")


class Writer:
    """Runs jobs one after the other; each is whole or not at all, and its future is done after the commit.

    A job that raises leaves nothing behind and its future has what it raised. The feed hears the changes of a
    commit in the writer's thread before any future of that commit is done.
    """

    def __init__(self, connection: Connection, feed: Feed, *, is_shared: bool = False) -> None:
        self._db = connection
        self._commits = Commits(connection, feed, is_shared=is_shared)
        self._jobs: queue.SimpleQueue[Waiting[Future[Any]] | None] = queue.SimpleQueue()
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
            self._commit([waiting for waiting in batch if waiting[1].set_running_or_notify_cancel()])
            if self.observer is not None:
                self.observer(len(batch), perf_counter() - began)
        self._db.close()

    def _gather(self, batch: list[Waiting[Future[Any]]]) -> bool:
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

    def _commit(self, batch: list[Waiting[Future[Any]]]) -> None:
        if batch:
            for future, result in self._commits.commit(batch):
                future.set_result(result)
