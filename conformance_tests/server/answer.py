"""One answer of a server, read from a stream within bounds. RFC 9112.

Whatever comes instead of an answer ends as TargetError; what was seen until then stays in `Seen`.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance_tests.errors import TargetError

if TYPE_CHECKING:
    from conformance_tests.evidence import TlsFacts

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: [^\r\n]*)?")
_HEADER_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_MOST_INTERIM: Final = 8
_STEP: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long the runner waits for a target (s, real time) and how much it reads (octets)."""

    connect_s: float = 15.0
    answer_s: float = 30.0
    head_octets: int = 1 << 16
    body_octets: int = 1 << 22


@dataclass(slots=True, kw_only=True)
class Seen:
    """What came of an answer so far; `closes` where the connection cannot carry another request."""

    tls: TlsFacts | None = None
    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    closes: bool = False

    def all_of(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name]


async def read_answer(reader: asyncio.StreamReader, method: str, seen: Seen, bounds: Bounds) -> None:
    """Fill `seen` with the answer to a request of this method; TargetError for anything else."""
    for _ in range(_MOST_INTERIM):
        head = await _head(reader, bounds)
        _parse_head(head, seen)
        if seen.status is not None and not 100 <= seen.status < 200:
            break
    else:
        raise TargetError(f"more than {_MOST_INTERIM} interim answers")
    await _read_body(reader, method, seen, bounds)


async def _head(reader: asyncio.StreamReader, bounds: Bounds) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise TargetError(f"no end of the headers within {bounds.head_octets} octets") from None
    except asyncio.IncompleteReadError as end:
        if not end.partial:
            raise TargetError("the connection was closed without an answer") from None
        raise TargetError(f"the connection was closed within the headers: {_shown(end.partial)}") from None


def _parse_head(head: bytes, seen: Seen) -> None:
    first, *rest = head[:-4].split(b"\r\n")
    line = _STATUS_LINE.fullmatch(first)
    if line is None:
        raise TargetError(f"the answer is no HTTP/1.1: {_shown(first)}")
    seen.status = int(line[2])
    seen.headers = [_header(one) for one in rest]
    connection = ",".join(seen.all_of("connection")).lower()
    seen.closes = "close" in connection or (line[1] == b"0" and "keep-alive" not in connection)


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not _HEADER_NAME.fullmatch(name):
        raise TargetError(f"no header of HTTP: {_shown(line)}")
    return name.decode("ascii"), value.strip(b" \t").decode("latin-1")


async def _read_body(reader: asyncio.StreamReader, method: str, seen: Seen, bounds: Bounds) -> None:
    if method == "HEAD" or seen.status in {204, 304}:
        return
    codings = [one.strip().lower() for value in seen.all_of("transfer-encoding") for one in value.split(",")]
    lengths = set(seen.all_of("content-length"))
    if codings:
        if codings != ["chunked"] or lengths:
            raise TargetError(f"Transfer-Encoding {', '.join(codings)}: only chunked, alone, can be read")
        await _read_chunks(reader, seen, bounds)
    elif lengths:
        await _read_counted(reader, _length(lengths), seen, bounds)
    else:
        seen.closes = True
        while octets := await reader.read(_STEP):
            _take(octets, seen, bounds)


def _length(lengths: set[str]) -> int:
    if len(lengths) > 1 or not all(one.isascii() and one.isdigit() for one in lengths):
        raise TargetError(f"Content-Length is no number: {', '.join(sorted(lengths))[:80]}")
    return int(lengths.pop()[:18])


async def _read_counted(reader: asyncio.StreamReader, length: int, seen: Seen, bounds: Bounds) -> None:
    if length > bounds.body_octets:
        raise TargetError(f"Content-Length {length}: the runner reads {bounds.body_octets} octets at most")
    left = length
    while left:
        octets = await reader.read(min(left, _STEP))
        if not octets:
            raise TargetError(
                f"the connection was closed after {length - left} of {length} octets of the body"
            )
        left -= len(octets)
        _take(octets, seen, bounds)


async def _read_chunks(reader: asyncio.StreamReader, seen: Seen, bounds: Bounds) -> None:
    while True:
        line = await _line(reader)
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            raise TargetError(f"no size of a chunk: {_shown(line)}")
        length = int(size[1], 16)
        if length == 0:
            break
        await _read_counted(reader, length, seen, bounds)
        if await _line(reader) != b"\r\n":
            raise TargetError("a chunk is longer than it says")
    for _ in range(_MOST_INTERIM):
        if await _line(reader) == b"\r\n":
            return
    raise TargetError("no end of the trailers")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError:
        raise TargetError("a line within the chunks has no end") from None
    except asyncio.IncompleteReadError:
        raise TargetError("the connection was closed within the chunks") from None


def _take(octets: bytes, seen: Seen, bounds: Bounds) -> None:
    seen.body += octets
    if len(seen.body) > bounds.body_octets:
        raise TargetError(f"the body has no end within {bounds.body_octets} octets")


def _shown(octets: bytes) -> str:
    return repr(octets[:60])
