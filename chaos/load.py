"""Devices that write without a pause, and remember what was acknowledged and when they were not served."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from certs import client_context
from schemas import BASE, Codec, DERStatus, LogEvent

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from certs import Credentials

ANSWER_S: Final = 5.0
PAUSE_S: Final = 0.05
XML: Final = "application/sep+xml"
_CODEC: Final = Codec(BASE)
_LOCATION: Final = re.compile(rb"\r\n[Ll]ocation: ([^\r]+)\r\n")


@dataclass
class Device:
    """One client; it puts its DERStatus, posts log events and reads its programs over one kept connection."""

    identity: Credentials
    port: int
    href: str
    der_href: str = ""
    program_href: str = ""
    context: ssl.SSLContext | None = None
    acknowledged: list[str] = field(default_factory=list)
    put_last: int = 0
    served: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    active: dict[str, float] = field(default_factory=dict)
    number: int = 0

    async def run(self, over: asyncio.Event) -> None:
        """Write and read until `over` is set."""
        i = self.identity
        self.context = client_context(i.certificate_path, i.key_path, i.root_path)
        while not over.is_set():
            try:
                async with asyncio.timeout(ANSWER_S):
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context)
            except (OSError, TimeoutError):
                await asyncio.sleep(PAUSE_S)
                continue
            try:
                while not over.is_set():
                    await self._cycle(reader, writer)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

    async def _cycle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number += 1
        event = LogEvent(
            createdDateTime=int(time.time()),
            extendedData=self.number,
            functionSet=11,
            logEventCode=0,
            logEventID=self.number % 65536,
            logEventPEN=40732,
            profileID=2,
        )
        status, head, _ = await self._ask(reader, writer, "POST", f"{self.href}/lel", _CODEC.encode(event))
        if status == 201:
            found = _LOCATION.search(head)
            self.acknowledged.append(found[1].decode() if found else "")
        put = DERStatus(readingTime=self.number)
        status, _, _ = await self._ask(reader, writer, "PUT", f"{self.der_href}/ders", _CODEC.encode(put))
        if status == 204:
            self.put_last = self.number
        status, _, body = await self._ask(reader, writer, "GET", f"{self.program_href}/actderc?l=255")
        if status == 200:
            now = time.time()
            for mrid in re.findall(rb"<mRID>([0-9A-F]+)</mRID>", body):
                self.active.setdefault(mrid.decode(), now)

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        method: str,
        path: str,
        body: bytes = b"",
    ) -> tuple[int, bytes, bytes]:
        lines = [f"{method} {path} HTTP/1.1", "Host: a", f"Accept: {XML}", f"Content-Length: {len(body)}"]
        lines += [f"Content-Type: {XML}"] if body else []
        async with asyncio.timeout(ANSWER_S):
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            answer = await reader.readexactly(int(length[1])) if length else b""
        status = int(head[9:12])
        if status < 400:
            self.served.append(time.monotonic())
        else:
            self.failures.append(f"{method} {path}: {status}")
            await asyncio.sleep(PAUSE_S)
        return status, head, answer

    async def log_events(self) -> set[str]:
        """URIs of all log events that the server shows."""
        found: set[str] = set()
        async with asyncio.timeout(120):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context)
            while True:
                path = f"{self.href}/lel?s={len(found)}&l=255"
                _, _, body = await self._ask(reader, writer, "GET", path)
                page = {href.decode() for href in re.findall(rb'<LogEvent href="([^"]+)"', body)}
                if not page - found:
                    writer.close()
                    return found
                found |= page

    async def status_number(self) -> int:
        """The number in the DERStatus that the server shows."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context)
        _, _, body = await self._ask(reader, writer, "GET", f"{self.der_href}/ders")
        writer.close()
        found = re.search(rb"<readingTime>(\d+)<", body)
        return int(found[1]) if found else 0

    def longest_gap_s(self, started: float, ends: float, down: Sequence[tuple[float, float]]) -> float:
        """The longest time in which nothing was served, s; what the database was down in it is taken off."""
        times = [started, *self.served, ends]
        gaps = pairwise(times)
        return max(after - before - _shared_s(before, after, down) for before, after in gaps)


def _shared_s(before: float, after: float, down: Sequence[tuple[float, float]]) -> float:
    """How much of the time between two moments lies in the times that are given, s."""
    return sum(max(0.0, min(after, back) - max(before, gone)) for gone, back in down)
