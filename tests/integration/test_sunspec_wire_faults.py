"""What a bad wire does: nothing raises, nothing hangs, and no unit ever gets what is another's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from certs import Door
from der_client.device import FaultKind
from der_client.sunspec import TransportSettings
from der_client.sunspec.frames import Frame, split_frames
from der_client.sunspec.scan import Failure
from der_client.sunspec.transport import ModbusTransport

SETTINGS = TransportSettings(timeout_s=0.4, backoff_s=0.001, probe_s=0.002)


@dataclass
class Device:
    """A device that answers as the test says; `wire` is the connection of the moment."""

    answer: "Answer"
    wires: list[asyncio.Transport] = field(default_factory=list)
    requests: list[Frame] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def wire(self) -> asyncio.Transport:
        return self.wires[-1]

    def send(self, *frames: Frame) -> None:
        self.wire.write(b"".join(frame.encode() for frame in frames))


Answer = Callable[[Device, Frame], None]


class Wire(asyncio.Protocol):
    """One connection to the device."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.device.wires.append(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.device.lost.set()

    def data_received(self, data: bytes) -> None:
        request = split_frames(data)[0][0]
        self.device.requests.append(request)
        self.device.asked.set()
        self.device.answer(self.device, request)


@asynccontextmanager
async def units(answer: Answer, *numbers: int) -> AsyncIterator[tuple[Device, list[ModbusTransport]]]:
    """Transports to units of a device behind one port."""
    device = Device(answer)
    door = Door.at("127.0.0.1", 0, lambda: Wire(device))
    transports = [ModbusTransport("127.0.0.1", door.port, unit, SETTINGS) for unit in numbers]
    try:
        yield device, transports
    finally:
        for transport in transports:
            await transport.close()
        for wire in device.wires:
            wire.abort()
        await door.close()


def right(request: Frame, word: int | None = None) -> Frame:
    """The answer to a read of one register: its unit, unless told otherwise."""
    value = request.unit if word is None else word
    return Frame(request.transaction, request.unit, bytes((3, 2)) + value.to_bytes(2, "big"))


def well(device: Device, request: Frame) -> None:
    device.send(right(request))


async def soon(reading: Awaitable[object]) -> object:
    """A result that must come within 5 s."""
    async with asyncio.timeout(5):
        return await reading


async def bad_then_good(bad: Answer) -> tuple[object, object]:
    """What a read brings while the device is bad, and what the next one brings when it is well again."""
    async with units(bad, 1) as (device, [unit]):
        first = await soon(unit.read(0, 1))
        device.answer = well
        return first, await soon(unit.read(0, 1))


def octets(text: str) -> Answer:
    """A device that says this, with the transaction of the request in front."""
    return lambda device, request: device.wire.write(
        request.transaction.to_bytes(2, "big") + bytes.fromhex(text)
    )


NO_ANSWER = Failure(FaultKind.NO_ANSWER, "read 0+1: no answer")


@pytest.mark.parametrize(
    ("bad", "failure"),
    [
        (octets(""), NO_ANSWER),
        (octets("0000 0005 01 03"), NO_ANSWER),
        (octets("0000 0005 02 03 02 0009"), NO_ANSWER),
        (
            octets("0000 0005 01 04 02 0009"),
            Failure(FaultKind.MALFORMED, "read 0+1: function code 4 in the answer"),
        ),
        (octets("0000 0003 01 03 02"), Failure(FaultKind.MALFORMED, "read 0+1: an answer of 2 octets")),
        (
            octets("0000 0007 01 03 04 0009 0009"),
            Failure(FaultKind.MALFORMED, "read 0+1: 2 registers in the answer"),
        ),
        (
            octets("0001 0005 01 03 02 0009"),
            Failure(FaultKind.MALFORMED, "read 0+1: protocol identifier 1, length 5"),
        ),
        (octets("0000 0001 01"), Failure(FaultKind.MALFORMED, "read 0+1: protocol identifier 0, length 1")),
        (
            octets("0000 ffff 01"),
            Failure(FaultKind.MALFORMED, "read 0+1: protocol identifier 0, length 65535"),
        ),
    ],
    ids=[
        "two octets",
        "half a frame",
        "another unit",
        "another function",
        "no registers",
        "too many registers",
        "another protocol",
        "no room for a PDU",
        "longer than any frame",
    ],
)
async def test_answer_that_is_none_is_a_failure_and_passes(bad: Answer, failure: Failure) -> None:
    assert await bad_then_good(bad) == (failure, (1,))


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 8, 10, 11])
async def test_exception_is_a_refusal_and_leaves_the_connection_open(code: int) -> None:
    def refuse(device: Device, request: Frame) -> None:
        device.send(Frame(request.transaction, request.unit, bytes((0x83, code))))

    async with units(refuse, 1) as (device, [unit]):
        first = await soon(unit.read(0, 1))
        device.answer = well
        assert await soon(unit.read(0, 1)) == (1,)
        assert isinstance(first, Failure)
        assert (first.kind, first.code, len(device.wires)) == (FaultKind.REFUSED, code, 1)


