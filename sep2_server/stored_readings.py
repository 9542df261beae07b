"""Readings as the table of readings holds them, whoever gave them. IEEE 2030.5-2018, 10.4 (Metering)."""

from typing import Final

from function_sets import sort_key
from schemas import Reading
from sep2_server.environment import Environment
from sep2_server.rows import StoredReading
from sep2_server.uris import route_named

SECONDS_OF_DAY: Final = 86_400
_DAYS: Final = 2**31
"""What the column of days holds either side of 1970."""


def near_day(day: int) -> int:
    """The day that is stored for a day since 1970 UTC: a device whose time is in us is beyond the column."""
    return max(-_DAYS, min(day, _DAYS - 1))


def stored(
    environment: Environment, above_id: int, position: int, reading: Reading, now: int
) -> StoredReading:
    """A Reading below a ReadingSet or MeterReading; one without a time belongs to the day of `now`."""
    period = reading.timePeriod
    return StoredReading(
        above_id,
        sort_key(route_named("ReadingList"), reading),
        position,
        period.start if period else None,
        period.duration if period else None,
        reading.value,
        reading.qualityFlags,
        environment.codec.fragment(reading),
        near_day((period.start if period else now) // SECONDS_OF_DAY),
    )
