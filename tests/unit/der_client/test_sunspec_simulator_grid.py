"""The simulated inverter on a grid whose phases differ, and without one: shown, protected, left."""

import math

import pytest

from der_client.sunspec.model import DeviceMap
from der_client.sunspec.readings import telemetry_of
from der_client.sunspec.simulator.bank import put
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.settings import InverterSettings
from lineside.sim.command import answer_line
from lineside.sim.rig import Device, Rig

THREE = InverterSettings(max_w=9_000, max_va=9_000, pv_w=9_000, ac_type=2, v_nom_v=400.0, nominal_hz=50.0)
OLDER = InverterSettings(
    series=100, max_w=9_000, max_va=9_000, pv_w=9_000, ac_type=2, v_nom_v=400.0, nominal_hz=50.0
)
SINGLE = InverterSettings(max_w=5_000, max_va=5_000, pv_w=5_000)
SHORT = 0.01


class Bench:
    """An inverter with a clock that the test turns."""

    def __init__(self, settings: InverterSettings) -> None:
        self.now = 0.0
        self.inverter = Inverter(settings, self.now)
        self.pass_time(60)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.inverter.step(self.now)

    def shown(self, *names: str) -> list[object]:
        models = self.inverter.bank.models
        return [models[int(n.partition(".")[0])].value(n.partition(".")[2]) for n in names]


@pytest.mark.parametrize(
    ("settings", "volts", "amperes", "line"),
    [
        (THREE, ("701.VL1", "701.VL2", "701.VL3"), ("701.AL1", "701.AL2", "701.AL3"), "701.LLV"),
        (OLDER, ("103.PhVphA", "103.PhVphB", "103.PhVphC"), ("103.AphA", "103.AphB", "103.AphC"), None),
    ],
    ids=["700", "100"],
)
def test_each_phase_shows_its_voltage_and_the_current_of_its_part(
    settings: InverterSettings, volts: tuple[str, ...], amperes: tuple[str, ...], line: str | None
) -> None:
    bench = Bench(settings)
    bench.inverter.set_phases((1.0, 0.94, 1.03))
    bench.pass_time(0.1)
    neutral_v = 400.0 / math.sqrt(3)
    assert bench.shown(*volts) == pytest.approx([neutral_v, 0.94 * neutral_v, 1.03 * neutral_v], abs=0.06)
    currents = [3_000.0 / (share * neutral_v) for share in (1.0, 0.94, 1.03)]
    assert bench.shown(*amperes) == pytest.approx(currents, abs=0.06)
    assert line is None or bench.shown(line) == pytest.approx([400.0 * 0.99], abs=0.06)


def test_older_model_shows_the_voltages_between_its_phases() -> None:
    bench = Bench(OLDER)
    bench.inverter.set_phases((1.0, 0.9, 1.0))
    bench.pass_time(0.1)
    neutral_v = 400.0 / math.sqrt(3)
    expected = [neutral_v * math.sqrt(1 + 0.81 + 0.9), neutral_v * math.sqrt(0.81 + 1 + 0.9), 400.0]
    assert bench.shown("103.PPVphAB", "103.PPVphBC", "103.PPVphCA") == pytest.approx(expected, abs=0.06)


def test_a_client_sees_the_imbalance_as_an_alarm() -> None:
    bench = Bench(THREE)
    bench.inverter.set_phases((1.0, 0.90, 1.0))
    bench.pass_time(0.1)
    found = telemetry_of(DeviceMap(base=40000, models=tuple(bench.inverter.bank.models.values())))
    assert 5 in getattr(found, "alarms", ())


def test_one_phase_outside_trips_though_the_mean_is_inside() -> None:
    bench = Bench(THREE)
    bench.inverter.set_phases((1.0, 0.80, 1.0))
    bench.pass_time(20.9)
    running = bench.inverter.ac.power_w
    bench.pass_time(0.2)
    assert (running > 8_000, bench.inverter.ac.power_w) == (True, 0.0)
    assert bench.shown("701.Alrm")[0] == 1 << 11


def test_phases_mean_nothing_to_an_inverter_of_one() -> None:
    bench = Bench(SINGLE)
    bench.inverter.set_phases((1.0, 0.45, 1.55))
    bench.pass_time(5)
    assert bench.inverter.ac.power_w == pytest.approx(5_000)


@pytest.mark.parametrize("settings", [THREE, OLDER], ids=["700", "100"])
def test_an_island_is_left_within_two_seconds_and_service_is_entered_anew(settings: InverterSettings) -> None:
    bench = Bench(settings)
    bench.inverter.set_island(is_island=True)
    bench.pass_time(2 - SHORT)
    before = bench.inverter.ac.power_w
    bench.pass_time(2 * SHORT)
    assert (before, bench.inverter.ac.power_w) == (9_000.0, 0.0)
    names = ("701.VL1", "701.Hz", "701.Alrm") if settings is THREE else ("103.PhVphA", "103.Hz", "103.Evt1")
    assert bench.shown(*names) == [0, 0, 1 << 4]
    bench.pass_time(1_000)
    assert bench.inverter.ac.power_w == 0.0
    bench.inverter.set_island(is_island=False)
    bench.pass_time(299)
    waiting = bench.inverter.ac.power_w
    bench.pass_time(302)
    assert waiting == 0.0
    assert bench.inverter.ac.power_w == pytest.approx(9_000.0)


def test_an_island_of_less_than_its_time_is_ridden_through() -> None:
    bench = Bench(SINGLE)
    for _ in range(3):
        bench.inverter.set_island(is_island=True)
        bench.pass_time(1.5)
        bench.inverter.set_island(is_island=False)
        bench.pass_time(1.0)
    assert bench.inverter.ac.power_w == pytest.approx(5_000)


def test_without_detection_an_inverter_stays_in_an_island() -> None:
    bench = Bench(SINGLE)
    put(bench.inverter.bank.models[704], "AntiIslEna", 0)
    bench.inverter.set_island(is_island=True)
    bench.pass_time(60)
    assert bench.inverter.ac.power_w == pytest.approx(5_000)


def rig() -> Rig:
    return Rig(devices={"pv": Device(name="pv", unit=1, inverter=Inverter(THREE, 0.0))}, start=0.0)


def test_commands_set_phases_and_island() -> None:
    it = rig()
    inverter = it.devices["pv"].inverter
    assert inverter is not None
    assert answer_line(it, '{"grid": {"phases": [1.0, 0.91, 1.0]}}') == '{"ok": true}'
    assert inverter.ac.shares == pytest.approx((1 / 0.97, 0.91 / 0.97, 1 / 0.97))
    assert answer_line(it, '{"island": true}') == '{"ok": true}'
    it.step(3.0)
    assert inverter.ac.power_w == 0.0
    assert answer_line(it, '{"grid": {"per_unit": 1.0}}') == '{"ok": true}'
    assert inverter.ac.shares == ()


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ('{"grid": {"phases": [1.0]}}', "two or three voltages"),
        ('{"grid": {"phases": [1.0, 1.0], "hertz": 50}}', "phases stand alone"),
        ('{"island": 1}', "true or false"),
    ],
)
def test_commands_that_mean_nothing_are_refused(line: str, flaw: str) -> None:
    assert flaw in answer_line(rig(), line)
