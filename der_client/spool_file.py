"""One SQLite file that keeps what it is told through a SIGKILL, and goes on in memory while its disk fails.

A write that fails is done again in memory, on a copy of all that can be read; from then on everything is
read and written there, within bounds, and the file is tried again every `RETRY_S`. A file that is torn is
set aside, and what can be read of it is taken over.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
Rows = list[tuple[Any, ...]]

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (
    owner TEXT NOT NULL,
    mrid TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (owner, mrid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    href TEXT NOT NULL,
    subject TEXT NOT NULL,
    body BLOB NOT NULL,
    sending INTEGER NOT NULL DEFAULT 0,
    owner TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS outbox_lane ON outbox (lane, seq);
CREATE INDEX IF NOT EXISTS outbox_owner ON outbox (lane, owner, seq);
CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""
BEFORE_OWNERS: Final = """
BEGIN;
ALTER TABLE event RENAME TO event_1;
CREATE TABLE event (
    owner TEXT NOT NULL, mrid TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (owner, mrid)
) WITHOUT ROWID;
INSERT INTO event SELECT '', mrid, body FROM event_1;
DROP TABLE event_1;
ALTER TABLE outbox ADD COLUMN owner TEXT NOT NULL DEFAULT '';
COMMIT;
"""
"""What makes a file of a client of one EndDevice one of today."""


class _Table(NamedTuple):
    """How the rows of one table are read, written and forgotten."""

    rows: str
    put: str
    clear: str


TABLES: Final = (
    _Table(
        "SELECT owner, mrid, body FROM event",
        "INSERT OR REPLACE INTO event (owner, mrid, body) VALUES (?, ?, ?)",
        "DELETE FROM event",
    ),
    _Table(
        "SELECT seq, lane, href, subject, body, sending, owner FROM outbox ORDER BY seq",
        "INSERT OR REPLACE INTO outbox (seq, lane, href, subject, body, sending, owner) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        "DELETE FROM outbox",
    ),
    _Table(
        "SELECT name, body FROM memory",
        "INSERT OR REPLACE INTO memory (name, body) VALUES (?, ?)",
        "DELETE FROM memory",
    ),
)
RETRY_S: Final = 30.0
BOUND: Final = """
CREATE TRIGGER IF NOT EXISTS bound AFTER INSERT ON outbox BEGIN
    DELETE FROM outbox WHERE seq <= NEW.seq - 10000;
END;
"""
"""Of the bodies that wait in memory while the disk fails the oldest go first, beyond this number."""
FIRST_IN_MEMORY: Final = 2**40
"""Numbers of bodies that are queued while the file cannot even be read: none of the file's own."""
IN_MEMORY: Final = ":memory:"


