"""The pack as physics: charge, voltage, heat, limits."""

import pytest

from der_client.can import Pack, PackSettings
from der_client.physics.curve import interpolate


def pack(**changes: float) -> Pack:
    return Pack(PackSettings(soc_pct=changes.get("soc_pct", 50.0), ambient_c=changes.get("ambient_c", 25.0)))


def test_nominal_pack_has_the_stated_charge_and_voltage() -> None:
    battery = pack()
    assert battery.settings.capacity_ah == pytest.approx(195.3125)
    assert (battery.voltage_v, battery.cvl_v, battery.dvl_v) == pytest.approx((52.8, 56.8, 44.8))


def test_discharge_lowers_soc_and_voltage_and_gives_the_power() -> None:
    battery = pack()
    battery.transfer(5000.0, 60.0)
    assert battery.current_a == pytest.approx(97.5825, abs=1e-3)
    assert battery.soc_pct == pytest.approx(50.0 - 100.0 * battery.current_a / 60.0 / 195.3125)
    assert battery.voltage_v < 52.8 - 1.5


def test_power_at_the_terminals_is_what_was_asked() -> None:
    battery = pack()
    battery.transfer(-3000.0, 0.0)
    assert battery.voltage_v * battery.current_a == pytest.approx(-3000.0)


def test_a_full_cycle_loses_energy() -> None:
    battery = pack()
    for _ in range(60):
        battery.transfer(-3000.0, 60.0)
    charged_pct = battery.soc_pct - 50.0
    seconds = 0
    while battery.soc_pct > 50.0:
        battery.transfer(3000.0, 10.0)
        seconds += 10
    assert charged_pct == pytest.approx(28.3, abs=0.3)
    assert 0.94 < seconds / 3600 < 0.97


def test_worn_pack_moves_faster() -> None:
    healthy, worn = Pack(), Pack(PackSettings(soh_pct=50.0))
    healthy.transfer(1000.0, 60.0)
    worn.transfer(1000.0, 60.0)
    assert 50.0 - worn.soc_pct == pytest.approx(2 * (50.0 - healthy.soc_pct))


@pytest.mark.parametrize(("soc_pct", "power_w"), [(0.0, 1000.0), (100.0, -1000.0)])
def test_empty_gives_nothing_and_full_takes_nothing(soc_pct: float, power_w: float) -> None:
    battery = pack(soc_pct=soc_pct)
    battery.transfer(power_w, 60.0)
    assert (battery.soc_pct, battery.current_a) == (soc_pct, 0.0)
    battery.transfer(-power_w, 0.0)
    assert battery.current_a == pytest.approx(-power_w / battery.voltage_v)


@pytest.mark.parametrize(("soc_pct", "power_w", "end_pct"), [(0.1, 5000.0, 0.0), (99.9, -5000.0, 100.0)])
def test_soc_stays_within_0_and_100(soc_pct: float, power_w: float, end_pct: float) -> None:
    battery = pack(soc_pct=soc_pct)
    battery.transfer(power_w, 3600.0)
    assert battery.soc_pct == end_pct


def test_impossible_power_gives_the_peak_of_the_pack() -> None:
    battery = pack()
    battery.transfer(1e6, 0.0)
    assert battery.current_a == pytest.approx(52.8 / 0.032)


def test_current_warms_the_pack_and_rest_cools_it() -> None:
    battery = pack()
    battery.transfer(5000.0, 600.0)
    warm_c = battery.temperature_c
    assert warm_c == pytest.approx(26.10, abs=0.01)
    battery.transfer(0.0, 1e6)
    assert battery.temperature_c == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("soc_pct", "ambient_c", "ccl_a", "dcl_a"),
    [
        (50.0, 25.0, 100.0, 100.0),
        (94.0, 25.0, 55.0, 100.0),
        (100.0, 25.0, 0.0, 100.0),
        (3.0, 25.0, 100.0, 10.0),
        (0.0, 25.0, 100.0, 0.0),
        (50.0, 0.0, 0.0, 100.0),
        (50.0, 5.0, 25.0, 100.0),
        (50.0, -10.0, 0.0, 50.0),
        (50.0, 50.0, 50.0, 50.0),
        (50.0, 60.0, 0.0, 0.0),
    ],
)
def test_limits_shrink_near_full_empty_cold_and_hot(
    soc_pct: float, ambient_c: float, ccl_a: float, dcl_a: float
) -> None:
    battery = pack(soc_pct=soc_pct, ambient_c=ambient_c)
    assert (battery.ccl_a, battery.dcl_a) == pytest.approx((ccl_a, dcl_a))


def test_limits_for_the_inverter_are_in_w_with_soc_and_soh() -> None:
    assert pack().limits(123.0) == pytest.approx((5280.0, 5280.0, 50.0, 100.0))


def test_cells_spread_towards_empty_and_the_warmest_is_hotter() -> None:
    battery = pack(soc_pct=0.0)
    battery.temperature_c = 35.0
    assert battery.cell_voltages_v == pytest.approx((2.77, 2.83))
    assert battery.cell_temperatures_c == pytest.approx((34.0, 36.0))


def test_curve_is_straight_between_points_and_flat_beyond() -> None:
    curve = ((0.0, 1.0), (10.0, 3.0))
    assert [interpolate(curve, x) for x in (-1.0, 0.0, 5.0, 10.0, 11.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]
