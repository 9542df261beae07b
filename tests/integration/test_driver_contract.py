"""Our own drivers keep the contract that anyone's driver must keep."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from der_client.battery_driver import BatteryDriver, BatteryDriverSettings, CanSettings
from der_client.can import BatterySettings, PackSettings, serve_battery
from der_client.driver import Driver
from der_client.driver_contract import CHECKS, Check, Held, NotApplicableError, Rig
from der_client.sunspec import TransportSettings
from der_client.sunspec.simulator import InverterHandle, InverterSettings, serve_inverter
from der_client.sunspec_driver import SunSpecDriver, SunSpecDriverSettings

QUICK = TransportSettings(timeout_s=0.5, backoff_s=0.05, backoff_max_s=0.1)
PV = InverterSettings(serial="PV-1", enter_service_delay_s=0, enter_service_ramp_s=0)
BATTERY = InverterSettings(
    serial="B-1", charge_w=4_000, discharge_w=5_000, capacity_wh=10_000, enter_service_delay_s=0,
    enter_service_ramp_s=0,
)  # fmt: skip


class Clock:
    """Seconds of the device, that pass when the contract says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class SunSpecRig:
    """A driver on a simulated inverter."""

    driver: Driver[object]
    handle: InverterHandle
    clock: Clock
    faults: Mapping[str, Callable[[bool], None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.faults = {
            "no answers": self.switch("silent"),
            "octets that are no Modbus": self.switch("garbage"),
            "connections cut": self.switch("drop_connection"),
            "writes ignored": self.switch("ignore_writes"),
            "answers too late": self.switch("answer_delay_s", on=1.0, off=0.0),
            "exceptions": self.switch("exception_code", on=4, off=None),
        }

    def switch(self, name: str, *, on: object = True, off: object = False) -> Callable[[bool], None]:
        return lambda is_on: setattr(self.handle.inverter.faults, name, on if is_on else off)

    def held(self) -> Held:
        inverter = self.handle.inverter
        inverter.step(self.clock.now)
        model = inverter.bank.models[704]
        limit = model.number("WMaxLimPct") if model.integer("WMaxLimPctEna") else None
        target = model.number("WSet") if model.integer("WSetEna") else None
        return Held(
            max_w_pct=None if limit is None else float(limit),
            target_w=None if target is None else float(target),
            power_w=inverter.ac.power_w,
        )

    async def advance(self, seconds: float) -> None:
        """In steps of a second, as the simulator's own physics would see it."""
        for _ in range(int(seconds)):
            self.clock.now += 1.0
            self.handle.inverter.step(self.clock.now)

    async def set_reachable(self, *, is_reachable: bool) -> None:
        self.handle.inverter.faults.silent = not is_reachable


@asynccontextmanager
async def sunspec_rig() -> AsyncIterator[SunSpecRig]:
    clock = Clock()
    handle = await serve_inverter(PV, now=clock)
    settings = SunSpecDriverSettings(
        port=handle.port, transport=QUICK, readback_s=0.1, readback_pause_s=0.01, min_write_interval_s=0.0
    )
    rig = SunSpecRig(SunSpecDriver.add("pv", settings), handle, clock)
    try:
        yield rig
    finally:
        await rig.driver.close()
        await handle.close()


@asynccontextmanager
async def battery_rig() -> AsyncIterator[SunSpecRig]:
    clock = Clock()
    battery = await serve_battery(BatterySettings(pack=PackSettings(capacity_wh=10_000, soc_pct=60)))
    handle = await serve_inverter(BATTERY, now=clock)
    settings = BatteryDriverSettings(
        port=handle.port,
        transport=QUICK,
        readback_s=0.1,
        readback_pause_s=0.01,
        min_write_interval_s=0.0,
        can=CanSettings(interface="socketcand", host="127.0.0.1", port=battery.can_port),
    )
    rig = SunSpecRig(BatteryDriver.add("battery", settings), handle, clock)
    try:
        yield rig
    finally:
        await rig.driver.close()
        await handle.close()
        await battery.close()


async def hold(check: Check, rigs: Callable[[], AbstractAsyncContextManager[Rig]]) -> None:
    """Hold a driver to a promise; a promise about what the device lacks is shown as skipped."""
    try:
        await check.hold(rigs)
    except NotApplicableError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_sunspec_driver_keeps_the_contract(check: Check) -> None:
    await hold(check, sunspec_rig)


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_battery_driver_keeps_the_contract(check: Check) -> None:
    await hold(check, battery_rig)
