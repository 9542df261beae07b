"""The simulated inverter without clock and bus: what is written moves its power."""

import math

import pytest

from der_client.sunspec.codec import words_of
from der_client.sunspec.simulator.bank import IllegalRequestError, put
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import DcLimits, IdealBattery, PvField

PV = InverterSettings(max_w=10_000, max_va=10_000, max_var=4_400, pv_w=8_000)
BATTERY = InverterSettings(
    max_w=5_000, max_va=5_000, max_var=5_000, charge_w=4_000, discharge_w=5_000, capacity_wh=10_000
)


class Bench:
    """An inverter with a clock that the test turns."""

    def __init__(self, settings: InverterSettings, battery: IdealBattery | None = None) -> None:
        self.now = 0.0
        self.inverter = Inverter(settings, self.now, battery)

    def write(self, name: str, raw: int) -> None:
        """Write one point by its raw number."""
        number, _, point_name = name.partition(".")
        model = self.inverter.bank.models[int(number)]
        point = model.point(point_name)
        assert point is not None
        self.inverter.write(model.address + point.offset, words_of(raw, point.size), self.now)

    def set(self, **points: int) -> None:
        """Write points of model 704 in the given order."""
        for name, raw in points.items():
            self.write(f"704.{name}", raw)

    def factor(self, group: str, factor: int, excitation: int) -> None:
        """Write a power factor group whole."""
        model = self.inverter.bank.models[704]
        point = model.point(f"{group}.PF")
        assert point is not None
        self.inverter.write(model.address + point.offset, (factor, excitation), self.now)

    def pass_time(self, seconds: float, tick_s: float = 0.5) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + tick_s, end)
            self.inverter.step(self.now)

    def __getitem__(self, name: str) -> object:
        number, _, point = name.partition(".")
        return self.inverter.bank.models[int(number)].value(point)


def test_pv_inverter_gives_what_the_sun_gives() -> None:
    bench = Bench(PV)
    bench.pass_time(1)
    assert (bench["701.W"], bench["701.InvSt"], bench["701.St"], bench["701.ConnSt"]) == (8_000, 3, 1, 1)
    assert (bench["714.Prt[0].DCW"], bench["714.DCA"]) == (8_000, 20.0)


def test_clouds_and_night_follow_the_irradiance_profile() -> None:
    bench = Bench(InverterSettings(pv_w=8_000, irradiance=((0, 1.0), (60, 0.25), (120, 0.0))))
    seen = []
    for _ in range(3):
        bench.pass_time(50)
        seen.append((bench["701.W"], bench["701.InvSt"]))
    assert seen == [(8_000, 3), (2_000, 3), (0, 1)]


def test_pv_power_stops_at_the_rating() -> None:
    bench = Bench(InverterSettings(max_w=5_000, max_va=5_000, pv_w=8_000))
    bench.pass_time(1)
    assert bench["701.W"] == 5_000


def test_limit_throttles_and_says_so() -> None:
    bench = Bench(PV)
    bench.set(WMaxLimPct=3000, WMaxLimPctEna=1)
    bench.pass_time(1)
    assert [bench[f"701.{name}"] for name in ("W", "InvSt", "ThrotPct", "ThrotSrc")] == [3_000, 4, 50, 1]


def test_setpoint_throttles_and_says_so() -> None:
    bench = Bench(PV)
    bench.set(WSetMod=1, WSet=2000, WSetEna=1)
    bench.pass_time(1)
    assert [bench[f"701.{name}"] for name in ("W", "ThrotSrc")] == [2_000, 2]


def test_setpoint_in_percent_refers_to_the_setting() -> None:
    bench = Bench(PV)
    bench.write("702.WMax", 6_000)
    bench.set(WSetMod=0, WSetPct=5000, WSetEna=1)
    bench.pass_time(1)
    assert bench["701.W"] == 3_000


def test_ramp_limits_the_change_of_power() -> None:
    bench = Bench(PV)
    bench.set(WRmp=5, WMaxLimPct=0, WMaxLimPctEna=1)
    seen = []
    for _ in range(3):
        bench.pass_time(2)
        seen.append(bench["701.W"])
    assert seen == [7_000, 6_000, 5_000]


def test_loss_of_sun_is_not_ramped() -> None:
    bench = Bench(InverterSettings(pv_w=8_000, irradiance=((0, 1.0), (1, 0.1)), ramp_pct_per_s=1))
    bench.pass_time(1.5)
    assert bench["701.W"] == 800


