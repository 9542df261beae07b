"""What a control loop does when something is not as it should be; a device in memory, a clock by hand."""

import asyncio
from dataclasses import replace

import pytest

from der_client.client_event import What
from der_client.control import Controller
from der_client.device import Applied, Fault, FaultKind, Reversion, Setpoint, Telemetry
from der_client.interlocks import SafetyRules, Surroundings
from der_client.override import Override
from der_client.plan import Plan
from der_client.report_log import incidents_of, log_events
from der_client.report_status import status_of
from der_client.settings import ControlSettings
from der_client.watched import Watched
from function_sets import ModeSource
from schemas import CurveData, DERCurve, DERCurveLink, codes
from tests.integration.control_bench import BATTERY, OUT, PLATE, Bench, Notes, Rig, Torn, target


@pytest.fixture
async def bench() -> Bench:
    """A loop whose battery gives 3 kW."""
    it = Bench(Rig())
    assert (await it.cycle()).target_w == 3_000.0
    return it


async def test_a_trip_is_in_the_device_within_the_control_period_that_sees_it(bench: Bench) -> None:
    bench.rig.says(alarms=frozenset({"high_voltage"}))

    assert await bench.cycle() == OUT
    assert (What.INTERLOCK, "interlock 13: BMS alarm") in bench.heard


async def test_a_trip_raises_its_alarm_bit_and_a_log_event_and_clears_with_the_return_to_normal(
    bench: Bench,
) -> None:
    before = incidents_of(bench.loop.view.value)
    bench.rig.says(alarms=frozenset({"high_voltage"}))
    await bench.cycle()
    during = incidents_of(bench.loop.view.value)
    status = status_of(bench.loop.view.value, 1_000)
    bench.rig.says()
    await bench.cycle()
    await bench.cycle(60.0)
    await bench.cycle()
    after = incidents_of(bench.loop.view.value)

    assert status.alarmStatus == "00000080"
    assert [e.logEventCode for e in log_events(before, during, 1_000, 1)] == [14]
    assert [e.logEventCode for e in log_events(during, after, 1_061, 2)] == [15]


async def test_the_dead_man_switch_is_refreshed_at_half_of_its_time_and_not_before(bench: Bench) -> None:
    applies = [(await bench.cycle(1.0), len(bench.rig.told))[1] for _ in range(31)]

    assert (applies[28], applies[30]) == (1, 2)
    assert bench.rig.told[-1][1] == Reversion(after_s=60, to=Setpoint(target_w=0.0))


async def test_a_device_that_is_silent_is_lost_and_identified_before_it_is_written_to_again(
    bench: Bench,
) -> None:
    bench.rig.reading = Fault(kind=FaultKind.NO_ANSWER, detail="timeout")
    for _ in range(12):
        await bench.cycle()
    assert bench.reasons == ["device silent", "device lost"]
    bench.rig.says()
    bench.rig.done.clear()
    await bench.cycle()

    assert bench.rig.done == ["identify", "apply"]
    assert bench.reasons == []


async def test_a_device_whose_heartbeat_stands_is_left_to_its_timers_and_identified_anew(
    bench: Bench,
) -> None:
    bench.rig.reading = Telemetry(power_w=0.0, reactive_var=0.0, battery=BATTERY, heartbeat=1)
    for _ in range(10):
        await bench.cycle()
    bench.rig.done.clear()
    for _ in range(40):
        await bench.cycle()
    still = list(bench.rig.done)
    bench.rig.reading = replace(bench.rig.reading, heartbeat=2)
    for _ in range(3):
        await bench.cycle()

    assert still == []
    assert bench.rig.done == ["identify", "apply"]


