"""The client with the real server and real simulators: mutual TLS, Modbus and CAN."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from certs import Pki
from der_client import (
    ClientEvent,
    ClientSettings,
    ControlSettings,
    DERClient,
    DeviceSettings,
    ReportSettings,
    ServerSettings,
    What,
    device_of,
)
from der_client.battery_driver import BatteryDriverSettings, CanSettings
from der_client.can import BatterySettings, BmsFault, Pack, PackSettings, ServedBattery, serve_battery
from der_client.sunspec import read_points
from der_client.sunspec.simulator import DcLimits, InverterHandle, InverterSettings, serve_inverter
from der_client.sunspec_driver import SunSpecDriverSettings
from schemas import ActivePower, DERControl, DERControlBase
from sep2_server.rows import Row
from tests.integration.sep2_harness import Bench, make_control, running

PATIENCE_S = 30.0
FAST = dict.fromkeys(
    (
        "DeviceCapability",
        "EndDeviceList",
        "FunctionSetAssignmentsList",
        "DERProgramList",
        "GroupDERProgramList",
        "DERList",
        "Time",
    ),
    1,
)


@dataclass
class Heard:
    """What a client said, and a way to wait for it."""

    events: list[ClientEvent] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: ClientEvent) -> None:
        self.events.append(event)
        self.news.set()
        self.news = asyncio.Event()

    async def until(self, is_so: Callable[[list[ClientEvent]], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so(self.events):
                await self.news.wait()

    async def response(self, mrid: str, status: int) -> None:
        """Wait until this Response was sent."""
        text = f"{status} to DERControl {mrid}"
        await self.until(lambda events: any(e.mrid == mrid and e.detail == text for e in events))

    def statuses(self, mrid: str) -> list[str]:
        """Responses to one event in their order."""
        found = [e for e in self.events if e.what is What.RESPONSE and e.mrid == mrid]
        return [e.detail.split()[0] for e in found]


class PackSource:
    """A pack as the DC source of an inverter."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def limits(self, now: float) -> DcLimits:
        return DcLimits(*self._pack.limits(now))

    def transfer(self, power_w: float, dt_s: float) -> None:
        self._pack.transfer(power_w, dt_s)


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A running server whose clock starts at the system's time, with URIs that nobody can guess."""
    now = int(time.time())
    changes = {"poll_rate": FAST, "uri_salt": "pepper", "post_rate_s": 1}
    async with running(tmp_path, sep2_pki, now=now, **changes) as it, ticking(it) as task:
        yield it
        task.cancel()


@asynccontextmanager
async def ticking(bench: Bench) -> AsyncIterator[asyncio.Task[None]]:
    """Let the manual clock of a server follow the system's."""

    async def tick() -> None:
        while True:
            bench.clock.set(int(time.time()))
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        yield tasks.create_task(tick())


@asynccontextmanager
async def inverter(settings: InverterSettings) -> AsyncIterator[InverterHandle]:
    handle = await serve_inverter(settings)
    try:
        yield handle
    finally:
        await handle.close()


@asynccontextmanager
async def client_of(bench: Bench, name: str, device: DeviceSettings, spool: Path) -> AsyncIterator[Heard]:
    """A client of the server that runs until the end of the block."""
    own = bench.credentials(name)
    settings = ClientSettings(
        server=ServerSettings(
            uri=f"https://127.0.0.1:{bench.server.port}/dcap",
            certificate=own.certificate_path,
            key=own.key_path,
            roots=own.root_path,
            pin=111115,
            poll_floor_s=0.2,
            retry_first_s=0.1,
            retry_most_s=0.5,
        ),
        devices=(device,),
        control=ControlSettings(period_s=0.2, retry_s=1.0, unavailable_after_s=1.0),
        report=ReportSettings(post_rate_s=1),
        spool=spool,
    )
    heard = Heard()
    client = DERClient(settings, [device_of(device)], on_event=heard)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        yield heard
        task.cancel()


async def member(bench: Bench, name: str, primacy: int = 5) -> Row:
    """An enrolled device in a group of its own; the program of the group."""
    await bench.enrol(name)
    _, program = await bench.group(f"group of {name}", name, primacy=primacy)
    return program


def limited(mrid: str, start_s: int, duration_s: int, base: DERControlBase) -> DERControl:
    """A control that starts `start_s` from now."""
    now = int(time.time())
    return make_control(mrid, now + start_s, duration_s, created=now, base=base)


