"""Backup and restore of a store, within and between the kinds of databases; the commands and their how-to."""

import argparse
import gzip
import hashlib
import json
import os
import re
import secrets
import shlex
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, delete, insert, select
from sqlalchemy.schema import CreateTable

from sep2_server import Store, backup, cli
from sep2_server.address import PostgresAddress, is_url
from sep2_server.backup import UNKNOWN, back_up, check_file, restore, verify
from sep2_server.borrowed import BorrowedConnection
from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.migrations import MIGRATIONS, Migration, migrate
from sep2_server.rows import Client, Role, Row, StoredReading
from sep2_server.store import open_connection
from sep2_server.tables import follower, metadata, reading
from sep2_server.transaction import Transaction
from tests.postgres import Postgres

HOWTO = (Path(__file__).parents[3] / "docs" / "howto" / "database.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", HOWTO, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
Make = Callable[[str], str]


@pytest.fixture
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes an empty database of a kind."""
    made: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            made.append("")
            return str(tmp_path / f"store-{len(made)}.db")
        server: Postgres = request.getfixturevalue("postgres")
        assert isinstance(server, Postgres)
        made.append(server.make("template0"))
        return server.url(made[-1])

    yield make
    for name in filter(None, made):
        request.getfixturevalue("postgres").drop(name)


def opened(database: str) -> Connection:
    if is_url(database):
        return BorrowedConnection(lambda: open_connection(PostgresAddress.of(database)))
    return open_connection(Path(database))


def last_one(path: Path) -> bytes:
    """A backup that was made before."""
    path.write_bytes(gzip.compress(b'{"kind":"lineside store","format":1}\n'))
    return path.read_bytes()


def fill(tx: Transaction) -> None:
    """Something in most tables, octets and text of all sorts."""
    head = tx.insert(Row(tx.next_id(), "/list", "DERControlList"))
    for n in range(2500):
        key = bytes([n // 256, n % 256, 0, 255])
        tx.insert(Row(tx.next_id(), f"/list/{n}", "DERControl", list_id=head.id, sort_key=key, body=b"<a/>"))
    tx.put_client(Client("A" * 40, 1, "Gerät 'ß' \u2028", Role.DEVICE, head.id, None, None, 5))
    tx.put_readings([StoredReading(head.id, b"\x00", 0, 1, 2, -(2**47), "01", b"<r/>")], head)
    tx.put_option("poll_rate.Time", "60")
    tx.put_consumer("notifier", 3)


def filled(database: str) -> None:
    store = Store(database)
    store.write(fill)
    store.close()


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
def test_what_was_backed_up_is_restored_in_either_database(
    database: Make, tmp_path: Path, source: str, into: str
) -> None:
    first, second = database(source), database(into)
    filled(first)
    one, other = opened(first), opened(second)
    try:
        told = back_up(one, tmp_path / "one.backup")
        assert (told.rows["resource"], told.rows["client"], told.rows["reading"]) == (2501, 1, 1)
        assert restore(other, tmp_path / "one.backup") == told
        assert verify(other, tmp_path / "one.backup") == told
        assert back_up(other, tmp_path / "other.backup") == told
    finally:
        one.close()
        other.close()
    store = Store(second)
    last = store.reader.last_change()
    row = store.write(lambda tx: tx.insert(Row(tx.next_id(), "/new", "Time")))
    found, change = store.reader.by_href("/list/7"), store.reader.changes(last)[0]
    store.close()
    assert found is not None
    assert (found.sort_key, row.id) == (b"\x00\x07\x00\xff", 2502)
    assert (change.resource_id, change.seq > last) == (row.id, True)


def test_a_database_that_is_not_what_the_file_holds_is_told_from_it(database: Make, tmp_path: Path) -> None:
    place = database("sqlite")
    filled(place)
    db = opened(place)
    told = back_up(db, tmp_path / "one.backup")
    assert verify(db, tmp_path / "one.backup") == told
    store = Store(place)
    store.write(lambda tx: tx.put_option("poll_rate.Time", "61"))
    store.close()
    with pytest.raises(StoreError, match="not what"):
        verify(db, tmp_path / "one.backup")
    db.close()


def test_a_backup_is_on_the_disk_before_it_takes_the_place_of_the_last_one(
    database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, kept = database("sqlite"), tmp_path / "kept.backup"
    filled(place)
    last = last_one(kept)
    leftover = kept.with_name(kept.name + ".part")
    leftover.touch(mode=0o644)
    synced: list[tuple[bool, bool, int]] = []
    sync = os.fsync

    def noted(number: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(number).st_mode), kept.read_bytes() == last, number))
        if not synced[-1][0]:
            whole = leftover.with_suffix(".copy")
            shutil.copy(leftover, whole)
            check_file(whole)
        sync(number)

    monkeypatch.setattr(os, "fsync", noted)
    db = opened(place)
    told = back_up(db, kept)
    db.close()
    assert [(is_folder, is_old) for is_folder, is_old, _ in synced] == [(False, True), (True, False)]
    assert check_file(kept)[0] == told
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600, "it holds PINs"


def test_a_backup_that_the_disk_does_not_take_leaves_the_last_one_and_nothing_else(
    database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, kept = database("sqlite"), tmp_path / "kept.backup"
    filled(place)
    last = last_one(kept)
    db = opened(place)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            back_up(db, kept)
    assert kept.read_bytes() == last
    assert [path.name for path in tmp_path.glob("kept*")] == ["kept.backup"], "a part of it has PINs too"
    assert back_up(db, kept) == check_file(kept)[0]
    db.close()


@pytest.mark.parametrize(
    "held",
    [
        b"",
        b"notes of mine\n",
        b"SQLite format 3\0",
        gzip.compress(b"notes of mine\n", mtime=0),
        gzip.compress(b'{"kind":"of another program"}\n', mtime=0),
        gzip.compress(b'["kind"]\n', mtime=0),
        gzip.compress(b"\xff\n", mtime=0)[:-9],
    ],
    ids=["empty", "text", "database", "zipped", "other", "list", "octets"],
)
def test_a_backup_takes_the_place_of_nothing_but_a_backup(tmp_path: Path, held: bytes) -> None:
    filled(str(tmp_path / "store.db"))
    (tmp_path / "notes").write_bytes(held)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    db = open_connection(tmp_path / "store.db")
    for name in ("notes", "folder", "link"):
        with pytest.raises(StoreError, match=f"{name} is there and is no backup"):
            back_up(db, tmp_path / name)
    db.close()
    assert (tmp_path / "notes").read_bytes() == held
    assert list(tmp_path.glob("*.part")) == []


def test_a_backup_is_never_a_file_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code("lineside server init site") == 0
    filled("site/lineside.db")
    ends = ("", "-wal", "-shm", "-lock", "-journal")
    for name in ("server.toml", *(f"lineside.db{end}" for end in ends)):
        capsys.readouterr()
        assert exit_code(f"lineside server backup --config site site/../site/{name}") == 1
        assert f"{name} belongs to the server itself" in (err := capsys.readouterr().err)
        assert "name a new file" in err
    assert exit_code("lineside server backup --config site one.backup") == 0
    assert exit_code("lineside server backup --config site one.backup") == 0
    assert exit_code("lineside server restore --config site --force --verify one.backup") == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_is_of_one_moment_while_others_write(database: Make, tmp_path: Path, kind: str) -> None:
    place = database(kind)
    filled(place)
    store, db = Store(place), opened(place)
    plain = db.run
    written: list[Row] = []

    def run(*args: object, **values: object) -> object:
        written.append(store.write(lambda tx: tx.insert(Row(tx.next_id(), f"/{len(written)}", "Time"))))
        return plain(*args, **values)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "run", run)
        told = back_up(db, tmp_path / "one.backup")
    db.close()
    store.close()
    assert len(written) > 5
    before_first_read = 1
    assert told.rows["resource"] in {2501, 2501 + before_first_read, 2501 + before_first_read + 1}
    assert check_file(tmp_path / "one.backup")[0] == told


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_that_holds_something_is_kept_unless_forced(
    database: Make, tmp_path: Path, kind: str
) -> None:
    place = database(kind)
    filled(place)
    db = opened(place)
    try:
        told = back_up(db, tmp_path / "one.backup")
        with pytest.raises(StoreError, match="not empty; --force"):
            restore(db, tmp_path / "one.backup")
        assert restore(db, tmp_path / "one.backup", is_forced=True) == told
    finally:
        db.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_that_a_server_uses_is_not_restored(database: Make, tmp_path: Path, kind: str) -> None:
    """What the server has in memory would be of rows that are not there any more."""
    place = database(kind)
    filled(place)
    db = opened(place)
    try:
        told = back_up(db, tmp_path / "one.backup")
        store = Store(place)
        store.write(lambda tx: tx.put_option("poll_rate.Time", "61"))
        with pytest.raises(StoreError, match="in use"):
            restore(db, tmp_path / "one.backup", is_forced=True)
        assert store.reader.option("poll_rate.Time") == "61"
        assert store.write(lambda tx: tx.next_id()) == 2502
        store.close()
        assert restore(db, tmp_path / "one.backup", is_forced=True) == told
    finally:
        db.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_of_a_newer_program_is_not_written_over(database: Make, tmp_path: Path, kind: str) -> None:
    """Its tables of tomorrow would stay, and the newer program could not make them again."""
    filled(database("sqlite"))
    old, place = opened(str(tmp_path / "store-1.db")), database(kind)
    back_up(old, tmp_path / "one.backup")
    old.close()
    db = opened(place)
    extra = Table("of_tomorrow", MetaData(), Column("id", Integer, primary_key=True))
    steps = (*MIGRATIONS, Migration("of tomorrow", (CreateTable(extra),)))
    try:
        migrate(db, steps)
        with pytest.raises(StoreError, match=f"format {len(steps)}; this program"):
            restore(db, tmp_path / "one.backup", is_forced=True)
        assert migrate(db, steps) == ()
    finally:
        db.close()


@pytest.mark.parametrize("share", [0.2, 0.999])
def test_a_file_that_was_cut_is_refused_and_nothing_is_lost(tmp_path: Path, share: float) -> None:
    filled(str(tmp_path / "store.db"))
    db = open_connection(tmp_path / "store.db")
    whole = tmp_path / "one.backup"
    told = back_up(db, whole)
    octets = whole.read_bytes()
    whole.write_bytes(octets[: int(len(octets) * share)])
    with pytest.raises(StoreError, match="not a whole backup"):
        restore(db, whole, is_forced=True)
    assert back_up(db, whole) == told
    db.close()


@pytest.mark.parametrize("place", [0, 3, 30, 500, -9, -1])
def test_a_file_with_one_damaged_octet_is_refused_and_nothing_is_lost(
    tmp_path: Path, place: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code("lineside server init site") == 0
    filled("site/lineside.db")
    assert exit_code("lineside server backup --config site one.backup") == 0
    octets = bytearray(Path("one.backup").read_bytes())
    octets[place] ^= 0xFF
    Path("bad.backup").write_bytes(octets)
    capsys.readouterr()
    assert exit_code("lineside server restore --config site --force bad.backup") == 1
    assert "bad.backup: not a whole backup" in capsys.readouterr().err
    db = open_connection(Path("site/lineside.db"))
    assert verify(db, Path("one.backup")) == check_file(Path("one.backup"))[0]
    db.close()


def test_a_file_that_was_changed_or_is_newer_is_refused(tmp_path: Path) -> None:
    filled(str(tmp_path / "store.db"))
    db = open_connection(tmp_path / "store.db")
    back_up(db, tmp_path / "one.backup")
    text = gzip.decompress((tmp_path / "one.backup").read_bytes())
    for old, new, said in (
        (b'"/list/7"', b'"/list/x"', "not a whole"),
        (b'"lineside store"', b'"x"', "not a"),
    ):
        (tmp_path / "bad.backup").write_bytes(gzip.compress(text.replace(old, new)))
        with pytest.raises(StoreError, match=said):
            restore(db, tmp_path / "bad.backup", is_forced=True)
    db.close()


@pytest.mark.parametrize(
    ("number", "told"), [(0, "the database is empty"), (4, "has format 4, this program")]
)
def test_a_database_of_another_format_is_not_backed_up(tmp_path: Path, number: int, told: str) -> None:
    db = open_connection(tmp_path / "old.db")
    if number:
        migrate(db, MIGRATIONS[:number])
    with pytest.raises(StoreError, match=told):
        back_up(db, tmp_path / "b")
    db.close()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("b")] == []


def test_a_backup_of_an_old_format_is_brought_up_to_date(tmp_path: Path) -> None:
    old = open_connection(tmp_path / "old.db")
    migrate(old, MIGRATIONS[:1])
    old.control("INSERT INTO option VALUES ('poll_rate.Time', '60')")
    old.close()
    head = '{"kind":"lineside store","format":1}'
    lines = [
        head,
        '{"table":"option","columns":["name","value"]}',
        '["format","1"]',
        '["poll_rate.Time","60"]',
    ]
    checksum = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    end = json.dumps({"rows": {"option": 2}, "sha256": checksum})
    (tmp_path / "old.backup").write_bytes(gzip.compress("\n".join([*lines, end]).encode()))
    new = open_connection(tmp_path / "new.db")
    restore(new, tmp_path / "old.backup")
    verify(new, tmp_path / "old.backup")
    new.close()
    store = Store(tmp_path / "new.db")
    assert store.reader.option("poll_rate.Time") == "60"
    store.close()


def made_by_format_13(path: Path) -> None:
    """Let a backup be one of format 13, whose tables are the same."""
    *lines, _ = gzip.decompress(path.read_bytes()).decode().splitlines()
    number = len(MIGRATIONS)
    lines = [
        line.replace(f'"format":{number}', '"format":13').replace(f'["format","{number}"]', '["format","13"]')
        for line in lines
    ]
    rows: dict[str, int] = {}
    for line in map(json.loads, lines):
        if isinstance(line, list):
            rows[next(reversed(rows))] += 1
        elif "table" in line:
            rows[line["table"]] = 0
    checksum = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    end = json.dumps({"rows": rows, "sha256": checksum})
    path.write_bytes(gzip.compress("\n".join([*lines, end]).encode()))


@contextmanager
def restored_from_format_13(source: str, target: str, path: Path) -> Iterator[Connection]:
    """A database that was restored from the backup of another, as format 13 made it."""
    with closing(opened(source)) as one, closing(opened(target)) as other:
        back_up(one, path)
        made_by_format_13(path)
        restore(other, path)
        verify(other, path)
        yield other


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_days_of_format_13_that_no_database_of_ours_holds_are_brought_near(
    database: Make, tmp_path: Path, into: str
) -> None:
    """SQLite took the days of a device whose clock tells microseconds."""
    days = (17 * 10**14 // 86_400, -(2**60), 19_000, None)
    source, target = database("sqlite"), database(into)
    store = Store(source)
    head = store.write(lambda tx: tx.insert(Row(tx.next_id(), "/upt/1/mr/2/rs/3", "ReadingSet")))
    values = [
        StoredReading(head.id, b"a", n, 1, 1, 1, None, b"<Reading/>", day) for n, day in enumerate(days)
    ]
    store.write(lambda tx: tx.put_readings(values, head))
    store.close()
    with restored_from_format_13(source, target, tmp_path / "one.backup") as other:
        found = other.all(tuple, select(reading.c.day).order_by(reading.c.position))
        assert [row[0] for row in found] == [2**31 - 1, -(2**31), 19_000, None]


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_links_of_format_13_to_other_servers_are_left_out(database: Make, tmp_path: Path, into: str) -> None:
    """They may be longer than what an index of PostgreSQL holds."""
    far = "https://tariffs.example/" + secrets.token_urlsafe(7_000)
    source, target = database("sqlite"), database(into)
    store = Store(source)
    rows = [(far, 1), ("/derp/7/dc/1", 1)]
    store.write(lambda tx: tx._db.insert_many(follower, ("href", "resource_id"), rows))
    store.close()
    with restored_from_format_13(source, target, tmp_path / "one.backup") as other:
        assert other.all(tuple, select(follower)) == [("/derp/7/dc/1", 1)]


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_what_a_database_does_not_take_is_told_and_leaves_everything(
    database: Make, tmp_path: Path, into: str
) -> None:
    """A name that stands there twice, as in a file that somebody has changed."""
    target = database(into)
    head = '{"kind":"lineside store","format":13}'
    lines = [head, '{"table":"option","columns":["name","value"]}', '["a","1"]', '["a","2"]']
    checksum = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    end = json.dumps({"rows": {"option": 2}, "sha256": checksum})
    (tmp_path / "odd.backup").write_bytes(gzip.compress("\n".join([*lines, end]).encode()))
    db = opened(target)
    try:
        with pytest.raises(StoreError, match="the database does not take what is in it"):
            restore(db, tmp_path / "odd.backup")
        assert not db.has_table("option")
    finally:
        db.close()


@pytest.mark.parametrize(
    "octets",
    [b"no gzip", gzip.compress(b"no JSON\n", mtime=0), gzip.compress(b"", mtime=0), b""],
    ids=["no gzip", "no JSON", "no line", "nothing"],
)
def test_what_is_no_backup_at_all_is_refused(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "bad.backup").write_bytes(octets)
    with pytest.raises(StoreError, match="not a whole backup"):
        check_file(tmp_path / "bad.backup")


KINDLESS = '{"kind":"lineside store"'
TABLE = '{"table":"option","columns":["name","value"]}'


@pytest.mark.parametrize(
    "lines",
    [
        ["[1]"],
        [KINDLESS + "}"],
        [KINDLESS + ',"format":"x"}'],
        [KINDLESS + ',"format":[1]}'],
        [KINDLESS + ',"format":null}'],
        [KINDLESS + ',"format":-1}', TABLE],
        [KINDLESS + ',"format":1}', '{"table":["option"],"columns":[]}'],
        [KINDLESS + ',"format":1}', '{"table":"nothing","columns":[]}'],
        [KINDLESS + ',"format":1}', '{"table":"option"}'],
        [KINDLESS + ',"format":1}', '{"table":"option","columns":["nothing"]}'],
        [KINDLESS + ',"format":1}', TABLE, '["format"]'],
        [KINDLESS + ',"format":1}', "[" * 100_000],
        [KINDLESS + ',"format":1}', "9" * 5000],
        ["7"],
    ],
)
@pytest.mark.parametrize("has_end", [True, False])
def test_lines_that_are_not_those_of_a_backup_are_refused(
    tmp_path: Path, lines: list[str], has_end: bool
) -> None:
    """Whatever their checksum says."""
    checksum = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    rows = {"option": 1} if lines[-1].startswith('["f') else {"option": 0} if len(lines) > 1 else {}
    end = json.dumps({"rows": rows, "sha256": checksum} if has_end else {"sha256": checksum})
    (tmp_path / "bad.backup").write_bytes(gzip.compress("\n".join([*lines, end]).encode()))
    db = open_connection(tmp_path / "new.db")
    with pytest.raises(StoreError, match="not a whole backup"):
        restore(db, tmp_path / "bad.backup")
    assert not db.has_table("option")
    db.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_restore_that_fails_half_way_leaves_everything(
    database: Make, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = database(kind)
    filled(place)
    db = opened(place)
    told = back_up(db, tmp_path / "one.backup")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("sep2_server.backup._count_on", fail)
    with pytest.raises(OSError, match="Input/output error"):
        restore(db, tmp_path / "one.backup", is_forced=True)
    assert back_up(db, tmp_path / "other.backup") == told
    db.close()


@pytest.mark.parametrize("rows", [{"option": 1}, {"option": 2}])
def test_a_backup_of_a_newer_program_and_one_that_miscounts_are_refused(
    tmp_path: Path, rows: dict[str, int]
) -> None:
    """Both with a checksum that is right."""
    number = len(MIGRATIONS) + (rows["option"] == 1)
    lines = [
        f'{{"kind":"lineside store","format":{number}}}',
        '{"table":"option","columns":["name","value"]}',
        f'["format","{number}"]',
    ]
    checksum = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    end = json.dumps({"rows": rows, "sha256": checksum})
    (tmp_path / "new.backup").write_bytes(gzip.compress("\n".join([*lines, end]).encode()))
    db = open_connection(tmp_path / "new.db")
    told = f"format {number}; this program" if rows["option"] == 1 else "not a whole backup"
    with pytest.raises(StoreError, match=told):
        restore(db, tmp_path / "new.backup")
    assert not db.has_table("option")
    db.close()


def exit_code(line: str) -> int:
    parser = argparse.ArgumentParser(prog="lineside")
    cli.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(shlex.split(line)[1:])
    code: int = args.run(args)
    return code


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_command_of_the_howto_ends_well(
    database: Make,
    tmp_path: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code("lineside server init site") == 0
    shutil.copytree("site", "other")
    settings = Path("other/server.toml")
    settings.write_text(settings.read_text().replace('"lineside.db"', f'"{database(kind)}"'))
    assert [(line, exit_code(line)) for line in COMMANDS] == [(line, 0) for line in COMMANDS]
    told = capsys.readouterr().out
    assert f"{len(MIGRATIONS)} steps would be run" in told
    assert f"{len(MIGRATIONS)} steps were run" in told
    assert told.count("restored and compared") == 2
    assert exit_code("lineside server restore --config site nothing.backup") == 1
    assert exit_code("lineside server migrate --config nowhere") == 2


def test_a_backup_of_the_format_before_is_restored_and_compared_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The steps since then add rows and take some away."""
    monkeypatch.chdir(tmp_path)
    assert exit_code("lineside server init site") == 0
    listed = Row(5, "/edev/5/der/6/derp", "AssociatedDERProgramList", owner_id=5)
    program = Row(7, "/derp/7", "DERProgram", sort_key=b"a", body=b"<DERProgram/>")
    old = open_connection(Path("old.db"))
    migrate(old, MIGRATIONS[:12])
    for name, values in (
        ("resource", listed._asdict()),
        ("resource", program._asdict()),
        ("member", {"list_id": 5, "sort_key": b"a", "resource_id": 7}),
        ("tally", {"list_id": 5, "scope": 0, "amount": 1}),
        ("consumer", {"name": "notifier", "seq": 3}),
    ):
        old.run(insert(metadata.tables[name]).inline(), **values)
    then = MetaData()
    for table in metadata.sorted_tables:
        if table.name not in {"linking", "removal"}:
            table.to_metadata(then)
    with monkeypatch.context() as patched:
        patched.setattr(backup, "MIGRATIONS", MIGRATIONS[:12])
        patched.setattr(backup, "metadata", then)
        back_up(old, Path("old.backup"))
    old.close()
    assert exit_code("lineside server restore --config site old.backup --verify") == 0
    assert "restored and compared" in capsys.readouterr().out
    store = Store("site/lineside.db")
    place, found = store.reader.consumers()["notifier"], store.reader.by_href("/derp/7")
    store.close()
    assert (place, found is not None) == (UNKNOWN, True)


def test_a_restore_that_is_not_what_the_file_holds_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code("lineside server init site") == 0
    filled("site/lineside.db")
    assert exit_code("lineside server backup --config site one.backup") == 0
    db = open_connection(Path("site/lineside.db"))
    db.control("UPDATE consumer SET seq = 4")
    kept = back_up(db, Path("kept.backup"))
    db.close()

    def insert_less(db: Connection, path: Path) -> None:
        insert_all(db, path)
        db.run(delete(metadata.tables["reading"]))

    insert_all = backup._insert
    with monkeypatch.context() as patched:
        patched.setattr(backup, "_insert", insert_less)
        assert exit_code("lineside server restore --config site one.backup --force --verify") == 1
    assert "the database is not what one.backup holds" in capsys.readouterr().err
    db = open_connection(Path("site/lineside.db"))
    assert back_up(db, Path("again.backup")) == kept
    db.close()


def test_a_restore_tells_of_what_files_the_octets_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No backup holds them: devices were shown files that they could not load, and nobody was told."""
    monkeypatch.chdir(tmp_path)
    for folder in ("site", "other"):
        assert exit_code(f"lineside server init {folder}") == 0
    here, gone = (hashlib.sha256(text).hexdigest() for text in (b"here", b"gone"))

    def give(tx: Transaction) -> None:
        for digest in (here, gone):
            file = tx.next_id()
            body = f"{digest} 4".encode()
            tx.insert(Row(tx.next_id(), f"/file/{file}/content", "FileContent", owner_id=file, body=body))

    store = Store("site/lineside.db")
    store.write(give)
    store.close()
    assert exit_code("lineside server backup --config site one.backup") == 0
    (Path("other/files") / here[:2]).mkdir(parents=True)
    (Path("other/files") / here[:2] / here).write_bytes(b"here")
    capsys.readouterr()
    assert exit_code("lineside server restore --config other one.backup --verify") == 0
    out, err = capsys.readouterr()
    assert "restored and compared" in out
    assert (f"devices cannot load them: {gone}" in err, here in err) == (True, False)
    assert "copy them from the files_folder" in err


def test_subscribers_are_to_be_told_anew_after_a_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what they were told after the backup was made."""
    monkeypatch.chdir(tmp_path)
    assert exit_code("lineside server init site") == 0
    filled("site/lineside.db")
    assert exit_code("lineside server backup --config site one.backup") == 0
    assert exit_code("lineside server restore --config site one.backup --force --verify") == 0
    store = Store("site/lineside.db")
    place = store.reader.consumers()["notifier"]
    store.close()
    assert place == UNKNOWN
