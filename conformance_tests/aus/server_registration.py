"""Registration: discovery, registering in band, several clients, access, connection points and edge cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance_tests.aus.server_deeds import (
    Deed,
    Found,
    Location,
    Mirror,
    PostDevice,
    PostReadings,
    PutConnectionPoint,
    PutStatus,
    Reading,
    Refresh,
)
from conformance_tests.aus.server_notation import (
    ONE_AGGREGATOR,
    ONE_CLIENT,
    ONE_DEVICE,
    OWN,
    REGISTERED,
    TWO_CLIENTS,
    TWO_DEVICES,
    WITH_DER,
    A,
    B,
    do,
    find,
    modes,
    there,
)
from conformance_tests.aus.server_words import (
    Between,
    Controls,
    Discovered,
    Duty,
    EnsureControlList,
    EnsureDevice,
    InTime,
    Mirrors,
    NoMirrors,
    OwnDevice,
    Player,
    Publish,
    ServerProcedure,
    ServerStep,
    TakeAccess,
    Test,
)

CATEGORY: Final = "Registration"
EDGES: Final = "Edge Cases"
BASICS: Final = (Found.DCAP, Found.TIME, Found.MUP_LIST)
DER_LINKS: Final = (Found.DER_CAPABILITY, Found.DER_SETTINGS, Found.DER_STATUS)


def procedure(
    name: str,
    title: str,
    *steps: ServerStep,
    category: str = CATEGORY,
    clients: tuple[tuple[str, Player], ...] = ONE_CLIENT,
) -> ServerProcedure:
    """One procedure of this module."""
    return ServerProcedure(name=name, title=title, category=category, clients=clients, steps=steps)


ALL_01: Final = procedure(
    "S-ALL-01",
    "a device that was registered out of band finds everything",
    find(
        "discovery",
        *(*BASICS, Found.EDEV, Found.DER),
        checks=(
            Discovered(
                (*BASICS, Found.EDEV, Found.DER), (Found.CONNECTION_POINT, Found.REGISTRATION, *DER_LINKS)
            ),
            OWN,
            InTime(),
        ),
        duties=(WITH_DER,),
    ),
)


def in_band(name: str, title: str, clients: tuple[tuple[str, Player], ...]) -> ServerProcedure:
    """A client that is unknown registers itself."""
    return procedure(
        name,
        title,
        find(
            "precondition",
            *(*BASICS, Found.EDEV, Found.DER),
            checks=(Discovered((*BASICS, Found.EDEV_LIST)), OwnDevice(there=False), InTime()),
            duties=(EnsureDevice(registered=False),),
        ),
        do("register", PostDevice(), OWN),
        find("find its DER", Found.DER, checks=(Discovered(links=DER_LINKS),), duties=(WITH_DER,)),
        clients=clients,
    )


def by(client: str, step: ServerStep, knows: str = "") -> ServerStep:
    """The same step, done by one of two clients, with what another has found."""
    return replace(step, by=client, knows=knows)


def two_types(tag: str) -> tuple[Deed, Test]:
    """Active power and voltage, mirrored at the DER."""
    types = (Reading.ACTIVE, Reading.VOLTAGE)
    return Mirror(tag=tag, location=Location.DEVICE, types=types), Mirrors(
        location=Location.DEVICE, types=types
    )


FIVE: Final[tuple[Duty, ...]] = (REGISTERED, *(5 * (Publish(active=False, modes=modes(opModExpLimW=0)),)))
VALUES: Final[dict[str, dict[Reading, tuple[float, ...]]]] = {
    A: {Reading.ACTIVE: (1000, 1234, 0, -4567), Reading.VOLTAGE: (241.1, 232.2, 233.9, 244.1)},
    B: {Reading.ACTIVE: (2000, 2234, 0, -8567), Reading.VOLTAGE: (243.1, 233.2, 234.9, 240)},
}
TAGS: Final = {A: "mupa", B: "mupb"}

ALL_04: Final = procedure(
    "S-ALL-04",
    "two clients at a time each have their own",
    *(
        by(
            one,
            find(
                "precondition",
                Found.DERC,
                checks=(OWN, Controls(number=Between(5))),
                duties=FIVE,
                tell=f"{one} must have at least five controls.",
            ),
        )
        for one in (A, B)
    ),
    *(
        by(one, find("no mirrors", Found.MUP, checks=(Mirrors(there=False),), duties=(NoMirrors(),)))
        for one in (A, B)
    ),
    *(by(one, do("mirror", *two_types(TAGS[one]))) for one in (A, B)),
    *(by(one, do("readings", PostReadings(tag=TAGS[one], values=VALUES[one]))) for one in (A, B)),
)
OTHERS_MRID: Final = "ABCDEF0123456789ABCDEF0100028547"


def active_power(tag: str, *mrids: str, refused: bool = False) -> Mirror:
    """Active power, mirrored at the DER."""
    return Mirror(
        tag=tag, location=Location.DEVICE, types=(Reading.ACTIVE,), reading_mrids=mrids, refused=refused
    )


def mirrored(*mrids: str) -> Mirrors:
    """Active power is mirrored at the DER."""
    return Mirrors(location=Location.DEVICE, types=(Reading.ACTIVE,), reading_mrids=mrids)


ALL_05: Final = procedure(
    "S-ALL-05",
    "a device sees and changes its own alone",
    *(
        by(
            one,
            find(
                "precondition",
                *(Found.EDEV, Found.DERC_LIST, Found.DER, Found.MUP),
                checks=(OWN, Discovered((Found.DERC_LIST,))),
                duties=(REGISTERED, EnsureControlList()),
            ),
        )
        for one in (A, B)
    ),
    by(A, do("mirror", active_power("mupa"), mirrored())),
    by(B, do("mirror", active_power("mupb", OTHERS_MRID), mirrored(OTHERS_MRID))),
    by(A, do("another's EndDevice", Refresh(Found.EDEV, refused=True)), knows=B),
    by(A, do("another's controls", Refresh(Found.DERC_LIST, refused=True)), knows=B),
    by(A, do("another's status", PutStatus(connected=1, refused=True)), knows=B),
    by(A, do("its own list", Refresh(Found.EDEV_LIST), OWN)),
    by(A, do("another's mRID", active_power("mupa", OTHERS_MRID, refused=True))),
    by(
        A,
        do(
            "no more access",
            Refresh(Found.EDEV_LIST, or_empty=True),
            duties=(TakeAccess(),),
            until=True,
        ),
    ),
)

AT_HOME: Final = there(Found.EDEV, Found.DCAP, Found.MUP_LIST, Found.DER)
ALL_FOUND: Final = there(*BASICS, Found.EDEV, Found.DER)


def point(name: str, number: int) -> ServerStep:
    """A valid connection point id is sent."""
    return do(name, PutConnectionPoint(valid=number))


PROCEDURES: Final = (
    ALL_01,
    in_band("S-ALL-02", "a device registers itself", ONE_DEVICE),
    in_band("S-ALL-03", "an aggregator registers a device of its own", ONE_AGGREGATOR),
    replace(ALL_04, clients=TWO_CLIENTS),
    replace(ALL_05, clients=TWO_DEVICES),
    procedure(
        "S-ALL-51",
        "a second EndDevice of the same LFDI is refused",
        AT_HOME,
        do("register again", PostDevice(refused=True)),
        category=EDGES,
    ),
    procedure(
        "S-ALL-52",
        "an EndDevice of another's LFDI is refused",
        by(A, there(Found.EDEV)),
        by(B, do("register another", PostDevice(refused=True)), knows=A),
        category=EDGES,
        clients=TWO_DEVICES,
    ),
    procedure(
        "S-ALL-53",
        "a connection point id can be changed",
        AT_HOME,
        point("connection point", 1),
        point("another connection point", 2),
        category=EDGES,
    ),
    procedure(
        "S-ALL-56",
        "an LFDI that is no number is refused",
        find(
            "precondition",
            *(*BASICS, Found.EDEV),
            checks=(OwnDevice(there=False),),
            duties=(EnsureDevice(registered=False),),
        ),
        do("register", PostDevice(refused=True, lfdi="ZZZZZZZZZZZZZZZZ")),
        category=EDGES,
    ),
    procedure(
        "S-OPT-01",
        "a device that is known cannot register",
        ALL_FOUND,
        do("register again", PostDevice(refused=True), OWN),
    ),
    procedure(
        "S-OPT-02",
        "a connection point id that is none is refused",
        ALL_FOUND,
        do("bad connection point", PutConnectionPoint(invalid="NOTAVALIDID")),
    ),
    procedure(
        "S-OPT-03",
        "a connection point id is stored",
        replace(
            ALL_FOUND,
            checks=(OWN, Discovered((Found.EDEV,), (Found.CONNECTION_POINT,))),
        ),
        point("connection point", 1),
    ),
    procedure(
        "S-OPT-04",
        "the PIN of a device is the one that was agreed",
        find(
            "PIN",
            Found.REGISTRATION,
            checks=(OwnDevice(pin=True),),
            duties=(EnsureDevice(registration=True),),
        ),
    ),
)
