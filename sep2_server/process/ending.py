"""The end of a server: what clients have begun to send arrives and is answered, within a time of grace."""

import asyncio
import logging
from typing import Any, Final

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.web_protocol import RequestHandler

LAST_S: Final = 1.0
"""How long handlers have that are cancelled after the time of grace."""

log = logging.getLogger(__name__)


class NoAccessLog(AbstractAccessLogger):
    """No line for each request: nobody asks about those."""

    @property
    def enabled(self) -> bool:
        """False: `log` is not called."""
        return False

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Nothing is written."""


class EndingConnection(RequestHandler):
    """A connection that knows whether there is something to be answered on it."""

    @property
    def is_busy(self) -> bool:
        """Whether the head of a request has come, and its answer has not been sent."""
        return bool(self._messages) or self._current_request is not None

    def let_in(self) -> None:
        """Take what has come and was held, if anything, for begun."""

    @property
    def serving(self) -> asyncio.Future[Any] | None:
        """What ends after the last answer, None where that has been."""
        return self._task_handler


class Refused(asyncio.Protocol):
    """A connection that is closed as soon as it is made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close."""
        transport.close()


class EndingServer(web.Server):
    """Makes such connections; once it `is_ending`, answers have to close theirs."""

    is_ending = False

    def __call__(self) -> EndingConnection:
        """A new connection."""
        return EndingConnection(self, loop=asyncio.get_running_loop(), **self._kwargs)

    async def end(self, grace_s: float) -> None:
        """Close what is idle, let what has begun to arrive be answered, and close the rest after `grace_s`.

        aiohttp's own `shutdown` would throw away what arrives from its call on.
        """
        self.is_ending = True
        busy: set[asyncio.Future[Any]] = set()
        for connection in self.connections:
            if isinstance(connection, EndingConnection):
                connection.let_in()
            if isinstance(connection, EndingConnection) and connection.is_busy and connection.serving:
                busy.add(connection.serving)
            else:
                connection.force_close()
        if busy:
            _, late = await asyncio.wait(busy, timeout=grace_s)
            if late:
                log.warning("%s requests had not ended after %s s", len(late), grace_s)
        self.pre_shutdown()
        await self.shutdown(LAST_S)
