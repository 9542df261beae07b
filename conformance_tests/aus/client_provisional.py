"""Provisional procedures, P-01 to P-03: shared controls, assignments that go, a control of a day."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance_tests.aus.client_notation import (
    CANCELLED,
    COMPLETED,
    EVERY,
    RATES60,
    RECEIVED,
    REPORTED,
    STARTED,
    answered,
    both,
    control,
    default_of,
    get,
    last_wait,
    on,
    post,
    responded,
)
from conformance_tests.aus.client_words import (
    Act,
    AddProgram,
    CancelControls,
    Check,
    ClientProcedure,
    Confirmed,
    Devices,
    DropAssignment,
    Finish,
    Open,
    Responded,
    Step,
)
from conformance_tests.aus.places import ALL_PROGRAMS, FSA_LIST, RESPONSES, controls
from conformance_tests.aus.values import NOW

CATEGORY: Final = "Provisional"
BOTH: Final = (0, 1)
WORDS: Final = {RECEIVED: "RECEIVED", STARTED: "STARTED", COMPLETED: "COMPLETED", CANCELLED: "CANCELLED"}


def provisional(
    name: str, title: str, acts: tuple[Act, ...], steps: tuple[Step, ...], ready: tuple[Check, ...] = REPORTED
) -> ClientProcedure:
    """All rates a minute."""
    return ClientProcedure(
        name=name,
        title=title,
        category=CATEGORY,
        classes=("P-A",),
        versions=EVERY,
        first=(RATES60,),
        acts=acts,
        ready=ready,
        steps=steps,
    )


def of_device(device: int, status: int) -> Step:
    """A Response for one of two EndDevices."""
    event = answered(post(RESPONSES.of(device)))
    check = Responded(status, latest=True)
    return Step(f"POST-EDEV{device}-RESPONSE-{WORDS[status]}", event, when=check)


SHARED: Final = tuple(of_device(one, status) for one in (1, 2) for status in (RECEIVED, STARTED, COMPLETED))

P_01: Final = provisional(
    "P-01",
    "answers a control for each of its devices",
    (
        AddProgram(1, 1, devices=BOTH),
        AddProgram(2, 1, devices=BOTH),
        replace(control(120, both(0), start=NOW + 120), primacy=1, assignment=1, devices=BOTH),
        Open(tuple(step.name for step in SHARED[1:])),
    ),
    SHARED,
    (Devices(2),),
)


def answer(status: int, *opens: str, acts: tuple[Act, ...] = ()) -> Step:
    """A Response to the first control."""
    return responded(f"POST-DERC1-RESPONSE-{WORDS[status]}", status, "DERC1", *opens, acts=acts)


P_02: Final = provisional(
    "P-02",
    "leaves a program alone once its function set assignments are taken away",
    (AddProgram(1, 1, "DERP1"), AddProgram(2, 2, "DERP2")),
    (
        on(
            "GET-DERC-1",
            get(controls(2)),
            *(f"POST-DERC1-RESPONSE-{WORDS[one]}" for one in (RECEIVED, STARTED, COMPLETED)),
            acts=(replace(control(120, both(2), "DERC1"), program_tag="DERP1"),),
        ),
        answer(RECEIVED),
        answer(STARTED),
        answer(COMPLETED, "GET-UPDATED-FSA", acts=(DropAssignment(2),)),
        on(
            "GET-UPDATED-FSA",
            get(FSA_LIST),
            "FAIL-RESPONSE",
            "WAIT-FINISH",
            acts=(replace(control(120, both(2), "DERC2"), program_tag="DERP2"),),
        ),
        Step(
            "FAIL-RESPONSE",
            post(RESPONSES),
            (Finish("a control was answered whose program the device is no longer assigned to"),),
            stays=True,
        ),
        last_wait("WAIT-FINISH", 180),
    ),
)

P_03: Final = provisional(
    "P-03",
    "follows a control of a day, then the default once it is cancelled",
    (AddProgram(1, tag="DERP1"), default_of(both(0.3), 100)),
    (
        on(
            "GET-DERP-LIST",
            get(ALL_PROGRAMS),
            "POST-DERC1-RESPONSE-RECEIVED",
            "POST-DERC1-RESPONSE-STARTED",
            "PROCEED-OBSERVE-ZERO",
            acts=(replace(control(86400, both(0), "DERC1", NOW + 120), program_tag="DERP1"),),
        ),
        answer(RECEIVED),
        answer(STARTED),
        Step(
            "PROCEED-OBSERVE-ZERO",
            Confirmed(420),
            (CancelControls(),),
            ("POST-DERC1-RESPONSE-CANCELLED", "PROCEED-OBSERVE-DEFAULT"),
            tell="See the DER ramp its export or import to 0 W once the control starts.",
        ),
        answer(CANCELLED),
        Step(
            "PROCEED-OBSERVE-DEFAULT",
            Confirmed(300),
            tell="See the DER ramp its export or import to the default, 30 %.",
        ),
    ),
)

PROCEDURES: Final = (P_01, replace(P_02, unmet=("FAIL-RESPONSE",)), P_03)
