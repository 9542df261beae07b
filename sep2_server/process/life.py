"""The life of one process: what it tells of itself from its start on, and the last moment of its end."""

import logging
import os
import threading
from collections.abc import Callable
from typing import Final, NoReturn

from sep2_server.process.service import ServiceManager

UNFINISHED: Final = 3
"""Exit code of a process that has ended although something hung."""
BEYOND_S: Final = 8.0
"""How much longer than `shutdown_s` the end of a process may take, s: operators' requests have 5 of them."""

log = logging.getLogger(__name__)


class Life:
    """Tells the service manager, and ends the process where its end hangs.

    A hung database keeps threads that nobody can cancel. What was acknowledged is durable: to end without
    them is no more than a loss of power.
    """

    def __init__(self, manager: ServiceManager, ready: Callable[[], None] | None = None) -> None:
        """`ready` is called in place of the manager's once all is listened on."""
        self._manager = manager
        self.ready = ready or manager.ready
        self.reloading = manager.reloading
        self.reloaded = manager.ready
        self.alive = manager.alive
        self.beat_s = manager.beat_s
        self._last: threading.Timer | None = None

    def ending(self, shutdown_s: float, left: Callable[[], str]) -> None:
        """The end has begun, which may take `BEYOND_S` more than `shutdown_s`; `left` says what is left."""
        self._manager.stopping()
        within_s = shutdown_s + BEYOND_S
        self._last = threading.Timer(within_s, _end, (within_s, left))
        self._last.name, self._last.daemon = "sep2-end", True
        self._last.start()

    def ended(self) -> None:
        """Nothing is left that could hang."""
        if self._last is not None:
            self._last.cancel()


def _end(within_s: float, left: Callable[[], str]) -> NoReturn:
    """Say what is left, and end."""
    try:
        log.critical(
            "The end was not finished within %g s: %s; what was acknowledged is kept", within_s, left()
        )
        logging.shutdown()
    finally:
        os._exit(UNFINISHED)