def test_battery_rests_until_it_is_asked() -> None:
    bench = Bench(BATTERY)
    bench.pass_time(1)
    assert (bench["701.W"], bench["713.SoC"], bench["713.WHAvail"]) == (0, 50.0, 5_000)


@pytest.mark.parametrize(("asked_w", "power_w", "soc_pct"), [(3_000, 3_000, 47.0), (-2_000, -2_000, 52.0)])
def test_battery_follows_its_setpoint_and_its_charge_moves(
    asked_w: int, power_w: int, soc_pct: float
) -> None:
    bench = Bench(BATTERY)
    bench.set(WSet=asked_w, WSetEna=1)
    bench.pass_time(360)
    assert (bench["701.W"], bench["713.SoC"]) == (power_w, soc_pct)


def test_losses_come_from_the_battery_in_both_directions() -> None:
    battery = IdealBattery(capacity_wh=10_000, charge_w=4_000, discharge_w=4_000)
    settings = InverterSettings(charge_w=4_000, discharge_w=4_000, capacity_wh=10_000, efficiency=0.9)
    bench = Bench(settings, battery)
    bench.set(WSet=9_000, WSetEna=1)
    bench.pass_time(1)
    assert (bench["701.W"], bench["714.DCW"]) == (3_600, 4_000)
    bench.set(WSet=-4_000)
    bench.pass_time(1)
    assert (bench["701.W"], bench["714.DCW"]) == (-4_000, -3_600)


def test_limits_of_the_battery_are_obeyed_at_once() -> None:
    battery = IdealBattery(capacity_wh=10_000, charge_w=4_000, discharge_w=5_000)
    bench = Bench(BATTERY, battery)
    bench.set(WRmp=1, WSet=4_000, WSetEna=1)
    bench.pass_time(100)
    battery.discharge_w = 1_000
    bench.pass_time(0.5)
    assert bench["701.W"] == 1_000


def test_empty_battery_gives_nothing() -> None:
    battery = IdealBattery(capacity_wh=10_000, charge_w=4_000, discharge_w=5_000, soc_pct=0.0)
    bench = Bench(BATTERY, battery)
    bench.set(WSet=3_000, WSetEna=1)
    bench.pass_time(1)
    assert (bench["701.W"], battery.limits(0)) == (0, DcLimits(4_000, 0, 0.0, 100.0))


def test_limit_acts_on_discharge_only() -> None:
    bench = Bench(BATTERY)
    bench.set(WMaxLimPct=1000, WMaxLimPctEna=1, WSet=-4_000, WSetEna=1)
    bench.pass_time(1)
    assert bench["701.W"] == -4_000


def test_energy_is_counted_by_direction() -> None:
    bench = Bench(BATTERY)
    bench.set(WSet=3_600, WSetEna=1)
    bench.pass_time(100)
    bench.set(WSet=-1_800)
    bench.pass_time(100)
    assert (bench["701.TotWhInj"], bench["701.TotWhAbs"]) == (100, 50)


@pytest.mark.parametrize(("excitation", "sign"), [(0, 1), (1, -1)])
def test_power_factor_makes_reactive_power_of_its_sign(excitation: int, sign: int) -> None:
    bench = Bench(PV)
    bench.factor("PFWInj", 950, excitation)
    bench.set(PFWInjEna=1)
    bench.pass_time(1)
    assert bench["701.Var"] == sign * round(8_000 * math.tan(math.acos(0.95)))
    assert bench["701.PF"] == 0.95


def test_power_factor_while_charging_is_the_one_for_absorbing() -> None:
    bench = Bench(BATTERY)
    bench.factor("PFWInj", 500, 0)
    bench.factor("PFWAbs", 900, 1)
    bench.set(PFWInjEna=1, PFWAbsEna=1, WSet=-3_000, WSetEna=1)
    bench.pass_time(1)
    assert (bench["701.Var"], bench["701.PF"]) == (-1_453, -0.9)


@pytest.mark.parametrize(
    ("mode", "name", "raw", "var"),
    [
        (0, "VarSetPct", 1000, 1_000),
        (1, "VarSetPct", 5000, 2_200),
        (1, "VarSetPct", -5000, -2_200),
        (2, "VarSetPct", 5000, 2_200),
        (3, "VarSetPct", 2000, 2_000),
        (4, "VarSet", -1_500, -1_500),
    ],
)
def test_reactive_setpoint_in_every_mode(mode: int, name: str, raw: int, var: int) -> None:
    bench = Bench(PV)
    bench.set(VarSetMod=mode, **{name: raw}, VarSetEna=1)
    bench.pass_time(1)
    assert bench["701.Var"] == var


