"""A write that was prepared before its second: what is sent, and what makes it be told in another way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from der_client.ahead import Ahead
from der_client.crowd import Crowd
from der_client.device import Device, Fault, FaultKind, Reversion, Setpoint, Telemetry
from der_client.override import Override
from der_client.plan import Plan
from der_client.quiet import quiet_of
from function_sets import ModeSource
from tests.integration.control_bench import PLATE, Bench, Rig

PV = replace(PLATE, der_type=4, modes=frozenset({"opModMaxLimW"}), max_charge_w=None, max_discharge_w=None)
READING = Telemetry(power_w=5_000.0, reactive_var=0.0)


def limit(hundredths: int, mrid: str | None = "AA") -> Plan:
    source = ModeSource(mode="opModMaxLimW", value=hundredths, mRID=mrid, program_href="/p", primacy=1)
    return Plan(modes={"opModMaxLimW": source})


@dataclass
class Preparing(Rig):
    """A device that can be told in two steps."""

    is_able: bool = True
    ready: list[tuple[Setpoint, Reversion]] = field(default_factory=list)
    begun: list[tuple[Setpoint, Reversion]] = field(default_factory=list)

    async def read(self) -> Telemetry:
        assert isinstance(self.reading, Telemetry)
        return replace(self.reading)

    async def prepare(self, setpoint: Setpoint, reversion: Reversion) -> bool:
        self.ready.append((setpoint, reversion))
        return self.is_able

    def begin(self, setpoint: Setpoint, reversion: Reversion) -> "asyncio.Future[None] | None":
        assert (setpoint, reversion) == self.ready[-1]
        self.begun.append((setpoint, reversion))
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent


AHEAD = Ahead(at=1_000, plan=limit(4_000))


def made() -> tuple[Bench, Preparing]:
    rig = Preparing(plate=PV, reading=READING)
    bench = Bench(rig)
    bench.plan.set(limit(8_000))
    bench.loop.ahead = lambda: AHEAD
    return bench, rig


def started(bench: Bench) -> bool:
    """True if the prepared write went out at the next second."""
    bench.loop.arm(AHEAD, bench.now)
    return bench.loop.begin() is not None


async def test_what_was_prepared_is_sent_and_then_answered_for() -> None:
    bench, rig = made()
    await bench.cycle()
    assert [setpoint.max_w_pct for setpoint, _ in rig.ready] == [40.0]
    assert started(bench)
    assert (len(rig.begun), len(rig.told)) == (1, 1)

    await bench.cycle()
    assert rig.told[-1] == rig.begun[0]
    bench.plan.set(AHEAD.plan)
    bench.loop.ahead = lambda: None
    await bench.cycle()
    assert (len(rig.begun), len(rig.told)) == (1, 2)


async def test_it_is_prepared_once_while_nothing_changes() -> None:
    bench, rig = made()
    await bench.cycle()
    await bench.cycle()
    assert len(rig.ready) == 1
    assert started(bench)


async def test_it_is_prepared_anew_once_the_device_was_told_something_else() -> None:
    bench, rig = made()
    await bench.cycle()
    bench.plan.set(limit(7_000))
    await bench.cycle()
    assert len(rig.ready) == 2
    assert started(bench)


async def test_a_dead_man_switch_that_was_refreshed_meanwhile_makes_it_be_prepared_anew() -> None:
    bench, rig = made()
    await bench.cycle(31.0)
    await bench.cycle()
    assert (len(rig.told), len(rig.ready)) == (2, 2)
    assert started(bench)


async def test_what_an_operator_resets_behind_the_gate_discards_it() -> None:
    bench, rig = made()
    await bench.cycle()
    bench.loop.arm(AHEAD, bench.now)
    bench.loop.reset(frozenset({"anything"}))
    assert bench.loop.begin() is None
    assert rig.begun == []


async def test_a_reading_that_is_old_is_not_relied_on() -> None:
    bench, rig = made()
    await bench.cycle(2.5)
    assert not started(bench)
    assert rig.begun == []


async def test_an_interlock_that_trips_meanwhile_discards_it() -> None:
    bench, rig = made()
    await bench.cycle()
    bench.silent_share = 1.5
    assert not started(bench)
    assert rig.begun == []


async def test_an_override_discards_it() -> None:
    bench, rig = made()
    await bench.cycle()
    bench.loop.arm(AHEAD, bench.now)
    await bench.loop.override(Override(limit_pct=10.0))
    assert bench.loop.begin() is None
    await bench.cycle()
    assert not started(bench)
    assert rig.begun == []


async def test_on_a_reading_that_comes_behind_the_gate_it_passes_once_more_and_is_not_prepared_anew() -> None:
    bench, rig = made()
    await bench.cycle()
    bench.loop.arm(AHEAD, bench.now)
    await bench.cycle()
    assert bench.loop.begin() is not None
    assert (len(rig.ready), len(rig.begun)) == (1, 1)


async def test_a_reading_behind_the_gate_with_an_interlock_discards_it() -> None:
    bench, rig = made()
    await bench.cycle()
    bench.loop.arm(AHEAD, bench.now)
    rig.reading = replace(READING, local_control=True)
    await bench.cycle()
    assert bench.loop.view.value.is_local
    assert bench.loop.begin() is None
    assert rig.begun == []


async def test_what_was_prepared_is_sent_once() -> None:
    bench, rig = made()
    await bench.cycle()
    bench.loop.arm(AHEAD, bench.now)
    assert bench.loop.begin() is not None
    assert bench.loop.begin() is None
    bench.loop.arm(AHEAD, bench.now)
    assert bench.loop.begin() is None
    assert len(rig.begun) == 1


async def test_in_a_crowd_readings_wait_for_the_end_of_a_quiet_moment_and_writes_do_not() -> None:
    rig = Preparing(plate=PV, reading=READING)
    device, loop = Crowd().join(rig), asyncio.get_running_loop()
    quiet_of(loop).begin(loop.time() + 30.0)
    reading = asyncio.ensure_future(device.read())
    preparing = asyncio.ensure_future(device.prepare(Setpoint(), Reversion()))
    await device.apply(Setpoint(), Reversion())
    assert (reading.done(), preparing.done(), len(rig.told)) == (False, False, 1)
    quiet_of(loop).end()
    assert await reading == READING
    assert await preparing


async def test_a_device_that_fails_is_told_in_the_ordinary_way() -> None:
    bench, rig = made()
    rig.is_able = False
    await bench.cycle()
    assert not started(bench)
    assert rig.begun == []


async def test_another_change_than_the_one_prepared_for_is_not_begun() -> None:
    bench, rig = made()
    await bench.cycle()
    bench.loop.arm(replace(AHEAD, at=1_001), bench.now)
    assert bench.loop.begin() is None
    assert rig.begun == []


async def test_what_was_begun_holds_until_another_plan_is_published() -> None:
    bench, rig = made()
    await bench.cycle()
    assert started(bench)
    await bench.cycle()
    await bench.cycle()
    assert [setpoint.max_w_pct for setpoint, _ in rig.told] == [80.0, 40.0]
    bench.loop.ahead = lambda: None
    bench.plan.set(limit(8_000))
    await bench.cycle()
    assert [setpoint.max_w_pct for setpoint, _ in rig.told] == [80.0, 40.0, 80.0]


async def test_a_change_that_is_taken_back_at_once_is_told_to_the_device() -> None:
    bench, rig = made()
    await bench.cycle()
    assert started(bench)
    bench.loop.ahead = lambda: None
    bench.plan.set(limit(8_000))
    await bench.cycle()
    assert [setpoint.max_w_pct for setpoint, _ in rig.told] == [80.0, 80.0]


async def test_a_device_that_answers_for_it_with_a_fault_is_told_again() -> None:
    bench, rig = made()
    await bench.cycle()
    assert started(bench)
    answer = rig.answer
    rig.answer = Fault(kind=FaultKind.READBACK, detail="40 is 80", field="max_w_pct")
    await bench.cycle()
    rig.answer = answer
    await bench.cycle()
    assert [setpoint.max_w_pct for setpoint, _ in rig.told] == [80.0, 40.0, 40.0]


class Raising(Preparing):
    """A device whose driver raises as it is begun, against its contract."""

    def begin(self, setpoint: Setpoint, reversion: Reversion) -> "asyncio.Future[None] | None":
        raise ZeroDivisionError


async def test_a_driver_that_raises_as_it_is_begun_is_identified_and_told_again() -> None:
    rig = Raising(plate=PV, reading=READING)
    bench = Bench(rig)
    bench.plan.set(limit(8_000))
    bench.loop.ahead = lambda: AHEAD
    await bench.cycle()
    assert not started(bench)

    assert bench.loop.view.value.silent is not None
    bench.plan.set(AHEAD.plan)
    bench.loop.ahead = lambda: None
    await bench.cycle()
    assert rig.told[-1][0].max_w_pct == 40.0
    assert bench.loop.view.value.silent is None


async def test_shortly_before_its_second_what_is_ready_stands_in_for_a_refresh() -> None:
    """A refresh would let go of it, and the device could be in the midst of one at the second."""
    bench, rig = made()
    await bench.cycle(31.0)
    bench.loop.left_s = lambda: 2.0
    await bench.cycle()
    assert len(rig.told) == 1
    assert started(bench)


@pytest.mark.parametrize(
    ("left_s", "age_s"),
    [
        pytest.param(2.1, 31.0, id="its second is not near"),
        pytest.param(None, 31.0, id="there is nothing ahead any more"),
        pytest.param(1.0, 57.0, id="the switch would be over too soon"),
        pytest.param(-1.0, 58.0, id="the second has passed and it was not sent"),
    ],
)
async def test_a_refresh_is_not_put_off_where(left_s: float | None, age_s: float) -> None:
    bench, rig = made()
    await bench.cycle(age_s)
    bench.loop.left_s = lambda: left_s
    await bench.cycle()
    assert len(rig.told) == 2


async def test_a_device_for_which_nothing_is_ready_is_refreshed_at_half_of_its_time_all_the_same() -> None:
    bench, rig = made()
    rig.is_able = False
    await bench.cycle(31.0)
    bench.loop.left_s = lambda: 2.0
    await bench.cycle()
    assert len(rig.told) == 2


@dataclass
class Lengthy(Preparing):
    """A device whose registers take a while to be read."""

    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self, setpoint: Setpoint, reversion: Reversion) -> bool:
        await self.go.wait()
        return await super().prepare(setpoint, reversion)


async def preparing_at_the_gate() -> "tuple[Bench, Lengthy, asyncio.Task[Setpoint]]":
    """A device that is still being read as its gate comes, and the cycle that reads it."""
    rig = Lengthy(plate=PV, reading=READING)
    bench = Bench(rig)
    bench.plan.set(limit(8_000))
    bench.loop.ahead = lambda: AHEAD
    cycle = asyncio.ensure_future(bench.cycle())
    await asyncio.sleep(0.01)
    bench.loop.arm(AHEAD, bench.now)
    return bench, rig, cycle


async def test_what_is_ready_between_the_gate_and_the_second_passes_the_gate_then() -> None:
    bench, rig, cycle = await preparing_at_the_gate()
    rig.go.set()
    await cycle
    assert bench.loop.begin() is not None
    assert len(rig.begun) == 1


async def test_what_is_not_ready_at_the_second_is_not_sent() -> None:
    bench, rig, cycle = await preparing_at_the_gate()
    assert bench.loop.begin() is None
    rig.go.set()
    await cycle
    assert bench.loop.begin() is None
    assert rig.begun == []


@dataclass
class Turning(Preparing):
    """A device that waits its turn, and notes when it is late."""

    was_late: list[bool] = field(default_factory=list)

    def hurry(self, *, is_late: bool) -> None:
        self.was_late.append(is_late)


@contextlib.asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[None]:
    """The loop as a task, behind its first cycle."""
    task = asyncio.ensure_future(bench.loop.run())
    await seen(bench)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def seen(bench: Bench) -> None:
    """Wait for the end of the next look at the device, and for the turn of whoever waits for that too."""
    version = bench.loop.view.version
    assert await bench.loop.view.newer(version, 5.0)
    await asyncio.sleep(0.01)


async def test_a_device_that_is_not_told_at_its_second_is_late_until_it_has_been_told() -> None:
    rig = Turning(plate=PV, reading=READING, is_able=False)
    bench = Bench(rig)
    bench.plan.set(limit(8_000))
    async with running(bench):
        assert not started(bench)
        bench.plan.set(AHEAD.plan)
        await seen(bench)
        assert rig.was_late == [True, True]
        assert rig.told[-1][0].max_w_pct == 40.0
        await seen(bench)
    assert rig.was_late == [True, True, False]


async def test_a_device_that_was_sent_its_write_is_not_late_as_its_plan_is_published() -> None:
    rig = Turning(plate=PV, reading=READING)
    bench = Bench(rig)
    bench.plan.set(limit(8_000))
    bench.loop.ahead = lambda: AHEAD
    async with running(bench):
        assert started(bench)
        bench.plan.set(AHEAD.plan)
        await seen(bench)
        assert rig.told[-1] == rig.begun[-1]
    assert not any(rig.was_late)


async def test_who_is_late_goes_before_the_others_also_while_it_is_quiet() -> None:
    crowd, loop = Crowd(most=1), asyncio.get_running_loop()
    others = [Preparing(plate=PV, reading=READING) for _ in range(3)]
    rig = Preparing(plate=PV, reading=READING)
    late, done = crowd.join(rig), []
    quiet_of(loop).begin(loop.time() + 30.0)

    async def read(device: Device, name: str) -> None:
        await device.read()
        done.append(name)

    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        tasks.create_task(read(late, "late"))
        for one in others:
            tasks.create_task(read(crowd.join(one), "other"))
        await asyncio.sleep(0.01)
        assert done == []
        late.hurry(is_late=True)
        await asyncio.sleep(0.01)
        assert done == ["late"]
        quiet_of(loop).end()
    assert done == ["late", "other", "other", "other"]


async def test_who_is_late_prepares_nothing() -> None:
    """What is ahead of it comes after what it was not told."""
    rig, loop = Preparing(plate=PV, reading=READING), asyncio.get_running_loop()
    device = Crowd().join(rig)
    quiet_of(loop).begin(loop.time() + 30.0)
    preparing = asyncio.ensure_future(device.prepare(Setpoint(), Reversion()))
    await asyncio.sleep(0.01)
    device.hurry(is_late=True)
    assert not await asyncio.wait_for(preparing, 5)
    quiet_of(loop).end()
    assert rig.ready == []