async def value_of(handle: InverterHandle, point: str) -> float:
    """What a register holds, by a look past the client."""
    found = await read_points("127.0.0.1", handle.port, 1, [point])
    return float(found[point].value or 0.0)


MRID = "0123456789ABCDEF0123456700000001"


async def test_a_limit_reaches_the_register_and_is_released_at_the_end(bench: Bench, tmp_path: Path) -> None:
    program = await member(bench, "pv")
    await bench.control(program, limited(MRID, 3, 8, DERControlBase(opModMaxLimW=5_000)))
    async with inverter(InverterSettings(max_w=10_000.0, pv_w=9_000.0)) as handle:
        device = DeviceSettings(name="pv", driver=SunSpecDriverSettings(port=handle.port))
        async with client_of(bench, "pv", device, tmp_path / "pv.db") as heard:
            await heard.response(MRID, 2)
            await heard.until(lambda es: any(e.detail == "limit 50 %" for e in es))
            assert await value_of(handle, "704.WMaxLimPct") == 50.0
            assert await value_of(handle, "704.WMaxLimPctEna") == 1.0
            await heard.response(MRID, 3)
            await heard.until(lambda es: [e.detail for e in es if e.what is What.APPLIED][-1] == "released")
            assert await value_of(handle, "704.WMaxLimPctEna") == 0.0
            assert heard.statuses(MRID) == ["1", "2", "3"]


async def test_a_battery_charges_as_told_and_never_beyond_its_bms(bench: Bench, tmp_path: Path) -> None:
    program = await member(bench, "battery")
    base = DERControlBase(opModTargetW=ActivePower(multiplier=1, value=-300))
    await bench.control(program, limited(MRID, 1, 60, base))
    async with AsyncExitStack() as stack:
        battery = await serve_battery(BatterySettings(pack=PackSettings(capacity_wh=5_000, soc_pct=60)))
        stack.push_async_callback(battery.close)
        ratings = InverterSettings(max_w=5_000.0, charge_w=5_000.0, discharge_w=5_000.0, capacity_wh=5_000.0)
        handle = await serve_inverter(ratings, dc_source=PackSource(battery.pack))
        stack.push_async_callback(handle.close)
        device = battery_device(handle, battery)
        heard = await stack.enter_async_context(client_of(bench, "battery", device, tmp_path / "b.db"))
        await heard.response(MRID, 2)
        await heard.until(lambda es: any(e.what is What.APPLIED and "target -" in e.detail for e in es))
        charge_w, _, soc_pct, _ = battery.pack.limits(0.0)

        assert 59.0 < soc_pct < 61.0
        assert -min(3_000.0, charge_w) <= await value_of(handle, "704.WSet") < 0.0


def battery_device(handle: InverterHandle, battery: ServedBattery) -> DeviceSettings:
    can = CanSettings(interface="socketcand", channel="can0", host="127.0.0.1", port=battery.can_port)
    driver = BatteryDriverSettings(port=handle.port, can=can)
    return DeviceSettings(kind="battery", name="battery", driver=driver)


async def test_the_server_has_ratings_status_and_readings(bench: Bench, tmp_path: Path) -> None:
    await member(bench, "pv")
    async with inverter(InverterSettings()) as handle:
        device = DeviceSettings(name="pv", driver=SunSpecDriverSettings(port=handle.port))
        async with client_of(bench, "pv", device, tmp_path / "pv.db") as heard:
            kinds = {"DERCapability", "DERSettings", "DERStatus", "DERAvailability", "DeviceInformation"}
            await heard.until(lambda es: kinds <= {e.detail for e in es if e.what is What.REPORT})
            await heard.until(lambda es: any(e.what is What.READINGS for e in es))


async def test_a_device_that_ignores_writes_is_reported_and_recovers(bench: Bench, tmp_path: Path) -> None:
    program = await member(bench, "pv")
    await bench.control(program, limited(MRID, 0, 120, DERControlBase(opModMaxLimW=5_000)))
    async with inverter(InverterSettings()) as handle:
        handle.inverter.faults.ignore_writes = True
        device = DeviceSettings(name="pv", driver=SunSpecDriverSettings(port=handle.port))
        async with client_of(bench, "pv", device, tmp_path / "pv.db") as heard:
            await heard.until(lambda es: any(e.what is What.FAULT for e in es))
            await heard.until(lambda es: any(e.what is What.LOG_EVENT for e in es))
            handle.inverter.faults.ignore_writes = False
            await heard.until(lambda es: any(e.what is What.RECOVERED for e in es))
            await heard.until(lambda es: any(e.detail.startswith("limit 50 %") for e in es))


