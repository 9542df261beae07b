"""Monitoring: status, ratings, settings and readings, also of several DER and of storage."""

from __future__ import annotations

from typing import Final

from conformance_tests.aus.client_notation import (
    AVAILABLE,
    BASE,
    CONNECTED,
    EVERY,
    HALF_POWER,
    OPERATING,
    PROGRAM,
    RATES60,
    REPORTED,
    both,
    connect_bit,
    control,
    default_of,
    get,
    last_wait,
    modes,
    on,
    post,
    put,
    status,
    stored,
    wait,
    with_default,
)
from conformance_tests.aus.client_words import (
    Check,
    ClientProcedure,
    Device,
    Mirrored,
    Part,
    Polled,
    Quantity,
    Rates,
    Stored,
)
from conformance_tests.aus.places import (
    ANY_MUP,
    DCAP,
    DER_CAPABILITY,
    DER_LIST,
    DER_SETTINGS,
    DER_STATUS,
    EDEV_LIST,
    FSA_LIST,
    MUP_LIST,
    default,
    programs,
)
from conformance_tests.aus.values import (
    MAX_EXPORT_W,
    MAX_IMPORT_W,
    NOW,
    Bit,
    given,
)

CATEGORY: Final = "Monitoring"
ONLINE, OFFLINE = 2, 1
"""operationalModeStatus. IEEE 2030.5-2018, B.2.5.7: 1 is off, 2 is operational."""


def readings(count: int) -> tuple[Check, ...]:
    """So many readings of each quantity that every client mirrors."""
    return tuple(
        Mirrored(one, count)
        for one in (
            Quantity.SITE_ACTIVE,
            Quantity.SITE_REACTIVE,
            Quantity.VOLTAGE,
            Quantity.DER_ACTIVE,
            Quantity.DER_REACTIVE,
        )
    )


def a_load(share: str) -> str:
    """What a person has to connect."""
    return f"Connect a test load in parallel with the DER and let it take {share}."


ALL_06: Final = ClientProcedure(
    name="ALL-06",
    title="mirrors its readings at the rate that it is told",
    category=CATEGORY,
    classes=("A", "DR-A"),
    versions=EVERY,
    at_once=True,
    first=(RATES60, PROGRAM, default_of(modes(opModImpLimW=200000, opModExpLimW=200000), 27)),
    steps=(
        on("GET-MUP", get(MUP_LIST), "POST-MUP"),
        on("POST-MUP", post(MUP_LIST), "GET-MUP-2"),
        on("GET-MUP-2", get(MUP_LIST), "SET-CONTROL"),
        wait("SET-CONTROL", 300, "WAIT-CONTROL", acts=(control(300, both(0), "DERC1"),)),
        last_wait("WAIT-CONTROL", 180),
    ),
    passes=(
        *readings(6),
        Polled((DCAP, EDEV_LIST, FSA_LIST, DER_LIST, programs(), default(), MUP_LIST), 60),
    ),
    tell=a_load("a quarter of its rated active power"),
)

ALL_07: Final = ClientProcedure(
    name="ALL-07",
    title="tells when its DER leave the grid and come back",
    category=CATEGORY,
    classes=("A",),
    versions=EVERY,
    first=(RATES60,),
    acts=BASE,
    ready=(Device(), connect_bit(CONNECTED, True)),
    steps=(
        stored(
            "PUT-DERSTATUS-DISCONNECT",
            DER_STATUS,
            connect_bit(CONNECTED, False),
            "PUT-DERSTATUS-CONNECT",
            tell="Part every DER from the grid.",
        ),
        stored(
            "PUT-DERSTATUS-CONNECT",
            DER_STATUS,
            connect_bit(CONNECTED, True),
            tell="Connect every DER to the grid again.",
        ),
    ),
)

ALL_08: Final = ClientProcedure(
    name="ALL-08",
    title="tells when its DER stop working and begin again",
    category=CATEGORY,
    classes=("A",),
    versions=EVERY,
    first=(RATES60, PROGRAM),
    acts=(default_of(modes(opModImpLimW=MAX_IMPORT_W, opModExpLimW=MAX_EXPORT_W), 27),),
    ready=(Device(), status(("operationalModeStatus", ONLINE))),
    steps=(
        stored(
            "PUT-DERSTATUS-DISCONNECT",
            DER_STATUS,
            status(("operationalModeStatus", OFFLINE)),
            "PUT-DERSTATUS-CONNECT",
            tell="Stop the DER from working, for example by a source or sink of 0 W.",
        ),
        stored(
            "PUT-DERSTATUS-CONNECT",
            DER_STATUS,
            status(("operationalModeStatus", ONLINE)),
            tell="Let the DER work again.",
        ),
    ),
    tell=HALF_POWER,
)

