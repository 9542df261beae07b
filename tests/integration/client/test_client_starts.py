"""Who begins when: all pass the gate before their second, send at it, and the rest comes after that."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from der_client.quiet import quiet_of, until_quiet_is_over
from der_client.server_clock import ServerClock
from der_client.starts import MANY, Starts
from der_client.watched import Watched

OFFSET_S = 1_000_000.0


@dataclass(eq=False)
class One:
    """A starter that notes what happens, with the time of the server."""

    notes: list[tuple[str, float]] = field(default_factory=list)
    sent: Sequence["asyncio.Future[None]"] = ()
    armed: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def arm(self, at_s: float) -> None:
        self.notes.append(("arm", now_s()))
        self.armed.set()

    def begin(self) -> "Sequence[asyncio.Future[None]]":
        self.notes.append(("begin", now_s()))
        self.begun.set()
        return self.sent

    def wake(self) -> None:
        self.notes.append(("wake", now_s()))
        self.woken.set()


def now_s() -> float:
    return time.monotonic() + OFFSET_S


@pytest.fixture
async def starts() -> AsyncIterator[Starts]:
    made = Starts(Watched(ServerClock(offset_s=OFFSET_S)), time.monotonic)
    task = asyncio.ensure_future(made.run())
    yield made
    task.cancel()
    await asyncio.wait([task])


async def test_each_begins_at_its_second_and_passes_the_gate_before(starts: Starts) -> None:
    at, one, later = int(now_s()) + 2, One(), One()
    starts.enter(later, at + 1)
    starts.enter(one, at)
    async with asyncio.timeout(10):
        await later.woken.wait()

    assert [what for what, _ in one.notes] == ["arm", "begin", "wake"]
    assert at - 2 <= one.notes[0][1]
    assert at <= one.notes[1][1]
    assert at + 1 <= later.notes[1][1]


async def test_the_rest_waits_until_what_was_sent_is_answered(starts: Starts) -> None:
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    at, all_of_them = int(now_s()) + 2, [One(sent=[answer]) for _ in range(MANY)]
    for one in all_of_them:
        starts.enter(one, at)
    async with asyncio.timeout(10):
        await all_of_them[-1].armed.wait()
        waiting = asyncio.ensure_future(until_quiet_is_over())
        await all_of_them[-1].begun.wait()
        assert not waiting.done()
        answer.set_result(None)
        assert await waiting
        await all_of_them[-1].woken.wait()
    assert not await until_quiet_is_over()


@dataclass(eq=False)
class Slow(One):
    """A starter on a busy machine: its gate takes long."""

    was_quiet: list[bool] = field(default_factory=list)

    def arm(self, at_s: float) -> None:
        time.sleep(0.2)
        super().arm(at_s)

    def begin(self) -> "Sequence[asyncio.Future[None]]":
        loop = asyncio.get_running_loop()
        self.was_quiet.append(quiet_of(loop).is_on(loop.time()))
        return super().begin()


async def test_it_stays_quiet_until_all_have_begun_also_where_they_are_late(starts: Starts) -> None:
    late = [Slow() for _ in range(MANY)]
    for one in late:
        starts.enter(one, int(now_s()) + 1)
    async with asyncio.timeout(10):
        await late[-1].woken.wait()

    assert [one.was_quiet for one in late] == [[True]] * MANY


async def test_few_need_no_quiet(starts: Starts) -> None:
    one = One()
    starts.enter(one, int(now_s()) + 1)
    async with asyncio.timeout(10):
        await one.armed.wait()
        assert not await until_quiet_is_over()
        await one.woken.wait()


async def test_who_withdraws_does_not_begin(starts: Starts) -> None:
    at, one, other = int(now_s()) + 2, One(), One()
    starts.enter(one, at)
    starts.enter(other, at)
    starts.withdraw(one)
    async with asyncio.timeout(10):
        await other.woken.wait()
    assert one.notes == []


async def test_who_enters_another_second_begins_at_that(starts: Starts) -> None:
    at, one = int(now_s()) + 1, One()
    starts.enter(one, at + 600)
    starts.enter(one, at)
    async with asyncio.timeout(10):
        await one.woken.wait()
    assert [what for what, _ in one.notes] == ["arm", "begin", "wake"]


async def test_quiet_ends_by_itself() -> None:
    loop = asyncio.get_running_loop()
    quiet_of(loop).begin(loop.time() + 0.05)
    assert await until_quiet_is_over()
    assert not quiet_of(loop).is_on(loop.time())


async def test_nothing_begins_while_the_time_of_the_server_is_not_known() -> None:
    clock = Watched[ServerClock | None](None)
    starts, one = Starts(clock, time.monotonic), One()
    task = asyncio.ensure_future(starts.run())
    starts.enter(one, int(now_s()))
    await asyncio.sleep(0)
    clock.set(ServerClock(offset_s=OFFSET_S))
    async with asyncio.timeout(10):
        await one.woken.wait()
    task.cancel()
    await asyncio.wait([task])
    assert [what for what, _ in one.notes] == ["arm", "begin", "wake"]
