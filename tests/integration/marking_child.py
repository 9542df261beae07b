"""Writers of one file that mark their commits and are killed, and a reader that must not miss one.

`python -m tests.integration.marking_child DATABASE DEATHS` tells how many acknowledged writes there were, and
of which the reader had not heard as soon as it asked.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

import sep2_server.sqlite
from sep2_server import Store
from sep2_server.commit_marks import CommitMarks
from sep2_server.rows import Change, Row
from sep2_server.sqlite import SqliteConnection
from sep2_server.transaction import Transaction

DEAF_S: Final = 3600.0
OCTETS: Final = 8
LIVES: Final = 12
"""Commits of a writer, the last of which is its death at the latest."""


def put(tx: Transaction) -> int:
    """Add a resource; its number."""
    number = tx.next_id()
    return tx.insert(Row(number, f"/{number}", "Time")).id


def mortal(lives: int) -> None:
    """Kill this process before one of its commits, or behind it before it has marked its end, in turn."""
    control, left = SqliteConnection.control, count(lives, -1)

    def controlled(connection: SqliteConnection, command: str) -> None:
        is_last = command == "COMMIT" and next(left) == 0
        if is_last and lives % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        control(connection, command)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)

    SqliteConnection.control = controlled  # type: ignore[assignment,method-assign]


def write(database: Path, marks: CommitMarks, acknowledged: int, lives: int) -> None:
    """Write from the thread and from the loop in turn, and tell what was acknowledged, until death."""

    async def written() -> None:
        store = Store(database, is_shared=True, marks=marks, process=0)
        mortal(lives)
        while True:
            for writing in (store.do, store.do_short):
                os.write(acknowledged, (await writing(put)).to_bytes(OCTETS))

    asyncio.run(written())


def read(database: Path, marks: CommitMarks, acknowledged: int, ready: int) -> None:
    """Look what the store has heard of each write once that is acknowledged; close `ready` before."""
    store = Store(database, is_shared=True, marks=marks, process=1)
    heard: set[int] = set()

    def hear(changes: Sequence[Change]) -> None:
        heard.update(change.resource_id for change in changes)

    store.listen(hear)
    store.refresh()
    os.close(ready)
    asked, missed = 0, []
    while told := os.read(acknowledged, OCTETS):
        store.refresh()
        number = int.from_bytes(told)
        asked += 1
        if number not in heard:
            missed.append(number)
    store.close()
    sys.stdout.write(f"{asked} {missed}\n")
    sys.stdout.flush()


def main(database: Path, deaths: int) -> None:
    """Replace each writer that was killed by the next."""
    sep2_server.sqlite.LOOK_S = DEAF_S  # type: ignore[misc]
    marks = CommitMarks(2)
    heard, said = os.pipe()
    is_ready, ready = os.pipe()
    reader = os.fork()
    if reader == 0:
        os.close(said)
        read(database, marks, heard, ready)
        os._exit(0)
    os.close(ready)
    assert not os.read(is_ready, 1)
    for death in range(deaths):
        writer = os.fork()
        if writer == 0:
            write(database, marks, said, death % LIVES)
        status = os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1])
        assert status == -signal.SIGKILL, status
    os.close(said)
    os.close(heard)
    assert os.waitpid(reader, 0)[1] == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
