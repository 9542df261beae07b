"""What a subscription may ask for, when a value is told, when a delivery is tried again."""

import pytest

from schemas import Condition, Subscription
from schemas.codes import SubscribableType
from sep2_server.body_codecs import XML_ALONE
from sep2_server.errors import BadRequest
from sep2_server.notifications import rules
from sep2_server.notifications.counters import Counters, Result, result_of
from sep2_server.notifications.settling import Turn

OURS = frozenset({"us:8443"})


def asked(condition: Condition | None = None, *, encoding: int = 0, level: str = "+S1") -> Subscription:
    return Subscription(
        subscribedResource="/edev",
        Condition_=condition,
        encoding=encoding,
        level=level,
        limit=1,
        notificationURI="https://there/",
    )


@pytest.mark.parametrize(
    ("subscription", "kind", "reason"),
    [
        (asked(encoding=1), 1, 1),
        (asked(level="S1"), 1, 1),
        (asked(), 0, 1),
        (asked(Condition(attributeIdentifier=0, lowerThreshold=1, upperThreshold=2)), 1, 3),
        (asked(Condition(attributeIdentifier=1, lowerThreshold=1, upperThreshold=2)), 3, 3),
        (asked(Condition(attributeIdentifier=0, lowerThreshold=2, upperThreshold=1)), 3, 1),
    ],
    ids=["EXI", "level", "not subscribable", "condition of a list", "other attribute", "empty window"],
)
def test_what_cannot_be_served_is_refused_with_its_reason(
    subscription: Subscription, kind: int, reason: int
) -> None:
    with pytest.raises(BadRequest) as refused:
        rules.require_sound(subscription, SubscribableType(kind), XML_ALONE.encodings)
    assert refused.value.reason == reason


def test_an_encoding_that_is_refused_is_named() -> None:
    with pytest.raises(BadRequest, match=r"encoding 1 \(EXI\) cannot be written; there is 0 \(XML\)"):
        rules.require_sound(asked(encoding=1), SubscribableType.BOTH, XML_ALONE.encodings)


def test_a_condition_on_a_reading_is_sound() -> None:
    window = Condition(attributeIdentifier=0, lowerThreshold=1, upperThreshold=1)
    rules.require_sound(asked(window), SubscribableType.BOTH, XML_ALONE.encodings)


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("/edev", "/edev"),
        ("/edev?s=1&l=2", "/edev"),
        ("https://us:8443/edev", "/edev"),
        ("HTTPS://US:8443/edev?l=1", "/edev"),
    ],
)
def test_a_subscribed_resource_is_a_path_of_ours(resource: str, path: str) -> None:
    assert rules.local_path(resource, OURS) == path


@pytest.mark.parametrize(
    "resource",
    ["https://others/edev", "//others/edev", "ftp://us:8443/edev", "edev", "", "/ed ev", "/ed\nev", "/é"],
)
def test_a_resource_of_others_cannot_be_subscribed_to(resource: str) -> None:
    with pytest.raises(BadRequest):
        rules.local_path(resource, OURS)


def test_a_query_is_left_out_of_what_notifications_name() -> None:
    assert rules.without_query("/edev?s=1#x") == "/edev"


@pytest.mark.parametrize(
    "uri",
    [
        "/ntfy",
        "http://there/ntfy",
        "https:///ntfy",
        "https://me:secret@there/ntfy",
        "https://there@elsewhere/",
        "https://there/\r\nHost: elsewhere",
        "https://there/ ntfy",
        "https://there/#part",
        "https://there:99999/",
        "https://there:port/",
        "https://th_ere/",
        "https://[::1%25eth0]/",
        "https://[::1/",
        "https://there\\@elsewhere/",
        "https://th\u2024re/",
        "https://there/" + "a" * 3000,
        "file:///etc/passwd",
    ],
)
def test_a_notification_uri_that_cannot_be_posted_to_is_refused(uri: str) -> None:
    with pytest.raises(BadRequest):
        rules.require_notification_uri(uri, allow_http=False)


def test_plain_http_is_a_setting() -> None:
    assert rules.require_notification_uri("http://there/", allow_http=True).hostname == "there"


@pytest.mark.parametrize(
    ("seen", "value", "told"),
    [
        ("in", 5, False),
        ("in", 10, False),
        ("in", 11, True),
        ("in", -1, True),
        ("out", 11, False),
        ("out", -7, False),
        ("out", 0, True),
        (None, 5, False),
        (None, 11, True),
    ],
)
def test_a_value_is_told_when_it_leaves_the_window_or_comes_back(
    seen: str | None, value: int, *, told: bool
) -> None:
    assert rules.crosses(seen, value, 0, 10) is told


@pytest.mark.parametrize(
    ("attempts", "due"), [(1, 10_500), (2, 100_500), (3, 300_500), (4, 1_800_500), (5, None)]
)
def test_a_failed_delivery_is_tried_again_later_and_later(attempts: int, due: int | None) -> None:
    assert rules.retry_at(500, attempts, (10, 100, 300, 1800)) == due


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Result.DELIVERED),
        (201, Result.DELIVERED),
        (204, Result.DELIVERED),
        (301, Result.REFUSED),
        (307, Result.REFUSED),
        (400, Result.UNWANTED),
        (404, Result.REFUSED),
        (429, Result.REFUSED),
        (500, Result.FAILED),
        (503, Result.FAILED),
    ],
)
def test_an_answer_means_one_thing(status: int, result: Result) -> None:
    assert result_of(status) is result


def test_counters_have_a_number_for_each_result() -> None:
    counters = Counters()
    counters.deliveries[Result.DELIVERED] += 2
    counters.dead += Turn([], 1).dead
    assert counters.as_numbers() == {
        "owed": 0,
        "dead": 1,
        "dropped": 0,
        "deliveries_delivered": 2,
        "deliveries_refused": 0,
        "deliveries_unwanted": 0,
        "deliveries_failed": 0,
        "deliveries_lost": 0,
        "deliveries_gone": 0,
        "deliveries_withheld": 0,
        "deliveries_later": 0,
    }
