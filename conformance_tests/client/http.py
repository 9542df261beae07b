"""HTTP/1.1 of the scripted server: requests read under bounds, answers written, also broken ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

MOST_HEAD: Final = 1 << 14
MOST_BODY: Final = 1 << 20
CHUNKED: Final = "chunked"


class BadRequestError(ValueError):
    """What came is no HTTP request that can be read; the connection is of no more use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came; `target` is path and query as sent."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query, and without scheme and host where they were sent."""
        target = self.target.partition("?")[0]
        if target.startswith("https://"):
            return "/" + target.removeprefix("https://").partition("/")[2]
        return target

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """A header, whatever the case of its name; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; Content-Length and Date are added when it is written."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request; None where the client closed between two. BadRequestError, ConnectionError.

    `writer` tells a client to go on that waits for that before its body. RFC 9110, 10.1.1.
    """
    line = await _line(reader)
    if not line:
        return None
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequestError(f"no request line of HTTP/1.1: {line[:80]!r}")
    headers = await _headers(reader)
    given = {name.lower(): value for name, value in headers}
    if given.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if CHUNKED in given.get("transfer-encoding", "").lower():
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(_length(given.get("content-length", "0")))
    return Request(method=parts[0], target=parts[1], headers=headers, body=body)


def written(answer: Answer, date: str, *, is_head: bool = False) -> bytes:
    """The octets of an answer."""
    reason = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Other"
    headers = {"Date": date, "Content-Length": str(len(answer.body)), **answer.headers}
    if answer.status == HTTPStatus.NO_CONTENT:
        del headers["Content-Length"]
    lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (b"" if is_head else answer.body)


async def _headers(reader: asyncio.StreamReader) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    size = 0
    while line := await _line(reader):
        size += len(line)
        name, colon, value = line.partition(":")
        if not colon or size > MOST_HEAD:
            raise BadRequestError(f"no header, or too much of them: {line[:80]!r}")
        found.append((name, value.strip()))
    return tuple(found)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        line = (await _line(reader)).partition(";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError:
            raise BadRequestError(f"no size of a chunk: {line[:20]!r}") from None
        if size == 0:
            await _headers(reader)
            return body
        body += await reader.readexactly(_length(str(size), len(body)))
        await reader.readexactly(2)


def _length(text: str, more: int = 0) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) + more > MOST_BODY:
        raise BadRequestError(f"a body of {text[:20]} octets is not read: at most {MOST_BODY}")
    return int(text)


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        line = await reader.readline()
    except ValueError:
        raise BadRequestError("a line without end") from None
    return line.decode("latin-1").rstrip("\r\n")
