"""The simulated inverter of the older series without clock and bus: models, timers, curves, storage."""

import math
from collections.abc import Sequence

import pytest

from der_client.sunspec.codec import words_of
from der_client.sunspec.definitions import layout_of
from der_client.sunspec.simulator.bank import IllegalRequestError
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import IdealBattery
from der_client.sunspec.simulator.timed import Timed

V = 240.0
PV = InverterSettings(series=100, enter_service_delay_s=30, enter_service_ramp_s=0)
BATTERY = InverterSettings(series=100, charge_w=5_000, discharge_w=4_000, capacity_wh=10_000)


class Bench:
    """An inverter with a clock that the test turns, in steps of any size."""

    def __init__(
        self, settings: InverterSettings = PV, draw: float = 0.0, battery: IdealBattery | None = None
    ) -> None:
        self.now = 0.0
        self.inverter = Inverter(settings, self.now, battery, draw=lambda: draw)

    def write(self, name: str, raw: int) -> None:
        """Write one point by its raw number."""
        number, _, point_name = name.partition(".")
        model = self.inverter.bank.models[int(number)]
        point = model.point(point_name)
        assert point is not None
        self.inverter.write(model.address + point.offset, words_of(raw, point.size), self.now)

    def set(self, model: int, **points: int) -> None:
        """Write points of a model in the given order."""
        for name, raw in points.items():
            self.write(f"{model}.{name}", raw)

    def curve(self, model: int, axes: tuple[str, str], pairs: Sequence[tuple[int, int]]) -> None:
        """Write curve 2 by raw numbers, select and enable it."""
        self.write(f"{model}.curve[1].ActPt", len(pairs))
        for number, pair in enumerate(pairs, start=1):
            for axis, raw in zip(axes, pair, strict=True):
                self.write(f"{model}.curve[1].{axis}{number}", raw)
        self.set(model, ActCrv=2, ModEna=1)

    def grid(self, per_unit: float = 1.0, hertz: float = 60.0) -> None:
        self.inverter.set_grid(voltage_v=per_unit * V, frequency_hz=hertz)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.inverter.step(self.now)

    @property
    def power_w(self) -> float:
        return self.inverter.ac.power_w

    @property
    def reactive_var(self) -> float:
        return self.inverter.ac.reactive_var

    def __getitem__(self, name: str) -> object:
        number, _, point = name.partition(".")
        return self.inverter.bank.models[int(number)].value(point)


@pytest.mark.parametrize(("ac_type", "model"), [(0, 101), (1, 102), (2, 103)])
def test_models_follow_each_other_and_fit_their_definitions(ac_type: int, model: int) -> None:
    bank = Inverter(InverterSettings(series=100, ac_type=ac_type, charge_w=1.0), 0.0).bank
    assert list(bank.models) == [1, model, 120, 121, 122, 123, 124, 126, 127, 131, 132, 134, 160]
    assert [found.length for found in bank.models.values()] == [
        66, 50, 26, 30, 44, 24, 24, 172, 10, 172, 172, 184, 28,
    ]  # fmt: skip
    assert all(
        layout_of(m.model_id, m.length, {"N": 1}) == m.layout
        for m in bank.models.values()
        if m.model_id == 160
    )
    assert bank.read(bank.models[160].end, 2) == [0xFFFF, 0]


def test_pv_inverter_shows_its_power_and_that_it_is_connected() -> None:
    bench = Bench()
    bench.pass_time(3600)
    assert [bench[f"101.{name}"] for name in ("W", "VA", "PF", "Hz", "WH", "St")] == [
        10_000, 10_000, 100.0, 60.0, 10_000, 4,
    ]  # fmt: skip
    assert (bench["122.PVConn"], bench["122.ECPConn"], bench["122.WAval"], bench["122.ActWh"]) == (
        7,
        1,
        10_000,
        10_000,
    )
    assert (bench["160.module[0].DCW"], bench["160.N"]) == (10_000, 1)


def test_a_limit_takes_effect_when_its_enable_is_written() -> None:
    bench = Bench()
    bench.set(123, WMaxLimPct=3_000)
    bench.pass_time(1)
    before = bench.power_w
    bench.set(123, WMaxLim_Ena=1)
    bench.pass_time(1)
    bench.set(123, WMaxLimPct=5_000)
    bench.pass_time(1)
    unchanged = bench.power_w
    bench.set(123, WMaxLim_Ena=1)
    bench.pass_time(1)
    assert (before, unchanged, bench.power_w, bench["101.St"]) == (10_000, 3_000, 5_000, 5)


