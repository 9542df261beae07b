"""Monitoring: mirrors and readings, status, ratings and settings of a DER."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance_tests.aus.server_deeds import (
    Found,
    Live,
    Location,
    Mirror,
    PostReadings,
    PutCapability,
    PutSettings,
    PutStatus,
    PutUntimedSettings,
    Reading,
    Refresh,
)
from conformance_tests.aus.server_notation import (
    ONE_CLIENT,
    OWN,
    REGISTERED,
    SOME,
    WITH_DER,
    active,
    controls,
    do,
    find,
    modes,
    there,
)
from conformance_tests.aus.server_words import (
    Discovered,
    Mirrors,
    NoMirrors,
    ServerProcedure,
    ServerStep,
    SetPostRate,
)

CATEGORY: Final = "Monitoring"
FOUR: Final = tuple(Reading)
MEASURED: Final = {
    Reading.ACTIVE: (5000, 5100, 5200, 5300),
    Reading.REACTIVE: (1000, 1100, 1200, 1300),
    Reading.FREQUENCY: (50.0, 50.1, 49.9, 50.0),
    Reading.VOLTAGE: (230.0, 231.0, 229.0, 230.5),
}


def procedure(name: str, title: str, *steps: ServerStep, category: str = CATEGORY) -> ServerProcedure:
    """One procedure of this module."""
    return ServerProcedure(name=name, title=title, category=category, clients=ONE_CLIENT, steps=steps)


def mirrored(
    name: str, tag: str, location: Location, *types: Reading, multiplier: int | None = None
) -> ServerStep:
    """A mirror is made, and is there as it was sent."""
    return do(
        name,
        Mirror(tag=tag, location=location, types=types, multiplier=multiplier),
        Mirrors(location=location, types=types),
    )


ALL_06: Final = procedure(
    "S-ALL-06",
    "mirrors of site and device take readings",
    there(Found.EDEV, Found.DCAP, Found.MUP_LIST, Found.DER),
    find("no mirrors", Found.MUP, checks=(Mirrors(there=False),), duties=(NoMirrors(),)),
    mirrored("mirror of the site", "mup_site", Location.SITE, *FOUR),
    mirrored("mirror of the device", "mup_device", Location.DEVICE, *FOUR),
    do("readings of the site", PostReadings(tag="mup_site", values=MEASURED)),
    do("readings of the device", PostReadings(tag="mup_device", values=MEASURED)),
)

MUP_MRID: Final = "AAAAAAAAAAAAAAAAAAAAAAA000000001"
FIRST_MRID, SECOND_MRID = 32 * "B", 32 * "C"


def same_mirror(name: str, location: Location, first: Reading) -> ServerStep:
    """The mirror of one mRID, with two sets of readings of chosen mRIDs."""
    types, mrids = (first, Reading.VOLTAGE), (FIRST_MRID, SECOND_MRID)
    return do(
        name,
        Mirror(tag="mup_mrid_1", location=location, types=types, mrid=MUP_MRID, reading_mrids=mrids),
        Mirrors(location=location, types=types, mrid=MUP_MRID, reading_mrids=mrids),
    )


ALL_07: Final = procedure(
    "S-ALL-07",
    "a mirror of the same mRID takes the place of the former",
    there(Found.EDEV, Found.DER, Found.MUP),
    same_mirror("mirror", Location.SITE, Reading.ACTIVE),
    same_mirror("other roleFlags", Location.DEVICE, Reading.ACTIVE),
    do(
        "readings",
        PostReadings(
            tag="mup_mrid_1",
            values={Reading.ACTIVE: (5000,), Reading.VOLTAGE: (240.0,)},
            reading_mrids=(FIRST_MRID, SECOND_MRID),
        ),
    ),
    do(
        "another reading",
        PostReadings(tag="mup_mrid_1", values={Reading.ACTIVE: (6000,)}, reading_mrids=(FIRST_MRID,)),
    ),
    same_mirror("other type of reading", Location.DEVICE, Reading.REACTIVE),
)


def linked(*links: Found) -> ServerStep:
    """The client finds its DER with these links."""
    return find(
        "precondition", Found.EDEV, Found.DER, checks=(OWN, Discovered(links=links)), duties=(WITH_DER,)
    )


def connected(name: str, value: int, tell: str = "") -> ServerStep:
    """The client tells genConnectStatus."""
    return replace(do(name, PutStatus(connected=value)), tell=tell)


AGAIN: Final = "The DER comes back to the grid."

ALL_08: Final = procedure(
    "S-ALL-08",
    "what a DER tells of its connection is stored",
    linked(Found.DER_STATUS),
    connected("at first", 7),
    connected("disconnected", 6),
    connected("connected", 7),
    connected("unavailable", 5),
    connected("connected again", 7, AGAIN),
    connected("not operating", 3),
    connected("operating again", 7, AGAIN),
)

ALL_09: Final = procedure(
    "S-ALL-09",
    "what a DER tells of its operation is stored",
    linked(Found.DER_STATUS),
    do("first mode", PutStatus(operational=1)),
    do("second mode", PutStatus(operational=2)),
)

ALL_10: Final = procedure(
    "S-ALL-10",
    "ratings and settings of a DER are stored and replaced",
    linked(Found.DER_CAPABILITY, Found.DER_SETTINGS),
    do("ratings", PutCapability(4, 10000, 3, 3)),
    do("settings", PutSettings(10000, 1000, 3, 3)),
    do("other ratings", PutCapability(5, 11000, 4, 4)),
    do("other settings", PutSettings(11000, 1100, 4, 4)),
)

ALL_47: Final = procedure(
    "S-ALL-47",
    "powers of ten of limits and readings are right",
    find(
        "control of 100 kW",
        *(Found.DERC, Found.MUP_LIST),
        checks=(controls(modes(opModExpLimW=100000), SOME),),
        duties=(REGISTERED, active(modes(opModExpLimW=100000))),
    ),
    mirrored("mirror of the site", "mup_site", Location.SITE, Reading.ACTIVE, multiplier=1),
    do("readings", PostReadings(tag="mup_site", values={Reading.ACTIVE: (100000,)})),
    mirrored("mirror of the device", "mup_device", Location.DEVICE, Reading.ACTIVE, multiplier=0),
    do(
        "a reading too large for its power of ten",
        PostReadings(tag="mup_device", values={Reading.ACTIVE: (3000000000000000,)}, refused=True),
    ),
    category="Control",
)

ALL_50: Final = procedure(
    "S-ALL-50",
    "a client lives with the server for three days",
    there(Found.EDEV, Found.DCAP, Found.MUP_LIST, Found.DER),
    do("three days", Live(60, 4320), OWN),
    category="Ongoing Operations",
)

ALL_55: Final = procedure(
    "S-ALL-55",
    "settings without their time are refused",
    there(Found.EDEV, Found.DCAP, Found.DER),
    do("settings without updatedTime", PutUntimedSettings()),
    do("settings", PutSettings(10000, 1000, 12, 3)),
    category="Edge Cases",
)


def post_rate(name: str, seconds: int) -> ServerStep:
    """The operator changes the postRate; the client reads it."""
    return do(name, Refresh(Found.MUP), Mirrors(post_s=seconds), duties=(SetPostRate(seconds),), until=True)


OPT_05: Final = procedure(
    "S-OPT-05",
    "the postRate of mirrors can be changed",
    there(Found.EDEV, Found.DER, Found.MUP),
    do("mirror", Mirror(tag="mupa", location=Location.DEVICE, types=(Reading.ACTIVE,)), Mirrors()),
    post_rate("postRate of 60 s", 60),
    post_rate("postRate of 300 s", 300),
)

PROCEDURES: Final = (ALL_06, ALL_07, ALL_08, ALL_09, ALL_10, ALL_47, ALL_50, ALL_55, OPT_05)
