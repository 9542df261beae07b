"""Quirks over the wire: the driver meets a device, knows its model, and does what this one needs."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from der_client.device import (
    Applied,
    Fault,
    FaultKind,
    Nameplate,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    Telemetry,
)
from der_client.sunspec import DeviceMap, SunSpecDevice
from der_client.sunspec.codec import Value
from der_client.sunspec.simulator import ModbusServer
from der_client.sunspec.simulator.bank import put
from tests.sunspec_devices import HYBRID, INVERTER, newer_map, older_map
from tests.sunspec_shelf import QUICK, Shelf, served, until

GUARD = Reversion(after_s=60)


def made_by(maker: str, values: Mapping[str, Value | None] | None = None) -> Shelf:
    """An inverter of the older series that says it is of this maker."""
    return Shelf(older_map(INVERTER, values={"1.Mn": maker, **(values or {})}).models)


def own_file(folder: Path, fields: str) -> tuple[Path, ...]:
    """A file of the operator that says something of every device of Acme."""
    path = folder / "mine.yaml"
    path.write_text(
        f"- name: ours\n  match: {{manufacturer: Acme}}\n  source: our own trial\n  fields: {{{fields}}}\n"
    )
    return (path,)


async def test_controls_that_a_device_hides_are_written_and_not_read_back() -> None:
    shelf = made_by("SMA", {"123.WMaxLimPct": None, "123.WMaxLim_Ena": 1})
    async with served(shelf) as device:
        plate = await device.identify()
        result = await device.apply(Setpoint(max_w_pct=50), GUARD)
        again = await device.apply(Setpoint(max_w_pct=50), GUARD)
    assert isinstance(plate, Nameplate)
    assert "opModMaxLimW" in plate.modes
    assert isinstance(result, Applied), result
    assert (result.points, result.unsupported, again) == ((), frozenset(), result)
    assert shelf.writes.count("123.WMaxLimPct") == 1


async def hidden(shelf: Shelf, device: SunSpecDevice, limit_pct: float) -> float | None:
    """The limit that a device with hidden controls holds after it was told one."""
    result = await device.apply(Setpoint(max_w_pct=limit_pct), GUARD)
    assert isinstance(result, Applied), result
    return shelf.models[123].number("WMaxLimPct")


async def test_prepared_write_that_was_refused_is_written_to_a_device_that_shows_nothing() -> None:
    shelf = made_by("SMA", {"123.WMaxLim_Ena": 1})
    async with served(shelf) as device:
        await device.identify()
        assert await hidden(shelf, device, 60) == 60
        assert await device.prepare(Setpoint(max_w_pct=20), GUARD)
        shelf.busy = True
        sent = device.begin(Setpoint(max_w_pct=20), GUARD)
        assert sent is not None
        await sent
        shelf.busy = False
        assert await hidden(shelf, device, 20) == 20


async def test_write_that_failed_half_way_leaves_nothing_as_sent() -> None:
    shelf = made_by("SMA", {"123.WMaxLim_Ena": 1})
    async with served(shelf) as device:
        assert await hidden(shelf, device, 60) == 60
        shelf.busy = True
        assert isinstance(await device.apply(Setpoint(max_w_pct=20), GUARD), Fault)
        shelf.busy = False
        put(shelf.models[123], "WMaxLimPct", 20)
        assert await hidden(shelf, device, 60) == 60


async def test_device_with_hidden_controls_lacks_them_without_its_quirk() -> None:
    shelf = made_by("SMA", {"123.WMaxLimPct": None, "123.WMaxLim_Ena": 1})
    async with served(shelf, replace(QUICK, quirks=False)) as device:
        result = await device.apply(Setpoint(max_w_pct=50), GUARD)
    assert isinstance(result, Applied)
    assert result.unsupported == {"max_w_pct"}


@pytest.mark.parametrize(("maker", "connections"), [("SolarEdge", 0), ("Acme", 1)])
async def test_device_with_one_connection_is_let_go_when_idle(maker: str, connections: int) -> None:
    server = await ModbusServer({1: made_by(maker)}).start()
    device = SunSpecDevice("der", "127.0.0.1", server.port, settings=replace(QUICK, idle_s=0.0))
    assert isinstance(await device.read(), Telemetry)
    await until(lambda: server.connections == connections)
    assert isinstance(await device.read(), Telemetry)
    await device.close()
    await server.close()


async def test_device_that_knows_single_writes_only_is_never_asked_for_more(tmp_path: Path) -> None:
    shelf = made_by("Acme")
    settings = replace(QUICK, quirk_files=own_file(tmp_path, "write_one_by_one: true"))
    async with served(shelf, settings) as device:
        assert isinstance(await device.apply(Setpoint(max_w_pct=50), GUARD), Applied)
    assert (shelf.refused, shelf.most) == (0, 1)
    assert shelf.writes[-1] == "123.WMaxLim_Ena"


async def test_scan_and_cycles_keep_to_the_blocks_of_the_device(tmp_path: Path) -> None:
    shelf = Shelf(older_map(HYBRID).models)
    settings = replace(QUICK, quirk_files=own_file(tmp_path, "max_block: 30"))
    async with served(shelf, settings) as device:
        found = await device.scan()
        shelf.longest = 0
        assert isinstance(await device.read(), Telemetry)
    assert isinstance(found, DeviceMap)
    assert (found.max_block, shelf.longest <= 30) == (30, True)


async def test_atomic_group_is_not_written_in_pieces() -> None:
    shelf = Shelf(newer_map().models)
    shelf.single = True
    factor = PowerFactorSetpoint(power_factor=0.9, absorbing=True)
    async with served(shelf) as device:
        fault = await device.apply(Setpoint(pf_inject=factor), Reversion(after_s=0))
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.point, fault.field) == (FaultKind.REFUSED, "704.PFWInj.PF", "pf_inject")
    assert "704.PFWInj.PF" not in shelf.writes
