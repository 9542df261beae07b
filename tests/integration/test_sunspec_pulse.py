"""Our heartbeat on the wire: every second while there are readings, and no longer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import cast

import pytest

from der_client.device import Telemetry
from der_client.sunspec import SunSpecDevice
from der_client.sunspec.pulse import LEAST_PATIENCE_S, Pulse
from der_client.sunspec.simulator import InverterHandle, InverterSettings, serve_inverter
from der_client.sunspec.simulator.bank import put

LONG_S = 100


@dataclass
class Timer:
    """A call that is due at some time."""

    at_s: float
    call: Callable[[], None]
    timers: list["Timer"]

    def cancel(self) -> None:
        self.timers.remove(self)


@dataclass(eq=False)
class HandLoop:
    """A loop whose clock is set by hand; what it starts runs on the real one."""

    now_s: float = 1000.0
    timers: list[Timer] = field(default_factory=list)
    calls: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        timer = Timer(self.now_s + delay_s, call, self.timers)
        self.timers.append(timer)
        return timer

    def create_task(self, what: Coroutine[None, None, None]) -> asyncio.Task[None]:
        self._tasks.append(asyncio.get_running_loop().create_task(what))
        return self._tasks[-1]

    async def let_pass(self, duration_s: int) -> None:
        """Let some seconds pass, one after the other, with all that is due in them and what that starts."""
        for _ in range(duration_s):
            self.now_s += 1
            for timer in [one for one in self.timers if one.at_s <= self.now_s]:
                timer.cancel()
                timer.call()
                self.calls += 1
            if self._tasks:
                await asyncio.wait(self._tasks)


@pytest.fixture
async def inverter() -> AsyncIterator[InverterHandle]:
    handle = await serve_inverter(InverterSettings())
    yield handle
    await handle.close()


@pytest.fixture
def clock() -> HandLoop:
    return HandLoop()


@pytest.fixture
async def device(inverter: InverterHandle, clock: HandLoop) -> AsyncIterator[SunSpecDevice]:
    made = SunSpecDevice("der", "127.0.0.1", inverter.port)
    loop = cast("asyncio.AbstractEventLoop", clock)
    made._pulse = Pulse("der", made._connection, is_wanted=True, loop=lambda: loop)
    await made.identify()
    yield made
    await made.close()


def count(inverter: InverterHandle) -> int:
    return inverter.inverter.bank.models[715].integer("ControllerHb") or 0


async def test_heart_beats_with_a_reading_and_each_second_after_it(
    inverter: InverterHandle, device: SunSpecDevice, clock: HandLoop
) -> None:
    assert isinstance(await device.read(), Telemetry)
    assert count(inverter) == 1
    await clock.let_pass(1)
    assert count(inverter) == 2
    await clock.let_pass(1)
    assert count(inverter) == 3


async def test_heart_stops_without_readings(
    inverter: InverterHandle, device: SunSpecDevice, clock: HandLoop
) -> None:
    await device.read()
    await clock.let_pass(LONG_S)
    assert count(inverter) == 1 + LEAST_PATIENCE_S
    assert clock.timers == []

    await device.read()
    await clock.let_pass(1)
    assert count(inverter) == 1 + LEAST_PATIENCE_S + 2


async def test_heart_stops_when_the_device_is_closed(
    inverter: InverterHandle, device: SunSpecDevice, clock: HandLoop
) -> None:
    await device.read()
    assert len(clock.timers) == 1
    await device.close()
    assert clock.timers == []
    await clock.let_pass(LONG_S)
    assert count(inverter) == 1


async def test_heart_does_not_beat_under_local_control(
    inverter: InverterHandle, device: SunSpecDevice, clock: HandLoop
) -> None:
    put(inverter.inverter.bank.models[715], "LocRemCtl", 1)
    await device.read()
    await clock.let_pass(2)
    assert clock.calls == 2
    assert count(inverter) == 0

    put(inverter.inverter.bank.models[715], "LocRemCtl", 0)
    await device.read()
    assert count(inverter) == 1
