"""Servers with one fault each that a CSIP procedure catches."""

from functools import partial
from typing import Final

from tests.integration.conformance.planted.answers import (
    answers,
    next_digit,
    other_status,
    swapped,
    upside_down,
    without_header,
    without_items,
)
from tests.integration.conformance.planted.row import Kind, Planted
from tests.integration.conformance.tampering import Change


def row(
    kind: Kind, name: str, broken: str, clause: str, told: str, change: Change, *, warns: bool = False
) -> Planted:
    """One fault that one procedure catches."""
    return Planted(
        name=name,
        kind=kind,
        broken=broken,
        cases=(f"csip/{clause}/server",),
        told=told,
        plant=answers(change),
        warns=warns,
    )


order = partial(row, Kind.ORDER)
stale = partial(row, Kind.STALE)
code = partial(row, Kind.CODE)
value = partial(row, Kind.VALUE)
missing = partial(row, Kind.MISSING)

LISTS: Final = (
    order(
        "assignments-unordered",
        "FunctionSetAssignments come in the reverse order",
        "CORE-011",
        "order of their mRIDs",
        upside_down("FunctionSetAssignments"),
    ),
    order(
        "controls-unordered",
        "DERControls come in the reverse order",
        "BASIC-015",
        "order of their start",
        upside_down("DERControl"),
    ),
    order(
        "points-unordered",
        "the points of a curve come in the reverse order",
        "BASIC-006",
        "points",
        upside_down("CurveData"),
    ),
    order(
        "oldest-first",
        "the oldest LogEvent comes first",
        "BASIC-027",
        "newest first",
        upside_down("LogEvent"),
    ),
    row(
        Kind.PAGING,
        "one-too-many",
        "results of a page of one item is 2",
        "CORE-004",
        "results",
        swapped(' results="1"', ' results="2"'),
        warns=True,
    ),
    missing(
        "program-lost",
        "the program of the best primacy but one is not in its list",
        "CORE-010",
        "missing primacies [7]",
        without_items("DERProgram", "<primacy>7<"),
    ),
    missing(
        "level-missing",
        "an aggregator does not see the programs of one level",
        "UTIL-001",
        "programs of all nodes",
        without_items("DERProgram", "<primacy>6<"),
        warns=True,
    ),
    missing(
        "no-registration",
        "an EndDevice has no RegistrationLink",
        "CORE-003",
        "RegistrationLink",
        swapped("<RegistrationLink [^>]*/>", ""),
    ),
    row(
        Kind.NOTICE,
        "no-subscriptions",
        "an EndDevice has no SubscriptionListLink",
        "CORE-019",
        "SubscriptionListLink",
        swapped("<SubscriptionListLink [^>]*/>", ""),
    ),
    row(
        Kind.NOTICE,
        "not-subscribable",
        "nothing says that it can be subscribed to",
        "CORE-018",
        "subscribable",
        swapped(' subscribable="1"', ""),
    ),
)
IDENTITY: Final = (
    row(
        Kind.DIGIT,
        "pin-bad-check-digit",
        "the check digit of Registration.pIN is wrong",
        "CORE-009",
        "Registration.pIN",
        swapped("<pIN>111115<", "<pIN>111116<"),
    ),
    row(
        Kind.DIGIT,
        "sfdi-bad-check-digit",
        "the check digit of the sFDI of EndDevices is wrong",
        "BASIC-001",
        "sFDI",
        next_digit,
    ),
    value(
        "pin-of-another",
        "Registration.pIN is a valid PIN, but another",
        "CORE-009",
        "Registration.pIN",
        swapped("<pIN>111115<", "<pIN>111124<"),
    ),
    value(
        "sfdi-of-another",
        "an EndDevice has the sFDI of another",
        "BASIC-001",
        "sFDI",
        swapped("<sFDI>[0-9]+<", "<sFDI>167261211391<"),
    ),
)
HTTP: Final = (
    row(
        Kind.LOCATION,
        "no-location",
        "201 comes without Location",
        "CORE-002",
        "Location",
        without_header("location", 201),
        warns=True,
    ),
    missing(
        "no-allow", "405 comes without Allow", "CORE-002", "Allow", without_header("allow", 405), warns=True
    ),
    code(
        "unknown-method-405",
        "a method that nobody knows is answered 405",
        "CORE-001",
        "unknown method",
        other_status(501, 405),
        warns=True,
    ),
    code(
        "unknown-uri-403",
        "a URI that is none is answered 403",
        "CORE-002",
        "unknown URI",
        other_status(404, 403),
        warns=True,
    ),
    code(
        "put-202",
        "PUT of DERStatus is answered 202",
        "BASIC-028",
        "PUT of DERStatus",
        other_status(204, 202),
    ),
    code(
        "subscription-200",
        "a Subscription is answered 200",
        "UTIL-003",
        "Subscription",
        other_status(201, 200),
    ),
    code(
        "mirror-refused",
        "a MirrorUsagePoint is refused",
        "BASIC-029",
        "MirrorUsagePoint",
        other_status(201, 400),
    ),
    row(
        Kind.RESPONSE,
        "response-refused",
        "Responses are refused",
        "BASIC-019",
        "DERControlResponse",
        other_status(201, 400),
    ),
    row(
        Kind.RESPONSE,
        "managed-response-lost",
        "a Response of an aggregator for its device finds nobody",
        "AGG-003",
        "answers 201",
        other_status(201, 404),
    ),
)
STATUS: Final = (
    row(
        Kind.EARLY,
        "early-active",
        "a control that is to come is told as active",
        "BASIC-018",
        "is Scheduled",
        swapped("<currentStatus>0<", "<currentStatus>1<"),
    ),
    stale(
        "never-active",
        "a control that runs is told as scheduled",
        "BASIC-017",
        "is Active",
        swapped("<currentStatus>1<", "<currentStatus>0<"),
    ),
    stale(
        "superseded-too-soon",
        "a control that runs is told as superseded",
        "AGG-007",
        "is Active",
        swapped("<currentStatus>1<", "<currentStatus>4<"),
    ),
    stale(
        "cancelled-vanishes",
        "a cancelled control is not shown any more",
        "CORE-022",
        "has the control",
        without_items("DERControl", "<currentStatus>2<"),
    ),
    stale(
        "removed-still-there",
        "what was removed is still found",
        "MAINT-001",
        "answers 404",
        other_status(404, 200),
    ),
    stale(
        "old-primacy",
        "a program keeps the primacy that was changed",
        "MAINT-005",
        "new primacy",
        swapped("<primacy>1<", "<primacy>3<"),
    ),
    stale(
        "clock-stands",
        "the time of the server stands still",
        "CORE-005",
        "stands still",
        swapped("<currentTime>[0-9]+<", "<currentTime>1795700000<"),
    ),
)
VALUES: Final = (
    row(
        Kind.RANDOM,
        "no-randomization",
        "randomizeDuration of a control is lost",
        "CORE-021",
        "randomize",
        swapped("<randomizeDuration>.*?</randomizeDuration>", ""),
    ),
    row(
        Kind.RESPONSE,
        "no-response-asked",
        "controls ask for no Response",
        "BASIC-020",
        "bits 0 and 1",
        swapped('Required="07"', 'Required="00"'),
    ),
    value(
        "lost-value",
        "an element of DERStatus is lost",
        "BASIC-028",
        "DERStatus",
        swapped("<manufacturerStatus>.*?</manufacturerStatus>", ""),
    ),
    value(
        "rounded-setting",
        "a setting reads back rounded",
        "CORE-014",
        "DERSettings",
        swapped("<value>4800<", "<value>4000<"),
    ),
    value(
        "time-quality",
        "the quality of the time is none that there is",
        "CORE-005",
        "quality",
        swapped("<quality>[0-9]<", "<quality>2<"),
    ),
    value(
        "longer-control",
        "a control is told a second too long",
        "BASIC-024",
        "interval",
        swapped("<duration>120<", "<duration>121<"),
    ),
    value(
        "other-value",
        "a limit is told a hundredth of a percent too low",
        "BASIC-010",
        "modes of c1",
        swapped("<opModMaxLimW>6000<", "<opModMaxLimW>5999<"),
    ),
    value(
        "other-default",
        "the default of a program has another power factor",
        "BASIC-016",
        "default of SY",
        swapped("<displacement>960<", "<displacement>950<"),
    ),
    value(
        "ramp-lost",
        "setSoftGradW of the default is lost",
        "BASIC-007",
        "setSoftGradW",
        swapped("<setSoftGradW>[0-9]+</setSoftGradW>", ""),
    ),
    value(
        "managed-setting",
        "a setting that an aggregator put reads back rounded",
        "UTIL-002",
        "DERSettings",
        swapped("<value>4800<", "<value>4000<"),
    ),
    value(
        "managed-default",
        "an aggregator is told another default of a transformer",
        "AGG-002",
        "default of TFA",
        swapped("<displacement>961<", "<displacement>950<"),
    ),
)
FAULTS: Final = (*LISTS, *IDENTITY, *HTTP, *STATUS, *VALUES)
