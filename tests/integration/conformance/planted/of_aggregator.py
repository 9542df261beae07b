"""Aggregators with one fault each that a CSIP procedure catches."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from der_client import listener, subscriber
from der_client.session import Answer, Session
from der_client.shelf import Shelf
from der_client.subscriber import Subscriber
from der_client.subscriptions import Meaning
from schemas import DERControlList
from tests.integration.conformance.own_client import Rig
from tests.integration.conformance.planted.doings import Ask, losing, reading, sending, speaks
from tests.integration.conformance.planted.row import Kind, Plant, Planted, instead


def row(kind: Kind, name: str, broken: str, clause: str, told: str, plant: Plant) -> Planted:
    """One fault that one procedure catches."""
    ids = (f"csip/{clause}/aggregator",)
    return Planted(name=name, kind=kind, broken=broken, cases=ids, told=told, plant=plant)


def lfdi_of(rig: Rig, name: str) -> bytes:
    """The LFDI of a device of the aggregator."""
    return str(rig.pki.credentials(name).lfdi).encode()


def in_the_name_of(name: str) -> Plant:
    """All Responses are of one device."""

    def plant(rig: Rig) -> AbstractContextManager[None]:
        other = b"<endDeviceLFDI>" + lfdi_of(rig, name) + b"<"
        return sending(rb"<endDeviceLFDI>\w+<", other)(rig)

    return plant


def also_in_the_name_of(name: str) -> Plant:
    """Each Response is posted for another device too."""

    def plant(rig: Rig) -> AbstractContextManager[None]:
        other = b"<endDeviceLFDI>" + lfdi_of(rig, name) + b"<"

        async def tamper(
            ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
        ) -> Answer:
            if body is not None and b"<endDeviceLFDI>" in body:
                head, _, rest = body.partition(b"<endDeviceLFDI>")
                await ask(session, method, url, head + other + rest.partition(b"<")[2], accept)
            return await ask(session, method, url, body, accept)

        return speaks(tamper)(rig)

    return plant


def silent_for(name: str) -> Plant:
    """No Response of one device is sent."""

    def plant(rig: Rig) -> AbstractContextManager[None]:
        return losing(rb"<endDeviceLFDI>" + lfdi_of(rig, name))(rig)

    return plant


@contextmanager
def polls_alone(rig: Rig) -> Iterator[None]:
    """Nothing is subscribed to."""
    before, rig.subscribes = rig.subscribes, False
    try:
        yield
    finally:
        rig.subscribes = before


def without_topic(topic: type) -> Plant:
    """One type of resource is never subscribed to."""
    return lambda _: instead(subscriber, "TOPICS", lambda all_: tuple(t for t in all_ if t is not topic))


def deaf(_: object) -> AbstractContextManager[None]:
    """Notifications are answered, and nothing is done."""
    return instead(Subscriber, "take", lambda _: lambda *_: True)


@contextmanager
def polls_deaf(_: object) -> Iterator[None]:
    """Notifications are answered and left alone, and everything is polled at the rates of the server."""
    with (
        instead(Subscriber, "take", lambda _: lambda *_: True),
        instead(Shelf, "slow_down", lambda _: lambda *_: None),
    ):
        yield


def answers_500(_: object) -> AbstractContextManager[None]:
    """A Notification that was used is answered with an error."""
    return instead(listener, "CREATED", lambda _: 500)


def takes_anything(_: object) -> AbstractContextManager[None]:
    """What is no Notification of what was subscribed to is taken."""
    return instead(subscriber, "meaning_of", lambda _: lambda *_, **__: Meaning.FETCH)


FAULTS: Final = (
    row(
        Kind.LEAK,
        "answers-for-another",
        "Responses are in the name of another device",
        "AGG-003",
        "Responses none",
        in_the_name_of("edb1"),
    ),
    row(
        Kind.LEAK,
        "answers-for-one-more",
        "each Response is sent for a device of another group too",
        "AGG-004",
        "Responses none",
        also_in_the_name_of("edb2"),
    ),
    row(
        Kind.RESPONSE,
        "silent-for-one",
        "no Response of one of four devices is sent",
        "AGG-003",
        "answers control c1 with the Responses 1, 2, 3",
        silent_for("eda2"),
    ),
    row(
        Kind.CODE,
        "aborted-as-cancelled",
        "a control that gives way before its start is answered as cancelled",
        "AGG-007",
        "answers control c1",
        sending(rb"(Response.*?<status>)(?:7|14)<", rb"\g<1>6<"),
    ),
    row(
        Kind.NOTICE,
        "polls-alone",
        "the aggregator subscribes to nothing",
        "CORE-018",
        "subscribes to the FunctionSetAssignmentsList",
        polls_alone,
    ),
    row(
        Kind.NOTICE,
        "no-subscription-to-controls",
        "no DERControlList is subscribed to",
        "UTIL-003",
        "subscribes to every DERControlList",
        without_topic(DERControlList),
    ),
    row(
        Kind.CODE,
        "notification-500",
        "a Notification is used, and answered 500",
        "CORE-018",
        "is answered 201",
        answers_500,
    ),
    row(
        Kind.CODE,
        "any-notification-taken",
        "a Notification with an EndDevice in the place of a list is taken",
        "ERR-002",
        "answered 400",
        takes_anything,
    ),
    row(
        Kind.DEAF,
        "notification-unheeded",
        "a Notification is answered, and nothing is done about it",
        "MAINT-003",
        "the programs of the new assignment are read",
        deaf,
    ),
    *(
        row(
            Kind.DEAF,
            f"polls-for-{name}",
            f"Notifications are answered, and left alone: {what}",
            *held,
            polls_deaf,
        )
        for name, what, held in (
            ("assignments", "assignments are polled", ("CORE-018", "reads the programs")),
            (
                "new-device",
                "a new device is found by polling",
                ("AGG-001", "assignments of the new EndDevice"),
            ),
            ("removal", "that a device is gone is found by polling", ("MAINT-001", "mirrored any more")),
            ("controls", "controls are polled", ("AGG-003", "answers control c1")),
        )
    ),
    row(
        Kind.STALE,
        "primacy-of-before",
        "programs keep the primacy that they had when they were found",
        "MAINT-005",
        "after the change",
        deaf,
    ),
    row(
        Kind.MISSING,
        "own-registration-unread",
        "the aggregator does not read its own Registration",
        "UTIL-002",
        "reads its own Registration",
        reading(rb"<RegistrationLink [^>]*/>", b""),
    ),
    row(
        Kind.MISSING,
        "ders-unreported",
        "nothing is put of the DER of any device",
        "UTIL-002",
        "is put",
        losing(rb"^.{,60}<DER(Capability|Settings|Status|Availability)"),
    ),
)
