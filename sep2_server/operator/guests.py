"""Connections of operators: so many at a time, and none that is idle or slow for long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sep2_server.operator.errors import BadRequest
from sep2_server.process.ending import EndingConnection, EndingServer, Refused
from sep2_server.protocol import NoAccessLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Most connections at a time; how long one may be without a request, and a body without a part, s."""

    connections: int = 256
    idle_s: float = 75
    body_s: float = 30


class GuestConnection(EndingConnection):
    """A connection that is closed where no request has come for long, whatever has come of one."""

    def __init__(self, server: web.Server, idle_s: float) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), access_log_class=NoAccessLog)
        self._idle_s = idle_s
        self._asked_at = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look after the time."""
        super().connection_made(transport)
        self._watch = self._loop.call_later(self._idle_s, self._look)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Look no more."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()

    def asked(self) -> None:
        """Take note that the head of a request has come whole."""
        self._asked_at = self._loop.time()

    def _look(self) -> None:
        left_s = self._asked_at + self._idle_s - self._loop.time()
        if left_s <= 0 and not self.is_busy:
            self.force_close()
        else:
            self._watch = self._loop.call_later(max(left_s, self._idle_s / 4), self._look)


class GuestServer(EndingServer):
    """Makes such connections, and closes those that are too many."""

    def __init__(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], bounds: Bounds
    ) -> None:
        super().__init__(handler)
        self._bounds = bounds

    def receive(self) -> asyncio.Protocol:
        """A new connection, or the end of one too many."""
        if len(self.connections) >= self._bounds.connections:
            return Refused()
        return GuestConnection(self, self._bounds.idle_s)


async def paced(parts: AsyncIterator[bytes], within_s: float) -> AsyncIterator[bytes]:
    """The parts of a body as they come. BadRequest where one does not come in time."""
    try:
        while True:
            async with asyncio.timeout(within_s):
                part = await anext(parts)
            yield part
    except StopAsyncIteration:
        return
    except TimeoutError as flaw:
        raise BadRequest(f"body: nothing has come for {within_s:g} s", "send it in one go") from flaw