async def test_wrong_transaction_is_not_taken() -> None:
    def wrong(device: Device, request: Frame) -> None:
        device.send(Frame(request.transaction ^ 0x100, request.unit, right(request).pdu))

    assert await bad_then_good(wrong) == (NO_ANSWER, (1,))


async def test_connection_that_is_reset_is_a_failure_and_passes() -> None:
    def reset(device: Device, _: Frame) -> None:
        device.wire.abort()

    first, second = await bad_then_good(reset)
    assert first == Failure(FaultKind.NO_ANSWER, "read 0+1: the device closed the connection")
    assert second == (1,)


async def test_connection_whose_other_side_is_gone_is_opened_anew() -> None:
    def nothing(_: Device, __: Frame) -> None:
        """Half open: requests go out and nothing ever comes back."""

    async with units(nothing, 1) as (device, [unit]):
        assert await soon(unit.read(0, 1)) == NO_ANSWER
        device.answer = well
        assert await soon(unit.read(0, 1)) == (1,)
        assert len(device.wires) == 2


async def test_answer_octet_by_octet_is_joined() -> None:
    def slowly(device: Device, request: Frame) -> None:
        for at, octet in enumerate(right(request).encode()):
            asyncio.get_running_loop().call_later(0.002 * at, device.wire.write, bytes((octet,)))

    async with units(slowly, 1) as (_, [unit]):
        assert await soon(unit.read(0, 1)) == (1,)


async def test_second_answer_in_one_segment_is_dropped() -> None:
    def twice(device: Device, request: Frame) -> None:
        device.send(right(request), right(request, 99))

    async with units(twice, 1, 2) as (_, [one, two]):
        answers = [await soon(unit.read(0, 1)) for unit in (one, two, one, two)]
    assert answers == [(1,), (2,), (1,), (2,)]


async def test_late_answer_of_one_unit_is_never_taken_for_that_of_another() -> None:
    late: list[Frame] = []

    def one_is_late(device: Device, request: Frame) -> None:
        if request.unit == 1:
            late.append(right(request))
        else:
            device.send(*late, right(request))
            late.clear()

    async with units(one_is_late, 1, 2) as (device, [one, two]):
        assert await soon(two.read(0, 1)) == (2,)
        assert await soon(one.read(0, 1)) == NO_ANSWER
        assert await soon(two.read(0, 1)) == (2,)
        assert len(device.wires) == 1


async def test_answers_that_a_gateway_mixes_up_reach_nobody() -> None:
    def swapped(device: Device, request: Frame) -> None:
        device.send(Frame(request.transaction, 3 - request.unit, right(request).pdu))

    async with units(swapped, 1, 2) as (device, [one, two]):
        failures = [await soon(unit.read(0, 1)) for unit in (one, two)]
        device.answer = well
        assert failures == [NO_ANSWER, NO_ANSWER]


async def test_words_that_nobody_asked_for_do_no_harm() -> None:
    async with units(well, 1) as (device, [unit]):
        assert await soon(unit.read(0, 1)) == (1,)
        device.send(Frame(1, 1, bytes((3, 2, 0, 77))), Frame(99, 1, bytes((3, 2, 0, 78))))
        assert await soon(unit.read(0, 1)) == (1,)


async def test_garbage_that_nobody_asked_for_opens_the_connection_anew() -> None:
    async with units(well, 1) as (device, [unit]):
        assert await soon(unit.read(0, 1)) == (1,)
        device.wire.write(b"\xde\xad\xbe\xef" * 4)
        await soon(device.lost.wait())
        assert await soon(unit.read(0, 1)) == (1,)
        assert len(device.wires) == 2


async def test_many_tasks_on_many_units_get_each_their_own() -> None:
    async with units(well, *range(1, 21)) as (device, transports):
        answers = await asyncio.gather(*(unit.read(0, 1) for unit in transports * 5))
        assert answers == [(number,) for number in range(1, 21)] * 5
        assert len(device.wires) == 1


async def test_reader_that_gives_up_leaves_the_others_theirs() -> None:
    held: list[Frame] = []

    def hold(_: Device, request: Frame) -> None:
        held.append(request)

    async with units(hold, 1, 2) as (device, [one, two]):
        impatient = asyncio.ensure_future(one.read(0, 1))
        patient = asyncio.ensure_future(two.read(0, 1))
        await soon(device.asked.wait())
        impatient.cancel()
        device.answer = well
        device.send(right(held[0]))
        assert await soon(patient) == (2,)
