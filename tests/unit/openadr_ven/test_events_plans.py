"""Who wins among events of both profiles."""

from dataclasses import replace

import pytest

from openadr_ven.events import Event, Unit, plans_of
from openadr_ven.events.planning import in_force, plan_of, rank_of
from openadr_ven.events.signals import Kind, is_limit, shape_of
from tests.unit.openadr_ven.event_builder import HOUR, T0, Ven, event, event_3, signal


def order(*events: Event) -> list[str]:
    ranks = sorted(rank_of(one, one.signals[0]) for one in events)
    return [rank.eventID for rank in ranks]


def set_point_3(eventID: str, priority: int | None) -> Event:
    return event_3(eventID, priority=priority, signals=(signal("DISPATCH_SETPOINT", "", Unit.W),))


def test_r3_lower_number_wins_and_0_is_the_lowest_in_20b() -> None:
    found = [event(str(number), priority=number) for number in (0, 3, 1, 2)]

    assert order(*found) == ["1", "2", "3", "0"]


def test_3x_0_is_the_highest_and_none_the_lowest() -> None:
    assert order(set_point_3("none", None), set_point_3("1", 1), set_point_3("0", 0)) == ["0", "1", "none"]


def test_r3_priorities_of_both_profiles_are_on_one_scale() -> None:
    found = [
        event("none, 2.0b", priority=0, createdDateTime=9),
        event("second, 2.0b", priority=2),
        set_point_3("first, 3.x", 0),
        set_point_3("none, 3.x", None),
    ]

    assert order(*found) == ["first, 3.x", "second, 2.0b", "none, 2.0b", "none, 3.x"]


def test_limit_wins_over_any_set_point() -> None:
    assert order(set_point_3("set point", 0), event_3("limit", priority=None)) == ["limit", "set point"]


def test_newer_event_wins_of_two_of_the_same_priority() -> None:
    found = [event("a", createdDateTime=5), event("b", createdDateTime=6), event("c", createdDateTime=6)]

    assert order(*found) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("IMPORT_CAPACITY_LIMIT", Kind.LIMIT),
        ("EXPORT_CAPACITY_SUBSCRIPTION", Kind.STANDING),
        ("PRICE", Kind.PRICE),
    ],
)
def test_kind_of_a_payload_type(name: str, kind: Kind) -> None:
    found = signal(name, "")
    shape = shape_of(event_3().profile, found)

    assert shape is not None
    assert shape.kind is kind
    assert is_limit(event_3().profile, found) is (kind is Kind.LIMIT)


def test_what_is_in_force_has_the_winner_first() -> None:
    ven = Ven()
    ven.hears(event("second", priority=2), event("first", priority=1), event("later", start=T0 + HOUR))

    assert [one.eventID for one in in_force(plans_of(ven.state, 0), T0)] == ["first", "second"]


def test_nobody_plans_for_an_event_that_is_not_there() -> None:
    assert plan_of(Ven().state, "e1", 0) is None


def test_dispatch_has_the_published_times_and_the_draw_beside_them() -> None:
    ven = Ven(offsets={"e1": 25})
    ven.hears(replace(event(), randomization=replace(event().randomization, late_s=60)))

    (one,) = plans_of(ven.state, 0)[0].dispatches

    assert (one.start, one.end, one.offset_s) == (T0, T0 + HOUR, 25)
    assert (one.own_start, one.own_end) == (T0 + 25, T0 + HOUR + 25)
