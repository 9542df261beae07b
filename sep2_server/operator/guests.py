"""Connections of operators: so many at a time, none that is idle or slow for long; answers in JSON."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from sep2_server.operator.counter import Reply, refused
from sep2_server.operator.errors import BadRequest, ServerFailed
from sep2_server.process.ending import EndingConnection, EndingServer, Refused
from sep2_server.protocol import NoAccessLog

_HEADERS: Final = {"Cache-Control": "no-store"}
_CHALLENGE: Final = {**_HEADERS, "WWW-Authenticate": 'Bearer realm="lineside operator"'}

UNREADABLE: Final = ("body: its chunks or its compression cannot be read", "send it as it is")
"""Detail and hint where a body cannot be read."""

log = logging.getLogger(__name__)


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

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, and what failed in the server: that is logged with its stack, never shown.

        Called where an exception is handled; aiohttp gives none with a time-out.
        """
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        if status < ServerFailed.status:
            told = (message or "").partition("\n")[0]
            log.warning("Not a request of %s: %s", request.remote, told)
            reply = refused(BadRequest("not a request of HTTP/1.1", "send one whole request"))
        else:
            log.error("A request of an operator failed", exc_info=exc or True)
            reply = refused(ServerFailed())
        response = response_to(reply)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, and read no further where a body has turned out to be none."""
        done = await super().finish_response(request, resp, start_time)
        if request.content.exception() is not None:
            self.force_close()
        return done

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


def response_to(reply: Reply) -> web.Response:
    """The response that carries an answer."""
    headers = _CHALLENGE if reply.status == 401 else _HEADERS
    if reply.allow:
        headers = {**headers, "Allow": ", ".join(reply.allow)}
    if reply.retry_s:
        headers = {**headers, "Retry-After": str(reply.retry_s)}
    body = json.dumps(reply.body, ensure_ascii=False).encode() + b"\n"
    return web.Response(status=reply.status, body=body, content_type="application/json", headers=headers)


async def paced(parts: AsyncIterator[bytes], within_s: float) -> AsyncIterator[bytes]:
    """The parts of a body as they come. BadRequest where one does not come in time, or cannot be read."""
    try:
        while True:
            async with asyncio.timeout(within_s):
                part = await anext(parts)
            yield part
    except StopAsyncIteration:
        return
    except web.RequestPayloadError as flaw:
        raise BadRequest(*UNREADABLE) from flaw
    except TimeoutError as flaw:
        raise BadRequest(f"body: nothing has come for {within_s:g} s", "send it in one go") from flaw
