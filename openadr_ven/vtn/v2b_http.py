"""The 2.0b VTN of tests and demos on HTTP. OpenADR 2.0b, R511 and HTTP codes."""

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from certs import TlsContext
from openadr_ven.v2b.document import MEDIA_TYPE, MOST_OCTETS
from openadr_ven.v2b.http import PATH
from openadr_ven.vtn.v2b import Fault, Vtn


class VtnServer:
    """A listener for one VTN: `port` is known once it has started."""

    def __init__(self, vtn: Vtn, context: TlsContext | None, now: Callable[[], float] = time.time) -> None:
        self._vtn = vtn
        self._context = context
        self._now = now
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 lets the system choose."""
        app = web.Application(client_max_size=MOST_OCTETS)
        app.router.add_route("*", f"/{PATH}/{{service}}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method != "POST":
            return web.Response(status=501)
        if request.content_type != MEDIA_TYPE or "chunked" in request.headers.get("Transfer-Encoding", ""):
            return web.Response(status=406)
        body = await request.read()
        if Fault.HANGING in self._vtn.faults:
            await asyncio.Event().wait()
        tls = request.transport.get_extra_info("ssl_object") if request.transport else None
        peer = None if tls is None else tls.getpeercert(binary_form=True)
        reply = self._vtn.answer(request.match_info["service"], body, self._now(), peer)
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)
