"""One bus, several units: who gets it, and what a silent unit or a dead connection does to the others."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from der_client.commissioning.describe import hint_of
from der_client.device import Fault, FaultKind
from der_client.sunspec.bus import Answer, Bus, BusSettings
from der_client.sunspec.lines import Receiver
from der_client.sunspec.requests import read_request, write_request
from der_client.sunspec.scan import Failure
from der_client.sunspec.tcp_line import TcpLine
from der_client.sunspec.turns import Urgency

READ, WRITE = read_request(0, 1), write_request(0, (1,))
ANSWER = b"\x03\x02\x00\x01"
SOON_S, LONG_S = 0.02, 60.0


@dataclass
class Wire:
    """A line in memory: it keeps what was sent, and the test answers."""

    name: str = "wire"
    is_connection: bool = True
    has_broadcast: bool = False
    pauses_s: float = 0.0
    errors: list[OSError | ValueError | RuntimeError] = field(default_factory=list)
    opened: int = 0
    dead_on_arrival: bool = False
    links: list["WireLink"] = field(default_factory=list)

    async def open(self, receiver: Receiver) -> "WireLink":
        self.opened += 1
        if self.errors:
            raise self.errors.pop(0)
        self.links.append(WireLink(self, is_open=not self.dead_on_arrival))
        return self.links[-1]

    @property
    def sent(self) -> list[tuple[int, bytes]]:
        return [request for link in self.links for request in link.sent]

    @property
    def units(self) -> list[int]:
        return [unit for unit, _ in self.sent]


@dataclass
class WireLink:
    """One opening of the line."""

    wire: Wire
    is_open: bool = True
    sent: list[tuple[int, bytes]] = field(default_factory=list)
    ignored: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, unit: int, pdu: bytes) -> None:
        self.sent.append((unit, pdu))
        self.asked.set()

    def ignore(self) -> None:
        self.ignored += 1

    def pause_s(self, now_s: float) -> float:
        pause_s, self.wire.pauses_s = self.wire.pauses_s, 0.0
        return pause_s

    def span_s(self, pdu: bytes) -> float:
        return 0.0

    def abort(self) -> None:
        self.is_open = False
        self.gone.set()

    async def close(self) -> None:
        self.abort()

    def units(self) -> list[int]:
        return [unit for unit, _ in self.sent]


@dataclass
class Stand:
    """A bus on a line in memory."""

    wire: Wire
    bus: Bus

    async def asked(self, unit: int, pdu: bytes = READ, timeout_s: float = LONG_S) -> Answer:
        answer = self.bus.ask(unit, pdu, timeout_s, Urgency.WRITE if pdu == WRITE else Urgency.READ)
        await settled()
        return answer


async def settled() -> None:
    """What can happen without time passing has happened."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def result(answer: Answer) -> bytes | Failure:
    """What a request brought, within 5 s."""
    async with asyncio.timeout(5):
        return await answer


def no_answer(detail: str) -> Failure:
    return Failure(FaultKind.NO_ANSWER, detail)


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    wire = Wire()
    bus = Bus(wire, BusSettings(backoff_s=LONG_S, probe_s=LONG_S), spread=lambda: 0.0)
    bus.join(1)
    bus.join(2)
    yield Stand(wire, bus)
    await bus.close()


async def test_units_share_a_connection_with_one_request_on_it_at_a_time(stand: Stand) -> None:
    first, second = await stand.asked(1), await stand.asked(2)
    assert stand.wire.units == [1]
    stand.bus.answered(ANSWER)
    assert stand.wire.units == [1, 2]
    stand.bus.answered(ANSWER)
    assert [await result(first), await result(second)] == [ANSWER, ANSWER]
    assert stand.wire.opened == 1


async def test_write_overtakes_the_reads_that_wait(stand: Stand) -> None:
    await stand.asked(1)
    await stand.asked(1)
    await stand.asked(2, WRITE)
    stand.bus.answered(ANSWER)
    assert stand.wire.sent == [(1, READ), (2, WRITE)]


async def test_silent_unit_rests_and_its_neighbour_goes_on_over_the_same_connection(stand: Stand) -> None:
    await stand.asked(2)
    stand.bus.answered(ANSWER)
    dead, queued = await stand.asked(1, timeout_s=SOON_S), await stand.asked(1)
    neighbour = await stand.asked(2)
    assert [await result(dead), await result(queued)] == [no_answer("read 0+1: no answer")] * 2
    stand.bus.answered(ANSWER)
    assert await result(neighbour) == ANSWER
    again = await result(await stand.asked(1))
    assert isinstance(again, Failure)
    assert again.detail.startswith("read 0+1: unit 1 was silent, it is asked again in ")
    assert (stand.wire.units, stand.wire.opened, stand.wire.links[0].ignored) == ([2, 1, 2], 1, 1)


