"""CPU per request of two servers, ours and the floor, in batches in turn so that drift meets both alike."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
    pace_s: float = 0.0
    """How often there is a request, to both servers; 0: as soon as the last one is answered."""
    paced_batch: int = 60
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
    """CPU per request of two servers: medians of rounds in turn, at the pace of the case."""
    case = ours.case
    with contextlib.ExitStack() as stack:
        loads = (_Load(ours, stack), _Load(floor, stack))
        for load in loads:
            load.run(2 * case.at_once)
        cost = _cost(loads, case.paced_batch if case.pace_s else case.batch, case.pace_s)
        notes = [f"and {cost.elsewhere:.2f} ms in the processes of the database"] if cost.elsewhere else []
        if case.pace_s:
            hurried = _cost(loads, case.batch, 0.0)
            ratio = hurried.ours / hurried.floor
            notes.append(f"without a pause {hurried.ours:.3f} and {hurried.floor:.3f} ms: {ratio:.1f} x")
    return Result(
        name=case.name,
        ours=cost.ours,
        floor_value=cost.floor,
        floor=floor_is,
        bar=bar,
        note="; ".join(notes),
    )


class _Cost(NamedTuple):
    """CPU of a request, ms: of our processes, of those of the floor, and of our database's."""

    ours: float
    floor: float
    elsewhere: float


def _cost(loads: tuple[_Load, _Load], batch: int, pace_s: float) -> _Cost:
    kept: tuple[list[float], list[float]] = ([], [])
    elsewhere: list[float] = []
    stand = loads[0].side.stand
    for _ in range(ROUNDS):
        for load, times in zip(loads, kept, strict=True):
            before, database = load.side.place.cpu_s(), stand.database_cpu_s()
            load.run(batch, pace_s)
            times.append((load.side.place.cpu_s() - before) / batch * 1e3)
            if load is loads[0]:
                elsewhere.append((stand.database_cpu_s() - database) / batch * 1e3)
    return _Cost(*map(statistics.median, (*kept, elsewhere)))


class _Load:
    """Connections to one server and the requests that go over them."""

    def __init__(self, side: Side, stack: contextlib.ExitStack) -> None:
        self.side = side
        self.case = side.case
        self._octets = side.case.requests(bare=side.is_bare)
        wires = (side.stand.wire(side.place.port, side.case.client) for _ in range(side.case.at_once))
        self._wires = [stack.enter_context(contextlib.closing(wire)) for wire in wires]

    def run(self, count: int, pace_s: float = 0.0) -> None:
        """`count` requests, one on each connection at a time; one round each `pace_s`."""
        start = time.monotonic()
        for number in range(count // len(self._wires)):
            time.sleep(max(start + number * pace_s - time.monotonic(), 0.0))
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
