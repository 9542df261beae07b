"""Whether the disk of a SQLite file keeps what is written.

A sync that fails is no sync that may be tried again: the system holds the pages for written from then on,
the next sync says that all is well, and the log of the file has a hole, behind which nothing is found after
the power has failed. A file that was removed or replaced goes on to take what is written, and is gone with
the process. So after the first failure nothing is acknowledged, until a new process has read the
log and thrown away what is not whole.
"""

import logging
import os
from pathlib import Path
from typing import Final

from sep2_server.errors import StoreError

log = logging.getLogger(__name__)

HINT: Final = "nothing more is written before the server is started again"


class Disk:
    """The disk that all connections of one process to one file share."""

    def __init__(self) -> None:
        self._flaw = ""
        self._path: str | None = None
        self._file: tuple[int, int] | None = None

    def watch(self, path: Path) -> None:
        """Hold from now on that the file that was opened is the one at its path."""
        if self._path is None:
            self._path, self._file = str(path), _file_at(path)

    def lose(self, flaw: object) -> None:
        """What was written is not on the disk, or nobody knows."""
        if not self._flaw:
            self._flaw = str(flaw)
            log.critical("The disk has not kept what was written: %s; %s", flaw, HINT)

    def require(self) -> None:
        """Raise StoreError where something was lost, or will be, as the file is not at its path."""
        if not self._flaw and self._path is not None and self._is_gone(self._path):
            self.lose(
                f"{self._path} is not there any more, or another one: copy the open one from"
                f" /proc/{os.getpid()}/fd before the end of this process"
            )
        self.require_kept()

    def require_kept(self) -> None:
        """Raise StoreError where something is known to be lost."""
        if self._flaw:
            raise StoreError(f"the disk has not kept what was written: {self._flaw}; {HINT}")

    def _is_gone(self, path: str) -> bool:
        """Whether the file is not at its path; where nobody can look there, it is taken to be."""
        try:
            return _file_at(path) != self._file
        except OSError:
            return False


def _file_at(path: Path | str) -> tuple[int, int] | None:
    """Which file is at a path, None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  each write looks, and a Path takes twice as long
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
