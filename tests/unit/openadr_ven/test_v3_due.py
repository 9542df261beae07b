"""When reports fall due, and what they are about. OpenADR 3.1.0, reportDescriptor."""

from typing import Any

import pytest

from openadr_ven.events import Enrolment, Ports, Resource, Snapshot, State, receive
from openadr_ven.v3.due import dues_of, slots_of
from openadr_ven.v3.kept import Asked, Kept
from openadr_ven.v3.owing import next_report_at, wanted
from tests.unit.openadr_ven.v3_builder import HOUR, START, T0, event_json, interval, read

ROWS = tuple(interval(number) for number in range(4))
LATER = T0 + 1000 * HOUR


def found(descriptor: dict[str, Any], *rows: dict[str, Any], until: int = LATER, **more: object) -> list[Any]:
    one = read(
        event_json(*(rows or ROWS), reportDescriptors=[{"payloadType": "USAGE", **descriptor}], **more)
    )
    dues = dues_of(one.event, T0, one.reportDescriptors[0], until)
    return [((due.at - T0) // HOUR, [slot.id for slot in due.slots]) for due in dues]


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        ({}, [(4, [0, 1, 2, 3])]),
        ({"numIntervals": 2}, [(4, [2, 3])]),
        ({"startInterval": 1}, [(1, [0])]),
        ({"startInterval": 3, "numIntervals": 2}, [(3, [1, 2])]),
        ({"startInterval": 1, "numIntervals": 1, "repeat": 2}, [(1, [0]), (2, [1])]),
        (
            {"startInterval": 1, "numIntervals": 1, "frequency": 1, "repeat": -1},
            [(1, [0]), (2, [1]), (3, [2]), (4, [3])],
        ),
        ({"startInterval": 2, "numIntervals": 1, "frequency": 2, "repeat": -1}, [(2, [1]), (4, [3])]),
        ({"startInterval": 2, "numIntervals": 2, "repeat": -1}, [(2, [0, 1]), (4, [2, 3])]),
        ({"startInterval": 2, "numIntervals": 2, "frequency": 0, "repeat": -1}, [(2, [0, 1]), (4, [2, 3])]),
        ({"historical": False}, [(0, [0, 1, 2, 3])]),
        ({"historical": False, "startInterval": 2, "numIntervals": 1}, [(2, [2])]),
        ({"startInterval": 9}, []),
        ({"repeat": 0}, []),
    ],
)
def test_descriptor_says_when_and_about_what(
    descriptor: dict[str, Any], expected: list[tuple[int, list[int]]]
) -> None:
    assert found(descriptor) == expected


def test_nothing_is_due_before_its_time() -> None:
    descriptor = {"startInterval": 1, "numIntervals": 1, "frequency": 1, "repeat": -1}

    assert found(descriptor, until=T0 + 2 * HOUR) == [(1, [0]), (2, [1])]
    assert found({}, until=T0 + 4 * HOUR - 1) == []


def test_event_without_end_has_no_report_behind_its_last_interval() -> None:
    endless = {"start": START, "duration": "P9999Y"}

    assert found({}, interval(), intervalPeriod=endless) == []


def test_loop_has_the_same_ids_again() -> None:
    descriptor = {"startInterval": 0, "numIntervals": 1, "frequency": 1, "repeat": -1}

    dues = found(descriptor, interval(0), interval(1), duration="PT4H")

    assert [ids for _, ids in dues] == [[0], [1], [0], [1]]


def test_event_without_intervals_has_one_report_at_its_start() -> None:
    asking = [{"payloadType": "USAGE"}]
    one = read(event_json(intervals=[], reportDescriptors=asking))

    (due,) = dues_of(one.event, T0, one.reportDescriptors[0], T0)

    assert (due.at, [slot.id for slot in due.slots]) == (T0, [0])
    assert list(dues_of(one.event, T0, one.reportDescriptors[0], T0 - 1)) == []


def test_sub_intervals_are_the_equal_parts_with_the_id_of_their_interval() -> None:
    event = read(event_json(interval(5, "PRICE", 1, 2, 3))).event

    whole = slots_of(event, T0, LATER)
    parts = slots_of(event, T0, LATER, with_parts=True)

    assert [(one.id, one.start - T0, (one.end or 0) - T0) for one in whole] == [(5, 0, 3600)]
    assert [(one.id, one.start - T0) for one in parts] == [(5, 0), (5, 1200), (5, 2400)]


