"""Intervals on the clock."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openadr_ven.events import Event, Point, Profile, plans_of, span_s
from openadr_ven.events.planning import in_force
from tests.unit.openadr_ven.event_builder import (
    HOUR,
    T0,
    Ven,
    dispatch_signal,
    event,
    event_3,
    interval,
    said,
)

DAY = 86_400


def laid(found: Event, at: int = 0, horizon_s: int = 10**8) -> list[tuple[int, int | None, object]]:
    """Start and end after T0, and value, of each dispatch."""
    ven = Ven()
    ven.hears(found, at=at)
    return [
        (one.start - T0, None if one.end is None else one.end - T0, one.values[0])
        for plan in plans_of(ven.state, at, horizon_s)
        for one in plan.dispatches
    ]


def limits(*intervals: object, **more: object) -> Event:
    found = replace(event_3().signals[0], intervals=intervals)  # type: ignore[arg-type]
    return event_3(signals=(found,), **more)


ONE, TWO, THREE = Decimal(1), Decimal(2), Decimal(3)


def test_r2_intervals_follow_each_other_and_fill_the_active_period() -> None:
    signal = dispatch_signal(interval(0, 600, ONE), interval(1, 3000, TWO))

    assert laid(event(signals=(signal,))) == [(0, 600, ONE), (600, HOUR, TWO)]


@pytest.mark.parametrize(
    "lengths", [(600, 600), (600, 3001), (None, 600), (600, None), (-600, 4200)], ids=str
)
def test_r8_intervals_that_are_not_the_active_period_are_refused(lengths: tuple[int | None, int]) -> None:
    signal = dispatch_signal(*(interval(uid, length) for uid, length in enumerate(lengths)))

    assert [one[2] for one in said(Ven().hears(event(signals=(signal,))))] == [454]


def test_r8_intervals_of_an_event_without_end_may_end_or_not() -> None:
    fixed = event(duration_s=None, signals=(dispatch_signal(interval(0, 600)),))
    endless = event(duration_s=None, signals=(dispatch_signal(interval(0, 600), interval(1, None)),))

    assert [one[2] for one in said(Ven().hears(fixed))] == [200]
    assert laid(endless) == [(0, 600, Decimal(3000)), (600, None, Decimal(3000))]


def test_r102_order_is_that_of_the_uids() -> None:
    signal = dispatch_signal(interval(1, 3000, TWO), interval(0, 600, ONE))

    assert laid(event(signals=(signal,))) == [(0, 600, ONE), (600, HOUR, TWO)]


@pytest.mark.parametrize("uids", [(), (1,), (0, 0), (0, 2), (1, 2)], ids=str)
def test_r102_uids_that_do_not_count_from_0_are_refused(uids: tuple[int, ...]) -> None:
    intervals = tuple(interval(uid, HOUR // len(uids)) for uid in uids)
    signal = replace(dispatch_signal(), intervals=intervals)

    assert [one[2] for one in said(Ven().hears(event(signals=(signal,))))] == [454]


def test_r103_start_inside_an_interval_is_accepted_and_not_heeded() -> None:
    signal = dispatch_signal(interval(0, 600, ONE, start=T0), interval(1, 3000, TWO, start=T0 + 7))

    assert laid(event(signals=(signal,))) == [(0, 600, ONE), (600, HOUR, TWO)]


def test_end_of_an_interval_is_no_part_of_it() -> None:
    ven = Ven()
    ven.hears(event(signals=(dispatch_signal(interval(0, 600, ONE), interval(1, 3000, TWO)),)))
    plans = plans_of(ven.state, 0)

    assert [in_force(plans, T0 + at)[0].values for at in (0, 599, 600, HOUR - 1)] == [
        (ONE,),
        (ONE,),
        (TWO,),
        (TWO,),
    ]
    assert (in_force(plans, T0 - 1), in_force(plans, T0 + HOUR)) == ((), ())


def test_3x_interval_may_have_a_start_of_its_own() -> None:
    found = limits(interval(0, 600, ONE), interval(1, 600, TWO, start=T0 + 900), duration_s=1500)

    assert laid(found) == [(0, 600, ONE), (900, 1500, TWO)]


def test_3x_event_longer_than_its_intervals_begins_again() -> None:
    found = limits(interval(0, 600, ONE), interval(1, 300, TWO), duration_s=2000)

    assert laid(found) == [
        (0, 600, ONE),
        (600, 900, TWO),
        (900, 1500, ONE),
        (1500, 1800, TWO),
        (1800, 2000, ONE),
    ]


def test_3x_event_shorter_than_its_intervals_cuts_them() -> None:
    found = limits(interval(0, 600, ONE), interval(1, 600, TWO), interval(2, 600, THREE), duration_s=900)

    assert laid(found) == [(0, 600, ONE), (600, 900, TWO)]


def test_3x_loop_without_end_is_laid_out_as_far_as_the_horizon_and_from_now_on() -> None:
    found = limits(interval(0, HOUR, ONE), interval(1, HOUR, TWO), duration_s=None)
    late = 1000 * DAY + 10

    assert laid(found, at=T0 + late, horizon_s=3 * HOUR) == [
        (1000 * DAY, 1000 * DAY + HOUR, ONE),
        (1000 * DAY + HOUR, 1000 * DAY + 2 * HOUR, TWO),
        (1000 * DAY + 2 * HOUR, 1000 * DAY + 3 * HOUR, ONE),
        (1000 * DAY + 3 * HOUR, 1000 * DAY + 4 * HOUR, TWO),
    ]


def test_3x_event_that_started_in_the_past_is_at_the_interval_in_force() -> None:
    found = limits(interval(0, 600, ONE), interval(1, 600, TWO), duration_s=1200)

    assert laid(found, at=T0 + 700) == [(600, 1200, TWO)]


def test_3x_several_values_are_equal_parts_with_the_uid_of_their_interval() -> None:
    ven = Ven()
    ven.hears(limits(interval(5, 3 * HOUR, ONE, TWO, THREE), duration_s=3 * HOUR))
    (plan,) = plans_of(ven.state, 0)

    assert [(one.uid, one.part, one.start - T0, one.end, one.values) for one in plan.dispatches] == [
        (5, 0, 0, T0 + HOUR, (ONE,)),
        (5, 1, HOUR, T0 + 2 * HOUR, (TWO,)),
        (5, 2, 2 * HOUR, T0 + 3 * HOUR, (THREE,)),
    ]


def test_3x_points_of_a_curve_stay_together() -> None:
    points = (Point(x=ONE, y=TWO), Point(x=TWO, y=THREE))
    curve = replace(
        event_3().signals[0], signalName="CURVE", unit=None, intervals=(interval(0, HOUR, *points),)
    )
    ven = Ven()
    ven.hears(event_3(signals=(curve,)))

    assert [one.values for one in plans_of(ven.state, 0)[0].dispatches] == [points]


def test_3x_several_values_without_end_are_the_first() -> None:
    assert laid(limits(interval(0, None, ONE, TWO), duration_s=None)) == [(0, None, ONE)]


def test_length_of_a_3x_event_without_one_is_that_of_its_intervals() -> None:
    signal = limits(interval(0, 600), interval(1, 600, start=T0 + 900)).signals[0]
    endless = limits(interval(0, 600), interval(1, None)).signals[0]

    assert span_s(Profile.V310, (signal,), T0) == 1500
    assert span_s(Profile.V310, (signal, endless), T0) is None
    assert span_s(Profile.V310, (), T0) == 0


def test_interval_without_length_is_not_dispatched() -> None:
    assert laid(limits(interval(0, 0, ONE), interval(1, 600, TWO), duration_s=600)) == [(0, 600, TWO)]


def test_what_comes_after_an_interval_without_end_never_comes() -> None:
    assert laid(limits(interval(0, None, ONE), interval(1, 600, TWO), duration_s=None)) == [(0, None, ONE)]


def test_interval_that_starts_behind_the_end_of_the_event_is_left_out() -> None:
    assert laid(limits(interval(0, 600, ONE), interval(1, 60, TWO, start=T0 + 900), duration_s=700)) == [
        (0, 600, ONE)
    ]