async def test_silent_unit_is_asked_again_after_its_rest() -> None:
    stand = Stand(Wire(), Bus(Wire(), BusSettings(backoff_s=0.0)))
    stand.bus.line = stand.wire
    stand.bus.join(1)
    stand.bus.join(2)
    await result(await stand.asked(1, timeout_s=SOON_S))
    answer = await stand.asked(1)
    stand.bus.answered(ANSWER)
    assert await result(answer) == ANSWER
    await stand.bus.close()


async def test_silence_of_two_units_in_a_row_opens_the_connection_anew(stand: Stand) -> None:
    await stand.asked(1)
    stand.bus.answered(ANSWER)
    await result(await stand.asked(1, timeout_s=SOON_S))
    await result(await stand.asked(2, timeout_s=SOON_S))
    stand.bus.join(3)
    await stand.asked(3)
    assert (stand.wire.opened, stand.wire.links[0].is_open, stand.wire.links[1].units()) == (2, False, [3])


async def test_silence_of_the_only_unit_opens_the_connection_anew(stand: Stand) -> None:
    await stand.bus.leave(2)
    await result(await stand.asked(1, timeout_s=SOON_S))
    await stand.asked(1)
    assert (stand.wire.opened, stand.wire.links[0].is_open) == (2, False)


async def test_silence_leaves_a_serial_line_open(stand: Stand) -> None:
    stand.wire.is_connection = False
    await stand.bus.leave(2)
    await result(await stand.asked(1, timeout_s=SOON_S))
    await stand.asked(1)
    assert (stand.wire.opened, stand.wire.links[0].ignored) == (1, 1)


async def test_request_that_nobody_waits_for_any_longer_is_not_sent(stand: Stand) -> None:
    await stand.asked(1)
    (await stand.asked(2, WRITE)).cancel()
    await stand.asked(2)
    stand.bus.answered(ANSWER)
    assert stand.wire.sent == [(1, READ), (2, READ)]


async def test_request_on_the_line_is_waited_for_even_if_nobody_asks_any_longer(stand: Stand) -> None:
    (await stand.asked(1)).cancel()
    other = await stand.asked(2)
    assert stand.wire.units == [1]
    stand.bus.answered(ANSWER)
    stand.bus.answered(b"\x03\x02\x00\x02")
    assert await result(other) == b"\x03\x02\x00\x02"


async def test_answer_to_nothing_is_dropped(stand: Stand) -> None:
    await stand.asked(1)
    stand.bus.answered(ANSWER)
    stand.bus.answered(ANSWER)
    other = await stand.asked(2)
    assert not other.done()


async def test_lost_connection_fails_its_request_and_is_opened_for_the_next(stand: Stand) -> None:
    first, second = await stand.asked(1), await stand.asked(2)
    stand.bus.lost("gone")
    await settled()
    stand.bus.answered(ANSWER)
    assert [await result(first), await result(second)] == [no_answer("read 0+1: gone"), ANSWER]
    assert stand.wire.opened == 2


async def test_connection_lost_in_idleness_is_opened_by_the_next_request(stand: Stand) -> None:
    await stand.asked(1)
    stand.bus.answered(ANSWER)
    stand.bus.lost("gone")
    await settled()
    assert stand.wire.opened == 1
    await stand.asked(1)
    assert stand.wire.opened == 2


async def test_octets_that_are_no_answer_fail_the_request_and_the_connection(stand: Stand) -> None:
    first, second = await stand.asked(1), await stand.asked(2)
    stand.bus.spoiled("no Modbus")
    await settled()
    stand.bus.answered(ANSWER)
    assert await result(first) == Failure(FaultKind.MALFORMED, "read 0+1: no Modbus")
    assert await result(second) == ANSWER
    assert (stand.wire.opened, stand.wire.links[0].is_open) == (2, False)


async def test_failed_attempt_to_connect_fails_all_and_is_not_repeated_at_once(stand: Stand) -> None:
    stand.wire.errors.append(OSError(113, "no route"))
    answers = [stand.bus.ask(1, READ, LONG_S), stand.bus.ask(2, READ, LONG_S)]
    failed = no_answer("cannot connect to wire: No route to host")
    assert [await result(answer) for answer in answers] == [failed, failed]
    assert await result(await stand.asked(1)) == no_answer("not connected to wire")
    assert stand.wire.opened == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "no answer"),
        (ConnectionRefusedError(111, "x"), "Connection refused"),
        (OSError("multiple exceptions"), "multiple exceptions"),
        (OSError(-2, "Name or service not known"), "[Errno -2] Name or service not known"),
        (UnicodeError("label empty or too long"), "name not known: label empty or too long"),
        (ValueError("embedded null character"), "embedded null character"),
        (RuntimeError("can't start new thread"), "can't start new thread"),
    ],
)
async def test_reason_of_a_failed_attempt_is_told(
    stand: Stand, error: OSError | ValueError | RuntimeError, reason: str
) -> None:
    stand.wire.errors.append(error)
    answer = await result(stand.bus.ask(1, READ, LONG_S))
    assert answer == no_answer(f"cannot connect to wire: {reason}")


