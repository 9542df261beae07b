"""The client's own HTTPS listener: who posts must be the server, what is posted is checked.

It decides nothing: each Notification goes to whoever subscribed, whose word is the answer.
IEEE 2030.5-2018, 14.
"""

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from aiohttp import hdrs, web

from certs import CertsError, Door, KnownIssuers, judged_peer, server_context
from der_client.errors import SettingsError
from der_client.settings import ServerSettings
from schemas import MEDIA_TYPE, Codec, Malformed, Notification

log = logging.getLogger(__name__)

MOST_BODY: Final = 1 << 20
CREATED, BAD, FORBIDDEN, MISSING, NO_METHOD, TOO_LARGE, NO_TYPE = 201, 400, 403, 404, 405, 413, 415
CLOSE_S: Final = 0.5
OnNotification = Callable[[Notification], bool]
"""Takes a Notification; False for one that cannot be used."""


class Listener:
    """Answers POSTs of Notifications at one path; `peers` are the LFDIs that may post."""

    def __init__(
        self,
        files: ServerSettings,
        codec: Callable[[], Codec],
        path: str,
        peers: Callable[[], Collection[str]],
    ) -> None:
        self.path = path
        self._files = files
        self._codec = codec
        self._peers = peers
        self._take: OnNotification = lambda _: False
        self._issuers = KnownIssuers.from_files(files.roots, files.certificate)
        self._door: Door | None = None
        self._server: web.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._door is None:
            raise RuntimeError("the listener is not open")
        return self._door.port

    async def open(self, host: str, port: int, take: OnNotification) -> None:
        """Listen at a host and port (0: any). SettingsError where the address cannot be had."""
        files = self._files
        self._take = take
        try:
            context = server_context(files.certificate, files.key, files.roots, strict=files.strict_ciphers)
            self._server = web.Server(self._handle, access_log=None)
            self._door = Door.at(host, port, self._server, context)
        except (OSError, CertsError) as error:
            raise SettingsError(f"subscription: cannot listen at {host or '*'}:{port}: {error}") from error

    async def close(self) -> None:
        """Answer nothing more."""
        if self._door is not None:
            await self._door.close()
        if self._server is not None:
            self._server.pre_shutdown()
            await self._server.shutdown(CLOSE_S)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        status = self._refusal(request) or await self._answer(request)
        headers = {hdrs.ALLOW: "POST"} if status == NO_METHOD else {}
        return web.Response(status=status, headers=headers)

    def _refusal(self, request: web.BaseRequest) -> int | None:
        """Why a request is not looked at: who sends it, where, how, or what its type is."""
        session = request.get_extra_info("ssl_object")
        identity, reason = judged_peer(session, self._issuers) if session is not None else (None, None)
        if identity is None or reason is not None or identity.lfdi not in self._peers():
            who = reason.text if reason is not None else identity.lfdi if identity else "nobody"
            log.warning("a Notification of %s is refused: it is not the server", who)
            return FORBIDDEN
        if request.path != self.path:
            return MISSING
        if request.method != hdrs.METH_POST:
            return NO_METHOD
        return None if request.content_type == MEDIA_TYPE else NO_TYPE

    async def _answer(self, request: web.BaseRequest) -> int:
        body = b""
        with suppress(web.HTTPRequestEntityTooLarge):
            body = await request.read()
        if not body:
            return TOO_LARGE if request.content_length else BAD
        try:
            note = self._codec().decode(body, Notification, most=MOST_BODY)
        except Malformed as flaw:
            log.warning("a Notification cannot be used: %s", flaw)
            return BAD
        return CREATED if self._take(note) else BAD
