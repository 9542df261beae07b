"""A CAN bus over TCP: a socketcand server that gives every frame to all other clients and members.

Stands in for a kernel CAN interface; python-can's `socketcand` interface connects to it unchanged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from certs import Door

from .inbox import FrameInbox
from .socketcand import GREETING, Entered, Reply, SocketcandSession, format_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.device import Fault

    from .frame import CanFrame

log = logging.getLogger(__name__)

_SETTLE_S = 0.1
_MAX_UNSENT_BYTES = 1 << 18


class CanHub:
    """One bus by the name `channel`. `start` opens the port; `join` gives a seat without TCP.

    A client gets frames from 0.1 s after it entered raw mode: python-can takes the reply to that command for
    one whole read, so that a frame right behind it would break its handshake. A client that does not read
    loses frames (`dropped`), it never holds up the others.
    """

    def __init__(self, channel: str = "can0", *, clock: Callable[[], float] = time.monotonic) -> None:
        self.channel = channel
        self.clock = clock
        self.dropped = 0
        self._door: Door | None = None
        self._clients: set[_HubClient] = set()
        self._members: set[HubMember] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 lets the system choose. `OSError` where the address cannot be had."""
        self._door = Door.at(host, port, lambda: _HubClient(self))
        log.info("CAN hub %s listens on %s:%s", self.channel, host, self.port)

    @property
    def port(self) -> int:
        """The TCP port; 0 while the hub does not listen."""
        return 0 if self._door is None else self._door.port

    def join(self) -> HubMember:
        """A seat on the bus for code in this process and event loop."""
        member = HubMember(self)
        self._members.add(member)
        return member

    async def close(self) -> None:
        """Stop listening, part with all clients and members."""
        door, self._door = self._door, None
        if door is not None:
            await door.close()
        for client in tuple(self._clients):
            client.abort()
        for member in tuple(self._members):
            await member.close()

    def broadcast(self, frame: CanFrame, sender: object) -> None:
        """Give the frame to everyone but its sender."""
        line = format_frame(frame, time.time())
        for client in self._clients:
            if client is not sender:
                client.write_frame(line)
        stamped = replace(frame, received_s=self.clock())
        for member in self._members:
            if member is not sender:
                member.inbox.put(stamped)

    def add(self, client: _HubClient) -> None:
        """Count a client in."""
        self._clients.add(client)

    def remove(self, client: _HubClient) -> None:
        """Count a client out."""
        self._clients.discard(client)

    def part(self, member: HubMember) -> None:
        """Take a member's seat away."""
        self._members.discard(member)


class HubMember:
    """A seat in the hub without TCP; a `FramePort`."""

    def __init__(self, hub: CanHub) -> None:
        self.inbox = FrameInbox()
        self._hub = hub

    async def send(self, frame: CanFrame) -> Fault | None:
        """Give the frame to everyone else on the hub; this cannot fail."""
        self._hub.broadcast(frame, self)
        return None

    async def receive(self) -> tuple[CanFrame, ...]:
        """Frames of others since the last call, at least one; none once closed."""
        return await self.inbox.get()

    async def close(self) -> None:
        """Leave the hub."""
        self._hub.part(self)
        self.inbox.close()


class _HubClient(asyncio.Protocol):
    """One TCP connection. Frames of one pass of the event loop leave in one write."""

    def __init__(self, hub: CanHub) -> None:
        self._hub = hub
        self._session = SocketcandSession(hub.channel)
        self._loop = asyncio.get_running_loop()
        self._unsent: list[str] = []
        self._settling: asyncio.TimerHandle | None = None
        self._is_listening = False
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(GREETING.encode("ascii"))
        self._hub.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        log.debug("CAN hub %s: client left: %s", self._hub.channel, exc)
        if self._settling is not None:
            self._settling.cancel()
        self._hub.remove(self)

    def data_received(self, data: bytes) -> None:
        for event in self._session.receive(data):
            if isinstance(event, Reply | Entered):
                self._reply(event)
            else:
                self._hub.broadcast(event, self)

    def write_frame(self, line: str) -> None:
        """Queue a frame for this client if it listens and keeps up."""
        if not self._is_listening or self._transport is None:
            return
        if self._transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            self._hub.dropped += 1
            return
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(line)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _reply(self, event: Reply | Entered) -> None:
        if self._transport is not None:
            self._transport.write(event.text.encode("ascii"))
        if isinstance(event, Entered):
            self._settling = self._loop.call_later(_SETTLE_S, self._listen)

    def _listen(self) -> None:
        self._is_listening = True

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write("".join(self._unsent).encode("ascii"))
        self._unsent.clear()
