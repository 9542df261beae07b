"""The grid functions of the simulated inverter without clock and bus: curves, trips, service, steps."""

from collections.abc import Sequence

import pytest

from der_client.sunspec.codec import words_of
from der_client.sunspec.simulator.bank import IllegalRequestError, put
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import IdealBattery

V = 240.0
PV = InverterSettings(max_w=10_000, max_va=10_000, max_var=4_400, pv_w=10_000)
AT_ONCE = InverterSettings(max_w=10_000, max_va=10_000, enter_service_delay_s=0, enter_service_ramp_s=0)
BATTERY = InverterSettings(charge_w=10_000, discharge_w=10_000, capacity_wh=100_000)
CSIP_VOLT_VAR = ((91.0, 40.0), (95.7, 0.0), (104.0, 0.0), (106.0, -40.0))


class Bench:
    """An inverter with a clock that the test turns, in steps of any size."""

    def __init__(self, settings: InverterSettings = PV, draw: float = 0.0) -> None:
        self.now = 0.0
        self.inverter = Inverter(settings, self.now, draw=lambda: draw)

    def write(self, name: str, raw: int) -> None:
        """Write one point by its raw number."""
        number, _, point_name = name.partition(".")
        model = self.inverter.bank.models[int(number)]
        point = model.point(point_name)
        assert point is not None
        self.inverter.write(model.address + point.offset, words_of(raw, point.size), self.now)

    def curve(
        self, model: int, index: int, axes: tuple[str, str], pairs: Sequence[tuple[float, float]]
    ) -> None:
        """Write the points of a set, in percent."""
        self.write(f"{model}.Crv[{index}].ActPt", len(pairs))
        for number, (x, y) in enumerate(pairs):
            self.write(f"{model}.Crv[{index}].Pt[{number}].{axes[0]}", round(100 * x))
            self.write(f"{model}.Crv[{index}].Pt[{number}].{axes[1]}", round(100 * y))

    def trip(self, model: int, kind: str, pairs: Sequence[tuple[float, float]]) -> None:
        """Write a trip curve to set 2 and adopt it: (percent or Hz, s)."""
        axis = "V" if model < 709 else "Hz"
        start = f"{model}.Crv[1].{kind}."
        self.write(f"{start}ActPt", len(pairs))
        for number, (x, seconds) in enumerate(pairs):
            self.write(f"{start}Pt[{number}].{axis}", round(100 * x))
            self.write(f"{start}Pt[{number}].Tms", round(100 * seconds))
        self.write(f"{model}.AdptCrvReq", 2)
        self.pass_time(1)

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


def test_a_curve_acts_once_it_is_adopted_and_its_function_enabled() -> None:
    bench = Bench()
    bench.curve(705, 1, ("V", "Var"), CSIP_VOLT_VAR)
    bench.write("705.Crv[1].RspTms", 0)
    bench.write("705.AdptCrvReq", 2)
    asked = bench["705.AdptCrvRslt"]
    bench.pass_time(1)
    bench.grid(1.05)
    before = bench.reactive_var
    bench.write("705.Ena", 1)
    bench.pass_time(1)

    assert (asked, bench["705.AdptCrvRslt"], bench["705.AdptCrvReq"]) == (0, 1, 2)
    assert (bench["705.Crv[0].Pt[2].V"], bench["705.Crv[0].ReadOnly"]) == (104.0, 1)
    assert before == 0.0
    assert bench.reactive_var == pytest.approx(-2_000)


def test_the_active_set_cannot_be_written() -> None:
    with pytest.raises(IllegalRequestError) as refused:
        Bench().write("705.Crv[0].Pt[0].V", 9_000)
    assert refused.value.code == 2


@pytest.mark.parametrize("number", [4, 9])
def test_a_set_that_is_not_there_cannot_be_asked_for(number: int) -> None:
    with pytest.raises(IllegalRequestError) as refused:
        Bench().write("706.AdptCrvReq", number)
    assert refused.value.code == 3


@pytest.mark.parametrize("pairs", [(), ((95.0, 10.0), (95.0, 0.0)), ((100.0, 10.0), (95.0, 0.0))])
def test_a_curve_without_points_or_whose_points_do_not_rise_fails(
    pairs: Sequence[tuple[float, float]],
) -> None:
    bench = Bench()
    bench.curve(705, 1, ("V", "Var"), pairs)
    bench.write("705.AdptCrvReq", 2)
    bench.pass_time(1)
    assert (bench["705.AdptCrvRslt"], bench["705.Crv[0].Pt[0].V"]) == (2, 92.0)


