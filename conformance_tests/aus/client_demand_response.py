"""Demand response: DRA, DRD, DRG and DRL, by opModConnect and opModFixedW (per cent of the rating)."""

from __future__ import annotations

from typing import Final

from conformance_tests.aus.client_notation import (
    EVERY,
    FINISH,
    PROGRAM,
    RATES60,
    REPORTED,
    control,
    default_of,
    get,
    last_wait,
    modes,
    on,
    put,
    status,
    stored,
    wait,
    with_default,
)
from conformance_tests.aus.client_words import Act, ClientProcedure, Device, Part, Step, Stored
from conformance_tests.aus.places import DER_CAPABILITY, DER_LIST, DER_SETTINGS, DER_STATUS, programs
from conformance_tests.aus.values import MAX_EXPORT_W, MAX_IMPORT_W, NOW, Bits

CATEGORY: Final = "Demand Response"
FIXED_W: Final = 0x80
"""The bit of opModFixedW in DERControlType. IEEE 2030.5-2018, B.2.5.7."""

MODE_OF: Final = {-0.01: 101, -50: 102, -75: 103, -100: 104, 0: 105, 50: 106, 75: 107, 100: 108}
"""operationalModeStatus that a demand response device tells for each share of opModFixedW; 100 when off."""


def told(mode: int) -> Stored:
    """The device tells that it is in a mode of demand response, without alarm."""
    return status(("alarmStatus", 0), ("operationalModeStatus", mode))


def enabled(number: int, acts: tuple[Act, ...] = ()) -> Step:
    """The device tells that it has fixed power enabled."""
    check = Stored(Part.SETTINGS, (("modesEnabled", Bits(FIXED_W)),))
    return stored(f"PUT-DERSETTINGS-{number}", DER_SETTINGS, check, acts=acts)


def instructed(number: int, share: float, last: bool = False) -> tuple[Step, ...]:
    """A control of opModFixedW in a minute, what the device then tells, and the time that it has."""
    names = (f"PUT-DERSTATUS-{number}", f"PUT-DERSETTINGS-{number}", f"WAIT-DERC-{number}")
    act = control(60, modes(opModFixedW=share), f"DERC{number}", NOW + 60)
    return (
        on(f"GET-DERC-{number}", get(programs()), *names, acts=(act,)),
        *followed(number, share, last),
    )


def followed(number: int, share: float, last: bool) -> tuple[Step, ...]:
    """What the device tells of a control, and the time that it has."""
    name = f"WAIT-DERC-{number}"
    return (
        stored(f"PUT-DERSTATUS-{number}", DER_STATUS, told(MODE_OF[share])),
        enabled(number),
        last_wait(name, 120) if last else wait(name, 120, f"GET-DERC-{number + 1}"),
    )


def demand_response(
    name: str, title: str, classes: tuple[str, ...], steps: tuple[Step, ...], tell: str = ""
) -> ClientProcedure:
    """All rates a minute, one program whose default allows what the client reported."""
    return ClientProcedure(
        name=name,
        title=title,
        category=CATEGORY,
        classes=classes,
        versions=EVERY,
        first=(RATES60, PROGRAM),
        acts=(default_of(modes(opModImpLimW=MAX_IMPORT_W, opModExpLimW=MAX_EXPORT_W), 27),),
        ready=REPORTED,
        steps=steps,
        tell=tell,
    )


DRA_01: Final = ClientProcedure(
    name="DRA-01",
    title="tells what it is and that it can hold a fixed power",
    category=CATEGORY,
    classes=("DR-A",),
    versions=EVERY,
    at_once=True,
    first=with_default(27),
    steps=(
        on("GET-DER", get(DER_LIST), "PUT-DER-CAPABILITY"),
        on("PUT-DER-CAPABILITY", put(DER_CAPABILITY)),
    ),
    passes=(
        Device(facts=(("deviceCategory", Bits(0x03FFFFFF, any_of=True)),)),
        Stored(Part.CAPABILITY, (("modesSupported", Bits(FIXED_W)),)),
    ),
)

DRA_02: Final = demand_response(
    "DRA-02",
    "goes off as a control says",
    ("DR-L", "DR-G"),
    (
        on(
            "GET-DERC",
            get(programs()),
            "PUT-DERSTATUS",
            acts=(control(60, modes(opModConnect=False), "DERC1"),),
        ),
        stored("PUT-DERSTATUS", DER_STATUS, told(100)),
    ),
    "Connect the device with the grid and let it take or give at least half of its rated power.",
)

SHARES: Final = ((3, -50), (4, -0.01), (5, -100), (6, 75), (7, 50), (8, 0), (9, 100))

DRD_01: Final = demand_response(
    "DRD-01",
    "follows every instruction of demand response",
    ("DR-D",),
    (
        on(
            "GET-DERC-1",
            get(programs()),
            "PUT-DERSTATUS-1",
            acts=(control(60, modes(opModConnect=False), "DERC1"),),
        ),
        stored("PUT-DERSTATUS-1", DER_STATUS, told(100), "GET-DERC-2"),
        on(
            "GET-DERC-2",
            get(programs()),
            *("PUT-DERSTATUS-2", "PUT-DERSETTINGS-2", "WAIT-DERC-2"),
            acts=(
                control(60, modes(opModConnect=True), "RECONNECT"),
                control(60, modes(opModFixedW=-75), "DERC2", NOW + 120),
            ),
        ),
        *followed(2, -75, last=False),
        *(step for number, share in SHARES for step in instructed(number, share, last=number == 9)),
    ),
)

DRG_01: Final = demand_response(
    "DRG-01",
    "follows instructions to generate",
    ("DR-G",),
    (
        *instructed(1, 75),
        on(
            "GET-DERC-2",
            get(programs()),
            "WAIT-DERC-2",
            acts=(control(180, modes(opModFixedW=50), "DERC2", NOW + 60),),
        ),
        wait("WAIT-DERC-2", 70, "PUT-DERSTATUS-2", "PUT-DERSETTINGS-2"),
        stored("PUT-DERSTATUS-2", DER_STATUS, told(MODE_OF[50])),
        enabled(2, FINISH),
    ),
    "Connect the device with the grid and let it generate 85 to 95 % of its rating.",
)

DRL_01: Final = demand_response(
    "DRL-01",
    "follows instructions to consume",
    ("DR-L",),
    tuple(
        step
        for number, share in enumerate((-75, -50, -0.01, -100), 1)
        for step in instructed(number, share, last=number == 4)
    ),
    "Connect the device with the grid and let it consume 85 to 95 % of its rating.",
)

PROCEDURES: Final = (DRA_01, DRA_02, DRD_01, DRG_01, DRL_01)
