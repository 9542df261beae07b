"""One HTTP/1.1 answer, read out of octets as they come: its status, its Location, its bounded body. RFC 9112.

No socket is here; who asks, and over what, is in `http_connection`.
"""

import zlib
from dataclasses import dataclass
from typing import Any, Final

import httptools

MOST_HEAD: Final = 1 << 16
"""Most octets of an answer before its body."""
ANY_GZIP: Final = 47
"""What zlib calls a gzip or zlib stream with the largest window."""
FIRST_FINAL: Final = 200
"""Statuses below are not the answer yet."""


class HttpError(Exception):
    """No answer that could be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer: HTTP status, Location, and the body, of which at most one octet more than asked is kept."""

    status: int
    location: str | None
    body: bytes


class ReplyReader:
    """Takes octets until `reply` is there; `is_last` is then whether the connection can carry no other.

    A body of more than `most_body` octets is not read to its end: the answer is over with the octet after it.
    """

    def __init__(self, most_body: int) -> None:
        self.reply: Reply | None = None
        self.is_last = False
        self._most = most_body
        self._parser: Any = httptools.HttpResponseParser(self)
        self._head_octets = 0
        self._has_head = False
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._unpacked: Any = None

    def feed(self, data: bytes) -> None:
        """Read on. HttpError for what is no HTTP/1 answer."""
        if not self._has_head:
            self._head_octets += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as flaw:
            cause = flaw.__context__ if isinstance(flaw, httptools.HttpParserCallbackError) else None
            raise HttpError(f"no HTTP: {cause or flaw!r}"[:200]) from flaw
        if not self._has_head and self._head_octets > MOST_HEAD:
            raise HttpError(f"the head of the answer is longer than {MOST_HEAD} octets")
        if self.reply is None and len(self._body) > self._most:
            self._is_whole(is_last=True)

    def end(self) -> None:
        """The connection has ended: the end of a body without a length. HttpError for any other."""
        if self.reply is None:
            if not self._has_head or self._headers.keys() & {b"content-length", b"transfer-encoding"}:
                raise HttpError("the server closed the connection before the end of its answer")
            self._is_whole(is_last=True)

    def on_message_begin(self) -> None:
        """Begin an answer; nobody asked for one after the first."""
        self.is_last = self.reply is not None
        self._headers.clear()
        self._has_head = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; those behind a body say nothing."""
        if not self._has_head:
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Know how the body is packed."""
        self._has_head = True
        packing = self._headers.get(b"content-encoding", b"identity").lower()
        if packing in {b"gzip", b"x-gzip", b"deflate"}:
            self._unpacked = zlib.decompressobj(ANY_GZIP)

    def on_body(self, data: bytes) -> None:
        """Take a part of the body, no more than is wanted of it."""
        room = self._most + 1 - len(self._body)
        if room > 0:
            self._body += self._unpacked.decompress(data, room) if self._unpacked else data[:room]

    def on_message_complete(self) -> None:
        """End the answer, unless it is one that says that another comes."""
        if self.reply is None and self._parser.get_status_code() >= FIRST_FINAL:
            self._is_whole(is_last=not self._parser.should_keep_alive())

    def _is_whole(self, *, is_last: bool) -> None:
        location = self._headers.get(b"location")
        self.is_last = is_last
        self.reply = Reply(
            status=int(self._parser.get_status_code()),
            location=None if location is None else location.decode("utf-8", "surrogateescape"),
            body=bytes(self._body),
        )
