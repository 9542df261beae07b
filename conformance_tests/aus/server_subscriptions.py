"""Subscription and notification, S-ALL-25 to S-ALL-40 and S-ALL-46, all of them with an aggregator."""

from __future__ import annotations

from typing import Final

from conformance_tests.aus.server_deeds import Collect, Forget, Found, Listen, Pause, Subscribe, Unsubscribe
from conformance_tests.aus.server_notation import (
    ACTIVE,
    COMBINED,
    COMBINED_LIMITS,
    NO_EXCHANGE,
    ONE,
    ONE_AGGREGATOR,
    OWN,
    PROGRAMMED,
    REGISTERED,
    SCHEDULED,
    SOME,
    active,
    allowed,
    controls,
    defaults,
    do,
    find,
    modes,
    there,
)
from conformance_tests.aus.server_words import (
    Assignments,
    Between,
    ClearControls,
    Controls,
    Defaults,
    DeviceLists,
    Duty,
    EnsureAssignment,
    EnsureControlList,
    EnsureProgram,
    Modes,
    Programs,
    Publish,
    ServerProcedure,
    ServerStep,
    SetPollRate,
    Test,
)

CATEGORY: Final = "Subscription / Notification"
AS_BEFORE: Final = "The EndDevice is registered and the client subscribes as in S-ALL-25."
PROGRAM: Final = (Found.EDEV, Found.FSA, Found.DERP, Found.SUB_LIST)
WITH_CONTROLS: Final = (*PROGRAM, Found.DERC, Found.DERC_LIST)
EDEVS, FSAS, DERPS, DERCS, DDERC = (
    "edev_list_sub",
    "fsa_list_sub",
    "derp_list_sub",
    "derc_list_sub",
    "dderc_sub",
)


def procedure(name: str, title: str, *steps: ServerStep) -> ServerProcedure:
    """One procedure of this module."""
    return ServerProcedure(name=name, title=title, category=CATEGORY, clients=ONE_AGGREGATOR, steps=steps)


def subscribe(tag: str, resource: Found) -> ServerStep:
    """The client subscribes."""
    return do(f"subscribe to {resource}", Subscribe(tag, resource))


def told(tag: str, check: Test, *duties: Duty) -> ServerStep:
    """The operator changes something; a Notification tells of it."""
    return do(f"notified by {tag}", Collect(tag), check, duties=duties, until=True)


ALL_25: Final = procedure(
    "S-ALL-25",
    "a client can subscribe to all that changes, and is told",
    there(*PROGRAM),
    subscribe(EDEVS, Found.EDEV_LIST),
    told(
        EDEVS,
        DeviceLists(number=ONE, poll_s=30, subscription=EDEVS),
        SetPollRate(Found.EDEV_LIST, 30),
    ),
    subscribe(FSAS, Found.FSA_LIST),
    told(FSAS, Assignments(number=ONE, subscription=FSAS), EnsureAssignment("fsa1")),
    find("find the new programs", Found.DERP_LIST, until=False),
    subscribe(DERPS, Found.DERP_LIST),
    told(DERPS, Programs(number=ONE, assignment=-1, subscription=DERPS), EnsureProgram("fsa1")),
    find("find the controls", Found.DERC_LIST, duties=(EnsureControlList(True),)),
    subscribe(DERCS, Found.DERC_LIST),
    told(DERCS, Controls(number=ONE, subscription=DERCS), active(modes(opModExpLimW=0))),
    find(
        "find the default",
        Found.DDERC,
        checks=(Defaults(number=SOME),),
        duties=(allowed(modes(opModExpLimW=0)),),
    ),
    subscribe(DDERC, Found.DDERC),
    told(
        DDERC,
        defaults(modes(opModExpLimW=2000), subscription=DDERC),
        allowed(modes(opModExpLimW=2000)),
    ),
)

ALL_26: Final = procedure(
    "S-ALL-26",
    "a subscription can be renewed and deleted",
    there(*PROGRAM, Found.DERC_LIST, duties=PROGRAMMED, tell=AS_BEFORE),
    subscribe(DERCS, Found.DERC_LIST),
    subscribe(DERCS, Found.DERC_LIST),
    do("unsubscribe", Unsubscribe(DERCS)),
    subscribe(DERCS, Found.DERC_LIST),
)


