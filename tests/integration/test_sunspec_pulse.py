"""Our heartbeat on the wire: every second while there are readings, and no longer."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from der_client.device import Telemetry
from der_client.sunspec import (
    InverterHandle,
    InverterSettings,
    SunSpecDevice,
    heartbeat,
    pulse,
    serve_inverter,
)
from der_client.sunspec.simulator.bank import put

TICK_S = 0.02


@pytest.fixture
async def inverter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[InverterHandle]:
    """An inverter, and a second of heartbeats that takes 20 ms."""
    monkeypatch.setattr(heartbeat, "PERIOD_S", TICK_S)
    monkeypatch.setattr(heartbeat, "SLACK_S", TICK_S / 4)
    monkeypatch.setattr(pulse, "PERIOD_S", TICK_S)
    handle = await serve_inverter(InverterSettings())
    yield handle
    await handle.close()


@pytest.fixture
async def device(inverter: InverterHandle) -> AsyncIterator[SunSpecDevice]:
    made = SunSpecDevice("der", "127.0.0.1", inverter.port)
    await made.identify()
    yield made
    await made.close()


def count(inverter: InverterHandle) -> int:
    return inverter.inverter.bank.models[715].integer("ControllerHb") or 0


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(TICK_S)


async def test_heart_beats_between_the_readings(inverter: InverterHandle, device: SunSpecDevice) -> None:
    assert isinstance(await device.read(), Telemetry)
    await until(lambda: count(inverter) >= 3)


async def test_heart_stops_without_readings(
    inverter: InverterHandle, device: SunSpecDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "LEAST_PATIENCE_S", 0.1)
    await device.read()
    await device.read()
    await until(lambda: device._pulse._timer is None)
    before = count(inverter)
    await asyncio.sleep(5 * TICK_S)
    assert count(inverter) == before > 0


async def test_heart_stops_when_the_device_is_closed(inverter: InverterHandle, device: SunSpecDevice) -> None:
    await device.read()
    await device.close()
    before = count(inverter)
    await asyncio.sleep(3 * TICK_S)
    assert count(inverter) == before >= 1


async def test_heart_does_not_beat_under_local_control(
    inverter: InverterHandle, device: SunSpecDevice
) -> None:
    put(inverter.inverter.bank.models[715], "LocRemCtl", 1)
    await device.read()
    await asyncio.sleep(3 * TICK_S)
    assert count(inverter) == 0
