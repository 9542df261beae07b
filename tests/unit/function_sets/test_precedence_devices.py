"""What devices make of an event, and events that make no sense. IEEE 2030.5-2018, 10.2.3."""

import pytest

from function_sets.phases import Phase
from function_sets.precedence import Rules
from tests.unit.function_sets.event_client import BOTH, DEFAULT, Client, control, program

LIMIT_MODE, FIXED_MODE = frozenset({"opModMaxLimW"}), frozenset({"opModFixedW"})
SHOWN = program(control("A", 10, 50), default=DEFAULT)


def test_an_event_whose_values_make_no_sense_is_rejected_as_invalid() -> None:
    client = Client(rules=Rules(invalid=frozenset({"A"})))
    client.at(0, SHOWN)

    assert client.codes["A"] == [(253, 0)]
    assert client.drawn == []


def test_an_event_that_no_device_can_do_after_all_is_rejected_and_the_default_holds() -> None:
    client = Client()
    client.at(10, SHOWN)
    client.rules = Rules(refused_modes=LIMIT_MODE)
    outcome = client.at(11, SHOWN)

    assert client.codes["A"] == [(1, 10), (2, 10), (252, 11)]
    assert client.records["A"].phase is Phase.REJECTED
    assert outcome.modes["opModMaxLimW"].mRID is None


def test_an_event_is_refused_before_its_start_too() -> None:
    client = Client()
    client.at(0, SHOWN)
    client.rules = Rules(refused_modes=LIMIT_MODE)
    client.at(5, SHOWN)

    assert client.codes["A"] == [(1, 0), (252, 5)]


def test_an_event_of_which_devices_can_do_a_part_goes_on() -> None:
    client = Client()
    shown = program(control("A", 10, 50, base=BOTH))
    client.at(10, shown)
    client.rules = Rules(refused_modes=FIXED_MODE)
    client.at(20, shown)
    client.at(50, shown)

    assert client.codes["A"] == [(1, 10), (2, 10), (3, 50)]


@pytest.mark.parametrize("times", [(10, 20, 50), (10, 20, 30, 50)])
def test_of_an_event_that_devices_did_not_hold_nothing_is_said_at_its_end(times: tuple[int, ...]) -> None:
    client = Client()
    for now in times:
        client.rules = Rules(failing_modes=LIMIT_MODE if now == 20 else frozenset())
        client.at(now, SHOWN)

    assert client.codes["A"] == [(1, 10), (2, 10)]
    assert client.records["A"].phase is Phase.FAILED


def test_an_event_goes_on_while_devices_do_not_hold_it() -> None:
    client = Client()
    client.at(10, SHOWN)
    client.rules = Rules(failing_modes=LIMIT_MODE)

    assert client.through([20, 30], SHOWN) == ["A", "A"]


def test_a_failure_of_another_mode_does_not_count() -> None:
    client = Client()
    client.at(10, SHOWN)
    client.rules = Rules(failing_modes=FIXED_MODE)
    client.at(20, SHOWN)
    client.at(50, SHOWN)

    assert client.codes["A"] == [(1, 10), (2, 10), (3, 50)]


def test_an_event_that_was_not_held_is_cancelled_and_superseded_as_any_other() -> None:
    client = Client()
    client.at(10, SHOWN)
    client.rules = Rules(failing_modes=LIMIT_MODE)
    client.at(20, SHOWN)
    client.at(30, program(control("A", 10, 50, status=(2, 30))))

    assert client.codes["A"] == [(1, 10), (2, 10), (6, 30)]


def test_one_event_may_be_left_alone_while_the_others_run() -> None:
    client = Client(rules=Rules(opted_out_of=frozenset({"A"})))
    shown = program(control("A", 10, 50)), program(control("B", 60, 90))
    for now in (0, 10, 50, 60, 90):
        client.at(now, program(*(one for part in shown for one in part.controls)))

    assert client.codes == {"A": [(1, 0), (4, 0), (10, 50)], "B": [(1, 0), (2, 60), (3, 90)]}
