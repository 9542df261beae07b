"""A database that another test used is as new, or is not used again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from sep2_server.address import PostgresAddress
from sep2_server.borrowed import BorrowedConnection
from sep2_server.postgres import PostgresConnection
from sep2_server.tables import metadata
from tests.postgres import TEMPLATE, USES, Postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres.running() as server:
        yield server


@contextmanager
def connected(url: str) -> Iterator[BorrowedConnection]:
    connection = BorrowedConnection(lambda: PostgresConnection(PostgresAddress.of(url)))
    try:
        yield connection
    finally:
        connection.close()


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, and where the sequences are."""
    with connected(url) as database:
        found = {
            name: sorted(map(tuple, database.run(text(f"SELECT * FROM {name}")).fetchall()), key=repr)  # noqa: S608
            for name in metadata.tables
        }
        sequences = database.run(text("SELECT sequencename, last_value FROM pg_sequences")).fetchall()
        return found | {"sequences": sorted(map(tuple, sequences))}


def fill(url: str) -> None:
    """A row more in every table."""
    with connected(url) as database:
        for table in metadata.tables.values():
            values = {
                c.name: "1" if c.type.python_type is str else b"\\x01" if c.type.python_type is bytes else 77
                for c in table.columns
            }
            names = ", ".join(values)
            database.control(
                f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(map(_literal, values.values()))})"  # noqa: S608
            )
        (sequence, *_) = database.run(text("SELECT sequencename FROM pg_sequences")).fetchall()
        database.control(f"SELECT nextval('{sequence[0]}')")


def _literal(value: object) -> str:
    return f"'{value.decode() if isinstance(value, bytes) else value}'"


def test_a_database_that_was_used_is_as_new(server: Postgres) -> None:
    new = contents(server.url(TEMPLATE))
    with server.databases() as of:
        first = of(Path("first"))
        fill(first)
        used = contents(first)
    assert all(len(used[name]) > len(new[name]) for name in metadata.tables)
    assert used["sequences"] != new["sequences"]

    with server.databases() as of:
        second = of(Path("second"))
        assert second == first
        assert contents(second) == new


def test_who_is_connected_still_is_cut_off(server: Postgres) -> None:
    with server.databases() as of:
        url = of(Path("first"))
        with connected(url) as straggler:
            straggler.control("BEGIN; DELETE FROM resource")
            server.used = {url.rpartition("/")[2]: 1}
            with server.databases() as again:
                assert again(Path("second")) == url
                assert contents(url) == contents(server.url(TEMPLATE))
            server.used.clear()


@pytest.mark.parametrize("change", ["CREATE TABLE more (a int)", "ALTER TABLE tally ADD COLUMN more int"])
def test_a_database_of_another_shape_is_not_used_again(server: Postgres, change: str) -> None:
    server.used.clear()
    with server.databases() as of:
        first = of(Path("first"))
        with connected(first) as database:
            database.control(change)

    with server.databases() as of:
        assert of(Path("second")) != first


def test_a_database_is_not_used_for_ever(server: Postgres) -> None:
    server.used.clear()
    with server.databases() as of:
        first = of(Path("first"))
    server.used = dict.fromkeys(server.used, USES)

    with server.databases() as of:
        assert of(Path("second")) != first
