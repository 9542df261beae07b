"""What a client makes of programs, lists and defaults. IEEE 2030.5-2018, 10.2.3 and 10.10."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from function_sets.phases import Phase
from function_sets.precedence import Rules
from schemas import DefaultDERControl, DERControlBase
from tests.unit.function_sets.event_client import BOTH, DEFAULT, FIXED, LIMIT, Client, control, program


def test_source_of_an_event_tells_all() -> None:
    source = Client().at(20, program(control("A", 10, 50), default=DEFAULT)).modes["opModMaxLimW"]
    assert (source.value, source.mRID, source.program_href, source.primacy) == (5000, "A", "/derp/5", 5)
    assert source.ramp_tms == 700


def test_default_holds_while_nothing_is_active() -> None:
    outcome = Client().at(0, program(default=DEFAULT))
    source = outcome.modes["opModMaxLimW"]
    assert (source.value, source.mRID, outcome.next_at, outcome.due) == (9000, None, None, ())


def test_settings_come_from_the_best_default_even_while_an_event_runs() -> None:
    worse = replace(DEFAULT, setGradW=100)
    outcome = Client().at(
        20, program(control("A", 10, 50), primacy=9, default=worse), program(default=DEFAULT)
    )
    assert outcome.defaults == DEFAULT


def test_no_defaults_without_any_default() -> None:
    assert Client().at(0, program()).defaults is None


@pytest.mark.parametrize(
    ("rules", "modes"),
    [
        (Rules(), {"opModMaxLimW": 9000, "opModFixedW": 2000}),
        (Rules(defaults_per_mode=False), {"opModMaxLimW": 9000}),
    ],
    ids=["per mode", "of one program"],
)
def test_defaults_of_several_programs(rules: Rules, modes: Mapping[str, object]) -> None:
    other = DefaultDERControl(mRID="D1", DERControlBase_=BOTH)
    outcome = Client(rules=rules).at(0, program(primacy=9, default=other), program(default=DEFAULT))
    assert {mode: source.value for mode, source in outcome.modes.items()} == modes


def test_of_equal_programs_the_one_listed_first_gives_the_default() -> None:
    programs = [
        replace(program(name=mrid, default=replace(DEFAULT, mRID=mrid)), mRID=mrid) for mrid in ("0A", "0B")
    ]
    outcome = Client().at(0, *programs)
    assert (outcome.modes["opModMaxLimW"].program_href, outcome.defaults) == ("/derp/0B", programs[1].default)


def test_modes_that_the_der_lacks_have_no_source() -> None:
    client = Client(supported=frozenset({"opModFixedW"}))
    outcome = client.at(20, program(control("A", 10, 50, base=BOTH), default=DEFAULT))
    assert set(outcome.modes) == {"opModFixedW"}


def test_event_goes_on_with_its_modes_when_the_der_loses_them() -> None:
    client = Client(supported=frozenset({"opModMaxLimW"}))
    client.at(20, program(control("A", 10, 50)))
    client.supported = frozenset()
    assert client.at(30, program(control("A", 10, 50))).modes == {}
    assert client.records["A"].phase is Phase.STARTED


def test_event_waits_for_modes_that_the_der_has_lost() -> None:
    client = Client(supported=frozenset({"opModMaxLimW"}))
    shown = program(control("A", 10, 50))
    client.at(0, shown)
    client.supported = frozenset()
    client.through([5, 20], shown)
    client.supported = frozenset({"opModMaxLimW"})
    client.at(30, shown)
    assert client.codes["A"] == [(1, 0), (2, 30)]


def test_next_time_is_the_start_then_the_end() -> None:
    client = Client()
    shown = program(control("A", 10, 50))
    assert [client.at(now, shown).next_at for now in (0, 10, 50)] == [10, 50, None]


def test_next_time_is_ahead_even_for_an_event_that_is_kept_back() -> None:
    client = Client()
    shown = program(control("A", 10, 50), primacy=6), program(control("B", 30, 60))
    assert [client.at(now, *shown).next_at for now in (0, 10, 30)] == [10, 30, 60]


def test_removal_from_the_list_is_no_cancellation() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50)))
    assert client.through([20, 50], program()) == ["A", None]
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_loss_of_the_program_ends_its_events() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50), control("B", 60, 70)))
    client.at(20)
    assert client.codes == {"A": [(1, 0), (2, 10), (6, 20)], "B": [(1, 0), (6, 20)]}


def test_event_of_a_program_that_is_assigned_again_goes_on() -> None:
    client = Client()
    shown = program(control("A", 10, 50), control("B", 60, 70))
    client.at(20, shown)
    client.at(25)
    assert client.through([30, 50, 60, 70], shown) == ["A", None, "B", None]
    assert client.codes["A"] == [(1, 20), (2, 20), (6, 25), (2, 30), (3, 50)]
    assert client.codes["B"] == [(1, 20), (6, 25), (2, 60), (3, 70)]


def test_cancelled_event_stays_cancelled_whatever_an_older_list_says() -> None:
    client = Client()
    client.at(20, program(control("A", 10, 50)))
    client.at(25, program(control("A", 10, 50, status=(2, 25))))
    assert client.through([30], program(control("A", 10, 50, status=(1, 10)))) == [None]
    assert client.codes["A"] == [(1, 20), (2, 20), (6, 25)]


def test_superseded_event_does_not_come_back_with_its_program() -> None:
    client = Client()
    best, other = program(control("B", 20, 30), primacy=1), program(control("A", 10, 50))
    client.at(25, best, other)
    client.at(26)
    assert client.through([35], best, other) == [None]


def test_event_that_moved_to_another_program_goes_on() -> None:
    client = Client()
    client.at(20, program(control("A", 10, 50)))
    assert client.through([30], program(control("A", 10, 50), primacy=7)) == ["A"]
    assert (client.records["A"].program_href, client.records["A"].primacy) == ("/derp/7", 7)


def test_event_in_two_lists_counts_once_in_the_better_program() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50), primacy=9), program(control("A", 10, 50)))
    assert (client.records["A"].primacy, client.codes["A"]) == (5, [(1, 0)])


def test_change_of_primacy_counts_for_events_that_are_not_listed() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50), name="x"), program(control("B", 20, 60), primacy=6))
    shown = program(primacy=7, name="x"), program(control("B", 20, 60), primacy=6)
    assert client.through([5, 15, 20], *shown) == [None, None, "B"]


@pytest.mark.parametrize(
    ("category", "device", "codes"),
    [
        (None, 0, {"A": [(1, 0)]}),
        ("00000000", 0, {"A": [(1, 0)]}),
        ("00200000", 1 << 21, {"A": [(1, 0)]}),
        ("00200000", 1 << 25, {}),
        ("00200000", 0, {}),
    ],
)
def test_event_for_other_device_categories_is_ignored(
    category: str | None, device: int, codes: Mapping[str, object]
) -> None:
    client = Client(category=device)
    client.at(0, program(control("A", 10, 50, category=category)))
    assert client.codes == codes


@pytest.mark.parametrize("status", [2, 3, 4])
def test_event_that_was_over_for_the_server_when_first_seen_is_ignored(status: int) -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50, status=(status, 0))))
    assert (client.codes, client.records) == ({}, {})


@pytest.mark.parametrize(
    ("base", "now", "code"), [(FIXED, 0, 252), (DERControlBase(), 0, 253), (LIMIT, 50, 254)]
)
def test_rejection_is_sent_once(base: DERControlBase, now: int, code: int) -> None:
    client = Client(supported=frozenset({"opModMaxLimW"}))
    client.through([now, now + 1], program(control("A", 10, 50, base=base)))
    assert (client.codes["A"], client.drawn) == ([(code, now)], [])


def test_far_step_lets_everything_happen_at_its_own_second() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50)))
    client.at(1000, program())
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_clock_that_steps_back_starts_nothing_anew() -> None:
    client = Client()
    shown = program(control("A", 10, 50))
    assert client.through([20, 5, 20], shown) == ["A", "A", "A"]
    assert client.codes["A"] == [(1, 20), (2, 20)]


def test_clock_that_was_ahead_for_a_while_ends_no_event_that_still_runs() -> None:
    client = Client()
    shown = program(control("A", 10, 50), control("B", 60, 70))
    assert client.through([20, 1_000, 30, 50, 60, 70], shown) == ["A", None, "A", None, "B", None]
    assert client.codes["A"] == [(1, 20), (2, 20), (3, 50), (2, 30), (3, 50)]


@pytest.mark.parametrize(
    ("moved", "now", "codes"),
    [
        pytest.param((30, 60), 5, [(1, 0), (2, 30), (3, 60)], id="later"),
        pytest.param((0, 4), 5, [(1, 0), (6, 5)], id="into the past"),
        pytest.param((10, 40), 20, [(1, 0), (2, 10), (3, 40)], id="shorter while it runs"),
        pytest.param((10, 15), 20, [(1, 0), (2, 10), (3, 20)], id="ended while it runs"),
    ],
)
def test_changed_interval_is_followed(moved: tuple[int, int], now: int, codes: list[tuple[int, int]]) -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50)))
    client.through([now, 99], program(control("A", *moved)))
    assert client.codes["A"] == codes
