"""Sends pieces of files over HTTP in chunks, a bounded number at once. A shell; reads run in threads."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import BinaryIO, Final

from aiohttp import web

from certs.ending import cut
from sep2_server.errors import Busy, NotFound
from sep2_server.files.ranges import Piece, is_unchanged, piece_of
from sep2_server.messages import Download
from sep2_server.shortcut import SERVER_NAME

CHUNK_OCTETS: Final = 1 << 16

log = logging.getLogger(__name__)


@dataclass(eq=False, frozen=True, slots=True)
class _Turn:
    """A download that has a place: of what, for which connection, and since when (monotonic, s)."""

    download: Download
    transport: asyncio.Transport | None
    began: float


class Downloads:
    """The downloads of one process: `most` at once, others are told to come back after `retry_s`.

    One that takes nothing for `stall_s` is cut. Where a client that has no place wants one, so is the latest
    of the client that has the most, if those are several; else the oldest, once it has had its place for
    `turn_s`: the client goes on where it was with a Range.
    """

    def __init__(self, most: int, retry_s: int, stall_s: int, turn_s: float) -> None:
        self.most = most
        self._retry_s = retry_s
        self._stall_s = stall_s
        self._turn_s = turn_s
        self._turns: dict[_Turn, None] = {}
        """Those that run, the oldest first."""

    @property
    def running(self) -> int:
        """How many there are."""
        return len(self._turns)

    async def send(self, request: web.BaseRequest, download: Download) -> web.StreamResponse:
        """Answer a GET or HEAD of octets. Busy, NotFound or NotSatisfiable come before anything is sent."""
        headers = request.headers
        if is_unchanged(download.etag, headers.get("If-None-Match")):
            return web.Response(status=304, headers=_headers(download))
        asked = headers.get("Range") if request.method == "GET" else None  # RFC 9110, 14.2
        piece = piece_of(download.size, download.etag, asked, headers.get("If-Range"))
        response = _response(download, piece)
        if request.method == "HEAD":
            await response.prepare(request)
            await response.write_eof()
            return response
        with self._place(download, request.transport), _opened(download) as file:
            await response.prepare(request)
            try:
                await self._copy(file, piece, response)
            except OSError as flaw:
                log.warning("%s did not load %s: %r", download.lfdi, download.href, flaw)
                if request.transport is not None:
                    cut(request.transport)
                raise ConnectionResetError("the download broke off") from flaw
        log.info("%s loaded %s: %s octets", download.lfdi, download.href, piece.length)
        return response

    @contextmanager
    def _place(self, download: Download, transport: asyncio.Transport | None) -> Iterator[None]:
        """One of the places, given back whatever happens. Busy where all are taken."""
        if self.running >= self.most:
            self._make_room(download.lfdi)
        turn = _Turn(download, transport, time.monotonic())
        self._turns[turn] = None
        try:
            yield
        finally:
            self._turns.pop(turn, None)

    def _make_room(self, lfdi: str) -> None:
        """End one of several of a client for one that has none, or the oldest whose turn is over. Or Busy."""
        ending = self._further_one(lfdi) or self._oldest()
        if ending is None:
            raise Busy(f"{self.running} downloads", self._retry_s)
        del self._turns[ending]
        told = "%s has loaded %s for %.0f s and makes room for another"
        log.info(told, ending.download.lfdi, ending.download.href, time.monotonic() - ending.began)
        if ending.transport is not None:
            cut(ending.transport)

    def _further_one(self, lfdi: str) -> _Turn | None:
        """The latest download of the client that has the most, if it has several and `lfdi` has none."""
        held = Counter(turn.download.lfdi for turn in self._turns)
        most, count = max(held.items(), key=itemgetter(1), default=("", 0))
        if lfdi in held or count < 2:
            return None
        return next(turn for turn in reversed(self._turns) if turn.download.lfdi == most)

    def _oldest(self) -> _Turn | None:
        """The oldest download, if its turn is over."""
        oldest = next(iter(self._turns), None)
        return oldest if oldest and time.monotonic() - oldest.began >= self._turn_s else None

    async def _copy(self, file: BinaryIO, piece: Piece, response: web.StreamResponse) -> None:
        """Send a piece; TimeoutError where the client takes nothing for too long."""
        await asyncio.to_thread(file.seek, piece.start)
        left = piece.length
        while left:
            part = await asyncio.to_thread(file.read, min(left, CHUNK_OCTETS))
            if not part:
                raise OSError(f"{file.name} is shorter than it was")
            left -= len(part)
            async with asyncio.timeout(self._stall_s):
                await response.write(part)
        await response.write_eof()


@contextmanager
def _opened(download: Download) -> Iterator[BinaryIO]:
    try:
        file = download.path.open("rb")
    except FileNotFoundError as flaw:
        log.log(logging.ERROR, "The octets of %s are not in files_folder: %s", download.href, download.path)
        raise NotFound(download.href) from flaw
    with file:
        yield file


def _headers(download: Download) -> dict[str, str]:
    return {"ETag": download.etag, "Accept-Ranges": "bytes", "Server": SERVER_NAME}


def _response(download: Download, piece: Piece) -> web.StreamResponse:
    headers = {**_headers(download), "Content-Type": "application/octet-stream"}
    if piece.is_part:
        headers["Content-Range"] = piece.content_range(download.size)
    response = web.StreamResponse(status=206 if piece.is_part else 200, headers=headers)
    response.content_length = piece.length
    return response