async def test_name_that_cannot_be_is_a_failed_attempt_with_a_hint() -> None:
    bus = Bus(TcpLine(host="inverter..local", port=502))
    failure = await result(bus.ask(1, READ, LONG_S))
    assert isinstance(failure, Failure)
    assert "inverter..local:502: name not known" in failure.detail
    assert "the name is not known" in hint_of(Fault(kind=failure.kind, detail=failure.detail))
    await bus.close()


async def test_device_that_closes_at_once_is_a_failed_attempt(stand: Stand) -> None:
    stand.wire.dead_on_arrival = True
    answer = await result(stand.bus.ask(1, READ, LONG_S))
    assert answer == no_answer("cannot connect to wire: closed by the device")


async def test_pause_after_failed_attempts_grows_and_half_of_it_is_random() -> None:
    wire, drawn = Wire(errors=[OSError(111, "")] * 2), iter((1.0, 0.0))
    bus = Bus(wire, BusSettings(backoff_s=0.01), spread=lambda: next(drawn))
    first = bus.ask(1, READ, LONG_S)
    await result(first)
    assert await result(bus.ask(1, READ, LONG_S)) == no_answer("not connected to wire")
    await until_asked(bus, wire, 2)
    await bus.close()
    assert next(drawn, None) is None


async def until_asked(bus: Bus, wire: Wire, times: int) -> None:
    """Ask until the line has been opened so often."""
    async with asyncio.timeout(5):
        while wire.opened < times:
            await bus.ask(1, READ, LONG_S)
            await asyncio.sleep(0.001)


async def test_connection_without_requests_is_closed_and_opened_again() -> None:
    wire = Wire()
    stand = Stand(wire, Bus(wire))
    stand.bus.let_go_after(SOON_S)
    await stand.asked(1)
    stand.bus.answered(ANSWER)
    async with asyncio.timeout(5):
        await wire.links[0].gone.wait()
    await stand.asked(1)
    assert (wire.opened, wire.links[1].units()) == (2, [1])
    await stand.bus.close()


async def test_closing_fails_what_waits_and_a_later_request_opens_again(stand: Stand) -> None:
    answers = [await stand.asked(1), await stand.asked(2)]
    await stand.bus.close()
    closed = no_answer("read 0+1: the line was closed")
    assert [await result(answer) for answer in answers] == [closed, closed]
    await stand.asked(1)
    assert stand.wire.opened == 2


async def test_closing_ends_an_attempt_to_connect(stand: Stand) -> None:
    answer = stand.bus.ask(1, READ, LONG_S)
    await stand.bus.close()
    assert await result(answer) == no_answer("read 0+1: the line was closed")


async def test_last_unit_that_leaves_closes_the_line(stand: Stand) -> None:
    await stand.asked(1)
    stand.bus.answered(ANSWER)
    await stand.bus.leave(1)
    assert stand.wire.links[0].is_open
    stand.bus.join(2)
    await stand.bus.leave(2)
    assert stand.wire.links[0].is_open
    await stand.bus.leave(2)
    assert not stand.wire.links[0].is_open


async def test_broadcast_is_done_once_it_is_sent(stand: Stand) -> None:
    stand.wire.has_broadcast, stand.wire.is_connection = True, False
    broadcast, read = await stand.asked(0, WRITE), await stand.asked(1)
    assert await result(broadcast) == WRITE[:5]
    stand.bus.answered(ANSWER)
    assert await result(read) == ANSWER
    assert stand.wire.sent == [(0, WRITE), (1, READ)]


async def test_line_that_needs_silence_gets_it_before_the_next_request(stand: Stand) -> None:
    await stand.asked(1)
    second = await stand.asked(2)
    stand.wire.pauses_s = SOON_S
    stand.bus.answered(ANSWER)
    assert stand.wire.units == [1]
    stand.wire.links[0].asked.clear()
    async with asyncio.timeout(5):
        await stand.wire.links[0].asked.wait()
    stand.bus.answered(ANSWER)
    assert await result(second) == ANSWER


async def test_trace_shows_requests_and_answers(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="der_client.sunspec.trace"):
        await stand.asked(1)
        stand.bus.answered(ANSWER)
    assert [record.message for record in caplog.records] == [
        "wire unit 1 > read 0+1",
        "wire unit 1 < read 0+1: 0001",
    ]
