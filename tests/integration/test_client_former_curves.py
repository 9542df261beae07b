"""A client that restarts in the middle of a curve event gives the device back the curve that it found."""

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from der_client.battery_system import BatterySystem
from der_client.control import Controller
from der_client.crowd import Crowd
from der_client.device import Applied, Device, Reversion, Setpoint
from der_client.interlocks import Surroundings
from der_client.plan import Plan
from der_client.settings import ControlSettings
from der_client.sunspec import MappingSettings
from der_client.sunspec.simulator.bank import put
from der_client.sunspec_driver import SunSpecDriver, SunSpecDriverSettings
from der_client.watched import Watched
from tests.integration.control_bench import Notes
from tests.integration.test_client_battery_system import Bms
from tests.integration.test_sunspec_curve_driver import GUARD, TRIP, VOLT_VAR, newer
from tests.sunspec_devices import HYBRID, older_map
from tests.sunspec_shelf import QUICK, Shelf, served

if TYPE_CHECKING:
    from der_client.driver import DeviceDriver
    from der_client.sunspec.model import Model

EVENT = Setpoint(curves=(VOLT_VAR,))


def in_force(shelf: Shelf) -> tuple[object, ...]:
    """Whether the volt-var curve is enabled, and its first and last point."""
    held: Model = shelf.models[705]
    return tuple(held.value(name) for name in ("Ena", "Crv[0].Pt[0].V", "Crv[0].Pt[3].V"))


def in_force_of(shelf: Shelf, number: int) -> tuple[object, ...]:
    """All that a model of curves shows of the one in force."""
    held: Model = shelf.models[number]
    return tuple(value for point, value in held.values() if point.name.startswith("Crv[0].MustTrip"))


async def taken_up(device: Device, memory: Notes) -> None:
    """Let a control loop begin with a device, as each start of a client does."""
    loop = Controller(
        device,
        ControlSettings(),
        Watched[Plan | None](None),
        surroundings=Surroundings,
        tell=lambda what, detail, **_: None,
    )
    await loop.restore(memory)


@pytest.mark.parametrize("was_enabled", [1, 0], ids=["own curve in force", "no curve in force"])
async def test_after_a_restart_in_an_event_the_device_gets_the_curve_that_it_had(was_enabled: int) -> None:
    shelf, notes = newer({"705.Ena": was_enabled}), Notes()
    before = in_force(shelf)
    async with served(shelf) as device:
        await taken_up(device, notes)
        assert isinstance(await device.apply(EVENT, GUARD), Applied)
    assert in_force(shelf) == (1, 90.0, 109.0)
    async with served(shelf) as device:
        await taken_up(device, notes)
        assert isinstance(await device.apply(EVENT, GUARD), Applied)
        assert isinstance(await device.apply(Setpoint(), GUARD), Applied)
    assert (shelf.models[705].value("Ena"), in_force(shelf) == before) == (was_enabled, bool(was_enabled))


async def test_after_an_event_that_ended_while_the_client_was_away_the_device_gets_its_curve() -> None:
    shelf, notes = newer({"705.Ena": 1}), Notes()
    before = in_force(shelf)
    async with served(shelf) as device:
        await taken_up(device, notes)
        await device.apply(EVENT, GUARD)
    async with served(shelf) as device:
        await taken_up(device, notes)
        assert isinstance(await device.apply(Setpoint(), GUARD), Applied)
    assert in_force(shelf) == before
    async with served(shelf) as device:
        await taken_up(device, notes)
        shelf.writes.clear()
        await device.apply(Setpoint(), GUARD)
    assert shelf.writes == []


@pytest.mark.parametrize("source", [0, 1], ids=["PV alone", "the grid too"])
async def test_a_battery_charges_again_from_where_it_did_after_a_restart_in_a_charge(source: int) -> None:
    shelf, notes = Shelf(older_map(HYBRID, values={"124.ChaGriSet": source}).models), Notes()
    storage = shelf.models[124]
    async with served(shelf) as device:
        await taken_up(device, notes)
        for power_w in (-1_000, -2_000):
            assert isinstance(await device.apply(Setpoint(target_w=power_w), GUARD), Applied)
    assert (storage.integer("ChaGriSet"), storage.integer("StorCtl_Mod")) == (1, 2)
    async with served(shelf) as device:
        await taken_up(device, notes)
        assert isinstance(await device.apply(Setpoint(target_w=-1_000), GUARD), Applied)
        assert isinstance(await device.apply(Setpoint(), GUARD), Applied)
        assert (storage.integer("ChaGriSet"), storage.integer("StorCtl_Mod")) == (source, 0)
        shelf.writes.clear()
        put(storage, "ChaGriSet", 1 - source)
        assert isinstance(await device.apply(Setpoint(), GUARD), Applied)
    assert shelf.writes == []


async def test_a_curve_that_may_not_be_written_any_more_is_put_back_once_it_may(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf, notes = newer({"707.Ena": 1}), Notes()
    before, trip = in_force_of(shelf, 707), Setpoint(curves=(TRIP,))
    async with served(shelf) as device:
        await taken_up(device, notes)
        assert isinstance(await device.apply(trip, GUARD), Applied)
    async with served(shelf, replace(QUICK, mapping=MappingSettings())) as device:
        await taken_up(device, notes)
        for percent in (60, 50):
            assert isinstance(await device.apply(Setpoint(max_w_pct=percent), Reversion(after_s=0)), Applied)
        assert shelf.models[704].value("WMaxLimPct") == 50
    told = [record.message for record in caplog.records if "put back" in record.message]
    assert told == ["der: cannot or must not be put back as it was: model 707"]
    assert in_force_of(shelf, 707) != before
    async with served(shelf) as device:
        await taken_up(device, notes)
        assert isinstance(await device.apply(Setpoint(), GUARD), Applied)
    assert in_force_of(shelf, 707) == before


async def test_what_another_device_in_its_place_had_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    shelf, notes = newer({"705.Ena": 1}), Notes()
    async with served(shelf) as device:
        await taken_up(device, notes)
        await device.apply(EVENT, GUARD)
    other = newer({"705.Ena": 1, "1.SN": "another"})
    before = in_force(other)
    with caplog.at_level(logging.WARNING):
        async with served(other) as device:
            await taken_up(device, notes)
            await device.apply(Setpoint(), GUARD)
    assert (in_force(other), other.writes) == (before, [])
    assert any("forgotten" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("text", ["{", "7", '{"device": "x", "curves": {"705": {}}}'])
async def test_former_curves_that_cannot_be_read_count_as_none(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = newer({"705.Ena": 1})
    with caplog.at_level(logging.WARNING):
        async with served(shelf) as device:
            await taken_up(device, Notes({"former curves of der": text}))
            assert isinstance(await device.apply(EVENT, GUARD), Applied)
    assert any("cannot be read" in record.getMessage() for record in caplog.records)


async def test_former_curves_are_kept_through_driver_battery_and_crowd() -> None:
    shelf, notes = newer({"705.Ena": 1}), Notes()
    async with served(shelf) as inverter:
        system = BatterySystem(inverter, Bms())
        driver: DeviceDriver[SunSpecDriverSettings] = SunSpecDriver("der", SunSpecDriverSettings())
        driver.device = system
        device = Crowd().join(driver)
        await taken_up(device, notes)
        assert isinstance(await device.apply(EVENT, GUARD), Applied)
    kept = json.loads(notes["former curves of der"])
    assert kept["curves"]["705"]["enabled"] is True
