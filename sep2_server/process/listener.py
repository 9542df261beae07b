"""Accepts connections: bounds first, then the TLS handshake with its time-out, then HTTP."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from certs import Accepting, ServerTls
from sep2_server.process.crowd import Crowd

log = logging.getLogger(__name__)

Factory = Callable[["Guest"], asyncio.Protocol]


class Watcher(Protocol):
    """Who counts what comes of connections."""

    def turned_away(self, why: str) -> None:
        """One was closed before its handshake."""
        ...

    def handshake_failed(self, why: str) -> None:
        """One did not get through its handshake."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Most connections of all and of one address, and how long a handshake may take, s."""

    connections: int
    per_address: int
    handshake_s: int


class Guest:
    """One connection as far as the bounds go; `leave` gives its place to another."""

    __slots__ = ("_crowd", "address")

    def __init__(self, crowd: Crowd, address: str) -> None:
        self._crowd: Crowd | None = crowd
        self.address = address

    def leave(self) -> None:
        """Give the place back, once."""
        crowd, self._crowd = self._crowd, None
        if crowd is not None:
            crowd.leave(self.address)


class Listener:
    """Takes the connections of some sockets until it is closed."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        factory: Factory,
        tls: ServerTls,
        *,
        bounds: Bounds,
        watcher: Watcher,
    ) -> None:
        self._factory = factory
        self._tls = tls
        self._bounds = bounds
        self._watcher = watcher
        self._crowd = Crowd(bounds.per_address)
        self._loop = asyncio.get_running_loop()
        self._shaking: set[asyncio.Task[None]] = set()
        self._accepting = Accepting(sockets, self._receive, lambda: watcher.turned_away("files"))

    @property
    def is_open(self) -> bool:
        """Whether connections are accepted."""
        return self._accepting.is_open

    @property
    def bounds(self) -> Bounds:
        """What new connections have to keep."""
        return self._bounds

    @bounds.setter
    def bounds(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._crowd.most = bounds.per_address

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._accepting.port

    @property
    def connections(self) -> int:
        """How many connections there are, those in their handshake among them."""
        return self._crowd.count

    async def close(self) -> None:
        """Accept nothing more and end the handshakes that are under way."""
        self._accepting.close()
        for task in self._shaking:
            task.cancel()
        if self._shaking:
            await asyncio.wait(self._shaking)

    def _receive(self, accepted: socket.socket, address: str) -> None:
        """Start the handshake with a client, or close where there are enough already."""
        why = "connections" if self._crowd.count >= self._bounds.connections else "address"
        if why == "connections" or not self._crowd.enter(address):
            accepted.close()
            log.warning("A connection of %s was closed: too many (%s)", address, why)
            self._watcher.turned_away(why)
            return
        guest = Guest(self._crowd, address)
        task = self._loop.create_task(self._shake_hands(accepted, guest))
        self._shaking.add(task)
        task.add_done_callback(partial(self._shaken, accepted, guest))

    def _shaken(self, accepted: socket.socket, guest: Guest, task: asyncio.Task[None]) -> None:
        """Let go of what did not get in, also of what was cancelled before its handshake had begun."""
        self._shaking.discard(task)
        flaw = None if task.cancelled() else task.exception()
        if flaw is None and not task.cancelled():
            return
        guest.leave()
        accepted.close()
        if isinstance(flaw, OSError):
            why = reason_of(flaw)
            log.info("TLS handshake with %s failed: %s", guest.address, why)
            self._watcher.handshake_failed(why)
        elif flaw is not None:
            log.error("A connection of %s failed", guest.address, exc_info=flaw)

    async def _shake_hands(self, accepted: socket.socket, guest: Guest) -> None:
        await self._loop.connect_accepted_socket(
            partial(self._factory, guest),
            accepted,
            ssl=self._tls.context,
            ssl_handshake_timeout=self._bounds.handshake_s,
        )


def reason_of(flaw: OSError) -> str:
    """Why a handshake failed, in few words: OpenSSL's reason, or what became of the connection."""
    reason = getattr(flaw, "reason", None)
    if isinstance(reason, str):
        return reason.lower().replace(" ", "_")
    if isinstance(flaw, ConnectionAbortedError | TimeoutError):
        return "timeout"
    return "connection_lost"
