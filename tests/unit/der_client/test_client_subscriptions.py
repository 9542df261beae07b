"""IEEE 2030.5-2018, 14; CSIP P31, P32, CORE-018, CORE-019, ERR-002."""

import pytest

from der_client.subscriptions import (
    Meaning,
    Pace,
    Subscriptions,
    Topic,
    is_told,
    meaning_of,
    takes_back,
    wish_of,
)
from schemas import (
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DERControlList,
    DERProgramList,
    EndDevice,
    EndDeviceList,
    EventStatus,
    FunctionSetAssignmentsList,
    Notification,
    Registration,
    Resource,
    Time,
)

PACE = Pace(renew_s=43_200.0, again_s=60.0)
FSAS = Topic(href="/edev/1/fsa", type=FunctionSetAssignmentsList, list_href="/edev/0/sub")
CONTROLS = Topic(href="/derp/1/derc", type=DERControlList, list_href="/edev/0/sub")
DEVICE = Topic(href="/edev/1", type=EndDevice, list_href="/edev/0/sub")


def note(status: int = 0, resource: Resource | None = None) -> Notification:
    return Notification(
        subscribedResource="https://server:8443/edev/1/fsa",
        Resource_=resource,
        status=status,
        subscriptionURI="/edev/0/sub/7",
    )


def after(*topics: Topic) -> Subscriptions:
    """Subscriptions that were all made at 0 s."""
    made = Subscriptions(PACE)
    made.wish(topics, 0.0)
    for topic in topics:
        made.subscribed(topic.href, f"/sub{topic.href}", 0.0)
    return made


def test_what_is_wished_for_is_posted_once_in_its_order() -> None:
    made = Subscriptions(PACE)
    made.wish([FSAS, CONTROLS], 5.0)

    first = made.next(5.0)
    assert first == FSAS
    assert made.subscribed(FSAS.href, "/edev/0/sub/1", 5.0)
    assert made.next(5.0) == CONTROLS
    assert made.subscribed(CONTROLS.href, "/edev/0/sub/2", 5.0)
    assert made.next(5.0) is None
    assert made.held() == {FSAS.href: "/edev/0/sub/1", CONTROLS.href: "/edev/0/sub/2"}


def test_a_subscription_is_renewed_in_time_and_keeps_its_place() -> None:
    made = after(FSAS)

    assert made.wait_s(43_199.0) == 1.0
    assert made.next(43_199.9) is None
    assert made.next(43_200.0) == FSAS
    assert not made.subscribed(FSAS.href, None, 43_200.0)
    assert made.held() == {FSAS.href: "/sub/edev/1/fsa"}
    assert made.next(86_399.0) is None


def test_what_is_wished_for_no_more_is_ended_once() -> None:
    made = after(FSAS, CONTROLS)
    made.wish([FSAS], 1.0)

    assert list(made.leavers()) == ["/sub/derp/1/derc"]
    assert list(made.leavers()) == []
    assert made.topic_of("/derp/1/derc") is None


def test_one_that_ended_is_posted_again_after_a_pause() -> None:
    made = after(FSAS)
    made.ended(FSAS.href, 100.0)

    assert not made.is_held(FSAS.href)
    assert made.next(159.0) is None
    assert made.next(160.0) == FSAS


def test_one_that_the_server_does_not_take_is_tried_when_it_would_have_been_renewed() -> None:
    made = Subscriptions(PACE)
    made.wish([FSAS], 0.0)
    made.refused(FSAS.href, 0.0)

    assert made.next(43_199.0) is None
    assert made.next(43_200.0) == FSAS


def test_failures_in_a_row_are_counted_until_one_is_taken() -> None:
    made = Subscriptions(PACE)
    made.wish([FSAS], 0.0)

    assert [made.failed(FSAS.href, 0.0, 1.0), made.failed(FSAS.href, 1.0, 2.0)] == [1, 2]
    assert made.next(2.0) is None
    made.subscribed(FSAS.href, "/x", 3.0)
    assert made.failed(FSAS.href, 4.0, 1.0) == 1


def test_a_change_that_no_notification_told_of_makes_it_be_posted_again() -> None:
    made = after(FSAS)

    assert made.surprised(FSAS.href, 100.0)
    assert not made.surprised(FSAS.href, 101.0)
    assert made.next(160.0) == FSAS
    assert made.subscribed(FSAS.href, "/x", 160.0)


