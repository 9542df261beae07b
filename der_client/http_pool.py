"""The connections of a client to its server: a few at a time, kept a while for the next request."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohappyeyeballs import start_connection

from certs import TlsContext
from der_client.goodbye import GOODBYE_S, end_all
from der_client.http_connection import HttpConnection, LostError, Request
from der_client.http_reply import HttpError, Reply

MOST_CONNECTIONS: Final = 4
KEEP_S: Final = 75.0
"""How long the last connection is kept without a request."""
SPARE_S: Final = 10.0
"""How long others are kept beside it: each takes a third of a megabyte."""
ATTEMPT_S: Final = 0.25
"""How long one address of a host is tried alone. RFC 8305, 5."""
IDEMPOTENT: Final = frozenset({"GET", "PUT", "DELETE"})


@dataclass(slots=True)
class HttpPool:
    """Connections with one TLS context; `refusal` says after each handshake why the server is to be refused.

    Octets of a body beyond `most_body` are not read.
    """

    context: TlsContext
    refusal: Callable[[asyncio.BaseTransport], str | None]
    most_body: int
    keep_s: float = KEEP_S
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_CONNECTIONS))
    _open: set[HttpConnection] = field(default_factory=set)
    _kept: dict[HttpConnection, asyncio.TimerHandle] = field(default_factory=dict)
    """Connections without a request, the one that was used last at the end, and when they are closed."""

    async def ask(self, request: Request) -> Reply:
        """The answer to a request. HttpError or OSError where there is none.

        A connection that was kept may have ended meanwhile: then a request that may be sent twice goes once
        more, over a fresh one. RFC 9110, 9.2.2.
        """
        async with self._turns:
            kept = self._take(request.place)
            if kept is not None:
                try:
                    return await self._over(kept, request)
                except LostError:
                    if request.method not in IDEMPOTENT:
                        raise
            return await self._over(await self._connect(request), request)

    async def close(self) -> None:
        """Close every connection; one whose end the server does not answer is cut."""
        left = list(self._open)
        await end_all(left)
        for one in left:
            await one.gone

    def _take(self, place: tuple[str, int]) -> HttpConnection | None:
        """The open connection to a place that was used last, if there is one."""
        found = next((one for one in reversed(self._kept) if one.place == place and one.is_open), None)
        if found is not None:
            self._kept.pop(found).cancel()
        return found

    async def _over(self, connection: HttpConnection, request: Request) -> Reply:
        reply = await connection.exchange(request)
        if connection.is_open:
            keep_s = min(self.keep_s, SPARE_S) if self._kept else self.keep_s
            loop = asyncio.get_running_loop()
            self._kept[connection] = loop.call_later(keep_s, connection.close)
        return reply

    async def _connect(self, request: Request) -> HttpConnection:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(*request.place, type=socket.SOCK_STREAM)
        wire = await start_connection(found, happy_eyeballs_delay=ATTEMPT_S)
        transport, connection = await loop.create_connection(
            lambda: HttpConnection(request.place, self.most_body),
            sock=wire,
            ssl=self.context,
            server_hostname=request.name,
            ssl_shutdown_timeout=GOODBYE_S,
        )
        self._open.add(connection)
        connection.gone.add_done_callback(lambda _: self._forget(connection))
        reason = self.refusal(transport)
        if reason is not None:
            connection.abort()
            raise HttpError(f"the server's certificate is refused: {reason}")
        return connection

    def _forget(self, connection: HttpConnection) -> None:
        self._open.discard(connection)
        end = self._kept.pop(connection, None)
        if end is not None:
            end.cancel()