async def test_a_silent_bms_holds_zero_watts_and_a_lost_one_takes_the_inverter_out(bench: Bench) -> None:
    bench.rig.says(stale_s=3.0)
    held = await bench.cycle()
    bench.rig.reading = Telemetry(
        power_w=0.0, reactive_var=0.0, battery=Fault(kind=FaultKind.STALE, detail="silent")
    )
    lost = await bench.cycle()

    assert held == Setpoint(target_w=0.0, max_w_pct=0.0)
    assert lost == replace(OUT, open_contactor=True)


async def test_a_lost_server_leaves_no_more_than_the_site_is_set_for(bench: Bench) -> None:
    bench.rules = SafetyRules(server_lost_max_w=1_500.0)
    bench.silent_share = 1.0

    assert (await bench.cycle()).target_w == 1_500.0
    assert bench.reasons == ["server lost"]


async def test_a_device_under_local_control_is_read_and_not_written_to(bench: Bench) -> None:
    bench.rig.reading = Telemetry(power_w=0.0, reactive_var=0.0, battery=BATTERY, local_control=True)
    bench.plan.set(target(1_000))
    for _ in range(40):
        await bench.cycle()

    assert len(bench.rig.told) == 1
    assert bench.loop.view.value.is_local
    assert set(incidents_of(bench.loop.view.value)) == {"local"}


async def test_a_latched_trip_goes_on_over_a_restart_until_an_operator_resets_it() -> None:
    notes = Notes()
    first = Bench(Rig(), memory=notes)
    await first.begin()
    first.rig.says(cell_v_max=3.65, cell_v_min=3.64)
    assert await first.cycle() == OUT
    second = Bench(Rig(), memory=notes)
    await second.begin()
    assert await second.cycle() == OUT
    second.loop.reset()
    freed = await second.cycle()
    third = Bench(Rig(), memory=notes)
    await third.begin()

    assert freed.target_w == 3_000.0
    assert (await third.cycle()).target_w == 3_000.0


async def test_a_reset_does_nothing_while_the_cause_is_there(bench: Bench) -> None:
    bench.rig.says(cell_v_max=3.65, cell_v_min=3.64)
    await bench.cycle()
    bench.loop.reset(frozenset({"cell far over voltage"}))

    assert await bench.cycle() == OUT


async def test_an_override_beats_every_program_and_is_reported_as_local_control(bench: Bench) -> None:
    await bench.loop.override(Override(target_w=-1_000.0))
    for _ in range(4):
        held = await bench.cycle()
    status = status_of(bench.loop.view.value, 1_000).localControlModeStatus
    told = log_events({}, incidents_of(bench.loop.view.value), 1_000, 1)

    assert held.target_w == -1_000.0
    assert (status.value if status else None) == 0
    assert [event.details for event in told] == ["device under local control"]


async def test_an_override_ends_by_command_or_by_time(bench: Bench) -> None:
    await bench.loop.override(Override(target_w=1_000.0))
    held = [await bench.cycle()]
    await bench.loop.override(None)
    held.append(await bench.cycle())
    await bench.loop.override(Override(target_w=500.0, until_s=1_010.0), lambda: 1_000.0)
    held += [await bench.cycle(10.0), await bench.cycle()]

    assert [setpoint.target_w for setpoint in held] == [1_000.0, 3_000.0, 500.0, 3_000.0]
    assert not bench.loop.view.value.is_local


async def test_an_override_stays_inside_of_all_interlocks(bench: Bench) -> None:
    await bench.loop.override(Override(target_w=50_000.0))
    rated = await bench.cycle()
    bench.rig.says(discharge_limit_a=10.0)
    limited = await bench.cycle()
    bench.rig.says(alarms=frozenset({"fire"}))

    assert (rated.target_w, limited.target_w) == (8_000.0, 500.0)
    assert await bench.cycle() == OUT


