"""Export, generation, import and load limits, as controls and as defaults: GEN-01 to 08 and LOA-01 to 08."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.aus.client_notation import (
    EVERY,
    PROGRAM,
    RATES60,
    REPORTED,
    answered,
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
    rates,
    wait,
)
from conformance_tests.aus.client_words import (
    Act,
    CancelControls,
    ClientProcedure,
    Modes,
    Notified,
    SetDefault,
    Step,
    Subscribed,
)
from conformance_tests.aus.places import controls, default, programs
from conformance_tests.aus.values import MAX_EXPORT_W, MAX_IMPORT_W, NOW

if TYPE_CHECKING:
    from collections.abc import Callable

CATEGORY: Final = "Control"
SUBSCRIBED: Final = "The EndDevice must be registered and subscribed before it begins."


@dataclass(frozen=True, slots=True)
class Limited:
    """What a limit is about: the words for people, the limit at a multiple.

    `polling` and `subscribing` are the classes of clients that do so.
    """

    doing: str
    what: str
    limit: Callable[[float], Modes]
    polling: str
    subscribing: str


NONE: Final = modes(opModExpLimW=0, opModImpLimW=0)
EXPORT: Final = Limited("exporting", "export", exports, "G", "S-G")
GENERATION: Final = Limited("generating", "generation", generates, "G", "S-G")
IMPORT: Final = Limited("importing", "import", imports, "L", "S-L")
LOAD: Final = Limited("consuming", "load", loads, "L", "S-L")
OWN: Final = {
    GENERATION: modes(opModExpLimW=MAX_EXPORT_W, opModImpLimW=0),
    LOAD: modes(opModExpLimW=0, opModImpLimW=MAX_IMPORT_W),
}
"""What the default must allow so that only the limit itself binds."""


def running(of: Limited) -> str:
    """What a person has to see to before it begins."""
    return f"Let the DER be {of.doing} at least half of its rated active power."


def _prepared(allowed: Modes | None, ramp: int) -> tuple[tuple[Act, ...], tuple[Act, ...]]:
    """What comes first and what then, so that the default allows this: nothing, or what was reported."""
    if allowed is None:
        return (RATES60, PROGRAM, default_of(NONE, ramp)), ()
    return (RATES60, PROGRAM), (default_of(allowed, ramp),)


def active_limit(name: str, of: Limited) -> ClientProcedure:
    """A control that does not bind is followed by one that allows nothing."""
    first, acts = _prepared(OWN.get(of), 600)
    return ClientProcedure(
        name=name,
        title=f"keeps to the {of.what} limit of a control",
        category=CATEGORY,
        classes=(of.polling,),
        versions=EVERY,
        first=first,
        acts=(*acts, control(300, of.limit(2))),
        ready=REPORTED,
        steps=(
            on("GET-DERC-INITIAL", get(controls()), "WAIT-CONTROL"),
            wait("WAIT-CONTROL", 60, "GET-DERC-ZERO"),
            on("GET-DERC-ZERO", get(programs()), "WAIT-REACH-ZERO", acts=(control(300, of.limit(0)),)),
            last_wait("WAIT-REACH-ZERO", 120),
        ),
        tell=running(of),
    )


def default_limit(name: str, of: Limited, allowed: Modes | None, first_ramp_s: int) -> ClientProcedure:
    """The default binds whenever no control does, and a control binds once the default is gone."""
    first, acts = _prepared(allowed, 167)
    return ClientProcedure(
        name=name,
        title=f"keeps to the {of.what} limit of the default",
        category=CATEGORY,
        classes=(of.polling,),
        versions=EVERY,
        first=first,
        acts=(*acts, control(900, of.limit(2))),
        ready=REPORTED,
        steps=_default_steps(of, first_ramp_s),
        tell=running(of),
    )


def _default_steps(of: Limited, first_ramp_s: int) -> tuple[Step, ...]:
    to_default = f"The DER must ramp its {of.what} down to 30 % by setGradW."
    unbound, nothing = control(600, of.limit(2)), control(600, of.limit(0))
    return (
        on("GET-DEFAULT-DERC", get(default()), "GET-DERC-1", acts=(default_of(of.limit(0.3)),)),
        on("GET-DERC-1", answered(get(controls())), "WAIT-RAMP-DEFAULT-DERC", acts=(CancelControls(),)),
        wait("WAIT-RAMP-DEFAULT-DERC", first_ramp_s, "GET-DERC-2", tell=to_default),
        on("GET-DERC-2", answered(get(controls())), "WAIT-CONTROL-END", acts=(unbound,)),
        wait(
            "WAIT-CONTROL-END",
            600,
            "WAIT-RAMP-DEFAULT-DERC-2",
            tell="The DER must find the new control and ramp up to where nothing binds, by setGradW.",
        ),
        wait("WAIT-RAMP-DEFAULT-DERC-2", 120, "GET-DERC-3", tell=to_default),
        on("GET-DERC-3", get(controls()), "WAIT-TEST-END", acts=(nothing, SetDefault(removed=True))),
        last_wait("WAIT-TEST-END", 60, f"The DER must ramp its {of.what} down to 0 W by setGradW."),
    )


def told_limit(name: str, of: Limited) -> ClientProcedure:
    """A subscribed client, whose polls are rare, learns in time of a control that allows nothing."""
    first, acts = _prepared(OWN.get(of), 600)
    return ClientProcedure(
        name=name,
        title=f"keeps to the {of.what} limit of a control of which it was notified",
        category=CATEGORY,
        classes=(of.subscribing,),
        versions=EVERY,
        first=(rates(60, der=900, derp=900), *first[1:]),
        acts=(*acts, control(300, of.limit(2))),
        ready=(*REPORTED, Subscribed(controls())),
        steps=(
            wait(
                "WAIT-CREATE-DERC",
                90,
                "WAIT-TEST-FINISH",
                acts=(control(120, of.limit(0), start=NOW + 300),),
            ),
            wait("WAIT-TEST-FINISH", 60, tell="See the DER ramp to the control of 0 W."),
        ),
        passes=(Notified(),),
        tell=f"{SUBSCRIBED} {running(of)}",
    )


def told_default(name: str, of: Limited, allowed: Modes) -> ClientProcedure:
    """A subscribed client, whose polls are rare, goes between control and default."""
    return ClientProcedure(
        name=name,
        title=f"keeps to the {of.what} limit of the default as it is notified",
        category=CATEGORY,
        classes=(of.subscribing,),
        versions=EVERY,
        first=(rates(60, der=1800, derp=1800), PROGRAM),
        acts=(control(300, of.limit(2)), default_of(allowed, 167)),
        ready=(*REPORTED, Subscribed(controls()), Subscribed(default())),
        steps=_told_default_steps(of),
        passes=(Notified(),),
        tell=f"{SUBSCRIBED} {running(of)}",
    )


def _told_default_steps(of: Limited) -> tuple[Step, ...]:
    return (
        wait("WAIT-CANCEL-DERC", 60, "WAIT-DEVICE-RAMP", acts=(CancelControls(),)),
        wait(
            "WAIT-DEVICE-RAMP",
            120,
            "WAIT-CONTROL-FINISH",
            acts=(control(600, of.limit(2)),),
            tell="The DER must ramp down to the default, 30 % of its maximum, by setGradW.",
        ),
        wait(
            "WAIT-CONTROL-FINISH",
            600,
            "WAIT-RAMP-DEFAULT-DERC",
            tell="The DER must ramp up to the control, which does not bind, by setGradW.",
        ),
        wait(
            "WAIT-RAMP-DEFAULT-DERC",
            120,
            "WAIT-TEST-FINISH",
            acts=(control(600, of.limit(0)), SetDefault(removed=True)),
            tell="Once the control is over the DER must ramp down to the default, 30 %, by setGradW.",
        ),
        last_wait("WAIT-TEST-FINISH", 60, "The DER must ramp down to the control of 0 W by setGradW."),
    )


REPORTED_LIMITS: Final = modes(opModExpLimW=MAX_EXPORT_W, opModImpLimW=MAX_IMPORT_W)

PROCEDURES: Final = (
    active_limit("GEN-01", EXPORT),
    active_limit("GEN-02", GENERATION),
    default_limit("GEN-03", EXPORT, None, 780),
    default_limit("GEN-04", GENERATION, REPORTED_LIMITS, 120),
    told_limit("GEN-05", EXPORT),
    told_limit("GEN-06", GENERATION),
    told_default("GEN-07", EXPORT, exports(0.3) + modes(opModImpLimW=0)),
    told_default("GEN-08", GENERATION, OWN[GENERATION] + generates(0.3)),
    active_limit("LOA-01", IMPORT),
    active_limit("LOA-02", LOAD),
    default_limit("LOA-03", IMPORT, None, 120),
    default_limit("LOA-04", LOAD, REPORTED_LIMITS, 120),
    told_limit("LOA-05", IMPORT),
    told_limit("LOA-06", LOAD),
    told_default("LOA-07", IMPORT, imports(0.3) + modes(opModExpLimW=0)),
    told_default("LOA-08", LOAD, modes(opModExpLimW=0, opModImpLimW=MAX_EXPORT_W) + loads(0.3)),
)
