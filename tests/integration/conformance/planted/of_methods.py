"""Servers that do the wrong thing for a method, or for the wrong device."""

from dataclasses import replace
from functools import partial
from typing import Final

from conformance_tests.evidence import Exchange
from tests.integration.conformance.planted.answers import answers, mistaken, swapped
from tests.integration.conformance.planted.row import Kind, Plant, Planted
from tests.integration.conformance.tampering import Change, answering, to


def method(
    kind: Kind, name: str, broken: str, case: str, told: str, change: Change, *, warns: bool = False
) -> Planted:
    """One fault of the answers to a method."""
    ids = (f"methods/{case}/server",)
    return Planted(
        name=name, kind=kind, broken=broken, cases=ids, told=told, plant=answers(change), warns=warns
    )


def access(name: str, broken: str, plant: Plant, *cases: str) -> Planted:
    """One fault of who may what."""
    ids = tuple(f"access/{case}/server" for case in cases)
    return Planted(name=name, kind=Kind.LEAK, broken=broken, cases=ids, plant=plant)


def blind(answer: Exchange) -> Exchange:
    """An aggregator finds nothing."""
    return replace(answer, status=404) if answer.by == "aggregator" else answer


wrong = partial(method, Kind.METHOD)
READ_ONLY: Final = "GET, HEAD"
METHODS: Final = (
    wrong(
        "put-that-must-fail",
        "PUT of a list works",
        "DERControlList-PUT",
        "is refused with 400, or 405",
        to("PUT", answering(204)),
    ),
    wrong(
        "delete-that-must-fail",
        "DELETE of Time works",
        "Time-DELETE",
        "is refused with 400, or 405",
        to("DELETE", answering(204)),
    ),
    wrong(
        "put-of-self-device",
        "PUT of SelfDevice works",
        "SelfDevice-PUT",
        "should not be supported",
        to("PUT", answering(204)),
        warns=True,
    ),
    wrong(
        "no-put",
        "PUT of DERStatus is not allowed",
        "DERStatus-PUT",
        "PUT at DERStatus works",
        to("PUT", answering(405, Allow=READ_ONLY)),
    ),
    wrong(
        "no-head",
        "HEAD is not allowed",
        "Time-HEAD",
        "HEAD of a Time answers 200",
        to("HEAD", answering(405, Allow="GET")),
    ),
    wrong(
        "no-delete",
        "DELETE of a LogEvent is not allowed",
        "LogEvent-DELETE",
        "DELETE answers 200 or 204",
        to("DELETE", answering(405, Allow=READ_ONLY)),
    ),
    wrong(
        "allow-of-all",
        "Allow names a method that is not",
        "DERControlList-PUT",
        "Allow does not name PUT",
        to("PUT", answering(405, Allow="GET, HEAD, PUT")),
    ),
    wrong(
        "allow-of-less",
        "Allow leaves out a method that is",
        "DERStatus-POST",
        "Allow names GET, HEAD, PUT",
        to("POST", answering(405, Allow=READ_ONLY)),
    ),
    method(
        Kind.CODE,
        "500-for-405",
        "a POST that must be refused is an error of the server",
        "DERControl-POST",
        "is refused with 400, or 405",
        to("POST", answering(500)),
    ),
    method(
        Kind.CODE,
        "200-for-201",
        "a LogEvent that is new is answered 200",
        "LogEventList-POST",
        "is answered 201",
        to("POST", answering(200)),
    ),
    method(
        Kind.CODE,
        "204-for-201",
        "a MirrorUsagePoint that is new is answered 204, as one that is known",
        "MirrorUsagePointList-POST",
        "is answered 201",
        to("POST", answering(204)),
    ),
    method(
        Kind.MISSING,
        "405-without-allow",
        "405 comes without Allow",
        "DERControlList-PUT",
        "has an Allow header",
        to("PUT", answering(405, Allow="")),
    ),
    method(
        Kind.LOCATION,
        "log-event-without-location",
        "201 for a LogEvent comes without Location",
        "LogEventList-POST",
        "has a Location",
        to("POST", answering(201, Location="")),
    ),
    method(
        Kind.STALE,
        "deleted-still-there",
        "a subscription that was deleted is still there",
        "Subscription-DELETE",
        "what was deleted is gone",
        to("GET", answering(200), status=404),
    ),
    method(
        Kind.FORM,
        "another-type",
        "where DERStatus is due another resource comes",
        "DERStatus-GET",
        "GET answers with a DERStatus",
        to("GET", swapped("DERStatus", "DERSettings")),
    ),
)
ACCESS: Final = (
    access(
        "reads-as-another",
        "a device reads the status, entry and mirrors of another",
        mistaken({"other device", "aggregator"}.__contains__),
        "DERStatus-other",
        "EndDevice-other",
        "MirrorUsagePointList-other",
        "own-entry",
    ),
    access(
        "writes-as-another",
        "a device puts the settings of another, posts and deletes its log events",
        mistaken({"other device", "aggregator"}.__contains__),
        "DERSettings-put",
        "LogEvent-delete",
        "LogEventList-post",
    ),
    access(
        "unknown-device-let-in",
        "a device that is not registered reads programs and devices",
        mistaken(lambda by: "unknown" in by),
        "derp-unknown",
        "edev-unknown",
    ),
    access(
        "nobody-let-in",
        "who has no certificate reads programs",
        mistaken(lambda by: "nobody" in by),
        "derp-nobody",
    ),
    access(
        "aggregator-shut-out",
        "an aggregator does not find the status of its own device",
        answers(blind),
        "DERStatus-aggregator",
    ),
    access(
        "readings-for-another",
        "readings in the name of another device are taken",
        answers(to("POST", answering(201))),
        "mirror-for-other",
    ),
)
FAULTS: Final = (*METHODS, *ACCESS)
