"""10,000 events that start in the same second: meanwhile 99 % of requests within 100 ms."""

from __future__ import annotations

import contextlib
import secrets
import statistics
import threading
import time
from typing import TYPE_CHECKING, Final

from bench.documents import status
from bench.measure import Result
from bench.wire import request
from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus
from sep2_server import Store
from sep2_server.environment import Environment
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import insert_in

if TYPE_CHECKING:
    from bench.stand import Stand
    from sep2_server.rows import Row
    from sep2_server.transaction import Transaction

EVENTS: Final = 10_000
CHUNK: Final = 500
BAR_MS: Final = 100.0
BEFORE_S: Final = 2.0
MOST_S: Final = 60.0
LEAD_S: Final = 40
CLIENTS: Final = 4
PAUSE_S: Final = 0.005
"""Between the requests of a client, so that the clients leave the cores to the server."""


def measure(stand: Stand) -> list[Result]:
    """Latency of polls and reports from 2 s before the second until every event has its new status."""
    start = _publish(stand)
    with stand.server() as server:
        latencies, ended = _meanwhile(stand, server.port, start)
    latencies.sort()
    p99 = latencies[int(len(latencies) * 0.99)] * 1e3
    note = (
        f"{len(latencies)} requests of {CLIENTS} clients, "
        f"median {statistics.median(latencies) * 1e3:.1f} ms, "
        f"longest {latencies[-1] * 1e3:.0f} ms; all events written {ended:.1f} s after the second"
    )
    return [Result(name=f"{EVENTS:,} events start: p99 of requests", ours=p99, bar=BAR_MS, note=note)]


def _publish(stand: Stand) -> int:
    """Store programs with a control each, all of which start in the same second; that second."""
    store = Store(stand.settings.database)
    environment = Environment.of(stand.settings, None, int(time.time()))

    def desk_of(tx: Transaction) -> Desk:
        return Desk(tx, environment, int(time.time()), secrets.randbelow)

    try:
        made: list[Row] = []
        for first in range(0, EVENTS, CHUNK):
            made += store.write(lambda tx, n=first: _programs(desk_of(tx), n))  # type: ignore[misc]
        start = int(time.time()) + LEAD_S
        for first in range(0, EVENTS, CHUNK):
            chunk = made[first : first + CHUNK]
            store.write(lambda tx, c=chunk: _controls(desk_of(tx), c, start))  # type: ignore[misc]
    finally:
        store.close()
    if time.time() > start - BEFORE_S:
        raise RuntimeError(f"{EVENTS} controls were not stored within {LEAD_S} s")
    return start


def _programs(desk: Desk, first: int) -> list[Row]:
    group = programs.add_group(desk, f"feeders-{first}")
    return [
        programs.add_program(desk, group, primacy=5, description=f"feeder {first + n}") for n in range(CHUNK)
    ]


def _controls(desk: Desk, made: list[Row], start: int) -> None:
    for program in made:
        control = DERControl(
            mRID=f"{program.id:024X}00007ED9",
            creationTime=desk.now,
            EventStatus_=EventStatus(currentStatus=0, dateTime=desk.now, potentiallySuperseded=False),
            interval=DateTimeInterval(start=start, duration=3600),
            DERControlBase_=DERControlBase(opModMaxLimW=5000),
        )
        insert_in(desk, program, "DERControlList", control)


def _meanwhile(stand: Stand, port: int, start: int) -> tuple[list[float], float]:
    """Latencies, s, of all requests until the events are written, and how long that took after the second."""
    latencies: list[float] = []
    done = threading.Event()
    paths = stand.paths

    def poll() -> None:
        with contextlib.closing(stand.wire(port)) as wire:
            number = 0
            while not done.is_set():
                number += 1
                for octets in (
                    request("GET", paths["Time"]),
                    request("GET", f"{paths['DERControlList']}?s=0&l=10"),
                    request("PUT", paths["DERStatus"], status(number)),
                    request("GET", paths["EndDeviceList"]),
                ):
                    before = time.perf_counter()
                    wire.exchange(octets)
                    latencies.append(time.perf_counter() - before)
                    time.sleep(PAUSE_S)

    time.sleep(max(0.0, start - BEFORE_S - time.time()))
    threads = [threading.Thread(target=poll) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        ended = _written(stand, start)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    return latencies, ended


def _written(stand: Stand, start: int) -> float:
    """How long after the second the last event had its status in the store, s. RuntimeError: never."""
    store = Store(stand.settings.database)
    try:
        while time.time() < start + MOST_S:
            time.sleep(0.25)
            if time.time() > start + 1 and not store.reader.due(start, limit=1):
                return time.time() - start
    finally:
        store.close()
    raise RuntimeError("the events were not written")
