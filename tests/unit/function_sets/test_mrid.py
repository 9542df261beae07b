"""mRIDs that win over another, or do not exist. IEEE 2030.5-2018, 10.2.2 and 10.2.3."""

import pytest

from function_sets import mrid_beyond

PEN = 40732
LOWEST, HIGHEST = f"{1:024X}{PEN:08X}", f"{(1 << 96) - 2:024X}{PEN:08X}"


@pytest.mark.parametrize(
    ("rival", "is_higher", "wanted"),
    [
        (LOWEST, True, 2),
        ("A1", True, 1),
        (HIGHEST, False, (1 << 96) - 3),
        (HIGHEST, True, None),
        (LOWEST, False, None),
    ],
)
def test_an_mrid_is_the_next_on_the_side_that_wins_where_there_is_one(
    rival: str, is_higher: bool, wanted: int | None
) -> None:
    found = mrid_beyond(rival, lambda _: 0, PEN, is_higher=is_higher)
    assert found == (None if wanted is None else f"{wanted:024X}{PEN:08X}")