@pytest.mark.parametrize(("model", "x"), [(708, 99.0), (707, 101.0), (710, 59.9), (709, 60.1)])
def test_a_trip_curve_that_would_trip_at_the_nominal_grid_fails(model: int, x: float) -> None:
    bench = Bench()
    bench.trip(model, "MustTrip", ((x, 1.0),))
    assert bench[f"{model}.AdptCrvRslt"] == 2


@pytest.mark.parametrize(("fault", "result"), [("adoption_stuck", 0), ("adoption_fails", 2)])
def test_adoption_can_hang_or_fail_on_command(fault: str, result: int) -> None:
    bench = Bench()
    setattr(bench.inverter.faults, fault, True)
    bench.write("712.AdptCrvReq", 3)
    bench.pass_time(60)
    assert bench["712.AdptCrvRslt"] == result


def test_a_curve_reverts_to_the_set_that_was_chosen_for_it() -> None:
    bench = Bench()
    bench.curve(705, 2, ("V", "Var"), CSIP_VOLT_VAR)
    bench.write("705.AdptCrvReq", 3)
    bench.pass_time(1)
    bench.write("705.RvrtCrv", 2)
    bench.write("705.RvrtTms", 60)
    bench.write("705.Ena", 1)
    bench.pass_time(20)
    counted = (bench["705.RvrtRem"], bench["705.Crv[0].Pt[0].V"])
    bench.pass_time(41)

    assert counted == (40, 91.0)
    assert (bench["705.RvrtRem"], bench["705.Crv[0].Pt[0].V"], bench["705.Ena"]) == (0, 92.0, 1)


def test_droop_adopts_as_curves_do() -> None:
    bench = Bench()
    bench.write("711.Ctl[1].KOf", 100)
    bench.write("711.AdptCtlReq", 2)
    bench.pass_time(1)
    bench.grid(hertz=60.636)
    bench.pass_time(60)
    assert bench["711.Ctl[0].KOf"] == 0.1
    assert bench.power_w == pytest.approx(9_000, abs=1)


def test_volt_var_is_ninety_percent_there_after_its_open_loop_response_time() -> None:
    bench = Bench()
    bench.write("705.Ena", 1)
    bench.grid(1.08)
    bench.pass_time(5)
    assert bench.reactive_var == pytest.approx(-0.9 * 4_400)


def test_the_autonomous_reference_follows_the_voltage_and_shows() -> None:
    bench = Bench()
    bench.write("705.Crv[1].VRefAutoEna", 1)
    bench.write("705.AdptCrvReq", 2)
    bench.write("705.Ena", 1)
    bench.pass_time(1)
    bench.grid(1.04)
    bench.pass_time(30)
    early = bench.reactive_var
    bench.pass_time(3_000)

    assert early == pytest.approx(-1_200, abs=60)
    assert bench["705.Crv[0].VRefAuto"] == 104.0
    assert bench.reactive_var == pytest.approx(0, abs=5)


def test_volt_watt_of_a_battery_may_ask_it_to_take() -> None:
    bench = Bench(BATTERY)
    bench.curve(706, 1, ("V", "W"), ((106.0, 100.0), (110.0, -100.0)))
    bench.write("706.AdptCrvReq", 2)
    bench.write("706.Ena", 1)
    bench.pass_time(1)
    bench.grid(1.09)
    bench.pass_time(60)
    assert bench.power_w == pytest.approx(-5_000, abs=1)


def test_droop_raises_a_limited_inverter_above_its_limit() -> None:
    bench = Bench()
    bench.write("704.WMaxLimPct", 5_000)
    bench.write("704.WMaxLimPctEna", 1)
    bench.grid(hertz=59.0)
    bench.pass_time(60)
    assert bench.power_w == pytest.approx(8_213, abs=1)


@pytest.mark.parametrize(
    ("per_unit", "hertz", "after_s"),
    [
        (1.25, 60, 0.16),
        (0.8, 60, 21),
        (0.4, 60, 2),
        (1, 62.5, 0.16),
        (1, 61.5, 300),
        (1, 58.0, 300),
        (1, 56, 0.16),
    ],
)
def test_an_abnormal_grid_trips_on_time_within_one_long_step(
    per_unit: float, hertz: float, after_s: float
) -> None:
    early, late = Bench(), Bench()
    early.write("711.Ena", 0)
    for bench, seconds in ((early, after_s - 0.01), (late, after_s + 0.01)):
        bench.grid(per_unit, hertz)
        bench.pass_time(seconds)
    assert (early["701.ConnSt"], late["701.ConnSt"], late.power_w) == (1, 0, 0.0)


