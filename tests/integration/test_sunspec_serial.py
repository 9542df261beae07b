"""Modbus RTU over a serial line: a pty pair carries the octets, everything else is as on a real one."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceRTU

from der_client.device import Applied, FaultKind, Nameplate, Reversion, Setpoint, Telemetry
from der_client.sunspec import SunSpecDevice, SunSpecSettings, TransportSettings
from der_client.sunspec.bus import Bus
from der_client.sunspec.requests import write_request
from der_client.sunspec.rtu import rtu_frame
from der_client.sunspec.scan import Failure
from der_client.sunspec.serial_line import SerialLine
from der_client.sunspec.serial_port import Parity, SerialPort, SerialSettings, make_raw
from der_client.sunspec.simulator import ReplayStore, rtu_server
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.rtu_server import RtuServer
from der_client.sunspec.simulator.serve import ClockedStore
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.transport import ModbusTransport

BAUD = 115_200
ANSWER = bytes.fromhex("03 02 0009")
Answer = Callable[[bytes], list[bytes]]


class Bank(ReplayStore):
    """Registers that take writes."""

    def write(self, address: int, words: object) -> None:
        assert isinstance(words, tuple)
        self.words |= {address + at: word for at, word in enumerate(words)}


@dataclass
class Line:
    """A serial line with units on it, and the transports that are open."""

    server: RtuServer
    path: str
    open: list[ModbusTransport] = field(default_factory=list)

    def unit(self, number: int, *, timeout_s: float = 5.0) -> ModbusTransport:
        serial = SerialSettings(port=self.path, baud=BAUD)
        settings = TransportSettings(timeout_s=timeout_s, backoff_s=0.01, probe_s=0.01, serial=serial)
        self.open.append(ModbusTransport("", 0, number, settings))
        return self.open[-1]


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    server = RtuServer({unit: Bank({0: unit * 11, 1: 0}) for unit in (1, 2)})
    made = Line(server, server.start_on_pty())
    yield made
    for transport in made.open:
        await transport.close()
    server.close()


@contextmanager
def raw_line(answer: Answer) -> Iterator[str]:
    """The path of a line whose far end answers what the test says, piece by piece."""
    near, far = os.openpty()
    make_raw(far, SerialSettings(port=os.ttyname(far)))
    os.set_blocking(near, False)

    def received(octets: bytes) -> None:
        for at, piece in enumerate(answer(octets)):
            asyncio.get_running_loop().call_later(0.005 * at, port.write, piece)

    port = SerialPort(near, received, lambda _: None)
    yield os.ttyname(far)
    port.close()
    os.close(far)


async def read_from(answer: Answer) -> tuple[int, ...] | Failure:
    """What a read of one register from unit 7 brings."""
    with raw_line(answer) as path:
        serial = SerialSettings(port=path, baud=BAUD)
        unit = ModbusTransport("", 0, 7, TransportSettings(timeout_s=0.2, serial=serial))
        result = await unit.read(0, 1)
        await unit.close()
    return result


async def test_units_share_the_line(line: Line) -> None:
    one, two = line.unit(1), line.unit(2)
    answers = await asyncio.gather(*(unit.read(0, 1) for unit in (one, two, one, two)))
    assert answers == [(11,), (22,), (11,), (22,)]
    assert line.server.requests == 4


async def test_unit_that_is_not_there_leaves_its_neighbour_alone(line: Line) -> None:
    gone, there = line.unit(9, timeout_s=0.05), line.unit(1)
    assert await gone.read(0, 1) == Failure(FaultKind.NO_ANSWER, "read 0+1: no answer")
    assert await there.read(0, 1) == (11,)


async def test_what_is_written_to_unit_0_reaches_all(line: Line) -> None:
    assert await line.unit(0).write(1, [77]) is None
    assert [await line.unit(unit).read(1, 1) for unit in (1, 2)] == [(77,), (77,)]


async def test_exception_of_a_unit_is_a_refusal(line: Line) -> None:
    failure = await line.unit(1).read(5, 1)
    assert failure == Failure(FaultKind.REFUSED, "read 5+1: exception 2 (illegal data address)", 2)


async def test_late_answer_is_not_taken_for_the_next_one(line: Line) -> None:
    unit = line.unit(1, timeout_s=0.05)
    line.server.gateway.faults.answer_delay_s = 0.055
    assert await unit.read(0, 1) == Failure(FaultKind.NO_ANSWER, "read 0+1: no answer")
    line.server.gateway.faults.answer_delay_s = 0.0
    other = line.unit(2)
    assert await other.read(0, 1) == (22,)


async def test_garbage_is_malformed_and_passes(line: Line) -> None:
    unit = line.unit(1)
    line.server.gateway.faults.garbage = True
    failure = await unit.read(0, 1)
    line.server.gateway.faults.garbage = False
    assert isinstance(failure, Failure)
    assert failure.kind is FaultKind.MALFORMED
    assert failure.detail.endswith("octets without a sound frame")
    assert await unit.read(0, 1) == (11,)


@pytest.mark.parametrize("words", [[5], [5, 6]])
async def test_adapter_that_hears_itself_does_no_harm(line: Line, words: list[int]) -> None:
    line.server.echoes = True
    unit = line.unit(1)
    assert await unit.write(0, words) is None
    assert await unit.read(0, len(words)) == tuple(words)


@pytest.mark.parametrize("cut", [1, 4, 7, 8, 10])
async def test_echo_in_pieces_is_taken_away(cut: int) -> None:
    def in_two(request: bytes) -> list[bytes]:
        whole = request + rtu_frame(7, ANSWER)
        return [whole[:cut], whole[cut:]]

    assert await read_from(in_two) == (9,)


@pytest.mark.parametrize("cut", range(1, 7))
async def test_answer_in_two_pieces_is_joined(cut: int) -> None:
    frame = rtu_frame(7, ANSWER)
    assert await read_from(lambda _: [frame[:cut], frame[cut:]]) == (9,)


async def test_answer_octet_by_octet_is_joined() -> None:
    assert await read_from(lambda _: [bytes((octet,)) for octet in rtu_frame(7, ANSWER)]) == (9,)


async def test_answer_of_another_unit_is_not_taken() -> None:
    failure = await read_from(lambda _: [rtu_frame(8, ANSWER)])
    assert failure == Failure(FaultKind.NO_ANSWER, "read 0+1: no answer")


async def test_answer_behind_that_of_another_unit_is_taken() -> None:
    assert await read_from(lambda _: [rtu_frame(8, ANSWER) + rtu_frame(7, ANSWER)]) == (9,)


async def test_wrong_checksum_is_malformed() -> None:
    failure = await read_from(lambda _: [rtu_frame(7, ANSWER)[:-1] + b"\x00"])
    assert failure == Failure(FaultKind.MALFORMED, "read 0+1: 7 octets without a sound frame")


async def test_line_that_is_pulled_out_is_a_failure_and_is_opened_again(line: Line) -> None:
    unit = line.unit(1, timeout_s=0.1)
    assert await unit.read(0, 1) == (11,)
    line.server.close()
    failures = [await unit.read(0, 1), await unit.read(0, 1)]
    assert [one.kind for one in failures if isinstance(one, Failure)] == [FaultKind.NO_ANSWER] * 2


async def test_port_that_another_program_has_is_not_opened(line: Line) -> None:
    assert await line.unit(1).read(0, 1) == (11,)
    serial = SerialSettings(port=line.path, baud=BAUD)
    other = Bus(SerialLine(settings=serial))
    failure = await other.ask(2, b"\x03\x00\x00\x00\x01", 1.0)
    await other.close()
    assert failure == Failure(FaultKind.NO_ANSWER, f"cannot connect to {line.path}: Device or resource busy")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/dev/no-such-port", "No such file or directory"), ("/dev/null", "Inappropriate ioctl for device")],
)
async def test_port_that_is_none_is_a_failure(path: str, reason: str) -> None:
    unit = ModbusTransport("", 0, 1, TransportSettings(serial=SerialSettings(port=path)))
    failure = await unit.read(0, 1)
    assert failure == Failure(FaultKind.NO_ANSWER, f"cannot connect to {path}: {reason}")


async def test_driver_controls_an_inverter_on_a_serial_line() -> None:
    inverter = Inverter(InverterSettings(enter_service_delay_s=0, enter_service_ramp_s=0), 0.0)
    server = RtuServer({3: ClockedStore(inverter, asyncio.get_running_loop().time)})
    serial = SerialSettings(port=server.start_on_pty(), baud=BAUD, parity=Parity.EVEN)
    settings = SunSpecSettings(transport=TransportSettings(serial=serial))
    device = SunSpecDevice("der", "", 0, 3, settings)
    found, reading = await device.identify(), await device.read()
    applied = await device.apply(Setpoint(max_w_pct=50), Reversion(after_s=60, to=Setpoint(max_w_pct=10)))
    await device.close()
    server.close()
    assert isinstance(found, Nameplate)
    assert isinstance(reading, Telemetry)
    assert isinstance(applied, Applied)
    assert inverter.bank.models[704].value("WMaxLimPct") == 50.0


def read_by_oracle(path: str) -> tuple[list[int], object]:
    """Numbers of the models and the limit, as pysunspec2 reads them over the line."""
    client = SunSpecModbusClientDeviceRTU(3, path, baudrate=BAUD, timeout=2)
    client.open()
    client.scan()
    numbers = [number for number in client.models if isinstance(number, int)]
    limit = client.models[704][0].WMaxLimPct.cvalue
    client.close()
    return numbers, limit


async def test_independent_reader_on_the_line_sees_the_map() -> None:
    inverter = Inverter(InverterSettings(), 0.0)
    server = RtuServer({3: ClockedStore(inverter, lambda: 0.0)})
    numbers, limit = await asyncio.to_thread(read_by_oracle, server.start_on_pty())
    server.close()
    assert (numbers, limit) == ([*inverter.bank.models], 100.0)


async def test_frame_that_is_cut_off_is_forgotten_after_a_silence(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtu_server, "BREAK_S", 0.0)
    unit = line.unit(1)
    assert await unit.read(0, 1) == (11,)
    far = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    os.write(far, rtu_frame(1, write_request(0, (1, 2)))[:6])
    os.close(far)
    async with asyncio.timeout(5):
        for _ in iter(lambda: bool(line.server._buffer), True):
            await asyncio.sleep(0.001)
    assert await unit.read(0, 1) == (11,)


async def test_server_tells_that_its_line_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    server = RtuServer({1: Bank({0: 1})})
    server.start_on_pty()
    with caplog.at_level(logging.WARNING, logger="der_client.sunspec.simulator.rtu_server"):
        server._lost("pulled out")
    server.close()
    assert "the serial line is gone: pulled out" in caplog.text
