"""The simulator on the wire: an independent reader agrees with it, and the server is strict about frames."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP, SunSpecModbusClientGroup

from der_client.device import FaultKind, Telemetry
from der_client.sunspec import ScanSettings, SunSpecDevice, TransportSettings, dump
from der_client.sunspec.scan import Failure
from der_client.sunspec.simulator import (
    DcLimits,
    InverterHandle,
    InverterSettings,
    ModbusServer,
    ReplayStore,
    parse_image,
    serve_inverter,
)

BATTERY = InverterSettings(
    max_w=5_000, max_va=5_000, charge_w=4_000, discharge_w=5_000, capacity_wh=10_000, ac_type=2, v_nom_v=480.0
)


@pytest.fixture
async def handle() -> AsyncIterator[InverterHandle]:
    running = await serve_inverter(BATTERY, now=lambda: 5.0)
    yield running
    await running.close()


def flat(group: SunSpecModbusClientGroup, path: str = "") -> dict[str, Any]:
    """The implemented points of an independent reader's group, by path."""
    values = {path + name: point.cvalue for name, point in group.points.items() if point.cvalue is not None}
    for name, children in group.groups.items():
        if isinstance(children, list):
            for index, child in enumerate(children):
                values |= flat(child, f"{path}{name}[{index}].")
        else:
            values |= flat(children, f"{path}{name}.")
    return {name: value for name, value in values.items() if not name.endswith("Pad")}


def read_by_oracle(port: int) -> dict[int, dict[str, Any]]:
    """All models of a device as pysunspec2 reads them."""
    client = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=2)
    client.scan()
    models = {
        model_id: flat(found[0]) for model_id, found in client.models.items() if isinstance(model_id, int)
    }
    client.close()
    return models


def write_by_oracle(port: int) -> None:
    """Set a limit with pysunspec2."""
    client = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=2)
    client.scan()
    control = client.models[704][0]
    control.WMaxLimPct.cvalue = 42.0
    control.WMaxLimPctEna.cvalue = 1
    control.write()
    client.close()


async def test_independent_reader_sees_what_the_driver_sees(handle: InverterHandle) -> None:
    device = SunSpecDevice("battery", "127.0.0.1", handle.port)
    ours = await device.scan()
    await device.close()
    theirs = await asyncio.to_thread(read_by_oracle, handle.port)
    seen = {
        model.model_id: {point.name: value for point, value in model.values()}
        for model in getattr(ours, "models", ())
    }
    assert sorted(seen) == [1, *range(701, 716)]
    assert seen == theirs


async def test_independent_writer_moves_the_simulator(handle: InverterHandle) -> None:
    await asyncio.to_thread(write_by_oracle, handle.port)
    controls = handle.inverter.bank.models[704]
    assert (controls.value("WMaxLimPct"), controls.value("WMaxLimPctEna")) == (42.0, 1)


class SharedBattery:
    """A battery of another module: its limits are its own, and it counts what flows."""

    def __init__(self) -> None:
        self.flows: list[tuple[float, float]] = []

    def limits(self, now: float) -> DcLimits:
        return DcLimits(1_000.0, 2_000.0, 33.0, 97.0)

    def transfer(self, power_w: float, dt_s: float) -> None:
        self.flows.append((power_w, dt_s))


async def test_another_battery_can_be_plugged_in() -> None:
    battery, times = SharedBattery(), iter(range(1_000))
    handle = await serve_inverter(BATTERY, now=lambda: float(next(times)), dc_source=battery)
    device = SunSpecDevice("battery", "127.0.0.1", handle.port)
    reading = await device.read()
    await device.close()
    await handle.close()
    assert isinstance(reading, Telemetry)
    assert (reading.soc_pct, reading.soh_pct) == (33.0, 97.0)
    assert battery.flows[0] == (0.0, 1.0)


async def exchange(port: int, *chunks: str, answers: int) -> str:
    """Send octets piece by piece, read that many octets of answer, both in hex."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for chunk in chunks:
        writer.write(bytes.fromhex(chunk))
        await writer.drain()
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        octets = await reader.readexactly(answers) if answers else await reader.read()
    writer.close()
    await writer.wait_closed()
    return octets.hex()


READ = "000000060103 9c40 0002"
ANSWER = "00000007010304 5375 6e53"


@pytest.mark.parametrize(
    "chunks",
    [
        (f"0001{READ} 0002{READ}",),
        (f"0001{READ}", f"0002{READ}"),
        ("0001 0000", f"0006 0103 9c40 0002 0002 {READ[:6]}", READ[6:]),
    ],
    ids=["in one segment", "one after the other", "cut anywhere"],
)
async def test_pipelined_requests_are_all_answered_in_order(
    handle: InverterHandle, chunks: tuple[str, ...]
) -> None:
    answers = await exchange(handle.port, *chunks, answers=26)
    assert answers == f"0001{ANSWER}0002{ANSWER}".replace(" ", "")
    assert handle.server.requests == 2


async def test_unknown_unit_gets_the_gateway_exception(handle: InverterHandle) -> None:
    assert await exchange(handle.port, "0001 0000 0006 09 03 9c40 0002", answers=9) == "00010000000309830b"


@pytest.mark.parametrize(
    "octets", ["0001 0001 0006 01 03 9c40 0002", "0001 0000 0001 01", "0001 0000 ffff 01"]
)
async def test_malformed_frame_closes_the_connection(handle: InverterHandle, octets: str) -> None:
    assert await exchange(handle.port, octets, answers=0) == ""


async def test_several_units_share_a_port() -> None:
    stores = {unit: ReplayStore({0: unit * 11}) for unit in (1, 2)}
    server = await ModbusServer(stores).start()
    first = await exchange(server.port, "0001 0000 0006 01 03 0000 0001", answers=11)
    second = await exchange(server.port, "0002 0000 0006 02 03 0000 0001", answers=11)
    await server.close()
    assert (first, second) == ("000100000005010302000b", "0002000000050203020016")


async def test_answer_to_a_connection_that_is_gone_is_dropped(handle: InverterHandle) -> None:
    handle.inverter.faults.answer_delay_s = 0.02
    _, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    writer.write(bytes.fromhex(f"0001{READ}"))
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    answers = await exchange(handle.port, f"0002{READ}", answers=13)
    assert answers == f"0002{ANSWER}".replace(" ", "")


async def test_server_has_no_port_before_it_starts() -> None:
    server = ModbusServer({})
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = server.port
    await server.close()


@pytest.mark.parametrize("hide_serial", [False, True])
async def test_dump_of_a_device_is_an_image_of_it(handle: InverterHandle, hide_serial: bool) -> None:
    where = ("127.0.0.1", handle.port, 1, TransportSettings())
    found = await dump(*where, ScanSettings(), hide_serial=hide_serial)
    missing = await dump(*where, ScanSettings(bases=(7,)))
    assert not isinstance(found, Failure)
    words = parse_image(found.text())
    served = handle.inverter.read(40000, len(words) + 16 * hide_serial)
    assert [word for at, word in enumerate(served, 40000) if at in words] == list(words.values())
    assert (40052 in words) is not hide_serial
    assert missing == Failure(
        FaultKind.REFUSED, "no SunSpec map at 7: read 7+2: exception 2 (illegal data address)"
    )
