"""When a VEN talks: R500 and what follows from it."""

import pytest

from openadr_ven.v2b.pace import MOST_AT_ONCE, Pace


@pytest.mark.parametrize(("chance", "due"), [(0.0, 110.0), (0.5, 110.5), (1.0, 111.0)])
def test_r500_poll_is_never_earlier_than_asked_for_and_a_little_later_by_chance(
    chance: float, due: float
) -> None:
    pace = Pace(interval_s=10)

    pace.quiet(100, chance)

    assert pace.next_at == pytest.approx(due)


def test_r500_while_there_is_more_the_next_poll_is_at_once() -> None:
    pace = Pace(interval_s=10)

    assert pace.more(100)
    assert pace.next_at == 100


def test_r500_pauses_after_failures_double_up_to_the_interval() -> None:
    pace = Pace(interval_s=10)

    assert [pace.failed(100, 0.5) for _ in range(6)] == [1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 0.9), (1.0, 1.1)])
def test_pause_is_a_tenth_more_or_less(chance: float, pause: float) -> None:
    assert Pace(interval_s=10).failed(0, chance) == pytest.approx(pause)


def test_answer_ends_the_row_of_failures() -> None:
    pace = Pace(interval_s=60)
    pace.failed(0, 0.5)
    pace.failed(0, 0.5)

    pace.quiet(10, 0.5)

    assert pace.failed(20, 0.5) == 1


def test_failures_without_end_are_paused_for_the_interval() -> None:
    pace = Pace(interval_s=30, failures=10_000)

    assert pace.failed(0, 0.5) == 30


def test_interval_below_a_second_does_not_make_failures_faster() -> None:
    assert Pace(interval_s=0.1).failed(0, 0.5) == 1


def test_flood_is_answered_once_a_second() -> None:
    pace = Pace(interval_s=10)

    fetched = [pace.more(100) for _ in range(MOST_AT_ONCE)]

    assert fetched.count(True) == MOST_AT_ONCE - 1
    assert pace.next_at == 101


@pytest.mark.parametrize(("back_s", "left_s"), [(0, 10.5), (1.4, 11.9), (1.6, 0), (3600, 0)])
def test_clock_that_is_set_back_makes_no_pause_longer_than_any(back_s: float, left_s: float) -> None:
    pace = Pace(interval_s=10)
    pace.quiet(10_000, 0.5)

    assert pace.left_s(10_000 - back_s) == pytest.approx(left_s)


def test_it_is_time_to_talk_once_the_pause_is_over() -> None:
    pace = Pace(interval_s=10)
    pace.quiet(100, 0.0)

    assert (pace.left_s(109), pace.left_s(110), pace.left_s(500)) == (1, 0, 0)
