"""Time zones as the Time resource tells them, and the clocks."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sep2_server import Environment, ManualClock, SystemClock, settings_of
from sep2_server.built import time_at
from sep2_server.time_zone import Zone, year_of, zone_in

SUMMER_2026, WINTER_2026 = 1_782_000_000, 1_768_000_000


def test_a_northern_zone_has_its_summer_inside_the_year() -> None:
    zone = zone_in(ZoneInfo("America/Los_Angeles"), 2026)
    assert zone == Zone(offset_s=-28_800, dst_offset_s=3600, dst_start=1_772_964_000, dst_end=1_793_523_600)
    assert zone.local(SUMMER_2026) == SUMMER_2026 - 25_200
    assert zone.local(WINTER_2026) == WINTER_2026 - 28_800
    assert zone.local(zone.dst_start - 1) == zone.dst_start - 1 - 28_800
    assert zone.local(zone.dst_start) == zone.dst_start - 25_200


def test_a_southern_zone_has_its_summer_around_the_turn_of_the_year() -> None:
    zone = zone_in(ZoneInfo("Australia/Adelaide"), 2026)
    assert (zone.offset_s, zone.dst_offset_s) == (34_200, 3600)
    assert zone.dst_end < zone.dst_start
    assert zone.local(WINTER_2026) == WINTER_2026 + 37_800
    assert zone.local(SUMMER_2026) == SUMMER_2026 + 34_200


def test_a_zone_without_summer_time_has_an_offset_alone() -> None:
    assert zone_in(ZoneInfo("Asia/Kolkata"), 2026) == Zone(offset_s=19_800)


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("America/Inuvik", 2026),
        ("America/Scoresbysund", 2024),
        ("America/Asuncion", 2024),
        ("Asia/Almaty", 2024),
        ("Africa/Casablanca", 2026),
        ("Antarctica/Troll", 2026),
        ("Australia/Lord_Howe", 2026),
        ("Europe/Dublin", 2026),
    ],
)
def test_local_time_is_that_of_the_zone_all_the_year(name: str, year: int) -> None:
    """Also where the zone lets its daylight saving be, moves, or has others around it."""
    zone, first = ZoneInfo(name), int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    told = zone_in(zone, year)
    hours = range(first, first + 365 * 86_400, 3600)
    offsets = [datetime.fromtimestamp(now, zone).utcoffset() for now in hours]
    assert [timedelta(seconds=told.local(now) - now) for now in hours] == offsets


def test_daylight_saving_is_as_long_as_the_offset_moves() -> None:
    """The rules of this zone alone would have it two hours."""
    zone = zone_in(ZoneInfo("America/Inuvik"), 2026)
    assert zone == Zone(offset_s=-25_200, dst_offset_s=3600, dst_start=1_772_960_400, dst_end=1_793_520_000)


@pytest.mark.parametrize(
    ("now", "year"), [(0, 1970), (-1, 1969), (1_767_225_599, 2025), (1_767_225_600, 2026)]
)
def test_the_year_is_that_of_utc(now: int, year: int) -> None:
    assert year_of(now) == year


def test_the_time_resource_tells_zone_and_quality() -> None:
    environment = Environment.of(settings_of({"time_zone": "Europe/Berlin", "time_quality": 4}))
    told = time_at(environment, SUMMER_2026)
    assert (told.currentTime, told.localTime, told.quality) == (SUMMER_2026, SUMMER_2026 + 7200, 4)
    assert (told.tzOffset, told.dstOffset, told.href) == (3600, 3600, "/tm")


def test_the_clock_of_the_system_may_be_shifted() -> None:
    before = int(time.time())
    assert before + 100 <= SystemClock(100).now() <= int(time.time()) + 100


def test_a_manual_clock_stands_still() -> None:
    clock = ManualClock(5)
    clock.advance(2)
    assert (clock.now(), clock.now()) == (7, 7)
    clock.set(1)
    assert clock.now() == 1
