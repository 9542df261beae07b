"""Points of reports: intervals, signs, sums and quality."""

import subprocess
import sys
import time
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from openadr_ven.back import (
    QUALITY_3,
    QUALITY_20B,
    Description,
    DeviceKnown,
    Grade,
    Known,
    Meter,
    Quality,
    Quantity,
    Sample,
    changed,
    load_positive,
    periods_of,
    points,
)
from tests.measured import plain_environment
from tests.unit.openadr_ven.known_builder import (
    DELTA,
    FORWARD,
    INSTANTANEOUS,
    MINUTE,
    REVERSE,
    SITE_ROLE,
    T0,
    counter,
    graded,
    house,
    known,
    power,
    samples,
)

ROOT = Path(__file__).resolve().parents[3]
POWER = Description(rID="p", quantity=Quantity.POWER)


def one(of: Known, description: Description = POWER, start: int = 0, length_s: int = MINUTE) -> Any:  # noqa: ANN401
    (found,) = points(of, [description], [(T0 + start, T0 + start + length_s)])
    return found


def energy(of: Known, quantity: Quantity, start: int = 0, length_s: int = MINUTE) -> tuple[Any, Quality]:
    found = one(of, Description(rID="e", quantity=quantity), start, length_s)
    return found.value, found.quality


def test_r315_a_point_begins_with_its_data_period() -> None:
    found = points(known(power(100, 200)), [POWER], periods_of(T0, T0 + 2 * MINUTE, MINUTE))
    told: list[Any] = [(point.start, point.duration_s, point.value) for point in found]
    assert told == [
        (T0, MINUTE, 100),
        (T0 + MINUTE, MINUTE, 200),
    ]


def test_r315_a_point_of_a_moment_has_no_duration() -> None:
    found = one(known(power(100, 200)), start=90, length_s=0)
    assert (found.start, found.duration_s, found.value) == (T0 + 90, None, 200)


def test_r315_a_status_is_of_the_end_of_its_period() -> None:
    found = one(known(power(100)), Description(rID="s", quantity=Quantity.STATUS))
    assert (found.start, found.duration_s) == (T0 + MINUTE, None)


@pytest.mark.parametrize(("flow", "told"), [(FORWARD, 1500), (REVERSE, -1500), (None, -1500), (0, -1500)])
def test_the_sign_flips_once_for_all_that_is_not_forward(flow: int | None, told: int) -> None:
    assert one(known(power(1500, flow=flow))).value == told
    assert load_positive(Decimal(1500), flow) == told


def test_a_battery_that_charges_draws() -> None:
    assert one(known(power(-2000, flow=REVERSE))).value == 2000


def test_a_series_for_each_way_makes_one_power() -> None:
    of = known(power(0, flow=FORWARD), power(800, flow=REVERSE))
    assert one(of).value == -800


def test_the_same_signed_power_for_each_way_counts_once() -> None:
    of = known(power(-800, flow=FORWARD), power(800, flow=REVERSE))
    assert one(of).value == -800


def test_site_and_der_are_never_added() -> None:
    of = known(power(3000, role=SITE_ROLE), power(1000, flow=REVERSE))
    told = [one(of, replace(POWER, meter=meter)).value for meter in Meter]
    assert told == [3000, 3000, -1000]


def test_phases_are_added_where_there_is_no_total() -> None:
    parts = [power(value, phase=phase, mRID=str(phase)) for value, phase in ((1, 128), (2, 64), (4, 32))]
    assert one(known(*parts)).value == 7
    assert one(known(*parts, power(9, phase=0))).value == 9


def test_largest_values_are_no_power() -> None:
    assert one(known(power(9000, dataQualifier=8), power(100, dataQualifier=2))).value == 100


def test_power_of_a_longer_period_is_the_mean_by_time() -> None:
    uneven = (*samples(100), *samples(400, start=T0 + MINUTE, step_s=2 * MINUTE))
    found = one(known(power(samples=uneven)), length_s=3 * MINUTE)
    assert (found.value, found.quality) == (300, Quality.GOOD)


def test_of_powers_that_overlap_the_later_one_holds_from_its_start() -> None:
    over = (*samples(100, step_s=2 * MINUTE), *samples(400, start=T0 + MINUTE))
    found = one(known(power(samples=over)), length_s=2 * MINUTE)
    assert (found.value, found.quality) == (250, Quality.GOOD)


