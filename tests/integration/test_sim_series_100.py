"""The simulated inverter of the older series behind the real driver, and a captured image as a device."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from der_client.device import (
    Applied,
    Fault,
    Nameplate,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    VarSetpoint,
)
from der_client.sunspec import SunSpecDevice, SunSpecSettings, TransportSettings, read_points
from der_client.sunspec.simulator import parse_image
from lineside.sim.build import Wish, build
from lineside.sim.clock import SimClock
from lineside.sim.serve import Served

START = 1_782_000_000.0
REVERSION = Reversion(after_s=60, to=Setpoint())
SHOWN = ("W", "VAr", "Hz", "St")
SETTINGS = SunSpecSettings(transport=TransportSettings(timeout_s=2.0), controller_heartbeat=False)


@dataclass
class Bench:
    served: Served
    device: SunSpecDevice
    plate: Nameplate
    real_s: list[float]

    async def applied(self, setpoint: Setpoint) -> dict[str, object]:
        """What the device shows half a minute after a setpoint was applied whole."""
        outcome = await self.device.apply(setpoint, REVERSION)
        assert isinstance(outcome, Applied), outcome
        assert outcome.unsupported == frozenset()
        return await self.after(30.0)

    async def after(self, seconds: float) -> dict[str, object]:
        """Measurements on the bus some time later, by name."""
        self.real_s[0] += seconds
        port = int(str(self.served.places[0]["port"]))
        points = await read_points("127.0.0.1", port, 1, [f"101.{name}" for name in SHOWN])
        return {name.partition(".")[2]: point.value for name, point in points.items()}


@asynccontextmanager
async def bench_of(wish: Wish) -> AsyncIterator[Bench]:
    real_s = [0.0]
    served = Served(build(wish), SimClock(START, 1.0, lambda: real_s[0]))
    await served.start("127.0.0.1", 0, is_one_port=False)
    device = SunSpecDevice("der", "127.0.0.1", int(str(served.places[0]["port"])), settings=SETTINGS)
    async with asyncio.timeout(20):
        while isinstance(plate := await device.identify(), Fault):
            pass
    try:
        yield Bench(served, device, plate, real_s)
    finally:
        await device.close()
        await served.close()


def pv() -> Wish:
    return Wish(kind="inverter", start=START, series=100, irradiance=0.8, max_w=10_000.0)


async def test_an_older_inverter_is_known_by_its_ratings_and_read() -> None:
    async with bench_of(pv()) as bench:
        reading = await bench.after(1.0)
        assert (bench.plate.max_w, bench.plate.max_va) == (10_000, 11_000)
        assert reading == {"W": 8_000, "VAr": 0, "Hz": 60.0, "St": 4}


async def test_limit_power_factor_and_var_of_the_older_series_move_the_power() -> None:
    async with bench_of(pv()) as bench:
        limited = await bench.applied(Setpoint(max_w_pct=30))
        factor = PowerFactorSetpoint(power_factor=0.9, absorbing=True)
        absorbing = await bench.applied(Setpoint(pf_inject=factor))
        fixed = await bench.applied(Setpoint(var=VarSetpoint(value=20.0, ref=1)))
    assert limited["W"] == 3_000
    assert absorbing["VAr"] == pytest.approx(-8_000 * math.tan(math.acos(0.9)), abs=1)
    assert fixed["VAr"] == pytest.approx(2_000, abs=1)


async def test_a_limit_that_nobody_refreshes_ends_by_itself() -> None:
    async with bench_of(pv()) as bench:
        held = await bench.applied(Setpoint(max_w_pct=30))
        free = await bench.after(60.0)
    assert (held["W"], free["W"]) == (3_000, 8_000)


async def test_an_older_battery_is_charged_and_discharged_by_its_rates() -> None:
    wish = Wish(kind="battery", start=START, series=100, max_w=4_000.0)
    async with bench_of(wish) as bench:
        charging = await bench.applied(Setpoint(target_w=-3_000))
        giving = await bench.applied(Setpoint(target_w=2_000))
        resting = await bench.applied(Setpoint(target_w=0))
    assert [reading["W"] for reading in (charging, giving, resting)] == [-3_000, 2_000, 0]


async def test_a_captured_image_is_a_device(vectors: Path) -> None:
    text = (vectors / "devices" / "registers" / "fronius_symo30_113.regs").read_text()
    async with bench_of(Wish(kind="image", start=START, image=parse_image(text))) as bench:
        assert bench.plate.manufacturer == "Fronius"


async def test_a_ramp_of_the_device_is_no_longer_for_being_told_again_on_the_way() -> None:
    async with bench_of(pv()) as bench:
        assert isinstance(
            await bench.device.apply(Setpoint(max_w_pct=20, limit_ramp_s=40), REVERSION), Applied
        )
        half = await bench.after(20.0)
        assert isinstance(
            await bench.device.apply(Setpoint(max_w_pct=20, limit_ramp_s=20), REVERSION), Applied
        )
        late = await bench.after(19.0)
        end = await bench.after(2.0)
    assert half["W"] == pytest.approx(6_000, abs=150)
    assert late["W"] == pytest.approx(2_200, abs=200)
    assert end["W"] == pytest.approx(2_000, abs=20)
