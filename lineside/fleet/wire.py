"""HTTP/1.1 over TLS for one device of a fleet: as little as is needed, so that a server costs more than it.

One connection per host, opened where there is none; TLS sessions are resumed.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from certs import CertsError, KnownIssuers, ResumingContext, refuse_reason, resuming_client_context
from schemas import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineside.fleet.identities import Identity
    from lineside.fleet.tally import Tally

MOST_BODY: Final = 1 << 20
MOST_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 307, 308})
WITHOUT_BODY: Final = frozenset({204, 304})


class WireError(Exception):
    """No answer that could be used: the text says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; names of headers are in lower case, `url` is where it came from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(slots=True)
class _Open:
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Wire:
    """The connections of one device."""

    def __init__(self, identity: Identity, root: str, *, timeout_s: float, tally: Tally) -> None:
        self._identity = identity
        self._root = root
        self._timeout_s = timeout_s
        self._tally = tally
        self._contexts: dict[str, ResumingContext] = {}
        self._open: dict[str, _Open] = {}

    async def exchange(self, kind: str, method: str, href: str, body: bytes = b"") -> Reply:
        """Send a request and follow redirects; each exchange is counted as `kind`. WireError, OSError."""
        url = urljoin(self._root, href)
        for _ in range(MOST_REDIRECTS):
            reply = await self._timed(kind, method, url, body)
            if reply.status not in REDIRECTS or "location" not in reply.headers:
                return reply
            url = urljoin(url, reply.headers["location"])
        raise WireError("redirected too often")

    async def close(self) -> None:
        """Close every connection."""
        for known in self._open.values():
            known.writer.close()
        self._open.clear()

    async def _timed(self, kind: str, method: str, url: str, body: bytes) -> Reply:
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(self._timeout_s):
                known = await self._connection(parts.netloc)
                start = time.perf_counter()
                target = parts.path + (f"?{parts.query}" if parts.query else "")
                known.writer.write(_head(method, target or "/", parts.netloc, body) + body)
                status, headers = await _read_head(known.reader)
                content = await _read_body(known.reader, method, status, headers)
        except (OSError, EOFError, TimeoutError, ValueError, CertsError, WireError) as flaw:
            self._drop(parts.netloc)
            self._tally.took(kind, 0, self._timeout_s * 1e3 if isinstance(flaw, TimeoutError) else 0.0)
            raise WireError(f"{type(flaw).__name__}: {flaw}"[:120]) from flaw
        self._tally.took(kind, status, (time.perf_counter() - start) * 1e3)
        if headers.get("connection", "").lower() == "close":
            self._drop(parts.netloc)
        return Reply(status, headers, content, url)

    async def _connection(self, netloc: str) -> _Open:
        known = self._open.get(netloc)
        if known is not None and not known.reader.at_eof() and not known.writer.is_closing():
            return known
        self._drop(netloc)
        context = self._contexts.get(netloc)
        if context is None:
            mine = self._identity
            context = resuming_client_context(mine.certificate, mine.key, mine.roots)
            self._contexts[netloc] = context
        known = self._open[netloc] = await self._connect(netloc, context)
        return known

    async def _connect(self, netloc: str, context: ResumingContext) -> _Open:
        start = time.perf_counter()
        parts = urlsplit(f"//{netloc}")
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port or 443, ssl=context, limit=MOST_BODY
        )
        session = writer.get_extra_info("ssl_object")
        resumed = context.remember(session)
        self._tally.shook(resumed=resumed, latency_ms=(time.perf_counter() - start) * 1e3)
        if not resumed:
            reason = refuse_reason(session, KnownIssuers.from_files(self._identity.roots))
            if reason is not None:
                writer.close()
                raise WireError(f"the server's certificate: {reason.text}")
        return _Open(reader, writer)

    def _drop(self, netloc: str) -> None:
        known = self._open.pop(netloc, None)
        if known is not None:
            known.writer.close()


def _head(method: str, target: str, host: str, body: bytes) -> bytes:
    sent = f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: {MEDIA_TYPE}\r\n{sent}\r\n".encode()


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise WireError(f"no HTTP: {first[:40]}")
    pairs = (line.partition(":") for line in lines if line)
    return int(rest[:3]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _read_body(
    reader: asyncio.StreamReader, method: str, status: int, headers: Mapping[str, str]
) -> bytes:
    if method == "HEAD" or status in WITHOUT_BODY:
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    length = int(headers.get("content-length", "0"))
    if length > MOST_BODY:
        raise WireError(f"a body of {length} octets")
    return await reader.readexactly(length)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        if size + sum(map(len, parts)) > MOST_BODY:
            raise WireError("a body that is too long")
        parts.append((await reader.readexactly(size + 2))[:-2])
    while (await reader.readuntil(b"\r\n")) != b"\r\n":
        continue
    return b"".join(parts)