def test_a_notification_that_comes_after_the_poll_clears_the_doubt() -> None:
    made = after(FSAS)
    made.surprised(FSAS.href, 100.0)
    made.heard(FSAS.href, 100.1)

    assert made.next(200.0) is None


def test_after_an_outage_all_are_posted_again_within_a_while() -> None:
    made = after(FSAS, CONTROLS)
    made.doubt_all(1_000.0, iter([0.5, 1.0]).__next__)

    assert made.next(1_029.0) is None
    assert made.next(1_030.0) == FSAS
    assert made.subscribed(FSAS.href, "/x", 1_030.0)
    assert made.wait_s(1_030.0) == 30.0


@pytest.mark.parametrize("resource", ["/edev/1/fsa", "https://other:1/edev/1/fsa", "/edev/1/fsa?l=10"])
def test_a_notification_finds_its_topic_whatever_host_it_names(resource: str) -> None:
    assert after(FSAS).topic_of(resource) == FSAS


@pytest.mark.parametrize(
    ("notification", "topic", "expected"),
    [
        (note(0, FunctionSetAssignmentsList(all=0, results=0)), FSAS, Meaning.USE),
        (note(0, FunctionSetAssignmentsList(all=3, results=0)), FSAS, Meaning.FETCH),
        (note(0), FSAS, Meaning.FETCH),
        (note(0, EndDevice(sFDI=1, changedTime=0)), DEVICE, Meaning.USE),
        (note(0, EndDevice(sFDI=1, changedTime=0)), FSAS, Meaning.UNUSABLE),
        (note(0, FunctionSetAssignmentsList(all=0, results=0)), None, Meaning.UNUSABLE),
        (note(1), FSAS, Meaning.GONE),
        (note(2), FSAS, Meaning.MOVED),
        (note(3), FSAS, Meaning.GONE),
        (note(4), FSAS, Meaning.GONE),
    ],
)
def test_each_status_and_content_has_its_meaning(
    notification: Notification, topic: Topic | None, expected: Meaning
) -> None:
    assert meaning_of(notification, topic) is expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (DERProgramList(all=0, results=0, subscribable=1), True),
        (EndDeviceList(all=0, results=0, subscribable=3), True),
        (DERProgramList(all=0, results=0, subscribable=2), False),
        (DERProgramList(all=0, results=0, subscribable=0), False),
        (DERProgramList(all=0, results=0), False),
        (Registration(dateTimeRegistered=0, pIN=111115), False),
        (Time(currentTime=0, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=7, tzOffset=0), False),
    ],
)
def test_only_what_the_server_marks_is_subscribed_to(resource: Resource, expected: bool) -> None:
    assert is_told(resource) is expected


def test_a_subscription_asks_for_xml_with_extensions_and_a_number_of_items() -> None:
    wish = wish_of(FSAS, "https://me:8443/x", 100)

    assert (wish.subscribedResource, wish.notificationURI) == ("/edev/1/fsa", "https://me:8443/x")
    assert (wish.encoding, wish.level, wish.limit) == (0, "+S1", 100)


def event(mrid: str, since: int) -> DERControl:
    return DERControl(
        href=f"/derp/1/derc/{mrid}",
        mRID=mrid,
        creationTime=1,
        EventStatus_=EventStatus(currentStatus=1, dateTime=since, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=1),
        DERControlBase_=DERControlBase(opModMaxLimW=5_000),
    )


def listed(*events: DERControl) -> DERControlList:
    return DERControlList(all=len(events), results=len(events), DERControl_=list(events))


@pytest.mark.parametrize(
    ("news", "held", "is_late"),
    [
        pytest.param(listed(event("A", 1), event("B", 2)), listed(event("A", 1)), False, id="one more"),
        pytest.param(listed(event("A", 5)), listed(event("A", 1)), False, id="a newer state"),
        pytest.param(listed(event("A", 1)), listed(event("A", 5)), True, id="an older state"),
        pytest.param(listed(event("A", 1)), listed(event("A", 1), event("B", 2)), True, id="one less"),
        pytest.param(listed(event("A", 1)), None, False, id="nothing is held"),
    ],
)
def test_a_notification_that_takes_back_what_is_known_may_be_late(
    news: DERControlList, held: DERControlList | None, *, is_late: bool
) -> None:
    assert takes_back(news, held) is is_late
