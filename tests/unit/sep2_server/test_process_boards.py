"""Boards that a worker left half written, and numbers that cannot be read."""

import os

import pytest

from sep2_server.errors import StoreError
from sep2_server.process.boards import Boards
from sep2_server.process.families import joined
from sep2_server.process.meter import Meter

SAMPLES = {"lineside_connections": {"lineside_connections": 3.0}}


def test_what_was_written_is_read_with_its_age() -> None:
    boards = Boards.create(2)
    boards.write(1, SAMPLES)
    age_s, samples = boards.read(1)
    assert (0 <= age_s < 5, samples) == (True, SAMPLES)
    assert 0 <= boards.age_s(1) < 5
    assert (boards.read(0), boards.age_s(0)) == ((float("inf"), {}), float("inf"))


def test_fewer_numbers_leave_nothing_of_those_before() -> None:
    boards = Boards.create(1)
    boards.write(0, SAMPLES | {"lineside_workers": {"lineside_workers": 1.0}})
    boards.write(0, SAMPLES)
    assert boards.read(0)[1] == SAMPLES


@pytest.mark.parametrize("octets", [1, 10, 40])
def test_a_board_that_is_half_written_has_no_numbers(octets: int) -> None:
    boards = Boards.create(1)
    boards.write(0, SAMPLES)
    os.ftruncate(boards._descriptors[0], octets)
    age_s, samples = boards.read(0)
    assert samples == {}
    assert age_s >= 0
    boards.write(0, SAMPLES)
    assert boards.read(0)[1] == SAMPLES


def test_a_sign_of_life_leaves_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    boards = Boards.create(2)
    now = 9.5
    monkeypatch.setattr("time.monotonic", lambda: now)
    boards.write(1, SAMPLES)
    now = 1_000_000.25
    assert boards.age_s(1) == boards.read(1)[0] == now - 9.5
    for number in range(2):
        boards.live(number)
    assert boards.read(1) == (0, SAMPLES)
    assert boards.read(0) == (0, {})


def test_a_number_that_cannot_be_read_leaves_the_others_and_the_store_is_asked_once() -> None:
    meter = Meter()
    asked = 0

    def lost() -> float:
        nonlocal asked
        asked += 1
        raise StoreError("the database is away")

    meter.stored("lineside_due_events", lost)
    meter.stored("lineside_change_feed_lag", lost)
    meter.gauge("lineside_connections", lambda: 3)
    samples = meter.samples()
    assert asked == 1
    assert samples["lineside_connections"] == {"lineside_connections": 3}
    assert "lineside_due_events" not in samples


def test_what_all_workers_have_in_common_is_asked_for_at_a_scrape_alone() -> None:
    meter = Meter()
    asked: list[str] = []

    def dead() -> float:
        asked.append("dead letters")
        return 5

    meter.common("lineside_outbox_notifications", dead, state="dead")
    meter.stored("lineside_change_feed_lag", lambda: 2)
    assert meter.own_samples()["lineside_change_feed_lag"] == {"lineside_change_feed_lag": 2}
    assert "lineside_outbox_notifications" not in meter.own_samples()
    assert asked == []
    whole = joined((meter.samples(), meter.own_samples()))
    assert whole["lineside_outbox_notifications"] == {'lineside_outbox_notifications{state="dead"}': 5}
    assert asked == ["dead letters"]