def test_ten_thousand_seconds_in_one_step_trip_at_the_right_time() -> None:
    bench = Bench()
    bench.grid(0.8)
    bench.pass_time(10_000)
    assert bench["701.TotWhInj"] == round(10_000 * 21 / 3600)


@pytest.mark.parametrize(("may", "share"), [(False, 1.0), (True, 0.0)])
def test_what_may_trip_trips_only_where_it_is_told_to(may: bool, share: float) -> None:
    bench = Bench(InverterSettings(trips_when_it_may=may))
    bench.trip(707, "MayTrip", ((90.0, 1.0),))
    bench.grid(0.89)
    bench.pass_time(5)
    assert bench.power_w == share * 10_000


def test_a_disabled_trip_model_does_not_trip() -> None:
    bench = Bench()
    bench.write("707.Ena", 0)
    bench.grid(0.8)
    bench.pass_time(60)
    assert bench.power_w == 10_000


def test_momentary_cessation_ends_with_the_dip_within_four_tenths_of_a_second() -> None:
    bench = Bench()
    bench.grid(0.45)
    bench.pass_time(1)
    ceased = (bench.power_w, bench["701.ConnSt"])
    bench.grid(1.0)
    bench.pass_time(0.1)
    returning = bench.power_w
    bench.pass_time(0.3)
    assert ceased == (0.0, 1)
    assert bench.power_w == pytest.approx(10_000)
    assert 0 < returning < 10_000


def test_service_waits_for_the_drawn_part_of_the_random_delay() -> None:
    bench = Bench(InverterSettings(enter_service_delay_s=100, enter_service_ramp_s=0), draw=0.25)
    bench.write("703.ESRndTms", 400)
    bench.write("703.ES", 0)
    bench.pass_time(1)
    bench.write("703.ES", 1)
    bench.pass_time(199)
    waiting = (bench.power_w, bench["703.ESDlyRemTms"])
    bench.pass_time(2)
    assert (waiting, bench.power_w) == ((0.0, 1), 10_000)


def test_a_grid_that_leaves_the_window_starts_the_delay_anew() -> None:
    bench = Bench(InverterSettings(enter_service_delay_s=100, enter_service_ramp_s=0, in_service=False))
    bench.pass_time(90)
    bench.grid(1.06)
    bench.pass_time(1)
    bench.grid(1.0)
    bench.pass_time(99)
    assert bench["703.ESDlyRemTms"] == 1


@pytest.mark.parametrize("step_s", [0.1, 7.5, 600.0])
def test_steps_of_any_size_come_to_the_same_power_and_energy(step_s: float) -> None:
    bench = Bench(InverterSettings(ramp_pct_per_s=1, enter_service_delay_s=60, enter_service_ramp_s=120))
    bench.write("705.Ena", 1)
    bench.write("706.Ena", 1)
    bench.write("704.WMaxLimPct", 5_000)
    bench.write("704.WMaxLimPctEna", 1)
    bench.grid(1.05, 60.2)
    for _ in range(round(600 / step_s)):
        bench.pass_time(step_s)
    assert bench.power_w == pytest.approx(5_000, abs=1)
    assert bench.reactive_var == pytest.approx(-2_200, abs=1)
    assert bench.inverter.ac.injected_wh == pytest.approx(868.1, abs=1)


def test_more_w_than_the_excitation_allows_is_not_given() -> None:
    bench = Bench()
    put(bench.inverter.bank.models[702], "WMaxOvrExt", 6_000)
    bench.inverter.write(*_factor_words(bench, 900), bench.now)
    bench.write("704.PFWInjEna", 1)
    bench.pass_time(1)
    assert bench.power_w == 6_000


def _factor_words(bench: Bench, factor: int) -> tuple[int, Sequence[int]]:
    model = bench.inverter.bank.models[704]
    point = model.point("PFWInj.PF")
    assert point is not None
    return model.address + point.offset, (factor, 0)


def test_a_long_step_empties_the_battery_and_no_more() -> None:
    battery = IdealBattery(capacity_wh=1_000, charge_w=5_000, discharge_w=5_000)
    inverter = Inverter(BATTERY, 0.0, battery)
    model = inverter.bank.models[704]
    put(model, "WSet", 3_000)
    put(model, "WSetEna", 1)
    inverter.step(3_600)
    assert (battery.soc_pct, inverter.ac.power_w) == (0.0, 0.0)
    assert inverter.ac.injected_wh == pytest.approx(500, abs=3_000 * 10 / 3600)
