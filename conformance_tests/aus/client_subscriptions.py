"""Subscriptions: ALL-14 to ALL-17, for clients that are notified."""

from __future__ import annotations

from typing import Final

from conformance_tests.aus.client_notation import (
    BASE,
    CONNECTED,
    EVERY,
    HALF_POWER,
    NOTHING,
    OPERATING,
    PROGRAM,
    RATES60,
    answered,
    connect_bit,
    control,
    default_of,
    last_wait,
    modes,
    post,
    rates,
    settings,
    stored,
)
from conformance_tests.aus.client_words import (
    Act,
    AddControl,
    AddProgram,
    ClientProcedure,
    Device,
    Notified,
    Open,
    Rates,
    Step,
    Subscribed,
)
from conformance_tests.aus.places import (
    DER_SETTINGS,
    DER_STATUS,
    EDEV_LIST,
    FSA_LIST,
    SUBSCRIPTIONS,
    Place,
    controls,
    default,
    programs,
)

CATEGORY: Final = "Control"
CLASSES: Final = ("S-L", "S-G")
SUBSCRIBED: Final = f"The EndDevice must be registered and subscribed before it begins. {HALF_POWER}"
RARE: Final = rates(60, der=900, derp=900)


def subscribes(name: str, what: str, place: Place, act: Act) -> Step:
    """The client subscribes to a place; the server changes something there."""
    return Step(
        name,
        answered(post(SUBSCRIPTIONS)),
        (act,),
        when=Subscribed(place),
        tell=f"Let the client subscribe to {what}, if it does not by itself.",
    )


ALL_14: Final = ClientProcedure(
    name="ALL-14",
    title="subscribes to all that it can be notified of",
    category=CATEGORY,
    classes=CLASSES,
    versions=EVERY,
    at_once=True,
    first=(RATES60,),
    acts=(
        *BASE,
        Open(
            (
                "POST-SUBSCRIPTION-FSAL",
                "POST-SUBSCRIPTION-DERP",
                "POST-SUBSCRIPTION-DERC",
                "POST-SUBSCRIPTION-DEFAULT-DERC",
            )
        ),
    ),
    steps=(
        subscribes("POST-SUBSCRIPTION-EDEV", "its EndDeviceList", EDEV_LIST, Rates(device_post=30)),
        subscribes("POST-SUBSCRIPTION-FSAL", "its FunctionSetAssignmentsList", FSA_LIST, Rates(fsa=30)),
        subscribes("POST-SUBSCRIPTION-DERP", "its DERProgramList", programs(), AddProgram(99)),
        subscribes(
            "POST-SUBSCRIPTION-DERC",
            "its DERControlList",
            controls(),
            AddControl(duration_s=600, modes=modes(opModExpLimW=0), primacy=0),
        ),
        subscribes(
            "POST-SUBSCRIPTION-DEFAULT-DERC",
            "its DefaultDERControl",
            default(),
            default_of(modes(opModImpLimW=1234)),
        ),
    ),
    passes=(Notified(),),
)


def there_and_back(name: str, title: str, mode: str, bit: int, steps: tuple[str, str]) -> ClientProcedure:
    """A control is undone by one of which the client is notified."""
    away, back = steps
    return ClientProcedure(
        name=name,
        title=title,
        category=CATEGORY,
        classes=CLASSES,
        versions=EVERY,
        first=(RARE, PROGRAM),
        acts=(*BASE, control(300, modes(**{mode: False}))),
        ready=(Device(), Subscribed(controls())),
        steps=(
            stored(
                away,
                DER_STATUS,
                connect_bit(bit, False),
                back,
                "WAIT-TEST-END",
                acts=(control(600, modes(**{mode: True})),),
            ),
            stored(back, DER_STATUS, connect_bit(bit, True)),
            last_wait("WAIT-TEST-END", 180),
        ),
        passes=(Notified(),),
        tell=SUBSCRIBED,
    )


ALL_17: Final = ClientProcedure(
    name="ALL-17",
    title="takes the ramp rate of a default of which it is notified",
    category=CATEGORY,
    classes=CLASSES,
    versions=EVERY,
    first=(RARE, PROGRAM, NOTHING),
    acts=(default_of((), 100),),
    ready=(Device(), Subscribed(default())),
    steps=(stored("PUT-DERSETTINGS-SET-GRAD-W", DER_SETTINGS, settings(setGradW=100)),),
    passes=(Notified(),),
)

PROCEDURES: Final = (
    ALL_14,
    there_and_back(
        "ALL-15",
        "ceases to energize and energizes again as it is notified",
        "opModEnergize",
        OPERATING,
        ("PUT-DERSTATUS-DEENERGIZE", "PUT-DERSTATUS-ENERGIZE"),
    ),
    there_and_back(
        "ALL-16",
        "leaves the grid and comes back as it is notified",
        "opModConnect",
        CONNECTED,
        ("PUT-DERSTATUS-DISCONNECT", "PUT-DERSTATUS-CONNECT"),
    ),
    ALL_17,
)
