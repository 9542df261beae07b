"""Rows that are made by the many."""

from sep2_server.rows import Change, Row, change_of, row_of


def test_a_row_that_is_made_quickly_is_the_same() -> None:
    values = tuple(range(len(Row._fields)))
    assert row_of(values) == Row._make(values)
    assert type(row_of(values)) is Row
    assert row_of(list(values)) == row_of(values)


def test_a_change_that_is_made_quickly_is_the_same() -> None:
    values = tuple(range(len(Change._fields)))
    assert change_of(values) == Change._make(values)
    assert type(change_of(values)) is Change
