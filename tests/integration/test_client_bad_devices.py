"""A control loop on a bad SunSpec device: a Fault that is told, no blind writes, and recovery."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from der_client.client_event import What
from der_client.control import Controller
from der_client.device import WrittenPoint
from der_client.plan import Plan
from der_client.report_log import incidents_of
from der_client.report_status import status_of
from der_client.safety import Surroundings
from der_client.settings import ControlSettings
from der_client.sunspec import SunSpecDevice, SunSpecSettings, TransportSettings
from der_client.sunspec.simulator import FaultSwitches, Inverter, InverterSettings, ModbusServer
from der_client.sunspec.simulator.bank import IllegalRequestError
from der_client.watched import Watched
from function_sets import ModeSource

PATIENCE_S = 20.0
BLOCKS = 2
"""Writes that a limit takes on this device: reversion points and setpoint are not side by side."""
PV = InverterSettings(enter_service_delay_s=0, enter_service_ramp_s=0)
QUICK = SunSpecSettings(
    transport=TransportSettings(timeout_s=0.2, backoff_s=0.02, backoff_max_s=0.05),
    readback_s=0.2,
    readback_pause_s=0.01,
    controller_heartbeat=False,
)
CONTROL = ControlSettings(period_s=0.02, retry_s=0.3, unavailable_after_s=0.3)


class Store:
    """The registers of one simulated inverter whose time runs `pace` times as fast as ours.

    It answers as the test says: reads and writes late by their own delay, writes lost, refused, or taken and
    then the connection dropped.
    """

    def __init__(self, pace: float = 1.0) -> None:
        self.faults = FaultSwitches()
        self.inverter = Inverter(PV, 0.0)
        self.server = ModbusServer({1: self}, self.faults)
        self.pace = pace
        self.read_delay_s = self.write_delay_s = 0.0
        self.is_deaf = False
        self.drops = False
        self.refusal: int | None = None
        self.writes: list[tuple[int, tuple[int, ...]]] = []
        self._began_s = asyncio.get_running_loop().time()

    def now(self) -> float:
        return (asyncio.get_running_loop().time() - self._began_s) * self.pace

    def restart(self, settings: InverterSettings) -> None:
        """Power off and on: registers as they were delivered, all connections lost."""
        self.inverter = Inverter(settings, self.now())
        self.server.drop_connections()

    def read(self, address: int, count: int) -> Sequence[int]:
        self.faults.answer_delay_s, self.faults.silent = self.read_delay_s, False
        self.inverter.step(self.now())
        return self.inverter.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        self.faults.answer_delay_s, self.faults.silent = self.write_delay_s, self.is_deaf
        self.writes.append((address, tuple(words)))
        if self.refusal is not None:
            raise IllegalRequestError(self.refusal, "as the test wants")
        if not self.is_deaf:
            self.inverter.write(address, words, self.now())
        if self.drops:
            self.server.drop_connections()

    def value(self, name: str) -> object:
        number, _, point = name.partition(".")
        return self.inverter.bank.models[int(number)].value(point)


@dataclass
class Bench:
    """A device, the loop that controls it, and what the loop tells."""

    store: Store
    controller: Controller
    plan: Watched[Plan | None]
    told: list[tuple[What, str]] = field(default_factory=list)

    def limit(self, percent: float) -> None:
        self.plan.set(limit_plan(percent))

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so; looked at whenever the loop has shown something."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await self.controller.view.newer(self.controller.view.version, 0.05)

    def holds(self, percent: float) -> bool:
        return self.store.value("704.WMaxLimPct") == percent and self.store.value("704.WMaxLimPctEna") == 1

    def incidents(self) -> set[str]:
        return set(incidents_of(self.controller.view.value))

    def is_in_fault(self) -> bool:
        status = status_of(self.controller.view.value, 100).genConnectStatus
        return status is not None and bool(int(status.value, 16) & 0x10)

    def heard(self, what: What) -> list[str]:
        return [detail for kind, detail in self.told if kind is what]


def limit_plan(percent: float) -> Plan:
    source = ModeSource(
        mode="opModMaxLimW", value=round(percent * 100), mRID="AA", program_href="/p", primacy=1
    )
    return Plan(modes={"opModMaxLimW": source})


@asynccontextmanager
async def controlled(
    pace: float = 1.0, driver: SunSpecSettings = QUICK, control: ControlSettings = CONTROL
) -> AsyncIterator[Bench]:
    """A control loop on a simulated inverter, holding it at 50 %."""
    store = Store(pace)
    await store.server.start()
    device = SunSpecDevice("der", "127.0.0.1", store.server.port, settings=driver)
    plan = Watched[Plan | None](limit_plan(50))
    told: list[tuple[What, str]] = []

    def tell(
        what: What,
        detail: str,
        *,
        href: str | None = None,
        mrid: str | None = None,
        points: tuple[WrittenPoint, ...] = (),
    ) -> None:
        told.append((what, detail))

    controller = Controller(device, control, plan, surroundings=Surroundings, tell=tell)
    bench = Bench(store, controller, plan, told)
    task = asyncio.ensure_future(controller.run())
    try:
        await bench.until(lambda: bench.heard(What.APPLIED))
        assert bench.holds(50.0)
        yield bench
    finally:
        task.cancel()
        await asyncio.wait([task])
        await store.server.close()


async def test_a_device_that_answers_each_poll_late_but_in_time_is_controlled_as_any_other() -> None:
    async with controlled() as bench:
        bench.store.read_delay_s = bench.store.write_delay_s = 0.1
        bench.limit(30)
        await bench.until(lambda: bench.holds(30.0))
        await bench.until(lambda: bench.heard(What.APPLIED)[-1] == "limit 30 %")

        assert bench.incidents() == set()
        assert not bench.is_in_fault()
        assert bench.heard(What.FAULT) == []


async def test_the_reversion_timer_of_a_slow_device_counts_as_restarted() -> None:
    patient = replace(QUICK.transport, timeout_s=3.0)
    slow = replace(QUICK, transport=patient, readback_s=3.0)
    async with controlled(pace=30.0, driver=slow) as bench:
        bench.store.read_delay_s = bench.store.write_delay_s = 0.15
        bench.limit(40)
        await bench.until(lambda: bench.heard(What.APPLIED)[-1] == "limit 40 %")
        bench.limit(10)
        await bench.until(lambda: bench.heard(What.APPLIED)[-1] == "limit 10 %")

        assert bench.heard(What.FAULT) == []


@pytest.mark.parametrize("delay_s", [0.3, 3.0])
async def test_a_device_that_answers_every_poll_too_late_is_lost_and_found(delay_s: float) -> None:
    async with controlled() as bench:
        bench.store.read_delay_s = delay_s
        await bench.until(lambda: bench.heard(What.DEVICE_LOST))
        assert bench.incidents() == {"silent"}
        assert bench.is_in_fault()
        writes = len(bench.store.writes)
        bench.limit(20)
        bench.store.read_delay_s = 0.0
        await bench.until(lambda: bench.holds(20.0))

        assert len(bench.store.writes) == writes + BLOCKS
        await bench.until(lambda: bench.incidents() == set())


async def test_a_single_late_answer_to_a_write_is_read_back_and_not_sent_again() -> None:
    async with controlled() as bench:
        writes = len(bench.store.writes)
        bench.store.write_delay_s = 0.4
        bench.limit(20)
        await bench.until(lambda: bench.heard(What.APPLIED)[-1] == "limit 20 %")

        assert len(bench.store.writes) == writes + BLOCKS
        assert bench.incidents() == set()


async def test_a_connection_that_breaks_within_a_write_is_read_back_and_not_sent_again() -> None:
    async with controlled() as bench:
        writes = len(bench.store.writes)
        bench.store.drops = True
        bench.limit(20)
        await bench.until(lambda: bench.heard(What.APPLIED)[-1] == "limit 20 %")

        assert len(bench.store.writes) == writes + BLOCKS


async def test_a_device_that_takes_no_write_and_says_nothing_is_reported_and_recovers() -> None:
    async with controlled() as bench:
        bench.store.is_deaf = True
        bench.limit(20)
        await bench.until(lambda: bench.heard(What.FAULT))
        assert bench.is_in_fault()
        assert "failed max_w_pct" in bench.incidents()
        bench.store.is_deaf = False
        await bench.until(lambda: bench.holds(20.0))
        await bench.until(lambda: bench.incidents() == set())

        assert not bench.is_in_fault()
        assert "der holds max_w_pct again" in bench.heard(What.RECOVERED)


@pytest.mark.parametrize("code", [4, 6])
async def test_a_device_that_refuses_writes_is_reported_and_recovers(code: int) -> None:
    async with controlled() as bench:
        bench.store.refusal = code
        bench.limit(20)
        await bench.until(lambda: bench.heard(What.FAULT))
        assert "failed max_w_pct" in bench.incidents()
        bench.store.refusal = None
        await bench.until(lambda: bench.holds(20.0))
        await bench.until(lambda: bench.incidents() == set())


async def test_a_device_that_restarts_between_two_polls_gets_its_setpoint_again() -> None:
    async with controlled() as bench:
        asked = bench.store.server.requests
        bench.store.faults.drop_connection = True
        await bench.until(lambda: bench.store.server.requests > asked)
        bench.store.restart(PV)
        assert not bench.holds(50.0)
        bench.store.faults.drop_connection = False
        await bench.until(lambda: bench.holds(50.0))


async def test_a_device_that_restarts_with_other_ratings_is_identified_before_the_next_write() -> None:
    async with controlled(control=replace(CONTROL, unavailable_after_s=5.0)) as bench:
        bench.store.restart(replace(PV, max_w=5_000.0, max_va=5_000.0, serial="SIM-0002"))
        bench.limit(20)
        await bench.until(lambda: bench.holds(20.0))
        plate = bench.controller.view.value.nameplate

        assert plate is not None
        assert (plate.set_max_w, plate.serial) == (5_000.0, "SIM-0002")
        assert bench.incidents() == set()
