"""An inverter and a BMS as one device, and the devices that settings describe."""

from dataclasses import dataclass, field

import pytest

from der_client import Applied, BatteryState, BatterySystem, Fault, FaultKind, Nameplate, Reversion, Setpoint
from der_client.battery_driver import CanSettings, bms_of
from der_client.device import Telemetry
from der_client.device_factory import device_of
from der_client.driver import DeviceDriver
from der_client.settings import DeviceSettings
from der_client.sunspec import SunSpecDevice

PLATE = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=80,
    modes=frozenset(),
    max_w=5_000,
    max_va=5_000,
    max_var=2_000,
    max_var_neg=2_000,
    set_max_w=5_000,
    set_max_va=5_000,
    set_max_var=2_000,
    set_max_var_neg=2_000,
)
BATTERY = BatteryState(
    voltage_v=50.0,
    current_a=0.0,
    soc_pct=55.0,
    soh_pct=99.0,
    temperature_c=21.0,
    charge_limit_a=100.0,
    discharge_limit_a=100.0,
    charge_voltage_v=56.0,
)
SILENT = Fault(kind=FaultKind.STALE, detail="silent")


@dataclass
class Inverter:
    name: str = "inverter"
    reading: Telemetry | Fault = field(
        default_factory=lambda: Telemetry(power_w=1_000.0, reactive_var=0.0, soc_pct=1.0)
    )
    closed: bool = False

    async def identify(self) -> Nameplate | Fault:
        return PLATE

    async def read(self) -> Telemetry | Fault:
        return self.reading

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        return Applied(unsupported=frozenset({f"{setpoint.target_w:g} {reversion.after_s}"}))

    async def close(self) -> None:
        self.closed = True


@dataclass
class Bms:
    state: BatteryState | Fault = BATTERY
    told: list[tuple[float, float, float, float]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    async def start(self) -> None:
        self.calls.append("start")

    def battery(self) -> BatteryState | Fault:
        return self.state

    async def send_status(
        self, voltage_v: float, current_a: float, temperature_c: float, soc_pct: float
    ) -> None:
        self.told.append((voltage_v, current_a, temperature_c, soc_pct))

    async def close(self) -> None:
        self.calls.append("close")


async def test_readings_of_inverter_and_bms_come_together() -> None:
    bms = Bms()
    found = await BatterySystem(Inverter(), bms).read()

    assert isinstance(found, Telemetry)
    assert (found.power_w, found.soc_pct, found.soh_pct, found.battery) == (1_000.0, 55.0, 99.0, BATTERY)
    assert bms.told == [(50.0, 20.0, 21.0, 55.0)]


async def test_a_bms_that_is_not_to_be_trusted_shows_as_a_fault() -> None:
    bms = Bms(state=SILENT)
    found = await BatterySystem(Inverter(), bms).read()

    assert isinstance(found, Telemetry)
    assert (found.soc_pct, found.battery) == (None, SILENT)
    assert bms.told == []


async def test_an_inverter_that_does_not_answer_is_a_fault() -> None:
    assert await BatterySystem(Inverter(reading=SILENT), Bms()).read() == SILENT


async def test_a_power_that_is_no_number_is_not_told_to_the_bms() -> None:
    bms = Bms()
    await BatterySystem(Inverter(reading=Telemetry(power_w=float("nan"), reactive_var=0.0)), bms).read()

    assert bms.told == [(50.0, 0.0, 21.0, 55.0)]


async def test_the_bms_is_started_once_and_let_go() -> None:
    inverter, bms = Inverter(), Bms()
    system = BatterySystem(inverter, bms)
    assert await system.identify() == PLATE
    assert await system.identify() == PLATE
    await system.close()

    assert bms.calls == ["start", "close"]
    assert inverter.closed


async def test_a_bms_that_was_never_started_is_not_closed() -> None:
    bms = Bms()
    await BatterySystem(Inverter(), bms).close()

    assert bms.calls == []


async def test_the_inverter_executes() -> None:
    result = await BatterySystem(Inverter(), Bms()).apply(Setpoint(target_w=5.0), Reversion(after_s=60))

    assert result == Applied(unsupported=frozenset({"5 60"}))


@pytest.mark.parametrize(("kind", "cls"), [("sunspec", SunSpecDevice), ("battery", BatterySystem)])
async def test_settings_describe_a_device(kind: str, cls: type) -> None:
    device = device_of(DeviceSettings(kind=kind, name="roof"))

    assert isinstance(device, DeviceDriver)
    assert isinstance(device.device, cls)
    assert device.name == "roof"


async def test_settings_describe_a_bus() -> None:
    bms = bms_of("b", CanSettings(interface="socketcand", host="127.0.0.1", port=29536))

    assert bms.name == "b"
