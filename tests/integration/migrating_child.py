"""Migrates a database in processes that are killed, one before each thing that they do there.

`python -m tests.integration.migrating_child DATABASE` tells `what_is` there after each death.
"""

import os
import signal
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from zlib import crc32

from sqlalchemy.sql.expression import ClauseElement

from sep2_server.address import PostgresAddress, is_url
from sep2_server.connection import Connection, Result
from sep2_server.migrations import format_of, migrate
from sep2_server.postgres import PostgresConnection
from sep2_server.store import open_connection
from tests.integration.test_sep2_migrations import shape_of


def mortal(connection: Connection, lives: int) -> Connection:
    """The connection, whose process is killed before it has done more than so many things, or committed."""
    control, run, commit = connection.control, connection.run, connection.commit
    left = iter(range(lives))

    def live() -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    def controlled(command: str) -> None:
        live()
        control(command)

    def ran(statement: ClauseElement, **parameters: object) -> Result:
        live()
        return run(statement, **parameters)

    def committed(last_change: int | None = None) -> None:
        live()
        commit(last_change)
        live()

    connection.control, connection.run, connection.commit = controlled, ran, committed  # type: ignore[method-assign]
    return connection


def opened(database: str) -> Connection:
    """A connection for the only thread of a process."""
    if is_url(database):
        return PostgresConnection(PostgresAddress.of(database))
    return open_connection(Path(database))


def what_is(connection: Connection) -> str:
    """The format of a database, and a digest of its tables, columns and indexes."""
    return f"{format_of(connection)}/{crc32(repr(shape_of(connection)).encode()):x}"


def main(arguments: Sequence[str]) -> None:
    """Migrate until a process lives to the end."""
    for lives in count():
        pid = os.fork()
        if pid == 0:
            migrate(mortal(opened(arguments[0]), lives))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == 0:
            break
        assert status == -signal.SIGKILL, status
        found = opened(arguments[0])
        sys.stdout.write(f"{what_is(found)}\n")
        sys.stdout.flush()
        found.close()


if __name__ == "__main__":
    main(sys.argv[1:])
