"""A user who leaves events and joins them again. IEEE 2030.5-2018, 10.2.3."""

from collections.abc import Mapping

import pytest

from function_sets.precedence import Program, Rules
from tests.unit.function_sets.event_client import DEFAULT, Client, control, program


def opted(times: Mapping[int, bool], shown: Program) -> list[tuple[int, int]]:
    """Codes of event A for a user who is out or in from each time on."""
    client = Client()
    for now, is_out in times.items():
        client.rules = Rules(opted_out=is_out)
        client.at(now, shown)
    return client.codes["A"]


@pytest.mark.parametrize(
    ("times", "codes"),
    [
        pytest.param({0: True, 10: True, 50: True}, [(1, 0), (4, 0), (10, 50)], id="out all the time"),
        pytest.param({0: False, 20: True, 50: True}, [(1, 0), (2, 10), (4, 20), (8, 50)], id="left"),
        pytest.param(
            {0: False, 20: True, 30: False, 50: False},
            [(1, 0), (2, 10), (4, 20), (5, 30), (9, 50)],
            id="left and came back",
        ),
        pytest.param(
            {0: True, 5: False, 50: False},
            [(1, 0), (4, 0), (5, 5), (2, 10), (3, 50)],
            id="in before the start",
        ),
        pytest.param(
            {0: True, 20: False, 50: False},
            [(1, 0), (4, 0), (5, 20), (2, 20), (9, 50)],
            id="in after the start",
        ),
    ],
)
def test_user_leaves_and_joins(times: Mapping[int, bool], codes: list[tuple[int, int]]) -> None:
    assert opted(times, program(control("A", 10, 50))) == codes


def test_event_of_a_user_who_left_governs_nothing() -> None:
    client = Client()
    client.at(20, program(control("A", 10, 50)))
    client.rules = Rules(opted_out=True)
    assert client.through([30], program(control("A", 10, 50), default=DEFAULT)) == [None]


def test_joined_event_that_is_kept_back_waits_and_may_leave_again() -> None:
    client = Client(rules=Rules(opted_out=True))
    shown = program(control("A", 10, 50), primacy=6), program(control("B", 40, 60))
    client.at(0, *shown)
    client.rules = Rules()
    client.at(20, *shown)
    client.rules = Rules(opted_out=True)
    client.at(25, *shown)
    assert client.codes["A"] == [(1, 0), (4, 0), (5, 20), (4, 25)]
