"""A battery whose inverter is silent: its BMS goes on being looked at, and its relay opens where it must."""

from dataclasses import dataclass, replace

import pytest

from der_client.battery_system import BatterySystem
from der_client.crowd import Crowd
from der_client.device import Fault, FaultKind
from der_client.driver import DeviceDriver
from der_client.heard_bms import bms_says
from der_client.relay import RelayedDevice
from tests.integration.control_bench import BATTERY, OUT, Bench, Notes, Rig
from tests.integration.test_client_battery_system import Bms
from tests.integration.test_client_relay import Contact

SILENT = Fault(kind=FaultKind.NO_ANSWER, detail="no answer in 1 s")
LATCHED = "latched of cellar"


@dataclass
class Site:
    """A battery behind a relay, as a client has it; all of it in memory."""

    rig: Rig
    bms: Bms
    contact: Contact
    bench: Bench

    async def silent(self, seconds: int) -> None:
        """So many seconds in which the inverter does not answer."""
        self.rig.reading = self.rig.plate = SILENT
        for _ in range(seconds):
            await self.bench.cycle()


@pytest.fixture
async def site() -> Site:
    rig, bms, contact = Rig(), Bms(BATTERY), Contact()
    driver = Driver(rig.name, None, BatterySystem(rig, bms))
    device = Crowd().join(RelayedDevice(driver, contact))
    bench = Bench(rig, Notes(), device=device)
    await bench.begin()
    assert (await bench.cycle()).target_w == 3_000.0
    return Site(rig, bms, contact, bench)


class Driver(DeviceDriver[None]):
    """A driver around a device in memory."""

    kind = "memory"
    Settings = type(None)


async def test_the_relay_opens_for_a_battery_that_is_far_too_hot_while_its_inverter_is_silent(
    site: Site,
) -> None:
    await site.silent(3)
    before = site.contact.orders[-1]
    site.bms.state = replace(BATTERY, temperature_c=70.0)
    await site.silent(3)

    assert (before, site.contact.orders[-1]) == ("hold", "open")
    assert "battery far too hot" in site.bench.reasons
    assert site.bench.memory is not None
    assert site.bench.memory.recall(LATCHED) == '["battery far too hot"]'


async def test_a_latch_that_came_while_the_inverter_was_silent_stops_it_once_it_answers(site: Site) -> None:
    plate, reading = site.rig.plate, site.rig.reading
    await site.silent(20)
    site.bms.state = replace(BATTERY, temperature_c=70.0)
    await site.silent(3)
    site.bms.state = BATTERY
    site.rig.plate, site.rig.reading = plate, reading
    for _ in range(3):
        held = await site.bench.cycle()

    assert held == replace(OUT, open_contactor=True)


async def test_a_bms_that_is_lost_too_opens_the_relay(site: Site) -> None:
    site.bms.state = Fault(kind=FaultKind.STALE, detail="silent")
    await site.silent(1)

    assert site.contact.orders[-1] == "open"


async def test_a_heartbeat_of_the_battery_is_counted_while_its_inverter_is_silent(site: Site) -> None:
    site.bms.state = replace(BATTERY, heartbeat=7)
    await site.silent(13)
    stood = site.bench.reasons
    site.bms.state = replace(BATTERY, heartbeat=8)
    await site.silent(1)

    assert "heartbeat of the battery stands" in stood
    assert "heartbeat of the battery slow" not in site.bench.reasons


async def test_a_battery_that_is_well_holds_its_relay_for_as_long_as_its_inverter_is_silent(
    site: Site,
) -> None:
    await site.silent(200)

    assert set(site.contact.orders) == {"hold"}
    assert site.bench.reasons == ["device silent", "device lost"]


async def test_a_device_without_a_bms_says_nothing_of_one() -> None:
    device = Crowd().join(RelayedDevice(Rig(), Contact()))

    assert bms_says(device) is None
    assert bms_says(BatterySystem(Rig(), Bms(BATTERY))) is None
