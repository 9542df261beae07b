"""The commissioning test against simulated devices, good ones and bad ones; time passes as the test waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, fields, replace

import pytest

from der_client.battery_driver import BatteryDriver, BatteryDriverSettings, CanSettings
from der_client.can import BatterySettings, BmsSettings, PackSettings, serve_battery
from der_client.commissioning import (
    Guard,
    Report,
    Trial,
    TrialSettings,
    Verdict,
)
from der_client.device import (
    Applied,
    BatteryState,
    Fault,
    FaultKind,
    Nameplate,
    Reversion,
    Setpoint,
    Telemetry,
)
from der_client.driver import DeviceDriver, Driver
from der_client.physics import Orders
from der_client.sunspec import TransportSettings
from der_client.sunspec.definitions import HEADER_SIZE
from der_client.sunspec.simulator import InverterHandle, InverterSettings, series_700, serve_inverter
from der_client.sunspec.simulator.bank import IllegalRequestError, put
from der_client.sunspec.simulator.orders_700 import Models, orders_of
from der_client.sunspec_driver import SunSpecDriver, SunSpecDriverSettings, keeper_of

PV = InverterSettings(
    serial="PV-1", max_w=5_000, pv_w=5_000, enter_service_delay_s=0, enter_service_ramp_s=0,
    irradiance=((0.0, 0.8),),
)  # fmt: skip
BATTERY = InverterSettings(
    serial="B-1", max_w=5_000, max_va=5_000, max_var=2_200, charge_w=4_000, discharge_w=5_000,
    capacity_wh=10_000, enter_service_delay_s=0, enter_service_ramp_s=0,
)  # fmt: skip
WRITING = ("sign", "limit", "ramp", "loss of communication")


@dataclass
class Bench:
    """A simulated inverter with a clock that the test of it moves on."""

    handle: InverterHandle
    clock: "Clock"
    settings: SunSpecDriverSettings

    def registers(self) -> tuple[int, ...]:
        """Model 704 as the device holds it."""
        return tuple(self.handle.inverter.bank.models[704].words)

    def now(self) -> float:
        return self.clock.now

    async def wait(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds / 0.1))):
            self.clock.now += 0.1
            self.handle.inverter.step(self.clock.now)

    def driver(self) -> Driver[object]:
        return SunSpecDriver.add("der", self.settings)

    async def test(
        self, driver: Driver[object] | None = None, settings: TrialSettings | None = None
    ) -> Report:
        """The report of a test with `--yes`."""
        under_test = driver or self.driver()
        trial = Trial(
            under_test, keeper=keeper_of(self.settings), pace=self, settings=settings, may_write=True
        )
        try:
            return await trial.run()
        finally:
            await under_test.close()


class Clock:
    """Seconds of the device."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def bench_of(settings: InverterSettings) -> AsyncIterator[Bench]:
    clock = Clock()
    handle = await serve_inverter(settings, now=clock)
    driver = SunSpecDriverSettings(
        port=handle.port,
        transport=TransportSettings(timeout_s=0.8, backoff_s=0.05, backoff_max_s=0.1),
        readback_s=0.2,
        readback_pause_s=0.01,
        controller_heartbeat=False,
    )
    try:
        yield Bench(handle, clock, driver)
    finally:
        await handle.close()


@pytest.fixture
async def pv() -> AsyncIterator[Bench]:
    async with bench_of(PV) as it:
        yield it


@pytest.fixture
async def battery() -> AsyncIterator[Bench]:
    async with bench_of(BATTERY) as it:
        yield it


def verdicts(report: Report) -> dict[str, Verdict]:
    return {finding.test: finding.verdict for finding in report.findings}


def figures(report: Report, test: str) -> dict[str, float]:
    finding = next(finding for finding in report.findings if finding.test == test)
    return {figure.name: figure.value for figure in finding.figures}


def words(report: Report, test: str) -> str:
    return next(finding.words for finding in report.findings if finding.test == test)


