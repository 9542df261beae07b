"""Clients that misunderstand an event that is late, gone, for others, or rivalled by one of its program."""

import re
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

from der_client.session import Answer, Session
from tests.integration.conformance.own_client import Rig
from tests.integration.conformance.planted.doings import Ask, reading, sending, speaks
from tests.integration.conformance.planted.row import Kind, Plant, Planted

LAST_S: Final = 4_000_000_000
STANDING: Final = b"<DERControl "


def row(kind: Kind, name: str, broken: str, case: str, told: str, plant: Plant) -> Planted:
    """One fault that one case catches."""
    return Planted(name=name, kind=kind, broken=broken, cases=(case,), told=told, plant=plant)


def turned(found: re.Match[bytes]) -> bytes:
    """What is newer is older."""
    return b"%b%d" % (found[1], LAST_S - int(found[2]))


def missing_is_cancelled(rig: Rig) -> AbstractContextManager[None]:
    """A control that is no longer in its list is taken for cancelled."""
    known: dict[str, bytes] = {}

    async def tamper(
        ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
    ) -> Answer:
        answer = await ask(session, method, url, body, accept)
        if b"<DERControlList " not in answer.body:
            return answer
        if STANDING in answer.body:
            known[url] = answer.body
            return answer
        before = known.get(url, answer.body)
        return replace(answer, body=before.replace(b"<currentStatus>1<", b"<currentStatus>2<"))

    return speaks(tamper)(rig)


FAULTS: Final = (
    row(
        Kind.ORDER,
        "older-control-wins",
        "of two controls of one program the one that was created first is followed",
        "events/superseded/client",
        "answers the newer control",
        reading(rb"(<creationTime>)(\d+)", turned),
    ),
    row(
        Kind.CODE,
        "expired-as-received",
        "a control that is over when it comes is answered 1",
        "events/expired/client",
        "a control that is over",
        sending(rb"(Response.*?<status>)254<", rb"\g<1>1<"),
    ),
    row(
        Kind.DEAF,
        "late-taken-for-over",
        "a control that runs already when it comes is refused",
        "events/late/aggregator",
        "a control that came late",
        reading(rb"(<duration>)240<", rb"\g<1>10<"),
    ),
    row(
        Kind.STALE,
        "missing-is-cancelled",
        "a control that has left its list is taken for cancelled",
        "events/left-the-list/client",
        "answers the control",
        missing_is_cancelled,
    ),
    row(
        Kind.RANDOM,
        "random-cancel-unheeded",
        "a cancellation with randomization is not known",
        "events/cancelled-randomly/client",
        "answers the control",
        reading(rb"<currentStatus>3<", b"<currentStatus>1<"),
    ),
    row(
        Kind.RANDOM,
        "random-start-upwards",
        "a randomizeStart below zero makes events later",
        "events/random-start/client",
        "to the control comes",
        reading(rb"<randomizeStart>-", b"<randomizeStart>"),
    ),
    row(
        Kind.LEAK,
        "any-category-followed",
        "a control for other categories of devices is followed and answered",
        "events/other-category/aggregator",
        "a control for thermostats",
        reading(rb"<deviceCategory>\w+</deviceCategory>", b""),
    ),
    row(
        Kind.VALUE,
        "power-as-energy",
        "active power is mirrored with the kind of energy",
        "csip/BASIC-029/client",
        "kind 37",
        sending(rb"<kind>37<", b"<kind>12<"),
    ),
    row(
        Kind.VALUE,
        "wrong-power-of-ten",
        "readings are mirrored with a power of ten that is three too high",
        "csip/BASIC-029/aggregator",
        "rated for",
        sending(rb"<powerOfTenMultiplier>0<", b"<powerOfTenMultiplier>3<"),
    ),
)