def control_told(
    name: str,
    title: str,
    wanted: Modes,
    before: Modes | None = None,
    status: int | None = None,
    ramp: int | None = None,
) -> ServerProcedure:
    """A control, of which the client is told; one of other modes may be there before."""
    first: tuple[ServerStep, ...] = ()
    if before is not None:
        first = (
            find(
                "a control before",
                Found.DERC,
                checks=(controls(before, ONE, ACTIVE),),
                duties=(active(before),),
            ),
        )
    check = Controls(number=ONE, modes=wanted, status=status, ramp=ramp, subscription=DERCS)
    return procedure(
        name,
        title,
        there(*WITH_CONTROLS, duties=PROGRAMMED, tell=AS_BEFORE),
        subscribe(DERCS, Found.DERC_LIST),
        *first,
        told(DERCS, check, active(wanted, ramp)),
    )


def default_told(
    name: str,
    title: str,
    wanted: Modes = (),
    ramp: int | None = None,
    more: tuple[Found, ...] = (Found.DERC_LIST,),
) -> ServerProcedure:
    """A default, of which the client is told."""
    check = Defaults(number=ONE, modes=wanted, ramp=ramp, subscription=DDERC)
    return procedure(
        name,
        title,
        there(*PROGRAM, Found.DERC, Found.DDERC, *more, duties=PROGRAMMED, tell=AS_BEFORE),
        subscribe(DDERC, Found.DDERC),
        told(DDERC, check, allowed(wanted, ramp)),
    )


NO_EXPORT: Final = modes(opModExpLimW=0)
TO_COME: Final = controls(NO_EXPORT, ONE, SCHEDULED)

ALL_46: Final = procedure(
    "S-ALL-46",
    "a notification that could not be delivered comes later",
    find(
        "no controls",
        *(Found.EDEV, Found.SUB, Found.DERC),
        checks=(OWN, Controls(number=Between(0, 0))),
        duties=(REGISTERED, EnsureControlList(), ClearControls()),
    ),
    subscribe(DERCS, Found.DERC_LIST),
    do("no notification is taken", Listen(DERCS, taken=False)),
    find(
        "a control",
        Found.DERC,
        checks=(TO_COME,),
        duties=(Publish(active=False, start_in_s=3600, modes=NO_EXPORT),),
        tell="The control starts in an hour.",
    ),
    do("forget", Forget((Found.DERC,))),
    do("wait", Pause(300)),
    do("notifications are taken", Listen(DERCS, taken=True)),
    do("notified", Collect(DERCS), TO_COME, until=True),
    find("the control is still there", Found.DERC, checks=(TO_COME,), until=False),
)

PROCEDURES: Final = (
    ALL_25,
    ALL_26,
    control_told("S-ALL-27", "a client is told of an export limit", NO_EXPORT),
    control_told("S-ALL-28", "a client is told of a generation limit", modes(opModGenLimW=0)),
    control_told("S-ALL-29", "a client is told of an import limit", modes(opModImpLimW=0)),
    control_told("S-ALL-30", "a client is told of a load limit", modes(opModLoadLimW=0)),
    control_told(
        "S-ALL-31",
        "a client is told to cease to energize",
        modes(opModEnergize=False),
        modes(opModEnergize=True),
        ACTIVE,
    ),
    control_told(
        "S-ALL-32",
        "a client is told to disconnect",
        modes(opModConnect=False),
        modes(opModConnect=True),
        ACTIVE,
    ),
    control_told("S-ALL-33", "a client is told of several modes", COMBINED, modes(opModConnect=True), ACTIVE),
    control_told("S-ALL-34", "a client is told of a ramp time", NO_EXCHANGE, status=ACTIVE, ramp=3000),
    default_told("S-ALL-35", "a client is told of a default export limit", NO_EXPORT),
    default_told("S-ALL-36", "a client is told of a default generation limit", modes(opModGenLimW=0)),
    default_told("S-ALL-37", "a client is told of a default import limit", modes(opModImpLimW=0)),
    default_told("S-ALL-38", "a client is told of a default load limit", modes(opModLoadLimW=0)),
    default_told("S-ALL-39", "a client is told of a default ramp rate", ramp=100),
    default_told("S-ALL-40", "a client is told of a default of several modes", COMBINED_LIMITS, more=()),
    ALL_46,
)
