"""Driver and battery simulator on a bus: the virtual one and the hub over TCP. Time is a manual clock."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from der_client.can import (
    BatterySettings,
    BatterySimulator,
    BmsFault,
    BmsSettings,
    BusSettings,
    CanBms,
    CanFrame,
    CanHub,
    CanLink,
    FramePort,
    Pack,
    PackSettings,
    SimulatedBms,
    load_profile,
    serve_battery,
    watch_frames,
)
from der_client.device import BatteryState, Fault, FaultKind

LIMIT_S = 10.0
PERIOD_S = 0.02


class ManualClock:
    """Monotonic time that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True, kw_only=True)
class Rig:
    driver: CanBms
    simulator: BatterySimulator
    clock: ManualClock

    @property
    def bms(self) -> SimulatedBms:
        return self.simulator.bms

    async def rounds(self, count: int = 2) -> BatteryState | Fault:
        """The driver's answer after that many further rounds of frames."""
        async with asyncio.timeout(LIMIT_S):
            await self.driver.updated(frames=self.driver.frames + count * len(self.driver.profile.incoming))
        return self.driver.battery()

    async def battery(self, count: int = 2) -> BatteryState:
        answer = await self.rounds(count)
        assert isinstance(answer, BatteryState)
        return answer


@contextlib.asynccontextmanager
async def rig_on(kind: str, profile_name: str, *, alive_timeout_s: float | None = None) -> AsyncIterator[Rig]:
    clock, hub, profile = ManualClock(), CanHub(), load_profile(profile_name)
    bms_settings = BmsSettings(period_s=PERIOD_S, alive_timeout_s=alive_timeout_s)
    bms = SimulatedBms(Pack(PackSettings(soc_pct=41.3)), profile, bms_settings)
    await hub.start()
    virtual = BusSettings(interface="virtual", channel=f"rig-{uuid.uuid4()}")
    over_tcp = BusSettings(interface="socketcand", channel="can0", options={"port": hub.port})
    driver = CanBms("b1", virtual if kind == "virtual" else over_tcp, profile, clock)
    port: FramePort = hub.join()
    if kind == "virtual":
        port = link = CanLink(virtual)
        await link.start()
        assert await link.opened(LIMIT_S)
    simulator = BatterySimulator(bms, port)
    await driver.start()
    assert await driver.link.opened(LIMIT_S)
    await simulator.start()
    try:
        yield Rig(driver=driver, simulator=simulator, clock=clock)
    finally:
        await driver.close()
        await simulator.close()
        await hub.close()


both_buses = pytest.mark.parametrize("kind", ["virtual", "hub"])
both_profiles = pytest.mark.parametrize("profile_name", ["pylontech_lv", "sma_35x"])


@both_buses
@both_profiles
async def test_driver_and_simulator_agree_within_the_resolution(kind: str, profile_name: str) -> None:
    async with rig_on(kind, profile_name) as rig:
        rig.bms.pack.transfer(-3000.0, 600.0)
        state, pack = await rig.battery(3), rig.bms.pack
        assert state.voltage_v == pytest.approx(pack.voltage_v, abs=0.005)
        assert state.current_a == pytest.approx(pack.current_a, abs=0.05)
        assert state.soc_pct == pytest.approx(pack.soc_pct, abs=0.5)
        assert state.charge_limit_a == pytest.approx(pack.ccl_a, abs=0.05)
        assert rig.driver.text("manufacturer") == "LINESIDE"


@both_buses
async def test_silence_is_stale_at_3_s_and_lost_at_10_s(kind: str) -> None:
    async with rig_on(kind, "pylontech_lv") as rig:
        assert (await rig.battery()).charge_limit_a == 100.0
        await rig.simulator.close()
        rig.clock.now_s = 102.9
        assert isinstance(state := rig.driver.battery(), BatteryState)
        assert state.charge_limit_a == 100.0
        rig.clock.now_s = 103.0
        assert isinstance(state := rig.driver.battery(), BatteryState)
        assert (state.charge_limit_a, state.discharge_limit_a, state.stale_s) == (0.0, 0.0, 3.0)
        rig.clock.now_s = 110.0
        assert rig.driver.battery() == Fault(kind=FaultKind.STALE, detail="BMS silent for 10.0 s")


@both_buses
@both_profiles
async def test_alarm_arrives_and_leaves_with_one_line_each(
    kind: str, profile_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="der_client.can.driver")
    async with rig_on(kind, profile_name) as rig:
        await rig.rounds()
        rig.bms.raise_alarm("high_current")
        arrived = await rig.battery(3)
        rig.bms.clear_alarm("high_current")
        left = await rig.battery(3)
        assert (set(arrived.alarms), arrived.discharge_allowed) == ({"high_current"}, False)
        assert (set(left.alarms), left.discharge_allowed) == (set(), False)
    own = [record for record in caplog.records if record.name == "der_client.can.driver"]
    assert [record.getMessage() for record in own][:3] == [
        "battery b1: init -> ok",
        "battery b1: alarm high_current arrived",
        "battery b1: alarm high_current left",
    ]


async def test_refusals_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with rig_on("virtual", "pylontech_lv") as rig:
        rig.bms.inject(BmsFault.TRUNCATED)
        await rig.rounds(3)
    lines = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert sorted(lines) == [
        "battery b1: refused Limits: frame shorter than the signals that are needed",
        "battery b1: refused Measurements: frame shorter than the signals that are needed",
        "battery b1: refused StateOfCharge: frame shorter than the signals that are needed",
    ]