async def test_a_good_inverter_passes_every_test(pv: Bench) -> None:
    before = pv.registers()
    report = await pv.test()

    assert verdicts(report) == dict.fromkeys(("identity", "readings", *WRITING, "restored"), Verdict.PASSED)
    assert report.verdict is Verdict.PASSED
    assert report.identity["serial"] == "PV-1"
    assert figures(report, "limit")["reached"] <= 2_000
    assert figures(report, "ramp")["measured"] == pytest.approx(figures(report, "ramp")["asked"], rel=0.1)
    assert 20 <= figures(report, "loss of communication")["reverted by"] <= 23
    assert pv.registers() == before


async def test_a_good_battery_passes_every_test_and_rests_afterwards(battery: Bench) -> None:
    before = battery.registers()
    report = await battery.test()

    passed = dict.fromkeys(("identity", "readings", *WRITING, "restored"), Verdict.PASSED)
    assert verdicts(report) == passed | {"limit": Verdict.NOT_DONE}
    sign = figures(report, "sign")
    assert sign == {"asked": 800.0, "charging": -800.0, "discharging": 800.0}
    assert figures(report, "ramp")["asked"] == 100
    assert battery.registers() == before
    assert battery.handle.inverter.ac.power_w == 0


async def test_without_permission_nothing_is_written(pv: Bench) -> None:
    driver, before = pv.driver(), pv.registers()
    report = await Trial(driver, keeper=keeper_of(pv.settings), pace=pv).run()
    await driver.close()

    assert verdicts(report) == {
        "identity": Verdict.PASSED,
        "readings": Verdict.PASSED,
        **dict.fromkeys(WRITING, Verdict.NOT_DONE),
    }
    assert "--yes" in words(report, "limit")
    assert pv.registers() == before


async def test_setpoints_of_somebody_else_are_put_back_as_they_were(pv: Bench) -> None:
    controls = pv.handle.inverter.bank.models[704]
    put(controls, "WMaxLimPct", 90)
    put(controls, "WMaxLimPctEna", 1)
    put(controls, "WRmp", 7)
    before = pv.registers()
    report = await pv.test()

    assert verdicts(report)["restored"] is Verdict.PASSED
    assert pv.registers() == before


