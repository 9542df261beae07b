"""The local channel of a VEN: a Unix socket in its state folder, for its owner alone.

One line asks, one answers. A person gives orders over it, with `lineside ven opt` and `schedule`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from lineside.ven.orders import Order, order_of
from openadr_ven.events import EventError
from owner import answer_line, opened

log = logging.getLogger(__name__)

MOST_BYTES: Final = 65_536
Obeying = Callable[[Order], Awaitable[dict[str, object]]]
"""Carries an order out, and says what is answered. Raises EventError."""


class Channel:
    """Serves the local channel. Its path is that of a state folder which nobody else has."""

    def __init__(self, path: Path, obeying: Obeying) -> None:
        self._path = path
        self._obeying = obeying

    async def run(self) -> None:
        """Serve until cancelled. A channel that cannot be opened is told, and the VEN does without."""
        try:
            door = opened(self._path)
        except OSError as flaw:
            log.warning("no local channel at %s: %s", self._path, flaw)
            return
        try:
            async with await asyncio.start_unix_server(self._serve, sock=door, limit=MOST_BYTES) as server:
                await server.serve_forever()
        finally:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one line."""
        flaw = await answer_line((reader, writer), self._answer)
        if flaw is not None:
            log.warning("local channel: a request was cut off: %s", flaw)

    async def _answer(self, line: bytes) -> dict[str, object]:
        """What is done, or why it is not."""
        try:
            order = order_of(json.loads(line))
            answer = await self._obeying(order)
        except (ValueError, EventError) as flaw:
            log.warning("local channel: refused: %s", flaw)
            return {"error": str(flaw)}
        log.info("local channel: %s", order)
        return answer
