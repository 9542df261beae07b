"""DER: what a device really does, seen by a person: ALL-26 to 30, GEN and LOA 09 and 11 to 13."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from conformance_tests.aus.client_notation import (
    BASE,
    CANCELLED,
    COMPLETED,
    CONNECTED,
    EVERY,
    OPERATING,
    PROGRAM,
    RATES60,
    RECEIVED,
    REPORTED,
    STARTED,
    answered,
    both,
    connect_bit,
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
    settings,
    stored,
    wait,
    with_default,
)
from conformance_tests.aus.client_words import (
    Act,
    CancelControls,
    ClientProcedure,
    Confirmed,
    Mirrored,
    Modes,
    Quantity,
    Reachable,
    Responded,
    Step,
)
from conformance_tests.aus.places import DER_SETTINGS, DER_STATUS, controls, default, programs
from conformance_tests.aus.values import MAX_EXPORT_W, MAX_IMPORT_W, NOW

if TYPE_CHECKING:
    from collections.abc import Callable

CATEGORY: Final = "DER"
STARTS: Final = "The DER has time to come to at least half of its rated power."
HALF: Final = "Let the DER work at half of its rated power at least."


def started(
    *opens: str, tag: str = "PRECONDITION", seconds: int = 240, acts: tuple[Act, ...] = ()
) -> tuple[Step, Step]:
    """A control that does not bind, and two minutes in which the DER comes to work."""
    begin = control(seconds, both(2), tag)
    return (
        on("PRECONDITION-STARTUP", get(programs()), "PRECONDITION-STARTUP-WAIT", acts=(begin,), tell=STARTS),
        wait("PRECONDITION-STARTUP-WAIT", 120, *opens, acts=acts, tell=STARTS),
    )


def there_and_back(
    name: str, title: str, mode: str, bit: int, words: tuple[str, str, str], tag: str, tell: str = ""
) -> ClientProcedure:
    """The DER goes off by one control and comes back by the next; a person sees how."""
    off, again, on_word = words
    get_off, put_off, put_on = f"GET-DERC-{off}", f"PUT-DERSTATUS-{off}", f"PUT-DERSTATUS-{again}"
    go, come = control(300, modes(**{mode: False}), off), control(300, modes(**{mode: True}), on_word)
    return ClientProcedure(
        name=name,
        title=title,
        category=CATEGORY,
        classes=("DER-A",),
        versions=EVERY,
        first=(RATES60,),
        acts=BASE,
        ready=REPORTED,
        steps=(
            *started(get_off, tag=tag),
            on(get_off, get(programs()), put_off, acts=(go,)),
            stored(put_off, DER_STATUS, connect_bit(bit, False), put_on, acts=(come,)),
            stored(put_on, DER_STATUS, connect_bit(bit, True), "PROCEED-OBSERVE-DER"),
            Step(
                "PROCEED-OBSERVE-DER",
                Confirmed(300),
                tell="See the DER ramp its export or import up after it came back.",
            ),
        ),
        tell="Let the DER export or import at least half of its rated active power."
        if tag != "DERC1"
        else "",
    )


def _ramped(name: str, number: int, seconds: int, share: float, wait_s: int, tell: str) -> tuple[Step, Step]:
    act = control(seconds, both(share), f"DERC{number}")
    act = replace(act, ramp_s=60) if number == 3 else act
    following = "GET-DEFAULT-DERC" if number == 3 else f"GET-DERC-{number + 1}"
    return (
        on(name, get(programs()), f"WAIT-RAMP-DERC-{number}", acts=(act,)),
        wait(f"WAIT-RAMP-DERC-{number}", wait_s, following, tell=tell),
    )


ALL_28: Final = ClientProcedure(
    name="ALL-28",
    title="ramps as each control or the default says",
    category=CATEGORY,
    classes=("DER-A",),
    versions=EVERY,
    first=(RATES60,),
    acts=(PROGRAM, default_of(both(0))),
    ready=REPORTED,
    steps=(
        *started("GET-DERC-1"),
        *_ramped("GET-DERC-1", 1, 900, 0.3, 120, "See the DER ramp to 30 %."),
        *_ramped("GET-DERC-2", 2, 300, 0.1, 120, "See the DER ramp to 10 % within 15 s (step b)."),
        *_ramped("GET-DERC-3", 3, 900, 0.5, 180, "See the DER ramp to 50 % in 60 s, its rampTms."),
        on(
            "GET-DEFAULT-DERC",
            get(default()),
            "PUT-DERSETTINGS-SET-GRAD-W",
            acts=(default_of(both(0), 100),),
        ),
        stored(
            "PUT-DERSETTINGS-SET-GRAD-W",
            DER_SETTINGS,
            settings(setGradW=100),
            "POST-RESPONSE-CANCELLED",
            acts=(CancelControls(),),
        ),
        responded("POST-RESPONSE-CANCELLED", CANCELLED, "DERC3", "WAIT-RAMP-DEFAULT"),
        wait("WAIT-RAMP-DEFAULT", 180, "GET-DERC-4", tell="See the DER ramp to 0 W, the default, by 1 %/s."),
        on(
            "GET-DERC-4",
            get(programs()),
            "WAIT-RAMP-DERC-4",
            "POST-RESPONSE-STARTED",
            acts=(control(300, both(0.3), "DERC4"),),
        ),
        wait("WAIT-RAMP-DERC-4", 180, tell="See the DER ramp to 30 % by 1 %/s (step l)."),
        responded("POST-RESPONSE-STARTED", STARTED, "DERC4"),
    ),
    tell=HALF,
)


def telemetry(name: str, group: str, shares: tuple[float, ...]) -> ClientProcedure:
    """Five controls of two minutes; what is mirrored shows that the DER follows."""
    return ClientProcedure(
        name=name,
        title="mirrors what its DER really do",
        category=CATEGORY,
        classes=(group,),
        versions=EVERY,
        first=with_default(600),
        acts=tuple(control(120, both(one), f"DERC{at + 1}", NOW + 120 * at) for at, one in enumerate(shares)),
        ready=REPORTED,
        steps=(last_wait("WAIT-TEST-END", 600),),
        passes=(Mirrored(Quantity.SITE_ACTIVE, 8), Mirrored(Quantity.DER_ACTIVE, 8)),
        tell=f"{HALF} Connect a test load in parallel with it that takes a tenth of its rated active power.",
    )


ALL_30: Final = ClientProcedure(
    name="ALL-30",
    title="keeps to the default through a restart without the server",
    category=CATEGORY,
    classes=("DER-A",),
    versions=EVERY,
    first=(RATES60, PROGRAM),
    acts=(default_of(both(0.3), 600),),
    ready=REPORTED,
    steps=(
        *started("GET-DEFAULT-DERC", acts=(CancelControls(),)),
        on(
            "GET-DEFAULT-DERC",
            answered(get(default())),
            "CLIENT-POWER-CYCLE",
            acts=(Reachable(up=False),),
        ),
        wait(
            "CLIENT-POWER-CYCLE",
            30,
            "REESTABLISH-COMMUNICATION",
            tell="Turn the client off and on again; while it is off, part it from the server, "
            "for example by its network cable.",
        ),
        Step(
            "REESTABLISH-COMMUNICATION",
            Confirmed(),
            (control(900, both(0.5), "DERC1", NOW - 60), Reachable(up=True)),
            ("POLL-DERC-1", "POST-RESPONSE-STARTED"),
            tell="Once the DER is on again and keeps to the default, 30 % of its rated active power, "
            "connect the client with the server, then confirm.",
        ),
        on("POLL-DERC-1", get(controls())),
        responded("POST-RESPONSE-STARTED", STARTED, "DERC1"),
    ),
    tell=HALF,
)


def cancelled(name: str, group: str, word: str, allowed: Modes, tag: str) -> ClientProcedure:
    """After a control is cancelled the default binds."""
    return ClientProcedure(
        name=name,
        title=f"goes to the {word} limit of the default once a control is cancelled",
        category=CATEGORY,
        classes=(group,),
        versions=EVERY,
        first=(RATES60,),
        acts=(PROGRAM, default_of(allowed, 600)),
        ready=REPORTED,
        steps=(
            *started("GET-DERC", tag=tag, seconds=300),
            on("GET-DERC", get(controls()), "WAIT-TILL-END", acts=(CancelControls(),)),
            last_wait("WAIT-TILL-END", 60, f"The DER must come down to the default, {word} of 30 %."),
        ),
        tell=f"Let the DER {word} at least half of its rated power.",
    )


def variable(
    name: str, group: str, word: str, limit: Callable[[float], Modes], allowed: Modes | None
) -> ClientProcedure:
    """Five controls of two minutes, each answered in all three ways."""
    tags = [f"DERC{at + 1}" for at in range(5)]
    issued = tuple(
        control(120, limit(one), tag, NOW + 120 * at)
        for at, (tag, one) in enumerate(zip(tags, (2, 1, 0.4, 0.25, 0), strict=True))
    )
    return ClientProcedure(
        name=name,
        title=f"follows {word} limits that change",
        category=CATEGORY,
        classes=(group,),
        versions=EVERY,
        first=with_default(600) if allowed is None else (RATES60, PROGRAM),
        acts=() if allowed is None else (default_of(allowed, 600),),
        ready=REPORTED,
        steps=(on("GET-DER-CONTROLS", get(programs()), acts=issued),),
        passes=tuple(Responded(one, tag) for tag in tags for one in (RECEIVED, STARTED, COMPLETED)),
    )


def tracked(
    name: str, group: str, word: str, limit: Callable[[float], Modes], share: float
) -> ClientProcedure:
    """The limit at the connection point holds while the load beside the DER changes."""
    return ClientProcedure(
        name=name,
        title=f"keeps to an {word} limit while the load changes",
        category=CATEGORY,
        classes=(group,),
        versions=EVERY,
        first=with_default(600),
        acts=(control(60, limit(2), "DERC1"), control(420, limit(share), "DERC2", NOW + 60)),
        ready=REPORTED,
        steps=(
            last_wait(
                "WAIT-TEST-END",
                500,
                "Set the load: after 120 s to 20 %, after 240 s to 10 % of the DER's rated active power, "
                "after 360 s to nothing.",
            ),
        ),
        tell="Connect a test load in parallel with the DER that takes nothing yet.",
    )


ALL_LIMITS: Final = modes(opModExpLimW=MAX_EXPORT_W, opModImpLimW=MAX_IMPORT_W)

PROCEDURES: Final = (
    there_and_back(
        "ALL-26",
        "ceases to energize and energizes again, ramping",
        "opModEnergize",
        OPERATING,
        ("DEENERGIZE", "REENERGIZE", "ENERGIZE"),
        "PRECONDITION",
        "Let the DER export or import at least half of its rated active power.",
    ),
    there_and_back(
        "ALL-27",
        "leaves the grid and comes back, ramping",
        "opModConnect",
        CONNECTED,
        ("DISCONNECT", "CONNECT", "CONNECT"),
        "DERC1",
    ),
    ALL_28,
    telemetry("ALL-29", "DER-A", (2, 0.3, 0.2, 0.1, 0)),
    telemetry("ALT-ALL-29", "DER-A-ALT", (2, 0.5, 0.4, 0.3, 0)),
    ALL_30,
    cancelled("GEN-09", "DER-G", "export", exports(0.3) + modes(opModImpLimW=0), "PRECONDITION"),
    cancelled("LOA-09", "DER-L", "import", imports(0.3) + modes(opModExpLimW=0), "DERC1"),
    variable("GEN-11", "DER-G", "export", exports, None),
    variable("GEN-12", "DER-G", "generation", generates, ALL_LIMITS),
    variable("LOA-11", "DER-L", "import", imports, None),
    variable("LOA-12", "DER-L", "load", loads, ALL_LIMITS),
    tracked("GEN-13", "DER-G", "export", exports, 0.2),
    tracked("LOA-13", "DER-L", "import", imports, 0.2),
    tracked("ALT-LOA-13", "DER-L-ALT", "import", imports, 0.4),
)
