"""Limits of a real BMS on a real inverter, both simulated: what the register WSet does, period by period."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from der_client import DeviceSettings, device_of
from der_client.battery_driver import BatteryDriverSettings, CanSettings
from der_client.can import BatterySettings, BmsFault, PackSettings, ServedBattery, serve_battery
from der_client.client_event import What
from der_client.control import Controller
from der_client.device import BatteryState, WrittenPoint
from der_client.device_view import DeviceView
from der_client.interlocks import SafetyRules
from der_client.interlocks.rules_battery import CurrentRules
from der_client.plan import Plan
from der_client.safety import Surroundings
from der_client.settings import ControlSettings
from der_client.sunspec.simulator import InverterHandle, InverterSettings, serve_inverter
from der_client.watched import Watched
from function_sets import ModeSource
from schemas import ActivePower

PERIOD_S = 0.1
MANY_MODULES = Surroundings(rules=SafetyRules(current=CurrentRules(modules=100.0)))
"""A limit that was 0 for a moment, on a busy machine, is back at once."""
RATINGS = InverterSettings(
    max_w=5_000.0, max_va=5_000.0, charge_w=5_000.0, discharge_w=5_000.0, capacity_wh=5_000.0
)


@dataclass
class Bench:
    battery: ServedBattery
    inverter: InverterHandle
    controller: Controller

    def w_set(self) -> float:
        return float(str(self.inverter.inverter.bank.models[704].value("WSet")))

    async def until(self, is_so: Callable[[DeviceView], object]) -> DeviceView:
        """The first view of the loop that is so; each view before and after keeps to the BMS."""
        async with asyncio.timeout(30):
            while True:
                view, version = self.controller.view.value, self.controller.view.version
                keeps_to_the_battery(view)
                if is_so(view):
                    return view
                await self.controller.view.newer(version)


def keeps_to_the_battery(view: DeviceView) -> None:
    """A setpoint never exceeds what the BMS said in the very same period."""
    battery = view.telemetry.battery if view.telemetry else None
    if isinstance(battery, BatteryState) and view.setpoint is not None:
        target_w = view.setpoint.target_w or 0.0
        assert -battery.charge_limit_w <= target_w <= battery.discharge_limit_w


def target_plan(watts: int) -> Plan:
    value = ActivePower(multiplier=0, value=watts)
    source = ModeSource(mode="opModTargetW", value=value, mRID="AA", program_href="/p", primacy=1)
    return Plan(modes={"opModTargetW": source})


def tell(
    what: What,
    detail: str,
    *,
    href: str | None = None,
    mrid: str | None = None,
    points: tuple[WrittenPoint, ...] = (),
) -> None:
    """Nobody listens."""


@pytest.fixture(params=[3_000, -3_000], ids=["discharge", "charge"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A battery that gives or takes 3 kW."""
    watts: int = request.param
    battery = await serve_battery(BatterySettings(pack=PackSettings(capacity_wh=5_000, soc_pct=60)))
    handle = await serve_inverter(RATINGS)
    can = CanSettings(interface="socketcand", channel="can0", host="127.0.0.1", port=battery.can_port)
    driver = BatteryDriverSettings(port=handle.port, can=can)
    device = device_of(DeviceSettings(kind="battery", name="b", driver=driver))
    plan = Watched[Plan | None](target_plan(watts))
    control = ControlSettings(period_s=PERIOD_S)
    controller = Controller(device, control, plan, surroundings=lambda: MANY_MODULES, tell=tell)
    task = asyncio.ensure_future(controller.run())
    it = Bench(battery, handle, controller)
    try:
        await it.until(lambda view: view.setpoint and view.setpoint.target_w == watts)
        yield it
    finally:
        task.cancel()
        await asyncio.wait([task])
        await handle.close()
        await battery.close()


async def test_a_limit_that_falls_in_the_middle_is_in_the_register_within_the_period(bench: Bench) -> None:
    assert abs(bench.w_set()) == 3_000
    pack = bench.battery.pack
    pack.settings = replace(pack.settings, max_charge_a=10.0, max_discharge_a=10.0)
    view = await bench.until(lambda view: view.setpoint and abs(view.setpoint.target_w or 0.0) < 1_000)

    assert view.setpoint is not None
    assert bench.w_set() == pytest.approx(view.setpoint.target_w, abs=1.0)
    assert abs(bench.w_set()) <= 10.0 * pack.voltage_v + 1.0


async def test_a_silent_bms_means_zero_watts(bench: Bench) -> None:
    before = bench.w_set()
    bench.battery.bms.inject(BmsFault.SILENT)
    await bench.until(lambda view: view.setpoint and view.setpoint.target_w == 0.0)

    assert abs(before) == 3_000
    assert bench.w_set() == 0.0
