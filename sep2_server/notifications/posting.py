"""One connection to a client's listener: POSTs over it, and who is at its other end.

It goes to an address that was checked before, not to a name; the name is told in SNI and Host. No redirects
are followed, no proxies used.
"""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httptools

from certs import KnownIssuers, peer_identity, refuse_reason
from certs.ending import cut
from sep2_server.notifications.hosts import Address

LARGEST_ANSWER: Final = 1 << 16
"""Most octets of an answer that are read; nobody looks at them."""
MOST_ADDRESSES: Final = 4096
"""notificationURIs whose parts are kept in memory."""
_CONTINUE: Final = 200
"""Statuses below are not the answer yet."""


class DeliveryError(Exception):
    """The listener cannot be reached, is not whom it should be, or gives no answer that can be read."""


class MisdirectedError(DeliveryError):
    """The listener is not one for this subscriber; what others are told there may still arrive."""


class HeldUpError(DeliveryError):
    """Nobody has looked for the listener yet, for other names have no answer: that says nothing about it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Scheme, host and port of a notificationURI."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


@lru_cache(maxsize=MOST_ADDRESSES)
def address_of_listener(uri: str) -> tuple[Endpoint, str]:
    """Scheme, host and port of a notificationURI, and what stands in the request line."""
    parts = urlsplit(uri)
    port = parts.port if parts.port is not None else {"https": 443, "http": 80}.get(parts.scheme, 0)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, parts.hostname or "", port), target


class Posting(asyncio.Protocol):
    """A kept connection that carries one request at a time.

    `allowed` are the places by which it was found to lead where it may, `born` is when it was made, s, and
    `context` with what it is secured.
    """

    def __init__(self, address: Address, born: float = 0.0, context: object = None) -> None:
        self.address = address
        self.born = born
        self.context = context
        self.lfdi: str | None = None
        self.is_open = False
        self.is_used = False
        self.allowed: tuple[object, ...] = ()
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._answer: asyncio.Future[int] | None = None
        self._octets = 0
        self._is_last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. The transports of uvloop are no subclass of asyncio's."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a request that waits has failed."""
        self.is_open = False
        self._fail(f"the connection was lost: {exc or 'closed by the listener'}")

    def data_received(self, data: bytes) -> None:
        """Read a part of the answer."""
        self._octets += len(data)
        if self._answer is None or self._octets > LARGEST_ANSWER:
            self._fail("an answer that is too large or that nobody asked for")
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as flaw:
            self._fail(f"no HTTP: {flaw!r}"[:200])
            self.close()

    def on_message_complete(self) -> None:
        """Take the status, once the answer is whole."""
        status = int(self._parser.get_status_code())
        if status < _CONTINUE:
            return
        self._is_last = not self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)

    def identify(self, issuers: KnownIssuers, *, allow_self_signed: bool) -> None:
        """Settle who the listener is. DeliveryError for a certificate to refuse. IEEE 2030.5-2018, 6.11."""
        session = self._transport.get_extra_info("ssl_object") if self._transport else None
        if session is None:
            return
        reason = refuse_reason(session, issuers, allow_self_signed=allow_self_signed)
        identity = peer_identity(session) if reason is None else None
        if identity is None:
            self.close()
            raise DeliveryError(f"the listener's certificate is refused: {reason.text if reason else 'none'}")
        self.lfdi = identity.lfdi

    async def post(self, endpoint: Endpoint, target: str, body: bytes, media_type: str) -> int:
        """The status of the answer to a POST. DeliveryError where there is none."""
        if self._transport is None or not self.is_open:
            raise DeliveryError("the connection is closed")
        self._parser, self._octets = httptools.HttpResponseParser(self), 0
        self._answer = asyncio.get_running_loop().create_future()
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {endpoint.authority}\r\nContent-Type: {media_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode("ascii") + body)
        try:
            status = await self._answer
        finally:
            self._answer = None
        self.is_used = True
        if self._is_last:
            self.close()
        return status

    def close(self) -> None:
        """Close the connection at once."""
        self.is_open = False
        if self._transport is not None:
            cut(self._transport)

    def _fail(self, text: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(DeliveryError(text))
