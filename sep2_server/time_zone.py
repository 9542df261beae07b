"""Time zones as the Time resource tells them: offset, daylight saving and its next change."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

DAY_S: Final = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Offsets in s; start and end of daylight saving in the year, s since 1970 UTC (0: it has none)."""

    offset_s: int
    dst_offset_s: int = 0
    dst_start: int = 0
    dst_end: int = 0

    def local(self, now: int) -> int:
        """Local time at `now`. IEEE 2030.5-2018, 9 (Time)."""
        if self.dst_start < self.dst_end:
            is_summer = self.dst_start <= now < self.dst_end
        else:
            is_summer = bool(self.dst_offset_s) and not self.dst_end <= now < self.dst_start
        return now + self.offset_s + (self.dst_offset_s if is_summer else 0)


@lru_cache(maxsize=64)
def zone_in(zone: tzinfo, year: int) -> Zone:
    """The rules of a time zone in a year: what its offset is, not what it says of daylight saving, counts.

    An offset that is given up for good stands as daylight saving until then.
    """
    first = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    last = int(datetime(year + 1, 1, 1, tzinfo=UTC).timestamp())
    days = range(first, last, DAY_S)
    changes = [_change(zone, day) for day in days if _offset(zone, day) != _offset(zone, day + DAY_S)]
    before = _offset(zone, first)
    if not changes:
        return Zone(offset_s=before)
    starts, ends = (first, changes[0]) if len(changes) == 1 else (changes[1], changes[0])
    if len(changes) > 1 and (not _dst(zone, first) or _dst(zone, changes[0])):
        starts, ends = ends, starts
    standard, saving = _offset(zone, ends), _offset(zone, starts)
    return Zone(offset_s=standard, dst_offset_s=saving - standard, dst_start=starts, dst_end=ends)


def year_of(now: int) -> int:
    """Year of a time, UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now)).year


def _change(zone: tzinfo, day: int) -> int:
    """The second in which the offset changes, on a day of which that is known."""
    low, high = day, day + DAY_S
    before = _offset(zone, day)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _at(zone: tzinfo, now: int) -> datetime:
    return datetime.fromtimestamp(now, zone)


def _dst(zone: tzinfo, now: int) -> int:
    return int((_at(zone, now).dst() or timedelta()).total_seconds())


def _offset(zone: tzinfo, now: int) -> int:
    return int((_at(zone, now).utcoffset() or timedelta()).total_seconds())