class SpoolFile:
    """A connection to the file, or to the memory that stands in for it. Methods block; for any thread."""

    def __init__(self, path: Path | str, *, local_s: Callable[[], float] = time.monotonic) -> None:
        self.failing: str | None = None
        self._path = str(path)
        self._local_s = local_s
        self._lock = threading.Lock()
        self._is_whole = True
        self._tried_s = local_s()
        self._db = self._first()

    def read(self, sql: str, *values: object) -> Rows:
        """Rows of a query; none where the file cannot be read, which is then left for memory."""
        return self._do(lambda db: db.execute(sql, values).fetchall())

    def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """What one transaction gave; when it returns it is on the disk, or in memory while the disk fails."""
        return self._do(lambda db: _in_transaction(db, job))

    def close(self) -> None:
        """Close the file; what is in memory alone gets a last chance to reach the disk."""
        with self._lock:
            if self.failing is not None:
                self._return_to_disk()
            self._db.close()

    def _do(self, job: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            if self.failing is not None and self._local_s() - self._tried_s >= RETRY_S:
                self._return_to_disk()
            try:
                return job(self._db)
            except sqlite3.Error as error:
                if self.failing is not None or not _is_of_disk(error):
                    raise
                self._go_to_memory(error)
            return job(self._db)

    def _first(self) -> sqlite3.Connection:
        try:
            return _opened(self._path)
        except sqlite3.Error as error:
            if not _is_torn(error):
                return self._start_in_memory(error)
        try:
            return _salvaged(self._path)
        except (sqlite3.Error, OSError) as error:
            return self._start_in_memory(error)

    def _start_in_memory(self, error: Exception) -> sqlite3.Connection:
        log.error("spool %s cannot be used: %s; kept in memory until it can", self._path, error)
        self.failing, self._is_whole = str(error), False
        return _empty_memory()

    def _go_to_memory(self, error: sqlite3.Error) -> None:
        """Take over all that can be read of a file that fails."""
        log.error("spool %s fails: %s; kept in memory until it works again", self._path, error)
        self.failing, self._tried_s = str(error), self._local_s()
        memory = _empty_memory()
        with closing(self._db) as file:
            taken = [_taken_over(file, memory, table) for table in TABLES]
            self._is_whole = None not in taken
            if self._is_whole:
                _number_on(file, memory)
        self._db = memory

    def _return_to_disk(self) -> None:
        """Bring what is in memory to the file, if that works again."""
        self._tried_s = self._local_s()
        file: sqlite3.Connection | None = None
        try:
            file = self._reopened()
            _poured(self._db, file, in_place_of_all=self._is_whole)
        except (sqlite3.Error, OSError) as error:
            log.debug("spool %s still fails: %s", self._path, error)
            if file is not None:
                file.close()
            return
        log.warning("spool %s works again", self._path)
        self._db.close()
        self._db, self.failing = file, None

    def _reopened(self) -> sqlite3.Connection:
        """The file, or a new one where it is torn by now: all of it that could be read is in memory."""
        try:
            return _opened(self._path)
        except sqlite3.Error as error:
            if not _is_torn(error):
                raise
        log.error("spool %s is torn: it is now %s", self._path, _set_aside(self._path))
        return _opened(self._path)


def _in_transaction(db: sqlite3.Connection, job: Callable[[sqlite3.Connection], T]) -> T:
    db.execute("BEGIN IMMEDIATE")
    try:
        found = job(db)
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    return found


def _is_of_disk(error: sqlite3.Error) -> bool:
    """True for an error of the file, rather than of what is asked of it."""
    return isinstance(error, sqlite3.OperationalError) or _is_torn(error)


def _is_torn(error: sqlite3.Error) -> bool:
    return type(error) is sqlite3.DatabaseError


def _opened(path: str) -> sqlite3.Connection:
    """The file, checked and brought up to date; sqlite3.DatabaseError for one that is torn."""
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        _must_be_whole(db)
        columns = [name for _, name, *_ in db.execute("PRAGMA table_info(event)")]
        if columns and "owner" not in columns:
            db.executescript(BEFORE_OWNERS)
        db.executescript(SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _must_be_whole(db: sqlite3.Connection) -> None:
    found = [text for (text,) in db.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        raise sqlite3.DatabaseError(*found)


def _empty_memory() -> sqlite3.Connection:
    db = sqlite3.connect(IN_MEMORY, check_same_thread=False, isolation_level=None)
    db.executescript(SCHEMA)
    db.execute("INSERT INTO sqlite_sequence VALUES ('outbox', ?)", (FIRST_IN_MEMORY,))
    db.executescript(BOUND)
    return db


def _number_on(file: sqlite3.Connection, memory: sqlite3.Connection) -> None:
    """Let the memory number bodies from where the file is."""
    rows = file.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchall()
    memory.execute("UPDATE sqlite_sequence SET seq = ?", rows[0] if rows else (0,))


def _poured(memory: sqlite3.Connection, file: sqlite3.Connection, *, in_place_of_all: bool) -> None:
    """Copy the memory into the file, in one transaction; in the place of what is there, or beside it."""

    def job(db: sqlite3.Connection) -> None:
        for table in TABLES:
            if in_place_of_all:
                db.execute(table.clear)
            db.executemany(table.put, memory.execute(table.rows).fetchall())

    _in_transaction(file, job)


def _set_aside(path: str) -> Path:
    """Give a torn file another name; where it is now."""
    old = Path(path)
    aside = old.with_name(f"{old.name}.torn-{time.time_ns()}")
    old.rename(aside)
    for suffix in ("-wal", "-shm"):
        beside = Path(path + suffix)
        if beside.exists():
            beside.rename(f"{aside}{suffix}")
    return aside


def _salvaged(path: str) -> sqlite3.Connection:
    """A new file with all that can be read of a torn one, which is set aside."""
    aside = _set_aside(path)
    db = _opened(path)
    with suppress(sqlite3.Error), closing(sqlite3.connect(aside, isolation_level=None)) as torn:
        for table in TABLES:
            _taken_over(torn, db, table)
    log.error("spool %s was torn: what could be read was taken over, all is in %s", path, aside)
    return db


def _taken_over(torn: sqlite3.Connection, db: sqlite3.Connection, table: _Table) -> int | None:
    """Copy the rows of one table, up to the first that cannot be read; how many, None if not all."""
    rows: Rows = []
    is_whole = False
    with suppress(sqlite3.Error):
        rows.extend(torn.execute(table.rows))
        is_whole = True
    with suppress(sqlite3.Error):
        db.executemany(table.put, rows)
    return len(rows) if is_whole else None
