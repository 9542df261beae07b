"""Clients that mean harm, many at a time: each is a socket that sends what it is told and never waits."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tests.integration.process.site_process import SiteProcess

CONNECT_S: Final = 30.0
ROUND_S: Final = 1.0
_GONE: Final = (ssl.SSLError, OSError)
_LATER: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)


class Caller:
    """One connection; `is_closed` once the server has closed it, `heard` is what it answered."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        raw = socket.socket()
        raw.settimeout(CONNECT_S)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        raw.connect(("127.0.0.1", port))
        self.line: socket.socket = raw if context is None else context.wrap_socket(raw)
        self.line.setblocking(False)
        self.heard = b""
        self.is_closed = False

    def send(self, octets: bytes) -> int:
        """Send as much as is taken at once; how much that was."""
        try:
            return self.line.send(octets)
        except _LATER:
            return 0
        except _GONE:
            self.is_closed = True
            return 0

    def listen(self) -> None:
        """Take what has come."""
        try:
            part = self.line.recv(65_536)
        except _LATER:
            return
        except _GONE:
            part = b""
        self.heard += part
        self.is_closed = self.is_closed or not part


@contextmanager
def callers(site: SiteProcess, context: ssl.SSLContext | None, count: int) -> Iterator[list[Caller]]:
    """So many connections; without a context they never speak TLS."""
    made: list[Caller] = []
    try:
        made.extend(Caller(site.port, context) for _ in range(count))
        yield made
    finally:
        for one in made:
            one.line.close()


def until_closed(crowd: list[Caller], within_s: float, act: Callable[[Caller], object]) -> float:
    """Let every caller act once a second until the server has closed them all; how long that took, s."""
    began = time.monotonic()
    while left := [one for one in crowd if not one.is_closed]:
        assert time.monotonic() < began + within_s, f"{len(left)} of {len(crowd)} are still connected"
        for one in left:
            act(one)
        time.sleep(ROUND_S)
    return time.monotonic() - began
