"""Which event wins, which waits, and which is superseded. IEEE 2030.5-2018, 10.2.3."""

import pytest

from function_sets.precedence import Rules
from schemas import DERControl
from tests.unit.function_sets.event_client import BOTH, FIXED, Client, control, program


def test_newer_event_of_the_same_program_wins_whatever_the_rules() -> None:
    client = Client(rules=Rules.of_aggregator())
    shown = program(control("A", 10, 50), control("B", 20, 40, created=1))
    assert client.through([0, 10, 20, 40], shown) == [None, "A", "B", None]
    assert client.codes == {"A": [(1, 0), (2, 10), (7, 20)], "B": [(1, 0), (2, 20), (3, 40)]}


def test_older_event_of_the_same_program_never_starts_where_the_newer_one_starts_first() -> None:
    client = Client()
    shown = program(control("A", 20, 40), control("B", 10, 30, created=1))
    assert client.through([0, 10, 20, 30, 40], shown) == [None, "B", "B", None, None]
    assert client.codes == {"A": [(1, 0), (7, 10)], "B": [(1, 0), (2, 10), (3, 30)]}


def test_event_received_under_a_better_one_is_superseded_on_receipt() -> None:
    client = Client()
    better = program(control("B", 10, 50))
    client.at(20, better)
    client.at(30, better, program(control("A", 40, 80), primacy=6))
    assert client.codes["A"] == [(1, 30), (7, 30)]


def test_event_that_is_kept_back_itself_keeps_no_other_back() -> None:
    client = Client()
    shown = (
        program(control("A", 0, 40), primacy=7),
        program(control("B", 30, 90), primacy=6),
        program(control("C", 60, 99)),
    )
    assert client.through([0, 30, 40, 60], *shown) == ["A", "A", None, "C"]
    assert client.codes["B"] == [(1, 0), (7, 60)]


def test_event_that_loses_one_mode_goes_on_with_the_rest() -> None:
    client = Client()
    shown = program(control("A", 10, 50, base=BOTH), primacy=6), program(control("B", 20, 30))
    client.at(0, *shown)
    holders = {
        now: {mode: source.mRID for mode, source in client.at(now, *shown).modes.items()}
        for now in (10, 20, 30)
    }
    assert holders == {
        10: {"opModFixedW": "A"},
        20: {"opModFixedW": "A", "opModMaxLimW": "B"},
        30: {"opModFixedW": "A"},
    }
    client.at(50, *shown)
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_event_is_superseded_when_its_last_mode_is_lost() -> None:
    client = Client()
    shown = (
        program(control("A", 10, 50, base=BOTH), primacy=6),
        program(control("B", 20, 30)),
        program(control("C", 40, 60, base=FIXED), primacy=4),
    )
    client.at(9, shown[0])
    client.at(10, shown[0])
    client.through([20, 40], *shown)
    assert client.codes["A"] == [(1, 9), (2, 10), (7, 40)]


def test_running_event_takes_up_a_mode_that_came_free() -> None:
    client = Client()
    worse = program(control("A", 10, 50, base=BOTH), primacy=6)
    client.through([0, 10], worse, program(control("B", 20, 30)))
    assert client.through([15], worse, program(control("B", 20, 30, status=(2, 15)))) == ["A"]


def test_status_superseded_ends_an_event_whose_winner_is_not_known() -> None:
    client = Client()
    client.at(20, program(control("A", 10, 50)))
    client.at(30, program(control("A", 10, 50, status=(4, 30))))
    assert client.codes["A"] == [(1, 20), (2, 20), (7, 30)]


@pytest.mark.parametrize(
    ("other", "elsewhere"),
    [
        pytest.param((), (control("B", 40, 70, created=1),), id="of another program"),
        pytest.param((control("B", 40, 70, created=-1),), (), id="older"),
        pytest.param((control("B", 40, 70, created=1, base=FIXED),), (), id="of other modes"),
        pytest.param((control("B", 50, 70, created=1),), (), id="after its end"),
    ],
)
def test_status_superseded_does_not_wait_for_an_event_that_is_no_winner(
    other: tuple[DERControl, ...], elsewhere: tuple[DERControl, ...]
) -> None:
    client = Client()
    client.at(20, program(control("A", 10, 50)))
    listed = control("A", 10, 50, status=(4, 30))
    client.at(30, program(listed, *other), program(*elsewhere, primacy=4))
    assert client.codes["A"] == [(1, 20), (2, 20), (7, 30)]


def test_status_superseded_does_not_wait_for_an_older_event_before_the_start() -> None:
    client = Client()
    older = control("B", 50, 70, created=-1)
    client.at(20, program(control("A", 40, 60), older))
    client.at(30, program(control("A", 40, 60, status=(4, 30)), older))
    assert client.codes["A"] == [(1, 20), (7, 30)]
