"""Our webhook: a small server that a VTN calls. Who does not know the token is not heard.

OpenADR 3.1.0, subscriptions: the VTN first asks for an echo, then posts notifications.
"""

import hmac
import logging
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from openadr_ven.v3.bounded import parsed
from openadr_ven.v3.errors import FlawError, UnreadableError
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.objects import Notification
from openadr_ven.v3.ports import Webhook
from openadr_ven.v3.read_objects import read_notification
from openadr_ven.v3.version import Version

log: Final = logging.getLogger(__name__)
MOST_BYTES: Final = 1_000_000
LONGEST_ECHO: Final = 1_000


class Listener:
    """The server. `take` gets each notification, and says whether there is room for it."""

    def __init__(
        self, webhook: Webhook, version: Version, token: str, take: Callable[[Notification], bool]
    ) -> None:
        self._webhook, self._version, self._token, self._take = webhook, version, token, take
        self._runner: web.AppRunner | None = None
        self.port = webhook.port

    async def open(self) -> None:
        """Listen. Raises OSError where the address is taken."""
        app = web.Application(client_max_size=MOST_BYTES)
        path = urlsplit(self._webhook.url).path or "/"
        app.router.add_get(path, self._echo)
        app.router.add_post(path, self._notified)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self._webhook.host, self._webhook.port, ssl_context=self._webhook.tls
        )
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _echo(self, request: web.Request) -> web.Response:
        word = request.query.get("echo", "")
        if not word or len(word) > LONGEST_ECHO:
            return web.Response(status=400)
        return web.Response(
            text=word, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"}
        )

    async def _notified(self, request: web.Request) -> web.Response:
        said = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(said.encode(errors="replace"), self._token.encode()):
            log.warning("a notification without our token is not heard")
            return web.Response(status=401)
        try:
            found = read_notification(parsed(await request.read()), self._version, Notes())
        except (UnreadableError, FlawError) as error:
            log.warning("a notification cannot be read: %s", error)
            return web.Response(status=400)
        return web.Response(status=200 if self._take(found) else 503)
