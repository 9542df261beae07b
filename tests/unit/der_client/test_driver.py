"""The class that every driver is made from."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import ClassVar

import pytest

from der_client.device import (
    Applied,
    CurveSetpoint,
    Fault,
    FaultKind,
    Nameplate,
    Reversion,
    Setpoint,
    Telemetry,
)
from der_client.driver import Driver, Health, HealthState, HealthWatch, not_executed
from der_client.sunspec_driver import SunSpecDriver, SunSpecDriverSettings

VOLT_VAR = CurveSetpoint(mode="opModVoltVar", points=())
VOLT_WATT = CurveSetpoint(mode="opModVoltWatt", points=())
SILENCE = Fault(kind=FaultKind.NO_ANSWER, detail="connection refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterSettings:
    """How much it counts on."""

    step: float = 1.0


class Counter(Driver[CounterSettings]):
    """Gives more power with each reading."""

    kind: ClassVar[str] = "counter"
    Settings: ClassVar[type] = CounterSettings
    power_w = 0.0

    async def identify(self) -> Nameplate | Fault:
        return SILENCE

    async def read(self) -> Telemetry | Fault:
        self.power_w += self._settings.step
        return Telemetry(power_w=self.power_w, reactive_var=0.0)

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        return Applied()

    async def close(self) -> None:
        """Nothing is open."""

    def health(self) -> Health:
        return Health(state=HealthState.GOOD)


def test_add_makes_a_driver_of_its_settings() -> None:
    driver = Counter.add("roof", CounterSettings(step=2.0))

    assert driver.name == "roof"


def test_add_refuses_the_settings_of_another_driver() -> None:
    with pytest.raises(TypeError, match="sunspec: CounterSettings is not SunSpecDriverSettings"):
        SunSpecDriver.add("roof", CounterSettings())


async def test_subscribe_asks_again_and_again() -> None:
    driver = Counter.add("roof", CounterSettings(step=2.0))

    async with aclosing(driver.subscribe(period_s=0.001)) as readings:
        powers = [await anext(readings) for _ in range(3)]

    assert powers == [Telemetry(power_w=w, reactive_var=0.0) for w in (2.0, 4.0, 6.0)]


async def test_subscribe_keeps_its_period() -> None:
    driver = Counter.add("roof", CounterSettings())
    loop = asyncio.get_running_loop()

    async with aclosing(driver.subscribe(period_s=0.05)) as readings:
        await anext(readings)
        started_s = loop.time()
        await anext(readings)
        await anext(readings)

    assert loop.time() - started_s >= 0.09


@pytest.mark.parametrize(
    ("setpoint", "executed", "rest"),
    [
        (Setpoint(), (), ()),
        (Setpoint(target_w=0.0, connect=False, max_w_pct=50.0), ("max_w_pct",), ("connect", "target_w")),
        (Setpoint(open_contactor=True), (), ("open_contactor",)),
        (Setpoint(curves=(VOLT_VAR, VOLT_WATT)), ("opModVoltVar",), ("opModVoltWatt",)),
    ],
)
def test_what_a_device_does_not_execute_is_named(
    setpoint: Setpoint, executed: tuple[str, ...], rest: tuple[str, ...]
) -> None:
    assert not_executed(setpoint, frozenset(executed)) == frozenset(rest)


def ticking() -> Callable[[], float]:
    """A clock that is 10 s later each time it is asked."""
    times = iter(range(0, 1000, 10))
    return lambda: float(next(times))


def test_health_is_not_known_before_the_first_exchange() -> None:
    assert HealthWatch().health() == Health(state=HealthState.UNKNOWN)


def test_health_is_good_after_an_answer() -> None:
    watch = HealthWatch(ticking())

    assert watch.took(Applied()) == Applied()
    assert watch.health() == Health(state=HealthState.GOOD, silent_s=10.0)


def test_health_tells_silence_and_since_when() -> None:
    watch = HealthWatch(ticking())
    watch.took(Applied())
    watch.took(SILENCE)

    assert watch.health() == Health(
        state=HealthState.SILENT, detail="no answer: connection refused", silent_s=10.0
    )


def test_a_device_that_refuses_is_not_silent() -> None:
    watch = HealthWatch(ticking())
    watch.took(Fault(kind=FaultKind.REFUSED, detail="exception 3"))

    assert watch.health() == Health(state=HealthState.FAULTY, detail="refused: exception 3", silent_s=10.0)


async def test_a_sunspec_driver_that_finds_nobody_says_so_in_its_health() -> None:
    driver = SunSpecDriver.add("roof", SunSpecDriverSettings(port=1))

    found = await driver.identify()
    await driver.close()

    assert isinstance(found, Fault)
    assert driver.health().state is HealthState.SILENT
    assert driver.health().silent_s is None


@pytest.mark.parametrize(
    ("port", "unit", "words"),
    [(0, 1, "port: 0"), (70_000, 1, "port: 70000"), (502, 256, "unit: 256"), (502, -1, "unit: -1")],
)
def test_where_a_sunspec_device_cannot_be_is_refused(port: int, unit: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SunSpecDriverSettings(port=port, unit=unit)
