"""Rows in the shape that statements take: few statements, and no column that stays as it is."""

import pytest

from sep2_server.batches import by_columns, padded
from sep2_server.rows import Row


@pytest.mark.parametrize(
    ("number", "sizes"),
    [
        (0, []),
        (1, [1]),
        (2, [2]),
        (3, [4]),
        (5, [8]),
        (63, [64]),
        (64, [64]),
        (65, [64, 1]),
        (131, [64, 64, 4]),
    ],
)
def test_parts_are_filled_up_with_their_last_to_a_power_of_two(number: int, sizes: list[int]) -> None:
    found = [list(part) for part in padded(range(number))]
    assert [len(part) for part in found] == sizes
    filled = [item for part in found for item in part]
    assert filled == [*range(number), *[number - 1] * (sum(sizes) - number)]


def test_updates_name_the_columns_that_change_and_no_others() -> None:
    rows = [Row(number, f"/{number}", "Time") for number in range(4)]
    updates = [
        (rows[0], rows[0]._replace(body=b"a")),
        (rows[1], rows[1]._replace(body=b"b", version=2)),
        (rows[2], rows[2]._replace(body=b"c")),
        (rows[3], rows[3]),
    ]
    assert by_columns(updates) == {
        frozenset({"body"}): [{"row_id": 0, "new_body": b"a"}, {"row_id": 2, "new_body": b"c"}],
        frozenset({"body", "version"}): [{"row_id": 1, "new_body": b"b", "new_version": 2}],
    }
