"""When workers are started and replaced."""

import pytest

from sep2_server.process.crew import LONGEST_WAIT_S, Crew


def test_the_first_starts_alone_and_the_others_once_it_serves() -> None:
    crew = Crew(3, now=0)
    assert crew.due(0) == [0]
    crew.started(0, 100, now=0)
    assert (crew.due(0), crew.wait_s(0)) == ([], None)
    crew.ready(0, now=1)
    assert crew.due(1) == [1, 2]
    assert not crew.is_ready


def test_all_serve_once_all_are_ready() -> None:
    crew = serving(2)
    assert crew.is_ready
    assert crew.pids == [100, 101]


def serving(count: int) -> Crew:
    crew = Crew(count, now=0)
    for number in range(count):
        crew.started(number, 100 + number, now=0)
        crew.ready(number, now=0)
    return crew


def test_a_worker_that_dies_is_replaced_at_once() -> None:
    crew = serving(2)
    slot = crew.died(101, now=50)
    assert slot is not None
    assert (slot.number, crew.due(50), crew.is_ready) == (1, [1], False)


def test_one_that_dies_again_and_again_waits_longer_each_time() -> None:
    crew = serving(1)
    now = 0.0
    waits: list[float | None] = []
    for number in range(12):
        crew.died(100 + number, now)
        waits.append(crew.wait_s(now))
        now += waits[-1] or 0.0
        crew.started(0, 101 + number, now)
    assert waits[:5] == pytest.approx([0.0, 0.1, 0.2, 0.4, 0.8])
    assert waits[-1] == LONGEST_WAIT_S


def test_one_that_cannot_be_made_waits_longer_each_time_too() -> None:
    crew = serving(2)
    crew.died(101, now=50)
    waits: list[float | None] = []
    for _ in range(4):
        crew.failed(1, now=50)
        waits.append(crew.wait_s(50))
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8])


def test_one_that_lived_long_is_replaced_at_once_again() -> None:
    crew = serving(1)
    crew.died(100, now=1)
    crew.started(0, 101, now=1)
    crew.died(101, now=2)
    crew.started(0, 102, now=3)
    crew.died(102, now=60)
    assert crew.wait_s(60) == 0.0


def test_a_process_that_is_none_of_ours_changes_nothing() -> None:
    crew = serving(1)
    assert crew.died(7, now=1) is None
    assert crew.due(1) == []
