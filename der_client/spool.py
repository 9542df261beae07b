"""What must survive a restart, in one SQLite file: draws, what is owed to the server, last known state.

An aggregator keeps one file; each of its EndDevices has a part of it (`Spool.of`).

Every method is one transaction with synchronous=FULL: when it returns, a SIGKILL loses nothing of it. While
the disk fails the spool goes on in memory, and `failing` says why (see `spool_file`). The methods block;
shells call them through `asyncio.to_thread`. `committed` and `remembered` are for the event loop: what all
EndDevices put there in one turn of it, or while the disk is busy, is one transaction.
"""

import copy
import json
import logging
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from der_client.spool_batch import Batch, Change, put
from der_client.spool_file import SpoolFile
from function_sets import EventRecord

log = logging.getLogger(__name__)

ALIVE: Final = "alive"
ALIVE_EVERY_S: Final = 10
"""How often it is kept at most that the client is there, s."""
INSERT_OWED: Final = "INSERT INTO outbox (lane, href, subject, body, owner) VALUES (?, ?, ?, ?, ?)"


class Lane(StrEnum):
    """Queues to the server; each is sent in its own order."""

    RESPONSE = "response"
    LOG_EVENT = "log event"
    READING = "reading"


BOUNDED: Final = (Lane.READING, Lane.LOG_EVENT)
"""Lanes that go on growing while the server does not answer."""


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


@dataclass(slots=True)
class _Alive:
    """When this run was last noted to be there, server time, s; shared by all parts of a spool."""

    at: int | None = None


