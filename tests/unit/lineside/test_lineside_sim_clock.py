"""The time of a simulation that is more than the machine can do."""

import pytest

from lineside.sim.clock import MOST_STEP_S, SimClock

SPEED = 3600.0
TICK_S = 0.25


def slowest_of(cost: float) -> tuple[float, SimClock]:
    """The longest of forty steps, s of ours, where a simulated second costs so many of ours."""
    real = [1000.0]
    clock = SimClock(0.0, SPEED, lambda: real[0])
    reached = longest = 0.0
    for _ in range(40):
        real[0] += TICK_S
        with clock.step() as now:
            took = (now - reached) * cost
            real[0] += took
            reached, longest = now, max(longest, took)
    return longest, clock


@pytest.mark.parametrize("cost", [2.0, 10.0, 100.0])
def test_a_step_does_not_grow_where_the_machine_does_not_keep_up(cost: float) -> None:
    longest, clock = slowest_of(cost / SPEED)

    assert longest <= cost * (TICK_S + MOST_STEP_S) * 1.001
    assert clock.is_behind


def test_time_is_as_asked_for_where_the_machine_keeps_up() -> None:
    _, clock = slowest_of(0.3 / SPEED)

    assert not clock.is_behind
    assert clock.now() == pytest.approx((clock.real() - 1000.0) * SPEED)
