"""The words in which procedures for a client are written: events, checks, acts of the server, steps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from conformance_tests.aus.values import NOW, Amount, Facts, Moment

if TYPE_CHECKING:
    from conformance_tests.aus.places import Place

# --- what a step waits for ---


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the client. `answered`: it is stored and answered before the step looks at it."""

    method: str
    place: Place
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Elapsed:
    """So much time since the step was opened, s of the procedure's time."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A person says that it is so; after `within_s` seconds (None: as long as it takes) it counts as not."""

    within_s: int | None = None


Event = Asked | Elapsed | Confirmed

# --- what must be so ---


@dataclass(frozen=True, slots=True)
class Device:
    """The EndDevice exists; with `identity` its SFDI follows from its LFDI, and that from the certificate.

    `connection_point`: it has a connection point id. `facts` are about its elements.
    """

    identity: bool = False
    connection_point: bool = False
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class Devices:
    """There are so many EndDevices of the client."""

    number: int


class Part(StrEnum):
    """What a client PUTs below its DER."""

    CAPABILITY = "DERCapability"
    SETTINGS = "DERSettings"
    STATUS = "DERStatus"


@dataclass(frozen=True, slots=True)
class Stored:
    """The client has PUT this part of its DER, and its elements are so."""

    part: Part
    facts: Facts = ()


class Quantity(StrEnum):
    """Readings that a client mirrors: at the connection point (site), at the DER, or at either."""

    SITE_ACTIVE = "active power of the site"
    SITE_REACTIVE = "reactive power of the site"
    DER_ACTIVE = "active power of the DER"
    DER_REACTIVE = "reactive power of the DER"
    VOLTAGE = "voltage of site or DER"
    STORED_ENERGY = "stored energy of the DER"


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A MirrorUsagePoint holds at least so many readings of a quantity."""

    quantity: Quantity
    at_least: int


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The client has a subscription to a resource."""

    place: Place


@dataclass(frozen=True, slots=True)
class Responded:
    """A Response of this status came: to the event of a tag, to all events, or as the latest of all.

    `prices`: to a TimeTariffInterval. `came` False: none such may have come.
    """

    status: int
    tag: str = ""
    to_all: bool = False
    latest: bool = False
    prices: bool = False
    came: bool = True


@dataclass(frozen=True, slots=True)
class Polled:
    """Each of the places was read once an interval, neither missed nor too often."""

    places: tuple[Place, ...]
    every_s: int


@dataclass(frozen=True, slots=True)
class Requested:
    """Resources of these types were read between so many times."""

    types: tuple[str, ...]
    at_least: int
    at_most: int


@dataclass(frozen=True, slots=True)
class Notified:
    """The client took every Notification with a 2xx."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The client writes nothing once it has read a place: a warning where it does."""

    after: Place


Check = Device | Devices | Stored | Mirrored | Subscribed | Responded | Polled | Requested | Notified | Silent

# --- what the server does ---


@dataclass(frozen=True, slots=True)
class Rates:
    """Sets pollRates and the postRate of mirrors, s; None leaves one as it is."""

    dcap: int | None = None
    edev: int | None = None
    fsa: int | None = None
    der: int | None = None
    derp: int | None = None
    mup: int | None = None
    tariffs: int | None = None
    intervals: int | None = None
    device_post: int | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """Registers an EndDevice for the client with a PIN (with its check digit).

    For an aggregator it is a device of its own with the LFDI of the procedures and the PEN of the client.
    """

    pin: int


@dataclass(frozen=True, slots=True)
class RegistrationLinks:
    """Whether EndDevices have a RegistrationLink from now on."""

    shown: bool


@dataclass(frozen=True, slots=True)
class AddProgram:
    """A new DERProgram in one of the function set assignments, for these EndDevices (from 0; none: all)."""

    primacy: int
    assignment: int | None = None
    tag: str = ""
    devices: tuple[int, ...] = ()


