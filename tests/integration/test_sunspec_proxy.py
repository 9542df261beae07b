"""The proxy: others read a device that takes one connection only, and disturb nobody."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from der_client.device import Applied, Nameplate, Reversion, Setpoint, Telemetry
from der_client.sunspec import SunSpecDevice, SunSpecSettings, TransportSettings, read_points
from der_client.sunspec.proxy import ProxySettings, ProxySwitch
from der_client.sunspec.simulator import (
    InverterHandle,
    InverterSettings,
    ModbusServer,
    ReplayStore,
    serve_inverter,
)
from der_client.sunspec.transport import ModbusTransport

PV = InverterSettings(enter_service_delay_s=0, enter_service_ramp_s=0)


@dataclass
class Stand:
    """A device with registers 0 to 9, its transport, and the proxy in front of it."""

    server: ModbusServer
    proxy: ProxySwitch
    transport: ModbusTransport
    readers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def exchange(self, *requests: str, answers: int) -> str:
        """Octets to the proxy and so many of what it answers, in hex."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        self.readers.append(writer)
        writer.write(b"".join(bytes.fromhex(one) for one in requests))
        async with asyncio.timeout(5):
            octets = await reader.readexactly(answers) if answers else await reader.read()
        return octets.hex()


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    server = await ModbusServer({1: ReplayStore({at: 100 + at for at in range(10)})}).start()
    transport = ModbusTransport("127.0.0.1", server.port, 1, TransportSettings(timeout_s=0.1))
    proxy = ProxySwitch(transport, ProxySettings(port=0))
    proxy.open()
    made = Stand(server, proxy, transport)
    yield made
    await proxy.close()
    for writer in made.readers:
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
    await transport.close()
    await server.close()


READ = "0001 0000 0006 0103 0002 0002"
ANSWER = "00010000000701030400660067"


async def test_what_was_read_lately_is_answered_from_memory(stand: Stand) -> None:
    await stand.transport.read(0, 10)
    assert await stand.exchange(READ, answers=13) == ANSWER
    assert stand.server.requests == 1


async def test_what_was_not_read_is_asked_of_the_device_over_our_connection(stand: Stand) -> None:
    assert await stand.exchange(READ, READ, answers=26) == 2 * ANSWER
    assert (stand.server.requests, stand.server.connections) == (1, 1)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("0001 0000 0006 0203 0002 0002", "0001 0000 0003 0283 0b"),
        ("0001 0000 0006 0106 0002 0002", "0001 0000 0003 0186 01"),
        ("0001 0000 0009 0110 0002 0001 0200 01", "0001 0000 0003 0190 01"),
        ("0001 0000 0006 0104 0002 0002", "0001 0000 0003 0184 01"),
        ("0001 0000 0006 0103 0002 0000", "0001 0000 0003 0183 03"),
        ("0001 0000 0006 0103 0002 007e", "0001 0000 0003 0183 03"),
        ("0001 0000 0004 0103 0002", "0001 0000 0003 0183 03"),
        ("0001 0000 0002 0103", "0001 0000 0003 0183 03"),
        ("0001 0000 0006 0103 0008 0004", "0001 0000 0003 0183 02"),
    ],
    ids=[
        "another unit",
        "write one",
        "write many",
        "input registers",
        "no registers",
        "too many registers",
        "half a request",
        "no address",
        "what the device refuses",
    ],
)
async def test_what_is_not_a_read_of_this_unit_is_refused(stand: Stand, request_: str, answer: str) -> None:
    assert await stand.exchange(request_, answers=9) == answer.replace(" ", "")


async def test_device_that_is_silent_is_told_so_and_not_asked_again_at_once(stand: Stand) -> None:
    stand.server.faults.silent = True
    answers = [await stand.exchange(READ, answers=9) for _ in range(2)]
    assert answers == ["00010000000301830b"] * 2
    assert stand.server.requests == 1


async def test_octets_that_are_no_modbus_close_the_connection(stand: Stand) -> None:
    assert await stand.exchange("dead beef dead beef", answers=0) == ""


async def test_only_so_many_readers_are_let_in(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("der_client.sunspec.proxy.MOST_READERS", 1)
    await stand.exchange(READ, answers=13)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await stand.exchange(READ, answers=13)


async def test_proxy_that_is_closed_listens_no_more(stand: Stand) -> None:
    await stand.exchange(READ, answers=13)
    port = stand.proxy.port
    await stand.proxy.close()
    assert stand.proxy.port is None
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_port_that_is_taken_is_told_and_stops_nothing(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    taken = stand.proxy.port
    assert taken is not None
    other = ProxySwitch(stand.transport, ProxySettings(port=taken))
    other.open()
    await other.close()
    assert f"no proxy at 127.0.0.1:{taken}" in caplog.text


@pytest.mark.parametrize("values", [{"port": 70_000}, {"port": 5020, "max_age_s": -1.0}])
def test_settings_that_cannot_be_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"port: 70000|max_age_s: must"):
        ProxySettings(**values)  # type: ignore[arg-type]


@pytest.fixture
async def inverter() -> AsyncIterator[InverterHandle]:
    handle = await serve_inverter(PV)
    yield handle
    await handle.close()


async def test_other_readers_see_the_device_while_it_is_controlled(inverter: InverterHandle) -> None:
    settings = SunSpecSettings(proxy=ProxySettings(port=0, max_age_s=0.0))
    device = SunSpecDevice("der", "127.0.0.1", inverter.port, settings=settings)
    assert isinstance(await device.identify(), Nameplate)
    assert isinstance(await device.apply(Setpoint(max_w_pct=50), Reversion()), Applied)
    assert isinstance(await device.read(), Telemetry)
    port = device._proxy.port
    assert port is not None
    seen = await read_points("127.0.0.1", port, 1, ["704.WMaxLimPct", "1.SN"])
    connections = inverter.server.connections
    await device.close()
    assert (seen["704.WMaxLimPct"].value, seen["1.SN"].value) == (50.0, "SIM-0001")
    assert connections == 1
