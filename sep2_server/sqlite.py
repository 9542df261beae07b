"""SQLite: one file in WAL mode, every commit on the disk before it is acknowledged."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from sqlite3 import SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC, Cursor, DatabaseError, connect
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.expression import ClauseElement

from sep2_server.connection import Connection, Result, counts
from sep2_server.disk import Disk
from sep2_server.errors import StoreError, UndecidedError

DIALECT: Final[Dialect] = sqlite.dialect(paramstyle="named")
LOOK_S: Final = 0.05
"""How often a process that waits looks whether the file has changed."""
STATEMENTS: Final = 512
"""How many statements a connection keeps prepared."""
AT_ONCE: Final = 8
"""So many rows that are numbered are inserted by one statement at most."""
UNSYNCED: Final = frozenset({SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC})
"""Codes of a sync that has failed."""
_WAIT: Final = "PRAGMA busy_timeout=10000"
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    _WAIT,
    "PRAGMA cache_size=-65536",
    "PRAGMA foreign_keys=ON",
)
_TEXTS: Final[dict[ClauseElement, str]] = {}


class SqliteConnection(Connection):
    """A connection to a SQLite file, which is made where there is none."""

    dialect = "sqlite"
    failures = (DatabaseError, OverflowError)

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        """Open the file. StoreError where that cannot be."""
        self._disk = disk or Disk()
        try:
            self._driver = connect(
                path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS
            )
            self._cursor = self._driver.cursor()
            self._execute: Callable[..., Cursor] = self._cursor.execute
            for pragma in _PRAGMAS:
                self._execute(pragma)
        except DatabaseError as flaw:
            raise StoreError(f"{path}: the database cannot be opened: {flaw}") from flaw
        self._disk.watch(path)
        self._woken = threading.Event()
        self._mark: AbstractContextManager[None] = nullcontext()
        self._inserts: dict[tuple[str, tuple[str, ...], int], str] = {}

    def run(self, statement: ClauseElement, **parameters: object) -> Result:
        """Execute a statement with named parameters."""
        values: Any = parameters
        return self._execute(_TEXTS.get(statement) or _text_of(statement), values)

    def run_many(self, statement: ClauseElement, rows: Sequence[dict[str, object]]) -> None:
        """Execute a statement once for each of many sets of parameters."""
        many: Any = rows
        self._cursor.executemany(_TEXTS.get(statement) or _text_of(statement), many)

    def insert_many(self, table: Table, names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
        """Insert rows of values in the order of `names`; the numbers that they got, one after the other."""
        is_counted = counts(table)
        if len(rows) == 1 or (is_counted and 1 < len(rows) <= AT_ONCE):
            values: Any = rows[0] if len(rows) == 1 else [value for row in rows for value in row]
            self._execute(self._insert_of(table, tuple(names), len(rows)), values)
            last = int(self._cursor.lastrowid or 0)
        else:
            many: Any = rows
            self._cursor.executemany(self._insert_of(table, tuple(names), 1), many)
            is_counted = is_counted and bool(rows)
            last = int(self._execute("SELECT last_insert_rowid()").fetchone()[0]) if is_counted else 0
        return list(range(last - len(rows) + 1, last + 1)) if is_counted else []

    def _insert_of(self, table: Table, names: tuple[str, ...], rows: int) -> str:
        key = table.name, names, rows
        text = self._inserts.get(key)
        if text is None:
            places = ", ".join([f"({', '.join('?' * len(names))})"] * rows)
            text = self._inserts[key] = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {places}"  # noqa: S608
        return text

    def control(self, command: str) -> None:
        """Execute a command without parameters or result."""
        self._execute(command)

    def begin(self, question: str = "") -> bool:
        """Take the lock of the file for writing; whether a SELECT then finds a row."""
        self._disk.require()
        self.roll_back()
        self.control("BEGIN IMMEDIATE")
        return self.finds(question)

    def finds(self, question: str) -> bool:
        """Whether a SELECT finds a row."""
        return bool(question) and self._execute(question).fetchone() is not None

    def try_begin(self) -> bool:
        """Take the lock of the file for writing, without waiting; False where that cannot be now.

        What could not be undone before is undone first: it would keep the lock from everybody for ever.
        """
        try:
            self._disk.require()
            self.roll_back()
            self.control("PRAGMA busy_timeout=0")
            try:
                self.control("BEGIN IMMEDIATE")
            finally:
                self.control(_WAIT)
        except (DatabaseError, StoreError):
            return False
        return True

    def leave_sync(self) -> None:
        """From now on a commit is not durable before the log is synced, and leaves the log as it is."""
        self.control("PRAGMA synchronous=NORMAL")
        self.control("PRAGMA wal_autocheckpoint=0")

    def mark_commits(self, mark: AbstractContextManager[None]) -> None:
        """From now on enter a mark for as long as a commit lasts."""
        self._mark = mark

    def commit(self, last_change: int | None = None) -> None:
        """Make what was written durable; other processes look by themselves whether the file has changed."""
        try:
            with self._mark:
                self.control("COMMIT")
        except DatabaseError as flaw:
            if getattr(flaw, "sqlite_errorcode", 0) in UNSYNCED:
                self._disk.lose(flaw)
                raise UndecidedError(f"nobody knows whether it was stored: {flaw}") from flaw
            raise

    def roll_back(self) -> None:
        """Undo what has not been committed, if anything."""
        if self._driver.in_transaction:
            self._execute("ROLLBACK")

    def hold_still(self) -> None:
        """Begin to read one moment, that of the first question."""
        self._execute = self._begin_moment

    def let_go(self) -> None:
        """End it: nothing was written, or what was could not be undone before."""
        self._execute = self._cursor.execute
        self.roll_back()

    def _begin_moment(self, statement: str, values: Mapping[str, object] | Sequence[object] = ()) -> Cursor:
        """Execute the first question of a moment; what asks nothing pays nothing for it."""
        self._execute = self._cursor.execute
        self._execute("BEGIN")
        return self._execute(statement, values)

    def clock_ms(self) -> int:
        """The time of the machine, which all who use the file share."""
        return time.time_ns() // 1_000_000

    def has_table(self, name: str) -> bool:
        """Whether the database has a table."""
        found = self._execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
        return found.fetchone() is not None

    def ddl(self, operation: ClauseElement) -> str:
        """The text of a definition."""
        return str(operation.compile(dialect=DIALECT))

    def wait_for_commit(self, timeout_s: float) -> None:
        """Return once another connection has committed, or the time is over, or `wake` was called."""
        rounds = max(int(timeout_s / LOOK_S), 1)
        before = self.data_version
        while rounds and self.data_version == before and not self._woken.wait(LOOK_S):
            rounds -= 1

    def wake(self) -> None:
        """End the waiting of another thread."""
        self._woken.set()

    @property
    def data_version(self) -> int:
        """A number that is another one after each commit of another connection, of any process."""
        return int(self._execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._driver.close()


def _text_of(statement: ClauseElement) -> str:
    """The text of a statement, compiled once."""
    text = _TEXTS[statement] = str(statement.compile(dialect=DIALECT))
    return text
