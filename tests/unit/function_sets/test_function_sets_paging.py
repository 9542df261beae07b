"""Queries, pages, and the order of lists as bytes."""

import json
from pathlib import Path

import pytest

from function_sets import ROUTES, BadQueryError, ListQuery, after_bounds, page, parse_query, sort_key
from schemas import (
    DateTimeInterval,
    DERControl,
    DERControlBase,
    EndDevice,
    EventStatus,
    LogEvent,
    Reading,
    Response,
    TariffProfile,
)

CONTROLS = ROUTES["DERControlList"]


def control(start: int, created: int = 0, mrid: str = "0A") -> DERControl:
    return DERControl(
        mRID=mrid,
        creationTime=created,
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=start),
        DERControlBase_=DERControlBase(),
    )


def log_event(created: int, number: int = 0) -> LogEvent:
    return LogEvent(
        createdDateTime=created,
        functionSet=11,
        logEventCode=0,
        logEventID=number,
        logEventPEN=40732,
        profileID=2,
    )


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ListQuery(0, 1, None)),
        ("s=0", ListQuery(0, 1, None)),
        ("l=0", ListQuery(0, 0, None)),
        ("l=1000", ListQuery(0, 1000, None)),
        ("s=1&l=1&s=2", ListQuery(1, 1, None)),
        ("l=0&l=2", ListQuery(0, 0, None)),
        ("l=1&b=2", ListQuery(0, 1, None)),
        ("a=1767225600&s=3", ListQuery(3, 1, 1767225600)),
        ("a=5&a=9", ListQuery(0, 1, 5)),
        ("l=" + "9" * 30, ListQuery(0, 2**63 - 1, None)),
        ("s=" + "9" * 30, ListQuery(2**62, 1, None)),
        ("s=" + "0" * 30 + "7", ListQuery(7, 1, None)),
        ("s=" + "0" * 30, ListQuery(0, 1, None)),
    ],
)
def test_query_of_a_list(query: str, wanted: ListQuery) -> None:
    assert parse_query(query) == wanted


def test_query_may_come_as_pairs() -> None:
    assert parse_query([("s", "2"), ("l", "5")]) == ListQuery(2, 5, None)


@pytest.mark.parametrize("query", ["s=-1", "l=ten", "a=", "l=1.5", "s=+1", "l=\u0661"])
def test_parameter_that_is_no_number_from_0_is_a_bad_query(query: str) -> None:
    with pytest.raises(BadQueryError, match="is not a whole number from 0"):
        parse_query(query)


def test_server_may_cap_the_limit() -> None:
    assert parse_query("l=1000").capped(255) == ListQuery(0, 255, None)
    assert parse_query("l=10").capped(255).limit == 10


def test_every_query_vector_gives_its_page(vectors: Path) -> None:
    texts = [v["query"] for v in json.loads((vectors / "list_ordering.json").read_text())["query_vectors"]]
    items = "abcde"
    concrete = [
        t.replace("<now>", "99").replace("<t>", "9").replace("<t+24h>", "99").replace("<N>", "5")
        for t in texts
    ]
    pages = [page(items, parse_query(text).capped(255)) for text in concrete]
    assert pages[:7] == ["a", "a", "", "abcde", "b", "", "a"]
    assert pages[10] == ""


def test_controls_sort_by_start_then_newest_creation_then_highest_mrid() -> None:
    items = [
        control(20),
        control(10, 5, "0A"),
        control(10, 9, "0A"),
        control(10, 5, "0B"),
        control(-5),
        control(10, 5, "00FF"),
    ]
    found = sorted(items, key=lambda i: sort_key(CONTROLS, i))
    assert [(i.interval.start, i.creationTime, i.mRID) for i in found] == [
        (-5, 0, "0A"),
        (10, 9, "0A"),
        (10, 5, "00FF"),
        (10, 5, "0B"),
        (10, 5, "0A"),
        (20, 0, "0A"),
    ]


def test_newest_log_event_is_first() -> None:
    items = [log_event(1), log_event(3, 1), log_event(3, 2)]
    found = sorted(items, key=lambda i: sort_key(ROUTES["LogEventList"], i))
    assert [(i.createdDateTime, i.logEventID) for i in found] == [(3, 2), (3, 1), (1, 0)]


def test_href_sorts_as_text_after_the_other_keys() -> None:
    route = ROUTES["EndDeviceList"]
    device = EndDevice(sFDI=19, changedTime=5, href="/edev/2")
    assert sort_key(route, device) == sort_key(route, EndDevice(sFDI=19, changedTime=5), "/edev/2")
    assert sort_key(route, device, "/edev/1") < sort_key(route, device)


def test_absent_value_sorts_before_all_others_and_last_where_descending() -> None:
    readings = [Reading(localID="01"), Reading()]
    assert sorted(readings, key=lambda r: sort_key(ROUTES["ReadingList"], r))[0].localID is None
    answers = [
        Response(endDeviceLFDI="0A", subject="0A"),
        Response(endDeviceLFDI="0A", subject="0A", createdDateTime=1),
    ]
    found = sorted(answers, key=lambda r: sort_key(ROUTES["ResponseList"], r))
    assert found[0].createdDateTime == 1


def test_absent_structure_on_the_way_to_a_key_counts_as_absent() -> None:
    route = ROUTES["BillingReadingList"]
    assert sort_key(route, Reading(consumptionBlock=1)) < sort_key(
        route, Reading(consumptionBlock=1, timePeriod=DateTimeInterval(duration=1, start=1))
    )


def test_items_later_than_a_lie_behind_the_bound_of_an_ascending_list() -> None:
    bounds = after_bounds(CONTROLS, 10)
    assert bounds is not None
    assert bounds.low is not None
    assert sort_key(CONTROLS, control(10)) < bounds.low <= sort_key(CONTROLS, control(11))


def test_items_later_than_a_lie_before_the_bound_of_a_descending_list() -> None:
    route = ROUTES["LogEventList"]
    bounds = after_bounds(route, 10)
    assert bounds is not None
    assert bounds.high is not None
    assert sort_key(route, log_event(11)) < bounds.high <= sort_key(route, log_event(10))


def test_a_means_nothing_where_the_first_key_is_no_time() -> None:
    assert after_bounds(ROUTES["DERProgramList"], 10) is None
    assert after_bounds(ROUTES["ReadingList"], 10) is None


def test_a_far_in_the_future_finds_nothing() -> None:
    bounds = after_bounds(CONTROLS, 2**63 - 1)
    assert bounds is not None
    assert bounds.low is not None
    assert sort_key(CONTROLS, control(2**62)) < bounds.low


def test_list_without_an_order_key_for_text_sorts_by_mrid() -> None:
    one, other = (TariffProfile(mRID=m, primacy=1, serviceCategoryKind=0) for m in ("01", "02"))
    assert sort_key(ROUTES["TariffProfileList"], other) < sort_key(ROUTES["TariffProfileList"], one)
