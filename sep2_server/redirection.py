"""Plain HTTP: every request is sent to the same place under HTTPS. IEEE 2030.5-2018, 6; CSIP ERR-001."""

import asyncio

from aiohttp import web

from sep2_server.uris import target_of


class Redirection:
    """A listener that answers everything with 301, and a request without Host with 400; nothing is read."""

    def __init__(self, host: str, port: int, https_port: int) -> None:
        self._host = host
        self._port = port
        self._https_port = https_port
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, 0 while it is not."""
        return 0 if self._listener is None else int(self._listener.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen."""
        self._server = web.Server(self._redirect, access_log=None)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, self._host, self._port)

    async def stop(self) -> None:
        """Stop listening."""
        if self._listener is not None and self._server is not None:
            self._listener.close()
            await self._server.shutdown(1)
            await self._listener.wait_closed()

    async def _redirect(self, request: web.BaseRequest) -> web.StreamResponse:
        host = request.headers.get("Host")
        if not host:
            return web.Response(status=400)
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        location = f"https://{name}:{self._https_port}{target_of(request.raw_path)}"
        return web.Response(status=301, headers={"Location": location})
