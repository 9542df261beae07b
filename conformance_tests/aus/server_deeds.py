"""What a client does in procedures for a server, and the resources that they name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Found(StrEnum):
    """Resources that a client walks to from the DeviceCapability."""

    DCAP = "DeviceCapability"
    TIME = "Time"
    EDEV_LIST = "EndDeviceList"
    EDEV = "EndDevice"
    REGISTRATION = "Registration"
    CONNECTION_POINT = "ConnectionPoint"
    FSA_LIST = "FunctionSetAssignmentsList"
    FSA = "FunctionSetAssignments"
    DERP_LIST = "DERProgramList"
    DERP = "DERProgram"
    DERC_LIST = "DERControlList"
    DERC = "DERControl"
    DDERC = "DefaultDERControl"
    DER_LIST = "DERList"
    DER = "DER"
    DER_CAPABILITY = "DERCapability"
    DER_SETTINGS = "DERSettings"
    DER_STATUS = "DERStatus"
    MUP_LIST = "MirrorUsagePointList"
    MUP = "MirrorUsagePoint"
    SUB_LIST = "SubscriptionList"
    SUB = "Subscription"


class Location(StrEnum):
    """Where readings are taken: the connection point of the site, or the DER itself."""

    SITE = "Site"
    DEVICE = "Device"


class Reading(StrEnum):
    """Types of readings that are mirrored, all of them averages."""

    ACTIVE = "ActivePowerAverage"
    REACTIVE = "ReactivePowerAverage"
    FREQUENCY = "FrequencyAverage"
    VOLTAGE = "VoltageSinglePhaseAverage"


@dataclass(frozen=True, slots=True)
class Discover:
    """Walks from the DeviceCapability to resources; lists by pages of `limit` items where it is given."""

    resources: tuple[Found, ...]
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """Reads a resource again that was found. `refused`: that must fail; `or_empty`: or give an empty list."""

    resource: Found
    refused: bool = False
    or_empty: bool = False


@dataclass(frozen=True, slots=True)
class PostDevice:
    """POSTs an EndDevice of its own, or one with another LFDI."""

    refused: bool = False
    lfdi: str = ""


@dataclass(frozen=True, slots=True)
class PutStatus:
    """PUTs DERStatus."""

    connected: int | None = None
    operational: int | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class PutCapability:
    """PUTs DERCapability: type, rating in W, modes as bit masks."""

    kind: int
    max_w: int
    modes: int
    doe_modes: int


@dataclass(frozen=True, slots=True)
class PutSettings:
    """PUTs DERSettings: setMaxW in W, setGradW in 0.01 %/s, modes as bit masks."""

    max_w: int
    ramp: int
    modes: int
    doe_modes: int


@dataclass(frozen=True, slots=True)
class PutUntimedSettings:
    """PUTs DERSettings without the updatedTime that they must have; that must be refused."""


@dataclass(frozen=True, slots=True)
class PutConnectionPoint:
    """PUTs a connection point id: one that is valid (by number), or one that is none."""

    valid: int | None = None
    invalid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """POSTs a MirrorUsagePoint with a MirrorMeterReading for each type; a second time it replaces the first.

    `mrid` and `reading_mrids` are chosen by the procedure where given. `multiplier`: power of ten.
    """

    tag: str
    location: Location
    types: tuple[Reading, ...]
    mrid: str = ""
    reading_mrids: tuple[str, ...] = ()
    multiplier: int | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReadings:
    """POSTs readings to a MirrorUsagePoint, in base units, a set for each type."""

    tag: str
    values: Mapping[Reading, tuple[float, ...]]
    reading_mrids: tuple[str, ...] = ()
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Subscribes to a resource that was found."""

    tag: str
    resource: Found


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Deletes a subscription."""

    tag: str


@dataclass(frozen=True, slots=True)
class Collect:
    """Takes the Notifications that came for a subscription."""

    tag: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Whether Notifications of a subscription are taken; while not, each gets a 5xx."""

    tag: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Respond:
    """Answers every control that was found, by its EventStatus."""


@dataclass(frozen=True, slots=True)
class RespondWrongly:
    """POSTs a Response that must be refused: to no known event, of no known device, or of no known status."""

    unknown_event: bool = False
    unknown_device: bool = False
    unknown_status: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Waits, s of the server's time."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Forget:
    """Forgets what was found of a resource."""

    resources: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Live:
    """Polls, answers controls and mirrors readings, so many times, one each `every_s` seconds."""

    every_s: int
    times: int


Deed = (
    Discover
    | Refresh
    | PostDevice
    | PutStatus
    | PutCapability
    | PutSettings
    | PutUntimedSettings
    | PutConnectionPoint
    | Mirror
    | PostReadings
    | Subscribe
    | Unsubscribe
    | Collect
    | Listen
    | Respond
    | RespondWrongly
    | Pause
    | Forget
    | Live
)
