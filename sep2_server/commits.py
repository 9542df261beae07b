"""One transaction for many jobs: each is whole or not at all, and the feed hears what all of them wrote."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

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
Observer = Callable[[int, float], None]
"""Told the jobs of a commit and its time, s."""

MOST_TOGETHER: Final = 256
"""Most jobs that share one commit."""

log = logging.getLogger(__name__)


class Promise(Protocol):
    """Where the outcome of a job goes."""

    def done(self) -> bool:
        """Whether it has gone there, or is not waited for any more."""
        ...

    def set_exception(self, exception: BaseException, /) -> None:
        """The job has failed."""
        ...


Promised = TypeVar("Promised", bound=Promise)
Waiting = tuple[Job[Any], Promised]
Done = tuple[Promised, Any]
"""A promise and what is to be told there once the commit is durable."""


class Commits:
    """Runs the jobs of one connection, for use by one thread.

    A job that raises leaves nothing behind and its promise has what it raised. The feed hears the changes of
    a commit before `commit` returns.
    """

    def __init__(self, connection: Connection, feed: Feed, *, is_shared: bool) -> None:
        self._db = connection
        self._feed = feed
        self._is_shared = is_shared
        self._rights: int | None = None

    def commit(self, batch: Sequence[Waiting[Promised]], *, is_begun: bool = False) -> list[Done[Promised]]:
        """Carry the jobs out; what is left to tell. Those that failed have been told."""
        done: list[Done[Promised]] = []
        try:
            written = self._carry_out(batch, done, is_begun=is_begun)
        except Exception as flaw:
            log.exception("The store cannot write")
            self._abandon(batch, flaw)
            return []
        if written:
            self._feed.committed(written, Reader(self._db))
        return done

    def _carry_out(
        self, batch: Sequence[Waiting[Promised]], done: list[Done[Promised]], *, is_begun: bool
    ) -> Sequence[Change]:
        """Run the jobs and commit; the changes of all that succeeded."""
        changes: list[Change] = []
        if not is_begun:
            self._db.begin()
        self._rights = self._known_rights()
        for job, promise in batch:
            self._run(job, promise, done, changes, is_alone=len(batch) == 1)
        if not done:
            self._db.roll_back()
            return ()
        written = self._number(changes)
        self._db.commit(written[-1].seq if written else None)
        return written

    def _run(
        self,
        job: Job[Any],
        promise: Promised,
        done: list[Done[Promised]],
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
            promise.set_exception(flaw)
            return
        if not is_alone:
            self._db.control("RELEASE job")
        self._rights = transaction.rights
        done.append((promise, result))
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

    def _abandon(self, batch: Sequence[Waiting[Promised]], flaw: Exception) -> None:
        """Nothing of the batch is stored: tell all whose job had not failed by itself."""
        self._db.roll_back()
        for _, promise in batch:
            if not promise.done():
                promise.set_exception(StoreError(f"the store cannot write: {flaw}"))
