"""A poll cycle of a CSIP client: at most 3 times the CPU of a bare resumed handshake.

A connection with a resumed session; GET of Time, EndDeviceList, FunctionSetAssignmentsList, DERList and of 10
DERControls; PUT of DERStatus, POST of readings; end of the connection. One client after the other, and 16
that go through their cycles at the same time; the handshakes they are held against come in the same way, and
those of one client at the same pace: what comes after a pause costs more.
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from typing import TYPE_CHECKING, Final

from bench.documents import readings, status
from bench.measure import Result
from bench.stand import DEVICE, files_of
from bench.wire import Wire, request, shake_hands
from bench.writes import make_mirror
from certs import client_context

if TYPE_CHECKING:
    import ssl

    from bench.stand import Running, Stand

BAR: Final = 3.0
ROUNDS: Final = 7
BATCH: Final = 48
"""Cycles in a round."""
AT_ONCE: Final = 16
PACE_S: Final = 0.05
"""How often one client alone goes through its cycle."""
READ: Final = ("Time", "EndDeviceList", "FunctionSetAssignmentsList", "DERList", "DERControlList")


def measure(stand: Stand) -> list[Result]:
    """Cycles against handshakes, both with a resumed session."""
    with stand.server() as server, stand.floor([]) as floor:
        mirror = make_mirror(stand, server.port)
        count = itertools.count(100_000)
        return [
            compared(Cycles(stand, server, at_once, mirror, count), Handshakes(stand, floor, at_once))
            for at_once in (1, AT_ONCE)
        ]


def compared(cycles: Cycles, bare: Handshakes) -> Result:
    """CPU of a cycle against that of something else, in rounds in turn."""
    pace_s = PACE_S if cycles.at_once == 1 else 0.0
    many = f"{cycles.at_once} at a time" if not pace_s else f"one client, each {1000 * pace_s:.0f} ms"
    ours, floor = _in_turn(cycles, bare, pace_s)
    note = ""
    if pace_s:
        hurried, bare_ms = _in_turn(cycles, bare, 0.0)
        note = f"without a pause {hurried:.3f} and {bare_ms:.3f} ms: {hurried / bare_ms:.1f} x"
    return Result(
        name=f"poll cycle: resumed handshake, 5 GET, 1 PUT, 1 POST, {many}",
        ours=ours,
        floor_value=floor,
        floor="bare aiohttp, resumed handshake alone",
        bar=BAR,
        note=note,
    )


def _in_turn(cycles: Cycles, bare: Handshakes, pace_s: float) -> tuple[float, float]:
    """Medians of the CPU of a cycle and of a handshake, ms."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for clients, kept in ((cycles, times[0]), (bare, times[1])):
            kept.append(clients.cpu_ms(BATCH, pace_s))
    return statistics.median(times[0]), statistics.median(times[1])


class Handshakes:
    """Clients that resume their sessions with a server, all at the same time."""

    def __init__(self, stand: Stand, place: Running, at_once: int) -> None:
        self.at_once = at_once
        self._place = place
        self._context = client_context(*files_of(stand.pki.credentials(DEVICE)))
        self._sessions: list[ssl.SSLSession | None] = [None] * at_once
        self.once()

    def cpu_ms(self, count: int, pace_s: float = 0.0) -> float:
        """CPU of the server for one client, ms; they come each `pace_s`."""
        before, start = self._place.cpu_s(), time.monotonic()
        for number in range(count // self.at_once):
            time.sleep(max(start + number * pace_s - time.monotonic(), 0.0))
            self.once()
        return (self._place.cpu_s() - before) / count * 1e3

    def once(self) -> None:
        """Connect, do what is to be done, end."""
        with contextlib.ExitStack() as stack:
            wires = [
                stack.enter_context(
                    contextlib.closing(Wire(self._place.port, self._context, session, is_shaken=False))
                )
                for session in self._sessions
            ]
            shake_hands(wires)
            for wire, session in zip(wires, self._sessions, strict=True):
                if session is not None and not wire.socket.session_reused:
                    raise RuntimeError("the session was not resumed")
            self._sessions = [wire.session for wire in wires]
            self.talk(wires)

    def talk(self, wires: list[Wire]) -> None:
        """Say nothing."""


class Cycles(Handshakes):
    """Clients that go through their poll cycles."""

    def __init__(
        self, stand: Stand, place: Running, at_once: int, mirror: str, count: itertools.count[int]
    ) -> None:
        self._lfdi = stand.lfdi
        self._paths = stand.paths
        self._mirror = mirror
        self._count = count
        super().__init__(stand, place, at_once)

    def talk(self, wires: list[Wire]) -> None:
        """Poll and report."""
        for kind in READ:
            octets = request("GET", self._paths[kind] + ("?s=0&l=10" if kind.endswith("List") else ""))
            _exchange(wires, [octets] * len(wires))
        numbers = [next(self._count) for _ in wires]
        _exchange(wires, [request("PUT", self._paths["DERStatus"], status(number)) for number in numbers])
        _exchange(wires, [request("POST", self._mirror, readings(self._lfdi, number)) for number in numbers])


def _exchange(wires: list[Wire], all_octets: list[bytes]) -> None:
    """One request of each client at the same time, and its answer."""
    for wire, octets in zip(wires, all_octets, strict=True):
        wire.socket.sendall(octets)
    for wire in wires:
        answered, _, body = wire.take()
        if answered >= 300:
            raise RuntimeError(f"{answered}: {body[:200]!r}")
