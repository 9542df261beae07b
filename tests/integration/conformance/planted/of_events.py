"""Servers that tell the status of events, or of what they notify, wrongly."""

from typing import Final

from tests.integration.conformance.planted.answers import answers, later, notifies, swapped
from tests.integration.conformance.planted.row import Kind, Plant, Planted
from tests.integration.conformance.tampering import Change

FLAG: Final = "<potentiallySuperseded>{}<"
ACTIVE: Final = r"<currentStatus>1(</currentStatus><dateTime>\d+</dateTime><potentiallySuperseded>true)"


def status(kind: Kind, name: str, broken: str, told: str, change: Change, *cases: str) -> Planted:
    """One fault of what is told of events."""
    ids = tuple(f"{case}/server" for case in cases)
    return Planted(name=name, kind=kind, broken=broken, cases=ids, told=told, plant=answers(change))


def notice(kind: Kind, name: str, broken: str, told: str, plant: Plant, *cases: str) -> Planted:
    """One fault of what is notified."""
    ids = tuple(f"csip/{case}/server" for case in cases)
    return Planted(name=name, kind=kind, broken=broken, cases=ids, told=told, plant=plant)


STATUS: Final = (
    status(
        Kind.STALE,
        "never-superseded",
        "a control that a newer one has taken the place of is told as active",
        "is Superseded (4)",
        swapped("<currentStatus>4<", "<currentStatus>1<"),
        "events/superseded",
    ),
    status(
        Kind.STALE,
        "superseded-by-a-part",
        "a control of which a newer one has one of two modes is told as superseded",
        "though one of its modes is taken over",
        swapped(ACTIVE, r"<currentStatus>4\1"),
        "events/partly-superseded",
    ),
    status(
        Kind.VALUE,
        "flag-never-set",
        "potentiallySuperseded is false whatever overlaps",
        "potentiallySuperseded of the control of two modes is true",
        swapped(FLAG.format("true"), FLAG.format("false")),
        "events/partly-superseded",
    ),
    status(
        Kind.VALUE,
        "flag-always-set",
        "potentiallySuperseded is true though nothing overlaps",
        "potentiallySuperseded",
        swapped(FLAG.format("false"), FLAG.format("true")),
        "events/independent",
        "lists/FlowReservationResponseList-status",
    ),
    status(
        Kind.STALE,
        "flag-time-ahead",
        "potentiallySupersededTime is an hour ahead",
        "potentiallySupersededTime of the control of two modes is not in the future",
        later("potentiallySupersededTime", 3600),
        "events/partly-superseded",
    ),
    status(
        Kind.STALE,
        "flag-time-of-before",
        "potentiallySupersededTime is an hour before the rival came",
        "is when its rival came",
        later("potentiallySupersededTime", -3600),
        "events/partly-superseded",
    ),
    status(
        Kind.STALE,
        "creation-time-ahead",
        "creationTime of events is an hour ahead",
        "creationTime",
        later("creationTime", 3600),
        "csip/BASIC-019",
        "lists/EndDeviceControlList-status",
    ),
    status(
        Kind.STALE,
        "creation-time-of-yesterday",
        "creationTime of events is a day old",
        "creationTime of the older control is when it was published",
        later("creationTime", -86_400),
        "events/superseded",
    ),
    status(
        Kind.STALE,
        "status-time-ahead",
        "EventStatus.dateTime is an hour ahead while an event is scheduled",
        "EventStatus.dateTime",
        swapped(r"(<currentStatus>0</currentStatus><dateTime>)\d+", r"\g<1>4102444800"),
        "csip/BASIC-020",
        "lists/TextMessageList-status",
    ),
    status(
        Kind.STALE,
        "scheduled-for-ever",
        "every event is told as scheduled",
        "is Scheduled (0) after its start",
        swapped("<currentStatus>1<", "<currentStatus>0<"),
        "lists/DERControlList-status",
    ),
    status(
        Kind.RANDOM,
        "active-at-its-start-alone",
        "a control that devices may start early is told as scheduled until its start",
        "once a device may have started",
        swapped("<currentStatus>1<", "<currentStatus>0<"),
        "events/random-start",
    ),
    status(
        Kind.RANDOM,
        "cancelled-at-once",
        "a control that is cancelled with randomization is told as cancelled at once",
        "once it is cancelled so",
        swapped("<currentStatus>3<", "<currentStatus>2<"),
        "events/cancelled-randomly",
    ),
)
NOTICES: Final = (
    notice(
        Kind.PAGING,
        "notified-results",
        "results of a list in a Notification is one too many",
        "results of the",
        notifies('results="1"', 'results="2"'),
        "CORE-018",
    ),
    notice(
        Kind.PAGING,
        "notified-all",
        "all of a list in a Notification is 0",
        "all of the",
        notifies(r' all="\d+"', ' all="0"'),
        "MAINT-004",
    ),
    notice(
        Kind.VALUE,
        "change-told-as-end",
        "a change is told as the end of the subscription",
        "has status 0",
        notifies("<status>0<", "<status>1<"),
        "AGG-001",
    ),
    notice(
        Kind.VALUE,
        "end-told-as-change",
        "the end of a subscription is told as a change",
        "has status 1",
        notifies("<status>1<", "<status>0<"),
        "ERR-002",
    ),
    notice(
        Kind.VALUE,
        "notified-status-reserved",
        "the status of Notifications is one that there is not",
        "is reserved",
        notifies("<status>[01]<", "<status>9<"),
        "CORE-019",
    ),
    notice(
        Kind.FORM,
        "notified-unordered",
        "the elements of a Notification do not stand in their order",
        "valid by the schema",
        notifies(r"(<status>\d</status>)(<subscriptionURI>[^<]*</subscriptionURI>)", r"\2\1"),
        "MAINT-001",
    ),
    notice(
        Kind.VALUE,
        "notified-subscription-of-another",
        "subscriptionURI is that of another subscription",
        "subscriptionURI",
        notifies("(<subscriptionURI>[^<]*)(</)", r"\g<1>1\2"),
        "CORE-018",
    ),
)
FAULTS: Final = (*STATUS, *NOTICES)