@pytest.mark.parametrize(("priority", "power_w", "var"), [(0, 4_000, 3_000), (1, 3_000, 4_000)])
def test_apparent_power_is_shared_by_priority(priority: int, power_w: int, var: int) -> None:
    bench = Bench(BATTERY)
    bench.set(WSet=4_000, WSetEna=1, VarSetMod=4, VarSet=4_000, VarSetPri=priority, VarSetEna=1)
    bench.pass_time(1)
    assert (bench["701.W"], bench["701.Var"], bench["701.VA"]) == (power_w, var, 5_000)


@pytest.mark.parametrize(
    ("ac_type", "v_nom_v", "neutral_v", "current_a"),
    [(0, 240.0, 240.0, 33.3), (1, 240.0, 120.0, 33.3), (2, 480.0, 277.1, 9.6)],
)
def test_voltages_and_currents_fit_the_wiring(
    ac_type: int, v_nom_v: float, neutral_v: float, current_a: float
) -> None:
    bench = Bench(InverterSettings(ac_type=ac_type, v_nom_v=v_nom_v, pv_w=8_000))
    bench.pass_time(1)
    assert (bench["701.LNV"], bench["701.A"]) == (neutral_v, current_a)
    assert bench["701.WL1"] == round(8_000 / (3 if ac_type == 2 else 1 + ac_type))


@pytest.mark.parametrize(("order", "state", "connected"), [(0, 0, 0), (2, 7, 1)])
def test_stop_and_standby_orders_end_power_at_once(order: int, state: int, connected: int) -> None:
    bench = Bench(PV)
    bench.write("715.OpCtl", order)
    bench.pass_time(0.5)
    assert [bench[f"701.{name}"] for name in ("W", "InvSt", "ConnSt", "St")] == [0, state, connected, 0]


def test_return_to_service_waits_and_ramps() -> None:
    bench = Bench(InverterSettings(pv_w=10_000, enter_service_delay_s=30, enter_service_ramp_s=100))
    bench.write("703.ES", 0)
    bench.pass_time(1)
    bench.write("703.ES", 1)
    seen = []
    for _ in range(4):
        bench.pass_time(20, 1)
        seen.append((bench["701.W"], bench["701.InvSt"], bench["703.ESDlyRemTms"]))
    assert seen == [(0, 2, 10), (1_000, 4, 0), (3_000, 4, 0), (5_000, 4, 0)]


def test_exit_from_standby_is_a_start() -> None:
    bench = Bench(InverterSettings(enter_service_delay_s=0, enter_service_ramp_s=0))
    bench.write("715.OpCtl", 2)
    bench.write("715.OpCtl", 3)
    bench.pass_time(1)
    assert (bench["715.OpCtl"], bench["701.W"]) == (1, 10_000)


def test_alarm_reset_falls_back() -> None:
    bench = Bench(PV)
    bench.write("715.AlarmReset", 1)
    assert bench["715.AlarmReset"] == 0


@pytest.mark.parametrize(
    ("voltage_v", "frequency_hz", "alarm"),
    [(260.0, 60.0, 1 << 10), (220.0, 60.0, 1 << 11), (240.0, 60.13, 1 << 8), (240.0, 59.4, 1 << 9)],
)
def test_abnormal_grid_raises_its_alarm_and_keeps_the_power(
    voltage_v: float, frequency_hz: float, alarm: int
) -> None:
    bench = Bench(PV)
    bench.write("711.Ena", 0)
    bench.inverter.set_grid(voltage_v=voltage_v, frequency_hz=frequency_hz)
    bench.pass_time(1)
    assert (bench["701.Alrm"], bench["701.W"], bench["701.Hz"]) == (alarm, 8_000, frequency_hz)


def test_grid_far_out_disconnects_and_service_waits_for_its_return() -> None:
    bench = Bench(InverterSettings(enter_service_delay_s=10, enter_service_ramp_s=0))
    bench.inverter.set_grid(voltage_v=300.0, frequency_hz=60.0)
    bench.pass_time(1)
    away = (bench["701.W"], bench["701.ConnSt"])
    bench.inverter.set_grid(voltage_v=240.0, frequency_hz=60.0)
    bench.pass_time(5)
    waiting = bench["701.W"]
    bench.pass_time(6)
    assert (away, waiting, bench["701.W"]) == ((0, 0), 0, 10_000)


def test_inverter_may_start_out_of_service() -> None:
    bench = Bench(InverterSettings(in_service=False, enter_service_delay_s=5, enter_service_ramp_s=0))
    bench.pass_time(2)
    waiting = (bench["701.W"], bench["703.ESDlyRemTms"])
    bench.pass_time(4)
    assert (waiting, bench["701.W"]) == ((0, 3), 10_000)


