"""What must survive a restart, in one SQLite file: draws, what is owed to the server, last known state.

An aggregator keeps one file; each of its EndDevices has a part of it (`Spool.of`).

Every method is one transaction with synchronous=FULL: when it returns, a SIGKILL loses nothing of it. The
methods block; shells call them through `asyncio.to_thread`.
"""

import copy
import json
import logging
import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from function_sets import EventRecord

log = logging.getLogger(__name__)

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
ALTER TABLE event RENAME TO event_1;
CREATE TABLE event (
    owner TEXT NOT NULL, mrid TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (owner, mrid)
) WITHOUT ROWID;
INSERT INTO event SELECT '', mrid, body FROM event_1;
DROP TABLE event_1;
ALTER TABLE outbox ADD COLUMN owner TEXT NOT NULL DEFAULT '';
"""
"""What makes a file of a client of one EndDevice one of today."""


class Lane(StrEnum):
    """Queues to the server; each is sent in its own order."""

    RESPONSE = "response"
    LOG_EVENT = "log event"
    READING = "reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One body that the server has not accepted yet.

    `href` is where it went when it was written, `subject` what it is about (an mRID, or a device). `was_sent`
    is true if an earlier try may have reached the server without an answer. `owner` is the EndDevice that
    owes it, by its LFDI; empty for a client of one EndDevice.
    """

    seq: int
    lane: Lane
    href: str
    subject: str
    body: bytes
    was_sent: bool = False
    owner: str = ""


class Spool:
    """The client's memory on disk; bounded: the oldest readings of an EndDevice go first and are counted."""

    def __init__(self, path: Path | str, *, most_readings: int = 10_000) -> None:
        self.dropped_readings = 0
        self._most_readings = most_readings
        self.owner = ""
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        columns = [name for _, name, *_ in self._db.execute("PRAGMA table_info(event)")]
        if columns and "owner" not in columns:
            self._db.executescript(BEFORE_OWNERS)
        self._db.executescript(SCHEMA)

    def of(self, owner: str) -> Self:
        """The part that is about one EndDevice, in the same file: its records, its names, what it owes."""
        part = copy.copy(self)
        part.owner = owner
        return part

    def records(self) -> dict[str, EventRecord]:
        """All event records by mRID."""
        rows = self._all("SELECT mrid, body FROM event WHERE owner = ?", self.owner)
        return {mrid: EventRecord.from_dict(json.loads(body)) for mrid, body in rows}

    def commit(self, records: Mapping[str, EventRecord], owed: Iterable[Owed] = ()) -> None:
        """Put these records in the place of all earlier ones, and queue what they make us owe, at once."""
        rows = [(self.owner, mrid, json.dumps(record.to_dict())) for mrid, record in records.items()]
        with self._lock, self._transaction():
            self._db.execute(
                "DELETE FROM event WHERE owner = ? AND mrid NOT IN (SELECT value FROM json_each(?))",
                (self.owner, json.dumps(list(records))),
            )
            self._db.executemany("INSERT OR REPLACE INTO event VALUES (?, ?, ?)", rows)
            self._insert(owed)

    def owe(self, *owed: Owed) -> None:
        """Queue bodies for the server; drops the oldest readings beyond the bound."""
        with self._lock, self._transaction():
            self._insert(owed)
            dropped = self._db.execute(
                "DELETE FROM outbox WHERE lane = ?1 AND owner = ?2 AND seq <= "
                "(SELECT seq FROM outbox WHERE lane = ?1 AND owner = ?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3)",
                (Lane.READING, self.owner, self._most_readings),
            ).rowcount
        if dropped:
            self.dropped_readings += dropped
            log.warning("spool full: %d oldest readings dropped", dropped)

    def next(self, lane: Lane, besides: Collection[str] = ()) -> Owed | None:
        """The oldest body of a lane, of whatever EndDevice but those in `besides`, or None."""
        rows = self._all(
            "SELECT seq, lane, href, subject, body, sending, owner FROM outbox WHERE lane = ? "
            "AND owner NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1",
            lane,
            json.dumps(sorted(besides)),
        )
        for seq, of, href, subject, body, sending, owner in rows:
            return Owed(
                seq=seq,
                lane=Lane(of),
                href=href,
                subject=subject,
                body=body,
                was_sent=bool(sending),
                owner=owner,
            )
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
            self._db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (self._own(name), body))

    def numbers(self, name: str, count: int) -> int:
        """The first of `count` numbers in a row that nobody had before."""
        name = self._own(name)
        with self._lock, self._transaction():
            rows = self._db.execute("SELECT body FROM memory WHERE name = ?", (name,)).fetchall()
            first = int(rows[0][0]) if rows else 0
            self._db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, str(first + count)))
        return first

    def recall(self, name: str) -> str | None:
        """The text under a name, or None."""
        rows = self._all("SELECT body FROM memory WHERE name = ?", self._own(name))
        return str(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _insert(self, owed: Iterable[Owed]) -> None:
        self._db.executemany(
            "INSERT INTO outbox (lane, href, subject, body, owner) VALUES (?, ?, ?, ?, ?)",
            [(one.lane, one.href, one.subject, one.body, self.owner) for one in owed],
        )

    def _own(self, name: str) -> str:
        return f"{self.owner} {name}" if self.owner else name

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
