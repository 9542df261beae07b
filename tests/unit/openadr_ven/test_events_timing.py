"""Random starts, statuses, ramps, and events without end."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openadr_ven.events import EventStatus, Randomization, plans_of, status_at, uniform
from openadr_ven.events.planning import in_force, plan_of
from openadr_ven.events.timing import overlap
from tests.unit.openadr_ven.event_builder import (
    HOUR,
    T0,
    Ven,
    dispatch_signal,
    event,
    event_3,
    interval,
    kinds,
    late,
)


def statuses(ven: Ven, *times: int) -> list[str]:
    return [status_at(ven.state.records["e1"], at).value for at in times]


def test_r13_event_is_near_from_its_ramp_on_and_active_from_its_start() -> None:
    ven = Ven()

    ven.hears(event(ramp_up_s=300))

    assert statuses(ven, T0 - 301, T0 - 300, T0 - 1, T0, T0 + HOUR - 1, T0 + HOUR) == [
        "far",
        "near",
        "near",
        "active",
        "active",
        "completed",
    ]


def test_r13_ramp_inside_the_active_period_has_no_near() -> None:
    ven = Ven()

    ven.hears(event(ramp_up_s=-300))

    assert statuses(ven, T0 - 1, T0) == ["far", "active"]


def test_ramp_and_recovery_stand_in_the_plan() -> None:
    ven = Ven(offsets={"e1": 10})
    step = ven.hears(event(ramp_up_s=300, recovery_s=600, randomization=late(60)))

    plan = plan_of(ven.state, "e1", 0)

    assert plan is not None
    assert (plan.ramp, plan.recovery_end) == ((T0 - 290, T0 + 10), T0 + HOUR + 610)
    assert step.next_at == T0 - 290
    ven.waits(T0 + 10)
    assert ven.waits(T0 + HOUR + 10).next_at == T0 + HOUR + 610


def test_negative_ramp_is_behind_the_start() -> None:
    ven = Ven()
    ven.hears(event(ramp_up_s=-300))

    plan = plan_of(ven.state, "e1", 0)

    assert plan is not None
    assert plan.ramp == (T0, T0 + 300)


def test_start_is_delayed_by_what_was_drawn_and_the_end_with_it() -> None:
    ven = Ven(offsets={"e1": 25})
    ven.hears(event(randomization=late(60)))

    step = ven.waits(T0 + 24)

    assert (kinds(step), step.next_at) == ([], T0 + 25)
    assert kinds(ven.waits(T0 + 25)) == [("started", "e1")]
    assert kinds(ven.waits(T0 + HOUR + 24)) == []
    assert kinds(ven.waits(T0 + HOUR + 25)) == [("completed", "e1")]


def test_r30_draw_is_kept_over_modifications() -> None:
    ven = Ven(offsets={"e1": 25})
    ven.hears(event(randomization=late(60)))
    ven.offsets = {"e1": 50}

    ven.hears(event(modification=1, start=T0 + 600, randomization=late(60)))

    assert len(ven.drawn) == 1
    assert [one.own_start for one in plans_of(ven.state, 0)[0].dispatches] == [T0 + 625]


def test_r30_another_startafter_is_drawn_anew() -> None:
    ven = Ven(offsets={"e1": 25})
    ven.hears(event(randomization=late(60)))

    ven.hears(event(modification=1, randomization=late(40)))

    assert ven.drawn == [("e1", late(60)), ("e1", late(40))]


def test_r30_draw_is_kept_over_a_version_that_was_refused() -> None:
    ven = Ven(offsets={"e1": 25})
    ven.hears(event(randomization=late(60)))
    ven.hears(event(modification=1, randomization=late(60), flaw="no duration"))
    ven.offsets = {"e1": 50}

    ven.hears(event(modification=2, randomization=late(60)))

    assert [one.own_start for one in plans_of(ven.state, 0)[0].dispatches] == [T0 + 25]


def test_nothing_is_drawn_without_a_window() -> None:
    ven = Ven()

    ven.hears(event())

    assert ven.drawn == []


def test_r66_completed_does_not_stop_what_runs_in_its_random_window() -> None:
    ven = Ven(offsets={"e1": 50})
    ven.hears(event(randomization=late(60)))
    ven.waits(T0 + 50)

    step = ven.hears(event(randomization=late(60), eventStatus=EventStatus.COMPLETED), at=T0 + HOUR + 10)

    assert step.changes == ()
    assert len(in_force(plans_of(ven.state, T0 + HOUR + 49), T0 + HOUR + 49)) == 1
    assert statuses(ven, T0 + HOUR + 49, T0 + HOUR + 50) == ["active", "completed"]


def test_r47_event_without_end_runs_until_it_is_cancelled() -> None:
    ven = Ven()
    ven.hears(event(duration_s=None, signals=(dispatch_signal(interval(0, None)),)))

    step = ven.waits(T0)

    assert (kinds(step), step.next_at) == ([("started", "e1")], None)
    assert statuses(ven, T0 + 10**9) == ["active"]
    (plan,) = plans_of(ven.state, T0 + 10**9)
    assert [(one.start, one.end) for one in plan.dispatches] == [(T0, None)]
    assert kinds(ven.hears(at=T0 + 10**9)) == [("cancelled", "e1"), ("stopped", "e1")]


def test_3x_random_start_goes_both_ways() -> None:
    ven = Ven(offsets={"e1": -40})
    ven.hears(event_3(randomization=Randomization(early_s=60, late_s=60)))

    assert kinds(ven.waits(T0 - 41)) == []
    assert kinds(ven.waits(T0 - 40)) == [("started", "e1")]
    assert statuses(ven, T0 - 41, T0 - 40) == ["far", "active"]
    assert kinds(ven.waits(T0 + HOUR - 40)) == [("completed", "e1")]


def test_3x_interval_with_a_window_of_its_own_has_a_draw_of_its_own() -> None:
    own = Randomization(early_s=30, late_s=30)
    limit = replace(
        event_3().signals[0],
        intervals=(interval(0, 600), interval(1, 600, randomization=own), interval(2, 600)),
    )
    ven = Ven(offsets={"e1": 7})

    ven.hears(event_3(duration_s=1800, signals=(limit,)))

    (plan,) = plans_of(ven.state, 0)
    assert [one.own_start - T0 for one in plan.dispatches] == [0, 607, 1207]
    assert kinds(ven.waits(T0 + 1806)) == [("started", "e1")]
    assert kinds(ven.waits(T0 + 1807)) == [("completed", "e1")]


@pytest.mark.parametrize(("later_s", "does"), [(HOUR + 59, True), (HOUR + 60, False)])
def test_r18_overlap_counts_the_whole_random_window_and_ends_are_exclusive(later_s: int, does: bool) -> None:
    ven = Ven(offsets={"a": 0})
    ven.hears(event("a", randomization=late(60)), event("b", start=T0 + later_s))
    records = ven.state.records

    assert overlap(records["a"], records["b"]) is does
    assert overlap(records["b"], records["a"]) is does


def test_r18_event_without_end_overlaps_all_that_comes_after() -> None:
    ven = Ven()
    ven.hears(
        event("a", duration_s=None, signals=(dispatch_signal(interval(0, None)),)),
        event("b", start=T0 + 10**8),
        event("c", start=T0 - HOUR),
    )
    records = ven.state.records

    assert overlap(records["a"], records["b"])
    assert not overlap(records["a"], records["c"])


def test_next_time_is_each_boundary_of_the_intervals() -> None:
    ven = Ven(offsets={"e1": 5})
    steps = dispatch_signal(interval(0, 600, Decimal(1)), interval(1, HOUR - 600, Decimal(2)))

    first = ven.hears(event(signals=(steps,), randomization=late(60))).next_at

    assert first == T0
    assert [ven.waits(at).next_at for at in (T0, T0 + 5, T0 + 605, T0 + HOUR + 5)] == [
        T0 + 5,
        T0 + 605,
        T0 + HOUR + 5,
        None,
    ]


def test_next_time_finds_an_interval_behind_a_gap() -> None:
    limit = replace(event_3().signals[0], intervals=(interval(0, 60), interval(1, 60, start=T0 + 1000)))
    ven = Ven()
    ven.hears(event_3(duration_s=1060, signals=(limit,)))

    assert ven.waits(T0).next_at == T0 + 60
    assert ven.waits(T0 + 60).next_at == T0 + 1000
    assert ven.waits(T0 + 1000).next_at == T0 + 1060


def test_3x_interval_behind_a_gap_has_the_draw_of_the_event_again() -> None:
    own = Randomization(early_s=30, late_s=30)
    intervals = (interval(0, 600, randomization=own), interval(1, 600), interval(2, 600, start=T0 + 2000))
    limit = replace(event_3().signals[0], intervals=intervals)
    ven = Ven(offsets={"e1": 7})

    ven.hears(event_3(duration_s=2600, signals=(limit,)))

    assert [one.own_start - T0 for one in plans_of(ven.state, 0)[0].dispatches] == [7, 607, 2000]


def test_plan_of_an_event_that_is_over_is_none_even_before_time_was_told() -> None:
    ven = Ven()
    ven.hears(event())

    assert plan_of(ven.state, "e1", T0 + HOUR - 1) is not None
    assert plan_of(ven.state, "e1", T0 + HOUR) is None


def test_r18_overlap_counts_the_early_part_of_a_window_too() -> None:
    ven = Ven(offsets={"b": 0})
    both_ways = Randomization(early_s=60, late_s=60)
    ven.hears(event("a"), event_3("b", start=T0 + HOUR + 59, randomization=both_ways))
    records = ven.state.records

    assert overlap(records["a"], records["b"])


def test_plan_reaches_what_an_early_draw_brings_within_the_horizon() -> None:
    ven = Ven(offsets={"e1": -40})
    ven.hears(event_3(randomization=Randomization(early_s=60, late_s=60)))

    assert [len(plans_of(ven.state, 0, T0 - at)[0].dispatches) for at in (39, 40)] == [1, 0]


def test_next_time_is_an_interval_that_its_own_draw_brings_forward() -> None:
    own = Randomization(early_s=30, late_s=30)
    limit = replace(event_3().signals[0], intervals=(interval(0, 600), interval(1, 600, randomization=own)))
    ven = Ven(offsets={"e1": -30})
    ven.hears(event_3(duration_s=1200, signals=(limit,)))

    assert ven.waits(T0).next_at == T0 + 570
    assert [one.uid for one in in_force(plans_of(ven.state, T0), T0 + 580)] == [1]


def test_event_that_is_taken_back_is_cancelled_at_any_time() -> None:
    ven = Ven()
    ven.hears(event())
    ven.hears()

    assert statuses(ven, 0, T0, T0 + HOUR) == ["cancelled", "cancelled", "cancelled"]


@pytest.mark.parametrize(("random", "offset_s"), [(0.0, -30), (0.5, 15), (0.999_999, 60)])
def test_uniform_draw_reaches_both_ends_of_the_window(random: float, offset_s: int) -> None:
    draw = uniform(lambda: random)

    assert draw("e1", Randomization(early_s=30, late_s=60)) == offset_s
