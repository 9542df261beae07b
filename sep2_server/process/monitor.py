"""Plain HTTP for monitoring on the loopback address: the pages without a token, for this machine alone."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from certs import Door
from sep2_server.process.pages import Page
from sep2_server.process.patience import Patience, PatientConnection, PatientServer

HOST: Final = "127.0.0.1"
SHUTDOWN_S: Final = 1.0
READS: Final = ("GET", "HEAD")
USUAL: Final = Patience(connections=64)
Pages = Callable[[str], Page | None]


class Monitor:
    """Listens and answers GET with a page."""

    def __init__(self, pages: Pages, patience: Patience = USUAL) -> None:
        self._pages = pages
        self._server = PatientServer(self._handle, patience)
        self._door: Door | None = None
        self.url = ""

    async def start(self, port: int) -> None:
        """Listen; with port 0 the system chooses one, and `url` then says which. OSError: it is taken."""
        self._door = Door.at(HOST, port, self._server.receive)
        self.url = f"http://{HOST}:{self._door.port}"

    async def stop(self) -> None:
        """Listen no longer."""
        if self._door is not None:
            await self._door.close()
            await self._server.shutdown(SHUTDOWN_S)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if isinstance(request.protocol, PatientConnection):
            request.protocol.asked()
        found = self._pages(request.path)
        if found is None:
            return _refused(404, f"nothing is at {request.path}", "look at /livez, /readyz or /metrics")
        if request.method not in READS:
            hint = "the pages of monitoring are read"
            return _refused(405, f"{request.method} is not for {request.path}", hint)
        return response_of(found)


def response_of(found: Page) -> web.Response:
    """The response that carries a page."""
    headers = {"Content-Type": found.content_type, "Cache-Control": "no-store"}
    return web.Response(status=found.status, body=found.body, headers=headers)


def _refused(status: int, error: str, hint: str) -> web.Response:
    headers = {"Allow": ", ".join(READS)} if status == 405 else None
    return web.json_response({"error": error, "hint": hint}, status=status, headers=headers)
