"""A store in one compressed file, from either kind of database and into either.

The file is gzip of lines of JSON: a head with the format, for each table a line with its columns and then a
line for each row in the order of the key (octets as base64), at last the number of rows of each table and the
SHA-256 of all lines before. It is of one moment of the database, while servers go on to write. It holds PINs.
"""

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import (
    Boolean,
    Column,
    LargeBinary,
    Table,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.schema import DropTable
from sqlalchemy.sql.expression import ClauseElement

from sep2_server.alone import require_alone
from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.folders import sync_folder
from sep2_server.followers import is_ours
from sep2_server.migrations import MIGRATIONS, apply, format_of, pending
from sep2_server.stored_readings import near_day
from sep2_server.tables import follower, metadata, reading

KIND: Final = "lineside store"
PAGE: Final = 1000
MOST_OF_HEAD: Final = 1000
"""Octets of the first line of a backup, at most."""
UNKNOWN: Final = -2
"""Place of a consumer of the change feed that has missed something."""
Line = list[Any] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What is in a file, or in a database: rows by table, and the checksum of all."""

    rows: Mapping[str, int]
    checksum: str


class _Sum:
    """Counts rows and sums the lines up."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self._hash = hashlib.sha256()

    def add(self, line: Line) -> str:
        written = json.dumps(line, separators=(",", ":"))
        self._hash.update(written.encode() + b"\n")
        return written

    @property
    def told(self) -> Told:
        return Told(self.rows, self._hash.hexdigest())


def back_up(db: Connection, path: Path) -> Told:
    """Write all of a database to a file, which is there whole and on the disk, or not at all.

    It takes the place of another backup alone: StoreError where something else is there, and for a database
    whose format is not that of this program; OSError where the file cannot be made.
    """
    number = format_of(db)
    _require_own_format(number)
    _require_replaceable(path)
    partly = path.with_name(path.name + ".part")
    partly.unlink(missing_ok=True)
    partly.touch(mode=0o600)
    try:
        told = _written(db, partly, number)
        partly.replace(path)
    finally:
        partly.unlink(missing_ok=True)
    sync_folder(path.parent)
    return told


def _written(db: Connection, path: Path, number: int) -> Told:
    """Write all of a database to a file, which is on the disk then."""
    total = _Sum()
    with path.open("wb") as file:
        with gzip.open(file, "wt", encoding="utf-8", compresslevel=6) as out, _one_moment(db):
            for line in _lines(db, total, number):
                out.write(total.add(line) + "\n")
            told = total.told
            out.write(json.dumps({"rows": told.rows, "sha256": told.checksum}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return told


def _require_own_format(number: int) -> None:
    if not number:
        raise StoreError("the database is empty: no server has used it yet")
    if number != len(MIGRATIONS):
        raise StoreError(
            f"the database has format {number}, this program backs up format {len(MIGRATIONS)}: "
            "back it up with the program that used it last"
        )


def _require_replaceable(path: Path) -> None:
    if os.path.lexists(path) and not _is_backup(path):
        raise StoreError(f"{path} is there and is no backup")


def _is_backup(path: Path) -> bool:
    """Whether a file begins as backups do."""
    if not path.is_file():
        return False
    try:
        with gzip.open(path) as lines:
            head = json.loads(lines.readline(MOST_OF_HEAD))
    except (OSError, EOFError, zlib.error, ValueError):
        return False
    return isinstance(head, dict) and head.get("kind") == KIND


def restore(
    db: Connection,
    path: Path,
    *,
    is_forced: bool = False,
    is_verified: bool = False,
    is_told_anew: bool = False,
) -> Told:
    """Put what is in a file into a database, in one transaction. `is_forced`: in the place of what is there.

    `is_verified`: all is read back and compared before it stays; `is_told_anew`: then `tell_anew`.
    StoreError for a file that is not whole, or of a newer format, and for a database that is in use, of a
    newer format, or not empty, or that does not take what is in the file, or keeps something else.
    """
    told, number = check_file(path)
    pending(db)
    require_alone(db)
    db.begin()
    try:
        _clear(db, is_forced=is_forced)
        apply(db, MIGRATIONS[:number])
        with _as_taken(db, path):
            with _as_a_whole(path):
                _insert(db, path)
            _count_on(db)
            apply(db, MIGRATIONS)
        if is_verified:
            _require_same(db, path, told, number)
        if is_told_anew:
            tell_anew(db)
        db.commit()
    finally:
        db.roll_back()
    return told


def tell_anew(db: Connection) -> None:
    """Have the server that starts next tell every subscriber what is there now, as where it missed changes.

    The file does not know what they were told after it was made. For a transaction that was begun.
    """
    db.run(update(metadata.tables["consumer"]).values(seq=literal_column(str(UNKNOWN))))


def check_file(path: Path) -> tuple[Told, int]:
    """What a file tells of itself, and its format; StoreError where it is not whole, or not ours."""
    with _as_a_whole(path):
        total, end, number = _summed(path)
        if not number or (end["rows"], end["sha256"]) != (total.rows, total.told.checksum):
            raise ValueError("it was changed, or its end is missing")
    if number > len(MIGRATIONS):
        raise StoreError(f"{path}: format {number}; this program reads up to {len(MIGRATIONS)}")
    return total.told, number


def _summed(path: Path) -> tuple[_Sum, dict[str, Any], int]:
    """The sum of a file, its last line, and its format; ValueError or LookupError for what no backup has."""
    total, number = _Sum(), 0
    for line in _read(path):
        if isinstance(line, dict) and "sha256" in line:
            return total, line, number
        if isinstance(line, dict) and line.get("kind") == KIND:
            number = _format(line["format"])
        _count(total, line)
    raise ValueError("its end is missing")


def _format(given: object) -> int:
    if not isinstance(given, int) or given < 1:
        raise ValueError(f"its format is {given!r}")
    return given


@contextmanager
def _as_a_whole(path: Path) -> Iterator[None]:
    """What lines raise that are not those of a backup, as StoreError; what a disk raises goes on as it is."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as flaw:
        raise StoreError(f"{path}: not a whole backup: {flaw}") from flaw


@contextmanager
def _as_taken(db: Connection, path: Path) -> Iterator[None]:
    """What a database raises that does not take what is in a file, as StoreError."""
    try:
        yield
    except db.failures as flaw:
        raise StoreError(f"{path}: the database does not take what is in it: {flaw}") from flaw


def verify(db: Connection, path: Path) -> Told:
    """Compare a database with the file that it was restored from. StoreError where they differ.

    A database that was brought to a newer format is compared by the number of rows alone, of the tables in
    which the steps have added and removed none.
    """
    told, number = check_file(path)
    with _one_moment(db):
        return _require_same(db, path, told, number)


def _require_same(db: Connection, path: Path, told: Told, number: int) -> Told:
    """As `verify`, in the moment or transaction of the caller, with what the file tells and its format."""
    total = _Sum()
    for line in _lines(db, total, format_of(db)):
        total.add(line)
    same = total.told == told
    if number != format_of(db):
        counted = told.rows.keys() - {name for step in MIGRATIONS[number:] for name in step.recounted}
        same = all(total.rows.get(name) == told.rows[name] for name in counted)
    if not same:
        raise StoreError(f"the database is not what {path} holds")
    return total.told


@contextmanager
def _one_moment(db: Connection) -> Iterator[None]:
    """Inside, all that is read is of one moment."""
    db.hold_still()
    try:
        yield
    finally:
        db.let_go()


def _lines(db: Connection, total: _Sum, number: int) -> Iterator[Line]:
    """All lines but the last, in the moment or transaction of the caller."""
    yield {"kind": KIND, "format": number}
    for table in metadata.sorted_tables:
        total.rows[table.name] = 0
        yield {"table": table.name, "columns": [column.name for column in table.columns]}
        for row in _rows(db, table):
            total.rows[table.name] += 1
            yield row


def _rows(db: Connection, table: Table) -> Iterator[list[Any]]:
    """The rows of a table in the order of its key."""
    keys = list(table.primary_key)
    places = [list(table.columns).index(key) for key in keys]
    packed = [_packer(column) for column in table.columns]
    first, behind = _pages(table, keys)
    found = db.run(first, most=PAGE).fetchall()
    while found:
        for row in found:
            yield [None if value is None else pack(value) for pack, value in zip(packed, row, strict=True)]
        last = {f"key_{n}": found[-1][place] for n, place in enumerate(places)}
        found = db.run(behind, most=PAGE, **last).fetchall() if len(found) == PAGE else []


def _pages(table: Table, keys: list[Column[Any]]) -> tuple[ClauseElement, ClauseElement]:
    page = select(table).order_by(*keys).limit(bindparam("most")).offset(literal_column("0"))
    after = tuple_(*(bindparam(f"key_{n}", type_=key.type) for n, key in enumerate(keys)))
    return page, page.where(tuple_(*keys) > after)


def _packer(column: Column[Any]) -> Callable[[Any], Any]:
    if isinstance(column.type, LargeBinary):
        return lambda value: base64.b64encode(value).decode()
    return int if isinstance(column.type, Boolean) else lambda value: value


def _unpacker(column: Column[Any]) -> Callable[[Any], Any]:
    if column is reading.c.day:  # a file of format 13 or before may hold days that PostgreSQL does not
        return near_day
    if isinstance(column.type, LargeBinary):
        return base64.b64decode
    return bool if isinstance(column.type, Boolean) else lambda value: value


def _read(path: Path) -> Iterator[Line]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield cast("Line", json.loads(line))
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as flaw:
        raise StoreError(f"{path}: not a whole backup: {flaw}") from flaw


def _count(total: _Sum, line: Line) -> None:
    total.add(line)
    if isinstance(line, dict) and "table" in line:
        total.rows[line["table"]] = 0
    elif isinstance(line, list):
        if not total.rows:
            raise ValueError("a row without a table")
        total.rows[next(reversed(total.rows))] += 1


def _clear(db: Connection, *, is_forced: bool) -> None:
    """Remove the tables of a database; StoreError where it holds something that may not be removed."""
    count = select(func.count()).select_from(metadata.tables["resource"])
    if not is_forced and db.has_table("resource") and db.number(count):
        raise StoreError("the database is not empty; --force puts the backup in its place")
    for table in reversed(metadata.sorted_tables):
        if db.has_table(table.name):
            db.control(db.ddl(DropTable(table)))


def _insert(db: Connection, path: Path) -> None:
    """Put the rows of a file into tables of its format; what these hold themselves, the file has too.

    A file of format 13 or before may hold who follows a resource of another server, which is left out.
    """
    for made in metadata.sorted_tables:
        if db.has_table(made.name):
            db.run(delete(made))
    names: list[str] = []
    table: Table | None = None
    unpacked: list[Callable[[Any], Any]] = []
    rows: list[list[Any]] = []
    for line in _read(path):
        if isinstance(line, list):
            values = [None if v is None else f(v) for f, v in zip(unpacked, line, strict=True)]
            if table is not follower or is_ours(str(values[names.index("href")])):
                rows.append(values)
        if table is not None and rows and (isinstance(line, dict) or len(rows) == PAGE):
            db.insert_many(table, names, rows)
            rows = []
        if isinstance(line, dict) and "table" in line:
            table, names = metadata.tables[line["table"]], line["columns"]
            unpacked = [_unpacker(table.c[name]) for name in names]


def _count_on(db: Connection) -> None:
    """Let keys that count by themselves go on behind the last one. SQLite does so by itself."""
    if db.dialect != "postgresql":
        return
    for table in filter(lambda table: db.has_table(table.name), _counted(metadata.sorted_tables)):
        key = next(iter(table.primary_key)).name
        last = db.number(select(func.max(table.c[key])))
        if last is not None:
            name = f"pg_get_serial_sequence('{table.name}', '{key}')"
            db.run(text(f"SELECT setval({name}, {last})"))


def _counted(tables: Iterable[Table]) -> Iterator[Table]:
    for table in tables:
        column = table.autoincrement_column
        if column is not None and column.autoincrement is True:
            yield table
