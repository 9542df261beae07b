"""When reports fall due, and what they are about. OpenADR 3.1.0, reportDescriptor."""

from typing import Any

import pytest

from openadr_ven.v3.due import dues_of, slots_of
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