@pytest.mark.parametrize(("is_kept", "expected_w"), [(True, 1_000.0), (False, 3_000.0)])
async def test_an_override_survives_a_restart_where_it_was_asked_to(is_kept: bool, expected_w: float) -> None:
    notes = Notes()
    first = Bench(Rig(), memory=notes)
    await first.begin()
    await first.loop.override(Override(target_w=1_000.0, is_kept=is_kept))
    second = Bench(Rig(), memory=notes)
    await second.begin()

    assert (await second.cycle()).target_w == expected_w


async def test_an_override_holds_before_a_plan_is_known() -> None:
    bench = Bench(Rig())
    bench.plan.set(None)
    await bench.cycle()
    assert bench.rig.told == []
    await bench.loop.override(Override(target_w=1_000.0))

    assert (await bench.cycle()).target_w == 1_000.0


async def test_without_a_plan_a_device_goes_on_as_it_is_and_then_rests() -> None:
    bench = Bench(Rig())
    bench.plan.set(None)
    for _ in range(5):
        await bench.cycle()
    assert bench.rig.told == []

    assert (await bench.cycle()).target_w == 0.0


async def test_a_broken_disk_stops_no_control_and_is_told_once() -> None:
    bench = Bench(Rig(), memory=Torn())
    await bench.begin()
    await bench.loop.override(Override(target_w=1_000.0, is_kept=True))
    held = await bench.cycle()
    bench.rig.says(cell_v_max=3.65, cell_v_min=3.64)

    assert held.target_w == 1_000.0
    assert await bench.cycle() == OUT
    assert [text for what, text in bench.heard if what is What.FAULT] == [
        "cellar: nothing is kept for a restart: disk I/O error"
    ]


async def test_notes_that_cannot_be_read_are_told_and_taken_for_none() -> None:
    notes = Notes({"latched of cellar": "7", "override of cellar": "{", "identity of cellar": "[]"})
    bench = Bench(Rig(), memory=notes)
    await bench.begin()

    assert (await bench.cycle()).target_w == 3_000.0
    assert len([text for what, text in bench.heard if what is What.FAULT]) == 3


async def test_new_firmware_is_scanned_twice_before_anything_is_written(bench: Bench) -> None:
    bench.rig.answer = Fault(kind=FaultKind.STALE, detail="the device is not as it was identified")
    bench.plan.set(target(1_000))
    await bench.cycle()
    bench.rig.plate = replace(PLATE, version="2")
    bench.rig.answer = Applied()
    bench.rig.done.clear()
    for _ in range(3):
        await bench.cycle()

    assert bench.rig.done == ["identify", "identify", "apply"]


async def test_another_model_waits_for_an_operator(bench: Bench) -> None:
    bench.rig.answer = Fault(kind=FaultKind.STALE, detail="the device is not as it was identified")
    bench.plan.set(target(1_000))
    await bench.cycle()
    bench.rig.plate = replace(PLATE, model="Two")
    bench.rig.answer = Applied()
    bench.rig.done.clear()
    for _ in range(5):
        await bench.cycle()
    assert (bench.rig.done, bench.reasons) == (["identify"], ["firmware or model changed"])
    bench.loop.reset()
    await bench.cycle()

    assert bench.rig.done == ["identify", "apply"]


async def test_a_model_that_an_operator_took_is_known_after_a_restart() -> None:
    notes = Notes()
    first = Bench(Rig(), memory=notes)
    await first.begin()
    await first.cycle()
    other = replace(PLATE, model="Two")
    second = Bench(Rig(plate=other), memory=notes)
    await second.begin()
    await second.cycle()
    second.loop.reset()
    await second.cycle()
    third = Bench(Rig(plate=other), memory=notes)
    await third.begin()
    await third.cycle()

    assert (second.reasons, third.reasons) == ([], [])


async def test_firmware_that_changed_while_we_were_away_is_noticed() -> None:
    notes = Notes()
    first = Bench(Rig(), memory=notes)
    await first.begin()
    await first.cycle()
    second = Bench(Rig(plate=replace(PLATE, version="2")), memory=notes)
    await second.begin()
    await second.cycle()

    assert second.reasons == ["firmware or model changed"]


