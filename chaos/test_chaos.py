"""SIGKILL of any worker, of the clock's holder and of PostgreSQL, under load.

Nothing acknowledged is lost, events still happen at their time, and nobody is without service for longer
than 5 s.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest

from chaos.load import Device
from chaos.site import Site
from tests.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

DEVICES = 8
WORKERS = 2
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "6"))
ROUND_S = 8.0
DISTURBANCE_S = 5.0


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[Postgres]:
    with Postgres.running(is_durable=True) as server:
        yield server


async def test_workers_are_killed_one_after_the_other(tmp_path: Path) -> None:
    site = Site.make(tmp_path, "server.db", devices=DEVICES, workers=WORKERS)
    await under_fire(site, lambda number: _kill_worker(site, number))


async def test_workers_are_killed_on_postgresql(tmp_path: Path, durable_postgres: Postgres) -> None:
    url = durable_postgres.url(durable_postgres.make())
    site = Site.make(tmp_path, url, devices=DEVICES, workers=WORKERS)
    await under_fire(site, lambda number: _kill_worker(site, number))


async def test_postgresql_is_killed_and_comes_back(tmp_path: Path, durable_postgres: Postgres) -> None:
    url = durable_postgres.url(durable_postgres.make())
    site = Site.make(tmp_path, url, devices=DEVICES, workers=WORKERS)

    down: list[tuple[float, float]] = []

    def kill(_: int) -> None:
        killed = time.monotonic()
        durable_postgres.kill()
        durable_postgres.start()
        down.append((killed, time.monotonic()))

    await under_fire(site, kill, down)


async def under_fire(
    site: Site, kill: Callable[[int], None], down: Sequence[tuple[float, float]] = ()
) -> None:
    """Load, a kill in each round, a control that starts in each round; then count what is there.

    `down` tells from when to when the database itself was not there: that is not the server's disturbance.
    """
    site.start()
    try:
        site.furnish()
        devices = [Device(i, site.port, site.hrefs[name]) for name, i in site.devices.items()]
        for device, name in zip(devices, site.devices, strict=True):
            told = site.operate("GET", "devices", name)
            device.der_href = _der_href(told)
            device.program_href = str(_programs(site)[0]["href"])
        started = time.monotonic()
        over = asyncio.Event()
        starts: dict[str, float] = {}
        async with asyncio.TaskGroup() as tasks:
            for device in devices:
                tasks.create_task(device.run(over))
            tasks.create_task(_rounds(site, kill, starts, over))
        ends = time.monotonic()
        await _require_nothing_lost(devices)
        _require_events(devices, starts, down)
        gaps = [device.longest_gap_s(started, ends, down) for device in devices]
        print(f"longest time without service {max(gaps):.2f} s; acknowledged {_count(devices)}")
        assert max(gaps) <= DISTURBANCE_S
        assert site.stop() == 0
    finally:
        if site.process is not None and site.process.poll() is None:
            site.process.kill()


async def _rounds(
    site: Site, kill: Callable[[int], None], starts: dict[str, float], over: asyncio.Event
) -> None:
    for number in range(ROUNDS):
        body = {"DERControlBase": {"opModMaxLimW": "50 %"}, "in": 4, "duration": 3600}
        told = await asyncio.to_thread(site.operate, "POST", "groups", "chaos", "controls", body=body)
        start = int(re.findall(r"'start': (\d+)", str(told))[0])
        starts[str(told["mRID"])] = float(start)
        await asyncio.sleep(ROUND_S * 0.35)
        await asyncio.to_thread(kill, number)
        await asyncio.sleep(ROUND_S * 0.65)
    over.set()


def _kill_worker(site: Site, number: int) -> None:
    pids = site.worker_pids()
    os.kill(pids[number % len(pids)], signal.SIGKILL)


def _der_href(told: dict[str, object]) -> str:
    found = re.findall(r"/edev/\d+/der/\d+", str(told))
    return str(found[0])


def _programs(site: Site) -> list[dict[str, object]]:
    told = site.operate("GET", "groups", "chaos", "programs")["programs"]
    assert isinstance(told, list)
    return told


def _count(devices: list[Device]) -> int:
    return sum(len(device.acknowledged) for device in devices)


async def _require_nothing_lost(devices: list[Device]) -> None:
    """Every log event that was acknowledged can be read, and each DERStatus is the last one put, or newer."""
    for device in devices:
        assert device.acknowledged
        assert set(device.acknowledged) <= await device.log_events()
        assert await device.status_number() >= device.put_last


def _require_events(
    devices: list[Device], starts: dict[str, float], down: Sequence[tuple[float, float]]
) -> None:
    lost_s = max((back - gone for gone, back in down), default=0.0)
    for mrid, start in starts.items():
        seen = [device.active[mrid] for device in devices if mrid in device.active]
        assert seen, f"{mrid} was never seen active"
        assert min(seen) - start <= DISTURBANCE_S + lost_s
