"""Plain HTTP: every request is sent to the same place under HTTPS. IEEE 2030.5-2018, 6; CSIP ERR-001."""

import asyncio
import logging
import re
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from certs import Door
from sep2_server.process.ending import Refused
from sep2_server.protocol import flaw_of
from sep2_server.shortcut import SERVER_NAME
from sep2_server.uris import target_of

MOST_CONNECTIONS: Final = 256
"""Connections that there are at a time; one more is closed at once."""
LONGEST_S: Final = 10.0
"""How long a connection may last, whatever its client does."""
_HOST: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}){1,255})(?::[0-9]{0,5})?"
)
"""A host, and a port that is not ours. RFC 3986, 3.2.2."""
_SERVER: Final = {"Server": SERVER_NAME}

log = logging.getLogger(__name__)


class Redirection:
    """A listener that answers everything with a redirection, and a request without a Host with 400.

    Nothing is read. `status` is that of the redirection: 301, 302 or 307.
    """

    def __init__(
        self,
        host: str,
        port: int,
        https_port: int,
        *,
        status: int = 301,
        most: int = MOST_CONNECTIONS,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._status = status
        self._most = most
        self._longest_s = longest_s
        self._host = host
        self._port = port
        self._https_port = https_port
        self._server: web.Server | None = None
        self._door: Door | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, 0 while it is not."""
        return 0 if self._door is None else self._door.port

    async def start(self) -> None:
        """Listen."""
        self._server = _PlainServer(self._redirect, access_log=None, auto_decompress=False)
        self._door = Door.at(self._host, self._port, self._receive)

    async def stop(self) -> None:
        """Stop listening."""
        if self._door is not None and self._server is not None:
            await self._door.close()
            await self._server.shutdown(1)

    def _receive(self) -> asyncio.Protocol:
        """A new connection, which ends in time; one that is too many ends at once."""
        if self._server is None or len(self._server.connections) >= self._most:
            return Refused()
        connection = self._server()
        asyncio.get_running_loop().call_later(self._longest_s, connection.force_close)
        return connection

    async def _redirect(self, request: web.BaseRequest) -> web.StreamResponse:
        host = _HOST.fullmatch(request.headers.get("Host", ""))
        if host is None:
            return web.Response(status=400, headers=_SERVER)
        location = f"https://{host[1]}:{self._https_port}{target_of(request.raw_path)}"
        return web.Response(status=self._status, headers={**_SERVER, "Location": location})


class _PlainConnection(RequestHandler):
    """A connection on which anybody may send anything."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP with 400, an unknown method with 501; a line of the log is enough for it."""
        if status < 500:
            status = flaw_of(exc, message).status
            log.info("Not a request of %s: %s", request.remote, (message or "").partition("\n")[0])
        else:
            log.error("A request of %s could not be redirected: %r", request.remote, exc)
        response = web.Response(status=status, headers=_SERVER)
        response.force_close()
        return response


class _PlainServer(web.Server):
    """Makes such connections."""

    def __call__(self) -> RequestHandler:
        """A new connection."""
        return _PlainConnection(self, loop=asyncio.get_running_loop(), **self._kwargs)
