"""Fragments that are filled in are those that the codec would write."""

import pytest

from schemas import Codec, DateTimeInterval, MirrorMeterReading, MirrorReadingSet, ReadingListLink, ReadingSet
from sep2_server.fragments import Fragments

CODEC = Codec()
MRID = "0A" * 16


@pytest.fixture
def fragments() -> Fragments:
    return Fragments(CODEC)


@pytest.mark.parametrize(
    ("description", "version"),
    [
        pytest.param(None, None, id="as-most"),
        pytest.param("50 % <&> %(href)s", None, id="description"),
        pytest.param(None, 0, id="version"),
    ],
)
def test_a_reading_set_is_what_the_codec_writes(
    fragments: Fragments, description: str | None, version: int | None
) -> None:
    period = DateTimeInterval(duration=300, start=1_700_000_000)
    posted = MirrorReadingSet(mRID=MRID, description=description, version=version, timePeriod=period)
    wanted = ReadingSet(
        href="/upt/1/mr/2/rs/3",
        mRID=MRID,
        description=description,
        version=version,
        timePeriod=period,
        ReadingListLink_=ReadingListLink(href="/upt/1/mr/2/rs/3/r"),
    )
    made = [fragments.reading_set(posted, "/upt/1/mr/2/rs/3", "/upt/1/mr/2/rs/3/r") for _ in range(2)]
    assert made == [CODEC.fragment(wanted)] * 2


@pytest.mark.parametrize(("last", "following"), [(5, None), (0, 9), (None, 9)])
def test_update_times_are_what_the_codec_writes(
    fragments: Fragments, last: int | None, following: int | None
) -> None:
    wanted = MirrorMeterReading(href="/times", mRID=MRID, lastUpdateTime=last, nextUpdateTime=following)
    assert fragments.update_times(MRID, "/times", last, following) == CODEC.fragment(wanted)