ALL_09: Final = ClientProcedure(
    name="ALL-09",
    title="tells of its ratings, settings and status",
    category=CATEGORY,
    classes=("A",),
    versions=EVERY,
    at_once=True,
    first=(RATES60,),
    acts=BASE,
    steps=(
        on("GET-DER", get(DER_LIST), "PUT-DERSTATUS", "PUT-DERCAPABILITY", "PUT-DERSETTINGS"),
        on("PUT-DERSTATUS", put(DER_STATUS)),
        on("PUT-DERCAPABILITY", put(DER_CAPABILITY)),
        on("PUT-DERSETTINGS", put(DER_SETTINGS)),
    ),
    passes=(
        Stored(Part.CAPABILITY, given("doeModesSupported", "rtgMaxW")),
        Stored(Part.SETTINGS, given("setMaxW", "doeModesEnabled")),
        Stored(Part.STATUS),
    ),
)

ALL_10: Final = ClientProcedure(
    name="ALL-10",
    title="follows a change of the postRate of its mirrors",
    category=CATEGORY,
    classes=("A", "DR-A"),
    versions=EVERY,
    first=(RATES60,),
    acts=BASE,
    ready=(Device(),),
    steps=(
        on("GET-MUP-INITIAL", get(MUP_LIST), "WAIT-TILL-UPDATE", acts=(Rates(mup=300),)),
        wait("WAIT-TILL-UPDATE", 600, "GET-MUP-UPDATED"),
        on("GET-MUP-UPDATED", get(MUP_LIST), "POST-MUP-1", "WAIT-TILL-END", acts=(Rates(mup=60),)),
        on("POST-MUP-1", post(ANY_MUP)),
        last_wait("WAIT-TILL-END", 90),
    ),
    passes=readings(3),
)

MUL_01: Final = ClientProcedure(
    name="MUL-01",
    title="tells one status of several DER of which some are off",
    category=CATEGORY,
    classes=("M",),
    versions=EVERY,
    first=with_default(27),
    acts=(control(900, both(2)),),
    ready=(*REPORTED, connect_bit(CONNECTED, True)),
    steps=(
        stored(
            "PUT-DERSTATUS-FIRST-DISCONNECT",
            DER_STATUS,
            status(
                ("operationalModeStatus", ONLINE),
                *(("genConnectStatus", Bit(one, True)) for one in (CONNECTED, AVAILABLE, OPERATING)),
            ),
            "PUT-DERSTATUS-FULL-DISCONNECT",
            tell="Turn one DER off by its switch or part it from the grid, if you can one that generates.",
        ),
        stored(
            "PUT-DERSTATUS-FULL-DISCONNECT",
            DER_STATUS,
            status(
                ("operationalModeStatus", OFFLINE),
                *(("genConnectStatus", Bit(one, False)) for one in (CONNECTED, AVAILABLE, OPERATING)),
            ),
            tell="Turn the other DER off too.",
        ),
    ),
)

MUL_02: Final = ClientProcedure(
    name="MUL-02",
    title="mirrors the sums of several DER",
    category=CATEGORY,
    classes=("M",),
    versions=EVERY,
    first=with_default(600),
    acts=(
        Rates(der=60, mup=60),
        control(120, both(2)),
        control(120, both(0), start=NOW + 120),
    ),
    ready=REPORTED,
    steps=(
        last_wait("WAIT-TEST-END", 300, "The readings must be those of all DER taken together (TS 5573)."),
    ),
    passes=readings(3),
    tell=a_load("a tenth of the rated active power of all DER taken together"),
)

MUL_03: Final = ClientProcedure(
    name="MUL-03",
    title="tells the ratings and settings of several DER as one",
    category=CATEGORY,
    classes=("M",),
    versions=EVERY,
    at_once=True,
    first=with_default(27),
    steps=(
        on(
            "PUT-DERSETTINGS-FIRST",
            put(DER_SETTINGS),
            "PUT-DERSETTINGS-UPDATED",
            acts=(default_of((), 100),),
        ),
        stored(
            "PUT-DERSETTINGS-UPDATED",
            DER_SETTINGS,
            Stored(Part.SETTINGS, (("setGradW", 100),)),
            tell="Change the greatest rating of one DER in its settings.",
        ),
    ),
    passes=(Stored(Part.CAPABILITY), Stored(Part.SETTINGS), Stored(Part.STATUS)),
)


PROCEDURES: Final = (
    ALL_06,
    ALL_07,
    ALL_08,
    ALL_09,
    ALL_10,
    MUL_01,
    MUL_02,
    MUL_03,
)