Modes = tuple[tuple[str, Amount | bool], ...]
"""Elements of a DERControlBase, in their base units, sorted by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDefault:
    """Changes the DefaultDERControl of a program (None: of the only one): modes, setGradW in 0.01 %/s.

    `removed`: it asks for nothing from now on.
    """

    modes: Modes = ()
    ramp: int | None = None
    program: int | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddControl:
    """A new DERControl, s. `program_tag` or `primacy` and `assignment` say of which program.

    `multiplier` is the power of ten of its values, `ramp_s` how long it may take to reach them.
    """

    start: Moment = NOW
    duration_s: int
    modes: Modes
    tag: str = ""
    primacy: int | None = None
    assignment: int | None = None
    program_tag: str = ""
    devices: tuple[int, ...] = ()
    randomize_start_s: int | None = None
    multiplier: int | None = None
    ramp_s: int | None = None


@dataclass(frozen=True, slots=True)
class CancelControls:
    """Cancels every control that is not over."""


@dataclass(frozen=True, slots=True)
class DropAssignment:
    """Takes one of its function set assignments from the device."""

    assignment: int


@dataclass(frozen=True, slots=True)
class AddTariff:
    """A new TariffProfile in one of the function set assignments; prices in its power of ten."""

    primacy: int
    assignment: int
    price_multiplier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRate:
    """A new RateComponent of the tariff: its ReadingType's unit, direction and power of ten."""

    tag: str
    uom: int
    multiplier: int
    direction: int | None = None
    commodity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddInterval:
    """A new TimeTariffInterval: price of the first block, and of a second one from `block1_from` on."""

    rate: str
    duration_s: int
    block0: int
    start: Moment = NOW
    block1: int | None = None
    block1_from: int | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class CancelIntervals:
    """Cancels the TimeTariffInterval of a tag, or all."""

    tag: str = ""


@dataclass(frozen=True, slots=True)
class DropRate:
    """Removes a RateComponent with what is under it."""

    tag: str


@dataclass(frozen=True, slots=True)
class Reachable:
    """Whether the server answers; while not, each request gets a 500."""

    up: bool


@dataclass(frozen=True, slots=True)
class Advertise:
    """Names addresses of the DeviceCapability for a namespace in the file of service discovery."""

    version: str
    decoys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ServeDcapAt:
    """Serves the DeviceCapability at one of the advertised addresses too."""

    decoy: int


@dataclass(frozen=True, slots=True)
class Open:
    """Opens steps, from the preconditions."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """Ends the run; with `fault` as failed."""

    fault: str = ""


Act = (
    Rates
    | Register
    | RegistrationLinks
    | AddProgram
    | SetDefault
    | AddControl
    | CancelControls
    | DropAssignment
    | AddTariff
    | AddRate
    | AddInterval
    | CancelIntervals
    | DropRate
    | Reachable
    | Advertise
    | ServeDcapAt
    | Open
    | Finish
)

# --- procedures ---


@dataclass(frozen=True, slots=True)
class Step:
    """Waits for an event while it is open; once it comes and the checks hold, acts and opens others.

    It closes then, unless it `stays`. `tell` is for the person beside the device.
    """

    name: str
    on: Event
    acts: tuple[Act, ...] = ()
    opens: tuple[str, ...] = ()
    when: Check | None = None
    tell: str = ""
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProcedure:
    """One procedure for a client, played by a utility server.

    `first` is done before the client is brought to "registered, found, mirroring"; then come `acts`, the
    checks `ready`, and the first of the steps opens. With `at_once` everything from the first connection
    counts. At the end every step but those of `unmet` has come, and `passes` hold.
    """

    name: str
    title: str
    category: str
    classes: tuple[str, ...]
    steps: tuple[Step, ...]
    versions: frozenset[str]
    first: tuple[Act, ...] = ()
    acts: tuple[Act, ...] = ()
    ready: tuple[Check, ...] = ()
    passes: tuple[Check, ...] = ()
    unmet: tuple[str, ...] = ()
    at_once: bool = False
    tell: str = ""
