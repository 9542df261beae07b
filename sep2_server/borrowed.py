"""A connection that lives in a thread of its own, for threads that may not wait on its loop themselves."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.sql.expression import ClauseElement

from sep2_server.connection import Connection, Result, Writes, Written
from sep2_server.errors import StoreError

T = TypeVar("T")


class BorrowedConnection(Connection):
    """Any thread may use it, the event loop's among them; each call waits until it is done.

    With `patience_s` it waits no longer, and not at all while a call that was left is not done: StoreError.
    """

    def __init__(self, make: Callable[[], Connection], patience_s: float | None = None) -> None:
        self._patience_s: float | None = None
        self._late: Future[Any] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sep2-reader")
        self._lent = self._do(make)
        self.dialect = self._lent.dialect
        self.failures = self._lent.failures
        self._patience_s = patience_s

    def run(self, statement: ClauseElement, **parameters: object) -> Result:
        """Execute a statement with named parameters."""
        return self._do(lambda: self._lent.run(statement, **parameters))

    def run_many(self, statement: ClauseElement, rows: Sequence[dict[str, object]]) -> None:
        """Execute a statement once for each of many sets of parameters."""
        self._do(lambda: self._lent.run_many(statement, rows))

    def insert_many(self, table: Table, names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
        """Insert rows of values in the order of `names`; the numbers that they got."""
        return self._do(lambda: self._lent.insert_many(table, names, rows))

    def together(self, writes: Writes) -> Written | None:
        """Write in one trip, where that is better."""
        return self._do(lambda: self._lent.together(writes))

    def control(self, command: str) -> None:
        """Execute commands without parameters or result."""
        self._do(lambda: self._lent.control(command))

    def begin(self, question: str = "") -> bool:
        """Begin to write; whether a SELECT then finds a row."""
        return self._do(lambda: self._lent.begin(question))

    def finds(self, question: str) -> bool:
        """Whether a SELECT finds a row."""
        return self._do(lambda: self._lent.finds(question))

    def commit(self, last_change: int | None = None) -> None:
        """Make what was written durable."""
        self._do(lambda: self._lent.commit(last_change))

    def roll_back(self) -> None:
        """Undo what has not been committed, if anything."""
        self._do(self._lent.roll_back)

    def hold_still(self) -> None:
        """Begin to read one moment."""
        self._do(self._lent.hold_still)

    def let_go(self) -> None:
        """End it."""
        self._do(self._lent.let_go)

    def clock_ms(self) -> int:
        """The time by which leases are kept."""
        return self._do(self._lent.clock_ms)

    def has_table(self, name: str) -> bool:
        """Whether the database has a table."""
        return self._do(lambda: self._lent.has_table(name))

    def ddl(self, operation: ClauseElement) -> str:
        """The text of a definition."""
        return self._lent.ddl(operation)

    def close(self) -> None:
        """Close the connection and end its thread."""
        self._thread.submit(self._lent.close).result()
        self._thread.shutdown()

    def _do(self, call: Callable[[], T]) -> T:
        if self._late is not None and not self._late.done():
            raise StoreError("the database has not answered yet")
        doing = self._thread.submit(call)
        try:
            return doing.result(self._patience_s)
        except TimeoutError as flaw:
            self._late = doing
            raise StoreError(f"the database gave no answer within {self._patience_s:g} s") from flaw
