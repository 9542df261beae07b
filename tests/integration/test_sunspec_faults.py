"""What a bad device or a bad line does to the driver: the right Fault, and recovery."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import pytest

from der_client.device import Applied, Fault, FaultKind, Nameplate, Reversion, Setpoint, Telemetry
from der_client.sunspec import SunSpecDevice, SunSpecSettings, TransportSettings
from der_client.sunspec.definitions import HEADER_SIZE
from der_client.sunspec.simulator import (
    FaultSwitches,
    Inverter,
    InverterHandle,
    InverterSettings,
    ModbusServer,
    serve_inverter,
)
from der_client.sunspec.simulator.bank import IllegalRequestError

PV = InverterSettings(enter_service_delay_s=0, enter_service_ramp_s=0)
QUICK = SunSpecSettings(
    transport=TransportSettings(timeout_s=0.5, backoff_s=0.05),
    readback_s=0.1,
    readback_pause_s=0.01,
    controller_heartbeat=False,
)
HALF = Setpoint(max_w_pct=50)
REVERSION = Reversion(after_s=60, to=Setpoint(max_w_pct=10))
WRITES = frozenset({16})


@dataclass
class Bench:
    """A simulated inverter, its fault switches, and a driver that knows it."""

    device: SunSpecDevice
    handle: InverterHandle

    @property
    def faults(self) -> FaultSwitches:
        return self.handle.inverter.faults

    def value(self, name: str) -> object:
        number, _, point = name.partition(".")
        return self.handle.inverter.bank.models[int(number)].value(point)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    handle = await serve_inverter(PV)
    device = SunSpecDevice("der", "127.0.0.1", handle.port, settings=QUICK)
    try:
        assert isinstance(await device.identify(), Nameplate)
        yield Bench(device, handle)
    finally:
        await device.close()
        await handle.close()


BAD = [
    ("silent", True, FaultKind.NO_ANSWER, "read 40070+113: no answer"),
    ("answer_delay_s", 0.8, FaultKind.NO_ANSWER, "read 40070+113: no answer"),
    ("garbage", True, FaultKind.MALFORMED, "read 40070+113: protocol identifier 48879, length 57005"),
    ("drop_connection", True, FaultKind.NO_ANSWER, "read 40070+113: the device closed the connection"),
    ("exception_code", 4, FaultKind.REFUSED, "read 40070+113: exception 4 (server device failure)"),
    ("exception_code", 6, FaultKind.REFUSED, "read 40070+113: exception 6 (server device busy)"),
    ("exception_code", 99, FaultKind.REFUSED, "read 40070+113: exception 99 (unknown)"),
]


@pytest.mark.parametrize(("switch", "value", "kind", "detail"), BAD)
async def test_bad_answer_to_a_read_is_a_fault_and_passes(
    bench: Bench, switch: str, value: float, kind: FaultKind, detail: str
) -> None:
    healthy = getattr(bench.faults, switch)
    setattr(bench.faults, switch, value)
    fault = await bench.device.read()
    setattr(bench.faults, switch, healthy)
    assert fault == Fault(kind=kind, detail=detail)
    reading = await bench.device.read()
    assert isinstance(reading, Telemetry)
    assert reading.power_w == 10_000


@pytest.mark.parametrize(
    ("switch", "value", "kind"), [(switch, value, kind) for switch, value, kind, _ in BAD]
)
async def test_bad_answers_leave_a_setpoint_unapplied_and_pass(
    bench: Bench, switch: str, value: float, kind: FaultKind
) -> None:
    healthy = getattr(bench.faults, switch)
    setattr(bench.faults, switch, value)
    fault = await bench.device.apply(HALF, REVERSION)
    setattr(bench.faults, switch, healthy)
    assert isinstance(fault, Fault)
    assert fault.kind is kind
    assert isinstance(await bench.device.apply(HALF, REVERSION), Applied)
    assert bench.value("704.WMaxLimPct") == 50.0


@pytest.mark.parametrize("switch", ["silent", "garbage", "drop_connection"])
async def test_bad_answers_end_a_scan(bench: Bench, switch: str) -> None:
    setattr(bench.faults, switch, True)
    assert isinstance(await bench.device.identify(), Fault)
    assert isinstance(await bench.device.read(), Fault)
    assert isinstance(await bench.device.apply(HALF, REVERSION), Fault)
    setattr(bench.faults, switch, False)
    assert isinstance(await bench.device.identify(), Nameplate)


async def test_late_answer_is_never_taken_for_the_next_one(bench: Bench) -> None:
    bench.faults.answer_delay_s = 0.8
    assert isinstance(await bench.device.read(), Fault)
    bench.faults.answer_delay_s = 0.0
    assert isinstance(await bench.device.apply(HALF, REVERSION), Applied)


async def test_refused_write_names_its_point(bench: Bench) -> None:
    bench.faults.exception_code, bench.faults.exception_functions = 4, WRITES
    fault = await bench.device.apply(HALF, REVERSION)
    assert fault == Fault(
        kind=FaultKind.REFUSED,
        detail="write 40310+6: exception 4 (server device failure)",
        point="704.WMaxLimPctEna",
        field="max_w_pct",
    )


async def test_ignored_write_is_found_by_reading_back(bench: Bench) -> None:
    bench.faults.ignore_writes = True
    fault = await bench.device.apply(HALF, REVERSION)
    assert fault == Fault(
        kind=FaultKind.READBACK,
        detail="register 40310 holds (0,), written was (1,)",
        point="704.WMaxLimPctEna",
        field="max_w_pct",
    )


async def test_timer_that_does_not_start_is_a_fault(bench: Bench) -> None:
    bench.faults.freeze_timers = True
    fault = await bench.device.apply(HALF, REVERSION)
    assert fault == Fault(
        kind=FaultKind.READBACK,
        detail="the reversion timer did not restart: 0 of 60 s",
        point="704.WMaxLimPctRvrtRem",
        field="max_w_pct",
    )


class TogglingStore:
    """An inverter whose timers restart only when a function is enabled anew."""

    def __init__(self) -> None:
        self.inverter = Inverter(PV, 0.0)
        self.now = 0.0
        self.enables: list[int] = []

    def read(self, address: int, count: int) -> Sequence[int]:
        self.inverter.step(self.now)
        return self.inverter.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        enabled = self.inverter.bank.models[704].integer("WMaxLimPctEna")
        self.inverter.faults.freeze_timers = enabled == 1 and words[0] == 1
        self.inverter.write(address, words, self.now)
        self.enables.append(words[0])


@pytest.mark.parametrize(("toggles", "enables"), [(True, [1, 1, 0, 1]), (False, [1, 1])])
async def test_function_is_toggled_only_if_the_profile_says_so(toggles: bool, enables: list[int]) -> None:
    store = TogglingStore()
    server = await ModbusServer({1: store}).start()
    settings = replace(QUICK, toggle_to_refresh=toggles)
    device = SunSpecDevice("der", "127.0.0.1", server.port, settings=settings)
    first = await device.apply(HALF, REVERSION)
    store.now = 30.0
    second = await device.apply(HALF, REVERSION)
    await device.close()
    await server.close()
    assert isinstance(first, Applied)
    assert isinstance(second, Applied if toggles else Fault)
    assert store.enables == enables


class MuteStore:
    """An inverter that takes the first write and says nothing; `takes` says whether it obeys."""

    def __init__(self, *, takes: bool) -> None:
        self.inverter = Inverter(PV, 0.0)
        self.faults = FaultSwitches()
        self.takes = takes
        self.writes = 0

    def read(self, address: int, count: int) -> Sequence[int]:
        self.faults.silent = False
        return self.inverter.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        self.writes += 1
        self.faults.silent = True
        if self.takes:
            self.inverter.write(address, words, 0.0)


@pytest.mark.parametrize(("takes", "result"), [(True, Applied), (False, Fault)])
async def test_unanswered_write_is_read_back_and_never_sent_again(
    takes: bool, result: type[Applied | Fault]
) -> None:
    store = MuteStore(takes=takes)
    server = await ModbusServer({1: store}, store.faults).start()
    device = SunSpecDevice("der", "127.0.0.1", server.port, settings=QUICK)
    outcome = await device.apply(HALF, REVERSION)
    await device.close()
    await server.close()
    assert isinstance(outcome, result)
    assert store.writes == 1


async def test_device_that_is_away_answers_at_once_during_back_off(unused_tcp_port: int) -> None:
    settings = replace(QUICK, transport=TransportSettings(timeout_s=0.1, backoff_s=60.0))
    device = SunSpecDevice("der", "127.0.0.1", unused_tcp_port, settings=settings)
    first, second = await device.read(), await device.read()
    await device.close()
    where = f"127.0.0.1:{unused_tcp_port}"
    reasons = [f"{base}: not connected to {where}" for base in (40000, 0, 50000)]
    assert second == Fault(kind=FaultKind.NO_ANSWER, detail="no SunSpec map at " + "; ".join(reasons))
    assert isinstance(first, Fault)
    assert f"40000: cannot connect to {where}" in first.detail


async def test_device_that_comes_back_is_found_after_the_back_off(unused_tcp_port: int) -> None:
    device = SunSpecDevice("der", "127.0.0.1", unused_tcp_port, settings=QUICK)
    away = await device.identify()
    handle = await serve_inverter(PV, port=unused_tcp_port)
    async with asyncio.timeout(5):
        while isinstance(back := await device.identify(), Fault):
            pass
    await device.close()
    await handle.close()
    assert isinstance(away, Fault)
    assert isinstance(back, Nameplate)


async def test_connection_that_was_lost_while_idle_is_made_anew(bench: Bench) -> None:
    bench.handle.server.drop_connections()
    async with asyncio.timeout(5):
        while isinstance(reading := await bench.device.read(), Fault):
            pass
    assert reading.power_w == 10_000


async def test_wrong_unit_is_refused_by_the_gateway() -> None:
    handle = await serve_inverter(PV)
    device = SunSpecDevice("der", "127.0.0.1", handle.port, unit=7, settings=QUICK)
    fault = await device.identify()
    await device.close()
    await handle.close()
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.REFUSED
    assert "exception 11 (gateway target did not respond)" in fault.detail


class OnceBusyStore:
    """An inverter that is busy when its controls are read for the first time."""

    def __init__(self, code: int) -> None:
        self.inverter = Inverter(PV, 0.0)
        self.code: int | None = code

    def read(self, address: int, count: int) -> Sequence[int]:
        if self.code and address == self.inverter.bank.models[704].address and count > HEADER_SIZE:
            code, self.code = self.code, None
            raise IllegalRequestError(code, "not now")
        return self.inverter.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        self.inverter.write(address, words, 0.0)


@pytest.mark.parametrize("code", [6, 11])
async def test_device_that_was_busy_in_a_scan_is_scanned_again_and_takes_setpoints(code: int) -> None:
    server = await ModbusServer({1: OnceBusyStore(code)}).start()
    device = SunSpecDevice("der", "127.0.0.1", server.port, settings=QUICK)
    fault = await device.identify()
    plate = await device.identify()
    result = await device.apply(HALF, REVERSION)
    await device.close()
    await server.close()
    assert isinstance(fault, Fault)
    assert f"exception {code}" in fault.detail
    assert isinstance(plate, Nameplate)
    assert "opModMaxLimW" in plate.modes
    assert isinstance(result, Applied)
    assert not result.unsupported


class RefusingStore:
    """An inverter that refuses reads once something was written, or that a function is disabled."""

    def __init__(self, *, refuse_reads: bool = False, refuse_disable: bool = False) -> None:
        self.inverter = Inverter(PV, 0.0)
        self.inverter.faults.freeze_timers = refuse_disable
        self.refuse_reads = refuse_reads
        self.refuse_disable = refuse_disable
        self.written = False

    def read(self, address: int, count: int) -> Sequence[int]:
        if self.refuse_reads and self.written:
            raise IllegalRequestError(4, "out of order")
        return self.inverter.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        if self.refuse_disable and words[0] == 0:
            raise IllegalRequestError(3, "stays enabled")
        self.written = True
        self.inverter.write(address, words, 0.0)


@pytest.mark.parametrize(
    ("store", "detail"),
    [
        (RefusingStore(refuse_reads=True), "read 40277+86: exception 4 (server device failure)"),
        (RefusingStore(refuse_disable=True), "write 40310+1: exception 3 (illegal data value)"),
    ],
    ids=["read-back", "toggle"],
)
async def test_refusal_while_confirming_is_a_fault(store: RefusingStore, detail: str) -> None:
    server = await ModbusServer({1: store}).start()
    settings = replace(QUICK, toggle_to_refresh=True)
    device = SunSpecDevice("der", "127.0.0.1", server.port, settings=settings)
    fault = await device.apply(HALF, REVERSION)
    await device.close()
    await server.close()
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.detail) == (FaultKind.REFUSED, detail)
