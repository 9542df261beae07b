"""The driver against the simulator over Modbus TCP: identify, read, apply, refresh, revert."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from der_client.device import (
    Applied,
    Device,
    Fault,
    FaultKind,
    Nameplate,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    Telemetry,
)
from der_client.sunspec import ObserverError, SunSpecDevice, SunSpecSettings, TransportSettings, read_points
from der_client.sunspec.simulator import (
    InverterHandle,
    InverterSettings,
    ModbusServer,
    ReplayStore,
    serve_inverter,
)
from der_client.sunspec.simulator.bank import put
from der_client.sunspec.simulator.image import build_bank

BATTERY = InverterSettings(
    serial="B-1",
    max_w=5_000,
    max_va=5_000,
    max_var=2_200,
    charge_w=4_000,
    discharge_w=5_000,
    capacity_wh=10_000,
    enter_service_delay_s=0,
    enter_service_ramp_s=0,
)
PV = InverterSettings(serial="PV-1", enter_service_delay_s=0, enter_service_ramp_s=0)
QUICK = SunSpecSettings(
    transport=TransportSettings(timeout_s=0.2, backoff_s=0.05), readback_s=0.2, readback_pause_s=0.01
)


class ManualClock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@asynccontextmanager
async def bench(
    clock: ManualClock, settings: InverterSettings = BATTERY, driver: SunSpecSettings = QUICK
) -> AsyncIterator[tuple[SunSpecDevice, InverterHandle]]:
    """A simulated inverter and a driver for it."""
    handle = await serve_inverter(settings, now=clock)
    device = SunSpecDevice("der", "127.0.0.1", handle.port, settings=driver)
    try:
        yield device, handle
    finally:
        await device.close()
        await handle.close()


async def applied(device: Device, setpoint: Setpoint, reversion: Reversion | None = None) -> Applied:
    result = await device.apply(setpoint, reversion or Reversion())
    assert isinstance(result, Applied), result
    return result


async def telemetry(device: Device) -> Telemetry:
    result = await device.read()
    assert isinstance(result, Telemetry), result
    return result


async def seen(handle: InverterHandle, *names: str) -> list[object]:
    """Engineering values as an independent observer reads them."""
    points = await read_points("127.0.0.1", handle.port, 1, names)
    return [points[name].value for name in names]


async def until_fault(attempt: Callable[[], Awaitable[object]]) -> Fault:
    """The first Fault that an attempt gives."""
    async with asyncio.timeout(5):
        while not isinstance(result := await attempt(), Fault):
            pass
    return result


async def test_device_is_identified(clock: ManualClock) -> None:
    async with bench(clock) as (device, _):
        plate = await device.identify()
    assert isinstance(plate, Nameplate)
    assert (plate.serial, plate.der_type, plate.max_w, plate.max_charge_w) == ("B-1", 80, 5_000, 4_000)


async def test_power_follows_what_was_applied(clock: ManualClock) -> None:
    async with bench(clock) as (device, _):
        await applied(device, Setpoint(target_w=-3_000))
        clock.advance(1)
        charging = await telemetry(device)
        clock.advance(30)
        later = await telemetry(device)
    assert (charging.power_w, charging.inverter_status, charging.gen_connect) == (-3_000, 4, 7)
    assert (later.absorbed_wh, later.injected_wh, later.soc_pct) == (26, 0, 50.3)


async def test_every_written_point_is_reported_with_its_registers(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        result = await applied(
            device, Setpoint(max_w_pct=42.5), Reversion(after_s=60, to=Setpoint(max_w_pct=15))
        )
        points = {point.point: (point.address, point.raw, point.value) for point in result.points}
        outside = await read_points("127.0.0.1", handle.port, 1, ["704.WMaxLimPct", "704.WMaxLimPctRvrt"])
        clock.advance(1)
        power_w = (await telemetry(device)).power_w
    assert points["704.WMaxLimPct"] == (40311, (4250,), 42.5)
    assert points["704.WMaxLimPctRvrtTms"] == (40314, (0, 60), 60.0)
    assert (outside["704.WMaxLimPct"].address, outside["704.WMaxLimPct"].raw) == (40311, (4250,))
    assert outside["704.WMaxLimPctRvrt"].value == 15.0
    assert power_w == 4_250


async def test_unchanged_setpoint_is_not_rewritten_at_once(clock: ManualClock) -> None:
    setpoint, reversion = Setpoint(max_w_pct=50), Reversion(after_s=60)
    async with bench(clock, PV) as (device, handle):
        await applied(device, setpoint, reversion)
        before = handle.server.requests
        clock.advance(4)
        await applied(device, setpoint, reversion)
        requests = handle.server.requests - before
        remaining = await seen(handle, "704.WMaxLimPctRvrtRem")
    assert (requests, remaining) == (2, [56])


async def test_refresh_restarts_the_reversion_timer(clock: ManualClock) -> None:
    setpoint, reversion = Setpoint(max_w_pct=50), Reversion(after_s=60, to=Setpoint(max_w_pct=10))
    async with bench(clock, PV) as (device, handle):
        for _ in range(5):
            await applied(device, setpoint, reversion)
            assert await seen(handle, "704.WMaxLimPctRvrtRem") == [60]
            clock.advance(30)
        assert await seen(handle, "704.WMaxLimPct", "704.WMaxLimPctEna") == [50.0, 1]


async def test_device_reverts_when_its_client_dies(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        await applied(device, Setpoint(max_w_pct=50), Reversion(after_s=60, to=Setpoint(max_w_pct=15)))
        await device.close()
        clock.advance(59)
        before = await seen(handle, "704.WMaxLimPct", "704.WMaxLimPctRvrtRem", "701.W")
        clock.advance(1)
        after = await seen(handle, "704.WMaxLimPct", "704.WMaxLimPctEna", "701.W")
    assert (before, after) == ([50.0, 1, 5_000], [15.0, 1, 1_500])


async def test_device_reverts_to_free_running_where_nothing_shall_hold(clock: ManualClock) -> None:
    async with bench(clock) as (device, handle):
        await applied(device, Setpoint(target_w=-2_000), Reversion(after_s=30))
        clock.advance(31)
        assert await seen(handle, "704.WSetEna", "701.W") == [0, 0]


async def test_client_takes_control_again_after_a_reversion(clock: ManualClock) -> None:
    setpoint, reversion = Setpoint(max_w_pct=50), Reversion(after_s=60, to=Setpoint(max_w_pct=15))
    async with bench(clock, PV) as (device, handle):
        await applied(device, setpoint, reversion)
        clock.advance(61)
        await applied(device, setpoint, reversion)
        clock.advance(1)
        assert await seen(handle, "704.WMaxLimPct", "704.WMaxLimPctRvrtRem") == [50.0, 59]


async def test_released_setpoint_leaves_the_device_free(clock: ManualClock) -> None:
    factor = PowerFactorSetpoint(power_factor=0.95, absorbing=True)
    async with bench(clock, PV) as (device, handle):
        await applied(device, Setpoint(max_w_pct=50, pf_inject=factor))
        await applied(device, Setpoint())
        clock.advance(1)
        enabled = await seen(handle, "704.WMaxLimPctEna", "704.PFWInjEna", "701.W", "701.Var")
    assert enabled == [0, 0, 10_000, 0]


async def test_device_that_was_disconnected_is_connected_again_on_release(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        await applied(device, Setpoint(connect=False))
        clock.advance(1)
        opened = await telemetry(device)
        await applied(device, Setpoint())
        clock.advance(1)
        closed = await telemetry(device)
        orders = await seen(handle, "715.OpCtl", "703.ES")
    assert (opened.power_w, opened.gen_connect, opened.operational_mode) == (0, 0, 1)
    assert (closed.power_w, closed.gen_connect, orders) == (10_000, 7, [1, 1])


async def test_device_that_somebody_else_stopped_stays_stopped(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        put(handle.inverter.bank.models[715], "OpCtl", 0)
        await applied(device, Setpoint(max_w_pct=50))
        assert await seen(handle, "715.OpCtl") == [0]


async def test_unsupported_field_does_not_keep_the_others_from_being_applied(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        result = await applied(device, Setpoint(max_w_pct=50, target_w=-1_000))
        limit = await seen(handle, "704.WMaxLimPct", "704.WMaxLimPctEna")
    assert result.unsupported == {"target_w"}
    assert limit == [50.0, 1]


async def test_nothing_is_written_under_local_control(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        put(handle.inverter.bank.models[715], "LocRemCtl", 1)
        fault = await device.apply(Setpoint(max_w_pct=50), Reversion())
        reading = await telemetry(device)
        points = await seen(handle, "704.WMaxLimPctEna", "715.ControllerHb")
    assert fault == Fault(
        kind=FaultKind.LOCAL, detail="the device is under local control", point="715.LocRemCtl"
    )
    assert reading.local_control
    assert points == [0, 0]


async def test_frozen_heartbeat_makes_readings_stale(clock: ManualClock) -> None:
    async with bench(clock, PV, replace(QUICK, heartbeat_limit_s=0.05)) as (device, handle):
        await telemetry(device)
        handle.inverter.faults.freeze_heartbeat = True
        fault = await until_fault(device.read)
        handle.inverter.faults.freeze_heartbeat = False
        clock.advance(5)
        assert isinstance(await device.read(), Telemetry)
    assert (fault.kind, fault.point) == (FaultKind.STALE, "715.DERHb")


@pytest.mark.parametrize(("enabled", "beats"), [(True, 1), (False, 0)])
async def test_controller_heartbeat_is_counted_with_the_readings(
    clock: ManualClock, enabled: bool, beats: int
) -> None:
    async with bench(clock, PV, replace(QUICK, controller_heartbeat=enabled)) as (device, handle):
        await telemetry(device)
        await telemetry(device)
        assert await seen(handle, "715.ControllerHb") == [beats]


async def test_controller_heartbeat_that_is_refused_is_not_tried_again(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        handle.inverter.faults.exception_code = 3
        handle.inverter.faults.exception_functions = frozenset({16})
        await telemetry(device)
        before = handle.server.requests
        await telemetry(device)
        await telemetry(device)
        assert handle.server.requests - before == 4


def image(settings: InverterSettings) -> dict[int, int]:
    """The registers of a simulated inverter at its start, as a captured image."""
    bank = build_bank(settings)
    values = {"W": 1_000, "InvSt": 3, "St": 1, "ConnSt": 1}
    for name, value in values.items():
        put(bank.models[701], name, value)
    end = bank.models[715].end + 2
    return dict(enumerate(bank.read(40000, end - 40000), start=40000))


@pytest.mark.parametrize(("first", "then", "soc_pct"), [(BATTERY, PV, None), (PV, BATTERY, 0)])
async def test_map_that_changed_is_scanned_again(
    first: InverterSettings, then: InverterSettings, soc_pct: float | None
) -> None:
    store = ReplayStore(image(first))
    server = await ModbusServer({1: store}).start()
    device = SunSpecDevice(
        "der", "127.0.0.1", server.port, settings=replace(QUICK, controller_heartbeat=False)
    )
    await telemetry(device)
    store.words = image(then)
    changed = await telemetry(device)
    await device.close()
    await server.close()
    assert changed.soc_pct == soc_pct


async def test_refused_address_leads_to_a_new_scan() -> None:
    store = ReplayStore(image(PV))
    server = await ModbusServer({1: store}).start()
    device = SunSpecDevice(
        "der", "127.0.0.1", server.port, settings=replace(QUICK, controller_heartbeat=False)
    )
    await telemetry(device)
    end = max(store.words)
    store.words = {a: w for a, w in store.words.items() if a < end - 10} | {end - 10: 0xFFFF, end - 9: 0}
    assert (await telemetry(device)).local_control is False
    fault = await device.apply(Setpoint(max_w_pct=50), Reversion())
    await device.close()
    await server.close()
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.point) == (FaultKind.REFUSED, "704.WMaxLimPctEnaRvrt")


async def test_observer_names_what_is_missing(clock: ManualClock) -> None:
    async with bench(clock, PV) as (_, handle):
        with pytest.raises(ObserverError, match=r"the device has no point 713\.SoC"):
            await seen(handle, "713.SoC")
        with pytest.raises(ObserverError, match=r"the device has no point 704\.Nothing"):
            await seen(handle, "704.Nothing")
        with pytest.raises(ValueError, match="is not of the form"):
            await seen(handle, "WMaxLimPct")


async def test_observer_says_that_nobody_answers(unused_tcp_port: int) -> None:
    with pytest.raises(ObserverError, match="cannot connect"):
        await read_points("127.0.0.1", unused_tcp_port, 1, ["701.W"])


async def test_only_one_request_is_outstanding_however_many_tasks_ask(clock: ManualClock) -> None:
    patient = replace(QUICK, transport=replace(QUICK.transport, timeout_s=5.0))
    async with bench(clock, PV, patient) as (device, handle):
        handle.inverter.faults.answer_delay_s = 0.005
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(device.identify())
                group.create_task(device.read())
                group.create_task(device.apply(Setpoint(max_w_pct=50), Reversion()))
        assert handle.server.most_outstanding == 1
        assert await seen(handle, "704.WMaxLimPct") == [50.0]


async def test_setpoint_without_a_reversion_timer_is_warned_of_once(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(clock, PV) as (device, handle):
        put(handle.inverter.bank.models[704], "WMaxLimPctRvrtTms", None)
        await applied(device, Setpoint(max_w_pct=50))
        result = await applied(device, Setpoint(max_w_pct=40))
    assert result.unguarded == {"max_w_pct"}
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["der does not go to its default without this client: max_w_pct"]


LIMIT = Setpoint(max_w_pct=40.0)


async def begun(device: SunSpecDevice, setpoint: Setpoint = LIMIT) -> None:
    """Prepare a setpoint, send it, and wait until the device has it."""
    assert await device.prepare(setpoint, Reversion())
    sent = device.begin(setpoint, Reversion())
    assert sent is not None
    await sent


async def test_a_prepared_setpoint_is_only_sent_and_then_confirmed(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        await device.identify()
        assert await device.prepare(LIMIT, Reversion())
        assert await seen(handle, "704.WMaxLimPctEna") == [0]
        sent = device.begin(LIMIT, Reversion())
        assert sent is not None
        await sent
        assert await seen(handle, "704.WMaxLimPct", "704.WMaxLimPctEna") == [40, 1]
        result = await applied(device, LIMIT)
        assert [point.value for point in result.points if point.point == "704.WMaxLimPct"] == [40.0]


async def test_a_prepared_setpoint_that_was_confirmed_late_is_no_fault(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, _):
        await device.identify()
        await applied(device, Setpoint(max_w_pct=80.0))
        await begun(device)
        clock.advance(1)
        await applied(device, LIMIT)


async def test_something_else_than_what_was_begun_is_written_in_the_ordinary_way(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        await device.identify()
        await begun(device)
        await applied(device, Setpoint(max_w_pct=60.0))
        assert await seen(handle, "704.WMaxLimPct") == [60]


async def test_a_device_that_is_another_one_by_now_shows_in_the_answer(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        await device.identify()
        await begun(device)
        put(handle.inverter.bank.models[702], "WMax", 9_000)
        result = await device.apply(LIMIT, Reversion())
    assert isinstance(result, Fault)
    assert result.kind is FaultKind.STALE


async def test_what_was_not_prepared_is_not_begun(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, _):
        assert device.begin(LIMIT, Reversion()) is None
        await device.identify()
        assert await device.prepare(LIMIT, Reversion())
        assert device.begin(Setpoint(max_w_pct=50.0), Reversion()) is None
        assert await device.prepare(LIMIT, Reversion())
        await applied(device, Setpoint(max_w_pct=50.0))
        assert device.begin(LIMIT, Reversion()) is None
        assert await device.prepare(LIMIT, Reversion())
        await device.identify()
        assert device.begin(LIMIT, Reversion()) is None


@pytest.mark.parametrize("setpoint", [Setpoint(connect=False), Setpoint(energize=False)], ids=str)
async def test_who_goes_out_of_service_and_comes_back_is_told_step_by_step(
    clock: ManualClock, setpoint: Setpoint
) -> None:
    async with bench(clock, PV) as (device, _):
        await device.identify()
        assert not await device.prepare(setpoint, Reversion())
        await applied(device, setpoint)
        assert not await device.prepare(LIMIT, Reversion())


async def test_a_device_that_is_gone_as_it_is_begun_is_told_again(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        await device.identify()
        assert await device.prepare(LIMIT, Reversion())
        await handle.close()
        sent = device.begin(LIMIT, Reversion())
        assert sent is not None
        await sent
        result = await device.apply(LIMIT, Reversion())
    assert isinstance(result, Fault)
    assert result.kind is FaultKind.NO_ANSWER


async def test_a_device_under_local_control_is_not_prepared(clock: ManualClock) -> None:
    async with bench(clock, PV) as (device, handle):
        await device.identify()
        put(handle.inverter.bank.models[715], "LocRemCtl", 1)
        assert not await device.prepare(LIMIT, Reversion())
