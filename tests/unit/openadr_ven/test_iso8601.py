"""Times and durations of both standards, in whole seconds."""

import pytest

from openadr_ven.iso8601 import duration_s, duration_text, instant, instant_text, instant_us


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT30S", 30),
        ("PT1M", 60),
        ("PT1H30M", 5400),
        ("P1D", 86400),
        ("P1DT1H", 90000),
        ("P2W", 14 * 86400),
        ("P1Y", 365 * 86400),
        ("P1M", 30 * 86400),
        ("-PT5M", -300),
        ("+PT5M", 300),
        ("PT0S", 0),
        ("PT0M", 0),
        ("PT1.9S", 1),
        (" PT1S ", 1),
    ],
)
def test_duration_is_read_in_seconds(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["P9999Y", "P9999Y0M0DT0H0M0S", "P10000Y"])
def test_endless_duration_is_known_by_its_value(text: str) -> None:
    assert duration_s(text) is None


@pytest.mark.parametrize("text", ["", "P", "PT", "1H", "PT-1S", "P1S", "PT1H1", "forever", "PT1.5H"])
def test_what_is_no_duration_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="no ISO 8601 duration"):
        duration_s(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01T00:00:10.999Z", 10),
        ("1970-01-01T00:00:10", 10),
        ("1970-01-01 00:00:10Z", 10),
        ("1970-01-01T01:00:10+01:00", 10),
        ("1970-01-01T01:00:10+0100", 10),
        ("1970-01-02", 86400),
        ("0001-01-01", None),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00.000Z", None),
        ("0000-00-00", None),
    ],
)
def test_r1_time_is_read_in_whole_seconds(text: str, at: int | None) -> None:
    assert instant(text) == at


def test_fraction_of_a_time_orders_versions_within_a_second() -> None:
    assert instant_us("1970-01-01T00:00:01.000002Z") == 1_000_002


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "10", "2026-01-01T"]
)
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"ISO 8601|month|hour|isoformat"):
        instant(text)


def test_times_and_durations_are_written_without_fractions() -> None:
    assert instant_text(10) == "1970-01-01T00:00:10Z"
    assert duration_text(5400) == "PT5400S"
    assert duration_text(-300) == "-PT300S"
