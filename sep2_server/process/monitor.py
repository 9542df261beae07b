"""Plain HTTP for monitoring on the loopback address: the pages without a token, for this machine alone."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from sep2_server.process.pages import Page
from sep2_server.process.sockets import listen

HOST: Final = "127.0.0.1"
Pages = Callable[[str], Page | None]


class Monitor:
    """Listens and answers GET with a page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1.0)
        self.url = ""

    async def start(self, port: int) -> None:
        """Listen; with port 0 the system chooses one, and `url` then says which. OSError: it is taken."""
        await self._runner.setup()
        for one in listen(HOST, port):
            await web.SockSite(self._runner, one).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Listen no longer."""
        await self._runner.cleanup()

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
