"""One connection: who is at the other end, settled once after the handshake; the errors of HTTP itself."""

import asyncio
import logging
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from time import time
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

from certs import LFDI, Finding, KnownIssuers, TlsSession, admission
from certs.ending import cut
from schemas.codes import ErrorReason
from sep2_server.environment import Environment
from sep2_server.errors import BadRequest, LimitReached, UnknownMethod
from sep2_server.messages import Answer
from sep2_server.process.crowd import Crowd
from sep2_server.process.ending import EndingServer, NoAccessLog
from sep2_server.process.listener import Guest
from sep2_server.quick_handler import Desk, QuickHandler
from sep2_server.settings import Settings
from sep2_server.shortcut import SERVER_NAME, Asked

LINGERING_S: Final = 1.0
"""How long the rest of a refused body is read, so that the client sees the answer."""
DAY_S: Final = 86_400
AGES_S: Final = 36_525 * DAY_S
"""Certificates that are valid for so long have no end: those of devices say 9999. IEEE 2030.5-2018, 6.11."""
_AT_ONCE: Final = struct.pack("ii", 1, 0)
_REQUEST_LINE: Final = re.compile(r"b['\"][!#$%&*+.^_`|~0-9A-Za-z-]+ \S+ HTTP/1\.[01]['\"]")

log = logging.getLogger(__name__)


def response_of(answer: Answer) -> web.Response:
    """The response that carries an answer."""
    response = web.Response(status=answer.status, body=answer.body or None, headers=answer.headers)
    response.headers["Server"] = SERVER_NAME
    return response