def test_a_limit_reverts_when_its_time_is_over_unless_it_is_enabled_again() -> None:
    bench = Bench()
    bench.set(123, WMaxLimPct=3_000, WMaxLimPct_RvrtTms=60, WMaxLim_Ena=1)
    bench.pass_time(50)
    bench.set(123, WMaxLim_Ena=1)
    bench.pass_time(59)
    held = bench.power_w
    bench.pass_time(2)
    assert (held, bench.power_w, bench["123.WMaxLim_Ena"]) == (3_000, 10_000, 0)


def test_a_limit_goes_over_its_ramp_after_its_part_of_the_window() -> None:
    bench = Bench(draw=0.5)
    bench.set(123, WMaxLimPct=0, WMaxLimPct_WinTms=20, WMaxLimPct_RmpTms=100, WMaxLim_Ena=1)
    seen = []
    for _ in range(3):
        bench.pass_time(10)
        seen.append(round(bench.power_w))
    bench.pass_time(80)
    assert (seen, bench.power_w) == ([10_000, 9_000, 8_000], 0)


@pytest.mark.parametrize(("raw", "sign"), [(-900, 1), (900, -1)])
def test_a_negative_power_factor_is_over_excited(raw: int, sign: int) -> None:
    bench = Bench(InverterSettings(series=100, pv_w=5_000))
    bench.set(123, OutPFSet=raw & 0xFFFF, OutPFSet_Ena=1)
    bench.pass_time(1)
    assert bench.reactive_var == pytest.approx(sign * 5_000 * math.tan(math.acos(0.9)))


@pytest.mark.parametrize(
    ("mode", "point", "percent", "var"),
    [(1, "VArWMaxPct", 2_000, 2_000), (2, "VArMaxPct", -5_000, -2_200), (3, "VArAvalPct", 5_000, 2_200)],
)
def test_reactive_power_in_every_mode(mode: int, point: str, percent: int, var: float) -> None:
    bench = Bench(InverterSettings(series=100, pv_w=5_000))
    bench.set(123, VArPct_Mod=mode, **{point: percent & 0xFFFF}, VArPct_Ena=1)
    bench.pass_time(1)
    assert bench.reactive_var == pytest.approx(var)


def test_disconnected_it_gives_nothing_and_connects_again_by_itself_after_its_time() -> None:
    bench = Bench()
    bench.set(123, Conn_RvrtTms=60, Conn=0)
    bench.pass_time(10)
    away = (bench.power_w, bench["101.St"], bench["122.PVConn"], bench["122.ECPConn"])
    bench.pass_time(79)
    waiting = (bench.power_w, bench["123.Conn"], bench["101.St"])
    bench.pass_time(2)
    assert (away, waiting, bench.power_w) == ((0.0, 1, 0, 0), (0.0, 1, 3), 10_000)


def test_a_volt_var_curve_that_is_written_selected_and_enabled_acts() -> None:
    bench = Bench(InverterSettings(series=100, pv_w=5_000))
    bench.curve(126, ("V", "VAr"), ((9_000, 2_000), (9_800, 0), (10_200, 0), (11_000, -2_000 & 0xFFFF)))
    bench.grid(1.06)
    bench.pass_time(1)
    assert bench.reactive_var == pytest.approx(-1_000)


def test_a_volt_watt_curve_caps_the_power_until_its_time_is_over() -> None:
    bench = Bench()
    bench.set(132, RvrtTms=60)
    bench.curve(132, ("V", "W"), ((10_500, 10_000), (10_900, 2_000)))
    bench.grid(1.07)
    bench.pass_time(1)
    capped = bench.power_w
    bench.pass_time(60)
    assert capped == pytest.approx(6_000)
    assert (bench.power_w, bench["132.ModEna"]) == (10_000, 0)


def test_a_watt_power_factor_curve_binds_reactive_to_active_power() -> None:
    bench = Bench(InverterSettings(series=100, pv_w=5_000, max_var=10_000.0))
    bench.curve(131, ("W", "PF"), ((0, 1_000), (5_000, 900), (10_000, 900)))
    bench.pass_time(1)
    assert bench.reactive_var == pytest.approx(-5_000 * math.tan(math.acos(0.9)))


