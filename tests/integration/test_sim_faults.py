"""Every fault on command of `lineside sim`, seen by the real drivers of inverters and batteries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from der_client.can import BatteryLimits, BusSettings, CanBms, load_profile
from der_client.device import (
    Applied,
    BatteryState,
    CurvePoint,
    CurveSetpoint,
    Fault,
    FaultKind,
    Nameplate,
    Reversion,
    Setpoint,
    Telemetry,
)
from der_client.sunspec import SunSpecDevice, SunSpecSettings, TransportSettings
from lineside.sim.build import Wish, build
from lineside.sim.clock import SimClock
from lineside.sim.faults import FAULTS
from lineside.sim.serve import Served

START = 1_782_000_000.0
QUICK = SunSpecSettings(
    transport=TransportSettings(timeout_s=0.5, backoff_s=0.05),
    readback_s=0.5,
    readback_pause_s=0.01,
    controller_heartbeat=False,
)
HALF = Setpoint(max_w_pct=50)
REVERSION = Reversion(after_s=60, to=Setpoint(max_w_pct=100))
PATIENCE_S = 20.0


class ManualTime:
    """Our time, as the test turns it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Rig:
    """A running simulation of one device and the drivers that know it."""

    served: Served
    time: ManualTime
    inverter: SunSpecDevice
    bms: CanBms | None

    def fault(self, text: str) -> None:
        assert self.served.tell(f'{{"fault": "{text}"}}') == '{"ok": true}'

    def clear(self, text: str) -> None:
        assert self.served.tell(f'{{"clear": "{text}"}}') == '{"ok": true}'

    def pass_time(self, seconds: float) -> None:
        self.time.now_s += seconds
        self.served.rig.step(self.served.clock.now())

    async def telemetry(self) -> Telemetry:
        reading = await self.inverter.read()
        assert isinstance(reading, Telemetry)
        return reading

    async def battery(self, is_so: Callable[[BatteryState], object]) -> BatteryState:
        """The battery once something is so of it; looked at with each frame."""
        assert self.bms is not None
        async with asyncio.timeout(PATIENCE_S):
            while not (isinstance(state := self.bms.battery(), BatteryState) and is_so(state)):
                await self.bms.updated(frames=self.bms.frames + 1)
        return state


async def a_moment() -> None:
    """Let the others do something."""
    await asyncio.sleep(0.02)


async def rig_of(kind: str) -> Rig:
    time = ManualTime()
    rig = build(Wish(kind=kind, start=START, irradiance=1.0, max_w=10_000.0))
    served = Served(rig, SimClock(START, 1.0, time))
    await served.start("127.0.0.1", 0, is_one_port=False)
    await served.start_can("127.0.0.1", 0)
    device = SunSpecDevice("der", "127.0.0.1", int(str(served.places[0]["port"])), settings=QUICK)
    bms = None
    if kind == "battery":
        simulated = rig.devices["battery"].bms
        assert simulated is not None
        simulated.settings = replace(simulated.settings, period_s=0.02)
        can_port = int(str(served.places[0]["can_port"]))
        bus = BusSettings(interface="socketcand", channel="can0", options={"port": can_port})
        limits = BatteryLimits(max_charge_a=100.0, max_discharge_a=100.0)
        bms = CanBms("bms", bus, load_profile("pylontech_lv"), limits=limits)
        await bms.start()
    async with asyncio.timeout(PATIENCE_S):
        while isinstance(await device.identify(), Fault):
            pass
    return Rig(served, time, device, bms)


async def close(rig: Rig) -> None:
    await rig.inverter.close()
    if rig.bms is not None:
        await rig.bms.close()
    await rig.served.close()


@pytest.fixture
async def pv() -> AsyncIterator[Rig]:
    """A PV inverter in full sun."""
    rig = await rig_of("inverter")
    yield rig
    await close(rig)


@pytest.fixture
async def battery() -> AsyncIterator[Rig]:
    """A battery whose BMS has been heard."""
    rig = await rig_of("battery")
    await rig.battery(lambda state: state.charge_limit_a == 100.0)
    yield rig
    await close(rig)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("late=1.5", FaultKind.NO_ANSWER),
        ("silent", FaultKind.NO_ANSWER),
        ("drop", FaultKind.NO_ANSWER),
        ("garbage", FaultKind.MALFORMED),
        ("exception=6", FaultKind.REFUSED),
    ],
)
async def test_a_bad_line_is_a_fault_and_passes(pv: Rig, fault: str, kind: FaultKind) -> None:
    pv.fault(fault)
    seen = await pv.inverter.read()
    pv.clear(fault.partition("=")[0])
    async with asyncio.timeout(PATIENCE_S):
        while isinstance(after := await pv.inverter.read(), Fault):
            pass
    assert isinstance(seen, Fault)
    assert seen.kind is kind
    assert after.power_w == 10_000