def test_energy_of_deltas_that_overlap_is_not_counted_twice() -> None:
    over = (*samples(10, step_s=2 * MINUTE), *samples(10, start=T0 + MINUTE))
    of = known(counter(samples=over, accumulationBehaviour=DELTA))
    assert energy(of, Quantity.IMPORTED, 0, 3 * MINUTE) == (10, Quality.UNCERTAIN)


def test_a_moment_of_which_a_device_says_that_it_is_bad_is_not_told() -> None:
    found = one(known(graded(power(100, 200), Grade.BAD, 1)), start=90, length_s=0)
    assert (found.value, found.quality) == (None, Quality.BAD)


def test_momentary_powers_have_a_plain_mean() -> None:
    moments = tuple(Sample(start=T0 + at, duration_s=0, value=Decimal(at)) for at in (0, 10, 20))
    assert one(known(power(samples=moments))).value == 10


def test_energy_is_the_difference_of_a_counter() -> None:
    of = known(counter(1000, 1050, 1080), counter(500, 500, 507, flow=REVERSE))
    whole = (MINUTE, 2 * MINUTE)
    assert energy(of, Quantity.IMPORTED, *whole) == (80, Quality.GOOD)
    assert energy(of, Quantity.EXPORTED, *whole) == (7, Quality.GOOD)
    assert energy(of, Quantity.ENERGY, *whole) == (73, Quality.GOOD)


def test_energy_of_deltas_is_their_sum() -> None:
    of = known(counter(5, 7, accumulationBehaviour=DELTA))
    assert energy(of, Quantity.IMPORTED, 0, 2 * MINUTE) == (12, Quality.GOOD)


def test_a_counter_that_fell_tells_nothing_of_that_time() -> None:
    of = known(counter(1000, 1050, 3, 10))
    told: list[Any] = [energy(of, Quantity.IMPORTED, at, MINUTE) for at in (60, 120, 180)]
    assert told == [(50, Quality.GOOD), (None, Quality.NO_DATA), (7, Quality.GOOD)]


def test_what_a_battery_holds_is_no_energy_that_flowed() -> None:
    of = known(counter(4000, 4100, accumulationBehaviour=INSTANTANEOUS))
    assert energy(of, Quantity.IMPORTED, 0, 2 * MINUTE) == (None, Quality.NO_DATA)


def test_one_direction_alone_makes_no_net_energy() -> None:
    assert energy(known(counter(1, 2)), Quantity.ENERGY, MINUTE) == (None, Quality.NO_DATA)


def test_r318_a_period_without_data_gets_a_point_without_value() -> None:
    found = one(known(power(100)), start=10 * MINUTE)
    assert (found.value, found.quality) == (None, Quality.NO_DATA)
    assert QUALITY_20B[found.quality].startswith("Quality Bad - ")


def test_r318_a_device_that_nobody_knows_gets_a_point_without_value() -> None:
    every = [Description(rID=kind.name, quantity=kind) for kind in Quantity if kind is not Quantity.OPTED_OUT]
    found = points(Known(members={"a": ("a",)}), every, [(T0, T0 + MINUTE)])
    assert [(point.value, point.quality) for point in found] == [(None, Quality.NO_DATA)] * len(every)


def test_r318_no_data_while_the_server_is_away_is_a_failed_communication() -> None:
    of = replace(known(power(100)), is_stale=True)
    assert one(of).quality is Quality.GOOD
    assert one(of, start=10 * MINUTE).quality is Quality.UNREACHABLE


def test_a_period_that_is_known_in_part_is_uncertain() -> None:
    found = one(known(power(100)), length_s=2 * MINUTE)
    assert (found.value, found.quality) == (100, Quality.UNCERTAIN)


@pytest.mark.parametrize(
    ("grade", "value", "quality"),
    [
        (Grade.GOOD, 150, Quality.GOOD),
        (Grade.UNCERTAIN, 150, Quality.UNCERTAIN),
        (Grade.BAD, 100, Quality.UNCERTAIN),
    ],
)
def test_a_value_of_a_device_is_as_good_as_it_says(grade: Grade, value: int, quality: Quality) -> None:
    found = one(known(graded(power(100, 200), grade, 1)), length_s=2 * MINUTE)
    assert (found.value, found.quality) == (value, quality)


