"""The connections of those who post to the client: requests read one by one, each answered by a status.

Bodies are bounded, and so is the time that a request takes. RFC 9112.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools

from certs import TlsSession
from certs.ending import cut
from der_client.http_reply import MOST_HEAD
from der_client.quiet import quiet_of

REQUEST_S: Final = 30.0
"""How long a request may take, from its first octet on, and a connection until its first."""
IDLE_S: Final = 3600.0
"""How long a connection is kept between two requests."""
HELD_S: Final = 0.05
"""How often is looked, s, whether the client has to be quiet no longer."""
POST: Final = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request: method, path, media type and body; `is_cut` says that the body was longer than is read."""

    method: str
    path: str
    media_type: str
    body: bytes
    is_cut: bool


Judge = Callable[[TlsSession, Received], int]
"""The HTTP status of the answer to a request of the peer of a TLS session."""


class HttpAnswering(asyncio.Protocol):
    """One connection; `known` holds those that are open. `gone` is done once nothing of it is left."""

    def __init__(self, judge: Judge, known: set["HttpAnswering"], most_body: int) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._judge = judge
        self._known = known
        self._most = most_body
        self._transport: asyncio.Transport
        self._end: asyncio.TimerHandle
        self._parser: Any = httptools.HttpRequestParser(self)
        self._fields: dict[bytes, bytes] = {}
        self._url = self._held = b""
        self._head_octets = 0
        self._has_head = False
        self._body = bytearray()
        self._whole: list[tuple[Received, bool]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._known.add(self)
        self._end = asyncio.get_running_loop().call_later(REQUEST_S, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._known.discard(self)
        self._end.cancel()
        self.gone.set_result(None)

    def pause_writing(self) -> None:
        """Read nothing from somebody who does not read the answers."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Read a part of a request; what is no HTTP/1 is answered with 400 and nothing more is read.

        While the client has to be quiet nothing is read.
        """
        loop = asyncio.get_running_loop()
        if quiet_of(loop).is_on(loop.time()):
            self._held += data
            self._transport.pause_reading()
            loop.call_later(HELD_S, self._go_on)
            return
        if self._transport.is_closing():
            return
        self._head_octets += 0 if self._has_head else len(data)
        flaw = self._flaw_in(data)
        whole, self._whole = self._whole, []
        for received, is_last in whole:
            status = self._judge(self._transport.get_extra_info("ssl_object"), received)
            self._answer(HTTPStatus(status), is_last=is_last)
            if is_last:
                return
        if flaw is not None:
            self._answer(flaw, is_last=True)

    def _go_on(self) -> None:
        """Read what was held, unless it is still quiet."""
        data, self._held = self._held, b""
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self.data_received(data)

    def _flaw_in(self, data: bytes) -> HTTPStatus | None:
        """What is wrong with octets after the requests that are whole."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return HTTPStatus.BAD_REQUEST
        is_long = not self._has_head and self._head_octets > MOST_HEAD
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if is_long else None

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._fields.clear()
        self._body.clear()
        self._url = b""
        self._has_head = False
        self._wait(REQUEST_S)

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; those behind a body say nothing."""
        if not self._has_head:
            self._fields[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Ask for the body where somebody waits to be asked. RFC 9110, 10.1.1."""
        self._has_head, self._head_octets = True, 0
        if self._fields.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        """Take a part of the body, no more than is wanted of it."""
        self._body += data[: max(0, self._most + 1 - len(self._body))]

    def on_message_complete(self) -> None:
        """End a request."""
        media_type = self._fields.get(b"content-type", b"").partition(b";")[0]
        received = Received(
            method=self._parser.get_method().decode("ascii"),
            path=_path_of(self._url),
            media_type=media_type.strip().lower().decode("latin-1"),
            body=bytes(self._body[: self._most]),
            is_cut=len(self._body) > self._most,
        )
        self._whole.append((received, not self._parser.should_keep_alive()))
        self._body.clear()
        self._wait(IDLE_S)

    def close(self) -> None:
        """Answer nothing more, say goodbye and close."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        cut(self._transport)

    def _wait(self, longest_s: float) -> None:
        self._end.cancel()
        self._end = asyncio.get_running_loop().call_later(longest_s, self._transport.abort)

    def _answer(self, status: HTTPStatus, *, is_last: bool) -> None:
        allowed = f"Allow: {POST}\r\n" if status is HTTPStatus.METHOD_NOT_ALLOWED else ""
        end = "Connection: close\r\n" if is_last else ""
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\n{allowed}{end}\r\n"
        self._transport.write(head.encode("ascii"))
        if is_last:
            self._transport.close()


def _path_of(url: bytes) -> str:
    """The path of a target, decoded; empty for one that cannot be read."""
    try:
        path = httptools.parse_url(url).path
    except httptools.HttpParserInvalidURLError:
        return ""
    return unquote((path or b"").decode("latin-1"))
