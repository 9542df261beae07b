"""Listening sockets, apart from the event loop's own servers.

Those leave a connection behind that was accepted in the moment of their end; what is here closes it.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Self

from certs.context import TlsContext

BACKLOG: Final = 1024
"""Connections that wait to be accepted; the system's own bound is `net.core.somaxconn`."""
ACCEPTED_AT_ONCE: Final = 64
"""Connections that are taken from the system before others have their turn."""
PAUSE_S: Final = 0.1
"""How long nothing is accepted once the process has no file left for a connection."""
HANDSHAKE_S: Final = 60.0
MOST_ENTERING: Final = 1024
"""TLS handshakes that are under way at a time; who comes then is closed at once."""
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_WITHOUT_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = logging.getLogger(__name__)


def listen(host: str, port: int, *, shared: bool = False) -> list[socket.socket]:
    """Sockets that listen on every address of a host; all have one port, also where 0 lets the system choose.

    What they accept has their options: TCP keep-alive, and no delay of small segments.

    With `shared` further sockets may be bound to the same port: the system spreads connections over them.
    OSError where the port is taken at one of them, or the host has no address here.
    """
    made: list[socket.socket] = []
    missing: OSError | None = None
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, place in dict.fromkeys(found):
            chosen = port or (made[0].getsockname()[1] if made else 0)
            try:
                fresh = socket.socket(family, kind, protocol)
                made.append(_bound(fresh, (place[0], chosen, *place[2:]), shared))
            except OSError as flaw:
                if flaw.errno not in _NOT_HERE:
                    raise
                log.warning("%s of %s is not listened on: %s", place[0], host or "this machine", flaw)
                missing = flaw
    except OSError:
        for one in made:
            one.close()
        raise
    if missing is not None and not made:
        raise missing
    return made


class Accepting:
    """Hands each accepted connection with the address of its client to `receive`, until it is closed."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        receive: Callable[[socket.socket, str], None],
        exhausted: Callable[[], None] = lambda: None,
    ) -> None:
        """`exhausted` hears of connections that wait because the process has no file left."""
        self._sockets = list(sockets)
        self._receive = receive
        self._exhausted = exhausted
        self._loop = asyncio.get_running_loop()
        self.is_open = True
        for one in self._sockets:
            self._loop.add_reader(one, self.accept, one)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._sockets[0].getsockname()[1])

    def close(self) -> None:
        """Accept nothing more."""
        if self.is_open:
            self.is_open = False
            for one in self._sockets:
                self._loop.remove_reader(one)
                one.close()

    def accept(self, listening: socket.socket) -> None:
        """Take what waits at one of the sockets."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, place = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as flaw:
                if flaw.errno not in _WITHOUT_FILES:
                    raise
                self._pause(listening, flaw)
                return
            accepted.setblocking(False)
            self._receive(accepted, str(place[0]))

    def _pause(self, listening: socket.socket, flaw: OSError) -> None:
        """Let connections wait until some file is free again."""
        log.error("No further connection can be accepted: %s", flaw)
        self._exhausted()
        self._loop.remove_reader(listening)
        self._loop.call_later(PAUSE_S, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        if self.is_open:
            self._loop.add_reader(listening, self.accept, listening)


class Door:
    """Makes each connection to its sockets a protocol of `factory`, with TLS where there is a context."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        factory: Callable[[], asyncio.Protocol],
        context: TlsContext | None = None,
        refused: Callable[[str], None] = lambda _: None,
        *,
        most_entering: int = MOST_ENTERING,
    ) -> None:
        """`refused` hears, in words, of each connection that ended in its handshake.

        Of those there are `most_entering` at a time; who comes then is closed at once.
        """
        self._factory = factory
        self._refused = refused
        self._context = context
        self._most_entering = most_entering
        self._loop = asyncio.get_running_loop()
        self._entering: set[asyncio.Task[None]] = set()
        self._accepting = Accepting(sockets, self._receive)

    @classmethod
    def at(
        cls,
        host: str,
        port: int,
        factory: Callable[[], asyncio.Protocol],
        context: TlsContext | None = None,
        refused: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """A door at a host and port; 0 lets the system choose. OSError where the address cannot be had."""
        return cls(listen(host, port), factory, context, refused)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._accepting.port

    async def close(self) -> None:
        """Accept nothing more and end the handshakes that are under way. Connections live on."""
        self._accepting.close()
        for task in self._entering:
            task.cancel()
        if self._entering:
            await asyncio.wait(self._entering)

    def _receive(self, accepted: socket.socket, address: str) -> None:
        if self._context is not None and len(self._entering) >= self._most_entering:
            log.info("No connection with %s: %s handshakes are under way", address, len(self._entering))
            accepted.close()
            return
        task = self._loop.create_task(self._enter(accepted))
        self._entering.add(task)
        task.add_done_callback(partial(self._entered, accepted, address))

    def _entered(self, accepted: socket.socket, address: str, task: asyncio.Task[None]) -> None:
        """Close what did not get in, also what was cancelled before it had begun."""
        self._entering.discard(task)
        flaw = None if task.cancelled() else task.exception()
        if task.cancelled() or flaw is not None:
            accepted.close()
        if isinstance(flaw, OSError):
            log.info("No connection with %s: %s", address, flaw)
            self._refused(str(flaw))
        elif flaw is not None:
            log.error("A connection of %s failed", address, exc_info=flaw)

    async def _enter(self, accepted: socket.socket) -> None:
        await self._loop.connect_accepted_socket(
            self._factory,
            accepted,
            ssl=self._context,
            ssl_handshake_timeout=None if self._context is None else HANDSHAKE_S,
        )


def _bound(made: socket.socket, place: tuple[object, ...], shared: bool) -> socket.socket:
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(place)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
