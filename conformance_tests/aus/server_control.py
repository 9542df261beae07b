"""Control: controls and defaults of every mode, their life, poll rates, schedules and several programs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance_tests.aus.server_deeds import Discover, Found, Refresh, RespondWrongly
from conformance_tests.aus.server_notation import (
    ACTIVE,
    COMBINED,
    COMBINED_LIMITS,
    NO_EXCHANGE,
    ONE,
    ONE_AGGREGATOR,
    ONE_CLIENT,
    OWN,
    REGISTERED,
    SCHEDULED,
    SOME,
    active,
    allowed,
    do,
    export,
    find,
    modes,
)
from conformance_tests.aus.server_words import (
    Assignments,
    Between,
    Controls,
    Defaults,
    Duty,
    EnsureAssignment,
    EnsureProgram,
    Modes,
    PollRate,
    Programs,
    Publish,
    PublishDefault,
    ServerProcedure,
    ServerStep,
    SetPollRate,
    Test,
)
from conformance_tests.aus.values import SET_MAX_W

CATEGORY: Final = "Control"
CONTROLS: Final = (Found.EDEV, Found.DERC_LIST, Found.DER, Found.DERC)
DEFAULT: Final = (Found.EDEV, Found.DERC_LIST, Found.DER, Found.DDERC)
SHORT: Final = (Found.EDEV, Found.DERC)


def procedure(name: str, title: str, *steps: ServerStep) -> ServerProcedure:
    """One procedure of this module."""
    return ServerProcedure(name=name, title=title, category=CATEGORY, clients=ONE_CLIENT, steps=steps)


def some(wanted: Modes, status: int | None = None) -> Controls:
    """At least one control of these modes, without rampTms."""
    return Controls(number=SOME, modes=wanted, unramped=True, status=status)


def one_control(
    name: str,
    title: str,
    wanted: Modes,
    resources: tuple[Found, ...] = CONTROLS,
    status: int | None = None,
) -> ServerProcedure:
    """A control of these modes is there."""
    return procedure(
        name,
        title,
        find(
            "control",
            *resources,
            checks=(OWN, some(wanted, status)),
            duties=(REGISTERED, active(wanted)),
        ),
    )


def there_and_back(
    name: str, title: str, mode: str, resources: tuple[Found, ...], again: tuple[Test, ...]
) -> ServerProcedure:
    """One mode is on, off, and on again."""

    def step(
        word: str, on: bool, found: tuple[Found, ...], checks: tuple[Test, ...], duties: tuple[Duty, ...] = ()
    ) -> ServerStep:
        wanted = modes(**{mode: on})
        return find(
            word,
            *found,
            checks=(*checks, some(wanted, ACTIVE)),
            duties=(*duties, active(wanted)),
        )

    return procedure(
        name,
        title,
        step("precondition", True, SHORT, (OWN,), (REGISTERED,)),
        step("off", False, resources, again),
        step("on", True, resources, again),
    )


def one_default(name: str, title: str, wanted: Modes = (), ramp: int | None = None) -> ServerProcedure:
    """A default of these values is there."""
    return procedure(
        name,
        title,
        find(
            "default",
            *DEFAULT,
            checks=(OWN, Defaults(number=SOME, modes=wanted, ramp=ramp)),
            duties=(REGISTERED, allowed(wanted, ramp)),
        ),
    )


ALL_18: Final = procedure(
    "S-ALL-18",
    "a control has its ramp time",
    find(
        "control",
        *SHORT,
        checks=(OWN, Controls(number=SOME, modes=NO_EXCHANGE, ramp=3000, status=ACTIVE)),
        duties=(REGISTERED, active(NO_EXCHANGE, 3000)),
    ),
)

RATES: Final = (
    (Found.DCAP, 300, 60),
    (Found.EDEV_LIST, 300, 60),
    (Found.FSA_LIST, 300, 60),
    (Found.DERP_LIST, 60, 120),
    (Found.DER_LIST, 60, 120),
    (Found.MUP_LIST, 60, 120),
)

ALL_43: Final = procedure(
    "S-ALL-43",
    "pollRates can be changed",
    find(
        "precondition",
        *(Found.EDEV, Found.DCAP, Found.EDEV_LIST, Found.FSA_LIST, Found.DERP_LIST),
        *(Found.DER_LIST, Found.MUP, Found.MUP_LIST),
        checks=tuple(PollRate(what, first) for what, first, _ in RATES),
        duties=(
            REGISTERED,
            EnsureAssignment("fsa1"),
            EnsureProgram("fsa1"),
            *(SetPollRate(what, first) for what, first, _ in RATES),
        ),
    ),
    *(
        do(
            f"pollRate of {what}",
            Refresh(what),
            PollRate(what, then),
            duties=(SetPollRate(what, then),),
            until=True,
        )
        for what, _, then in RATES
    ),
)

SHARES: Final = (
    *(0.1, 0.6, 0.3, 0.85, 0.2, 0.75, 0.4, 0.95, 0.15, 0.55, 1.0, 0.35),
    *(0.8, 0.05, 0.65, 0.25, 0.9, 0.45, 0.7, 0.1, 0.5, 0.8, 0.3, 0.6),
)
STARTS: Final = (60, 130, 200, *range(280, 1681, 70))


def scheduled(number: Between, seconds: int, wanted: Modes = (), randomized_s: int | None = None) -> Controls:
    """Controls of one duration that are still to come."""
    return Controls(
        number=number,
        modes=wanted,
        status=SCHEDULED,
        duration_s=seconds,
        randomize_start_s=randomized_s,
    )


ALL_44: Final = procedure(
    "S-ALL-44",
    "a schedule of 24 controls can be read by pages of ten",
    find(
        "precondition",
        *SHORT,
        checks=(scheduled(Between(24), 60),),
        duties=(
            REGISTERED,
            *(
                Publish(active=False, modes=export(share), duration_s=60, start_in_s=start_s)
                for share, start_s in zip(SHARES, STARTS, strict=True)
            ),
        ),
        tell="24 controls of a minute each follow each other with other limits, none overlapping.",
    ),
    do("pages of ten", Discover((Found.DERC,), limit=10), scheduled(Between(10, 10), 60)),
)

ALL_45: Final = procedure(
    "S-ALL-45",
    "controls have their random start",
    find(
        "precondition",
        *SHORT,
        checks=(scheduled(Between(5, 5), 120, export(2), 60),),
        duties=(
            REGISTERED,
            *(
                Publish(
                    active=False,
                    modes=export(2),
                    duration_s=120,
                    randomize_start_s=60,
                    start_in_s=start_s,
                )
                for start_s in range(60, 861, 200)
            ),
        ),
        tell="Five controls of 120 s with a random start of 60 s follow each other, none overlapping.",
    ),
)

ALL_48: Final = procedure(
    "S-ALL-48",
    "a default has its ramp rate",
    find(
        "precondition",
        *(Found.EDEV, Found.DDERC),
        checks=(Defaults(number=SOME, ramp=100),),
        duties=(REGISTERED, allowed(ramp=100)),
    ),
)

ALL_49: Final = procedure(
    "S-ALL-49",
    "two programs each have their own primacy, default and controls",
    find(
        "precondition",
        *(Found.EDEV, Found.DDERC, Found.DERC, Found.FSA),
        checks=(
            Assignments(number=Between(2)),
            Programs(number=ONE, primacy=1, assignment=0),
            Programs(number=ONE, primacy=2, assignment=1),
            Defaults(number=SOME, primacy=1, modes=export(0.3)),
            Controls(number=SOME, primacy=2, modes=export(2)),
        ),
        duties=(
            REGISTERED,
            EnsureAssignment("fsa1", 1),
            EnsureAssignment("fsa2", 2),
            EnsureProgram("fsa1", 1),
            EnsureProgram("fsa2", 2),
            PublishDefault(primacy=1, modes=export(0.3)),
            Publish(active=True, primacy=2, modes=export(2)),
        ),
    ),
)

UNBOUND: Final = modes(opModExpLimW=SET_MAX_W * 2, opModImpLimW=SET_MAX_W * 2)

ALL_57: Final = replace(
    procedure(
        "S-ALL-57",
        "responses to nothing, of nobody or of no known status are refused",
        find(
            "precondition",
            *SHORT,
            checks=(
                OWN,
                Controls(number=ONE, modes=UNBOUND, response_required=3, status=ACTIVE),
            ),
            duties=(REGISTERED, active(UNBOUND)),
        ),
        do("no such event", RespondWrongly(unknown_event=True)),
        do("no such device", RespondWrongly(unknown_device=True)),
        do("no such status", RespondWrongly(unknown_status=True)),
    ),
    clients=ONE_AGGREGATOR,
)

PROCEDURES: Final = (
    one_control("S-ALL-11", "a control limits export", modes(opModExpLimW=0)),
    one_control("S-ALL-12", "a control limits generation", modes(opModGenLimW=0)),
    one_control("S-ALL-13", "a control limits import", modes(opModImpLimW=0)),
    one_control("S-ALL-14", "a control limits load", modes(opModLoadLimW=0), status=ACTIVE),
    there_and_back(
        "S-ALL-15",
        "controls energize and cease to energize",
        "opModEnergize",
        (Found.DERC_LIST, Found.DER, Found.DERC),
        (),
    ),
    there_and_back("S-ALL-16", "controls connect and disconnect", "opModConnect", CONTROLS, (OWN,)),
    one_control("S-ALL-17", "a control has several modes", COMBINED, SHORT, ACTIVE),
    ALL_18,
    one_default("S-ALL-19", "a default limits export", export(0.3)),
    one_default("S-ALL-20", "a default limits generation", modes(opModGenLimW=SET_MAX_W * 0.3)),
    one_default("S-ALL-21", "a default limits import", modes(opModImpLimW=SET_MAX_W * 0.3)),
    one_default("S-ALL-22", "a default limits load", modes(opModLoadLimW=SET_MAX_W * 0.3)),
    one_default("S-ALL-23", "a default has a ramp rate", ramp=100),
    one_default("S-ALL-24", "a default has several modes", COMBINED_LIMITS),
    ALL_43,
    ALL_44,
    ALL_45,
    ALL_48,
    ALL_49,
    ALL_57,
)
