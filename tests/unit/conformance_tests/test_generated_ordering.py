"""The order of lists as the generated cases read it, and other small rules of theirs."""

import pytest

from conformance_tests.evidence import Exchange
from conformance_tests.server.generated.methods import allowed
from conformance_tests.server.generated.ordering import out_of_order
from function_sets import ROUTES
from schemas import (
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DERProgram,
    EventStatus,
    Reading,
    Subscription,
)

STATUS = EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False)


def program(primacy: int, mrid: str) -> DERProgram:
    return DERProgram(primacy=primacy, mRID=mrid)


def control(start: int, created: int, mrid: str) -> DERControl:
    interval = DateTimeInterval(start=start, duration=1)
    return DERControl(
        mRID=mrid,
        creationTime=created,
        EventStatus_=STATUS,
        interval=interval,
        DERControlBase_=DERControlBase(),
    )


def subscription(href: str) -> Subscription:
    return Subscription(
        href=href, subscribedResource="/x", encoding=0, level="+S1", limit=1, notificationURI="https://x/"
    )


RIGHT = [
    ("DERProgramList", [program(1, "0F"), program(1, "0E"), program(2, "FF")]),
    ("DERProgramList", [program(1, "0100"), program(1, "FF")]),
    ("DERProgramList", [program(1, "ab"), program(1, "AA")]),
    ("DERControlList", [control(1, 5, "01"), control(1, 4, "02"), control(1, 4, "01"), control(2, 9, "01")]),
    ("SubscriptionList", [subscription("/sub/9"), subscription("/sub/10")]),
    ("SubscriptionList", [subscription("/sub/10"), subscription("/sub/9")]),
    ("ReadingList", [Reading(localID="02", touTier=1), Reading(localID="02"), Reading(localID="0A")]),
    ("DERProgramList", [program(3, "01")]),
    ("DERProgramList", []),
]


@pytest.mark.parametrize(("route", "items"), RIGHT)
def test_what_stands_in_order_is_not_told(route: str, items: list[object]) -> None:
    assert out_of_order(ROUTES[route], items) == ""


WRONG = [
    (
        "DERProgramList",
        [program(2, "01"), program(1, "01")],
        "items 0 and 1: primacy 2 before 1, it is ascending",
    ),
    ("DERProgramList", [program(1, "FF"), program(1, "0100")], "mRID FF before 0100, it is descending"),
    ("DERControlList", [control(1, 4, "01"), control(1, 5, "01")], "creationTime 4 before 5"),
    ("DERControlList", [control(2, 1, "01"), control(1, 1, "01")], "interval.start 2 before 1"),
    ("SubscriptionList", [subscription("/sub/3"), subscription("/sub/2")], "href /sub/3 before /sub/2"),
    ("ReadingList", [Reading(localID="0A"), Reading(localID="02")], "localID 0A before 02"),
]


@pytest.mark.parametrize(("route", "items", "told"), WRONG)
def test_the_first_neighbours_that_stand_the_wrong_way_round_are_told(
    route: str, items: list[object], told: str
) -> None:
    assert told in out_of_order(ROUTES[route], items)


def test_allow_is_read_as_a_list_of_methods_of_an_answer_405_alone() -> None:
    def answer(status: int, *headers: tuple[str, str]) -> Exchange:
        return Exchange(at_s=0.0, by="device", method="PUT", uri="/x", status=status, headers=headers)

    assert allowed(answer(405, ("allow", "GET, HEAD,POST"))) == frozenset({"GET", "HEAD", "POST"})
    assert allowed(answer(405)) is None
    assert allowed(answer(400, ("Allow", "GET"))) is None
