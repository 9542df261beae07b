"""Our Modbus against an independent implementation: pymodbus reads our servers, we read its server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, AsyncModbusTlsClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from certs import Pki, modbus_client_context, modbus_server_context
from der_client.device import FaultKind
from der_client.sunspec import TransportSettings
from der_client.sunspec.scan import Failure
from der_client.sunspec.simulator import InverterHandle, InverterSettings, RtuServer, serve_inverter
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.serve import ClockedStore
from der_client.sunspec.transport import ModbusTransport

SETTINGS = InverterSettings()
LIMIT = 15
"""Offset of WMaxLimPct in model 704."""


def limit_at(handle: InverterHandle) -> int:
    return handle.inverter.bank.models[704].address + LIMIT


async def reads_and_writes(
    client: AsyncModbusTcpClient | AsyncModbusSerialClient, unit: int, limit: int
) -> list[object]:
    """What the other client sees: the marker, an exception, a limit before and after it writes one."""
    marker = await client.read_holding_registers(40000, count=2, device_id=unit)
    outside = await client.read_holding_registers(7, count=1, device_id=unit)
    before = await client.read_holding_registers(limit, count=1, device_id=unit)
    written = await client.write_registers(limit, [5000], device_id=unit)
    single = await client.write_register(limit, 4200, device_id=unit)
    after = await client.read_holding_registers(limit, count=1, device_id=unit)
    client.close()
    return [
        marker.registers,
        outside.exception_code,
        before.registers,
        written.isError() or single.isError(),
        after.registers,
    ]


SEEN = [[0x5375, 0x6E53], 2, [10_000], False, [4200]]


async def test_its_client_reads_and_writes_our_server() -> None:
    handle = await serve_inverter(SETTINGS)
    client = AsyncModbusTcpClient("127.0.0.1", port=handle.port, timeout=5, retries=0)
    assert await client.connect()
    seen = await reads_and_writes(client, 1, limit_at(handle))
    await handle.close()
    assert seen == SEEN


async def test_its_client_reads_and_writes_our_server_inside_tls(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    pki = Pki.create(tmp_path_factory.mktemp("tls") / "pki", depth=2)
    device = pki.issue_modbus("inverter", hosts=["127.0.0.1"])
    own = pki.issue_modbus("controller", role="GridServiceSunSpec")
    tls = modbus_server_context(device.certificate_path, device.key_path, device.root_path)
    handle = await serve_inverter(SETTINGS, tls=tls)
    context = modbus_client_context(own.certificate_path, own.key_path, own.root_path)
    client = AsyncModbusTlsClient("127.0.0.1", port=handle.port, sslctx=context, timeout=5, retries=0)
    assert await client.connect()
    seen = await reads_and_writes(client, 1, limit_at(handle))
    await handle.close()
    assert seen == SEEN


async def test_its_client_reads_and_writes_our_server_on_a_serial_line() -> None:
    inverter = Inverter(SETTINGS, 0.0)
    server = RtuServer({3: ClockedStore(inverter, lambda: 0.0)})
    client = AsyncModbusSerialClient(server.start_on_pty(), baudrate=115_200, timeout=5, retries=0)
    assert await client.connect()
    seen = await reads_and_writes(client, 3, inverter.bank.models[704].address + LIMIT)
    server.close()
    assert seen == SEEN


@asynccontextmanager
async def their_server(port: int, *units: int) -> AsyncIterator[None]:
    """A server of theirs; each unit has 200 registers from 100 on, all equal to its number."""
    devices = [
        SimDevice(id=unit, simdata=[SimData(100, count=200, values=unit, datatype=DataType.REGISTERS)])
        for unit in units
    ]
    server = ModbusTcpServer(devices, address=("127.0.0.1", port))
    stop: Callable[[], Awaitable[None]] = server.shutdown
    await server.serve_forever(background=True)
    yield
    await stop()


async def test_our_client_reads_and_writes_its_server(unused_tcp_port: int) -> None:
    port = unused_tcp_port
    async with their_server(port, 1, 2):
        one, two = (
            ModbusTransport("127.0.0.1", port, unit, TransportSettings(timeout_s=5.0)) for unit in (1, 2)
        )
        answers = await asyncio.gather(one.read(100, 200), two.read(100, 125))
        written = await one.write(150, [7, 8, 9])
        single = await two.write_one(150, 33)
        after = [await one.read(149, 4), await two.read(149, 3)]
        outside = await one.read(5, 1)
        await one.close()
        await two.close()
    assert [*answers] == [(1,) * 200, (2,) * 125]
    assert (written, single, after) == (None, None, [(1, 7, 8, 9), (2, 33, 2)])
    assert outside == Failure(FaultKind.REFUSED, "read 5+1: exception 2 (illegal data address)", 2)
