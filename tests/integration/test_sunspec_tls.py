"""Modbus/TCP Security: mutual certificates, roles, and frames cut over TLS records."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from certs import Credentials, Pki, modbus_client_context, modbus_server_context
from certs.errors import NotThereError
from der_client.device import Applied, FaultKind, Nameplate, Reversion, Setpoint, Telemetry
from der_client.sunspec import SunSpecDevice, SunSpecSettings, TransportSettings
from der_client.sunspec.connection import run_scan
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.scan import Failure, ScanSettings
from der_client.sunspec.simulator import InverterHandle, InverterSettings, serve_inverter
from der_client.sunspec.transport import ModbusTransport, TlsSettings

HALF = Setpoint(max_w_pct=50)
REVERSION = Reversion(after_s=60, to=Setpoint(max_w_pct=10))
READ = bytes.fromhex("000000060103 9c40 0002")
ANSWER = bytes.fromhex("00000007010304 5375 6e53")


def tls_of(own: Credentials, server_name: str | None = None) -> TlsSettings:
    return TlsSettings(
        certificate=own.certificate_path, key=own.key_path, roots=own.root_path, server_name=server_name
    )


@dataclass
class Stand:
    """A simulated inverter inside TLS, and the PKI of the site."""

    pki: Pki
    handle: InverterHandle

    def transport(self, tls: TlsSettings) -> ModbusTransport:
        return ModbusTransport("127.0.0.1", self.handle.port, 1, TransportSettings(tls=tls))

    def client(self, name: str) -> ModbusTransport:
        return self.transport(tls_of(self.pki.credentials(name)))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = Pki.create(tmp_path_factory.mktemp("site") / "pki", depth=3)
    made.issue_modbus("inverter", hosts=["inverter.example"])
    made.issue_modbus("controller", role="GridServiceSunSpec")
    made.issue_modbus("monitor", role="ReadOnlySunSpec")
    made.issue_modbus("nobody")
    return made


@pytest.fixture
async def stand(pki: Pki) -> AsyncIterator[Stand]:
    own = pki.credentials("inverter")
    context = modbus_server_context(own.certificate_path, own.key_path, own.root_path)
    settings = InverterSettings(enter_service_delay_s=0, enter_service_ramp_s=0)
    handle = await serve_inverter(settings, tls=context)
    yield Stand(pki, handle)
    await handle.close()


async def test_driver_reads_and_controls_an_inverter_inside_tls(stand: Stand) -> None:
    tls = tls_of(stand.pki.credentials("controller"), "inverter.example")
    settings = SunSpecSettings(transport=TransportSettings(tls=tls))
    device = SunSpecDevice("der", "127.0.0.1", stand.handle.port, settings=settings)
    found, reading = await device.identify(), await device.read()
    applied = await device.apply(HALF, REVERSION)
    await device.close()
    assert isinstance(found, Nameplate)
    assert isinstance(reading, Telemetry)
    assert isinstance(applied, Applied)
    assert stand.handle.inverter.bank.models[704].value("WMaxLimPct") == 50.0


async def test_role_that_may_only_read_is_refused_a_write_with_exception_1(stand: Stand) -> None:
    monitor = stand.client("monitor")
    address = stand.handle.inverter.bank.models[704].address + 15
    refused, seen = await monitor.write(address, [500]), await monitor.read(address, 1)
    await monitor.close()
    assert refused == Failure(FaultKind.REFUSED, f"write {address}+1: exception 1 (illegal function)", 1)
    assert seen == (10_000,)


async def test_client_without_a_role_discovers_the_models_and_reads_nothing(stand: Stand) -> None:
    nobody = stand.client("nobody")
    found = await run_scan(nobody, ScanSettings(), frozenset())
    refused = await nobody.read(40004, 16)
    await nobody.close()
    assert isinstance(found, DeviceMap)
    assert [model.model_id for model in found.models] == [*stand.handle.inverter.bank.models]
    assert refused == Failure(FaultKind.REFUSED, "read 40004+16: exception 1 (illegal function)", 1)


async def test_client_of_another_root_gets_nowhere(stand: Stand, tmp_path: Path) -> None:
    stranger = Pki.create(tmp_path / "other", depth=2).issue_modbus("stranger", role="ReadOnlySunSpec")
    tls = replace(tls_of(stranger), roots=stand.pki.root_path)
    client = stand.transport(tls)
    failure = await client.read(40000, 2)
    await client.close()
    assert isinstance(failure, Failure)
    assert failure.kind is FaultKind.NO_ANSWER
    assert stand.handle.server.requests == 0


async def test_device_of_another_root_is_not_trusted(stand: Stand, tmp_path: Path) -> None:
    other = Pki.create(tmp_path / "other", depth=2)
    client = stand.transport(replace(tls_of(stand.pki.credentials("controller")), roots=other.root_path))
    failure = await client.read(40000, 2)
    await client.close()
    assert isinstance(failure, Failure)
    assert failure.kind is FaultKind.NO_ANSWER
    assert "certificate verify failed" in failure.detail


async def test_device_of_another_name_is_not_trusted_where_a_name_is_set(stand: Stand) -> None:
    client = stand.transport(tls_of(stand.pki.credentials("controller"), "other.example"))
    failure = await client.read(40000, 2)
    await client.close()
    assert isinstance(failure, Failure)
    assert "other.example" in failure.detail


async def test_client_in_the_clear_gets_nowhere(stand: Stand) -> None:
    client = ModbusTransport("127.0.0.1", stand.handle.port, 1, TransportSettings(timeout_s=0.2))
    failure = await client.read(40000, 2)
    await client.close()
    assert isinstance(failure, Failure)
    assert stand.handle.server.requests == 0


def test_files_that_are_not_there_are_told_at_once(pki: Pki, tmp_path: Path) -> None:
    tls = replace(tls_of(pki.credentials("controller")), key=tmp_path / "gone.pem")
    with pytest.raises(NotThereError, match=r"gone\.pem: no such file"):
        ModbusTransport("127.0.0.1", 802, 1, TransportSettings(tls=tls))


@pytest.mark.parametrize("cut", [1, 6, 7, 11])
async def test_requests_cut_over_records_are_all_answered_in_order(stand: Stand, cut: int) -> None:
    own = stand.pki.credentials("monitor")
    context = modbus_client_context(own.certificate_path, own.key_path, own.root_path)
    reader, writer = await asyncio.open_connection("127.0.0.1", stand.handle.port, ssl=context)
    octets = b"\x00\x01" + READ + b"\x00\x02" + READ
    writer.write(octets[:cut])
    await writer.drain()
    await asyncio.sleep(0)
    writer.write(octets[cut:])
    async with asyncio.timeout(5):
        answers = await reader.readexactly(2 * (2 + len(ANSWER)))
    writer.close()
    await writer.wait_closed()
    assert answers == b"\x00\x01" + ANSWER + b"\x00\x02" + ANSWER


def read_by_oracle(port: int, own: Credentials) -> tuple[list[int], object]:
    """Numbers of the models and the limit, as pysunspec2 reads them inside TLS."""
    client = SunSpecModbusClientDeviceTCP(
        slave_id=1,
        ipaddr="127.0.0.1",
        ipport=port,
        timeout=2,
        tls=True,
        cafile=str(own.root_path),
        certfile=str(own.certificate_path),
        keyfile=str(own.key_path),
        insecure_skip_tls_verify=True,
    )
    client.scan()
    numbers = [number for number in client.models if isinstance(number, int)]
    limit = client.models[704][0].WMaxLimPct.cvalue
    client.close()
    return numbers, limit


async def test_independent_reader_inside_tls_sees_the_map(stand: Stand) -> None:
    own = stand.pki.credentials("monitor")
    numbers, limit = await asyncio.to_thread(read_by_oracle, stand.handle.port, own)
    assert (numbers, limit) == ([*stand.handle.inverter.bank.models], 100.0)
