"""Random parts of start and duration: no gap, no overlap. IEEE 2030.5-2018, 10.2.3."""

import pytest

from function_sets.events import Draw
from function_sets.precedence import Rules
from tests.unit.function_sets.event_client import BOTH, FIXED, Client, control, program


def test_draw_is_made_once() -> None:
    client = Client(draws={"A": Draw(start_s=5)})
    client.through([0, 1, 15, 20], program(control("A", 10, 50, random=(9, None))))
    assert (client.drawn, client.codes["A"][1]) == (["A"], (2, 15))


def test_event_starts_late_when_the_one_that_kept_it_back_is_cancelled() -> None:
    client = Client()
    worse = program(control("A", 10, 50), primacy=6)
    client.through([0, 10], worse, program(control("B", 30, 60)))
    assert client.through([20], worse, program(control("B", 30, 60, status=(2, 20)))) == ["A"]
    assert client.codes == {"A": [(1, 0), (2, 20)], "B": [(1, 0), (6, 20)]}


def test_cancellation_with_randomization_ends_a_running_event_in_its_window() -> None:
    client = Client(draws={"A": Draw(start_s=5)})
    listed = control("A", 10, 50, random=(8, 4))
    client.through([0, 15], program(listed))
    cancelled = control("A", 10, 50, random=(8, 4), status=(3, 20))
    assert client.through([20, 24, 25], program(cancelled)) == ["A", "A", None]
    assert client.codes["A"] == [(1, 0), (2, 15), (6, 25)]


def test_cancellation_with_randomization_drops_an_event_that_has_not_started() -> None:
    client = Client(draws={"A": Draw(start_s=8)})
    client.at(0, program(control("A", 10, 50, random=(8, None))))
    client.at(5, program(control("A", 10, 50, random=(8, None), status=(3, 5))))
    assert client.codes["A"] == [(1, 0), (6, 5)]


def test_status_superseded_waits_for_the_random_start_of_the_winner() -> None:
    client = Client(draws={"B": Draw(start_s=10)})
    winner = control("B", 30, 70, created=1, random=(20, None))
    client.at(20, program(control("A", 10, 50)))
    listed = program(control("A", 10, 50, status=(4, 30)), winner)
    assert client.through([30, 39, 40], listed) == ["A", "A", "B"]
    assert client.codes["A"] == [(1, 20), (2, 20), (7, 40)]


def test_random_part_opens_no_gap_between_successive_events() -> None:
    client = Client(draws={"B": Draw(start_s=15)})
    shown = program(control("A", 10, 50), control("B", 50, 90, random=(20, None)))
    assert client.through([0, 10, 50, 64, 65, 104], shown) == [None, "A", "A", "A", "B", "B"]
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 65)]


def test_only_shared_modes_are_held_until_the_successor() -> None:
    client = Client(draws={"B": Draw(start_s=15)})
    shown = program(control("A", 10, 50, base=BOTH), control("B", 50, 90, random=(20, None)))
    client.through([0, 10], shown)
    assert set(client.at(50, shown).modes) == {"opModMaxLimW"}


def test_event_that_reaches_its_end_as_the_better_one_starts_is_completed() -> None:
    client = Client(draws={"B": Draw(start_s=10)})
    running = program(control("A", 10, 50), primacy=6)
    client.through([0, 10], running)
    client.through([20, 50], running, program(control("B", 40, 90, random=(10, None))))
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_event_is_not_prolonged_for_one_that_lay_within_it() -> None:
    client = Client(draws={"B": Draw(start_s=35)})
    client.at(10, program(control("A", 10, 50)))
    shown = program(control("A", 10, 50), control("B", 20, 30, created=1, random=(60, None)))
    assert client.through([15, 50, 55], shown) == ["A", None, "B"]


def test_shortened_event_goes_on_to_its_successor() -> None:
    client = Client(draws={"A": Draw(duration_s=-10)})
    shown = program(control("A", 10, 50, random=(None, -20)), control("B", 50, 90))
    assert client.through([0, 45, 50], shown) == [None, "A", "B"]


def test_successor_ends_an_event_that_its_random_part_prolongs() -> None:
    client = Client(draws={"A": Draw(duration_s=10)})
    shown = program(control("A", 10, 50, random=(None, 20))), program(control("B", 50, 90), primacy=6)
    assert client.through([0, 10, 50, 55], *shown) == [None, "A", "B", "B"]
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_event_whose_time_the_successor_took_before_it_ran_is_superseded() -> None:
    client = Client(draws={"A": Draw(start_s=60)})
    shown = program(control("A", 10, 50, random=(60, None)), control("B", 50, 90))
    assert client.through([0, 50, 70], shown) == [None, "B", "B"]
    assert client.codes["A"] == [(1, 0), (7, 50)]


def test_event_that_its_random_part_leaves_no_time_starts_and_ends_at_once() -> None:
    client = Client(draws={"A": Draw(duration_s=-5)})
    client.through([0, 10], program(control("A", 10, 15, random=(None, -5))))
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 10)]


def test_code_names_the_program_of_the_event_that_kept_it_back() -> None:
    client = Client(rules=Rules.of_aggregator(), draws={"B": Draw(start_s=30)})
    shown = (
        program(control("A", 20, 35), control("B", 10, 90, created=1, random=(30, None)), primacy=6),
        program(control("C", 10, 90, base=FIXED)),
    )
    client.through([0, 35], *shown)
    assert client.codes["A"] == [(1, 0), (7, 35)]


@pytest.mark.parametrize(("rules", "code"), [(Rules(), 7), (Rules.of_aggregator(), 14)])
def test_event_that_is_kept_back_until_its_end_is_superseded(rules: Rules, code: int) -> None:
    client = Client(rules=rules, draws={"B": Draw(start_s=30)})
    shown = program(control("A", 10, 50), primacy=6), program(control("B", 40, 90, random=(30, None)))
    client.through([0, 50], *shown)
    assert client.codes["A"] == [(1, 0), (code, 50)]