async def test_controls_that_are_not_shown_are_not_told_to_be_as_before(
    pv: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, inverter = keeper_of(pv.settings), pv.handle.inverter
    controls, shown = inverter.bank.models[704], inverter.read

    def read(address: int, count: int) -> list[int]:
        if controls.address < address + count - HEADER_SIZE and address < controls.end:
            raise IllegalRequestError(4, "out of order")
        return shown(address, count)

    assert await keeper.remember() is None
    monkeypatch.setattr(inverter, "read", read)
    fault = Fault(kind=FaultKind.REFUSED, detail="model 704 cannot be read")
    assert await keeper.restore() == fault
    assert await keeper.remember() == fault


async def test_ratings_that_the_device_lowered_meanwhile_are_not_put_back() -> None:
    async with bench_of(replace(BATTERY, series=100)) as it:
        keeper, models = keeper_of(it.settings), it.handle.inverter.bank.models
        assert await keeper.remember() is None
        put(models[124], "WChaMax", 1_000)
        put(models[121], "WMax", 3_000)
        put(models[124], "InWRte", 50)

        assert await keeper.restore() == ("124.InWRte",)
        assert models[124].number("WChaMax") == 1_000
        assert models[121].number("WMax") == 3_000
        assert models[124].number("InWRte") == 100


async def test_a_limit_that_a_battery_ignores_does_not_pass(
    battery: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlimited(models: Models, *, trips_when_it_may: bool) -> Orders:
        return replace(orders_of(models, trips_when_it_may=trips_when_it_may), limit=None)

    monkeypatch.setattr(series_700, "orders_of", unlimited)
    report = await battery.test()

    assert verdicts(report)["limit"] is Verdict.NOT_DONE
    assert "what the limit does alone cannot be seen" in words(report, "limit")
    assert figures(report, "limit")["reached"] == 400


async def test_a_battery_is_not_moved_by_less_than_can_be_told(battery: Bench) -> None:
    before = battery.registers()
    report = await battery.test(settings=TrialSettings(power_pct=5))

    assert [verdicts(report)[test] for test in WRITING] == [Verdict.NOT_DONE] * 4
    assert "more with --power-pct" in words(report, "sign")
    assert battery.registers() == before


async def test_levels_that_cannot_be_told_apart_say_nothing_of_the_fallback() -> None:
    async with bench_of(replace(PV, irradiance=((0.0, 0.07),))) as dim:
        report = await dim.test()

        assert verdicts(report)["limit"] is Verdict.PASSED
        assert verdicts(report)["loss of communication"] is Verdict.NOT_DONE
        assert "repeat it with more power" in words(report, "loss of communication")


async def test_a_small_inverter_is_not_judged_by_less_than_can_be_told() -> None:
    async with bench_of(replace(PV, max_w=300, pv_w=300, irradiance=((0.0, 0.06),))) as small:
        report = await small.test()

        assert [verdicts(report)[test] for test in WRITING] == [Verdict.NOT_DONE] * 4


async def test_an_inverter_in_the_dark_is_not_tested_with_writes() -> None:
    async with bench_of(replace(PV, irradiance=((0.0, 0.01),))) as dark:
        before = dark.registers()
        report = await dark.test()

        assert [verdicts(report)[test] for test in WRITING] == [Verdict.NOT_DONE] * 4
        assert "repeat it while the device generates" in words(report, "sign")
        assert dark.registers() == before


async def test_a_device_that_does_not_answer_is_reported_as_that(pv: Bench) -> None:
    pv.handle.inverter.faults.silent = True
    report = await pv.test()

    assert verdicts(report) == {"identity": Verdict.FAILED}
    assert "no answer" in words(report, "identity")


async def test_a_device_that_keeps_its_registers_aborts_the_test(pv: Bench) -> None:
    pv.handle.inverter.faults.ignore_writes = True
    report = await pv.test()

    assert report.verdict is Verdict.ABORTED
    assert "704.WMaxLimPct" in words(report, "test")


async def test_a_device_without_working_timers_fails() -> None:
    async with bench_of(PV) as it:
        it.handle.inverter.faults.freeze_timers = True
        report = await it.test()

        assert report.verdict is Verdict.ABORTED
        assert "timer did not restart" in words(report, "test")


async def test_a_grid_out_of_bounds_stops_the_test_before_it_writes(pv: Bench) -> None:
    pv.handle.inverter.set_grid(voltage_v=PV.v_nom_v * 1.15, frequency_hz=PV.nominal_hz)
    await pv.wait(1.0)
    before = pv.registers()
    report = await pv.test()

    assert report.verdict is Verdict.ABORTED
    assert pv.registers() == before


async def test_a_full_battery_is_not_moved(battery: Bench) -> None:
    report = await battery.test(settings=TrialSettings(guard=Guard(max_soc_pct=40.0)))

    assert report.verdict is Verdict.ABORTED
    assert "SoC" in words(report, "test")
    assert battery.handle.inverter.ac.power_w == 0


async def test_a_test_that_is_cut_off_restores_the_device(battery: Bench) -> None:
    before, told = battery.registers(), asyncio.Event()
    driver = battery.driver()
    trial = Trial(
        driver,
        keeper=keeper_of(battery.settings),
        pace=battery,
        may_write=True,
        tell=lambda line: told.set() if line == "sign: passed" else None,
    )
    task = asyncio.ensure_future(trial.run())
    await told.wait()
    task.cancel()
    await asyncio.wait({task})
    await driver.close()

    assert task.cancelled()
    assert battery.registers() == before


async def test_a_battery_with_its_bms_is_tested_as_one_device(battery: Bench) -> None:
    settings = BatterySettings(
        pack=PackSettings(capacity_wh=10_000, soc_pct=60), bms=BmsSettings(period_s=0.02)
    )
    pack = await serve_battery(settings)
    can = CanSettings(interface="socketcand", host="127.0.0.1", port=pack.can_port)
    values = {f.name: getattr(battery.settings, f.name) for f in fields(battery.settings)}
    driver = BatteryDriver.add("battery", BatteryDriverSettings(**values, can=can))
    await driver.identify()
    async with aclosing(driver.subscribe(0.01)) as readings:
        while not isinstance(getattr(await anext(readings), "battery", None), BatteryState):
            pass
    report = await battery.test(driver)
    await pack.close()

    found = verdicts(report)
    assert {found[test] for test in ("sign", "ramp", "restored")} == {Verdict.PASSED}
    assert next(f.value for f in report.findings[1].figures if f.name == "SoC") == 60.0


class Releasing(DeviceDriver[object]):
    """A device that cannot fall back to a limit: with such a wish it holds its setpoint."""

    kind = "releasing"
    Settings = object

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        after_s = 0 if reversion.to != Setpoint() else reversion.after_s
        return await self.device.apply(setpoint, Reversion(after_s=after_s))


async def test_a_device_that_can_only_release_its_limit_is_warned_of(pv: Bench) -> None:
    report = await pv.test(Releasing("releasing", None, pv.driver()))

    assert verdicts(report)["loss of communication"] is Verdict.WARNING
    assert "cannot fall back to a limit" in words(report, "loss of communication")
    assert report.verdict is Verdict.WARNING


class Wrong(DeviceDriver[object]):
    """A device that is wrong in one way."""

    kind = "wrong"
    Settings = object

    def __init__(self, inner: Driver[object], power: Callable[[float], float]) -> None:
        super().__init__("wrong", None, inner)
        self.power = power
        self.reads = 0
        self.dies_after = 1_000_000

    async def identify(self) -> Nameplate | Fault:
        return await self.device.identify()

    async def read(self) -> Telemetry | Fault:
        self.reads += 1
        if self.reads > self.dies_after:
            return Fault(kind=FaultKind.NO_ANSWER, detail="cable out")
        found = await self.device.read()
        return found if isinstance(found, Fault) else replace(found, power_w=self.power(found.power_w))


class Deaf(Wrong):
    """Says Applied and obeys nobody."""

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        return Applied()


async def test_a_generator_with_its_sign_turned_round_fails(pv: Bench) -> None:
    report = await pv.test(Wrong(pv.driver(), lambda w: -w))

    assert verdicts(report)["sign"] is Verdict.FAILED
    assert "generation reads negative" in words(report, "sign")


async def test_a_battery_with_its_sign_turned_round_fails(battery: Bench) -> None:
    report = await battery.test(Wrong(battery.driver(), lambda w: -w))

    assert verdicts(report)["sign"] is Verdict.FAILED
    assert "turned round" in words(report, "sign")
    assert verdicts(report)["restored"] is Verdict.PASSED


async def test_a_device_that_does_not_obey_fails_limit_and_loss(pv: Bench) -> None:
    report = await pv.test(Deaf(pv.driver(), lambda w: w))

    found = verdicts(report)
    assert [found[test] for test in WRITING] == [Verdict.FAILED] * 4
    assert "above the limit" in words(report, "limit")
    assert "the setpoint did not act" in words(report, "loss of communication")


async def test_power_beyond_the_rating_aborts_and_restores(battery: Bench) -> None:
    before = battery.registers()
    report = await battery.test(Wrong(battery.driver(), lambda w: w * 10))

    assert verdicts(report)["test"] is Verdict.ABORTED
    assert "% of the rating" in words(report, "test")
    assert verdicts(report)["restored"] is Verdict.PASSED
    assert battery.registers() == before
    await battery.wait(0.1)
    assert battery.handle.inverter.ac.power_w == 0


async def test_a_line_that_breaks_in_the_middle_aborts_and_restores(pv: Bench) -> None:
    wrong = Wrong(pv.driver(), lambda w: w)
    wrong.dies_after = 4
    before = pv.registers()
    report = await pv.test(wrong)

    assert words(report, "test") == "read: no answer: cable out"
    assert verdicts(report)["restored"] is Verdict.PASSED
    assert pv.registers() == before


async def test_a_device_that_dies_is_left_to_its_timers_and_the_report_says_so(pv: Bench) -> None:
    def die(power_w: float) -> float:
        pv.handle.inverter.faults.silent = pv.handle.inverter.ac.power_w < 3_000
        return power_w

    report = await pv.test(Wrong(pv.driver(), die))

    assert report.verdict is Verdict.ABORTED
    assert "the reversion timers of the device end what was set" in words(report, "restored")
