"""The Modbus TCP adapter against a peer that answers what the test says."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from certs import Door
from der_client.device import FaultKind
from der_client.sunspec import ScanSettings, SunSpecDevice, SunSpecSettings, TransportSettings
from der_client.sunspec.scan import Failure
from der_client.sunspec.simulator import ModbusServer, ReplayStore
from der_client.sunspec.transport import ModbusTransport

QUICK = TransportSettings(timeout_s=0.1, backoff_s=60.0)
Answer = Callable[[bytes], list[bytes]]


class Peer(asyncio.Protocol):
    """One connection of a peer that makes its answers, in pieces, from the requests."""

    def __init__(self, answer: Answer, peers: list["Peer"]) -> None:
        self.answer = answer
        self.transport: asyncio.Transport | None = None
        peers.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        for number, piece in enumerate(self.answer(data)):
            asyncio.get_running_loop().call_later(0.01 * number, self.transport.write, piece)


@asynccontextmanager
async def peer(answer: Answer) -> AsyncIterator[ModbusTransport]:
    """A transport to a peer."""
    peers: list[Peer] = []
    door = Door.at("127.0.0.1", 0, lambda: Peer(answer, peers))
    transport = ModbusTransport("127.0.0.1", door.port, 1, QUICK)
    yield transport
    await transport.close()
    for connection in peers:
        if connection.transport:
            connection.transport.abort()
    await door.close()


def mbap(request: bytes, pdu: bytes) -> bytes:
    """A frame with the header of the request."""
    return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu


async def test_long_reads_are_made_of_several_requests() -> None:
    server = await ModbusServer({1: ReplayStore({address: address % 7 for address in range(400)})}).start()
    transport = ModbusTransport("127.0.0.1", server.port, 1)
    words = await transport.read(0, 300)
    await transport.close()
    await server.close()
    assert words == tuple(address % 7 for address in range(300))
    assert server.requests == 3


@pytest.mark.parametrize("count", [0, 124])
async def test_write_that_no_request_can_hold_is_an_error(count: int) -> None:
    transport = ModbusTransport("127.0.0.1", 1, 1, QUICK)
    with pytest.raises(ValueError, match=f"{count} registers cannot be written in one request"):
        await transport.write(0, [0] * count)


async def test_closing_without_a_connection_does_nothing() -> None:
    await ModbusTransport("127.0.0.1", 1, 1, QUICK).close()


async def test_write_to_a_device_that_is_away_is_a_failure(unused_tcp_port: int) -> None:
    transport = ModbusTransport("127.0.0.1", unused_tcp_port, 1, QUICK)
    failures = [await transport.write(0, [1]), await transport.write(0, [1])]
    await transport.close()
    assert failures == [
        Failure(FaultKind.NO_ANSWER, f"cannot connect to 127.0.0.1:{unused_tcp_port}: Connection refused"),
        Failure(FaultKind.NO_ANSWER, f"not connected to 127.0.0.1:{unused_tcp_port}"),
    ]


async def test_answer_with_too_few_registers_is_malformed() -> None:
    async with peer(lambda request: [mbap(request, bytes((3, 2, 0, 1)))]) as transport:
        failure = await transport.read(40000, 2)
    assert failure == Failure(FaultKind.MALFORMED, "read 40000+2: 1 registers in the answer")


async def test_acknowledgement_of_another_write_is_malformed() -> None:
    async with peer(lambda request: [mbap(request, bytes((16, 0, 1, 0, 1)))]) as transport:
        failure = await transport.write(40000, [1])
    assert failure == Failure(FaultKind.MALFORMED, "write 40000+1: the answer is for 1+1")


async def test_answer_to_another_transaction_is_not_taken() -> None:
    async with peer(lambda request: [b"\xff\xff" + mbap(request, bytes((3, 2, 0, 1)))[2:]]) as transport:
        assert await transport.read(0, 1) == Failure(FaultKind.NO_ANSWER, "read 0+1: no answer")


@pytest.mark.parametrize("cut", [1, 5, 7, 9])
async def test_answer_in_two_segments_is_joined(cut: int) -> None:
    def in_two(request: bytes) -> list[bytes]:
        whole = mbap(request, bytes((3, 2, 0, 9)))
        return [whole[:cut], whole[cut:]]

    async with peer(in_two) as transport:
        assert await transport.read(0, 1) == (9,)


async def test_failures_leave_no_dump_of_packets_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with peer(lambda _: [b"\xde\xad\xbe\xef" * 4]) as transport:
            await transport.read(0, 1)
    assert [record.name for record in caplog.records if record.name.startswith("pymodbus")] == []
    assert "read 0+1: protocol identifier 48879, length 57005" in caplog.text


async def test_long_outage_is_one_warning_and_its_end_one_line(caplog: pytest.LogCaptureFixture) -> None:
    good = False
    with caplog.at_level(logging.INFO, logger="der_client.sunspec.transport"):
        async with peer(lambda request: [mbap(request, bytes((3, 2, 0, 1)))] if good else []) as transport:
            for _ in range(3):
                await transport.read(0, 1)
            good = True
            await transport.read(0, 1)
    lines = [record.message for record in caplog.records if not record.message.startswith("connected")]
    where = f"127.0.0.1:{transport.port} unit 1"
    assert lines == [f"{where}: read 0+1: no answer", f"{where} answers again"]


async def test_devices_at_one_address_share_a_connection_and_the_last_closes_it() -> None:
    server = await ModbusServer({1: ReplayStore({0: 11}), 2: ReplayStore({0: 22})}).start()
    one, two = (ModbusTransport("127.0.0.1", server.port, unit) for unit in (1, 2))
    answers = [*await asyncio.gather(one.read(0, 1), two.read(0, 1), one.read(0, 1))]
    connections = server.connections
    await one.close()
    again = await two.read(0, 1)
    await two.close()
    await server.close()
    assert (answers, again, connections) == ([(11,), (22,), (11,)], (22,), 1)
    assert server.most_outstanding == 1


@pytest.mark.parametrize(
    ("values", "text"),
    [({"timeout_s": 0.0}, "times are longer than 0 s"), ({"probe_s": -1.0}, "times are longer than 0 s")],
)
def test_times_that_cannot_be_are_refused(values: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        TransportSettings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "is_there"),
    [
        pytest.param(lambda request: [], False, id="silent"),
        pytest.param(lambda request: [mbap(request, b"\x83\x02")], True, id="refuses"),
        pytest.param(
            lambda request: [mbap(request, b"\x03\x04\x00\x00\x00\x00")], True, id="other registers"
        ),
    ],
)
async def test_a_device_that_answers_anything_is_there(answer: Answer, is_there: bool) -> None:
    async with peer(answer) as transport:
        settings = SunSpecSettings(transport=QUICK, scan=ScanSettings(bases=(40000, 0)))
        device = SunSpecDevice("one", transport.host, transport.port, settings=settings)
        fault = await device.knock()
        await device.close()
    assert (fault is None) is is_there
    assert fault is None or fault.kind is FaultKind.NO_ANSWER
