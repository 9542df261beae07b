"""What must survive a restart, in one SQLite file: draws, what is owed to the server, last known state.

Every method is one transaction with synchronous=FULL: when it returns, a SIGKILL loses nothing of it. The
methods block; shells call them through `asyncio.to_thread`.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from function_sets import EventRecord

log = logging.getLogger(__name__)

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (mrid TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    href TEXT NOT NULL,
    subject TEXT NOT NULL,
    body BLOB NOT NULL,
    sending INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS outbox_lane ON outbox (lane, seq);
CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""


class Lane(StrEnum):
    """Queues to the server; each is sent in its own order."""

    RESPONSE = "response"
    LOG_EVENT = "log event"
    READING = "reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One body that the server has not accepted yet.

    `href` is where it went when it was written, `subject` what it is about (an mRID, or a device). `was_sent`
    is true if an earlier try may have reached the server without an answer.
    """

    seq: int
    lane: Lane
    href: str
    subject: str
    body: bytes
    was_sent: bool = False


class Spool:
    """The client's memory on disk; bounded: the oldest readings go first and are counted."""

    def __init__(self, path: Path | str, *, most_readings: int = 10_000) -> None:
        self.dropped_readings = 0
        self._most_readings = most_readings
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)

    def records(self) -> dict[str, EventRecord]:
        """All event records by mRID."""
        rows = self._all("SELECT mrid, body FROM event")
        return {mrid: EventRecord.from_dict(json.loads(body)) for mrid, body in rows}

    def commit(self, records: Mapping[str, EventRecord], owed: Iterable[Owed] = ()) -> None:
        """Put these records in the place of all earlier ones, and queue what they make us owe, at once."""
        rows = [(mrid, json.dumps(record.to_dict())) for mrid, record in records.items()]
        with self._lock, self._transaction():
            kept = json.dumps([mrid for mrid, _ in rows])
            self._db.execute("DELETE FROM event WHERE mrid NOT IN (SELECT value FROM json_each(?))", (kept,))
            self._db.executemany("INSERT OR REPLACE INTO event VALUES (?, ?)", rows)
            self._insert(owed)

    def owe(self, *owed: Owed) -> None:
        """Queue bodies for the server; drops the oldest readings beyond the bound."""
        with self._lock, self._transaction():
            self._insert(owed)
            dropped = self._db.execute(
                "DELETE FROM outbox WHERE lane = ? AND seq <= "
                "(SELECT seq FROM outbox WHERE lane = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                (Lane.READING, Lane.READING, self._most_readings),
            ).rowcount
        if dropped:
            self.dropped_readings += dropped
            log.warning("spool full: %d oldest readings dropped", dropped)

    def next(self, lane: Lane) -> Owed | None:
        """The oldest body of a lane, or None."""
        rows = self._all(
            "SELECT seq, lane, href, subject, body, sending FROM outbox WHERE lane = ? ORDER BY seq LIMIT 1",
            lane,
        )
        for seq, of, href, subject, body, sending in rows:
            return Owed(seq=seq, lane=Lane(of), href=href, subject=subject, body=body, was_sent=bool(sending))
        return None

    def count(self, lane: Lane) -> int:
        """How many bodies wait in a lane."""
        return int(self._all("SELECT count(*) FROM outbox WHERE lane = ?", lane)[0][0])

    def sending(self, owed: Owed) -> None:
        """Note that a body is about to be sent."""
        with self._lock, self._transaction():
            self._db.execute("UPDATE outbox SET sending = 1 WHERE seq = ?", (owed.seq,))

    def done(self, owed: Owed) -> None:
        """Forget a body that the server accepted, or that it will never accept."""
        with self._lock, self._transaction():
            self._db.execute("DELETE FROM outbox WHERE seq = ?", (owed.seq,))

    def remember(self, name: str, body: str) -> None:
        """Keep a text under a name, in the place of the one before."""
        with self._lock, self._transaction():
            self._db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, body))

    def numbers(self, name: str, count: int) -> int:
        """The first of `count` numbers in a row that nobody had before."""
        with self._lock, self._transaction():
            rows = self._db.execute("SELECT body FROM memory WHERE name = ?", (name,)).fetchall()
            first = int(rows[0][0]) if rows else 0
            self._db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, str(first + count)))
        return first

    def recall(self, name: str) -> str | None:
        """The text under a name, or None."""
        rows = self._all("SELECT body FROM memory WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _insert(self, owed: Iterable[Owed]) -> None:
        self._db.executemany(
            "INSERT INTO outbox (lane, href, subject, body) VALUES (?, ?, ?, ?)",
            [(one.lane, one.href, one.subject, one.body) for one in owed],
        )

    def _all(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _transaction(self) -> sqlite3.Connection:
        """Context of one transaction: committed at its end, rolled back on an error."""
        self._db.execute("BEGIN IMMEDIATE")
        return self._db


def owed(lane: Lane, href: str, subject: str, body: bytes) -> Owed:
    """A body that is not queued yet; the spool gives it its place."""
    return Owed(seq=0, lane=lane, href=href, subject=subject, body=body)