class Spool:
    """The client's memory on disk.

    Bounded: of the readings, and of the LogEvents, of an EndDevice no more than `most_waiting` wait; the
    oldest go first. Responses are as many as the events.
    """

    def __init__(self, path: Path | str, *, most_waiting: int = 10_000) -> None:
        self.dropped_readings = 0
        self.owner = ""
        self._most_waiting = most_waiting
        self._file = SpoolFile(path)
        self._batch = Batch(self._file)
        self._alive = _Alive()
        self._listed: dict[str, frozenset[str]] = {}
        self.left_at = _second(self.recall(ALIVE))
        """When the last run was last there while an event ran, server time, s; None where nobody knows."""

    def of(self, owner: str) -> Self:
        """The part that is about one EndDevice, in the same file: its records, its names, what it owes."""
        part = copy.copy(self)
        part.owner = owner
        return part

    @property
    def failing(self) -> str | None:
        """Why the disk cannot be used now, and all is kept in memory; None while it can."""
        return self._file.failing

    def records(self) -> dict[str, EventRecord]:
        """All event records by mRID; one that cannot be read is left out and told."""
        rows = self._file.read("SELECT mrid, body FROM event WHERE owner = ?", self.owner)
        self._listed[self.owner] = frozenset(str(mrid) for mrid, _ in rows)
        found = {mrid: _record(mrid, body) for mrid, body in rows}
        return {mrid: record for mrid, record in found.items() if record is not None}

    def commit(self, records: Mapping[str, EventRecord], owed: Iterable[Owed] = ()) -> None:
        """Put these records in the place of all earlier ones, and queue what they make us owe, at once."""
        change = self._change(records, owed)
        self._file.write(lambda db: put(db, [change]))

    async def committed(self, records: Mapping[str, EventRecord], owed: Iterable[Owed] = ()) -> None:
        """As `commit`, together with what others commit meanwhile; returns once it is on disk."""
        await self._batch.put(self._change(records, owed))

    def _change(self, records: Mapping[str, EventRecord], owed: Iterable[Owed]) -> Change:
        """What brings the disk to these records: those that were there and are not listed any more go."""
        listed = self._listed.get(self.owner)
        self._listed[self.owner] = frozenset(records)
        return Change(
            others_than=((self.owner, json.dumps(list(records))),) if listed is None else (),
            gone=tuple((self.owner, mrid) for mrid in (listed or frozenset()) - records.keys()),
            events=tuple((self.owner, mrid, json.dumps(one.to_dict())) for mrid, one in records.items()),
            owed=tuple((one.lane, one.href, one.subject, one.body.decode(), self.owner) for one in owed),
        )

    def owe(self, *owed: Owed) -> None:
        """Queue bodies for the server; drops the oldest readings and LogEvents beyond the bound."""
        bodies = self._rows(owed)

        def job(db: sqlite3.Connection) -> dict[Lane, int]:
            db.executemany(INSERT_OWED, bodies)
            return {lane: self._dropped(db, lane) for lane in BOUNDED}

        dropped = self._file.write(job)
        self.dropped_readings += dropped[Lane.READING]
        for lane in (lane for lane in BOUNDED if dropped[lane]):
            log.warning("spool full: %d oldest dropped of lane %s", dropped[lane], lane)

    def _dropped(self, db: sqlite3.Connection, lane: Lane) -> int:
        """How many bodies of a lane beyond the bound were dropped, the oldest."""
        return db.execute(
            "DELETE FROM outbox WHERE lane = ?1 AND owner = ?2 AND seq <= "
            "(SELECT seq FROM outbox WHERE lane = ?1 AND owner = ?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3)",
            (lane, self.owner, self._most_waiting),
        ).rowcount

    def next(self, lane: Lane, besides: Collection[str] = ()) -> Owed | None:
        """The oldest body of a lane, of whatever EndDevice but those in `besides`, or None."""
        rows = self._file.read(
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
        return int(self._file.read("SELECT count(*) FROM outbox WHERE lane = ?", lane)[0][0])

    def sending(self, owed: Owed) -> None:
        """Note that a body is about to be sent."""
        self._file.write(lambda db: db.execute("UPDATE outbox SET sending = 1 WHERE seq = ?", (owed.seq,)))

    def done(self, owed: Owed) -> None:
        """Forget a body that the server accepted, or that it will never accept."""
        self._file.write(lambda db: db.execute("DELETE FROM outbox WHERE seq = ?", (owed.seq,)))

    def remember(self, name: str, body: str) -> None:
        """Keep a text under a name, in the place of the one before."""
        row = (self._own(name), body)
        self._file.write(lambda db: db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", row))

    async def remembered(self, name: str, body: str) -> None:
        """As `remember`, together with what others keep meanwhile; returns once it is on disk."""
        await self._batch.put(Change(texts=((self._own(name), body),)))

    async def alive(self, now: int) -> None:
        """Keep every `ALIVE_EVERY_S` that the client is there at `now`, server time, s: once for the file."""
        if self._alive.at is not None and abs(now - self._alive.at) < ALIVE_EVERY_S:
            return
        self._alive.at = now
        await self._batch.put(Change(texts=((ALIVE, str(now)),)))

    def numbers(self, name: str, count: int) -> int:
        """The first of `count` numbers in a row that nobody had before."""
        own = self._own(name)

        def job(db: sqlite3.Connection) -> int:
            rows = db.execute("SELECT body FROM memory WHERE name = ?", (own,)).fetchall()
            first = int(rows[0][0]) if rows else 0
            db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (own, str(first + count)))
            return first

        return self._file.write(job)

    def recall(self, name: str) -> str | None:
        """The text under a name, or None."""
        rows = self._file.read("SELECT body FROM memory WHERE name = ?", self._own(name))
        return str(rows[0][0]) if rows else None

    async def settled(self) -> None:
        """Return once all that was to be `committed` and `remembered` is on disk."""
        await self._batch.settled()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rows(self, owed: Iterable[Owed]) -> list[tuple[str, str, str, bytes, str]]:
        return [(one.lane, one.href, one.subject, one.body, self.owner) for one in owed]

    def _own(self, name: str) -> str:
        return f"{self.owner} {name}" if self.owner else name


def _second(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        log.warning("when the client was last there cannot be read: %r", text)
        return None


def _record(mrid: str, body: str) -> EventRecord | None:
    try:
        return EventRecord.from_dict(json.loads(body))
    except (ValueError, KeyError, TypeError) as error:
        log.warning("what was kept of event %s cannot be read: %s", mrid, error)
        return None


def owed(lane: Lane, href: str, subject: str, body: bytes) -> Owed:
    """A body that is not queued yet; the spool gives it its place."""
    return Owed(seq=0, lane=lane, href=href, subject=subject, body=body)
