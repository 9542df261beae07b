"""The description of a FunctionSetAssignments is the name of its group, as far as String32 holds it."""

import pytest

from sep2_server.membership import short


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("feeder", "feeder"),
        ("x" * 32, "x" * 32),
        ("x" * 33, "x" * 32),
        ("ä" * 16, "ä" * 16),
        ("x" + "ä" * 16, "x" + "ä" * 15),
    ],
)
def test_a_name_is_cut_at_32_octets_and_at_a_whole_character(name: str, told: str) -> None:
    assert short(name) == told
    assert len(told.encode()) <= 32
