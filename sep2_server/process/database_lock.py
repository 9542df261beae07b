"""One server for one SQLite file: a lock beside it that ends with the last process of the server.

Two servers would not hear each other: what one blocks the other serves. The file of the database itself is
not opened for this: closing it would drop the locks that SQLite holds there.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sep2_server.address import is_url
from sep2_server.alone import WAIT_S
from sep2_server.errors import StoreError

SUFFIX: Final = ".lock"
_STEP_S: Final = 0.05


@contextmanager
def held_database(database: str, wait_s: float = WAIT_S) -> Iterator[None]:
    """Keep other servers from a SQLite file, in this process and those that it forks; PostgreSQL has many.

    StoreError where another server goes on to have it, OSError where no file can be made beside it.
    """
    if is_url(database):
        yield
        return
    file = Path(database).resolve()
    descriptor = os.open(file.with_name(file.name + SUFFIX), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, file, wait_s)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, file: Path, wait_s: float) -> None:
    """Lock a file, within the time that workers take to end whose server has just stopped."""
    ends = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as flaw:
            if time.monotonic() >= ends:
                raise StoreError(
                    f"{file}: another server uses this database: stop that one, or name another `database`"
                ) from flaw
            time.sleep(_STEP_S)
        else:
            return
