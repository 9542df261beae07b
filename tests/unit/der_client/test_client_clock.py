import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.server_clock import ServerClock
from der_client.timing import Backoff, due_s


def test_the_first_answer_sets_the_clock_to_the_least_that_it_can_mean() -> None:
    clock = ServerClock.first(1_000, sent_s=10.0, received_s=10.2)

    assert clock.time_s(10.2) == pytest.approx(1_000.0)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 0.5), st.floats(0, 0.5))
def test_no_event_starts_before_its_time_on_the_server(
    fraction_s: float, there_s: float, back_s: float
) -> None:
    sent_s = 10.0
    true_offset_s = 1_000.0 + fraction_s - (sent_s + there_s)
    clock = ServerClock.first(1_000, sent_s=sent_s, received_s=sent_s + there_s + back_s)

    assert true_offset_s - 1.5 <= clock.offset_s <= true_offset_s + 1e-9


def test_an_answer_that_agrees_within_its_uncertainty_moves_nothing() -> None:
    clock = ServerClock(offset_s=990.3)

    assert clock.observed(1_000, sent_s=10.0, received_s=10.0).offset_s == 990.3


def test_a_clock_that_is_slow_goes_forward_at_once() -> None:
    clock = ServerClock(offset_s=990.0).observed(1_010, sent_s=10.0, received_s=10.0)

    assert clock.now(10.0) == 1_010


def test_a_correction_below_sixty_seconds_never_turns_the_clock_back() -> None:
    clock = ServerClock(offset_s=1_000.0).observed(970, sent_s=10.0, received_s=10.0)

    shown = [clock.time_s(10.0 + step) for step in range(0, 80, 5)]

    assert shown[0] == 1_010.0
    assert shown == sorted(shown)
    assert clock.time_s(100.0) == 1_060.0


def test_a_correction_of_sixty_seconds_and_more_steps_back() -> None:
    clock = ServerClock(offset_s=1_000.0).observed(900, sent_s=10.0, received_s=10.0)

    assert clock.time_s(10.0) == 900.0


@pytest.mark.parametrize(("spread", "expected_s"), [(0.0, 7_200.0), (0.5, 7_215.0), (1.0, 7_230.0)])
def test_a_poll_is_never_early_and_at_most_thirty_seconds_late(spread: float, expected_s: float) -> None:
    assert due_s(0.0, 7_200, spread) == expected_s


def test_six_polls_of_two_minutes_fall_into_ten_minutes_and_ten_seconds() -> None:
    """CSIP-AUS PRC-03, with the most jitter each time."""
    polls = [0.0]
    while polls[-1] <= 610:
        polls.append(due_s(polls[-1], 120, 1.0))

    assert len(polls[:-1]) == 6


@pytest.mark.parametrize(
    ("failures", "spread", "expected_s"),
    [(1, 1.0, 1.0), (2, 1.0, 2.0), (4, 0.0, 4.0), (20, 1.0, 300.0), (5_000, 1.0, 300.0)],
)
def test_waiting_doubles_with_each_failure_up_to_the_most(
    failures: int, spread: float, expected_s: float
) -> None:
    assert Backoff().wait_s(failures, spread) == expected_s
