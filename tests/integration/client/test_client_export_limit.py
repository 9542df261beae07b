"""Limits of CSIP-AUS at a connection point: server, client, two devices and the meter of the site."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from certs import Pki
from der_client import (
    Applied,
    ClientSettings,
    ControlSettings,
    DERClient,
    Nameplate,
    ReportSettings,
    Reversion,
    ServerSettings,
    Setpoint,
)
from der_client.device import SiteReading, Telemetry
from schemas import ActivePower, DERControlBase
from schemas.csip_aus import DERControlBaseV13
from tests.integration.client.stepped import FAST
from tests.integration.sep2_harness import Bench, make_control, running

PATIENCE_S = 40.0
NEAR_LIMIT = 2_600.0, 3_001.0
"""Power that a site exports under a limit of 3 kW: from 95 % on it rises no more, nor by less than 100 W."""


@dataclass
class Plant:
    """A site: two inverters in the sun, a load, and what each step of it brought."""

    load_w: float = 2_000.0
    inverters: dict[str, "Inverter"] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def export_w(self) -> float:
        return sum(one.power_w for one in self.inverters.values()) - self.load_w

    def tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def until_export(self, low_w: float, high_w: float) -> None:
        """Wait until the site exports something between the two."""
        async with asyncio.timeout(PATIENCE_S):
            while not low_w <= self.export_w <= high_w:
                await self.changed.wait()


@dataclass
class Inverter:
    """An inverter in full sun that keeps its limit."""

    name: str
    plant: Plant
    sun_w: float
    limit_w: float = 10_000.0
    told: list[Setpoint] = field(default_factory=list)

    @property
    def power_w(self) -> float:
        return min(self.sun_w, self.limit_w)

    async def identify(self) -> Nameplate:
        return Nameplate(
            manufacturer="Maker",
            model="One",
            serial=self.name,
            version="1",
            der_type=4,
            modes=frozenset({"opModMaxLimW"}),
            max_w=10_000,
            max_va=10_000,
            max_var=4_400,
            max_var_neg=4_400,
            set_max_w=10_000,
            set_max_va=10_000,
            set_max_var=4_400,
            set_max_var_neg=4_400,
        )

    async def read(self) -> Telemetry:
        return Telemetry(
            power_w=self.power_w,
            reactive_var=0.0,
            voltage_v=240.0,
            frequency_hz=50.0,
            available_w=self.sun_w,
            gen_connect=7,
            inverter_status=4,
            operational_mode=2,
        )

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied:
        self.told.append(setpoint)
        self.limit_w = 100.0 * (100.0 if setpoint.max_w_pct is None else setpoint.max_w_pct)
        self.plant.tell()
        return Applied()

    async def close(self) -> None:
        return None


@dataclass
class Meter:
    """The meter of the site."""

    plant: Plant
    name: str = "meter"

    async def read(self) -> SiteReading:
        return SiteReading(power_w=self.plant.export_w)

    async def close(self) -> None:
        return None


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    changes = {"profile": "csip_aus_v1.3", "poll_rate": FAST, "post_rate_s": 60}
    async with running(tmp_path, sep2_pki, now=int(time.time()), **changes) as it:
        yield it


@asynccontextmanager
async def client(bench: Bench, folder: Path, plant: Plant) -> AsyncIterator[None]:
    """A client of the site that runs until the end of the block; the server's clock ticks."""
    own = bench.credentials("site")
    settings = ClientSettings(
        profile="csip_aus_v1.3",
        server=ServerSettings(
            uri=f"https://127.0.0.1:{bench.server.port}/dcap",
            certificate=own.certificate_path,
            key=own.key_path,
            roots=own.root_path,
            poll_floor_s=0.2,
        ),
        control=ControlSettings(period_s=0.2),
        report=ReportSettings(post_rate_s=60),
        spool=folder / "site.sqlite",
    )
    devices = list(plant.inverters.values())

    async def tick() -> None:
        while True:
            bench.clock.set(int(time.time()))
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        running_tasks = [
            tasks.create_task(DERClient(settings, devices, meter=Meter(plant)).run()),
            tasks.create_task(tick()),
        ]
        yield
        for task in running_tasks:
            task.cancel()


async def published(bench: Bench, base: DERControlBase, mrid: str) -> None:
    """A control of a program of the site for the next minutes."""
    now = int(time.time())
    row = await bench.enrol("site")
    _, program = await bench.group("feeder", "site")
    await bench.control(program, replace(make_control(mrid, now, 300, created=now, base=base)))
    assert row is not None


async def test_export_is_held_at_its_limit_whatever_the_load_does(bench: Bench, tmp_path: Path) -> None:
    plant = Plant()
    for name, sun_w in (("one", 6_000.0), ("two", 8_000.0)):
        plant.inverters[name] = Inverter(name, plant, sun_w)
    limit = ActivePower(multiplier=0, value=3_000)
    await published(bench, DERControlBaseV13(opModExpLimW=limit, rampTms=0), "A1")
    async with client(bench, tmp_path, plant):
        await plant.until_export(*NEAR_LIMIT)
        parts = [one.power_w for one in plant.inverters.values()]
        plant.load_w = 500.0
        await plant.until_export(*NEAR_LIMIT)
        plant.load_w = 4_000.0
        await plant.until_export(*NEAR_LIMIT)

    assert 0.0 < parts[0] < parts[1]


async def test_generation_of_all_devices_is_held_at_its_limit(bench: Bench, tmp_path: Path) -> None:
    plant = Plant()
    for name in ("one", "two"):
        plant.inverters[name] = Inverter(name, plant, 10_000.0)
    limit = ActivePower(multiplier=1, value=400)
    await published(bench, DERControlBaseV13(opModGenLimW=limit, rampTms=0), "A1")
    async with client(bench, tmp_path, plant):
        await plant.until_export(1_999.0, 2_001.0)

    assert sum(one.power_w for one in plant.inverters.values()) == pytest.approx(4_000.0)
