"""Registration: how a client finds the server, registers and takes its PIN."""

from __future__ import annotations

from typing import Final

from conformance_tests.aus.client_notation import (
    BASE,
    EVERY,
    RATES60,
    STORAGE,
    get,
    last_wait,
    on,
    post,
    put,
)
from conformance_tests.aus.client_words import (
    Advertise,
    Check,
    ClientProcedure,
    Device,
    Finish,
    Open,
    Part,
    Register,
    RegistrationLinks,
    ServeDcapAt,
    Silent,
    Step,
    Stored,
)
from conformance_tests.aus.places import (
    CONNECTION_POINT,
    DCAP,
    DER_LIST,
    EDEV_LIST,
    FSA_LIST,
    REGISTRATION,
    TIME,
    decoy,
)

CATEGORY: Final = "Registration"
KNOWN: Final = "An EndDevice is registered already, with PIN 111115."

ALL_01: Final = ClientProcedure(
    name="ALL-01",
    title="finds the server and its own EndDevice that was registered out of band",
    category=CATEGORY,
    classes=("A", "DR-A"),
    versions=EVERY,
    at_once=True,
    first=(RATES60,),
    acts=(Register(11111), *BASE),
    steps=(
        on("GET-DCAP", get(DCAP), "GET-EDEV-LIST", "GET-TM", "GET-DER", tell=KNOWN),
        on("GET-EDEV-LIST", get(EDEV_LIST)),
        on("GET-TM", get(TIME)),
        on("GET-DER", get(DER_LIST)),
    ),
)

ALL_02: Final = ClientProcedure(
    name="ALL-02",
    title="registers itself in band and tells of its DER",
    category=CATEGORY,
    classes=("A",),
    versions=EVERY,
    at_once=True,
    first=(RATES60,),
    acts=BASE,
    steps=(
        on("GET-DCAP", get(DCAP), "POST-EDEV", "GET-TM"),
        on("GET-TM", get(TIME)),
        on("POST-EDEV", post(EDEV_LIST), "GET-DER"),
        on("GET-DER", get(DER_LIST)),
    ),
    passes=(Stored(Part.CAPABILITY), Stored(Part.SETTINGS), Stored(Part.STATUS), Device(identity=True)),
)

ALL_03: Final = ClientProcedure(
    name="ALL-03",
    title="registers with its connection point",
    category=CATEGORY,
    classes=("C",),
    versions=EVERY,
    at_once=True,
    first=(RATES60,),
    acts=BASE,
    steps=(
        on("GET-DCAP", get(DCAP), "GET-EDEV", "GET-TM"),
        on("GET-EDEV", get(EDEV_LIST), "POST-EDEV"),
        on("GET-TM", get(TIME)),
        on("POST-EDEV", post(EDEV_LIST), "GET-DER", "PUT-CP"),
        on("GET-DER", get(DER_LIST)),
        on("PUT-CP", put(CONNECTION_POINT)),
    ),
    passes=(Device(identity=True, connection_point=True),),
)


def pin(
    name: str, title: str, number: int, before: str, after: str, passes: tuple[Check, ...] = ()
) -> ClientProcedure:
    """The client reads its PIN; for two minutes a person sees what it does with it."""
    return ClientProcedure(
        name=name,
        title=title,
        category=CATEGORY,
        classes=("A",),
        versions=EVERY,
        at_once=True,
        first=(RATES60,),
        acts=(Register(number), *BASE),
        steps=(
            on("GET-REGISTRATION", get(REGISTRATION), "WAIT-TEST-END", tell=before),
            last_wait("WAIT-TEST-END", 120, after),
        ),
        passes=passes,
    )


ALL_05: Final = ClientProcedure(
    name="ALL-05",
    title="goes on where its EndDevice has no RegistrationLink",
    category=CATEGORY,
    classes=("A",),
    versions=EVERY,
    at_once=True,
    first=(RATES60,),
    acts=(RegistrationLinks(shown=False), *BASE),
    steps=(
        on("GET-DCAP", get(DCAP), "GET-EDEV", "GET-TM"),
        on("GET-EDEV", get(EDEV_LIST), "POST-EDEV"),
        on("GET-TM", get(TIME)),
        on("POST-EDEV", post(EDEV_LIST), "GET-DER", "GET-FSA"),
        on("GET-FSA", get(FSA_LIST)),
        on("GET-DER", get(DER_LIST)),
    ),
)

FORBIDDEN: Final = ("FAIL-DEFAULT-DCAP", "FAIL-UNSUPPORTED-VERSION", "FAIL-MALFORMED-DCAP")

SDVN_01: Final = ClientProcedure(
    name="SDVN-01",
    title="finds the DeviceCapability of a version that it speaks by the file of service discovery",
    category=CATEGORY,
    classes=("A",),
    versions=STORAGE,
    at_once=True,
    acts=(
        RATES60,
        *BASE,
        Advertise("https://csipaus.org/ns/v99.99", (1,)),
        Advertise("null", (2,)),
        Advertise("https://csipaus.org/ns/v1.2", ()),
        Advertise("https://csipaus.org/ns/v1.3", (3,)),
        ServeDcapAt(3),
        Open(FORBIDDEN),
    ),
    steps=(
        on("GET-DCAP", get(decoy(3)), "POST-EDEV"),
        Step(
            "FAIL-DEFAULT-DCAP",
            get(DCAP),
            (Finish("the DeviceCapability was read at its default address, not at an advertised one"),),
            stays=True,
        ),
        Step(
            "FAIL-UNSUPPORTED-VERSION",
            get(decoy(1)),
            (Finish("the DeviceCapability of a version was read that the client cannot speak"),),
            stays=True,
        ),
        Step(
            "FAIL-MALFORMED-DCAP",
            get(decoy(2)),
            (Finish("the DeviceCapability was read of an entry that names no version"),),
            stays=True,
        ),
        on("POST-EDEV", post(EDEV_LIST), "PUT-CP"),
        on("PUT-CP", put(CONNECTION_POINT)),
    ),
    passes=(Device(identity=True, connection_point=True),),
    unmet=FORBIDDEN,
)

PROCEDURES: Final = (
    ALL_01,
    ALL_02,
    ALL_03,
    pin(
        "ALL-03-REJ",
        "rejects a server that has another PIN for it",
        33221,
        "An EndDevice is registered already, with a PIN that is not the client's.",
        "The client must leave the server, since the PIN is not its own.",
        (Silent(REGISTRATION),),
    ),
    pin(
        "ALL-04",
        "goes on with a server that has its PIN",
        11111,
        KNOWN,
        "The client must go on with the server, since the PIN is its own.",
    ),
    ALL_05,
    SDVN_01,
)