class Connection(QuickHandler):
    """A connection of one client. `lfdi` is None where it showed no certificate, or one to be refused."""

    def __init__(
        self,
        server: web.Server,
        *,
        environment: Environment,
        issuers: KnownIssuers,
        keep_alive_s: int,
        crowd: Crowd,
        guest: Guest,
        desk: Desk,
    ) -> None:
        super().__init__(
            server,
            desk,
            loop=asyncio.get_running_loop(),
            access_log_class=NoAccessLog,
            keepalive_timeout=keep_alive_s,
            lingering_time=LINGERING_S,
            auto_decompress=False,
        )
        self._environment = environment
        self._issuers = issuers
        self._crowd = crowd
        self._guest = guest
        self._expiry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Settle who the client is. IEEE 2030.5-2018, 6.11; CSIP COMM-004 D to G."""
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        allowed = self._environment.rules.allow_self_signed
        found = admission(session, self._issuers, allow_self_signed=allowed)
        if isinstance(found, Finding):
            self._desk.meter.count("lineside_handshakes_total", result="refused", reason=found.rule)
            peer = transport.get_extra_info("peername")
            log.warning("Certificate of %s refused: %s (%s)", peer, found.text, found.rule)
            if self._environment.rules.refused_certificate == "close":
                self.force_close()
        else:
            self._desk.meter.count("lineside_handshakes_total", result=_result_of(session), reason="")
            self._settle(None if found is None else found.lfdi)
            if found is not None:
                self._end_at(found.expires)
        _forget_certificate(transport)

    def _end_at(self, expires: float) -> None:
        """Close when the certificate expires (s since 1970 UTC): no new connection would be let in then."""
        left_s = expires - time()
        if left_s > AGES_S:
            return
        if left_s > 0:
            self._expiry = self._loop.call_later(min(left_s, DAY_S), self._end_at, expires)
        elif self.transport is not None:
            log.warning("The certificate of %s has expired; its connection was closed", self.lfdi)
            self.force_close()

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever: what it asked for takes memory."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self._loop.call_later(self._environment.settings.write_s, self._give_up)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        self._forget_stall()

    def _give_up(self) -> None:
        self._stalled = None
        log.warning("%s does not read what it asked for; its connection was closed", self.lfdi)
        if self.transport is not None:
            _forget_unsent(self.transport)
            cut(self.transport)

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another connection of the client."""
        super().connection_lost(exc)
        self._forget_stall()
        if self._expiry is not None:
            self._expiry.cancel()
        self._guest.leave()
        if self.lfdi is not None:
            self._crowd.leave(self.lfdi)
            self.lfdi = None

    def _settle(self, lfdi: LFDI | None) -> None:
        """Let the client in; close where it has too many connections already."""
        if lfdi is None or self._crowd.enter(lfdi):
            self.lfdi = lfdi
        else:
            log.warning("%s has too many connections; one more was closed", lfdi)
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, and what failed in the server: that is logged once and never shown.

        The access log has it as any other request; of what is no HTTP, method and target are not known.
        """
        if status < 500:
            answer = self._environment.refusal(flaw_of(exc, message))
            log.warning("Not a request of %s: %s", request.remote, (message or "").partition("\n")[0])
        elif isinstance(exc, ConnectionError) and request.transport is None:
            answer = self._environment.refusal(BadRequest("the client went away"))
            log.info("%s went away before its request was whole", request.remote)
        else:
            answer = self._environment.failure
            log.error("A request failed", exc_info=exc)
        asked = Asked(request.method, request.raw_path, self.lfdi or "", request.remote or "")
        self._desk.note(asked, answer, len(answer.body), 0.0, 0)
        response = response_of(answer)
        response.force_close()
        return response


def identity_of(request: web.BaseRequest) -> str | None:
    """LFDI of the client of a request, None for one without a certificate that is admitted."""
    connection = request.protocol
    return connection.lfdi if isinstance(connection, Connection) else None


def accept_of(request: web.BaseRequest) -> str | None:
    """The Accept headers of a request as one; None where there is none."""
    return ",".join(request.headers.getall("Accept")) if "Accept" in request.headers else None


async def body_of(request: web.BaseRequest, most: int) -> bytes:
    """The body of a request. LimitReached for more than `most` octets, of which few are read."""
    parts: list[bytes] = []
    octets = 0
    async for part in request.content.iter_any():
        octets += len(part)
        if octets > most:
            raise LimitReached(f"more than {most} octets")
        parts.append(part)
    return b"".join(parts)


def _forget_certificate(transport: asyncio.BaseTransport) -> None:
    """Empty the decoded certificate that the event loop keeps for each connection: nobody asks for it."""
    decoded = transport.get_extra_info("peercert")
    if isinstance(decoded, dict):
        decoded.clear()


def _forget_unsent(transport: asyncio.BaseTransport) -> None:
    """Let the system reset the connection: what is unsent is kept for nobody."""
    line = transport.get_extra_info("socket")
    if line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)


def _result_of(session: TlsSession) -> str:
    return "resumed" if getattr(session, "session_reused", False) else "full"


def flaw_of(exc: BaseException | None, message: str | None) -> BadRequest | UnknownMethod:
    """A request line with a method that HTTP knows not, or no request at all. IEEE 2030.5-2018, 4.6."""
    if isinstance(exc, BadHttpMethod) and _REQUEST_LINE.search(message or ""):
        return UnknownMethod("the method is not known")
    return BadRequest("not a request", ErrorReason.INVALID_FORMAT)


class Connections(EndingServer):
    """Makes connections of our kind."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        environment: Environment,
        issuers: KnownIssuers,
        keep_alive_s: int,
        desk: Desk,
    ) -> None:
        super().__init__(handler)
        self._desk = desk
        self._environment = environment
        self._issuers = issuers
        self._keep_alive_s = keep_alive_s
        self._crowd = Crowd(environment.settings.connections_per_client)

    def bound(self, settings: Settings) -> None:
        """Hold later connections to these settings."""
        self._keep_alive_s = settings.keep_alive_s
        self._crowd.most = settings.connections_per_client

    def receive(self, guest: Guest) -> Connection:
        """A new connection, which leaves when it is lost."""
        return Connection(
            self,
            environment=self._environment,
            issuers=self._issuers,
            keep_alive_s=self._keep_alive_s,
            crowd=self._crowd,
            guest=guest,
            desk=self._desk,
        )
