"""The client's own HTTPS listener: who posts must be the server, what is posted is checked.

It decides nothing: each Notification goes to whoever subscribed, whose word is the answer.
IEEE 2030.5-2018, 14.
"""

import logging
from collections.abc import Callable, Collection
from typing import Final

from certs import CertsError, Door, PeerJudge, TlsSession, server_context
from der_client.goodbye import end_all
from der_client.http_answering import POST, HttpAnswering, Received
from der_client.settings import ServerSettings
from owner import SettingsError
from schemas import MEDIA_TYPE, Codec, Malformed, Notification

log = logging.getLogger(__name__)

MOST_BODY: Final = 1 << 20
CREATED, BAD, FORBIDDEN, MISSING, NO_METHOD, TOO_LARGE, NO_TYPE = 201, 400, 403, 404, 405, 413, 415
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
        self._judge = PeerJudge(files.roots, files.certificate)
        self._door: Door | None = None
        self._open: set[HttpAnswering] = set()

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
            self._door = Door.at(host, port, self._connection, context)
        except (OSError, CertsError) as error:
            way_out = "subscription.bind names the address of this machine to listen at (0.0.0.0 or ::: all)"
            raise SettingsError(
                f"subscription: cannot listen at {host}:{port}: {error}; {way_out}"
            ) from error

    async def close(self) -> None:
        """Answer nothing more."""
        if self._door is not None:
            await self._door.close()
        await end_all(self._open)

    def _connection(self) -> HttpAnswering:
        return HttpAnswering(self._status, self._open, MOST_BODY)

    def _status(self, session: TlsSession, request: Received) -> int:
        return self._refusal(session, request) or self._answer(request)

    def _refusal(self, session: TlsSession, request: Received) -> int | None:
        """Why a request is not looked at: who sends it, where, how, or what its type is."""
        lfdi, reason = self._judge.judged(session)
        if lfdi is None or lfdi not in self._peers():
            who = reason.text if reason is not None else lfdi or "nobody"
            log.warning("a Notification of %s is refused: it is not the server", who)
            return FORBIDDEN
        if request.path != self.path:
            return MISSING
        if request.method != POST:
            return NO_METHOD
        return None if request.media_type == MEDIA_TYPE else NO_TYPE

    def _answer(self, request: Received) -> int:
        if request.is_cut:
            return TOO_LARGE
        try:
            note = self._codec().decode(request.body, Notification, most=MOST_BODY)
        except Malformed as flaw:
            log.warning("a Notification cannot be used: %s", flaw)
            return BAD
        return CREATED if self._take(note) else BAD
