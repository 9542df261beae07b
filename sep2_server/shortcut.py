"""Requests whose head is, octet for octet, one that was parsed before: it is not parsed again.

Devices ask the same over and over on connections that they keep. The library that parses HTTP sees each head
once; what it made of it is kept by its octets, where that was a plain request of HTTP/1.1 that was granted.
"""

import re
import time
from asyncio import Future
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, NamedTuple

from aiohttp import HttpVersion11, web

from sep2_server.dispatch import Dispatcher
from sep2_server.messages import Answer, Request

SERVER_NAME: Final = "lineside"
MOST_HEADS: Final = 10_000
"""So many are known; each takes some 700 octets."""
LONGEST_HEAD: Final = 2048
"""Longer ones are not kept, octets: a client may send another each time."""
MOST_OCTETS: Final = 8192
"""Larger bodies take the long way."""
LONG: Final = 16_384
"""A body of more octets is not copied behind the head of its answer."""
PLAIN: Final = frozenset({"GET", "PUT", "POST"})
NOT_PLAIN: Final = frozenset(
    {"Transfer-Encoding", "Content-Encoding", "Upgrade", "Expect", "Connection", "Range"}
)
END: Final = b"\r\n\r\n"
_PAGED: Final = re.compile(rb"GET [^ ?#]+\?([sal]=[0-9]{1,10}(?:&[sal]=[0-9]{1,10}){0,2}) HTTP/1\.1\r\n")
"""A request for a page of a list: which one is all that differs from others."""
_LENGTH: Final = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,5})[ \t]*(?=\r\n)", re.IGNORECASE)
_OTHERWISE: Final = re.compile(rb"\r\n(?:Transfer-Encoding|Expect)[ \t]*:", re.IGNORECASE)
_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_TAIL: Final = f"Server: {SERVER_NAME}\r\nContent-Length: %d\r\nDate: %s\r\n\r\n"
_EMPTY_TAIL: Final = f"Server: {SERVER_NAME}\r\nDate: %s\r\n\r\n"


class Asked(NamedTuple):
    """Who has asked for what, as the log tells it."""

    method: str
    target: str
    lfdi: str
    remote: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a head says: the request without its body, which has so many octets, and who answers it."""

    request: Request
    target: str
    octets: int
    dispatcher: Dispatcher

    def asked(self, lfdi: str, body: bytes, now: int) -> Request:
        """The request that a client makes now."""
        method, path, _, _, query, _, content_type, accept, authority = self.request
        return Request(method, path, lfdi, now, query, body, content_type, accept, authority)

    def at(self, query: str) -> "Known":
        """The same request with another query."""
        target = self.target.partition("?")[0] + "?" + query
        method, path, lfdi, now, _, body, content_type, accept, authority = self.request
        request = Request(method, path, lfdi, now, query, body, content_type, accept, authority)
        return Known(request, target, self.octets, self.dispatcher)


class Heads:
    """The heads that are known; those that came first leave first.

    Heads that ask for other pages of one list are one: a client that pages through a fleet, or asks for what
    starts `a`fter another time each time, is known all the same and takes one place.
    """

    def __init__(self, most: int = MOST_HEADS) -> None:
        self._most = most
        self._known: dict[bytes, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, head: bytes) -> Known | None:
        """What a head says, None where it is not known."""
        paged = _PAGED.match(head)
        if paged is None:
            return self._known.get(head)
        known = self._known.get(head[: paged.start(1)] + head[paged.end(1) :])
        return None if known is None else known.at(paged[1].decode())

    def add(self, head: bytes, known: Known) -> None:
        """Know a head, unless it is long."""
        if len(head) > LONGEST_HEAD:
            return
        paged = _PAGED.match(head)
        if paged is not None:
            head, known = head[: paged.start(1)] + head[paged.end(1) :], known.at("")
        while len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[head] = known

    def clear(self) -> None:
        """Know none any more."""
        self._known.clear()


def octets_behind(head: bytes) -> int:
    """How many octets a head says will follow without more ado; 0 for none, or where that is not plain."""
    said = _LENGTH.findall(head)
    return int(said[0]) if len(said) == 1 and _OTHERWISE.search(head) is None else 0


def is_plain(request: web.BaseRequest, head: bytes, octets: int) -> bool:
    """Whether a request of HTTP/1.1 is its head and so many octets behind it, for every reader of HTTP."""
    lines = head.count(b"\r\n")
    return (
        request.method in PLAIN
        and request.version == HttpVersion11
        and head.count(b"\n") == head.count(b"\r") == lines
        and (request.content_length or 0) == octets <= MOST_OCTETS
        and NOT_PLAIN.isdisjoint(name.title() for name in request.headers)
    )


def octets_of(answer: Answer) -> bytes:
    """The octets of an answer that goes out on a connection which is kept."""
    return head_of(answer) + answer.body


def head_of(answer: Answer) -> bytes:
    """Those of its head."""
    parts = [_LINES[answer.status]]
    parts += [f"{name}: {value}\r\n" for name, value in answer.headers]
    if answer.status == HTTPStatus.NO_CONTENT:
        parts.append(_EMPTY_TAIL % _Date.text())
    else:
        parts.append(_TAIL % (len(answer.body), _Date.text()))
    return "".join(parts).encode()


class _Date:
    """The date of now, made once a second."""

    second = 0
    made = ""

    @classmethod
    def text(cls) -> str:
        now = int(time.time())
        if now != cls.second:
            cls.second, cls.made = now, formatdate(now, usegmt=True)
        return cls.made


Reply = Answer | Future[Answer]
