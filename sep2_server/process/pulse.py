"""The beat of one process: how late its event loop is, and its numbers on its board, once a second or so."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

BEAT_S: Final = 1.0


class Pulse:
    """Beats until it is stopped; `lag_s` is how late the last beat was, s."""

    def __init__(self, beat: Callable[[], None], most_s: float = math.inf) -> None:
        """Call `beat` at each, every `BEAT_S` or `most_s`, whichever is shorter."""
        self._beat = beat
        self._every_s = min(BEAT_S, most_s)
        self._handle: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.lag_s = 0.0

    def start(self) -> None:
        """Beat from now on."""
        self._loop = asyncio.get_running_loop()
        self._next(self._loop)

    def stop(self) -> None:
        """Beat no longer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handle = loop.call_later(self._every_s, self._beaten, loop, loop.time() + self._every_s)

    def _beaten(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.lag_s = max(loop.time() - due, 0.0)
        self._next(loop)
        self._beat()
