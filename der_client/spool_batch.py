"""Changes to the spool, and how those of many EndDevices reach the disk in one transaction.

A change is data: SQLite is handed each kind of row as one JSON text, in one statement. A thread waits for
the interpreter at the end of each statement, for long while the event loop is busy.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from der_client.spool_file import SpoolFile

DELETE_OTHERS: Final = "DELETE FROM event WHERE owner = ? AND mrid NOT IN (SELECT value FROM json_each(?))"
DELETE: Final = "DELETE FROM event WHERE owner = ? AND mrid = ?"
EVENTS: Final = """
INSERT OR REPLACE INTO event (owner, mrid, body)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)
"""
OWED: Final = """
INSERT INTO outbox (lane, href, subject, body, owner)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    CAST(json_extract(value, '$[3]') AS BLOB), json_extract(value, '$[4]')
FROM json_each(?)
"""
TEXTS: Final = """
INSERT OR REPLACE INTO memory (name, body)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
"""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one EndDevice puts on disk at once: rows of the tables, with its name in them.

    `others_than` are owners whose events go unless they are listed, as JSON; `gone` single events; `owed`
    bodies as text, in the order of their lane; `texts` what is remembered by name.
    """

    others_than: tuple[tuple[str, str], ...] = ()
    gone: tuple[tuple[str, str], ...] = ()
    events: tuple[Row, ...] = ()
    owed: tuple[Row, ...] = ()
    texts: tuple[Row, ...] = ()


def put(db: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Make the changes; those of one EndDevice in their order."""
    for together in _of_different_owners(changes):
        _put(db, together)


def _of_different_owners(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """The changes in their order, in stretches in which no EndDevice changes its events twice."""
    found: list[Change] = []
    owners: set[str] = set()
    for change in changes:
        own = {row[0] for rows in (change.others_than, change.gone, change.events) for row in rows}
        if own & owners:
            yield found
            found, owners = [], set()
        found.append(change)
        owners |= own
    yield found


def _put(db: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Make changes in which the order does not matter, each kind of row in one statement."""
    others = [one for change in changes for one in change.others_than]
    gone = [one for change in changes for one in change.gone]
    if others:
        db.executemany(DELETE_OTHERS, others)
    if gone:
        db.executemany(DELETE, gone)
    for statement, rows in (
        (EVENTS, [row for change in changes for row in change.events]),
        (OWED, [row for change in changes for row in change.owed]),
        (TEXTS, [row for change in changes for row in change.texts]),
    ):
        if rows:
            db.execute(statement, (json.dumps(rows),))


@dataclass(slots=True)
class Batch:
    """Gathers changes while the disk is busy, and puts them there together, in their order."""

    file: SpoolFile
    _waiting: list[tuple[Change, "asyncio.Future[None]"]] = field(default_factory=list)
    _writing: "asyncio.Future[None] | None" = None
    _is_due: bool = False

    async def put(self, change: Change) -> None:
        """Return once a change is on disk; it gets there even if the caller is cancelled meanwhile."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((change, done))
        if not self._is_due and self._writing is None:
            self._is_due = True
            loop.call_soon(self._write)
        await done

    async def settled(self) -> None:
        """Return once nothing waits for the disk."""
        while self._waiting or self._writing is not None:
            if self._writing is not None:
                await asyncio.wait([self._writing])
            await asyncio.sleep(0)

    def _write(self) -> None:
        """Put on disk what has come in until now."""
        self._is_due = False
        batch, self._waiting = self._waiting, []
        changes = [change for change, _ in batch]
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self.file.write, lambda db: put(db, changes))
        self._writing.add_done_callback(lambda done: self._written(batch, done))

    def _written(
        self, batch: Sequence[tuple[Change, "asyncio.Future[None]"]], done: "asyncio.Future[None]"
    ) -> None:
        """Let those go on who waited; what came in meanwhile is next."""
        self._writing = None
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        for _, waiting in batch:
            if waiting.done():
                continue
            if error is None:
                waiting.set_result(None)
            else:
                waiting.set_exception(error)
        if self._waiting:
            self._write()