@both_buses
async def test_bms_is_kept_alive_by_the_frames_of_the_driver(kind: str) -> None:
    async with rig_on(kind, "pylontech_lv", alive_timeout_s=3600.0) as rig:
        async with asyncio.timeout(LIMIT_S):
            while rig.bms._alive_s is None or rig.bms._alive_s == 0.0:
                await rig.rounds(1)
        assert (await rig.battery()).charge_limit_a == 100.0


async def test_status_goes_out_as_the_sma_frame() -> None:
    settings = BusSettings(interface="virtual", channel=f"status-{uuid.uuid4()}")
    listener = CanLink(settings)
    await listener.start()
    assert await listener.opened(LIMIT_S)
    driver = CanBms("b1", settings, load_profile("sma_35x"))
    await driver.send_status(52.4, 12.3, 21.5, 55.5)
    await driver.start()
    async with asyncio.timeout(LIMIT_S):
        frames = await listener.receive()
    await driver.close()
    await listener.close()
    assert str(frames[0]) == "305#0C027B00D7002B02"


async def test_bus_that_cannot_be_opened_shows_in_the_fault() -> None:
    driver = CanBms(
        "b1", BusSettings(interface="no-such-interface", channel="x", retry_s=0.01), load_profile("sma_35x")
    )
    await driver.start()
    assert not await driver.link.opened(0.05)
    fault = driver.battery()
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.NO_ANSWER
    assert "no-such-interface x: " in fault.detail
    await driver.close()


async def test_served_battery_is_seen_by_an_observer_with_decoded_signals() -> None:
    settings = BatterySettings(bms=BmsSettings(period_s=PERIOD_S), pack=PackSettings(soc_pct=40.0))
    served = await serve_battery(settings)
    bus = BusSettings(interface="socketcand", channel="can0", options={"port": served.can_port})
    seen = {}
    async with asyncio.timeout(LIMIT_S):
        async with contextlib.aclosing(watch_frames(bus, load_profile("pylontech_lv"))) as frames:
            async for frame in frames:
                seen[frame.message] = frame
                if len(seen) == 8:
                    break
    assert seen["StateOfCharge"].signals == {"SoC": 40, "SoH": 100}
    assert seen["Limits"].data.hex() == "3802e803e803c001"
    assert seen["Limits"].time_s > 1.7e9
    assert served.pack.limits(0.0)[2:] == (40.0, 100.0)
    await served.close()


async def test_served_battery_follows_a_constant_power() -> None:
    served = await serve_battery(BatterySettings(power_w=4000.0, bms=BmsSettings(period_s=0.005)))
    listener = served.hub.join()
    async with asyncio.timeout(LIMIT_S):
        while served.pack.soc_pct == 50.0:
            await listener.receive()
    await served.close()
    assert served.pack.current_a == pytest.approx(77.55, abs=0.1)


class BrokenPort:
    """A seat on a bus that refuses every frame and, when heard, fails as only a bug can."""

    def __init__(self, *, is_broken: bool) -> None:
        self.refused = asyncio.Condition()
        self.count = 0
        self.is_broken = is_broken

    async def send(self, frame: CanFrame) -> Fault | None:
        async with self.refused:
            self.count += 1
            self.refused.notify_all()
        return Fault(kind=FaultKind.NO_ANSWER, detail=f"{frame} refused")

    async def receive(self) -> tuple[CanFrame, ...]:
        if self.is_broken:
            raise LookupError("bug")
        return ()

    async def close(self) -> None:
        self.is_broken = False


async def test_simulator_goes_on_when_its_bus_refuses_frames() -> None:
    port = BrokenPort(is_broken=False)
    settings = BmsSettings(period_s=PERIOD_S)
    simulator = BatterySimulator(SimulatedBms(Pack(), load_profile("sma_35x"), settings), port)
    await simulator.start()
    async with asyncio.timeout(LIMIT_S), port.refused:
        await port.refused.wait_for(lambda: port.count >= 30)
    await simulator.close()
    assert port.count >= 30


async def test_bug_in_the_simulator_is_logged_and_close_still_closes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = BrokenPort(is_broken=True)
    simulator = BatterySimulator(SimulatedBms(Pack(), load_profile("sma_35x")), port)
    await simulator.start()
    async with asyncio.timeout(LIMIT_S), port.refused:
        await port.refused.wait_for(lambda: port.count >= 1)
    await simulator.close()
    assert not port.is_broken
    assert [record.getMessage() for record in caplog.records] == ["battery simulator: stopped"]


async def test_bug_in_the_driver_is_logged_and_the_battery_becomes_a_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig_on("virtual", "pylontech_lv") as rig:
        assert isinstance(await rig.rounds(), BatteryState)
        stopped = asyncio.Event()

        def fail(*_: object) -> None:
            stopped.set()
            raise LookupError("bug")

        monkeypatch.setattr(rig.driver._state, "feed", fail)
        async with asyncio.timeout(LIMIT_S):
            await stopped.wait()
        rig.clock.now_s += 10.0
        assert isinstance(rig.driver.battery(), Fault)
    assert "battery b1: the driver has stopped" in [record.getMessage() for record in caplog.records]