async def test_many_small_raises_are_written_in_measure_and_a_reduction_at_once(bench: Bench) -> None:
    bench.rules = SafetyRules(dead_band_pct=0.0)
    for step in range(20):
        bench.plan.set(target(3_000 + step))
        await bench.cycle(0.1)
    raised = len(bench.rig.told)
    bench.plan.set(target(2_000))

    assert (await bench.cycle()).target_w == 2_000.0
    assert raised <= 12
    assert "registers written too often" in bench.reasons


async def test_grid_code_settings_without_permission_are_refused_told_and_not_supported(bench: Bench) -> None:
    curve = DERCurve(
        creationTime=0,
        CurveData_=[CurveData(xvalue=100, yvalue=50)],
        curveType=codes.DERCurveType.opModLVRTMustTrip,
        href="/curve",
        mRID="CC",
        xMultiplier=0,
        yMultiplier=0,
        yRefType=codes.DERUnitRefType.SET_EFFECTIVE_V,
    )
    link = ModeSource(
        mode="opModLVRTMustTrip", value=DERCurveLink(href="/curve"), mRID="AA", program_href="/p", primacy=1
    )
    bench.rig.plate = replace(PLATE, modes=PLATE.modes | {"opModLVRTMustTrip"})
    bench.loop = bench.made()
    bench.plan.set(Plan(modes={"opModLVRTMustTrip": link}, curves={"/curve": curve}))
    held = await bench.cycle()
    view = bench.loop.view.value

    assert held.curves == ()
    assert view.refused == view.unsupported == frozenset({"opModLVRTMustTrip"})
    assert "interlock 27 grid code settings refused" in incidents_of(view)


async def test_counters_that_cannot_be_do_not_reach_the_reports(bench: Bench) -> None:
    bench.rig.reading = replace(Telemetry(power_w=0.0, reactive_var=0.0, battery=BATTERY), injected_wh=9e5)
    await bench.cycle()
    bench.rig.reading = replace(bench.rig.reading, injected_wh=1e9)
    await bench.cycle()
    seen = bench.loop.view.value.telemetry

    assert (seen.injected_wh if seen else 0.0) is None


async def test_a_device_that_is_found_and_not_read_is_lost_once(bench: Bench) -> None:
    bench.rig.reading = Fault(kind=FaultKind.MALFORMED, detail="no active power")
    for _ in range(12):
        await bench.cycle()

    assert [what for what, _ in bench.heard if what is What.DEVICE_LOST] == [What.DEVICE_LOST]
    assert bench.loop.view.value.silent is not None


class Leaping(Watched[Plan | None]):
    """A plan that nobody changes; each wait for it makes the clock leap."""

    def __init__(self, bench: Bench, leap_s: float) -> None:
        super().__init__(target(3_000))
        self.bench = bench
        self.leap_s = leap_s
        self.waits = 0
        self.is_enough = asyncio.Event()

    async def newer(self, version: int, timeout_s: float | None = None) -> bool:
        self.waits += 1
        if self.waits >= 30:
            self.is_enough.set()
        self.bench.now += self.leap_s
        await asyncio.sleep(0)
        return False


async def test_a_loop_that_is_late_for_long_lets_the_reversion_timers_run() -> None:
    bench = Bench(Rig())
    plan = Leaping(bench, leap_s=8.0)
    bench.loop = Controller(
        bench.rig,
        ControlSettings(),
        plan,
        surroundings=Surroundings,
        tell=bench.tell,
        local_s=lambda: bench.now,
    )
    task = asyncio.ensure_future(bench.loop.run())
    async with asyncio.timeout(10):
        await plan.is_enough.wait()
    task.cancel()
    await asyncio.wait([task])

    assert bench.reasons == ["control loop late", "control loop not to be relied on"]
    assert bench.rig.done == ["identify", "apply", "close"]
