"""One kept HTTPS connection to a server, which carries one request at a time. RFC 9112."""

import asyncio
from dataclasses import dataclass
from typing import Self, cast
from urllib.parse import quote, urlsplit

from certs.ending import cut
from der_client.http_reply import HttpError, Reply, ReplyReader

HTTPS_PORT = 443
SAFE_IN_PATH = "/%:@!$&'()*+,;=~"
SAFE_IN_QUERY = SAFE_IN_PATH + "?"


class LostError(HttpError):
    """The connection ended before an answer came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: to which `place` it goes, a host and a port, the head that is sent, and the body."""

    place: tuple[str, int]
    method: str
    head: bytes
    body: bytes

    @classmethod
    def of(cls, method: str, url: str, fields: dict[str, str], body: bytes | None = None) -> Self:
        """The request to an https URL with these header fields. ValueError for a URL that leads nowhere."""
        parts = urlsplit(url)
        if not parts.hostname or "@" in parts.netloc:
            raise ValueError("a URL without a host, or with a user")
        port = HTTPS_PORT if parts.port is None else parts.port
        target = quote(parts.path, safe=SAFE_IN_PATH) or "/"
        if parts.query:
            target += "?" + quote(parts.query, safe=SAFE_IN_QUERY)
        sized = {} if body is None else {"Content-Length": str(len(body))}
        sent = {"Host": _authority(parts.hostname, port), **fields, **sized, "Accept-Encoding": "gzip"}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
        return cls(place=(parts.hostname, port), method=method, head=head, body=body or b"")

    @property
    def name(self) -> str:
        """The host as TLS names it: without the zone of a link-local address."""
        return self.place[0].partition("%")[0]


def _authority(host: str, port: int) -> str:
    """What stands in the Host field. ValueError for what is no name of a host. RFC 9110, 7.2; RFC 6874."""
    if any(letter.isspace() or not letter.isprintable() for letter in host):
        raise ValueError(f"{host!r} is no name of a host")
    name = f"[{host.partition('%')[0]}]" if ":" in host else host.encode("idna").decode("ascii")
    return name if port == HTTPS_PORT else f"{name}:{port}"


class HttpConnection(asyncio.Protocol):
    """A connection to a place; `is_open` until one side ends it, `gone` once nothing of it is left."""

    def __init__(self, place: tuple[str, int], most_body: int) -> None:
        self.place = place
        self.is_open = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._most = most_body
        self._transport: asyncio.Transport | None = None
        self._reader: ReplyReader | None = None
        self._answer: asyncio.Future[Reply] | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """What carries it. LostError before it is open."""
        if self._transport is None:
            raise LostError("the connection is not open")
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Read a part of the answer; octets that nobody asked for end the connection."""
        if self._reader is None:
            self.close()
            return
        try:
            self._reader.feed(data)
        except HttpError as flaw:
            self._fail(flaw)
            return
        self._settle()

    def eof_received(self) -> bool:
        """End, and with it a body that has no length."""
        self.is_open = False
        if self._reader is not None:
            try:
                self._reader.end()
            except HttpError as flaw:
                self._fail(LostError(str(flaw)))
            else:
                self._settle()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a request that waits has failed."""
        self.is_open = False
        self._fail(LostError(f"the connection was lost: {exc or 'closed by the server'}"))
        if not self.gone.done():
            self.gone.set_result(None)

    async def exchange(self, request: Request) -> Reply:
        """The answer to a request. HttpError where there is none; the connection is then closed."""
        if not self.is_open:
            raise LostError("the connection is closed")
        self._reader = ReplyReader(self._most)
        self._answer = asyncio.get_running_loop().create_future()
        reply = None
        self.transport.write(request.head + request.body)
        try:
            reply = await self._answer
        finally:
            is_last = self._reader.is_last
            self._reader = self._answer = None
            if reply is None:
                self.abort()
            elif is_last:
                self.close()
        return reply

    def close(self) -> None:
        """Say goodbye and close."""
        self.is_open = False
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self.is_open = False
        if self._transport is not None:
            cut(self._transport)

    def _settle(self) -> None:
        if self._reader is not None and self._reader.reply is not None:
            self._give(self._reader.reply)

    def _give(self, reply: Reply) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)

    def _fail(self, flaw: HttpError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(flaw)
