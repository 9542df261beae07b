"""The writer: one thread that runs the jobs of everybody, many of them in one durable commit."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from sep2_server.commits import MOST_TOGETHER, Commits, Job, Observer, Waiting
from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.feed import Feed

log = logging.getLogger(__name__)

T = TypeVar("T")


class Outcome:
    """What has become of a job, for somebody who is told of many jobs at once.

    `promise` is the one that hangs on it, which another thread may break, if any does.
    """

    __slots__ = ("_promise", "flaw", "result")

    def __init__(self, promise: asyncio.Future[Any] | None = None) -> None:
        self._promise = promise
        self.result: Any = None
        self.flaw: BaseException | None = None

    def done(self) -> bool:
        """Whether the job has failed, or nobody waits for it any more."""
        return self.flaw is not None or (self._promise is not None and self._promise.done())

    def set_exception(self, exception: BaseException, /) -> None:
        """The job has failed."""
        self.flaw = exception

    def set_result(self, result: object, /) -> None:
        """The job has been carried out and is durable."""
        self.result = result


Told = Outcome | Future[Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs that came together; `told` is called once each of them has its outcome."""

    jobs: Sequence[Waiting[Told]]
    told: Callable[[], object] | None = None


class Writer:
    """Runs jobs one after the other; each is whole or not at all, and its future is done after the commit.

    A job that raises leaves nothing behind and its future has what it raised. The feed hears the changes of a
    commit in the writer's thread before any future of that commit is done.
    """

    def __init__(self, connection: Connection, feed: Feed, *, is_shared: bool = False) -> None:
        self._db = connection
        self._commits = Commits(connection, feed, is_shared=is_shared)
        self._groups: queue.SimpleQueue[Group | None] = queue.SimpleQueue()
        self._closed = False
        self._begun = 0
        self.observer: Observer | None = None
        self._thread = threading.Thread(target=self._work, name="sep2-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> Future[T]:
        """Run a job soon; the future is done once what it wrote is durable. Any thread may call."""
        future: Future[T] = Future()
        self.submit_all(Group([(job, future)]))
        return future

    def submit_all(self, group: Group) -> None:
        """Run jobs soon, together and with others. Any thread may call."""
        if self._closed:
            raise StoreError("the store is closed")
        self._groups.put(group)

    @property
    def waiting_jobs(self) -> int:
        """How many jobs nobody has begun, those that came together as one."""
        return self._groups.qsize()

    @property
    def unfinished_jobs(self) -> int:
        """Those, and the jobs of the commit that is under way."""
        return self._groups.qsize() + self._begun

    def close(self) -> None:
        """Finish the jobs that are waiting, then stop."""
        if not self._closed:
            self._closed = True
            self._groups.put(None)
            self._thread.join()

    def _work(self) -> None:
        more = True
        while more:
            first = self._groups.get()
            if first is None:
                break
            groups = [first]
            more = self._gather(groups)
            self._commit([waiting for group in groups for waiting in group.jobs if not waiting[1].done()])
            for group in groups:
                if group.told is not None:
                    group.told()
        self._db.close()

    def _gather(self, groups: list[Group]) -> bool:
        """Take the jobs that are waiting already; False once the writer is to stop."""
        count = len(groups[0].jobs)
        while count < MOST_TOGETHER:
            try:
                group = self._groups.get_nowait()
            except queue.Empty:
                return True
            if group is None:
                return False
            groups.append(group)
            count += len(group.jobs)
        return True

    def _commit(self, batch: list[Waiting[Told]]) -> None:
        if not batch:
            return
        began = perf_counter()
        self._begun = len(batch)
        try:
            done = self._commits.commit(batch, is_wanted=_is_wanted)
        except Exception as flaw:  # not even undoing what was begun has worked
            log.exception("The store cannot write")
            done = []
            for _, promise in batch:
                if not promise.done():
                    promise.set_exception(StoreError(f"the store cannot write: {flaw}"))
        self._begun = 0
        for promise, result in done:
            promise.set_result(result)
        if self.observer is not None:
            self.observer(len(batch), perf_counter() - began)


def _is_wanted(promise: Told) -> bool:
    """Whether somebody still waits for the outcome of a job that is about to be run."""
    return promise.set_running_or_notify_cancel() if isinstance(promise, Future) else not promise.done()
