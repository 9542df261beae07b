"""Servers with one fault each that a procedure of CSIP-AUS catches."""

import re
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any, Final

from conformance_tests.evidence import Exchange
from conformance_tests.server.target import ServerTarget
from conformance_tests.server.wire import Wire
from sep2_server.notifications.posting import Posting
from tests.integration.conformance.planted.answers import (
    answers,
    asks,
    notifies,
    swapped,
    without_header,
    without_items,
)
from tests.integration.conformance.planted.row import Kind, Plant, Planted, instead
from tests.integration.conformance.tampering import Change, answering, to


def row(
    kind: Kind, name: str, broken: str, clause: str, told: str, plant: Plant, *, warns: bool = False
) -> Planted:
    """One fault that one procedure catches."""
    ids = (f"csip-aus/{clause}/server",)
    return Planted(name=name, kind=kind, broken=broken, cases=ids, told=told, plant=plant, warns=warns)


def changed(
    kind: Kind, name: str, broken: str, clause: str, told: str, change: Change, *, warns: bool = False
) -> Planted:
    """One fault of what is answered."""
    return row(kind, name, broken, clause, told, answers(change), warns=warns)


def silent(_: object) -> AbstractContextManager[None]:
    """Notifications are counted as delivered, and never sent."""
    return instead(Posting, "post", lambda _: sent_nothing)


async def sent_nothing(*_: object) -> int:
    """The answer of a listener that was never asked."""
    return 201


def leaking(target: ServerTarget) -> AbstractContextManager[None]:
    """Whoever is refused gets what the second device would."""
    plain = Wire.request

    async def request(wire: Wire, *asked: Any) -> Exchange:  # noqa: ANN401  as the method
        answer = await plain(wire, *asked)
        other = target.other or target.device
        is_refused = answer.status in {403, 404}
        return await plain(target.wire(other, "other device"), *asked) if is_refused else answer

    return instead(Wire, "request", lambda _: request)


def refusing_readings(answer: Exchange) -> Exchange:
    """Readings for a mirror that is there are refused."""
    return replace(answer, status=400) if re.search(r"/mup/\d+", answer.uri) else answer


leak = partial(changed, Kind.LEAK)
stale = partial(changed, Kind.STALE)
code = partial(changed, Kind.CODE)
value = partial(changed, Kind.VALUE)
digit = partial(changed, Kind.DIGIT)


