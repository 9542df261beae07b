"""CPU per request of two servers, ours and the floor, in batches in turn so that drift meets both alike."""

from __future__ import annotations

import contextlib
import itertools
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.measure import Result
from bench.wire import Wire, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bench.stand import Running, Stand

ROUNDS: Final = 7
BATCH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of request: its name in the table, its bar, and what makes a batch."""

    name: str
    path: str
    bar: float
    method: str = "GET"
    body: Callable[[], bytes] = bytes
    client: str = "bench-device"
    batch: int = BATCH
    at_once: int = 1
    turns: Sequence[str] = ()
    """Other paths that are asked for in turn, so that no answer is asked for twice."""

    def requests(self, *, bare: bool = False) -> Iterator[bytes]:
        """The octets of one request after the other; for a bare handler of the one path."""
        for path in itertools.cycle(self.turns if self.turns and not bare else (self.path,)):
            yield request(self.method, path, self.body())


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared: a server, its clients, what is asked of it."""

    stand: Stand
    place: Running
    case: Case
    is_bare: bool = False


def compare(
    stand: Stand,
    cases: Iterable[Case],
    floor: str = "bare aiohttp, same TLS and bytes",
    *,
    remembers: bool = True,
) -> list[Result]:
    """Each case against a bare handler that gives the same answers."""
    cases = list(cases)
    with stand.server(remembers=remembers) as server:
        answers = [answer_of(stand, server, case) for case in cases]
        with stand.floor(answers) as bare:
            return [
                against(Side(stand, server, case), Side(stand, bare, case, is_bare=True), case.bar, floor)
                for case in cases
            ]


def against(ours: Side, floor: Side, bar: float, floor_is: str) -> Result:
    """CPU per request of two servers: medians of rounds in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    elsewhere: list[float] = []
    with contextlib.ExitStack() as stack:
        loads = [_Load(side, stack) for side in (ours, floor)]
        for load in loads:
            load.run(2 * load.case.at_once)
        for _ in range(ROUNDS):
            for load, kept in zip(loads, times, strict=True):
                before, database = load.side.place.cpu_s(), ours.stand.database_cpu_s()
                load.run(load.case.batch)
                kept.append((load.side.place.cpu_s() - before) / load.case.batch * 1e3)
                if load.side is ours:
                    elsewhere.append((ours.stand.database_cpu_s() - database) / load.case.batch * 1e3)
    return Result(
        name=ours.case.name,
        ours=statistics.median(times[0]),
        floor_value=statistics.median(times[1]),
        floor=floor_is,
        bar=bar,
        note=_elsewhere(statistics.median(elsewhere)),
    )


def _elsewhere(database_ms: float) -> str:
    return f"and {database_ms:.2f} ms in the processes of the database" if database_ms else ""


class _Load:
    """Connections to one server and the requests that go over them."""

    def __init__(self, side: Side, stack: contextlib.ExitStack) -> None:
        self.side = side
        self.case = side.case
        self._octets = side.case.requests(bare=side.is_bare)
        wires = (side.stand.wire(side.place.port, side.case.client) for _ in range(side.case.at_once))
        self._wires = [stack.enter_context(contextlib.closing(wire)) for wire in wires]

    def run(self, count: int) -> None:
        """`count` requests, one on each connection at a time."""
        for _ in range(count // len(self._wires)):
            for wire in self._wires:
                wire.socket.sendall(next(self._octets))
            for wire in self._wires:
                status, _, body = wire.take()
                if status >= 300:
                    raise RuntimeError(f"{self.case.name}: {status} {body[:200]!r}")


def answer_of(stand: Stand, server: Running, case: Case) -> dict[str, Any]:
    """What the server answers, for the floor to answer the same."""
    with contextlib.closing(stand.wire(server.port, case.client)) as wire:
        return asked(wire, case)


def asked(wire: Wire, case: Case) -> dict[str, Any]:
    """The answer to the first request of a case, as the bare handler takes it."""
    wire.socket.sendall(next(case.requests(bare=True)))
    status, head, body = wire.take()
    if status >= 300:
        raise RuntimeError(f"{case.name}: {status} {body[:200]!r}")
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    headers = {name.strip().lower(): value.strip().decode() for name, _, value in lines}
    return {
        "method": case.method,
        "path": case.path,
        "status": status,
        "location": headers.get(b"location"),
        "body": body.decode() if body else None,
    }
