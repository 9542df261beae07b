"""One transaction for many jobs: each is whole or not at all, and the feed hears what all of them wrote."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from sep2_server import statements as q
from sep2_server.connection import Connection
from sep2_server.errors import StoreError, UndecidedError
from sep2_server.feed import Feed
from sep2_server.reader import Reader
from sep2_server.rows import Change
from sep2_server.transaction import Transaction
from sep2_server.unit import Unit

T = TypeVar("T")
Job = Callable[[Transaction], T]
Observer = Callable[[int, float], None]
"""Told the jobs of a commit and its time, s."""

MOST_TOGETHER: Final = 256
"""Most jobs that share one commit."""

log = logging.getLogger(__name__)


class _Entangled(Exception):
    """A job has failed after something was written, so that it cannot be told from the others."""


class Promise(Protocol):
    """Where the outcome of a job goes."""

    def done(self) -> bool:
        """Whether it has gone there, or is not waited for any more."""
        ...

    def set_exception(self, exception: BaseException, /) -> None:
        """The job has failed."""
        ...


def _is_open(promise: Promise) -> bool:
    return not promise.done()


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

    def commit(
        self,
        batch: Sequence[Waiting[Promised]],
        *,
        is_begun: bool = False,
        is_wanted: Callable[[Promised], bool] = _is_open,
    ) -> list[Done[Promised]]:
        """Carry the jobs out; what is left to tell. Those that failed have been told.

        To begin may take long, where others write: who is not `is_wanted` after that is left out. It is
        asked once of each.
        """
        try:
            try:
                self._begin(is_begun=is_begun)
            finally:
                batch = [waiting for waiting in batch if is_wanted(waiting[1])]
            done, written = self._carry_out(batch)
        except Exception as flaw:
            log.exception("The store cannot write")
            self._abandon(batch, flaw)
            return []
        if written:
            self._feed.committed(written, Reader(self._db))
        return done

    def _carry_out(self, batch: Sequence[Waiting[Promised]]) -> tuple[list[Done[Promised]], Sequence[Change]]:
        """Run the jobs and commit; what is to be told, and the changes of all that succeeded.

        Jobs that can be repeated are first run without a savepoint for each.
        """
        if len(batch) > 1 and all(is_repeatable(job) for job, _ in batch):
            try:
                return self._run_all(batch, is_careful=False)
            except _Entangled:
                self._db.roll_back()
                self._begin()
                batch = [waiting for waiting in batch if not waiting[1].done()]
        return self._run_all(batch, is_careful=len(batch) > 1)

    def _run_all(
        self, batch: Sequence[Waiting[Promised]], *, is_careful: bool
    ) -> tuple[list[Done[Promised]], Sequence[Change]]:
        unit = Unit(self._db, len(batch))
        done: list[Done[Promised]] = []
        transactions: list[Transaction] = []
        try:
            unit.foresee([job for job, _ in batch])
            for job, promise in batch:
                transaction = Transaction(unit)
                transaction.rights = self._rights
                told = self._run(job, promise, transaction, is_careful=is_careful)
                if told is not None:
                    self._rights = transaction.rights
                    done.append(told)
                    transactions.append(transaction)
            written = _finished(unit, transactions) if done else []
        except StoreError:
            raise
        except Exception as flaw:
            if len(batch) == 1 or is_careful:
                raise
            raise _Entangled from flaw
        if not done:
            self._db.roll_back()
            return [], ()
        self._db.commit(written[-1].seq if written else None)
        return done, written

    def _run(
        self, job: Job[Any], promise: Promised, transaction: Transaction, *, is_careful: bool
    ) -> Done[Promised] | None:
        """Run a job; None for one that failed and has left nothing behind. _Entangled where it has."""
        unit = transaction.unit
        before = unit.writes
        if is_careful:
            unit.control("SAVEPOINT job")
        try:
            result = job(transaction)
            unit.require_whole()
            if is_careful:
                unit.control("RELEASE job")
        except Exception as flaw:
            if is_careful:
                unit.undo("job")
            elif unit.jobs > 1 and (unit.is_broken or unit.writes != before or isinstance(flaw, StoreError)):
                raise _Entangled from flaw
            if not promise.done():
                promise.set_exception(flaw)
            return None
        return promise, result

    def _begin(self, *, is_begun: bool = False) -> None:
        """Begin; `_rights` is None where another process has made a change of rights that was not told."""
        question = q.RIGHTS_BEHIND % self._feed.position if self._is_shared else ""
        is_behind = self._db.finds(question) if is_begun else self._db.begin(question)
        self._rights = None if is_behind else self._feed.rights

    def _abandon(self, batch: Sequence[Waiting[Promised]], flaw: Exception) -> None:
        """Nothing of the batch is stored: tell all whose job had not failed by itself."""
        self._db.roll_back()
        for _, promise in batch:
            if not promise.done():
                is_undecided = isinstance(flaw, UndecidedError)
                told = UndecidedError(str(flaw)) if is_undecided else None
                promise.set_exception(told or StoreError(f"the store cannot write: {flaw}"))


def _finished(unit: Unit, transactions: Sequence[Transaction]) -> list[Change]:
    """Write what is waiting; the changes with their places in the feed, those of lists made shorter last."""
    told = [len(transaction.written) for transaction in transactions]
    written = unit.append_to_feed([change for transaction in transactions for change in transaction.written])
    unit.finish()
    rest = [
        change
        for transaction, before in zip(transactions, told, strict=True)
        for change in transaction.written[before:]
    ]
    return written + unit.append_to_feed(rest) if rest else written


def is_repeatable(job: Job[Any]) -> bool:
    """Whether a job may be run again where its transaction was undone: it has no effect beside that."""
    return bool(getattr(job, "is_repeatable", False))
