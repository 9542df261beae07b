"""Storage: what it tells of itself, and a target power within an export limit, STO-01 to STO-06."""

from __future__ import annotations

from typing import Final

from conformance_tests.aus.client_notation import (
    COMPLETED,
    PROGRAM,
    RATES60,
    RECEIVED,
    STARTED,
    STORAGE,
    control,
    default_of,
    get,
    last_wait,
    modes,
    on,
    post,
    put,
    responded,
    wait,
    with_default,
)
from conformance_tests.aus.client_words import (
    Act,
    Check,
    ClientProcedure,
    Device,
    Mirrored,
    Modes,
    Part,
    Quantity,
    Step,
    Stored,
)
from conformance_tests.aus.places import (
    DER_CAPABILITY,
    DER_LIST,
    DER_SETTINGS,
    MUP_LIST,
    controls,
    programs,
)
from conformance_tests.aus.values import (
    MAX_CHARGE_W,
    MAX_DISCHARGE_W,
    NOW,
    POSITIVE,
    SET_MAX_W,
    Amount,
    Bits,
    Facts,
    Given,
    Wanted,
    at_least,
    at_most,
    given,
    same_as,
)

CATEGORY: Final = "Control"
MONITORING: Final = "Monitoring"


UNBOUND: Final = 2
"""A limit at twice the rate does not bind."""


def ready(*more: tuple[str, Wanted]) -> tuple[Check, ...]:
    """The storage has told what it can do, that it can do all of it at once, and what it holds."""
    one_rate: Facts = tuple(
        (name, same_as("setMaxVA")) for name in ("setMaxChargeRateW", "setMaxDischargeRateW")
    )
    rated: Facts = tuple(
        (name, at_most("rtgMaxVA")) for name in ("rtgMaxChargeRateW", "rtgMaxDischargeRateW")
    )
    return (
        Device(),
        Stored(
            Part.CAPABILITY, (*rated, ("vppModesSupported", Bits(0x01)), ("doeModesSupported", Bits(0x01)))
        ),
        Stored(
            Part.SETTINGS,
            (*one_rate, ("vppModesEnabled", Bits(0x01)), ("doeModesEnabled", Bits(0x01)), *more),
        ),
        Mirrored(Quantity.STORED_ENERGY, 1),
    )


def stored_power(
    name: str, group: str, checks: tuple[Check, ...], acts: tuple[Act, ...], steps: tuple[Step, ...]
) -> ClientProcedure:
    """A default that allows no export and all import."""
    return ClientProcedure(
        name=name,
        title="holds the target power of its storage within the export limit",
        category=CATEGORY,
        classes=(group,),
        versions=STORAGE,
        first=(RATES60, PROGRAM),
        acts=(default_of(modes(opModExpLimW=0, opModImpLimW=SET_MAX_W), 27), *acts),
        ready=checks,
        steps=steps,
    )


def target(target_w: Amount, export_w: Amount | None) -> Modes:
    """A target of storage with or without an export limit."""
    if export_w is None:
        return modes(opModStorageTargetW=target_w)
    return modes(opModExpLimW=export_w, opModStorageTargetW=target_w)


STO_03: Final = stored_power(
    "STO-03",
    "STO",
    ready(),
    (control(480, target(MAX_DISCHARGE_W, MAX_DISCHARGE_W * UNBOUND)),),
    (
        on("GET-DERC-1", get(controls()), "POST-RESPONSE-RECEIVED"),
        responded("POST-RESPONSE-RECEIVED", RECEIVED, "", "POST-RESPONSE-STARTED"),
        responded("POST-RESPONSE-STARTED", STARTED, "", "POST-RESPONSE-COMPLETED"),
        responded("POST-RESPONSE-COMPLETED", COMPLETED, ""),
    ),
)

TARGETS: Final = (
    target(MAX_DISCHARGE_W, MAX_DISCHARGE_W * UNBOUND),
    target(MAX_DISCHARGE_W, MAX_DISCHARGE_W * 0.5),
    target(-MAX_CHARGE_W, MAX_DISCHARGE_W * 0.5),
    target(0, 0),
    target(MAX_DISCHARGE_W * 0.3, MAX_DISCHARGE_W),
    target(MAX_DISCHARGE_W, None),
)

