"""A poll cycle of a CSIP client: at most 3 times the CPU of a bare resumed handshake.

A connection with a resumed session; GET of Time, EndDeviceList, FunctionSetAssignmentsList, DERList and of 10
DERControls; PUT of DERStatus, POST of readings; end of the connection.
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
from typing import TYPE_CHECKING, Final

from bench.documents import readings, status
from bench.measure import Result
from bench.stand import DEVICE, files_of
from bench.wire import Wire, request
from bench.writes import make_mirror
from certs import client_context

if TYPE_CHECKING:
    import ssl

    from bench.stand import Running, Stand

BAR: Final = 3.0
ROUNDS: Final = 7
BATCH: Final = 40
READ: Final = ("Time", "EndDeviceList", "FunctionSetAssignmentsList", "DERList", "DERControlList")


def measure(stand: Stand) -> list[Result]:
    """Cycles against handshakes, both with a resumed session."""
    with stand.server() as server, stand.floor([]) as floor:
        cycle, bare = Cycle(stand, server), Handshake(stand, floor)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for load, kept in ((cycle, times[0]), (bare, times[1])):
                kept.append(load.cpu_ms(BATCH))
    return [
        Result(
            name="poll cycle: resumed handshake, 5 GET, 1 PUT, 1 POST",
            ours=statistics.median(times[0]),
            floor_value=statistics.median(times[1]),
            floor="bare aiohttp, resumed handshake alone",
            bar=BAR,
        )
    ]


class Handshake:
    """Resumed handshakes with a server."""

    def __init__(self, stand: Stand, place: Running) -> None:
        self._place = place
        self._context = client_context(*files_of(stand.pki.credentials(DEVICE)))
        self._session: ssl.SSLSession | None = None
        self.once()

    def cpu_ms(self, count: int) -> float:
        """CPU of the server for one, ms."""
        before = self._place.cpu_s()
        for _ in range(count):
            self.once()
        return (self._place.cpu_s() - before) / count * 1e3

    def once(self) -> None:
        """Connect, do what is to be done, end."""
        wire = Wire(self._place.port, self._context, self._session)
        with contextlib.closing(wire):
            if self._session is not None and not wire.socket.session_reused:
                raise RuntimeError("the session was not resumed")
            self._session = wire.session
            self.talk(wire)

    def talk(self, wire: Wire) -> None:
        """Say nothing."""


class Cycle(Handshake):
    """Poll cycles."""

    def __init__(self, stand: Stand, place: Running) -> None:
        self._lfdi = stand.lfdi
        self._paths = stand.paths
        self._mirror = make_mirror(stand, place.port)
        self._count = itertools.count(100_000)
        super().__init__(stand, place)

    def talk(self, wire: Wire) -> None:
        """Poll and report."""
        for kind in READ:
            wire.get(self._paths[kind] + ("?s=0&l=10" if kind.endswith("List") else ""))
        number = next(self._count)
        for octets in (
            request("PUT", self._paths["DERStatus"], status(number)),
            request("POST", self._mirror, readings(self._lfdi, number)),
        ):
            answered, body = wire.exchange(octets)
            if answered >= 300:
                raise RuntimeError(f"{answered}: {body[:200]!r}")
