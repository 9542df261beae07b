"""A poll cycle of a CSIP client: at most 3 times the CPU of a bare resumed handshake.

A connection with a resumed session; GET of Time, EndDeviceList, FunctionSetAssignmentsList, DERList and of 10
DERControls; PUT of DERStatus, POST of readings; end of the connection. One client after the other, and 16
that go through their cycles at the same time; the handshakes they are held against come in the same way, and
those of one client at the same pace: what comes after a pause costs more. What the same cycle costs a bare
handler, which stores nothing, is told beside: handshake and seven exchanges, as far as none of it is ours.
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

from bench.comparing import Case, answer_of
from bench.documents import readings, status
from bench.measure import Result
from bench.stand import DEVICE, files_of
from bench.wire import Wire, request, shake_hands
from bench.writes import make_mirror
from certs import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

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
    with stand.server() as server:
        mirror = make_mirror(stand, server.port)
        count = itertools.count(100_000)
        with stand.floor(_answers(stand, server, mirror, count)) as floor:
            return [
                compared(
                    Cycles(stand, server, at_once, mirror, count),
                    Handshakes(stand, floor, at_once),
                    Cycles(stand, floor, at_once, mirror, count),
                )
                for at_once in (1, AT_ONCE)
            ]


def _answers(stand: Stand, server: Running, mirror: str, count: itertools.count[int]) -> list[dict[str, Any]]:
    """What the server answers in a cycle, for a bare handler to answer the same."""
    reads = [Case(name=kind, path=_path(stand, kind), bar=BAR) for kind in READ]
    put = Case(
        name="DERStatus",
        method="PUT",
        path=stand.paths["DERStatus"],
        bar=BAR,
        body=lambda: status(next(count)),
    )
    post = Case(
        name="readings",
        method="POST",
        path=mirror,
        bar=BAR,
        body=lambda: readings(stand.lfdi, next(count)),
    )
    return [answer_of(stand, server, case) for case in (*reads, put, post)]


def _path(stand: Stand, kind: str) -> str:
    return stand.paths[kind] + ("?s=0&l=10" if kind.endswith("List") else "")


def compared(cycles: Cycles, bare: Handshakes, alike: Cycles | None = None) -> Result:
    """CPU of a cycle against that of something else, in rounds in turn; `alike` is a bare cycle."""
    pace_s = PACE_S if cycles.at_once == 1 else 0.0
    many = f"{cycles.at_once} at a time" if not pace_s else f"one client, each {1000 * pace_s:.0f} ms"
    kinds = [cycles, bare, *([alike] if alike else [])]
    notes = []
    ours, floor, *beside = _in_turn(kinds, pace_s)
    notes += [f"a bare handler's cycle {alone:.3f} ms: {alone / floor:.1f} x" for alone in beside]
    if pace_s:
        hurried, bare_ms, *beside = _in_turn(kinds, 0.0)
        notes.append(f"without a pause {hurried:.3f} and {bare_ms:.3f} ms: {hurried / bare_ms:.1f} x")
        notes += [f"a bare handler's {alone / bare_ms:.1f} x" for alone in beside]
    return Result(
        name=f"poll cycle: resumed handshake, 5 GET, 1 PUT, 1 POST, {many}",
        ours=ours,
        floor_value=floor,
        floor="bare aiohttp, resumed handshake alone",
        bar=BAR,
        note="; ".join(notes),
    )


def _in_turn(kinds: Sequence[Handshakes], pace_s: float) -> list[float]:
    """Medians of the CPU of one client of each kind, ms."""
    times: list[list[float]] = [[] for _ in kinds]
    for _ in range(ROUNDS):
        for clients, kept in zip(kinds, times, strict=True):
            kept.append(clients.cpu_ms(BATCH, pace_s))
    return [statistics.median(kept) for kept in times]


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
        self._stand = stand
        self._mirror = mirror
        self._count = count
        super().__init__(stand, place, at_once)

    def talk(self, wires: list[Wire]) -> None:
        """Poll and report."""
        for kind in READ:
            octets = request("GET", _path(self._stand, kind))
            _exchange(wires, [octets] * len(wires))
        numbers = [next(self._count) for _ in wires]
        _exchange(
            wires, [request("PUT", self._stand.paths["DERStatus"], status(number)) for number in numbers]
        )
        _exchange(
            wires, [request("POST", self._mirror, readings(self._stand.lfdi, number)) for number in numbers]
        )


def _exchange(wires: list[Wire], all_octets: list[bytes]) -> None:
    """One request of each client at the same time, and its answer."""
    for wire, octets in zip(wires, all_octets, strict=True):
        wire.socket.sendall(octets)
    for wire in wires:
        answered, _, body = wire.take()
        if answered >= 300:
            raise RuntimeError(f"{answered}: {body[:200]!r}")
