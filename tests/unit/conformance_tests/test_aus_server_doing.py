"""What must come back in every procedure for a server: each flaw that was planted is found."""

from collections.abc import Sequence
from typing import Any

import pytest

from conformance_tests import Case, Ended, Level, Role, Trial
from conformance_tests.aus.server_client import Client, Seen, Subscribed
from conformance_tests.aus.server_deeds import (
    Collect,
    Deed,
    Discover,
    Found,
    Listen,
    PostDevice,
    PutStatus,
    Refresh,
    Respond,
    RespondWrongly,
    Subscribe,
    Unsubscribe,
)
from conformance_tests.aus.server_doing import Doing
from conformance_tests.aus.server_notices import Arrival
from schemas import (
    DER,
    Codec,
    DeviceCapability,
    EndDeviceList,
    EndDeviceListLink,
    Error,
    Notification,
    Resource,
    Subscription,
    SubscriptionList,
)
from schemas.links import DERStatusLink
from tests.unit.conformance_tests.aus_viewer import LFDI, NoViewer
from tests.unit.conformance_tests.test_aus_server_judging import CONTROL, DEVICE, PROFILE

XML = "application/sep+xml"
NOTED = Subscription(
    subscribedResource="/edev", encoding=0, level="+S1", limit=100, notificationURI="https://here/a"
)
ERROR = Error(reasonCode=1)


class Stand:
    """A bench that is no server's: a notebook, a clock that stands, and an inbox."""

    def __init__(self) -> None:
        async def nothing(_: object) -> None: ...

        case: Case[Any] = Case(
            id="made/ONE/server",
            title="one",
            source="this test",
            clause="1",
            requirement="something holds",
            role=Role.SERVER,
            procedure=nothing,
        )
        self.trial = Trial(case, lambda: 1000.0)
        self.viewer = NoViewer(PROFILE)
        self.client = Client(name="client", viewer=self.viewer, lfdi=LFDI)
        self.arrivals: list[Arrival] = []
        self.refused: list[str] = []

    async def now(self) -> int:
        return 1000

    def uri_of(self, tag: str) -> str:
        return f"https://here/{tag}"

    def arrived(self, _: str) -> Sequence[Arrival]:
        return self.arrivals

    def take(self, tag: str, *, taken: bool) -> None:
        self.refused.append(f"{tag} {taken}")

    def found(self, kind: Found, value: object, href: str) -> None:
        self.client.found.setdefault(kind, []).append(Seen(kind, value, f"https://server{href}"))

    async def do(self, deed: Deed) -> list[tuple[Level, str]]:
        """What did not hold while a deed was done."""
        doing = Doing(self, self.client, self.client, self)  # type: ignore[arg-type]  # as much of a bench as deeds need
        try:
            await doing.do(deed)
        except Ended:
            assert self.trial.findings
        return [(one.level, one.what) for one in self.trial.findings if not one.held]


@pytest.fixture
def stand() -> Stand:
    """A client that has found an EndDevice, a DER, a control and a list."""
    made = Stand()
    made.found(Found.EDEV_LIST, EndDeviceList(all=1, results=1, subscribable=1), "/edev")
    made.found(Found.EDEV, DEVICE, "/edev/1")
    made.found(Found.DER, DER(DERStatusLink_=DERStatusLink(href="/ders")), "/der/1")
    made.found(Found.SUB_LIST, SubscriptionList(all=0, results=0), "/sub")
    return made


async def test_a_creating_post_without_location_fails(stand: Stand) -> None:
    stand.viewer.answers_with("POST", "/edev", 201)
    assert await stand.do(PostDevice()) == [(Level.MUST, "POST of the EndDevice tells its Location")]


async def test_a_post_that_is_refused_where_it_is_due_fails(stand: Stand) -> None:
    stand.viewer.answers_with("POST", "/edev", 403)
    assert await stand.do(PostDevice()) == [(Level.MUST, "POST of the EndDevice is granted with a 2xx")]


