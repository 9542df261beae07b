"""Databases of every format that there was become what a new one is, and keep what they hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.schema import CreateIndex, CreateTable

from sep2_server import Store, format_1, tables
from sep2_server.address import PostgresAddress, is_url
from sep2_server.borrowed import BorrowedConnection
from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.migrations import MIGRATIONS, AddColumn, Migration, Only, format_of, migrate, pending
from sep2_server.postgres import PostgresConnection
from sep2_server.rows import Assignment, Group, Row
from sep2_server.sqlite import SqliteConnection
from tests.postgres import Postgres

Shape = dict[str, object]
OLDEST = MIGRATIONS[:1]
_COLUMNS = text('SELECT name, type, "notnull", pk FROM pragma_table_info(:name)')


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield str(tmp_path / "empty.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.make("template0")
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def connection(empty: str) -> Iterator[Connection]:
    opened = open_here(empty)
    yield opened
    opened.close()


def open_here(database: str) -> Connection:
    if is_url(database):
        return BorrowedConnection(lambda: PostgresConnection(PostgresAddress.of(database)))
    return SqliteConnection(Path(database))


def shape_of(db: Connection) -> Shape:
    """Columns and indexes of all tables, whatever their order."""
    if db.dialect == "sqlite":
        found = db.all(
            tuple, text("SELECT type, tbl_name, name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'")
        )
        columns = {name: db.all(tuple, _COLUMNS, name=name) for kind, name, _ in found if kind == "table"}
        indexes = db.all(
            tuple, text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        )
        return {"columns": {k: sorted(v) for k, v in columns.items()}, "indexes": sorted(indexes)}
    columns_of = text(
        "SELECT table_name, column_name, data_type, is_nullable, collation_name"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    indexes_of = text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
    return {"columns": db.all(tuple, columns_of), "indexes": db.all(tuple, indexes_of)}


def make_declared(db: Connection) -> None:
    """The tables as `tables` declares them, without any migration."""
    for table in tables.metadata.sorted_tables:
        db.control(db.ddl(CreateTable(table)))
        for index in table.indexes:
            db.control(db.ddl(CreateIndex(index)))


def test_the_migrations_make_what_the_tables_declare(
    connection: Connection, tmp_path: Path, postgres: Postgres
) -> None:
    assert migrate(connection) == MIGRATIONS
    name = postgres.make("template0")
    declared = open_here(
        postgres.url(name) if connection.dialect == "postgresql" else str(tmp_path / "declared.db")
    )
    try:
        make_declared(declared)
        assert shape_of(connection) == shape_of(declared)
    finally:
        declared.close()
        postgres.drop(name)


def test_an_old_database_becomes_a_new_one_and_keeps_its_data(
    empty: str, connection: Connection, tmp_path: Path, postgres: Postgres
) -> None:
    assert migrate(connection, OLDEST) == OLDEST
    old = {
        "resource": {
            **Row(7, "/x", "DERControl", sort_key=b"\x00\xff", mrid="A" * 32, body=b"<a/>")._asdict(),
        },
        "option": {"name": "poll_rate.Time", "value": "60"},
    }
    for name, values in old.items():
        connection.run(insert(tables.metadata.tables[name]).inline(), **values)
    Store(empty).close()
    assert (format_of(connection), pending(connection)) == (len(MIGRATIONS), ())
    fresh_name = postgres.make("template0")
    fresh = open_here(
        postgres.url(fresh_name) if connection.dialect == "postgresql" else str(tmp_path / "fresh.db")
    )
    try:
        migrate(fresh)
        assert shape_of(connection) == shape_of(fresh)
    finally:
        fresh.close()
        postgres.drop(fresh_name)
    store = Store(empty)
    row = store.reader.by_href("/x")
    rate = store.reader.option("poll_rate.Time")
    store.close()
    assert row == Row(**old["resource"])
    assert rate == "60"


def test_the_programs_of_old_groups_stay_assigned(empty: str, connection: Connection) -> None:
    migrate(connection, OLDEST)
    old = format_1.metadata.tables
    clients = [(1, None), (2, 1), (3, 1)]
    for number, aggregator in clients:
        values = {"lfdi": f"{number:040}", "sfdi": number, "name": f"c{number}", "role": "device"}
        values |= {"end_device_id": number, "aggregator_id": aggregator, "certificate": None}
        connection.run(insert(old["client"]).inline(), enrolled_at=0, **values)
    connection.run(insert(old["device_group"]).inline(), id=70, name="g", program_list_id=71)
    connection.run(insert(old["member"]).inline(), list_id=71, sort_key=b"a", resource_id=72)
    for device in (2, 3):
        connection.run(
            insert(old["assignment"]).inline(), group_id=70, end_device_id=device, assignments_id=9
        )
    store = Store(empty)
    try:
        rights = [store.reader.programs_of_viewer(number) for number in (1, 2, 3, 4)]
        assert rights == [{"GroupDERProgramList": {72}}] * 3 + [{}]
        assert store.reader.groups() == [Group(70, "g")]
        store.write(lambda tx: tx.delete_assignment(Assignment(70, 2, 9)))
        assert store.reader.lists_of_viewer(1) == {71}
        store.write(lambda tx: tx.delete_assignment(Assignment(70, 3, 9)))
        assert store.reader.lists_of_viewer(1) == frozenset()
    finally:
        store.close()


def test_a_step_adds_a_column_and_runs_what_one_database_alone_needs(connection: Connection) -> None:
    extra = Table("extra", MetaData(), Column("id", Integer, primary_key=True))
    wider = Table("extra", MetaData(), Column("id", Integer), Column("size", Integer))
    steps = (
        *MIGRATIONS,
        Migration("a table", (CreateTable(extra),)),
        Migration(
            "a column",
            (
                AddColumn(wider.c.size),
                Only("sqlite", "INSERT INTO extra (id, size) VALUES (1, 10)"),
                Only("postgresql", "INSERT INTO extra (id, size) VALUES (1, 20)"),
            ),
        ),
    )
    assert migrate(connection) == MIGRATIONS
    assert [step.name for step in migrate(connection, steps)] == ["a table", "a column"]
    assert connection.number(select(wider.c.size)) == {"sqlite": 10, "postgresql": 20}[connection.dialect]
    assert migrate(connection, steps) == ()


def test_a_step_that_fails_leaves_the_database_as_it_was(connection: Connection) -> None:
    migrate(connection, OLDEST)
    before = shape_of(connection)
    broken = (
        *OLDEST,
        Migration("half", (Only(connection.dialect, "CREATE TABLE half (id INTEGER)"),)),
        Migration("wrong", (Only(connection.dialect, "CREATE NONSENSE"),)),
    )
    with pytest.raises(Exception, match="NONSENSE"):
        migrate(connection, broken)
    assert (shape_of(connection), format_of(connection)) == (before, 1)


def test_of_two_that_migrate_at_once_one_runs_the_steps(
    empty: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other has found steps to run, and waited for the lock."""
    migrate(connection, OLDEST)
    other = open_here(empty)
    begin = connection.begin

    def late(*question: str) -> bool:
        assert migrate(other) == MIGRATIONS[1:]
        return begin(*question)

    with monkeypatch.context() as patched:
        patched.setattr(connection, "begin", late)
        assert migrate(connection) == ()
    assert format_of(connection) == len(MIGRATIONS)
    other.close()


def test_a_newer_database_is_refused(empty: str, connection: Connection) -> None:
    steps = (*MIGRATIONS, Migration("of tomorrow", (Only("none", ""),)))
    migrate(connection, steps)
    with pytest.raises(StoreError, match=f"format {len(steps)}; this program reads up to {len(MIGRATIONS)}"):
        Store(empty)
