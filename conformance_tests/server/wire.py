"""HTTP/1.1 over mutual TLS as the runner speaks it: every request becomes an Exchange, in bounded time.

Redirections are returned, never followed. Connections are kept for the next request to the same origin.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import SplitResult, quote, urlsplit

from certs import TlsError, TlsSession, peer_identity
from certs.ending import cut
from certs.errors import UnreadableError
from conformance_tests.errors import TargetError
from conformance_tests.evidence import Exchange, TlsFacts, kept
from conformance_tests.server.answer import Bounds, Seen, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from certs import TlsContext

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_PORTS: Final = {"https": 443, "http": 80}
_CLOSE_S: Final = 1.0
_AS_THEY_ARE: Final = "%/?:@!$&'()*+,;=~[]"

Origin = tuple[str, str, int]
"""Scheme, host and port."""


def origin_of(uri: str) -> Origin:
    """Where a URI leads; TargetError where it is no http or https URI with a host."""
    try:
        parts = urlsplit(uri)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as flaw:
        raise TargetError(f"{uri[:200]!r} is no URI: {flaw}") from None
    if not parts.hostname or not port:
        raise TargetError(f"{uri[:200]!r} is no http or https URI with a host")
    return parts.scheme, parts.hostname, port


def tls_facts(session: TlsSession | None) -> TlsFacts | None:
    """What was negotiated and presented on a connection; None without TLS."""
    if session is None:
        return None
    cipher = getattr(session, "cipher", lambda: None)()
    version = getattr(session, "version", lambda: None)()
    try:
        peer = peer_identity(session)
    except UnreadableError as error:
        chain: tuple[str, ...] = (f"unreadable: {error}",)
    else:
        chain = tuple(one.subject.rfc4514_string() for one in peer.chain) if peer else ()
    return TlsFacts(version=version or "", suite=cipher[0] if cipher else "", chain=chain)


@dataclass(slots=True, kw_only=True)
class _Connection:
    """An open connection; `is_used` once a request went over it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tls: TlsFacts | None
    is_used: bool = False

    async def close(self) -> None:
        """Close it; one whose peer does not take part is cut off."""
        self.writer.close()
        with contextlib.suppress(OSError, TlsError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self.writer.wait_closed()
        cut(self.writer.transport)


@dataclass(slots=True, kw_only=True)
class Wire:
    """One identity's connections to a target. `now` is the runner's clock, s since 1970.

    `context` is what it presents and trusts. One request at a time goes out; `by` names it in exchanges.
    """

    by: str
    context: TlsContext
    now: Callable[[], float] = time.time
    bounds: Bounds = field(default_factory=Bounds)
    _open: dict[Origin, _Connection] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def request(
        self,
        method: str,
        uri: str,
        headers: Mapping[str, str],
        body: bytes | None,
        keep: Callable[[Exchange], None],
    ) -> Exchange:
        """Send a request with Host and Content-Length beside these headers, and give its exchange to `keep`.

        The exchange that is returned has its bodies whole. Raises TargetError, with the exchange kept,
        where no answer comes within the bounds.
        """
        origin, parts = origin_of(uri), urlsplit(uri)
        given = {name.lower() for name in headers}
        lines = {} if "host" in given else {"Host": parts.netloc.rpartition("@")[2]}
        lines.update(headers)
        if "content-length" not in given and (body is not None or method in {"PUT", "POST"}):
            lines["Content-Length"] = str(len(body or b""))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        octets = f"{method} {_request_target(parts)} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")
        told = _Told(by=self.by, method=method, uri=uri, headers=tuple(lines.items()), body=body or b"")
        async with self._turn:
            return await self._exchange(origin, told, octets, keep)

    async def raw(self, uri: str, octets: bytes, keep: Callable[[Exchange], None]) -> Exchange:
        """Send octets as they are over a new connection, and read one answer."""
        method = octets.split(b" ", 1)[0][:40].decode("latin-1")
        told = _Told(by=self.by, method=method, uri=uri, headers=(), body=octets)
        origin = origin_of(uri)
        async with self._turn:
            await self._drop(origin)
            try:
                return await self._exchange(origin, told, octets, keep)
            finally:
                await self._drop(origin)

    async def close(self) -> None:
        """Close all connections."""
        for origin in list(self._open):
            await self._drop(origin)

    async def _exchange(
        self, origin: Origin, told: _Told, octets: bytes, keep: Callable[[Exchange], None]
    ) -> Exchange:
        at_s, began_s = self.now(), time.monotonic()
        seen, error = Seen(), ""
        try:
            await self._speak(origin, told, octets, seen)
        except TargetError as why:
            error = str(why)
        except TlsError as why:
            error = f"TLS was refused: {why.reason or why}"
            seen.tls = TlsFacts(alert=str(why.reason or why))
        except (OSError, EOFError) as why:
            error = f"no connection: {why or type(why).__name__}"
        except BaseException:
            await self._drop(origin)
            raise
        exchange = told.exchange(seen, at_s=at_s, took_s=time.monotonic() - began_s, error=error)
        keep(replace(exchange, body=kept(exchange.body), request_body=kept(exchange.request_body)))
        if error or seen.closes:
            await self._drop(origin)
        if error:
            raise TargetError(f"{told.method} {told.uri}: {error}")
        return exchange

    async def _speak(self, origin: Origin, told: _Told, octets: bytes, seen: Seen) -> None:
        """Send and read once; anew over a fresh connection where a kept one turns out to be closed."""
        connection, was_used = await self._connection(origin)
        try:
            await self._over(connection, told, octets, seen)
        except (TargetError, OSError):
            await self._drop(origin)
            if not was_used or seen.status is not None or told.method not in IDEMPOTENT:
                raise
        else:
            return
        connection, _ = await self._connection(origin)
        await self._over(connection, told, octets, seen)

    async def _over(self, connection: _Connection, told: _Told, octets: bytes, seen: Seen) -> None:
        seen.tls = connection.tls
        try:
            async with asyncio.timeout(self.bounds.answer_s):
                connection.writer.write(octets)
                await connection.writer.drain()
                await read_answer(connection.reader, told.method, seen, self.bounds)
        except TimeoutError:
            status = (
                f"status {seen.status}, {len(seen.body)} octets of the body" if seen.status else "nothing"
            )
            raise TargetError(f"no whole answer within {self.bounds.answer_s:g} s; {status} came") from None

    async def _connection(self, origin: Origin) -> tuple[_Connection, bool]:
        """The open connection, or a new one; and whether a request went over it before."""
        found = self._open.get(origin)
        if found is not None and (found.reader.at_eof() or found.writer.is_closing()):
            await self._drop(origin)
            found = None
        if found is None:
            found = self._open[origin] = await self._connect(origin)
        was_used, found.is_used = found.is_used, True
        return found, was_used

    async def _connect(self, origin: Origin) -> _Connection:
        scheme, host, port = origin
        try:
            async with asyncio.timeout(self.bounds.connect_s):
                reader, writer = await asyncio.open_connection(
                    host,
                    port,
                    ssl=self.context if scheme == "https" else None,
                    limit=self.bounds.head_octets,
                    ssl_handshake_timeout=self.bounds.connect_s if scheme == "https" else None,
                )
        except TimeoutError:
            raise TargetError(f"no connection within {self.bounds.connect_s:g} s") from None
        session = cast("TlsSession | None", writer.get_extra_info("ssl_object"))
        return _Connection(reader=reader, writer=writer, tls=tls_facts(session))

    async def _drop(self, origin: Origin) -> None:
        connection = self._open.pop(origin, None)
        if connection is not None:
            await connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A request as it is told in evidence."""

    by: str
    method: str
    uri: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def exchange(self, seen: Seen, *, at_s: float, took_s: float, error: str) -> Exchange:
        """The exchange with what came."""
        return Exchange(
            at_s=at_s,
            by=self.by,
            method=self.method,
            uri=self.uri,
            request_headers=self.headers,
            request_body=self.body,
            status=seen.status,
            headers=tuple(seen.headers),
            body=bytes(seen.body),
            octets=len(seen.body),
            took_s=took_s,
            error=error,
            tls=seen.tls,
        )


def _request_target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return quote(f"{path}?{parts.query}" if parts.query else path, safe=_AS_THEY_ARE)