def test_a_frequency_watt_curve_limits_by_frequency() -> None:
    bench = Bench()
    bench.curve(134, ("Hz", "W"), ((6_020, 10_000), (6_120, 0)))
    bench.grid(hertz=60.7)
    bench.pass_time(1)
    assert bench.power_w == pytest.approx(5_000)


@pytest.mark.parametrize("start_raw", [20, 6_020])
def test_droop_starts_at_an_offset_or_at_a_frequency(start_raw: int) -> None:
    bench = Bench()
    bench.set(127, WGra=4_000, HzStr=start_raw, HzStop=start_raw, ModEna=1)
    bench.grid(hertz=60.7)
    bench.pass_time(1)
    assert bench.power_w == pytest.approx(8_000)


def test_a_curve_that_does_not_rise_does_not_act() -> None:
    bench = Bench()
    bench.curve(132, ("V", "W"), ((10_500, 10_000), (10_500, 0)))
    bench.grid(1.08)
    bench.pass_time(1)
    assert bench.power_w == 10_000


def test_trips_are_those_of_the_standard() -> None:
    bench = Bench()
    bench.grid(0.8)
    bench.pass_time(20.9)
    before = bench.power_w
    bench.pass_time(0.2)
    assert (before, bench.power_w, bench["101.St"]) == (10_000, 0.0, 3)


def test_gradient_limits_the_change_of_power() -> None:
    bench = Bench()
    bench.set(121, WGra=5)
    bench.set(123, WMaxLimPct=0, WMaxLim_Ena=1)
    bench.pass_time(4)
    assert bench.power_w == pytest.approx(8_000)


@pytest.mark.parametrize(
    ("points", "power_w"),
    [
        ({"StorCtl_Mod": 3, "OutWRte": 0, "InWRte": 0}, 0.0),
        ({"OutWRte": -5_000, "StorCtl_Mod": 2}, -2_000.0),
        ({"InWRte": -5_000, "StorCtl_Mod": 1}, 2_500.0),
        ({"ChaGriSet": 0, "OutWRte": -5_000, "StorCtl_Mod": 2}, 0.0),
    ],
)
def test_storage_rates_hold_and_force(points: dict[str, int], power_w: float) -> None:
    bench = Bench(BATTERY)
    bench.set(124, **{name: raw & 0xFFFF for name, raw in points.items()})
    bench.pass_time(1)
    assert bench.power_w == pytest.approx(power_w)


def test_storage_rates_revert() -> None:
    bench = Bench(BATTERY)
    bench.set(124, InWRte=-10_000 & 0xFFFF, InOutWRte_RvrtTms=60, StorCtl_Mod=1)
    bench.pass_time(30)
    held = (bench.power_w, bench["124.ChaSt"])
    bench.pass_time(31)
    assert (held, bench.power_w, bench["124.StorCtl_Mod"], bench["124.ChaSt"]) == ((4_000, 3), 0, 0, 6)


def test_a_battery_keeps_its_reserve() -> None:
    battery = IdealBattery(capacity_wh=10_000, charge_w=5_000, discharge_w=4_000, soc_pct=21.0)
    bench = Bench(BATTERY, battery=battery)
    bench.set(124, MinRsvPct=20, InWRte=-10_000 & 0xFFFF, StorCtl_Mod=1)
    bench.pass_time(600)
    assert (bench.power_w, bench["124.ChaState"]) == (0.0, pytest.approx(20.0, abs=0.2))


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [("123.WMaxLimPct", 10_001, 3), ("101.W", 1, 2), ("126.ActCrv", 9, 3), ("120.WRtg", 1, 2)],
)
def test_forbidden_writes_are_refused(name: str, raw: int, code: int) -> None:
    with pytest.raises(IllegalRequestError) as refused:
        Bench().write(name, raw)
    assert refused.value.code == code


def test_a_timed_setting_starts_ramps_and_ends() -> None:
    setting = Timed(100.0)
    setting.enable(20.0, 0.0, wait_s=10.0, ramp_s=8.0, revert_s=60.0)
    seen = [setting.at(at) for at in (0.0, 10.0, 12.0, 18.0, 59.0)]
    ends = (setting.next_at(0.0), setting.next_at(10.0), setting.next_at(20.0), setting.has_ended(59.9))
    assert (seen, ends) == ([100.0, 100.0, 80.0, 20.0, 20.0], (10.0, 11.0, 60.0, False))
    assert (setting.has_ended(60.0), setting.at(60.0), setting.is_enabled) == (True, 100.0, False)
