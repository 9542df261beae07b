"""What the operator API tells becomes values."""

from decimal import Decimal
from typing import Any

import pytest

from openadr_ven.back import Der, Grade, Sample
from openadr_ven.back.parsing import amount, der_of, ders_of, grade_of, merged, samples_of, series_of
from tests.unit.openadr_ven.known_builder import samples


def test_a_der_is_read_with_its_settings_over_its_nameplate() -> None:
    found = der_of(
        {
            "DERStatus": {
                "readingTime": 9,
                "operationalModeStatus": {"dateTime": 9, "value": 2},
                "localControlModeStatus": {"dateTime": 9, "value": 0},
                "inverterStatus": {"dateTime": 9, "value": 4},
                "storageModeStatus": {"dateTime": 9, "value": 1},
                "genConnectStatus": {"dateTime": 9, "value": "07"},
                "storConnectStatus": {"dateTime": 9, "value": "10"},
                "alarmStatus": "00000002",
                "stateOfChargeStatus": {"dateTime": 9, "value": "55.5 %"},
            },
            "DERCapability": {"rtgMaxW": "5000 W", "rtgMaxChargeRateW": "4000 W", "rtgMaxWh": "9000 Wh"},
            "DERSettings": {"setMaxW": "4500 W", "setMaxChargeRateW": "3000 W"},
        }
    )
    assert found == Der(
        readingTime=9,
        operationalModeStatus=2,
        localControlModeStatus=0,
        inverterStatus=4,
        storageModeStatus=1,
        genConnectStatus=7,
        storConnectStatus=16,
        alarmStatus=2,
        soc=Decimal("0.555"),
        setMaxW=Decimal(4500),
        setMaxChargeRateW=Decimal(3000),
        rtgMaxChargeRateW=Decimal(4000),
        setMaxWh=Decimal(9000),
    )


def test_a_der_that_told_nothing_is_none() -> None:
    assert ders_of({"DER": [{"href": "/x", "DERStatus": None, "DERCapability": None}]}) == ()


@pytest.mark.parametrize(
    ("flags", "grade"),
    [
        (None, Grade.GOOD),
        ("", Grade.GOOD),
        ("0000", Grade.GOOD),
        ("0001", Grade.GOOD),
        ("0003", Grade.GOOD),
        ("0002", Grade.GOOD),
        ("0005", Grade.UNCERTAIN),
        ("0010", Grade.BAD),
        ("0011", Grade.UNCERTAIN),
        ("0040", Grade.UNCERTAIN),
    ],
)
def test_flags_of_a_value_say_how_good_it_is(flags: str | None, grade: Grade) -> None:
    assert grade_of(flags) is grade


@pytest.mark.parametrize(
    ("text", "told"),
    [("-5.5 W", Decimal("-5.5")), ("x W", None), (5, None), ("NaN W", None), (f"{10**40} W", None)],
)
def test_amounts_are_numbers_with_a_unit(text: object, told: Decimal | None) -> None:
    assert amount(text) == told


def test_values_without_a_time_are_of_the_update_or_left_out() -> None:
    told: list[dict[str, Any]] = [
        {"time": None, "value": 2.5},
        {"time": 5, "duration": None, "value": 7},
        {"time": 6, "value": None},
    ]
    expected = [Sample(start=5, duration_s=0, value=Decimal(7))]
    assert list(samples_of(told)) == expected
    first = Sample(start=3, duration_s=0, value=Decimal("2.5"))
    assert list(samples_of(told, without_time_at=3)) == [first, *expected]


def test_what_no_device_can_have_is_left_out() -> None:
    told = [{"time": 5, "value": value} for value in (10**40, -1e300, float("nan"), 10**15, 10**14)]
    assert list(samples_of(told)) == [Sample(start=5, duration_s=0, value=Decimal(10**14))]


def test_a_series_has_the_flags_of_its_usage_point() -> None:
    assert series_of({"mRID": "AB", "roleFlags": "0049", "uom": 38}).roleFlags == 0x49
    assert series_of({"mRID": "AB", "roleFlags": None}).roleFlags == 0


def test_a_corrected_value_takes_the_place_of_the_old_one() -> None:
    old, new = samples(1, 2, 3), samples(None, 9)
    assert [one.value for one in merged(old, new, since=0)] == [1, 9, 3]


def test_what_is_old_is_forgotten_but_for_the_last() -> None:
    held = samples(1, 2, 3)
    assert [one.value for one in merged(held, (), since=held[1].end)] == [2, 3]
    assert [one.value for one in merged(held, (), since=held[2].end + 1)] == [3]
