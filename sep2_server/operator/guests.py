"""Connections of operators: so many at a time, none that is idle or slow for long; answers in JSON."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from sep2_server.operator.counter import Reply, refused
from sep2_server.operator.errors import BadRequest, ServerFailed
from sep2_server.operator.keys import REPLAYED
from sep2_server.process.patience import Patience, PatientConnection

_HEADERS: Final = {"Cache-Control": "no-store"}
_CHALLENGE: Final = {**_HEADERS, "WWW-Authenticate": 'Bearer realm="lineside operator"'}

UNREADABLE: Final = ("body: its chunks or its compression cannot be read", "send it as it is")
"""Detail and hint where a body cannot be read."""
BROKEN_OFF: Final = ("body: the connection has ended inside it", "send it in one go")
"""Detail and hint where a body never comes whole: for the audit log, nobody reads the answer."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds(Patience):
    """What connections of operators have to keep; how long a body may be without a part, s."""

    body_s: float = 30


class GuestConnection(PatientConnection):
    """A connection of an operator, who reads in JSON what has gone wrong."""

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


def response_to(reply: Reply) -> web.Response:
    """The response that carries an answer."""
    headers = _CHALLENGE if reply.status == 401 else _HEADERS
    if reply.allow:
        headers = {**headers, "Allow": ", ".join(reply.allow)}
    if reply.retry_s:
        headers = {**headers, "Retry-After": str(reply.retry_s)}
    if reply.is_replayed:
        headers = {**headers, REPLAYED: "true"}
    body = json.dumps(reply.body, ensure_ascii=False).encode() + b"\n"
    return web.Response(status=reply.status, body=body, content_type="application/json", headers=headers)


async def paced(parts: AsyncIterator[bytes], within_s: float) -> AsyncIterator[bytes]:
    """The parts of a body as they come. BadRequest where one does not come, or cannot be read."""
    try:
        while True:
            async with asyncio.timeout(within_s):
                part = await anext(parts)
            yield part
    except StopAsyncIteration:
        return
    except web.RequestPayloadError as flaw:
        raise BadRequest(*UNREADABLE) from flaw
    except ConnectionError as flaw:
        raise BadRequest(*BROKEN_OFF) from flaw
    except TimeoutError as flaw:
        raise BadRequest(f"body: nothing has come for {within_s:g} s", "send it in one go") from flaw
