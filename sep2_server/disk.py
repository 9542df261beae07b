"""Whether the disk of a SQLite file keeps what is written.

A sync that fails is no sync that may be tried again: the system holds the pages for written from then on,
the next sync says that all is well, and the log of the file has a hole, behind which nothing is found after
the power has failed. So after the first failure nothing is acknowledged, until a new process has read the
log and thrown away what is not whole.
"""

import logging
from typing import Final

from sep2_server.errors import StoreError

log = logging.getLogger(__name__)

HINT: Final = "nothing more is written before the server is started again"


class Disk:
    """The disk that all connections of one process to one file share."""

    def __init__(self) -> None:
        self._flaw = ""

    def lose(self, flaw: object) -> None:
        """What was written is not on the disk, or nobody knows."""
        if not self._flaw:
            self._flaw = str(flaw)
            log.critical("The disk has not kept what was written: %s; %s", flaw, HINT)

    def require(self) -> None:
        """Raise StoreError where something was lost."""
        if self._flaw:
            raise StoreError(f"the disk has not kept what was written: {self._flaw}; {HINT}")