async def test_writes_that_are_not_taken_are_found_by_reading_back(pv: Rig) -> None:
    pv.fault("ignore-writes")
    seen = await pv.inverter.apply(HALF, REVERSION)
    assert isinstance(seen, Fault)
    assert seen.kind is FaultKind.READBACK


async def test_a_device_that_reads_back_and_does_not_obey_is_seen_in_its_power(pv: Rig) -> None:
    pv.fault("deaf")
    applied = await pv.inverter.apply(HALF, REVERSION)
    pv.pass_time(30)
    deaf = await pv.telemetry()
    pv.clear("deaf")
    again = await pv.inverter.apply(replace(HALF, max_w_pct=40), REVERSION)
    pv.pass_time(30)
    assert (isinstance(applied, Applied), deaf.power_w) == (True, 10_000)
    assert (isinstance(again, Applied), (await pv.telemetry()).power_w) == (True, 4_000)


async def test_a_wrong_scale_factor_reads_ten_times_too_much(pv: Rig) -> None:
    pv.fault("wrong-scale=701.W_SF:1")
    assert isinstance(await pv.inverter.identify(), Nameplate)
    assert (await pv.telemetry()).power_w == 100_000
    pv.clear("all")
    assert isinstance(await pv.inverter.identify(), Nameplate)
    assert (await pv.telemetry()).power_w == 10_000


async def test_a_sample_of_zeros_is_not_taken_for_a_measurement_of_the_grid(pv: Rig) -> None:
    pv.fault("all-zero")
    seen = await pv.inverter.read()
    pv.clear("all-zero")
    assert not isinstance(seen, Telemetry) or (seen.voltage_v, seen.frequency_hz) == (0, 0)
    assert (await pv.telemetry()).frequency_hz == 60.0


async def test_a_heartbeat_that_stands_still_makes_readings_stale(pv: Rig) -> None:
    watching = replace(QUICK, heartbeat_limit_s=0.3)
    port = int(str(pv.served.places[0]["port"]))
    device = SunSpecDevice("der", "127.0.0.1", port, settings=watching)
    first = await device.read()
    pv.fault("stopped-heartbeat")
    async with asyncio.timeout(PATIENCE_S):
        while isinstance(seen := await device.read(), Telemetry):
            pv.pass_time(1)
    await device.close()
    assert isinstance(first, Telemetry)
    assert (seen.kind, seen.point) == (FaultKind.STALE, "715.DERHb")


async def test_reversion_timers_that_do_not_restart_are_a_fault(pv: Rig) -> None:
    pv.fault("stuck-timers")
    seen = await pv.inverter.apply(HALF, REVERSION)
    assert isinstance(seen, Fault)
    assert "the reversion timer did not restart" in seen.detail


VOLT_VAR = CurveSetpoint(
    mode="opModVoltVar",
    points=tuple(CurvePoint(x=x, y=y) for x, y in ((92, 30), (98, 0), (102, 0), (108, -30))),
    y_ref=2,
    open_loop_s=5,
)


@pytest.mark.parametrize("fault", ["stuck-adoption", "failing-adoption"])
async def test_a_curve_that_is_not_adopted_is_a_fault_of_its_mode(pv: Rig, fault: str) -> None:
    turning = asyncio.ensure_future(turn(pv))
    pv.fault(fault)
    seen = await pv.inverter.apply(Setpoint(curves=(VOLT_VAR,)), REVERSION)
    turning.cancel()
    assert isinstance(seen, Fault)


async def turn(rig: Rig) -> None:
    """Let the simulation's time go by while the driver waits."""
    while True:
        rig.pass_time(1)
        await a_moment()


async def test_a_curve_that_is_adopted_acts(pv: Rig) -> None:
    turning = asyncio.ensure_future(turn(pv))
    applied = await pv.inverter.apply(Setpoint(curves=(VOLT_VAR,)), REVERSION)
    turning.cancel()
    pv.served.tell('{"grid": {"per_unit": 1.08}}')
    pv.pass_time(20)
    assert isinstance(applied, Applied)
    assert (await pv.telemetry()).reactive_var == pytest.approx(-0.3 * 4_400, abs=10)


async def test_an_alarm_of_the_inverter_is_reported(pv: Rig) -> None:
    pv.fault("alarm=6")
    seen = await pv.telemetry()
    pv.clear("alarm")
    assert (7 in seen.alarms, 7 in (await pv.telemetry()).alarms) == (True, False)


async def test_a_device_under_local_control_is_not_written_to(pv: Rig) -> None:
    pv.fault("local")
    reading, applied = await pv.telemetry(), await pv.inverter.apply(HALF, REVERSION)
    assert isinstance(applied, Fault)
    assert (reading.local_control, applied.kind) == (True, FaultKind.LOCAL)