async def test_a_device_that_stops_answering_is_lost_and_found(bench: Bench, tmp_path: Path) -> None:
    await member(bench, "pv")
    async with inverter(InverterSettings()) as handle:
        device = DeviceSettings(name="pv", driver=SunSpecDriverSettings(port=handle.port))
        async with client_of(bench, "pv", device, tmp_path / "pv.db") as heard:
            await heard.until(lambda es: any(e.what is What.DEVICE_FOUND for e in es))
            handle.inverter.faults.silent = True
            await heard.until(lambda es: any(e.what is What.DEVICE_LOST for e in es))
            handle.inverter.faults.silent = False
            await heard.until(lambda es: any(e.what is What.DEVICE_BACK for e in es))
            whats = [e.what for e in heard.events if e.what.startswith("device ")]
            assert whats == [What.DEVICE_FOUND, What.DEVICE_LOST, What.DEVICE_BACK]


async def test_a_server_that_is_restarted_gets_the_rest(bench: Bench, tmp_path: Path) -> None:
    program = await member(bench, "pv")
    await bench.control(program, limited(MRID, 1, 6, DERControlBase(opModMaxLimW=5_000)))
    async with inverter(InverterSettings()) as handle:
        device = DeviceSettings(name="pv", driver=SunSpecDriverSettings(port=handle.port))
        async with client_of(bench, "pv", device, tmp_path / "pv.db") as heard:
            await heard.response(MRID, 1)
            port = bench.server.port
            await bench.server.stop()
            await heard.until(lambda es: any(e.what is What.SERVER_LOST for e in es))
            await heard.until(lambda es: any(e.detail == "limit 50 %" for e in es))
            bench.server.settings = replace(bench.server.settings, port=port)
            await bench.server.start()
            await heard.response(MRID, 3)
            await heard.until(lambda es: any(e.what is What.SERVER_BACK for e in es))
            assert heard.statuses(MRID) == ["1", "2", "3"]


async def test_a_silent_bms_brings_the_battery_to_rest(bench: Bench, tmp_path: Path) -> None:
    program = await member(bench, "battery")
    base = DERControlBase(opModTargetW=ActivePower(multiplier=1, value=100))
    await bench.control(program, limited(MRID, 0, 60, base))
    async with AsyncExitStack() as stack:
        battery = await serve_battery(BatterySettings(pack=PackSettings(capacity_wh=5_000, soc_pct=60)))
        stack.push_async_callback(battery.close)
        ratings = InverterSettings(max_w=5_000.0, charge_w=5_000.0, discharge_w=5_000.0, capacity_wh=5_000.0)
        handle = await serve_inverter(ratings, dc_source=PackSource(battery.pack))
        stack.push_async_callback(handle.close)
        device = battery_device(handle, battery)
        heard = await stack.enter_async_context(client_of(bench, "battery", device, tmp_path / "b.db"))
        await heard.until(lambda es: any("target 1000 W" in e.detail for e in es))
        battery.bms.inject(BmsFault.SILENT)
        await heard.until(lambda es: any(e.detail == "interlock 12: BMS silent" for e in es))
        await heard.until(
            lambda es: [e.detail for e in es if e.what is What.APPLIED][-1].endswith("target 0 W")
        )
        assert await value_of(handle, "704.WSet") == 0.0


async def test_a_restarted_client_keeps_its_event_and_answers_nothing_twice(
    bench: Bench, tmp_path: Path
) -> None:
    program = await member(bench, "pv")
    await bench.control(program, limited(MRID, 0, 8, DERControlBase(opModMaxLimW=5_000)))
    async with inverter(InverterSettings()) as handle:
        device = DeviceSettings(name="pv", driver=SunSpecDriverSettings(port=handle.port))
        async with client_of(bench, "pv", device, tmp_path / "pv.db") as first:
            await first.response(MRID, 2)
        async with client_of(bench, "pv", device, tmp_path / "pv.db") as second:
            await second.response(MRID, 3)

    assert first.statuses(MRID) + second.statuses(MRID) == ["1", "2", "3"]
