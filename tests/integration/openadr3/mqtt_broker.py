"""As much of an MQTT 3.1.1 broker as a subscriber needs: whole topics, and messages once at most."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

CONNECT, SUBSCRIBE, PINGREQ = 1, 8, 12
CONNACK, PUBLISH, SUBACK, PINGRESP = b"\x20", b"\x30", b"\x90", b"\xd0\x00"


@dataclass
class MqttBroker:
    """The broker. `logins` are user names and passwords as they came; `refuses` lets nobody in."""

    refuses: bool = False
    logins: list[tuple[str, str]] = field(default_factory=list)
    _topics: dict[asyncio.StreamWriter, set[str]] = field(default_factory=dict)
    _server: asyncio.Server | None = None

    async def open(self, port: int = 0) -> int:
        """The port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self.drop()
            await self._server.wait_closed()

    def drop(self) -> None:
        """Lose all connections."""
        for writer in list(self._topics):
            writer.transport.abort()

    @property
    def topics(self) -> set[str]:
        return {topic for topics in self._topics.values() for topic in topics}

    def publish(self, topic: str, payload: bytes) -> None:
        name = topic.encode()
        body = len(name).to_bytes(2, "big") + name + payload
        for writer, topics in self._topics.items():
            if topic in topics:
                writer.write(PUBLISH + length(len(body)) + body)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._topics[writer] = set()
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    kind = (await reader.readexactly(1))[0] >> 4
                    await self._answer(writer, kind, await reader.readexactly(await size(reader)))
        finally:
            del self._topics[writer]
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, kind: int, body: bytes) -> None:
        if kind == CONNECT:
            texts = fields_of(body[10:])
            has_login = bool(body[7] & 0x80)
            self.logins.append((texts[1], texts[2]) if has_login else ("", ""))
            writer.write(CONNACK + b"\x02\x00" + (b"\x05" if self.refuses else b"\x00"))
        elif kind == SUBSCRIBE:
            named = topics_of(body[2:])
            self._topics[writer] |= set(named)
            writer.write(SUBACK + length(2 + len(named)) + body[:2] + b"\x00" * len(named))
        elif kind == PINGREQ:
            writer.write(PINGRESP)


def length(number: int) -> bytes:
    """A remaining length. MQTT 3.1.1, 2.2.3."""
    found = bytearray()
    while True:
        number, digit = divmod(number, 128)
        found.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(found)


async def size(reader: asyncio.StreamReader) -> int:
    found, power = 0, 1
    while True:
        digit = (await reader.readexactly(1))[0]
        found += (digit & 0x7F) * power
        power *= 128
        if not digit & 0x80:
            return found


def fields_of(body: bytes) -> list[str]:
    """Texts with their lengths before them."""
    found = []
    while len(body) >= 2:
        end = 2 + int.from_bytes(body[:2], "big")
        found.append(body[2:end].decode())
        body = body[end:]
    return found


def topics_of(body: bytes) -> list[str]:
    found = []
    while body:
        end = 2 + int.from_bytes(body[:2], "big")
        found.append(body[2:end].decode())
        body = body[end + 1 :]
    return found
