"""The words in which procedures for a server are written: checks, what the operator arranges, steps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from conformance_tests.aus.values import Amount

if TYPE_CHECKING:
    from conformance_tests.aus.server_deeds import Deed, Found, Location, Reading

Modes = tuple[tuple[str, Amount | bool], ...]
"""Elements of a DERControlBase, in their base units, sorted by name."""


# --- what must be so ---


@dataclass(frozen=True, slots=True)
class Discovered:
    """These resources were found, and the EndDevice or its DER has these links."""

    resources: tuple[Found, ...] = ()
    links: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnDevice:
    """The EndDevice of the client is there, or is not; its PIN is the one that was agreed."""

    there: bool = True
    pin: bool = False


@dataclass(frozen=True, slots=True)
class InTime:
    """The clock of the server is right."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number within bounds; None is no bound."""

    at_least: int | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """So many DERControls have these values, of those found or of those in a Notification (`subscription`).

    `status` is the EventStatus, `primacy` that of the program. `ramp` is rampTms in 0.01 s; with `unramped`
    there must be none. `randomize_start_s` and `duration_s` in s.
    """

    number: Between
    modes: Modes = ()
    status: int | None = None
    ramp: int | None = None
    unramped: bool = False
    response_required: int | None = None
    duration_s: int | None = None
    randomize_start_s: int | None = None
    primacy: int | None = None
    subscription: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """So many DefaultDERControls have these values; `ramp` is setGradW in 0.01 %/s."""

    number: Between
    modes: Modes = ()
    ramp: int | None = None
    primacy: int | None = None
    subscription: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignments:
    """So many FunctionSetAssignments are the client's own."""

    number: Between
    subscription: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """So many DERPrograms have this primacy and belong to an assignment, counted from 0 (-1 is the last)."""

    number: Between
    primacy: int | None = None
    assignment: int
    subscription: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLists:
    """So many EndDeviceLists have this pollRate, s."""

    number: Between
    poll_s: int
    subscription: str


@dataclass(frozen=True, slots=True)
class PollRate:
    """A resource has this pollRate, s."""

    resource: Found
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrors:
    """A MirrorUsagePoint is there as it was sent, or none is; its postRate in s."""

    there: bool = True
    location: Location | None = None
    types: tuple[Reading, ...] = ()
    mrid: str = ""
    reading_mrids: tuple[str, ...] = ()
    post_s: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The client has sent exactly so many Responses of a status."""

    status: int
    number: int = 1


Test = (
    Discovered
    | OwnDevice
    | InTime
    | Controls
    | Defaults
    | Assignments
    | Programs
    | DeviceLists
    | PollRate
    | Mirrors
    | Answered
)

# --- what the operator arranges ---


@dataclass(frozen=True, slots=True)
class EnsureDevice:
    """The device of the client is registered, or not; it has a DER, and a RegistrationLink where it must."""

    registered: bool = True
    der: bool = False
    registration: bool = False


@dataclass(frozen=True, slots=True)
class EnsureAssignment:
    """The device has a function set assignment of that name."""

    tag: str
    primacy: int | None = None


@dataclass(frozen=True, slots=True)
class EnsureProgram:
    """A DERProgram is in the function set assignment of that name."""

    tag: str
    primacy: int | None = None


@dataclass(frozen=True, slots=True)
class EnsureControlList:
    """The device has a DERControlList, to which one may subscribe where it must."""

    subscribable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A new DERControl, active at once or scheduled; s. `ramp` is rampTms in 0.01 s."""

    active: bool
    modes: Modes
    ramp: int | None = None
    start_in_s: int | None = None
    duration_s: int | None = None
    randomize_start_s: int | None = None
    primacy: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishDefault:
    """The DefaultDERControl of the program, or of that with this primacy; `ramp` is setGradW in 0.01 %/s."""

    modes: Modes = ()
    ramp: int | None = None
    primacy: int | None = None


@dataclass(frozen=True, slots=True)
class ClearControls:
    """Every DERControl is cancelled."""


@dataclass(frozen=True, slots=True)
class TakeAccess:
    """The certificate of the client is no longer let in."""


@dataclass(frozen=True, slots=True)
class SetPollRate:
    """The pollRate of a resource, s."""

    resource: Found
    seconds: int


@dataclass(frozen=True, slots=True)
class SetPostRate:
    """The postRate of MirrorUsagePoints, s."""

    seconds: int


@dataclass(frozen=True, slots=True)
class NoMirrors:
    """The client has no MirrorUsagePoint."""


Duty = (
    EnsureDevice
    | EnsureAssignment
    | EnsureProgram
    | EnsureControlList
    | Publish
    | PublishDefault
    | ClearControls
    | TakeAccess
    | SetPollRate
    | SetPostRate
    | NoMirrors
)

# --- procedures ---


class Player(StrEnum):
    """Who a client of a procedure must be."""

    ANY = "any"
    DEVICE = "device"
    AGGREGATOR = "aggregator"


@dataclass(frozen=True, slots=True)
class ServerStep:
    """One step: what the operator arranges, what the client does, and what must be so then.

    `until` True: it is done again until it is so. `by` names the client where there are several, `knows`
    whose discoveries it uses. `tell` is for the operator, beside what the duties say.
    """

    name: str
    deed: Deed
    checks: tuple[Test, ...] = ()
    duties: tuple[Duty, ...] = ()
    until: bool = False
    by: str = ""
    knows: str = ""
    tell: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProcedure:
    """One procedure for a server, played by one or two clients, whose steps are taken in their order."""

    name: str
    title: str
    category: str
    steps: tuple[ServerStep, ...]
    clients: tuple[tuple[str, Player], ...]
    classes: tuple[str, ...] = ("A",)
    versions: frozenset[str] = frozenset({"v1.2", "v1.3"})