@pytest.mark.parametrize(
    ("fault", "is_so"),
    [
        ("charge-blocked", lambda s: s.charge_limit_a == 0.0 < s.discharge_limit_a),
        ("discharge-blocked", lambda s: s.discharge_limit_a == 0.0 < s.charge_limit_a),
        ("bms-disabled", lambda s: not s.charge_allowed and not s.discharge_allowed),
        ("bms-alarm=high_current", lambda s: "high_current" in s.alarms and s.charge_limit_w == 0.0),
        ("bms-over-nameplate", lambda s: "limit_implausible" in s.warnings),
    ],
)
async def test_what_the_bms_says_is_heard(
    battery: Rig, fault: str, is_so: Callable[[BatteryState], object]
) -> None:
    battery.fault(fault)
    await battery.battery(is_so)
    battery.clear("all")
    await battery.battery(lambda state: not is_so(state))


@pytest.mark.parametrize("fault", ["bms-silent", "bms-all-zero", "bms-truncated", "bms-swapped"])
async def test_a_bms_that_cannot_be_heard_is_stale_and_allows_nothing(battery: Rig, fault: str) -> None:
    battery.fault(fault)
    assert battery.bms is not None
    async with asyncio.timeout(PATIENCE_S):
        while isinstance(state := battery.bms.battery(), BatteryState) and state.charge_limit_w > 0:
            await a_moment()
    assert isinstance(state, Fault) or state.stale_s > 0


async def test_half_of_the_frames_are_lost_and_the_battery_is_still_known(battery: Rig) -> None:
    battery.fault("bms-lost-frames")
    assert battery.bms is not None
    await battery.bms.updated(frames=battery.bms.frames + 40)
    assert isinstance(state := battery.bms.battery(), BatteryState)
    assert state.charge_limit_a == 100.0


async def test_a_frozen_soc_stands_while_the_pack_moves(battery: Rig) -> None:
    before = (await battery.battery(lambda state: state.soc_pct > 0)).soc_pct
    battery.fault("frozen-soc")
    assert isinstance(await battery.inverter.apply(Setpoint(target_w=4_000), REVERSION), Applied)
    battery.pass_time(50)
    frozen = (await battery.battery(lambda state: state.current_a > 50)).soc_pct
    battery.clear("frozen-soc")
    moved = await battery.battery(lambda state: state.soc_pct < before)
    assert (frozen, moved.soc_pct < before) == (before, True)


async def test_a_cell_that_runs_away_raises_the_alarm_and_the_contactor_opens(battery: Rig) -> None:
    battery.fault("thermal-runaway=3")
    battery.pass_time(240)
    hot = await battery.battery(lambda state: (state.cell_c_max or 0) > 80)
    assert "high_temperature" in (await battery.battery(lambda state: state.alarms)).alarms
    pack = battery.served.rig.devices["battery"].pack
    assert pack is not None
    async with asyncio.timeout(PATIENCE_S):
        while pack.contactor_closed:
            await a_moment()
    battery.pass_time(1)
    assert (hot.charge_limit_w, pack.limits(0.0)[:2]) == (0.0, (0.0, 0.0))


async def test_a_drifting_cell_is_seen_as_the_lowest(battery: Rig) -> None:
    battery.fault("cell-drift=5:-600")
    battery.pass_time(300)
    seen = await battery.battery(lambda state: (state.cell_v_min or 9) < 3.26)
    assert (seen.cell_v_max or 0) - (seen.cell_v_min or 0) > 0.03


async def test_a_contactor_that_falls_open_leaves_the_inverter_without_a_battery(battery: Rig) -> None:
    assert isinstance(await battery.inverter.apply(Setpoint(target_w=3_000), REVERSION), Applied)
    battery.pass_time(5)
    before = await battery.telemetry()
    battery.fault("contactor-open")
    battery.pass_time(5)
    after = await battery.telemetry()
    assert (before.power_w, after.power_w) == (3_000, 0)


async def test_a_welded_contactor_stays_closed_when_the_bms_opens_it(battery: Rig) -> None:
    battery.fault("contactor-weld")
    battery.fault("bms-alarm=high_current")
    pack = battery.served.rig.devices["battery"].pack
    assert pack is not None
    async with asyncio.timeout(PATIENCE_S):
        while pack.wants_contactor:
            await a_moment()
    assert pack.contactor_closed


async def test_the_heartbeat_of_a_bms_can_stand_still(battery: Rig) -> None:
    battery.fault("bms-stopped-heartbeat")
    bms = battery.served.rig.devices["battery"].bms
    assert bms is not None
    beats = {bms.values(now)["heartbeat"] for now in (10.0, 11.0, 12.0)}
    assert len(beats) == 1


def test_no_fault_is_forgotten_here() -> None:
    text = Path(__file__).read_text()
    assert [name for name in FAULTS if f'"{name}"' not in text and f'"{name}=' not in text] == []