STO_06: Final = stored_power(
    "STO-06",
    "DER-STO",
    ready(("setMaxWh", at_most("rtgMaxWh"))),
    (),
    (
        on(
            "GET-DERC-1",
            get(programs()),
            "WAIT-CONTROL-END-1",
            acts=tuple(control(900, wanted, start=NOW + 300 + 900 * at) for at, wanted in enumerate(TARGETS)),
        ),
        wait("WAIT-CONTROL-END-1", 1260, "WAIT-CONTROL-END-2"),
        *(wait(f"WAIT-CONTROL-END-{at}", 900, f"WAIT-CONTROL-END-{at + 1}") for at in range(2, 6)),
        wait("WAIT-CONTROL-END-6", 900),
    ),
)


def stored_energy(name: str, group: str) -> ClientProcedure:
    """Storage mirrors the energy that it holds."""
    return ClientProcedure(
        name=name,
        title="mirrors the energy that its storage holds",
        category=MONITORING,
        classes=(group,),
        versions=STORAGE,
        first=with_default(27),
        ready=(Device(),),
        steps=(
            on("GET-MUP", get(MUP_LIST), "POST-MUP"),
            on("POST-MUP", post(MUP_LIST), "GET-MUP-2"),
            on("GET-MUP-2", get(MUP_LIST), "WAIT-READINGS"),
            last_wait("WAIT-READINGS", 300),
        ),
        passes=(Mirrored(Quantity.STORED_ENERGY, 4),),
    )


RATED: Final = (
    "rtgMaxVA",
    "rtgMaxVar",
    "rtgMaxVarNeg",
    "rtgMaxW",
    "rtgMinPFOverExcited",
    "rtgMinPFUnderExcited",
    "doeModesSupported",
)
SET: Final = (
    "setMaxVA",
    "setMaxVar",
    "setMaxVarNeg",
    "setMaxW",
    "setMinPFOverExcited",
    "setMinPFUnderExcited",
)
TOLD: Final = (
    on("GET-DER", get(DER_LIST), "PUT-DERCAPABILITY", "PUT-DERSETTINGS"),
    on("PUT-DERCAPABILITY", put(DER_CAPABILITY)),
    on("PUT-DERSETTINGS", put(DER_SETTINGS)),
)

STO_02: Final = ClientProcedure(
    name="STO-02",
    title="tells the ratings and settings of its storage",
    category=MONITORING,
    classes=("STO",),
    versions=STORAGE,
    at_once=True,
    first=with_default(27),
    steps=TOLD,
    passes=(
        Stored(
            Part.CAPABILITY,
            given(*RATED, "rtgMaxChargeRateW", "rtgMaxDischargeRateW", "rtgMaxWh", "vppModesSupported"),
        ),
        Stored(
            Part.SETTINGS,
            given(
                *SET,
                "doeModesEnabled",
                "setMaxChargeRateW",
                "setMaxDischargeRateW",
                "setMaxWh",
                "setMinWh",
                "vppModesEnabled",
            ),
        ),
    ),
)

STO_05: Final = ClientProcedure(
    name="STO-05",
    title="tells ratings and settings of its storage that fit each other",
    category=MONITORING,
    classes=("DER-STO",),
    versions=STORAGE,
    first=with_default(27),
    ready=(Device(),),
    steps=TOLD,
    passes=(
        Stored(
            Part.CAPABILITY,
            (
                *given(*RATED),
                ("rtgMaxChargeRateW", POSITIVE),
                ("rtgMaxDischargeRateW", POSITIVE),
                ("rtgMaxWh", POSITIVE),
                ("vppModesSupported", Bits(0x01)),
            ),
        ),
        Stored(
            Part.SETTINGS,
            (
                *((name, at_most(name.replace("set", "rtg"))) for name in SET[:4]),
                *((name, at_least(name.replace("set", "rtg"))) for name in SET[4:]),
                ("doeModesEnabled", Given.ANY),
                ("setMaxChargeRateW", POSITIVE),
                ("setMaxDischargeRateW", POSITIVE),
                ("setMaxWh", POSITIVE),
                ("setMinWh", Given.ANY),
                ("vppModesEnabled", Bits(0x01)),
            ),
        ),
    ),
    tell="The DER must be registered as in STO-02, with values that are right for it.",
)

PROCEDURES: Final = (
    stored_energy("STO-01", "STO"),
    STO_02,
    STO_03,
    stored_energy("STO-04", "DER-STO"),
    STO_05,
    STO_06,
)
