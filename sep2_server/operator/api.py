"""The operator API on the wire: plain JSON over HTTPS, or over HTTP on a loopback address. A thin shell."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from certs import Door, OperatorTls, listen
from sep2_server.operator.counter import Counter, Reply, Request, refused
from sep2_server.operator.errors import BadRequest, NotFound, WrongMethod
from sep2_server.operator.guests import BROKEN_OFF, UNREADABLE, Bounds, GuestConnection, paced, response_to
from sep2_server.operator.keys import HEADER
from sep2_server.operator.operator_settings import is_loopback
from sep2_server.process.monitor import READS, Pages, response_of
from sep2_server.process.pages import METRICS, OPEN
from sep2_server.process.patience import PatientServer
from sep2_server.uris import target_of

SHUTDOWN_S: Final = 5.0
CONTENTS_PARTS: Final = ("contents",)
"""Path where octets are sent as they are, however many."""
USUAL: Final = Bounds()
LATE: Final = BadRequest("body: it has not come in time", "send it in one go")
"""Methods of the pages of monitoring."""

log = logging.getLogger(__name__)


class PlainHttpError(ValueError):
    """Plain HTTP was asked for on an address that other machines can reach."""


class OperatorApi:
    """Listens for operators and hands each request to the counter."""

    def __init__(self, counter: Counter, pages: Pages = lambda path: None, bounds: Bounds = USUAL) -> None:
        """`pages` are those of monitoring; that of the metrics asks for a token like everything else."""
        self._counter = counter
        self._pages = pages
        self._bounds = bounds
        self._server = PatientServer(self._handle, bounds, GuestConnection)
        self._door: Door | None = None
        self._tls: OperatorTls | None = None
        self.url = ""

    async def start(
        self,
        host: str,
        port: int,
        *,
        credentials: tuple[Path, Path] | None,
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        """Listen, on `sockets` if there are any; with port 0 the system chooses one, and `url` says which.

        `credentials` are the files of the certificate chain and its key; None means plain HTTP, which
        raises PlainHttpError unless the host is a loopback address. OSError where the port is taken.
        """
        if credentials is None and not is_loopback(host):
            raise PlainHttpError(
                f"operator API: plain HTTP on {host} would show tokens to the network; "
                "use HTTPS (operator_plain_http = false) or a loopback address"
            )
        self._tls = None if credentials is None else OperatorTls(*credentials)
        context = None if self._tls is None else self._tls.context
        self._door = Door(
            sockets or listen(host, port),
            self._server.receive,
            context,
            most_entering=self._bounds.connections,
        )
        name = f"[{host}]" if ":" in host else host
        self.url = f"{'http' if context is None else 'https'}://{name}:{self._door.port}"
        log.info("Operator API listens on %s", self.url)

    def renew(self, certificate: Path, key: Path) -> None:
        """Present what now stands in these files from the next handshake on. CertsError: it is no good."""
        if self._tls is not None:
            self._tls.renew(certificate, key)

    async def stop(self) -> None:
        """Finish the requests that are under way, then close."""
        if self._door is not None:
            await self._door.close()
            await self._server.end(SHUTDOWN_S)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if isinstance(request.protocol, GuestConnection):
            request.protocol.asked()
        if request.path in OPEN or (request.path == METRICS and self._is_known(request)):
            return self._shown(request)
        if request.method == "POST" and _head_of(request, b"").parts == CONTENTS_PARTS:
            octets = paced(request.content.iter_any(), self._bounds.body_s)
            reply = await self._counter.keep(_head_of(request, b""), octets)
        else:
            reply = await self._reply(request)
        response = response_to(reply)
        if self._server.is_ending or not request.content.is_eof():
            response.force_close()
        return response

    async def _reply(self, request: web.BaseRequest) -> Reply:
        """The answer to a request whose body comes in time."""
        try:
            async with asyncio.timeout(self._bounds.body_s):
                asked = await _request_of(request)
        except TimeoutError:
            return refused(LATE)
        except web.RequestPayloadError:
            return refused(BadRequest(*UNREADABLE))
        except ConnectionError:
            return refused(BadRequest(*BROKEN_OFF))
        return await self._counter.reply(asked)

    def _shown(self, request: web.BaseRequest) -> web.Response:
        """A page of monitoring; where there is none, that is told as everything here."""
        found = self._pages(request.path)
        if found is None:
            return response_to(refused(NotFound(f"nothing is at {request.path}", "look at /livez")))
        if request.method not in READS:
            return response_to(refused(WrongMethod(request.method, request.path, READS)))
        return response_of(found)

    def _is_known(self, request: web.BaseRequest) -> bool:
        return self._counter.knows(request.headers.get("Authorization"))


async def _request_of(request: web.BaseRequest) -> Request:
    try:
        return _head_of(request, await request.read())
    except web.HTTPRequestEntityTooLarge:
        return _head_of(request, None)


def _head_of(request: web.BaseRequest, body: bytes | None) -> Request:
    path, _, query = target_of(request.raw_path).partition("?")
    return Request(
        method=request.method,
        parts=tuple(unquote(part) for part in path.strip("/").split("/")),
        query=query,
        address=request.remote or "",
        authorization=request.headers.get("Authorization"),
        content_type=request.content_type,
        body=body,
        keys=tuple(request.headers.getall(HEADER, ())),
    )
