"""A process that dies while it migrates leaves the old database or the new one, and several may begin."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from sep2_server import Store, tables
from sep2_server.connection import Connection
from sep2_server.migrations import MIGRATIONS, format_of, migrate
from sep2_server.rows import Row
from tests.integration.migrating_child import what_is
from tests.integration.test_sep2_migrations import OLDEST, connection, empty

__all__ = ["connection", "empty"]

ROOT = Path(__file__).resolve().parents[2]
SERVERS = 4
ROW = Row(7, "/x", "DERControl", sort_key=b"\x00\xff", mrid="A" * 32, body=b"<a/>")
OPENED = "import sys; from sep2_server import Store; Store(sys.argv[1]).close()"


def make_old(db: Connection) -> None:
    """A database of the first format with a resource."""
    migrate(db, OLDEST)
    db.run(insert(tables.resource).inline(), **ROW._asdict())


@pytest.mark.whole
def test_a_process_that_dies_at_any_step_leaves_the_old_database_or_the_new_one(
    empty: str, connection: Connection
) -> None:
    make_old(connection)
    old = what_is(connection)
    command = [sys.executable, "-m", "tests.integration.migrating_child", empty]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    *before, committed = done.stdout.split()
    assert set(before) == {old}
    assert len(before) > sum(len(step.operations) for step in MIGRATIONS[1:]) // 2
    assert committed == what_is(connection), "what was committed is there, though nobody was told"
    assert format_of(connection) == len(MIGRATIONS)
    store = Store(empty)
    try:
        assert store.reader.by_href("/x") == ROW
    finally:
        store.close()


def test_servers_that_start_at_once_on_an_old_database_all_start(empty: str, connection: Connection) -> None:
    make_old(connection)
    servers = [
        subprocess.Popen([sys.executable, "-c", OPENED, empty], cwd=ROOT, text=True, stderr=subprocess.PIPE)
        for _ in range(SERVERS)
    ]
    told = [server.communicate(timeout=60)[1] for server in servers]
    assert [server.returncode for server in servers] == [0] * SERVERS, told
    assert format_of(connection) == len(MIGRATIONS)
    assert connection.all(lambda row: int(row[0]), select(tables.resource.c.id)) == [7]
