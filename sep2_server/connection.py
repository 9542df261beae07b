"""What the store needs of a connection to a database, whatever the database is. For use by one thread.

`sqlite` and `postgres` have one each. Statements are SQLAlchemy Core and compiled once; nothing is durable
before `commit`, and outside of `begin` each statement sees what was committed last.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Table
from sqlalchemy.sql.expression import ClauseElement

from sep2_server.rows import Change

T = TypeVar("T")
Make = Callable[[tuple[Any, ...]], T]


@dataclass(frozen=True, slots=True)
class Writes:
    """What a unit of work writes at its end, of which no part touches a row of another.

    `inserts` are tables with names and values of columns; `updates` are parameters of resources by the
    columns that they change; `reports_gone` are keys of reports; `moves` are lists and scopes with what is
    added there; `changes` go to the feed.
    """

    inserts: Sequence[tuple[Table, tuple[str, ...], Sequence[Sequence[object]]]]
    updates: Mapping[frozenset[str], Sequence[dict[str, object]]]
    reports_gone: Sequence[dict[str, object]]
    moves: Sequence[tuple[tuple[int, int], int]]
    changes: Sequence[Change] = ()


Amounts = list[tuple[int, int, int]]
"""Row ids of lists, scopes, and how many items they have now."""


class Written(NamedTuple):
    """What the database has made of Writes: the lists that were counted, the places of the changes."""

    amounts: Amounts
    places: list[int]


class Result(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement wrote."""
        ...

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row of the result."""
        ...

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows of the result."""
        ...


class Connection(ABC):
    """One connection. StoreError where the database cannot be reached; it is reached again by itself."""

    dialect: str
    """Name of the dialect: sqlite, postgresql."""
    failures: tuple[type[Exception], ...] = ()
    """What its driver raises, beside StoreError, where it refuses a statement or its values."""

    @abstractmethod
    def run(self, statement: ClauseElement, **parameters: object) -> Result:
        """Execute a statement with named parameters."""

    @abstractmethod
    def run_many(self, statement: ClauseElement, rows: Sequence[dict[str, object]]) -> None:
        """Execute a statement without result once for each of many sets of parameters, in one trip."""

    @abstractmethod
    def insert_many(self, table: Table, names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
        """Insert rows of values in the order of `names`, in few trips; the numbers that they got.

        Only a table whose key counts by itself has numbers to tell; others give none.
        """

    def together(self, writes: Writes) -> Written | None:
        """Write in one trip. None where one after the other is as good."""
        return None

    @abstractmethod
    def control(self, command: str) -> None:
        """Execute a command without parameters or result: BEGIN, COMMIT, DDL."""

    @abstractmethod
    def begin(self, question: str = "") -> bool:
        """Begin to write, alone in the whole database: others wait until this one has ended.

        Whether `question`, a SELECT, then finds a row; it is asked in the same trip.
        """

    @abstractmethod
    def finds(self, question: str) -> bool:
        """Whether a SELECT finds a row; False for none."""

    @abstractmethod
    def commit(self, last_change: int | None = None) -> None:
        """Make what was written durable, and tell other processes the last place in the change feed."""

    @abstractmethod
    def roll_back(self) -> None:
        """Undo what has not been committed, if anything. Does not fail."""

    @abstractmethod
    def hold_still(self) -> None:
        """Begin to read one moment of the database, that of the first `run`; `let_go` ends that."""

    @abstractmethod
    def let_go(self) -> None:
        """See again what was committed last."""

    @abstractmethod
    def clock_ms(self) -> int:
        """The time by which leases are kept, ms since 1970 UTC; the same for all who use the database."""

    @abstractmethod
    def has_table(self, name: str) -> bool:
        """Whether the database has a table."""

    @abstractmethod
    def ddl(self, operation: ClauseElement) -> str:
        """The text of a definition for this database."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection; it is not used again."""

    def one(self, make: Make[T], statement: ClauseElement, **values: object) -> T | None:
        """The first row of a result as what `make` makes of it, or None."""
        found = self.run(statement, **values).fetchone()
        return None if found is None else make(found)

    def all(self, make: Make[T], statement: ClauseElement, **values: object) -> list[T]:
        """All rows of a result."""
        return [make(found) for found in self.run(statement, **values).fetchall()]

    def number(self, statement: ClauseElement, **values: object) -> int | None:
        """The single number of a result; None where there is no row, or no number in it."""
        found = self.run(statement, **values).fetchone()
        return None if found is None or found[0] is None else int(found[0])


@cache
def counts(table: Table) -> bool:
    """Whether the key of a table counts by itself."""
    column = table.autoincrement_column
    return column is not None and column.autoincrement is True
