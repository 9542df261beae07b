"""Plain HTTP for monitoring on the loopback address: the pages without a token, for this machine alone."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from certs import Door
from sep2_server.process.pages import Page

HOST: Final = "127.0.0.1"
SHUTDOWN_S: Final = 1.0
Pages = Callable[[str], Page | None]


class Monitor:
    """Listens and answers GET with a page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._server = web.Server(self._handle, access_log=None)
        self._door: Door | None = None
        self.url = ""

    async def start(self, port: int) -> None:
        """Listen; with port 0 the system chooses one, and `url` then says which. OSError: it is taken."""
        self._door = Door.at(HOST, port, self._server)
        self.url = f"http://{HOST}:{self._door.port}"

    async def stop(self) -> None:
        """Listen no longer."""
        if self._door is not None:
            await self._door.close()
            await self._server.shutdown(SHUTDOWN_S)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        return response_of(self._pages(request.path), request.method)


def response_of(found: Page | None, method: str) -> web.Response:
    """The response that carries a page; 404 for none, 405 for what is no read."""
    if found is None:
        return web.Response(status=404)
    if method not in {"GET", "HEAD"}:
        return web.Response(status=405, headers={"Allow": "GET, HEAD"})
    headers = {"Content-Type": found.content_type, "Cache-Control": "no-store"}
    return web.Response(status=found.status, body=found.body, headers=headers)
