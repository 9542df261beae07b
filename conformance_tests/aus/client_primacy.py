"""Two function set assignments with fifteen programs: which control binds, GEN-10 and LOA-10."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from conformance_tests.aus.client_notation import (
    COMPLETED,
    EVERY,
    RATES60,
    REPORTED,
    STARTED,
    SUPERSEDED,
    both,
    control,
    default_of,
    exports,
    generates,
    get,
    imports,
    last_wait,
    loads,
    modes,
    on,
    responded,
    wait,
)
from conformance_tests.aus.client_words import (
    AddProgram,
    CancelControls,
    ClientProcedure,
    Modes,
    Step,
)
from conformance_tests.aus.places import controls, default, programs

if TYPE_CHECKING:
    from collections.abc import Callable

CATEGORY: Final = "DER"
FIRST_PROGRAM: Final = {1: 1, 2: 6}
"""The first program of each function set assignment; it takes the controls of that assignment."""


@dataclass(frozen=True, slots=True)
class Side:
    """Generation or load: the limit at the connection point and at the DER, each at a multiple."""

    limit: Callable[[float], Modes]
    own_limit: Callable[[float], Modes]
    word: str


GENERATORS: Final = Side(exports, generates, "export")
LOADS: Final = Side(imports, loads, "import")


def issued(number: int, at: int, of: int, seconds: int, wanted: Modes, *opens: str) -> Step:
    """The client reads the programs of an assignment, whose first one gets control `number`.

    `at` numbers the step. The client must read the control and tell that it started.
    """
    act = replace(control(seconds, wanted, f"DERC{number}"), assignment=of, primacy=of)
    names = (f"GET-DERC-{number}", f"POST-DERC-{number}-RESPONSE-STARTED", *opens)
    return on(f"GET-DERP-{at}", get(programs(of)), *names, acts=(act,))


def found(number: int, of: int) -> Step:
    """The client reads control `number` of an assignment."""
    return on(f"GET-DERC-{number}", get(controls(FIRST_PROGRAM[of])))


def answer(number: int, status: int, *opens: str) -> Step:
    """The latest Response says so of control `number`."""
    word = {STARTED: "STARTED", COMPLETED: "COMPLETED", SUPERSEDED: "SUPERSEDED"}[status]
    return responded(f"POST-DERC-{number}-RESPONSE-{word}", status, f"DERC{number}", *opens)


def seen(what: str, seconds: int, *opens: str, tell: str) -> Step:
    """Time in which a person sees the device."""
    return wait(f"WAIT-OBSERVE-{what}", seconds, *opens, tell=tell)


def _one_at_a_time(side: Side) -> tuple[Step, ...]:
    """A control of each assignment, the first binding over the second, then the second alone."""
    ramps = f"The DER must ramp to the default of the first program, {side.word} of 30 %"
    return (
        on(
            "GET-DEFAULT-DERC",
            get(default(1)),
            "WAIT-OBSERVE-DEFAULT-DERC",
            acts=(default_of(side.limit(0.3), program=1),),
        ),
        seen("DEFAULT-DERC", 180, "GET-DERP-1", tell=f"{ramps} (TS 5573, b)."),
        issued(1, 1, 2, 600, side.limit(2)),
        found(1, 2),
        answer(1, STARTED, "WAIT-DERC-1"),
        wait("WAIT-DERC-1", 60, "GET-DERP-2"),
        issued(2, 2, 1, 840, side.limit(0), "POST-DERC-1-RESPONSE-SUPERSEDED"),
        found(2, 1),
        answer(2, STARTED, "POST-DERC-2-RESPONSE-COMPLETED"),
        answer(1, SUPERSEDED),
        answer(2, COMPLETED, "GET-DERP-3"),
        issued(3, 3, 2, 300, side.limit(2)),
        found(3, 2),
        answer(3, STARTED, "POST-DERC-3-RESPONSE-COMPLETED"),
        answer(3, COMPLETED, "WAIT-OBSERVE-DEFAULT-AFTER-DERC-3"),
        seen("DEFAULT-AFTER-DERC-3", 120, "GET-DERP-4", "GET-DERP-5", tell=f"{ramps} (TS 5573, l)."),
    )


def _other_modes(side: Side) -> tuple[Step, ...]:
    """A control that parts the DER from the grid beside one that lets it work, then a tighter one."""
    word = side.word
    return (
        issued(4, 4, 1, 300, side.own_limit(0) + modes(opModConnect=False)),
        found(4, 1),
        issued(5, 5, 2, 1200, side.limit(2)),
        found(5, 2),
        answer(4, STARTED, "POST-DERC-4-RESPONSE-COMPLETED"),
        answer(5, STARTED),
        answer(4, COMPLETED, "WAIT-OBSERVE-DERC-5"),
        seen(
            "DERC-5",
            450,
            "GET-DERP-6",
            tell="The DER must connect again, wait 60 s, and ramp by 16 % a minute (wGra of AS/NZS 4777.2) "
            f"to control 5, {word} of 200 % (TS 5573, q).",
        ),
        issued(6, 6, 2, 300, side.limit(0.5), "POST-DERC-5-RESPONSE-SUPERSEDED"),
        found(6, 2),
        answer(6, STARTED, "WAIT-OBSERVE-DERC-6"),
        answer(5, SUPERSEDED),
        seen(
            "DERC-6",
            120,
            "GET-DERP-7",
            "GET-DERP-8",
            tell=f"The DER must ramp to control 6, {word} of 50 % (TS 5573, t).",
        ),
    )


def _together(side: Side) -> tuple[Step, ...]:
    """Controls of both assignments, which bind together where their modes differ."""
    word = side.word
    return (
        issued(7, 7, 1, 300, side.limit(0)),
        found(7, 1),
        issued(8, 8, 2, 300, side.limit(0.5) + side.own_limit(0.3)),
        found(8, 2),
        answer(7, STARTED, "POST-DERC-7-RESPONSE-COMPLETED"),
        answer(8, STARTED),
        answer(7, COMPLETED, "GET-DERP-9", "GET-DERP-10"),
        issued(9, 9, 1, 300, side.own_limit(0.5)),
        found(9, 1),
        issued(10, 10, 2, 300, side.limit(0.2)),
        found(10, 2),
        answer(9, STARTED, "WAIT-OBSERVE-DERC-9-10"),
        answer(10, STARTED),
        seen(
            "DERC-9-10",
            120,
            "GET-UPDATED-DEFAULT-DERP-1",
            "GET-UPDATED-DEFAULT-DERP-6",
            tell=f"The DER must ramp to controls 9 and 10, {word} of 20 % (TS 5573, z).",
        ),
    )


def _defaults(side: Side) -> tuple[Step, ...]:
    """No more controls: the default of the first program binds."""
    return (
        on(
            "GET-UPDATED-DEFAULT-DERP-1",
            get(default(1)),
            acts=(default_of(side.limit(0.5), program=1),),
        ),
        on(
            "GET-UPDATED-DEFAULT-DERP-6",
            get(default(6)),
            "WAIT-OBSERVE-DERP-1-6-DEFAULTS",
            acts=(default_of(side.limit(0.2), program=6), CancelControls()),
        ),
        last_wait(
            "WAIT-OBSERVE-DERP-1-6-DEFAULTS",
            300,
            f"The DER must ramp to the default of the first program, {side.word} of 50 % (TS 5573, ee).",
        ),
    )


def primacy(name: str, group: str, side: Side) -> ClientProcedure:
    """Programs of primacy 1 in one assignment, of primacy 2 in another; each has a default."""
    return ClientProcedure(
        name=name,
        title=f"follows the program of the lowest primacy for each mode, {side.word}",
        category=CATEGORY,
        classes=(group,),
        versions=EVERY,
        first=(RATES60,),
        acts=(
            *(5 * (AddProgram(1, 1),)),
            *(10 * (AddProgram(2, 2),)),
            default_of(both(0), 167, program=1),
            default_of(both(0), 167, program=6),
        ),
        ready=REPORTED,
        steps=(*_one_at_a_time(side), *_other_modes(side), *_together(side), *_defaults(side)),
    )


PROCEDURES: Final = (primacy("GEN-10", "DER-G", GENERATORS), primacy("LOA-10", "DER-L", LOADS))
