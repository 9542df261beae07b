"""500 inverters polled by one process, against bare pymodbus clients that decode nothing.

Four reads each: model 701 in two, 704, 713. Ours puts the registers into the map and decodes what the client
needs of them. Rounds alternate, each kind goes first in turn; a round asks all inverters at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pymodbus.client import AsyncModbusTcpClient

from bench.measure import Result
from der_client.device import Fault, Telemetry
from der_client.sunspec.connection import Connection
from der_client.sunspec.polling import reads_of
from der_client.sunspec.readings import telemetry_of
from der_client.sunspec.scan import ScanSettings
from der_client.sunspec.transport import ModbusTransport, TransportSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from der_client.sunspec.model import DeviceMap

INVERTERS: Final = 500
ROUNDS: Final = 21
PAIRS: Final = 40
WARM_UP: Final = 2
WANTED: Final[dict[int, str | None]] = {701: None, 704: None, 713: None}
SETPOINTS: Final = (
    "WMaxLimPctEna",
    "WMaxLimPct",
    "WMaxLimPctRvrtRem",
    "WSetEna",
    "WSet",
    "WSetRvrtRem",
    "VarSetEna",
)
QUICK: Final = TransportSettings(timeout_s=0.5)
PATIENT: Final = TransportSettings(timeout_s=10.0)
HOST: Final = "127.0.0.1"
Poll = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Times:
    """What rounds took: the wall and the CPU of each, s, and the latencies within each, s."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    async def round(self, polls: Sequence[Poll], others: Sequence[Awaitable[object]] = ()) -> None:
        """Poll all at once; `others` run beside and are not counted."""
        latencies: list[float] = []

        async def timed(poll: Poll) -> None:
            await poll()
            latencies.append(time.perf_counter() - start)

        beside = [asyncio.ensure_future(other) for other in others]
        start, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(timed(poll) for poll in polls))
        self.wall.append(time.perf_counter() - start)
        self.cpu.append(time.process_time() - cpu)
        self.p99.append(statistics.quantiles(latencies, n=100)[98])
        await asyncio.gather(*beside)


def measure() -> list[Result]:
    """The promises of issue 4 for one process with 500 inverters."""
    with _simulators() as ports:
        return asyncio.run(_measured(ports))


async def _measured(ports: list[int]) -> list[Result]:
    *alive, dead = ports
    ours = [Connection(ModbusTransport(HOST, port, 1, PATIENT), ScanSettings()) for port in alive]
    lost = Connection(ModbusTransport(HOST, dead, 1, QUICK), ScanSettings())
    bare = [AsyncModbusTcpClient(HOST, port=port, timeout=10.0, retries=0) for port in alive]
    maps = [await connection.rescan() for connection in ours]
    blocks = _blocks(maps[0])
    for client in bare:
        await client.connect()
    try:
        polls = [_ours(one) for one in ours]
        compared = await _compared(polls, [_bare(one, blocks) for one in bare])
        return [*compared, await _beside_a_dead_one(polls, lost)]
    finally:
        for client in bare:
            client.close()
        for connection in (*ours, lost):
            await connection.transport.close()


async def _compared(ours: Sequence[Poll], bare: Sequence[Poll]) -> list[Result]:
    """Wall and CPU of a round, against those of the floor."""
    whole, floor = Times(), Times()
    rounds: list[Poll] = [lambda: whole.round(ours), lambda: floor.round(bare)]
    for number in range(ROUNDS + WARM_UP):
        for run in rounds if number % 2 else reversed(rounds):
            await run()
    return [
        Result(
            name=f"{len(ours)} inverters, 4 reads each, decoded: {what}",
            ours=statistics.median(times[WARM_UP:]) * 1e3,
            floor_value=statistics.median(floors[WARM_UP:]) * 1e3,
            floor="bare pymodbus clients, nothing decoded",
            bar=1.3,
        )
        for what, times, floors in (("wall", whole.wall, floor.wall), ("CPU", whole.cpu, floor.cpu))
    ]


async def _beside_a_dead_one(ours: Sequence[Poll], lost: Connection) -> Result:
    """The p99 of those that answer, with and without one that does not, in turn: lower quartiles of rounds.

    Other work on the machine makes rounds longer, never shorter, and not those with the dead one alone. Each
    round is followed by the same pause, that of the dead one's time-out.
    """
    without, beside = Times(), Times()
    for number in range(PAIRS):
        if number % 2:
            await without.round(ours, [asyncio.sleep(QUICK.timeout_s)])
        await beside.round(ours, [lost.refreshed(WANTED)])
        if not number % 2:
            await without.round(ours, [asyncio.sleep(QUICK.timeout_s)])
    ours_s, floor_s = _low(beside.p99), _low(without.p99)
    noise = _low(without.p99[::2]) / _low(without.p99[1::2])
    return Result(
        name="p99 of the others beside one dead inverter",
        ours=ours_s * 1e3,
        floor_value=floor_s * 1e3,
        floor="without it",
        bar=1.05,
        note=f"every other round without it against the rest of them: {noise:.2f} x",
    )


def _low(times_s: list[float]) -> float:
    """The lower quartile."""
    return statistics.quantiles(times_s, n=4)[0]


def _ours(connection: Connection) -> Poll:
    """One poll of ours: refresh, telemetry, the setpoints in force."""

    async def poll() -> None:
        device_map = await connection.refreshed(WANTED)
        if isinstance(device_map, Fault):
            raise TypeError(device_map.detail)
        controls = device_map.first(704)
        if controls is None or not isinstance(telemetry_of(device_map), Telemetry):
            raise RuntimeError("the map is not that of an inverter")
        for name in SETPOINTS:
            controls.number(name)

    return poll


def _bare(client: AsyncModbusTcpClient, blocks: Sequence[tuple[int, int]]) -> Poll:
    """The same reads with pymodbus."""

    async def poll() -> None:
        for address, count in blocks:
            answer = await client.read_holding_registers(address, count=count, device_id=1)
            if answer.isError():
                raise RuntimeError(str(answer))

    return poll


def _blocks(device_map: DeviceMap | Fault) -> tuple[tuple[int, int], ...]:
    """The reads that ours makes."""
    if isinstance(device_map, Fault):
        raise TypeError(device_map.detail)
    reads = tuple(
        (read.address, read.count) for read in reads_of(device_map, WANTED, ScanSettings().max_block)
    )
    if len(reads) != 4:
        raise RuntimeError(f"{len(reads)} reads")
    return reads


@contextlib.contextmanager
def _simulators() -> Iterator[list[int]]:
    command = [sys.executable, "-m", "bench.inverters", str(INVERTERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("no output")
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