def test_what_a_device_calls_bad_is_not_told() -> None:
    found = one(known(graded(power(100), Grade.BAD, 0)))
    assert (found.value, found.quality) == (None, Quality.BAD)


def test_a_momentary_value_gets_old() -> None:
    of = replace(known(power(100)), fresh_s=300)
    told = [one(of, start=at, length_s=0).quality for at in (30, 360, 361)]
    assert told == [Quality.GOOD, Quality.GOOD, Quality.LAST_KNOWN]


def test_resources_are_added_up() -> None:
    of = house({"a": DeviceKnown(series=(power(100),)), "b": DeviceKnown(series=(power(50, flow=REVERSE),))})
    assert one(of).value == 50
    assert one(of, replace(POWER, resources=("b",))).value == -50


def test_a_sum_without_one_of_its_resources_says_so() -> None:
    of = house({"a": DeviceKnown(series=(power(100),)), "b": DeviceKnown(series=(power(None, 50),))})
    found = one(of)
    assert (found.value, found.quality) == (100, Quality.PARTIAL)


def test_a_device_behind_two_resources_counts_once() -> None:
    of = Known(devices={"a": DeviceKnown(series=(power(100),))}, members={"x": ("a",), "y": ("a",)})
    assert one(of).value == 100


def test_r317_what_did_not_change_is_told_once_as_such() -> None:
    found = points(known(power(100, 100, 100)), [POWER], periods_of(T0, T0 + 180, MINUTE))
    news = changed(found, {"p": found[0]})
    told: list[Any] = [(point.start, point.value, point.quality) for point in news]
    assert told == [(T0 + 120, 100, Quality.UNCHANGED)]
    assert QUALITY_20B[Quality.UNCHANGED] == "No New Value - Previous Value Used"


def test_r317_on_change_only_changes_are_told() -> None:
    found = points(known(power(100, 100, 70, 70)), [POWER], periods_of(T0, T0 + 240, MINUTE))
    told: list[Any] = [(point.start, point.value) for point in changed(found, {})]
    assert told == [(T0, 100), (T0 + 120, 70)]


def test_r317_a_placeholder_stays_bad_however_often_it_is_told() -> None:
    (found,) = points(known(), [POWER], [(T0, T0 + 60)])
    assert [point.quality for point in changed([found], {"p": found})] == [Quality.NO_DATA]


def test_r312_history_is_read_from_what_is_kept() -> None:
    of = known(power(*range(200)))
    found = points(of, [POWER], periods_of(T0, T0 + 200 * MINUTE, MINUTE))
    assert [point.value for point in found] == list(range(200))


def test_periods_cover_all_of_a_time_once() -> None:
    assert periods_of(0, 150, 60) == ((0, 60), (60, 120), (120, 150))
    assert periods_of(0, 150, 0) == ((0, 150),)
    assert all(one[1] == two[0] for one, two in pairwise(periods_of(7, 1000, 13)))


def test_every_quality_has_words_in_both_profiles() -> None:
    assert set(QUALITY_20B) == set(QUALITY_3) == set(Quality)


def cpu_of_ten_thousand_points() -> float:
    """CPU that they take, s."""
    values = [float(number % 97) for number in range(100)]
    device = DeviceKnown(
        series=(power(*values, flow=REVERSE), counter(*range(100)), counter(*range(100), flow=19))
    )
    of = house({f"d{number}": device for number in range(50)})
    every = [
        Description(rID=f"{kind.name} {name}", quantity=kind, resources=(name,))
        for name in of.members
        for kind in (Quantity.POWER, Quantity.ENERGY)
    ]
    began = time.process_time()
    found = points(of, every, periods_of(T0, T0 + 100 * MINUTE, MINUTE))
    assert len(found) == 10_000
    return time.process_time() - began


def test_ten_thousand_points_take_less_than_a_second_of_cpu() -> None:
    ask = f"from {__name__} import cpu_of_ten_thousand_points as cpu; print(cpu())"
    told = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=ROOT,
        env=plain_environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert float(told.stdout) < 1