async def test_what_is_stored_otherwise_warns(stand: Stand) -> None:
    stand.viewer.answers_with("POST", "/edev", 201, location="/edev/2")
    stand.viewer.answers_with("GET", "/edev/2", 200, DEVICE)
    flaws = await stand.do(PostDevice())
    assert flaws == [(Level.SHOULD, "the EndDevice is stored as it was sent")]


async def test_a_request_that_must_be_refused_and_is_not_fails(stand: Stand) -> None:
    stand.viewer.answers_with("POST", "/edev", 201, location="/edev/2")
    flaws = await stand.do(PostDevice(refused=True))
    assert flaws == [(Level.MUST, "POST of the EndDevice is refused with a 4xx")]


async def test_a_refusal_is_no_server_error_and_its_body_is_an_error(stand: Stand) -> None:
    stand.viewer.answers_with("PUT", "/ders", 500, b"<html/>")
    assert await stand.do(PutStatus(connected=1, refused=True)) == [
        (Level.MUST, "PUT of the DERStatus is refused with a 4xx"),
        (Level.SHOULD, "the body of a refusal is an Error"),
    ]


async def test_a_refusal_with_an_error_is_right(stand: Stand) -> None:
    stand.viewer.answers_with("PUT", "/ders", 403, ERROR)
    assert await stand.do(PutStatus(connected=1, refused=True)) == []


async def test_a_list_that_must_be_empty_or_refused(stand: Stand) -> None:
    stand.viewer.answers_with("GET", "/edev", 200, EndDeviceList(all=0, results=0))
    stand.viewer.answers_with("GET", "/edev", 200, EndDeviceList(all=1, results=0))
    deed = Refresh(Found.EDEV_LIST, or_empty=True)
    assert await stand.do(deed) == []
    assert await stand.do(deed) == [(Level.MUST, "the list is empty")]


async def test_counts_of_a_list_that_are_wrong_warn(stand: Stand) -> None:
    start = DeviceCapability(EndDeviceListLink_=EndDeviceListLink(href="/edev"))
    stand.viewer.answers_with("GET", "/dcap", 200, start)
    stand.viewer.answers_with("GET", "/edev", 200, EndDeviceList(all=3, results=2, EndDevice_=[DEVICE]))
    stand.viewer.answers_with("GET", "/edev", 200, EndDeviceList(all=2, results=0))
    flaws = await stand.do(Discover((Found.EDEV,)))
    assert {level for level, _ in flaws} == {Level.SHOULD}
    assert {what for _, what in flaws} == {
        "`results` of a EndDeviceList counts its items",
        "`all` of a EndDeviceList is the same on each page",
        "`all` of a EndDeviceList is the number of items",
        "each EndDevice of a list has its href",
    }


async def test_a_list_without_end_fails(stand: Stand) -> None:
    start = DeviceCapability(EndDeviceListLink_=EndDeviceListLink(href="/edev"))
    stand.viewer.answers_with("GET", "/dcap", 200, start)
    stand.viewer.answers_with("GET", "/edev", 200, EndDeviceList(all=1, results=1, EndDevice_=[DEVICE]))
    flaws = await stand.do(Discover((Found.EDEV,)))
    assert (Level.MUST, "a EndDeviceList has at most 20 pages") in flaws


async def test_several_subscription_lists_fail_and_what_is_not_subscribable_warns(stand: Stand) -> None:
    stand.found(Found.FSA_LIST, EndDeviceList(all=0, results=0), "/fsa")
    stand.viewer.answers_with("POST", "/sub", 201, location="/sub/1")
    stand.viewer.answers_with("GET", "/sub/1", 200, NOTED)
    flaws = await stand.do(Subscribe("a", Found.FSA_LIST))
    assert (Level.SHOULD, "`subscribable` of the FunctionSetAssignmentsList is 1 or 3") in flaws
    stand.found(Found.SUB_LIST, SubscriptionList(all=0, results=0), "/sub2")
    flaws = await stand.do(Subscribe("a", Found.EDEV_LIST))
    assert (Level.MUST, "exactly one SubscriptionList is found") in flaws


