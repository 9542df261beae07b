"""An independent client reads our simulator: pysunspec2 scans it and agrees on every point of every model."""

import asyncio
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from der_client.sunspec import DeviceMap, SunSpecDevice
from der_client.sunspec.model import Model
from der_client.sunspec.simulator import InverterSettings, serve_inverter

PV = InverterSettings()
BATTERY = InverterSettings(
    max_w=5_000, max_va=5_000, max_var=2_200, charge_w=4_000, discharge_w=5_000, capacity_wh=10_000
)
THREE_PHASE = InverterSettings(
    max_w=100_000, max_va=110_000, max_var=48_000, pv_w=60_000, ac_type=2, v_nom_v=480.0
)


def values_of(group: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """What pysunspec2 says of a model with our paths; padding and what is not implemented are left out."""
    for name, value in group.items():
        if isinstance(value, dict):
            yield from values_of(value, f"{path}{name}.")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from values_of(item, f"{path}{name}[{index}].")
        elif value is not None and name != "Pad":
            yield path + name, value


def theirs(port: int) -> dict[int, dict[str, Any]]:
    """Every model as pysunspec2 reads it, by address. Blocks: its client is synchronous."""
    device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=5)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            device.scan()
        return {
            model.model_addr: dict(values_of(model.get_dict(computed=True))) for model in device.model_list
        }
    finally:
        device.close()


def ours(model: Model) -> dict[str, Any]:
    return {point.name: value for point, value in model.values()}


@pytest.mark.parametrize(
    "settings",
    [PV, BATTERY, THREE_PHASE, replace(PV, series=100), replace(BATTERY, series=100)],
    ids=["pv", "battery", "three-phase", "older pv", "older battery"],
)
async def test_pysunspec2_reads_every_point_of_the_simulator_as_we_do(settings: InverterSettings) -> None:
    handle = await serve_inverter(settings, now=lambda: 1_000.0)
    device = SunSpecDevice("der", "127.0.0.1", handle.port)
    try:
        seen = await asyncio.to_thread(theirs, handle.port)
        found = await device.scan()
    finally:
        await device.close()
        await handle.close()
    assert isinstance(found, DeviceMap)
    expected = {model.address: ours(model) for model in found.models}
    assert seen == {address: pytest.approx(points) for address, points in expected.items()}
