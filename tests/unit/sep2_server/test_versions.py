"""Versions move by one and begin anew behind the last that the schema has."""

import pytest

from sep2_server.versions import next_version


@pytest.mark.parametrize(("held", "following"), [(None, 1), (0, 1), (7, 8), (65_534, 65_535), (65_535, 0)])
def test_a_version_moves_by_one_and_begins_anew_after_the_last(held: int | None, following: int) -> None:
    assert next_version(held) == following