def test_reversion_timer_counts_down_and_reverts() -> None:
    bench = Bench(PV)
    bench.set(
        WMaxLimPctRvrt=2000, WMaxLimPctEnaRvrt=1, WMaxLimPctRvrtTms=60, WMaxLimPct=5000, WMaxLimPctEna=1
    )
    started = bench["704.WMaxLimPctRvrtRem"]
    bench.pass_time(20)
    running = (bench["704.WMaxLimPctRvrtRem"], bench["701.W"])
    bench.pass_time(40)
    assert (started, running) == (60, (40, 5_000))
    assert [bench[f"704.WMaxLimPct{end}"] for end in ("", "Ena", "RvrtRem")] == [20, 1, 0]
    bench.pass_time(1)
    assert bench["701.W"] == 2_000


def test_reversion_may_end_the_function() -> None:
    bench = Bench(PV)
    bench.set(WSetRvrtTms=10, WSet=1_000, WSetEna=1)
    bench.pass_time(11)
    assert (bench["704.WSetEna"], bench["701.W"]) == (0, 8_000)


def test_power_factor_reverts_with_its_excitation() -> None:
    bench = Bench(PV)
    bench.factor("PFWInjRvrt", 990, 1)
    bench.factor("PFWInj", 950, 0)
    bench.set(PFWInjEnaRvrt=1, PFWInjRvrtTms=5, PFWInjEna=1)
    bench.pass_time(6)
    assert (bench["704.PFWInj.PF"], bench["704.PFWInj.Ext"], bench["704.PFWInjEna"]) == (0.99, 1, 1)


def test_rewriting_the_setpoint_restarts_its_timer_only() -> None:
    bench = Bench(PV)
    bench.set(WMaxLimPctRvrtTms=60, WMaxLimPctEna=1, VarSetRvrtTms=60, VarSetEna=1)
    bench.pass_time(30)
    bench.set(WMaxLimPct=5000)
    assert (bench["704.WMaxLimPctRvrtRem"], bench["704.VarSetRvrtRem"]) == (60, 30)


def test_disabling_the_function_stops_its_timer() -> None:
    bench = Bench(PV)
    bench.set(WMaxLimPctRvrt=2000, WMaxLimPctEnaRvrt=1, WMaxLimPctRvrtTms=5, WMaxLimPctEna=1)
    bench.set(WMaxLimPctEna=0)
    bench.pass_time(10)
    assert (bench["704.WMaxLimPctRvrtRem"], bench["704.WMaxLimPctEna"]) == (0, 0)


def test_heartbeat_counts_seconds_unless_it_is_frozen() -> None:
    bench = Bench(PV)
    bench.pass_time(5)
    before = bench["715.DERHb"]
    bench.inverter.faults.freeze_heartbeat = True
    bench.pass_time(5)
    assert (before, bench["715.DERHb"]) == (5, 5)


def test_ignored_write_leaves_the_registers() -> None:
    bench = Bench(PV)
    bench.inverter.faults.ignore_writes = True
    bench.set(WMaxLimPct=1000)
    assert bench["704.WMaxLimPct"] == 100


def test_frozen_timers_do_not_restart() -> None:
    bench = Bench(PV)
    bench.inverter.faults.freeze_timers = True
    bench.set(WMaxLimPctRvrtTms=60, WMaxLimPctEna=1)
    assert bench["704.WMaxLimPctRvrtRem"] == 0


def test_time_does_not_run_backwards() -> None:
    bench = Bench(PV)
    bench.pass_time(10)
    bench.inverter.step(5.0)
    bench.pass_time(1)
    assert bench["715.DERHb"] == 11


def test_reads_and_refusals_pass_through() -> None:
    inverter = Inverter(PV, 0.0)
    assert inverter.read(40000, 2) == [0x5375, 0x6E53]
    with pytest.raises(IllegalRequestError):
        inverter.write(40080, (0,), 1.0)


def test_local_control_can_be_set_from_the_panel() -> None:
    bench = Bench(PV)
    put(bench.inverter.bank.models[715], "LocRemCtl", 1)
    assert bench["715.LocRemCtl"] == 1


@pytest.mark.parametrize(("elapsed_s", "power_w"), [(-1, 100), (0, 100), (9.9, 100), (10, 50), (1e6, 50)])
def test_irradiance_changes_in_steps(elapsed_s: float, power_w: float) -> None:
    assert PvField(100, ((0, 1.0), (10, 0.5))).available_w(elapsed_s) == power_w
