"""When intervals of readings begin and end, and what is in them. CSIP-AUS monitoring data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from der_client.recorder import ReadingRecorder
from der_client.report_readings import Point
from der_client.spool import Lane, Spool
from der_client.watched import Watched
from schemas import Codec, MirrorMeterReadingList

CODEC = Codec()
POINT = Point(lfdi="AB" * 20, name="pv", pen=32473)
Found = tuple[int, int, int]
"""Start, duration and real power of an interval, s, s, W."""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.sqlite")
    yield made
    made.close()


def recorded(spool: Spool) -> list[Found]:
    found: list[Found] = []
    while (owed := spool.next(Lane.READING)) is not None:
        spool.done(owed)
        listed = CODEC.decode(owed.body, MirrorMeterReadingList)
        reading = listed.MirrorMeterReading_[0].MirrorReadingSet_[0].Reading_[0]
        period, value = reading.timePeriod, reading.value
        assert period is not None
        assert value is not None
        found.append((period.start, period.duration, value))
    return found


async def taken(spool: Spool, rate_s: int, *readings: tuple[int, float | None]) -> list[Found]:
    recorder = ReadingRecorder(POINT, spool, Watched(0), lambda _: rate_s)
    for now, power_w in readings:
        await recorder.take(None if power_w is None else {"Real power": power_w}, now)
    return recorded(spool)


async def test_intervals_of_whole_minutes_begin_on_a_minute_and_hold_what_was_measured_in_them(
    spool: Spool,
) -> None:
    readings = [(now, float(now)) for now in range(1_003, 1_300, 10)]

    assert await taken(spool, 60, *readings) == [
        (1_020, 60, 1_048),
        (1_080, 60, 1_108),
        (1_140, 60, 1_168),
        (1_200, 60, 1_228),
    ]


async def test_five_minutes_begin_on_a_minute_too(spool: Spool) -> None:
    readings = [(now, 5.0) for now in range(1_003, 1_700, 10)]

    assert await taken(spool, 300, *readings) == [(1_020, 300, 5), (1_320, 300, 5)]


async def test_an_interval_in_which_nothing_was_measured_is_not_there(spool: Spool) -> None:
    found = await taken(spool, 60, (1_020, 5.0), (1_199, 6.0), (1_200, 7.0), (1_261, None))

    assert found == [(1_020, 60, 5), (1_140, 60, 6), (1_200, 60, 7)]


async def test_a_clock_that_is_set_back_begins_anew(spool: Spool) -> None:
    assert await taken(spool, 60, (1_020, 5.0), (600, 7.0), (659, 9.0), (660, 1.0)) == [(600, 60, 8)]


async def test_a_rate_that_changes_to_whole_minutes_waits_for_a_minute(spool: Spool) -> None:
    rates = [30, 30, 60, 60, 60, 60]
    recorder = ReadingRecorder(POINT, spool, Watched(0), lambda _: rates.pop(0))
    for now in (1_003, 1_033, 1_050, 1_080, 1_100, 1_140):
        await recorder.take({"Real power": 5.0}, now)

    assert recorded(spool) == [(1_003, 30, 5), (1_080, 60, 5)]


async def test_other_intervals_begin_when_they_may(spool: Spool) -> None:
    assert await taken(spool, 30, (1_003, 4.0), (1_013, 5.0), (1_033, 6.0)) == [(1_003, 30, 5)]
