"""One connection to the database: prepared SQL text on the driver's own cursor, for use by one thread."""

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar, cast

from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.sql.expression import ClauseElement

T = TypeVar("T")
Make = Callable[[tuple[Any, ...]], T]

SQLITE: Final[Dialect] = sqlite.dialect(paramstyle="named")
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA cache_size=-65536",
    "PRAGMA foreign_keys=ON",
)


class Cursor(Protocol):
    """What is needed of a DB-API cursor."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement wrote."""
        ...

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row of the result."""
        ...

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows of the result."""
        ...


class Connection:
    """A connection with statements compiled once; no statement is committed before `commit`.

    Outside of `begin` each statement sees what was committed last.
    """

    def __init__(self, engine: Engine) -> None:
        pooled = engine.raw_connection()
        self._driver = cast("Any", pooled.driver_connection)
        pooled.detach()
        self._driver.isolation_level = None
        self._cursor = self._driver.cursor()
        self._execute = self._cursor.execute
        self._texts: dict[ClauseElement, str] = {}
        for pragma in _PRAGMAS:
            self._execute(pragma)

    def run(self, statement: ClauseElement, **parameters: object) -> Cursor:
        """Execute a statement with named parameters."""
        text = self._texts.get(statement)
        if text is None:
            text = self._texts[statement] = _compiled(statement)
        cursor: Cursor = self._execute(text, parameters)
        return cursor

    def one(
        self, make: Callable[[tuple[Any, ...]], T], statement: ClauseElement, **values: object
    ) -> T | None:
        """The first row of a result as what `make` makes of it, or None."""
        found = self.run(statement, **values).fetchone()
        return None if found is None else make(found)

    def all(
        self, make: Callable[[tuple[Any, ...]], T], statement: ClauseElement, **values: object
    ) -> list[T]:
        """All rows of a result."""
        return [make(found) for found in self.run(statement, **values).fetchall()]

    def number(self, statement: ClauseElement, **values: object) -> int | None:
        """The single number of a result; None where there is no row, or no number in it."""
        found = self.run(statement, **values).fetchone()
        return None if found is None or found[0] is None else int(found[0])

    def control(self, command: str) -> None:
        """Execute BEGIN, COMMIT, SAVEPOINT and their like."""
        self._execute(command)

    def roll_back(self) -> None:
        """Undo what has not been committed, if anything."""
        if self._driver.in_transaction:
            self._execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection; it is not used again."""
        self._driver.close()


def _compiled(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=SQLITE))
