"""Makes the log of a SQLite file durable, in a thread, for commits that have not done so themselves.

A commit in the mode `synchronous=NORMAL` is in the log (`-wal`) and seen by everybody, but not on the disk:
what `fdatasync` of the log adds. Most pages go from the log into the file in another thread meanwhile; the
few that were written during that follow while the loop waits for a sync and writes nothing, so that the log
begins anew and does not grow for ever.
"""

import logging
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from sqlite3 import DatabaseError, connect
from typing import Final

from sep2_server.disk import Disk
from sep2_server.errors import StoreError

Told = Callable[[OSError | StoreError | None], None]

SYNCS_A_CHECKPOINT: Final = 250
"""After so many the log is emptied into the file; one adds 4 to 100 pages of 4 kB."""

log = logging.getLogger(__name__)


class LogSyncer:
    """A thread that syncs; it starts with the first call and ends with `close`."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._log = path.with_name(path.name + "-wal")
        self._file: int | None = None
        self._asked: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._emptying = ThreadPoolExecutor(1, thread_name_prefix="sep2-checkpoint")
        self._syncs = 0
        self._is_nearly_empty = False

    def sync(self, told: Told) -> None:
        """Call `told` in the thread once what the log has now is durable, with None or with what failed."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sep2-syncer", daemon=True)
            self._thread.start()
        self._asked.put(told)

    def close(self) -> None:
        """Finish what was asked for, and stop."""
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join()
        self._emptying.shutdown()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _work(self) -> None:
        while (told := self._asked.get()) is not None:
            try:
                self._sync()
            except (OSError, StoreError) as flaw:
                told(flaw)
                continue
            if self._is_nearly_empty:
                self._is_nearly_empty = False
                self._empty()
            told(None)
            self._syncs += 1
            if self._syncs % SYNCS_A_CHECKPOINT == 0:
                self._emptying.submit(self._empty_most)

    def _sync(self) -> None:
        self._disk.require()
        file = self._file
        if file is None or not os.fstat(file).st_nlink:
            file = self._open()
        try:
            os.fdatasync(file)
        except OSError as flaw:
            self._disk.lose(flaw)
            raise

    def _open(self) -> int:
        """The log as it is now: the last one may have been removed with its last connection."""
        old, self._file = self._file, None
        if old is not None:
            os.close(old)
        self._file = os.open(self._log, os.O_RDWR | os.O_CLOEXEC)
        return self._file

    def _empty_most(self) -> None:
        self._empty()
        self._is_nearly_empty = True

    def _empty(self) -> None:
        try:
            with closing(connect(self._path, isolation_level=None)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except DatabaseError as flaw:
            log.warning("The log of the database cannot be emptied and grows: %s", flaw)
