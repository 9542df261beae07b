"""Connections that are not waited for without end: of clients that do not ask, or do not read."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from certs.ending import cut
from sep2_server.process.ending import EndingConnection, EndingServer, NoAccessLog, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Most connections at a time; how long one may be without a request, and leave answers unread, s."""

    connections: int = 256
    idle_s: float = 75
    write_s: float = 30


class PatientConnection(EndingConnection):
    """A connection that is closed where no request has come for long, whatever has come of one.

    It is cut where its client does not read: the answers wait in memory.
    """

    def __init__(self, server: web.Server, patience: Patience) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), access_log_class=NoAccessLog)
        self._patience = patience
        self._asked_at = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look after the time."""
        super().connection_made(transport)
        self._watch = self._loop.call_later(self._patience.idle_s, self._look)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Look no more."""
        super().connection_lost(exc)
        self._forget_stall()
        if self._watch is not None:
            self._watch.cancel()

    def asked(self) -> None:
        """Take note that the head of a request has come whole."""
        self._asked_at = self._loop.time()

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self._loop.call_later(self._patience.write_s, self._give_up)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        self._forget_stall()

    def _give_up(self) -> None:
        self._stalled = None
        if self.transport is not None:
            cut(self.transport)

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _look(self) -> None:
        idle_s = self._patience.idle_s
        left_s = self._asked_at + idle_s - self._loop.time()
        if left_s <= 0 and not self.is_busy:
            self.force_close()
        else:
            self._watch = self._loop.call_later(max(left_s, idle_s / 4), self._look)


class PatientServer(EndingServer):
    """Makes such connections, and closes those that are too many."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        patience: Patience,
        make: Callable[[web.Server, Patience], PatientConnection] = PatientConnection,
    ) -> None:
        super().__init__(handler)
        self._patience = patience
        self._make = make

    def receive(self) -> asyncio.Protocol:
        """A new connection, or the end of one too many."""
        if len(self.connections) >= self._patience.connections:
            return Refused()
        return self._make(self, self._patience)
