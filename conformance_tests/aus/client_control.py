"""Control: connecting, ramps, responses, schedules, poll rates, and what happens when the server is away."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance_tests.aus.client_notation import (
    BASE,
    CANCELLED,
    COMPLETED,
    CONNECTED,
    EVERY,
    HALF_POWER,
    OPERATING,
    RATES60,
    RECEIVED,
    REPORTED,
    STARTED,
    SUPERSEDED,
    both,
    connect_bit,
    control,
    default_of,
    get,
    last_wait,
    modes,
    on,
    rates,
    responded,
    settings,
    stored,
    wait,
    with_default,
)
from conformance_tests.aus.client_words import (
    CancelControls,
    Check,
    ClientProcedure,
    Device,
    Polled,
    Reachable,
    Responded,
    Step,
)
from conformance_tests.aus.places import (
    DCAP,
    DER_LIST,
    DER_SETTINGS,
    DER_STATUS,
    EDEV_LIST,
    FSA_LIST,
    MUP_LIST,
    controls,
    default,
    programs,
)
from conformance_tests.aus.values import NOW

CATEGORY: Final = "Control"
HALF_EXCHANGED: Final = "Let the DER export or import at least half of its rated active power."
OFTEN_READ: Final = (DCAP, EDEV_LIST, FSA_LIST, DER_LIST, programs(), default())


def to_all(*statuses: int) -> tuple[Check, ...]:
    """Responses of each status to every control."""
    return tuple(Responded(one, to_all=True) for one in statuses)


def controlled(
    name: str, title: str, steps: tuple[Step, ...], *, classes: tuple[str, ...] = ("A",)
) -> ClientProcedure:
    """The usual: all rates a minute, one program, the client has told of itself and its settings."""
    return ClientProcedure(
        name=name,
        title=title,
        category=CATEGORY,
        classes=classes,
        versions=EVERY,
        first=(RATES60,),
        acts=BASE,
        ready=REPORTED,
        steps=steps,
    )


ALL_11: Final = replace(
    controlled(
        "ALL-11",
        "ceases to energize and energizes again as controls say",
        (
            wait("WAIT-CONTROL-START", 270, "PUT-DERSTATUS-DISCONNECT", "WAIT-CONTROL-END"),
            stored("PUT-DERSTATUS-DISCONNECT", DER_STATUS, connect_bit(OPERATING, False)),
            wait("WAIT-CONTROL-END", 280, "PUT-DERSTATUS-RECONNECT"),
            stored("PUT-DERSTATUS-RECONNECT", DER_STATUS, connect_bit(OPERATING, True)),
        ),
    ),
    first=(rates(60, der=300, derp=300),),
    acts=(
        *BASE,
        control(300, modes(opModEnergize=True)),
        control(300, modes(opModEnergize=False), start=NOW + 300),
    ),
    tell=HALF_POWER,
)

ALL_12: Final = replace(
    controlled(
        "ALL-12",
        "leaves the grid as a control says and comes back at its end",
        (
            on(
                "GET-DERC",
                get(programs()),
                "WAIT-CONTROL-START",
                acts=(control(600, modes(opModConnect=False), start=NOW + 300),),
            ),
            wait("WAIT-CONTROL-START", 270, "PUT-DERSTATUS-DISCONNECT", "WAIT-CONTROL-END"),
            stored("PUT-DERSTATUS-DISCONNECT", DER_STATUS, connect_bit(CONNECTED, False)),
            wait("WAIT-CONTROL-END", 600, "PUT-DERSTATUS-RECONNECT"),
            stored("PUT-DERSTATUS-RECONNECT", DER_STATUS, connect_bit(CONNECTED, True)),
        ),
    ),
    ready=(Device(),),
    tell=HALF_POWER,
)

ALL_13: Final = replace(
    controlled(
        "ALL-13",
        "takes the ramp rate of the default as its own setting",
        (
            on(
                "GET-DEFAULT-DERC-100",
                get(default()),
                "PUT-DERSETTINGS-SET-GRAD-W-100",
                acts=(default_of((), 100),),
            ),
            stored(
                "PUT-DERSETTINGS-SET-GRAD-W-100", DER_SETTINGS, settings(setGradW=100), "GET-DEFAULT-DERC-27"
            ),
            on(
                "GET-DEFAULT-DERC-27",
                get(default()),
                "PUT-DERSETTINGS-SET-GRAD-W-27",
                acts=(default_of((), 27),),
            ),
            stored("PUT-DERSETTINGS-SET-GRAD-W-27", DER_SETTINGS, settings(setGradW=27)),
        ),
    ),
    ready=(Device(),),
)

ALL_18: Final = replace(
    controlled(
        "ALL-18",
        "answers controls that run, are cancelled or are superseded",
        (
            responded("POST-RESPONSE-RECEIVED", RECEIVED, "DERC1", "POST-RESPONSE-STARTED"),
            responded("POST-RESPONSE-STARTED", STARTED, "DERC1", "POST-RESPONSE-COMPLETED"),
            responded(
                "POST-RESPONSE-COMPLETED",
                COMPLETED,
                "DERC1",
                "POST-SECOND-RESPONSE-RECEIVED",
                acts=(control(600, both(2), "DERC2", NOW + 300),),
            ),
            responded("POST-SECOND-RESPONSE-RECEIVED", RECEIVED, "DERC2", "POST-SECOND-RESPONSE-STARTED"),
            responded(
                "POST-SECOND-RESPONSE-STARTED",
                STARTED,
                "DERC2",
                "POST-SECOND-RESPONSE-CANCELLED",
                acts=(CancelControls(),),
            ),
            responded(
                "POST-SECOND-RESPONSE-CANCELLED",
                CANCELLED,
                "DERC2",
                "POST-THIRD-RESPONSE-RECEIVED",
                acts=(control(120, both(0), "DERC3", NOW + 600),),
            ),
            responded(
                "POST-THIRD-RESPONSE-RECEIVED",
                RECEIVED,
                "DERC3",
                "POST-THIRD-RESPONSE-CANCELLED",
                acts=(CancelControls(),),
            ),
            responded(
                "POST-THIRD-RESPONSE-CANCELLED",
                CANCELLED,
                "DERC3",
                "POST-FOURTH-RESPONSE-RECEIVED",
                acts=(control(600, both(2), "DERC4", NOW + 600),),
            ),
            responded(
                "POST-FOURTH-RESPONSE-RECEIVED",
                RECEIVED,
                "DERC4",
                "POST-FOURTH-RESPONSE-SUPERSEDED",
                acts=(control(60, both(0), start=NOW + 600),),
            ),
            responded("POST-FOURTH-RESPONSE-SUPERSEDED", SUPERSEDED, "DERC4", latest=False),
        ),
    ),
    acts=(*BASE, control(120, both(2), "DERC1")),
    passes=to_all(RECEIVED),
)

ALL_23: Final = replace(
    controlled(
        "ALL-23",
        "goes on with its schedule while the server is away, then takes the default",
        (
            on("GET-DEFAULT-DERC", get(default()), "WAIT-SHORT-PERIOD", acts=(default_of(both(0)),)),
            wait("WAIT-SHORT-PERIOD", 10, "WAIT-SCHEDULE-END", acts=(Reachable(up=False),)),
            wait(
                "WAIT-SCHEDULE-END",
                420,
                "WAIT-TEST-FINISH",
                "GET-DERC-AFTER-COMMS-RESTORE",
                acts=(Reachable(up=True), control(300, both(2))),
                tell="The DER must go on with the controls and then go to 0 W, the default.",
            ),
            on("GET-DERC-AFTER-COMMS-RESTORE", get(controls())),
            last_wait("WAIT-TEST-FINISH", 120),
        ),
        classes=("A", "DR-A"),
    ),
    acts=(
        *BASE,
        *(
            control(60, both(one), f"DERC{at + 1}", NOW + 60 * at)
            for at, one in enumerate((2, 0.2, 1.8, 0.7, 1.3))
        ),
        default_of(modes(opModImpLimW=0)),
    ),
    tell=HALF_POWER,
)

ALL_24: Final = replace(
    controlled(
        "ALL-24",
        "reads limits of any power of ten",
        (
            on("GET-DERC-1", get(programs()), "GET-DERC-2", acts=(control(120, both(2)),)),
            on(
                "GET-DERC-2",
                get(programs()),
                "GET-DERC-3",
                acts=(replace(control(120, both(0.3)), multiplier=2),),
            ),
            on(
                "GET-DERC-3",
                get(programs()),
                "WAIT-TEST-END",
                acts=(replace(control(120, both(0.4)), multiplier=1),),
            ),
            last_wait("WAIT-TEST-END", 180),
        ),
    ),
    first=(rates(120, mup=60),),
    passes=(*to_all(RECEIVED, STARTED), Polled(OFTEN_READ, 120), Polled((MUP_LIST,), 60)),
    tell=HALF_EXCHANGED,
)

ALL_25: Final = replace(
    controlled(
        "ALL-25",
        "ramps as a control says, else as the default says",
        (
            on(
                "GET-DERP-LIST-1",
                get(programs()),
                "WAIT-CONTROL-1-FINISH",
                acts=(replace(control(120, both(0.3)), ramp_s=60),),
            ),
            wait(
                "WAIT-CONTROL-1-FINISH",
                130,
                "GET-DERP-LIST-2",
                tell="The DER must ramp to 30 % of its active power in 60 s.",
            ),
            on("GET-DERP-LIST-2", get(programs()), "WAIT-CONTROL-2-FINISH", acts=(control(120, both(0.5)),)),
            last_wait(
                "WAIT-CONTROL-2-FINISH",
                180,
                "The DER must ramp to half of its active power by setGradW, 1 %/s.",
            ),
        ),
    ),
    first=with_default(100),
    acts=(),
    tell=HALF_EXCHANGED,
)

PROCEDURES: Final = (
    ALL_11,
    ALL_12,
    ALL_13,
    ALL_18,
    ALL_23,
    ALL_24,
    ALL_25,
)
