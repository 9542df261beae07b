"""Weather, households, cars and cells: functions of seed and time, energies that add up."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from der_client.can import Pack, PackSettings
from der_client.physics.chance import normal_of, share_of, wave_of
from der_client.physics.ev import ElectricVehicle, EvSettings
from der_client.physics.household import Household
from der_client.physics.registry import MODELS
from der_client.physics.weather import DAY_S, Weather, WeatherPv

JUNE, DECEMBER = 1_782_000_000.0 // DAY_S * DAY_S, 1_797_800_000.0 // DAY_S * DAY_S
"""Midnights near the solstices of 2026."""
CLEAR = Weather(cloudiness=0.0)
HOUR = 3600.0


def test_chance_is_the_same_for_the_same_place_and_spread_over_all() -> None:
    drawn = [share_of(7, number) for number in range(2_000)]
    assert drawn == [share_of(7, number) for number in range(2_000)]
    assert drawn != [share_of(8, number) for number in range(2_000)]
    assert (min(drawn) >= 0.0, max(drawn) < 1.0) == (True, True)
    assert sum(drawn) / 2_000 == pytest.approx(0.5, abs=0.02)


def test_normal_numbers_have_mean_0_and_deviation_1() -> None:
    drawn = [normal_of(3, number) for number in range(4_000)]
    assert sum(drawn) / 4_000 == pytest.approx(0.0, abs=0.05)
    assert sum(value * value for value in drawn) / 4_000 == pytest.approx(1.0, abs=0.06)


def test_waves_pass_through_their_values_without_steps() -> None:
    assert wave_of(1, 5.0) == share_of(1, 5)
    assert wave_of(1, 5.999999) == pytest.approx(share_of(1, 6), abs=1e-6)


@pytest.mark.parametrize(
    ("latitude_deg", "day", "height"),
    [(45.0, JUNE, 68.4), (45.0, DECEMBER, 21.6), (-45.0, DECEMBER, 68.4), (0.0, JUNE, 66.6)],
)
def test_the_sun_at_noon_is_as_high_as_the_season_has_it(
    latitude_deg: float, day: float, height: float
) -> None:
    weather = Weather(latitude_deg=latitude_deg)
    assert math.degrees(math.asin(weather.sun_height(day + 12 * HOUR))) == pytest.approx(height, abs=0.5)


def test_noon_moves_with_the_zone() -> None:
    india = Weather(latitude_deg=20.0, utc_offset_h=5.5)
    assert india.hour(JUNE + 6.5 * HOUR) == 12.0
    assert india.sun_height(JUNE + 6.5 * HOUR) > india.sun_height(JUNE + 12 * HOUR)


def test_a_clear_noon_has_full_sun_and_a_night_has_none() -> None:
    assert CLEAR.irradiance_w_m2(JUNE + 12 * HOUR) == pytest.approx(960, abs=20)
    assert CLEAR.irradiance_w_m2(JUNE) == 0.0


def test_clouds_take_some_of_it_and_never_give() -> None:
    cloudy = replace(CLEAR, cloudiness=0.6)
    hours = [JUNE + number * HOUR for number in range(24 * 30)]
    seen = sum(cloudy.irradiance_w_m2(at) for at in hours)
    most = sum(CLEAR.irradiance_w_m2(at) for at in hours)
    assert 0.5 < seen / most < 0.85
    assert all(cloudy.irradiance_w_m2(at) <= CLEAR.irradiance_w_m2(at) for at in hours)


def test_a_year_of_a_field_in_the_middle_latitudes_yields_what_such_fields_do() -> None:
    field = WeatherPv(rating_w=1_000.0, weather=Weather(latitude_deg=48.0), start=JUNE)
    yield_kwh = sum(field.available_w(number * HOUR) for number in range(24 * 365)) / 1_000
    assert 1_000 < yield_kwh < 1_400


def test_summer_is_warmer_than_winter_on_either_half_of_the_earth() -> None:
    north = [Weather(latitude_deg=45).temperature_c(at + 15 * HOUR) for at in (JUNE, DECEMBER)]
    south = [Weather(latitude_deg=-45).temperature_c(at + 15 * HOUR) for at in (JUNE, DECEMBER)]
    assert north[0] > north[1] + 8
    assert south[1] > south[0] + 8


def test_a_household_takes_what_it_is_said_to_take_in_a_day() -> None:
    home = Household(daily_wh=9_000.0, flexible_w=0.0)
    days = 60
    assert home.energy_wh(JUNE, JUNE + days * DAY_S) / days == pytest.approx(9_000, rel=0.1)


def test_an_evening_takes_more_than_a_night() -> None:
    home = Household(flexible_w=0.0)
    evenings = sum(
        home.energy_wh(JUNE + d * DAY_S + 19 * HOUR, JUNE + d * DAY_S + 21 * HOUR) for d in range(20)
    )
    nights = sum(home.energy_wh(JUNE + d * DAY_S + 2 * HOUR, JUNE + d * DAY_S + 4 * HOUR) for d in range(20))
    assert evenings > 3 * nights


def test_heating_comes_with_the_cold_and_can_be_cut() -> None:
    home = Household(flexible_w=2_000.0)
    assert home.flexible_demand_w(DECEMBER + 5 * HOUR) > home.flexible_demand_w(JUNE + 12 * HOUR)
    whole, half, none = (home.power_w(DECEMBER, share) for share in (1.0, 0.5, 0.0))
    assert whole - half == pytest.approx(half - none)


def test_energy_of_a_household_is_the_same_however_time_is_cut() -> None:
    home = Household()
    cuts = [JUNE + 7.3 * number for number in range(500)]
    parts = sum(home.energy_wh(a, b) for a, b in pairwise(cuts))
    assert parts == pytest.approx(home.energy_wh(cuts[0], cuts[-1]))


def test_a_car_is_away_by_day_and_comes_back_with_less() -> None:
    car = ElectricVehicle(EvSettings(soc_pct=90.0), JUNE)
    seen = []
    for hour in (2, 12, 23):
        car.step(JUNE + hour * HOUR)
        seen.append((car.is_plugged, round(car.soc_pct)))
    assert [plugged for plugged, _ in seen] == [True, False, True]
    assert seen[2][1] < 90


def test_a_car_that_is_away_offers_nothing_and_its_charge_is_unknown() -> None:
    car = ElectricVehicle(EvSettings(), JUNE)
    charge_w, discharge_w, soc_pct, _ = car.limits(JUNE + 12 * HOUR)
    assert (charge_w, discharge_w, math.isnan(soc_pct)) == (0.0, 0.0, True)


def test_a_car_knows_what_its_driver_needs_and_when() -> None:
    car = ElectricVehicle(EvSettings(soc_pct=50.0, needed_pct=80.0), JUNE + 22 * HOUR)
    assert car.needed_wh == pytest.approx(18_000)
    assert 5 < (car.departure_s() - JUNE - 24 * HOUR) / HOUR < 10


def test_a_car_without_habits_comes_and_goes_as_it_is_told() -> None:
    car = ElectricVehicle(EvSettings(habits=False), JUNE)
    car.unplug()
    car.step(JUNE + 3 * DAY_S)
    away = car.is_plugged
    car.plug(33.0)
    assert (away, car.is_plugged, car.soc_pct, car.departure_s()) == (False, True, 33.0, math.inf)


def test_a_car_charges_slower_when_nearly_full_and_gives_only_above_its_floor() -> None:
    settings = EvSettings(habits=False, discharge_w=5_000.0, charge_w=7_400.0)
    full = ElectricVehicle(replace(settings, soc_pct=98.0), JUNE).limits(JUNE)
    low = ElectricVehicle(replace(settings, soc_pct=20.0), JUNE).limits(JUNE)
    assert (full[0], full[1], low[0], low[1]) == pytest.approx((1_110.0, 5_000.0, 7_400.0, 0.0))


def test_cells_of_a_new_pack_stand_between_lowest_and_highest() -> None:
    pack = Pack(PackSettings(cells=16, seed=4))
    assert len(pack.voltages_v) == 16
    assert pack.cell_voltages_v == pytest.approx((3.3 - 0.00475, 3.3 + 0.00475), abs=1e-3)


def test_a_drifting_cell_leaves_the_others_and_balancing_brings_a_high_one_back() -> None:
    pack = Pack(PackSettings(soc_pct=50.0, balance_pct_per_h=3.0))
    pack.cells.drift_pct_per_s[5] = 2.0 / 3600.0
    pack.transfer(0.0, 3600.0)
    drifted = pack.cells.drift_pct[5]
    pack.cells.drift_pct_per_s.clear()
    pack.soc_pct = 99.0
    balancing = pack.is_balancing
    pack.transfer(0.0, 3600.0)
    assert drifted == pytest.approx(2.0)
    assert (balancing, pack.cells.drift_pct[5], pack.is_balancing) == (True, 0.0, False)


def test_a_cell_that_runs_away_gets_hotter_ever_faster_until_it_is_cooled() -> None:
    pack = Pack()
    pack.cells.runaway = 3
    seen = []
    for _ in range(6):
        pack.transfer(0.0, 60.0)
        seen.append(pack.temperatures_c[3])
    pack.cells.cool()
    assert seen[0] == pytest.approx(29.3, abs=0.2)
    assert seen[5] > 250
    assert pack.temperatures_c[3] == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("wanted", "welded", "broken", "closed"),
    [
        (True, False, False, True),
        (False, False, False, False),
        (False, True, False, True),
        (True, False, True, False),
    ],
)
def test_the_contactor_does_what_the_bms_wants_unless_it_is_welded_or_broken(
    wanted: bool, welded: bool, broken: bool, closed: bool
) -> None:
    pack = Pack()
    pack.wants_contactor, pack.is_welded, pack.is_forced_open = wanted, welded, broken
    pack.transfer(1_000.0, 10.0)
    assert (pack.contactor_closed, pack.current_a != 0.0, pack.limits(0.0)[1] > 0) == (closed, closed, closed)


def test_every_model_of_the_registry_has_settings_and_a_line() -> None:
    assert set(MODELS) == {"power-stage", "weather", "pv", "pack", "ev", "household"}
    assert all(model.what and model.settings for model in MODELS.values())