async def test_a_subscription_that_outlives_its_end_fails(stand: Stand) -> None:
    stand.client.subscriptions["a"] = Subscribed("/edev", "https://server/sub/1", "https://here/a")
    stand.viewer.answers_with("DELETE", "/sub/1", 204)
    stand.viewer.answers_with("GET", "/sub/1", 200, NOTED)
    flaws = await stand.do(Unsubscribe("a"))
    assert flaws == [(Level.MUST, "a Subscription that was deleted is gone")]


async def test_a_response_that_must_be_refused_and_is_not_fails(stand: Stand) -> None:
    stand.found(Found.DERC, CONTROL, "/derc/1")
    control: Any = stand.client.found[Found.DERC][0].value
    control.replyTo = "/rsp"
    stand.viewer.answers_with("POST", "/rsp", 201)
    flaws = await stand.do(RespondWrongly(unknown_event=True))
    assert flaws == [(Level.MUST, "POST of a Response with an mRID of no event is refused with a 4xx")]
    assert f">{CONTROL.mRID}<".encode() not in stand.viewer.asked[-1][2]
    assert await stand.do(Respond()) == flaws
    assert [status for _, status in stand.client.sent] == [1, 2, 3]
    control.replyTo = None


def notice(resource: Resource | None, status: int = 0, subscribed: str = "/edev") -> bytes:
    """A Notification."""
    made = Notification(
        subscribedResource=subscribed,
        Resource_=resource,
        status=status,
        subscriptionURI="https://server/sub/1",
    )
    return Codec(PROFILE).encode(made)


LISTED = EndDeviceList(href="/edev", all=1, results=1, pollRate=30, EndDevice_=[DEVICE])


@pytest.mark.parametrize(
    ("arrival", "flaw"),
    [
        (Arrival(method="PUT", content_type=XML, body=notice(LISTED)), "a Notification is a POST"),
        (Arrival(method="POST", content_type="text/xml", body=notice(LISTED)), f"a Notification is {XML}"),
        (Arrival(method="POST", content_type=XML, body=b"<a/>"), "the body of a Notification parses"),
        (
            Arrival(method="POST", content_type=XML, body=notice(LISTED, subscribed="/x")),
            "a Notification names the subscribedResource",
        ),
        (Arrival(method="POST", content_type=XML, body=notice(None)), "a Notification has a Resource"),
        (
            Arrival(method="POST", content_type=XML, body=notice(LISTED, status=1)),
            "a Notification of an end has no Resource",
        ),
        (
            Arrival(method="POST", content_type=XML, body=notice(DER(href="/der/1"))),
            "a Notification carries what can be subscribed to",
        ),
    ],
)
async def test_a_notification_with_a_flaw_is_found(stand: Stand, arrival: Arrival, flaw: str) -> None:
    stand.client.subscriptions["a"] = Subscribed("/edev", "https://server/sub/1", "https://here/a")
    stand.arrivals = [arrival]
    assert flaw in {what for _, what in await stand.do(Collect("a"))}


async def test_what_a_notification_tells_is_found_once(stand: Stand) -> None:
    held = Subscribed("/edev", "https://server/sub/1", "https://here/a")
    stand.client.subscriptions["a"] = held
    stand.arrivals = [Arrival(method="POST", content_type=XML, body=notice(LISTED))]
    assert await stand.do(Collect("a")) == []
    assert await stand.do(Collect("a")) == []
    assert [one.kind for one in held.told] == [Found.EDEV_LIST, Found.EDEV]
    assert await stand.do(Listen("a", taken=False)) == []
    assert stand.refused == ["a False"]
