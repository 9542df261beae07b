"""Control: poll rates that change, schedules of many controls, random starts and three days of controls."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance_tests.aus.client_control import OFTEN_READ, controlled, to_all
from conformance_tests.aus.client_notation import (
    BASE,
    BETA,
    COMPLETED,
    FINISH,
    RECEIVED,
    STARTED,
    V12,
    both,
    control,
    exports,
    get,
    last_wait,
    on,
    rates,
    wait,
    with_default,
)
from conformance_tests.aus.client_words import (
    AddControl,
    Device,
    Elapsed,
    Mirrored,
    Polled,
    Quantity,
    Rates,
    Responded,
    Step,
)
from conformance_tests.aus.places import (
    FSA_LIST,
    MUP_LIST,
    programs,
)
from conformance_tests.aus.values import NOW

ALL_19: Final = replace(
    controlled(
        "ALL-19",
        "follows a change of the pollRate of its function set assignments",
        (
            on("GET-FSA-LIST", get(FSA_LIST), "GET-FSA-LIST-AGAIN", "WAIT-TEST-END", acts=(Rates(fsa=60),)),
            last_wait("WAIT-TEST-END", 120),
            on("GET-FSA-LIST-AGAIN", get(FSA_LIST)),
        ),
        classes=("A", "DR-A"),
    ),
    versions=frozenset({V12, BETA}),
    first=(rates(60, fsa=300), *BASE),
    acts=(),
    ready=(Device(),),
)

ALL_20: Final = replace(
    controlled(
        "ALL-20",
        "follows changes of the pollRate of its programs",
        (
            wait("WAIT-POLL-UPDATE", 60, "GET-DERP-LIST-1", "WAIT-10-MINS", acts=(Rates(derp=120),)),
            on("GET-DERP-LIST-1", get(programs())),
            wait(
                "WAIT-10-MINS", 600, "GET-DERP-LIST-2", tell="The client must poll its programs each 120 s."
            ),
            on(
                "GET-DERP-LIST-2", get(programs()), "GET-DERP-LIST-3", "WAIT-TEST-END", acts=(Rates(derp=60),)
            ),
            on("GET-DERP-LIST-3", get(programs())),
            last_wait("WAIT-TEST-END", 90, "The client must poll its programs each 60 s again."),
        ),
        classes=("A", "DR-A"),
    ),
    first=with_default(27),
    acts=(),
    ready=(Device(),),
)

SHARES: Final = (
    *(0.3, 0.6, 0.4, 0.5, 0.2, 0.1, 0.7, 0.2, 0.3, 0.3, 0.5, 0.9),
    *(0.1, 0.1, 0.5, 0.4, 0.1, 0.7, 0.9, 0.1, 0.4, 0.3, 0.7, 1),
)
"""Limits of the 24 minutes of ALL-21."""

ALL_21: Final = replace(
    controlled(
        "ALL-21",
        "follows a schedule of a control a minute",
        (last_wait("WAIT-TEST-END", 1500),),
        classes=("A", "DR-A"),
    ),
    acts=(
        *BASE,
        *(control(60, both(one), f"DERC{at + 1}", NOW + 60 * at) for at, one in enumerate(SHARES)),
    ),
    passes=(*to_all(RECEIVED, STARTED, COMPLETED), Polled((*OFTEN_READ, MUP_LIST), 60)),
)

ALL_22: Final = replace(
    controlled(
        "ALL-22",
        "draws the starts of controls at random",
        (
            last_wait(
                "WAIT-TEST-END",
                660,
                "See that each control really starts at a random time within its window of 120 s.",
            ),
        ),
        classes=("A", "DR-A"),
    ),
    acts=(
        *BASE,
        *(
            replace(control(120, exports(2), f"DERC{at + 1}", NOW + 120 * at), randomize_start_s=60)
            for at in range(5)
        ),
    ),
)

DAYS: Final = ((0.3, 1.2, 0.8, 0.1), (0.4, 1.5, 0.6, 0.2), (0.5, 1, 0.3, 0.8))
QUARTER_DAY_S: Final = 21600
"""A quarter of a day, s."""


def day(number: int) -> tuple[AddControl, ...]:
    """The four controls of a day of ALL-25-EXT."""
    return tuple(
        control(QUARTER_DAY_S, both(one), f"DERC{4 * number + at + 1}", NOW + QUARTER_DAY_S * at)
        for at, one in enumerate(DAYS[number])
    )


ALL_25_EXT: Final = replace(
    controlled(
        "ALL-25-EXT",
        "follows controls for three days",
        (
            on("GET-DERC-DAY-1", get(programs()), "WAIT-DAY1-END", acts=day(0)),
            wait("WAIT-DAY1-END", 86700, "WAIT-DAY2-END", acts=day(1), tell="The first of three days runs."),
            wait("WAIT-DAY2-END", 86700, "WAIT-DAY3-END", acts=day(2), tell="The second of three days runs."),
            wait("WAIT-DAY3-END", 86700, "WAIT-TEST-END", tell="The last day runs; no more controls come."),
            Step(
                "WAIT-TEST-END",
                Elapsed(10),
                FINISH,
                when=Responded(COMPLETED, latest=True),
                tell="It ends once the last control was answered as completed.",
            ),
        ),
        classes=("A", "DR-A"),
    ),
    first=(rates(3600),),
    passes=(*to_all(RECEIVED, STARTED, COMPLETED), Mirrored(Quantity.SITE_ACTIVE, 70)),
)

PROCEDURES: Final = (ALL_19, ALL_20, ALL_21, ALL_22, ALL_25_EXT)
