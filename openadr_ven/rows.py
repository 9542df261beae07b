"""A JSON object on disk, part by part: what is saved again costs what has changed, however much is kept.

One SQLite file holds the objects of a VEN. What blocks is done in a thread; each save is one transaction that
survives SIGKILL and the loss of power once it is answered.
"""

import asyncio
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from openadr_ven.memory import KeptError

T = TypeVar("T")
PLAIN, TABLE, LIST = "plain", "table", "list"
"""How an entry of the object is kept: whole, by the keys of an object, or item by item of an array."""
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS kept (
    part TEXT, name TEXT, form TEXT, key TEXT, place INTEGER, text TEXT NOT NULL,
    PRIMARY KEY (part, name, key, place)
) WITHOUT ROWID
"""
PUT: Final = "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?)"
DROP: Final = "DELETE FROM kept WHERE part = ? AND name = ? AND key = ? AND place = ?"
Place = tuple[str, str, int]
"""Name of an entry, key in it, place in it."""


@dataclass(frozen=True, slots=True)
class _Row:
    form: str
    text: str


class RowFile:
    """The file. A VEN has it alone; others may read it meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def read(self, part: str) -> dict[Place, _Row]:
        """What is kept of an object; nothing where there is no file. Raises KeptError for what is damaged."""
        if not self.path.exists():
            return {}
        try:
            with closing(sqlite3.connect(self.path)) as db:
                if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'kept'").fetchone():
                    return {}
                query = "SELECT name, key, place, form, text FROM kept WHERE part = ?"
                return {(n, k, p): _Row(f, t) for n, k, p, f, t in db.execute(query, (part,))}
        except sqlite3.Error as flaw:
            raise KeptError(f"{self.path}: {flaw}") from flaw

    def write(self, part: str, put: Mapping[Place, _Row], gone: Sequence[Place]) -> None:
        """Change rows of an object, in one transaction. OSError where the disk fails."""
        with self._lock:
            try:
                db = self._opened()
                db.execute("BEGIN IMMEDIATE")
                db.executemany(DROP, [(part, *place) for place in gone])
                db.executemany(
                    PUT, [(part, name, row.form, key, at, row.text) for (name, key, at), row in put.items()]
                )
                db.execute("COMMIT")
            except sqlite3.Error as flaw:
                self._shut()
                raise OSError(f"{self.path}: {flaw}") from flaw

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._shut()

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute(SCHEMA)
        return self._db

    def _shut(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


class RowMemory:
    """A `Memory` that keeps one object in a `RowFile`; its entries are told apart by what they hold."""

    def __init__(self, file: RowFile, part: str) -> None:
        self._file, self._part = file, part
        self._rows: dict[Place, _Row] | None = None
        self._lock = threading.Lock()

    async def load(self) -> object:
        """What was saved last; None where nothing was. Raises KeptError for what is damaged."""
        return await asyncio.to_thread(self.read)

    def read(self) -> object:
        """The same, at once."""
        self._rows = self._file.read(self._part)
        return _object_of(self._rows, str(self._file.path)) if self._rows else None

    async def save(self, value: object) -> None:
        """Keep an object in place of the last; on return it is on disk."""
        if not isinstance(value, Mapping):
            raise TypeError("only an object is kept by rows")
        await asyncio.to_thread(self._save, value)

    def _save(self, value: Mapping[str, object]) -> None:
        with self._lock:
            before = self._file.read(self._part) if self._rows is None else self._rows
            rows = dict(_rows_of(value, before))
            put = {place: row for place, row in rows.items() if before.get(place) != row}
            gone = [place for place in before if place not in rows]
            if put or gone:
                self._file.write(self._part, put, gone)
            self._rows = rows


@dataclass(slots=True)
class Texts:
    """Texts of values that never change, made once as long as a value is there in each round."""

    _before: dict[int, tuple[object, str]] = field(default_factory=dict)
    _now: dict[int, tuple[object, str]] = field(default_factory=dict)

    def begin(self) -> None:
        """Another round begins: what was not asked for in the last is forgotten."""
        self._before, self._now = self._now, {}

    def of(self, value: T, make: Callable[[T], str]) -> str:
        """The text of a value."""
        found = self._before.get(id(value))
        text = found[1] if found is not None and found[0] is value else make(value)
        self._now[id(value)] = (value, text)
        return text


def _rows_of(value: Mapping[str, object], before: Mapping[Place, _Row]) -> Iterator[tuple[Place, _Row]]:
    for name, entry in value.items():
        if isinstance(entry, Mapping):
            yield (name, "", 0), _Row(TABLE, "")
            for key, one in entry.items():
                yield (name, str(key), 1), _Row(TABLE, _text(one))
        elif isinstance(entry, list):
            yield (name, "", 0), _Row(LIST, "")
            held = sorted((at, row.text) for (of, _, at), row in before.items() if of == name and at)
            for at, text in _placed(held, [_text(one) for one in entry]):
                yield (name, "", at), _Row(LIST, text)
        else:
            yield (name, "", 0), _Row(PLAIN, _text(entry))


def _placed(before: Sequence[tuple[int, str]], items: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Items with places that grow; one that was there in the same order keeps its own."""
    waiting = iter(before)
    following = before[-1][0] if before else 0
    for item in items:
        place = next((at for at, text in waiting if text == item), None)
        if place is None:
            following += 1
        yield (following if place is None else place), item


def _text(one: object) -> str:
    """A text as it is, behind a mark; all else as JSON."""
    return f"'{one}" if isinstance(one, str) else json.dumps(one, separators=(",", ":"))


def _object_of(rows: Mapping[Place, _Row], path: str) -> dict[str, object]:
    found: dict[str, object] = {}
    try:
        for (name, key, at), row in sorted(rows.items(), key=lambda one: one[0]):
            if not at:
                found[name] = {} if row.form == TABLE else [] if row.form == LIST else _told(row.text)
                continue
            entry = found[name]
            if isinstance(entry, dict):
                entry[key] = _told(row.text)
            elif isinstance(entry, list):
                entry.append(_told(row.text))
    except (KeyError, ValueError) as flaw:
        raise KeptError(f"{path}: {flaw!r}") from flaw
    return found


def _told(text: str) -> object:
    return text[1:] if text.startswith("'") else json.loads(text)
