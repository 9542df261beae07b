"""IEEE 2030.5-2018, 14; CSIP P31, P32, CORE-018, CORE-019, ERR-002."""

from dataclasses import replace
from typing import Any

import pytest

from der_client.subscriptions import (
    Meaning,
    Pace,
    Subscriptions,
    Topic,
    is_older,
    is_told,
    meaning_of,
    takes_back,
    wish_of,
)
from schemas import (
    Condition,
    DateTimeInterval,
    DefaultDERControl,
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
    Subscription,
    Time,
)

CONDITION = Condition(attributeIdentifier=0, lowerThreshold=1, upperThreshold=2)
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


OURS = "https://me:8443/secret"


def wished(topic: Topic) -> Subscription:
    return wish_of(topic, OURS, 100)


def there(topic: Topic, href: str) -> Subscription:
    """A subscription as a server shows it."""
    return replace(wished(topic), href=href, subscribedResource=f"https://server:8443{topic.href}")


def none_there(made: Subscriptions, now: float) -> None:
    """Find nothing in the SubscriptionList."""
    assert made.next(now) is None
    assert made.next_look(now) == "/edev/0/sub"
    assert made.looked("/edev/0/sub", [], wished, now) == []
    assert made.next_look(now) is None


def after(*topics: Topic) -> Subscriptions:
    """Subscriptions that were all made at 0 s."""
    made = Subscriptions(PACE)
    made.wish(topics, 0.0)
    none_there(made, 0.0)
    for topic in topics:
        made.subscribed(topic.href, f"/sub{topic.href}", 0.0)
    return made


def test_what_is_wished_for_is_posted_once_in_its_order() -> None:
    made = Subscriptions(PACE)
    made.wish([FSAS, CONTROLS], 5.0)
    none_there(made, 5.0)

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
    none_there(made, 0.0)
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


def test_after_an_outage_the_list_is_read_within_a_while_and_only_what_it_lacks_is_posted() -> None:
    made = after(FSAS, CONTROLS, DEVICE)
    made.doubt_all(1_000.0, lambda: 0.5)

    assert (made.next_look(1_029.0), made.next(1_029.0)) == (None, None)
    assert made.wait_s(1_020.0) == 10.0
    assert made.next_look(1_030.0) == "/edev/0/sub"
    found = [there(FSAS, "/sub/edev/1/fsa"), there(DEVICE, "/sub/edev/1")]
    assert made.looked("/edev/0/sub", found, wished, 1_030.0) == [FSAS, DEVICE]
    assert made.next(1_030.0) == CONTROLS
    assert made.subscribed(CONTROLS.href, "/x", 1_030.0)
    assert made.next(1_030.0) is None
    assert made.wait_s(43_199.0) == 1.0


@pytest.mark.parametrize(
    "other", [{"notificationURI": "https://me:1/old"}, {"limit": 1}, {"Condition_": CONDITION}]
)
def test_one_that_tells_something_else_or_elsewhere_is_not_the_one_wished_for(other: dict[str, Any]) -> None:
    made = after(FSAS)
    made.doubt_all(1_000.0, lambda: 0.0)

    assert made.looked("/edev/0/sub", [replace(there(FSAS, "/s/1"), **other)], wished, 1_000.0) == []
    assert made.next(1_000.0) == FSAS


def test_of_several_to_one_resource_the_known_one_is_kept_and_the_others_are_ended() -> None:
    made = after(FSAS)
    made.doubt_all(1_000.0, lambda: 0.0)
    several = [there(FSAS, href) for href in ("/s/1", "/sub/edev/1/fsa", "/s/2")]

    assert made.looked("/edev/0/sub", several, wished, 1_000.0) == [FSAS]
    assert made.held() == {FSAS.href: "/sub/edev/1/fsa"}
    assert sorted(made.leavers()) == ["/s/1", "/s/2"]


def test_one_that_expires_is_posted_though_it_is_there() -> None:
    made = after(FSAS)
    made.doubt_all(43_300.0, lambda: 0.0)

    assert made.looked("/edev/0/sub", [there(FSAS, "/s/1")], wished, 43_300.0) == [FSAS]
    assert made.next(43_300.0) == FSAS
    assert not made.subscribed(FSAS.href, "/s/1", 43_300.0)


def test_the_one_before_is_ended_where_a_server_makes_another_of_a_renewal() -> None:
    """CSIP-AUS S-ALL-26: a second subscription to the same resource succeeds."""
    made = after(FSAS)
    made.subscribed(FSAS.href, "https://server/sub/edev/1/fsa", 10.0)
    assert list(made.leavers()) == []

    made.subscribed(FSAS.href, "/sub/8", 20.0)
    assert list(made.leavers()) == ["https://server/sub/edev/1/fsa"]


def test_one_of_the_last_run_is_taken_up_and_renewed_when_it_was_to_be() -> None:
    made = Subscriptions(PACE)
    made.recall({FSAS.href: 500.0})
    made.wish([FSAS, CONTROLS], 0.0)

    found = [there(FSAS, "/s/1"), there(CONTROLS, "/s/2")]
    assert made.looked("/edev/0/sub", found, wished, 0.0) == [FSAS, CONTROLS]
    assert made.next(0.0) == CONTROLS
    assert not made.subscribed(CONTROLS.href, "/s/2", 0.0)
    assert made.wait_s(0.0) == 500.0


def test_a_list_that_cannot_be_read_yet_is_read_later() -> None:
    made = Subscriptions(PACE)
    made.wish([FSAS], 0.0)
    made.look_later("/edev/0/sub", 0.0, 7.0)

    assert made.next_look(6.9) is None
    assert made.wait_s(0.0) == 7.0
    assert made.next_look(7.0) == "/edev/0/sub"


def test_one_whose_list_is_another_now_is_posted_there() -> None:
    made = after(FSAS)
    made.doubt_all(1_000.0, lambda: 1.0)
    elsewhere = replace(FSAS, list_href="/edev/9/sub")
    made.wish([elsewhere], 1_001.0)

    assert made.next(1_001.0) == elsewhere


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


@pytest.mark.parametrize(
    ("news", "held", "is_so"),
    [
        (EndDevice(sFDI=1, changedTime=9), EndDevice(sFDI=1, changedTime=10), True),
        (EndDevice(sFDI=1, changedTime=10), EndDevice(sFDI=1, changedTime=10), False),
        (EndDevice(sFDI=1, changedTime=10), None, False),
        (
            DefaultDERControl(DERControlBase_=DERControlBase(), mRID="DD", version=1),
            DefaultDERControl(DERControlBase_=DERControlBase(), mRID="DD", version=2),
            True,
        ),
        (
            DefaultDERControl(DERControlBase_=DERControlBase(), mRID="DD", version=2),
            DefaultDERControl(DERControlBase_=DERControlBase(), mRID="DD", version=2),
            False,
        ),
        (
            DefaultDERControl(DERControlBase_=DERControlBase(), mRID="DD"),
            DefaultDERControl(DERControlBase_=DERControlBase(), mRID="DD", version=2),
            False,
        ),
        (
            DefaultDERControl(DERControlBase_=DERControlBase(), mRID="DD", version=1),
            DefaultDERControl(DERControlBase_=DERControlBase(), mRID="DD"),
            False,
        ),
    ],
)
def test_an_older_state_of_what_is_held_is_no_news(
    news: Resource, held: Resource | None, is_so: bool
) -> None:
    assert is_older(news, held) is is_so
