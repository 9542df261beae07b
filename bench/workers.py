"""A second worker: at least 1.7 times the requests per second of one.

The client is one process that writes many requests at once on raw TLS sockets and skips the octets of the
answers: it takes a small part of the two cores. As the machine has no third core for it, the ratio is told
twice: as measured, and by the CPU of the busiest worker, in which the client and others have no part.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.measure import Result
from bench.stand import family
from bench.wire import request

if TYPE_CHECKING:
    from bench.stand import Running, Stand

BAR: Final = 1.7
CONNECTIONS: Final = 16
PIPELINED: Final = 50
SECONDS: Final = 4.0


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
    """Throughput with one worker and with two."""
    speeds: dict[int, Speed] = {}
    for workers in (1, 2):
        with stand.server(workers=workers) as server:
            speeds[workers] = _drive(stand, server)
    one, two = speeds[1], speeds[2]
    return [
        Result(
            name="second worker, requests per second as measured",
            ours=two.per_s,
            floor_value=one.per_s,
            floor="one worker",
            unit="/s",
            bar=BAR,
            at_least=True,
        ),
        Result(
            name="second worker, requests per second of CPU of the busiest worker",
            ours=two.capacity,
            floor_value=one.capacity,
            floor="one worker",
            unit="/s",
            bar=BAR,
            at_least=True,
        ),
    ]


def _drive(stand: Stand, server: Running) -> Speed:
    octets = request("GET", stand.paths["EndDevice"])
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(contextlib.closing(stand.wire(server.port))) for _ in range(CONNECTIONS)]
        for wire in wires:
            wire.socket.sendall(octets)
        length = sum(len(part) for part in wires[0].take()[1:]) + 4
        for wire in wires[1:]:
            wire.skip(length)
        before = _cpu(server)
        start, count = time.monotonic(), 0
        for wire in wires:
            wire.socket.sendall(octets * PIPELINED)
        while time.monotonic() < start + SECONDS:
            for wire in wires:
                wire.skip(length * PIPELINED)
                wire.socket.sendall(octets * PIPELINED)
                count += PIPELINED
        seconds = time.monotonic() - start
        used = [after - before.get(pid, 0.0) for pid, after in _cpu(server).items()]
    return Speed(count, seconds, sum(used), max(used))


def _cpu(server: Running) -> dict[int, float]:
    return {pid: server.cpu_of(pid) for pid in family(server.pid)}
