"""Simple HTTP of 2.0b on aiohttp: one POST for each message, never chunked, bounded in size and time.

OpenADR 2.0b, R511 and HTTP codes.
"""

from types import TracebackType
from typing import Final, Self

import aiohttp

from certs import PinningContext
from openadr_ven.v2b.document import MEDIA_TYPE, MOST_OCTETS
from openadr_ven.v2b.errors import Malformed, Refused, TransportError
from openadr_ven.v2b.messages import Service

PATH: Final = "OpenADR2/Simple/2.0b"
LEAST_TIMEOUT_S: Final = 5.0
"""A VEN waits at least so long for an answer."""
TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same message may be sent again."""


def url_of(base: str, service: Service) -> str:
    """The URL of a service under the address of a VTN. OpenADR 2.0b, R511."""
    return f"{base.rstrip('/')}/{PATH}/{service}"


class HttpTransport:
    """The way to one VTN over HTTP. `context` None is plain HTTP, for a proxy or a test on this machine."""

    def __init__(self, base: str, context: PinningContext | None, timeout_s: float = 15.0) -> None:
        if timeout_s < LEAST_TIMEOUT_S:
            raise ValueError(f"a time-out of {timeout_s} s, less than {LEAST_TIMEOUT_S} s")
        self._base = base
        self._context = context
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._context or False, limit=2)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def peer(self) -> bytes | None:
        """The certificate of the VTN in the last handshake."""
        return None if self._context is None else self._context.peer

    async def send(self, service: Service, body: bytes) -> bytes:
        """The body of the answer.

        Raises TransportError where none came, Refused for a status that stays, Malformed for what is no XML
        or too large.
        """
        if self._session is None:
            raise TransportError("the connection is closed")
        headers = {"Content-Type": MEDIA_TYPE, "Accept-Encoding": "identity"}
        try:
            async with self._session.post(
                url_of(self._base, service), data=body, headers=headers, allow_redirects=False
            ) as answer:
                return await _body_of(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error


async def _body_of(answer: aiohttp.ClientResponse) -> bytes:
    if answer.status in TRANSIENT:
        raise TransportError(f"HTTP {answer.status}")
    if answer.status != 200:
        raise Refused(answer.status)
    if answer.content_type not in {MEDIA_TYPE, "text/xml"}:
        raise Malformed(f"content type {answer.content_type:.60}")
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > MOST_OCTETS:
            raise Malformed(f"more than {MOST_OCTETS} octets")
        parts.append(part)
    return b"".join(parts)
