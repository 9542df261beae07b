"""Makes the log of a SQLite file durable for commits that have not done so themselves, beside the event loop.

A commit in the mode `synchronous=NORMAL` is in the log (`-wal`) and seen by everybody, but not on the disk:
what `fdatasync` of the log adds. The kernel does so while the loop goes on, or a thread where it cannot.
Most pages go from the log into the file in another thread meanwhile; the few that were written during that
follow while the loop waits for a sync and writes nothing, so that the log begins anew and does not grow for
ever.
"""

import asyncio
import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from sqlite3 import DatabaseError, connect
from typing import Final

from sep2_server.disk import Disk
from sep2_server.errors import StoreError
from sep2_server.kernel_sync import KernelSync

Loop = asyncio.AbstractEventLoop
Told = Callable[[OSError | StoreError | None], object]

SYNCS_A_CHECKPOINT: Final = 250
"""After so many the log is emptied into the file; one adds 4 to 100 pages of 4 kB."""
UNEMPTIED: Final = "The log of the database cannot be emptied and grows: %s"

log = logging.getLogger(__name__)


class LogSyncer:
    """Syncs for one event loop after the other; `told` is called there, with None or with what has failed."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._log = path.with_name(path.name + "-wal")
        self._file: int | None = None
        self._kernel = _kernel()
        self._loop: Loop | None = None
        self._told: Told = _forget
        self._asked: queue.SimpleQueue[tuple[Loop, Told] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._emptying = ThreadPoolExecutor(1, thread_name_prefix="sep2-checkpoint")
        self._syncs = 0
        self._is_nearly_empty = False

    def sync(self, loop: Loop, told: Told) -> None:
        """Tell once what the log has now is durable. In the thread of `loop`, one at a time."""
        if self._kernel is None or not self._begin(self._kernel, loop, told):
            try:
                self._have_thread()
            except RuntimeError as flaw:
                loop.call_soon(told, StoreError(f"the log cannot be synced: {flaw}"))
                return
            self._asked.put((loop, told))

    def close(self) -> None:
        """Finish what was asked for, and stop. While no other thread runs the loop."""
        if self._kernel is not None:
            self._leave(self._kernel)
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join()
        self._emptying.shutdown()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _have_thread(self) -> None:
        """Start the thread that syncs, if there is none. RuntimeError where the system has none left."""
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="sep2-syncer", daemon=True)
            thread.start()
            self._thread = thread

    def _begin(self, kernel: KernelSync, loop: Loop, told: Told) -> bool:
        """Let the kernel sync; False, now and ever after, where it cannot, or the loop cannot look at it."""
        try:
            file = self._current()
        except (OSError, StoreError) as flaw:
            loop.call_soon(told, flaw)
            return True
        try:
            if loop is not self._loop:
                self._let_loop_go(kernel)
                loop.add_reader(kernel.fileno(), self._ended, kernel, loop)
                self._loop = loop
            kernel.begin(file)
        except (OSError, RuntimeError) as flaw:
            log.info("The kernel does not sync for this process (%s): a thread does", flaw)
            self._leave(kernel)
            return False
        self._told = told
        return True

    def _ended(self, kernel: KernelSync, loop: Loop) -> None:
        """The kernel has ended a sync: tell."""
        told, flaw = self._told, self._end(kernel)
        if flaw is not None or self._may_tell(loop, told):
            told(flaw)

    def _end(self, kernel: KernelSync) -> OSError | None:
        """What has kept the log from being durable, or from being known to be."""
        try:
            flaw = kernel.end()
        except OSError as unknown:
            flaw = unknown
        if flaw is not None:
            self._disk.lose(flaw)
        return flaw

    def _let_loop_go(self, kernel: KernelSync) -> None:
        """Finish for a loop, which may have ended, and have it look no more."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        if kernel.is_under_way:
            call(loop, partial(self._told, self._end(kernel)))
        if not loop.is_closed():
            loop.remove_reader(kernel.fileno())

    def _leave(self, kernel: KernelSync) -> None:
        """Ask the kernel no more."""
        self._let_loop_go(kernel)
        self._kernel = None
        kernel.close()

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            loop, told = asked
            flaw = self._sync_here()
            if flaw is not None or self._may_tell(loop, told):
                call(loop, partial(told, flaw))

    def _sync_here(self) -> OSError | StoreError | None:
        """Sync in this thread; what has kept the log from being durable."""
        try:
            file = self._current()
        except (OSError, StoreError) as flaw:
            return flaw
        try:
            os.fdatasync(file)
        except OSError as flaw:
            self._disk.lose(flaw)
            return flaw
        return None

    def _may_tell(self, loop: Loop, told: Told) -> bool:
        """Whether to tell of a sync now; where most of the log is in the file, the rest comes there first."""
        is_nearly_empty = self._is_nearly_empty
        if is_nearly_empty:
            self._is_nearly_empty = False
            self._emptying.submit(self._empty_before, loop, told)
        self._syncs += 1
        if self._syncs % SYNCS_A_CHECKPOINT == 0:
            try:
                self._emptying.submit(self._empty_most)
            except RuntimeError as flaw:
                log.warning(UNEMPTIED, flaw)
        return not is_nearly_empty

    def _current(self) -> int:
        """The log as it is now: the last one may have been removed with its last connection."""
        self._disk.require_kept()
        file = self._file
        return self._open() if file is None or not os.fstat(file).st_nlink else file

    def _open(self) -> int:
        old, self._file = self._file, None
        if old is not None:
            os.close(old)
        self._file = os.open(self._log, os.O_RDWR | os.O_CLOEXEC)
        return self._file

    def _empty_before(self, loop: Loop, told: Told) -> None:
        self._empty()
        call(loop, partial(told, None))

    def _empty_most(self) -> None:
        self._empty()
        self._is_nearly_empty = True

    def _empty(self) -> None:
        try:
            with closing(connect(self._path, isolation_level=None)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except DatabaseError as flaw:
            log.warning(UNEMPTIED, flaw)


def _forget(_: object) -> None:
    """Nobody has asked."""


def _kernel() -> KernelSync | None:
    try:
        return KernelSync()
    except OSError as flaw:
        log.info("The kernel does not sync for this process (%s): a thread does", flaw)
        return None


def call(loop: Loop, told: Callable[[], object]) -> None:
    """Call in the thread of a loop; nobody waits any more where it is closed, at this very moment even."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(told)
