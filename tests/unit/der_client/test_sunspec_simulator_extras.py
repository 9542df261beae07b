"""Models beside those of an inverter: the battery bank (802), laboratory hooks (64414), and meters."""

import pytest

from der_client.physics.pack import Pack, PackSettings
from der_client.sunspec.codec import encode, words_of
from der_client.sunspec.simulator.bank import IllegalRequestError
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.meter import Flow, Meter, MeterSettings, refuse_write
from der_client.sunspec.simulator.settings import InverterSettings

BATTERY = InverterSettings(charge_w=5_000, discharge_w=5_000, capacity_wh=10_000, has_battery_model=True)
LAB = InverterSettings(has_lab_hooks=True, pv_w=8_000)


class Bench:
    """An inverter with its pack, and a clock that the test turns."""

    def __init__(self, settings: InverterSettings, pack: Pack | None = None) -> None:
        self.now = 0.0
        self.inverter = Inverter(settings, 0.0, pack)

    def write(self, name: str, words: tuple[int, ...]) -> None:
        number, _, point_name = name.partition(".")
        model = self.inverter.bank.models[int(number)]
        point = model.point(point_name)
        assert point is not None
        self.inverter.write(model.address + point.offset, words, self.now)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.inverter.step(self.now)

    def __getitem__(self, name: str) -> object:
        number, _, point = name.partition(".")
        return self.inverter.bank.models[int(number)].value(point)


def test_the_battery_bank_shows_the_pack() -> None:
    pack = Pack(PackSettings(soc_pct=60.0))
    bench = Bench(BATTERY, pack)
    bench.write("704.WSet", words_of(3_000, 2))
    bench.write("704.WSetEna", (1,))
    bench.pass_time(10)
    assert [bench[f"802.{name}"] for name in ("SoC", "SoH", "Typ", "State", "ChaSt", "Evt1", "Hb")] == [
        59.9, 100.0, 4, 3, 3, 0, 10,
    ]  # fmt: skip
    assert bench["802.A"] == round(pack.current_a, 1)
    assert bench["802.W"] == 3_000
    assert bench["802.CellVMax"] == round(pack.cell_voltages_v[1], 3)


def test_a_controller_can_take_the_battery_from_its_terminals_and_bring_it_back() -> None:
    bench = Bench(BATTERY, Pack())
    bench.write("802.SetOp", (2,))
    bench.pass_time(1)
    away = (bench["802.State"], bench["702.WMax"], bench.inverter.ac.power_w)
    bench.write("802.SetOp", (1,))
    bench.pass_time(1)
    assert (away, bench["802.State"]) == ((1, 10_000, 0.0), 3)


def test_alarms_and_warnings_of_the_bms_stand_in_the_bits_of_the_bank() -> None:
    pack = Pack()
    bench = Bench(BATTERY, pack)
    pack.alarms = frozenset({"high_temperature", "bms_internal"})
    pack.warnings = frozenset({"low_voltage", "cell_imbalance"})
    bench.pass_time(1)
    assert (bench["802.Evt1"], bench["802.State"]) == (1 << 1 | 1 << 25 | 1 << 12 | 1 << 17, 99)


def test_the_reset_of_alarms_falls_back_and_a_frozen_heartbeat_stands() -> None:
    bench = Bench(BATTERY, Pack())
    bench.write("802.AlmRst", (1,))
    bench.pass_time(5)
    before = bench["802.Hb"]
    bench.inverter.faults.freeze_heartbeat = True
    bench.pass_time(5)
    assert (bench["802.AlmRst"], before, bench["802.Hb"]) == (0, 5, 5)


@pytest.mark.parametrize(("soc_pct", "charge", "state"), [(0.0, 2, 5), (100.0, 5, 5), (50.0, 6, 3)])
def test_an_empty_or_full_battery_protects_itself(soc_pct: float, charge: int, state: int) -> None:
    bench = Bench(BATTERY, Pack(PackSettings(soc_pct=soc_pct)))
    bench.pass_time(1)
    assert (bench["802.ChaSt"], bench["802.State"]) == (charge, state)


def test_a_test_bench_sets_sun_and_grid_by_registers() -> None:
    bench = Bench(LAB)
    bench.pass_time(1)
    before = bench["701.W"]
    bench.write("64414.Irradiance", encode("float32", 500.0, 2))
    for phase in "ABC":
        bench.write(f"64414.GridVoltage{phase}", encode("float32", 234.0, 2))
    bench.write("64414.GridFrequency", encode("float32", 59.99, 2))
    bench.pass_time(1)
    assert (before, bench["701.W"], bench["701.LNV"], bench["701.Hz"]) == (8_000, 4_000, 234.0, 59.99)


def test_without_hooks_there_is_no_model_of_them() -> None:
    assert not {64414, 802} & set(Bench(InverterSettings()).inverter.bank.models)


@pytest.mark.parametrize(("export_positive", "power_w"), [(False, -2_500), (True, 2_500)])
def test_a_meter_counts_either_direction_positive(export_positive: bool, power_w: int) -> None:
    meter = Meter(MeterSettings(export_positive=export_positive))
    flow = Flow(voltage_v=240.0, frequency_hz=60.0, power_w=2_500.0)
    flow.count(100.0)
    flow.count(-40.0)
    meter.show(flow)
    values = [meter.model.value(name) for name in ("W", "TotWhExp", "TotWhImp", "Hz")]
    assert values == [power_w, 100, 40, 60.0]


def test_a_meter_cannot_be_written() -> None:
    with pytest.raises(IllegalRequestError) as refused:
        refuse_write(40_100)
    assert refused.value.code == 2
