"""A second worker: at least 1.7 times the requests per second of one.

The client encrypts many requests at once, looks for answers every few ms and only counts their octets, which
are all alike: it takes a small part of the two cores. The ratio is told twice: as measured, and by CPU of the
busiest worker, in which the client and others have no part; each beside that of bare handlers which share a
port, which is what the machine gives.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import statistics
import time
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from bench.comparing import Case, answer_of
from bench.measure import Result
from bench.stand import DEVICE, files_of
from bench.wire import BIG, request
from certs import client_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stand import Running, Stand

BAR: Final = 1.7
CONNECTIONS: Final = 128
"""So many that chance gives each of two workers about half of them."""
PIPELINED: Final = 25
SECONDS: Final = 2.0
ROUNDS: Final = 7
"""With one worker and with two in turn: a machine that others use changes its speed between them."""
PAUSE_S: Final = 0.005
"""Less than the servers need for what is under way."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What one run did: requests, seconds, CPU of the server and of its busiest worker."""

    requests: int
    seconds: float
    cpu_s: float
    busiest_s: float

    @property
    def per_s(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def capacity(self) -> float:
        """Requests per second of the busiest worker's CPU: what all do when nobody else takes the cores."""
        return self.requests / self.busiest_s


def measure(stand: Stand) -> list[Result]:
    """Throughput with one worker and with two, medians of rounds in turn; the same of bare handlers."""
    case = Case(name="EndDevice", path=stand.paths["EndDevice"], bar=BAR)
    with stand.server() as server:
        answers = [answer_of(stand, server, case)]
    ours: dict[int, list[Speed]] = {1: [], 2: []}
    bare: dict[int, list[Speed]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for workers in (1, 2):
            with stand.server(workers=workers) as server:
                ours[workers].append(_drive(stand, server))
            with stand.floor(answers, processes=workers) as floor:
                bare[workers].append(_drive(stand, floor))
    return [
        _result("second worker, requests per second as measured", ours, bare, attrgetter("per_s")),
        _result(
            "second worker, requests per second of CPU of the busiest worker",
            ours,
            bare,
            attrgetter("capacity"),
        ),
    ]


def _result(
    name: str, ours: dict[int, list[Speed]], bare: dict[int, list[Speed]], of: Callable[[Speed], float]
) -> Result:
    one, two, bare_one, bare_two = (
        statistics.median(map(of, speeds[workers])) for speeds in (ours, bare) for workers in (1, 2)
    )
    return Result(
        name=name,
        ours=two,
        floor_value=one,
        floor="one worker",
        unit="/s",
        bar=BAR,
        at_least=True,
        note=f"two bare handlers instead of one: {bare_two / bare_one:.2f} x",
    )


def _drive(stand: Stand, server: Running) -> Speed:
    """Keep PIPELINED requests under way on every connection for a while."""
    octets = request("GET", stand.paths["EndDevice"])
    context = client_context(*files_of(stand.pki.credentials(DEVICE)))
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as ready:
        wires = [Counter(server.port, context, octets) for _ in range(CONNECTIONS)]
        for wire in wires:
            stack.enter_context(wire.socket)
            ready.register(wire.socket, selectors.EVENT_READ, wire)
        before, start = _cpu(server), time.monotonic()
        for wire in wires:
            wire.ask(PIPELINED)
        while time.monotonic() < start + SECONDS:
            time.sleep(PAUSE_S)
            for key, _ in ready.select(1.0):
                if key.data.is_answered():
                    key.data.ask(PIPELINED)
        seconds = time.monotonic() - start
        used = [after - before.get(pid, 0.0) for pid, after in _cpu(server).items()]
    return Speed(sum(wire.answered for wire in wires), seconds, sum(used), max(used))


class Counter:
    """A connection on which one request is asked over and over and answers are counted by their octets."""

    def __init__(self, port: int, context: ssl.SSLContext, octets: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out)
        self._octets = octets
        self.answered = self._open = self._got = 0
        self._shake_hands()
        self._length = self._first()

    def ask(self, count: int) -> None:
        """Send so many requests."""
        self._tls.write(self._octets * count)
        self.socket.sendall(self._out.read())
        self._open = count

    def is_answered(self) -> bool:
        """Take what has come; True once all that was asked is answered."""
        self._got += len(self.socket.recv(BIG))
        if self._got < self._open * self._length:
            return False
        self.answered += self._open
        self._got = 0
        return True

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._turn()
            else:
                self.socket.sendall(self._out.read())
                return

    def _turn(self) -> int:
        self.socket.sendall(self._out.read())
        octets = self.socket.recv(BIG)
        self._in.write(octets)
        return len(octets)

    def _first(self) -> int:
        """How many octets an answer is on the wire; RuntimeError where it is none."""
        self.ask(1)
        length = self._turn()
        if b" 200 " not in self._tls.read(BIG)[:20]:
            raise RuntimeError("not answered by 200")
        return length


def _cpu(server: Running) -> dict[int, float]:
    return {pid: server.cpu_of(pid) for pid in server.pids()}