FAULTS: Final = (
    value(
        "clock-of-another-hour",
        "the time of the server is an hour behind",
        "S-ALL-01",
        "clock of the server",
        swapped("<currentTime>[0-9]+<", "<currentTime>1700000000<"),
    ),
    changed(
        Kind.LOCATION,
        "registered-without-location",
        "201 for an EndDevice comes without Location",
        "S-ALL-02",
        "Location",
        without_header("location", 201),
    ),
    changed(
        Kind.LOCATION,
        "mirror-without-location",
        "201 for a MirrorUsagePoint comes without Location",
        "S-ALL-06",
        "Location",
        without_header("location", 201),
    ),
    row(
        Kind.LEAK,
        "shows-another",
        "a device that is refused is answered as if it were another",
        "S-ALL-05",
        "is refused",
        leaking,
    ),
    leak(
        "registers-another",
        "a device registers the certificate of another",
        "S-ALL-52",
        "EndDevice is refused with a 4xx",
        to("POST", answering(201, Location="/edev/99")),
    ),
    code(
        "registers-twice",
        "a device that is known registers again",
        "S-ALL-51",
        "EndDevice is refused with a 4xx",
        to("POST", answering(201, Location="/edev/99")),
    ),
    code(
        "lfdi-of-letters",
        "an LFDI that is no number is registered",
        "S-ALL-56",
        "EndDevice is refused with a 4xx",
        to("POST", answering(201, Location="/edev/99")),
    ),
    code(
        "any-response-taken",
        "Responses of nobody, to nothing, of no status are taken",
        "S-ALL-57",
        "is refused with a 4xx",
        to("POST", answering(201, Location="/rsps/99")),
    ),
    digit(
        "any-connection-point",
        "a connection point without a check digit is taken",
        "S-OPT-02",
        "is refused with a 4xx",
        to("PUT", answering(204)),
        warns=True,
    ),
    digit(
        "agreed-pin-bad-check-digit",
        "the check digit of the PIN that was agreed is wrong",
        "S-OPT-04",
        "PIN",
        swapped("<pIN>([0-9]*)[0-9]<", r"<pIN>\g<1>6<"),
        warns=True,
    ),
    stale(
        "old-connection-point",
        "a connection point keeps its first id",
        "S-ALL-53",
        "stored as it was sent",
        swapped("63051028[0-9]*", "41023352100"),
        warns=True,
    ),
    stale(
        "status-not-stored",
        "DERStatus reads back as it was at first",
        "S-ALL-08",
        "stored as it was sent",
        swapped("<value>06</value>", "<value>07</value>"),
        warns=True,
    ),
    changed(
        Kind.EARLY,
        "active-before-its-start",
        "a control that is to come is told as active",
        "S-ALL-45",
        "status 0",
        swapped("<currentStatus>0<", "<currentStatus>1<"),
    ),
    stale(
        "active-told-as-scheduled",
        "a control that runs is told as scheduled",
        "S-ALL-14",
        "status 1",
        swapped("<currentStatus>1<", "<currentStatus>0<"),
    ),
    stale(
        "cancelled-for-late-clients-lost",
        "a cancelled control is not there for a client that is late",
        "S-ALL-42",
        "status 2",
        without_items("DERControl", "<currentStatus>2<"),
    ),
    changed(
        Kind.RANDOM,
        "half-the-random-start",
        "randomizeStart is half of what was ordered",
        "S-ALL-45",
        "randomize_start_s 60",
        swapped("<randomizeStart>60<", "<randomizeStart>30<"),
    ),
    row(
        Kind.PAGING,
        "page-of-nine",
        "a page of ten has nine controls",
        "S-ALL-44",
        "10 to 10",
        asks("l=10", "l=9"),
    ),
    changed(
        Kind.PACE,
        "old-poll-rate",
        "pollRate of the EndDeviceList stays as it was",
        "S-ALL-43",
        "pollRate",
        swapped('pollRate="60"', 'pollRate="300"'),
    ),
    value(
        "export-limit-of-one-watt",
        "a control that forbids export lets one watt through",
        "S-ALL-11",
        "opModExpLimW",
        swapped("(opModExpLimW>.*?<value>)[0-9]+<", r"\g<1>1<"),
    ),
    value(
        "ramp-time-lost",
        "rampTms of a control is lost",
        "S-ALL-18",
        "ramp 3000",
        swapped("<rampTms>[0-9]+</rampTms>", ""),
    ),
    value(
        "slower-ramp",
        "setGradW of a default is another",
        "S-ALL-48",
        "ramp 100",
        swapped("<setGradW>100<", "<setGradW>27<"),
    ),
    value(
        "primacy-of-another",
        "the second program has the primacy of the first",
        "S-ALL-49",
        "primacy 2",
        swapped("<primacy>2<", "<primacy>1<"),
    ),
    row(
        Kind.NOTICE,
        "notifications-lost",
        "no Notification is sent",
        "S-ALL-27",
        "DERControls",
        silent,
    ),
    row(
        Kind.PAGING,
        "aus-notified-results",
        "results of a list in a Notification is one too many",
        "S-ALL-28",
        "results of the",
        notifies('results="1"', 'results="2"'),
        warns=True,
    ),
    code(
        "subscription-not-deleted",
        "a subscription cannot be deleted",
        "S-ALL-26",
        "DELETE of the Subscription",
        to("DELETE", answering(405)),
    ),
    code(
        "reading-refused",
        "readings of a mirror are refused",
        "S-ALL-07",
        "granted with a 2xx",
        to("POST", refusing_readings),
    ),
)