def test_two_signals_have_each_interval_once() -> None:
    both = {"id": 0, "payloads": [{"type": kind, "values": [1]} for kind in ("PRICE", "GHG")]}

    assert [one.id for one in slots_of(read(event_json(both)).event, T0, LATER)] == [0]


FOR_EVER = {"duration": "P9999Y", "intervalPeriod": {"start": START, "duration": "PT1H"}}


def told(descriptor: dict[str, Any], *, rounds: int, since: int = 0, every: int = 1) -> list[Any]:
    """What a VEN tells of an event of two intervals that goes on, looked at again and again."""
    asked = [{"payloadType": "USAGE", **descriptor}]
    one = read(event_json(interval(0), interval(1), reportDescriptors=asked, **FOR_EVER))
    made, done = [], 0
    for hour in range(0, 2 * rounds, every):
        until = T0 + hour * HOUR
        dues = dues_of(one.event, T0, one.reportDescriptors[0], until, since=since, done=done)
        for due in [due for due in dues if due.number >= done and due.at >= since]:
            done = due.number + 1
            hours = [((slot.start - T0) // HOUR, slot.id) for slot in due.slots]
            made.append((due.number, (due.at - T0) // HOUR, hours))
    return made


@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize(
    "descriptor",
    [
        {"startInterval": 0, "historical": False, "numIntervals": 1, "frequency": 1, "repeat": -1},
        {"startInterval": 1, "numIntervals": 1, "frequency": 1, "repeat": -1},
        {"startInterval": 1, "numIntervals": 3, "frequency": 2, "repeat": -1},
        {"startInterval": 1, "historical": False, "numIntervals": 2, "frequency": 5, "repeat": -1},
        {"startInterval": 0, "numIntervals": 2, "frequency": 2, "repeat": 40},
    ],
)
@pytest.mark.parametrize("since", [0, T0 + 61 * HOUR])
def test_reports_of_a_loop_are_the_same_however_much_of_it_is_laid_out(
    monkeypatch: pytest.MonkeyPatch, descriptor: dict[str, Any], since: int, every: int
) -> None:
    whole = told(descriptor, rounds=60, since=since, every=every)
    monkeypatch.setattr("openadr_ven.v3.due.MOST_SLOTS", 24)

    assert len(whole) > 3
    assert told(descriptor, rounds=60, since=since, every=every) == whole


def test_reports_of_an_event_for_ever_never_end() -> None:
    asked = [{"payloadType": "USAGE", "startInterval": 1, "numIntervals": 1, "frequency": 1, "repeat": -1}]
    one = read(event_json(interval(0), interval(1), reportDescriptors=asked, **FOR_EVER))

    dues = dues_of(one.event, T0, one.reportDescriptors[0], T0 + 50_000 * HOUR, done=49_998)

    assert [(due.number, (due.at - T0) // HOUR) for due in dues][-2:] == [(49_998, 49_999), (49_999, 50_000)]


def test_ven_goes_on_to_report_of_an_event_for_ever() -> None:
    asked = [{"payloadType": "USAGE", "startInterval": 1, "numIntervals": 1, "frequency": 1, "repeat": -1}]
    one = read(event_json(interval(0), interval(1), reportDescriptors=asked, **FOR_EVER))
    us = Enrolment(ven_id="v", resources=(Resource(name="battery"),))
    ports = Ports(enrolment=us, draw=lambda *_: 0)
    state = receive(State(), Snapshot(events=(one.event,), is_full=True), T0, ports).state
    made = Asked(descriptors=one.reportDescriptors, done=(20_000,), since=T0)
    kept = Kept(state=state, asked={one.event.eventID: made})
    now = T0 + 20_002 * HOUR

    assert [due.due.number for due in wanted(kept, us, now)] == [20_000, 20_001]
    assert next_report_at(kept, T0 + 20_000 * HOUR) == T0 + 20_001 * HOUR


def test_report_behind_the_last_interval_of_a_long_loop_is_made() -> None:
    asked = [{"payloadType": "USAGE", "numIntervals": 2}]
    period = {"start": START, "duration": "PT1H"}
    one = read(
        event_json(
            interval(0), interval(1), reportDescriptors=asked, duration="PT20000H", intervalPeriod=period
        )
    )

    (due,) = dues_of(one.event, T0, one.reportDescriptors[0], T0 + 30_000 * HOUR)

    assert (due.number, due.at) == (0, T0 + 20_000 * HOUR)
    assert [(slot.start - T0) // HOUR for slot in due.slots] == [19_998, 19_999]
