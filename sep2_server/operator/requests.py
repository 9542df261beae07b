"""What the operator may send: one class per body, read by `shape.read`."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from sep2_server.operator.shape import Digits, Length, Named, OneOf, Span

UINT32 = 2**32 - 1
NAME = Length(1, 64)
GROUP = Length(1, 512)
"""That of a node of the network is its path."""
DESCRIPTION = Length(0, 32)
"""String32 holds 32 octets of UTF-8. IEEE 2030.5-2018, 10.2.2."""
MRID = Digits(2, 32)
FARTHEST_S = 2**35
"""Greatest offset of a clock, s (1088 years): from any year of now to one that a calendar can write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolDevice:
    """A device to enrol: by its certificate (PEM), or by its LFDI; the PIN is made where none is given.

    `groups` are those that it becomes a member of; they must be there.
    """

    name: Annotated[str, NAME]
    certificate: Annotated[str, Length(1, 65_536)] | None = None
    lfdi: Annotated[str, Named("lFDI"), Digits(40, 40)] | None = None
    pin: Annotated[int, Named("pIN"), Span(0, 999_999)] | None = None
    role: Annotated[str, OneOf(("device", "aggregator"))] = "device"
    aggregator: Annotated[str, NAME] | None = None
    ders: Annotated[int, Named("DER"), Span(0, 255)] | None = None
    device_category: Annotated[str, Named("deviceCategory"), Digits(2, 8)] | None = None
    post_rate_s: Annotated[int, Named("postRate"), Span(1, UINT32)] | None = None
    groups: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """A group: what devices are assigned to, with its first DERProgram."""

    name: Annotated[str, NAME]
    primacy: Annotated[int, Span(0, 255)]
    description: Annotated[str, DESCRIPTION] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddProgram:
    """A further DERProgram of a group."""

    primacy: Annotated[int, Span(0, 255)]
    description: Annotated[str, DESCRIPTION] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishControl:
    """A DERControl. It starts at `start` (s since 1970 UTC or ISO 8601), or `in` some time, or now.

    `start` "after-last" is right after the last control of the program, with `in` some time later.
    """

    modes: Annotated[dict[str, Any], Named("DERControlBase")]
    duration: Annotated[int, Span(1, UINT32)] | Annotated[str, Length(1, 32)]
    start: Annotated[int, Span(0, 2**62)] | Annotated[str, Length(1, 40)] | None = None
    within: Annotated[int, Named("in"), Span(0, UINT32)] | Annotated[str, Length(1, 32)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    randomize_start_s: Annotated[int, Named("randomizeStart"), Span(-3600, 3600)] | None = None
    randomize_duration_s: Annotated[int, Named("randomizeDuration"), Span(-3600, 3600)] | None = None
    response_required: Annotated[str, Named("responseRequired"), Digits(2, 2)] | None = None
    device_category: Annotated[str, Named("deviceCategory"), Digits(2, 8)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeControl:
    """What to change of a DERControl; what is absent stays."""

    modes: Annotated[dict[str, Any], Named("DERControlBase")] | None = None
    duration: Annotated[int, Span(1, UINT32)] | Annotated[str, Length(1, 32)] | None = None
    start: Annotated[int, Span(0, 2**62)] | Annotated[str, Length(1, 40)] | None = None
    within: Annotated[int, Named("in"), Span(0, UINT32)] | Annotated[str, Length(1, 32)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    randomize_start_s: Annotated[int, Named("randomizeStart"), Span(-3600, 3600)] | None = None
    randomize_duration_s: Annotated[int, Named("randomizeDuration"), Span(-3600, 3600)] | None = None
    response_required: Annotated[str, Named("responseRequired"), Digits(2, 2)] | None = None
    device_category: Annotated[str, Named("deviceCategory"), Digits(2, 8)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelControl:
    """How to cancel a DERControl: at once, or `randomized` (each device within its random window)."""

    randomized: bool = False
    reason: Annotated[str, Length(0, 192)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPostRate:
    """How often a device posts its data (`postRate`) and the readings of its mirrors, s."""

    post_rate_s: Annotated[int, Named("postRate"), Span(1, UINT32)] | None = None
    mirror_post_rate_s: Annotated[int, Named("MirrorUsagePoint"), Span(1, UINT32)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRates:
    """How often clients ask, s, by resource (`DERProgramList`); 0 takes back what was set.

    `postRate` (EndDevice, MirrorUsagePoint) holds for those that are there and for new ones.
    """

    poll_rates_s: Annotated[dict[str, Any], Named("pollRate")] | None = None
    post_rates_s: Annotated[dict[str, Any], Named("postRate")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateToken:
    """A token; it expires at a time (s since 1970 UTC or ISO 8601), after a lifetime, or never."""

    name: Annotated[str, NAME]
    role: Annotated[str, OneOf(("viewer", "operator", "admin"))] = "viewer"
    expires: Annotated[int, Span(0, 2**62)] | Annotated[str, Length(1, 40)] | None = None
    lifetime: Annotated[int, Span(1, UINT32)] | Annotated[str, Length(1, 32)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDevice:
    """What to change of a device; what is absent stays. An empty `aggregator`: the device speaks for itself.

    `registration` false takes the Registration away; `enabled` false: the device is not registered any more.
    """

    name: Annotated[str, NAME] | None = None
    role: Annotated[str, OneOf(("device", "aggregator"))] | None = None
    aggregator: Annotated[str, Length(0, 64)] | None = None
    pin: Annotated[int, Named("pIN"), Span(0, 999_999)] | None = None
    registration: bool | None = None
    ders: Annotated[int, Named("DER"), Span(0, 255)] | None = None
    device_category: Annotated[str, Named("deviceCategory"), Digits(2, 8)] | None = None
    post_rate_s: Annotated[int, Named("postRate"), Span(1, UINT32)] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureDevice(ChangeDevice):
    """A device as it is to be: enrolled where its LFDI is not known, changed in what differs where it is."""

    certificate: Annotated[str, Length(1, 65_536)] | None = None
    lfdi: Annotated[str, Named("lFDI"), Digits(40, 40)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """What to forget of a client: its mirrors, usage points and readings; Responses; LogEvents.

    With `managed` also those of the devices that it speaks for.
    """

    readings: bool = False
    responses: bool = False
    log_events: Annotated[bool, Named("logEvents")] = False
    managed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureAssignment:
    """A device is to be in a group, which is made with one program of this primacy where it is not there."""

    primacy: Annotated[int, Span(0, 255)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProgram:
    """What to change of a DERProgram; what is absent stays."""

    primacy: Annotated[int, Span(0, 255)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelControls:
    """Which scheduled and active DERControls to cancel: of a group, of all groups of a device, or all."""

    group: Annotated[str, GROUP] | None = None
    program: Annotated[str, Length(1, 64)] | None = None
    device: Annotated[str, NAME] | None = None
    all_of_them: Annotated[bool, Named("all")] = False
    randomized: bool = False
    reason: Annotated[str, Length(0, 192)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCertificate:
    """A certificate that is to be refused whatever it asks, enrolled or not."""

    certificate: Annotated[str, Length(1, 65_536)] | None = None
    lfdi: Annotated[str, Named("lFDI"), Digits(40, 40)] | None = None
    reason: Annotated[str, Length(0, 192)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    """Settings at run time, in the place of those of the file; the last three only for a test bench.

    `timeOffset` in s is added to the clock; during an `outage` every request of a client is answered 500.
    """

    in_band_registration: Annotated[bool, Named("inBandRegistration")] | None = None
    time_quality: Annotated[int, Named("timeQuality"), Span(0, 7)] | None = None
    time_offset_s: Annotated[int, Named("timeOffset"), Span(-FARTHEST_S, FARTHEST_S)] | None = None
    outage: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceDevice:
    """A place in the network: `path` from the system down (`GRID/ST1/SS3`), or the node of each level.

    `primacies` by level hold for the nodes that are made. CSIP 1.6.
    """

    path: Annotated[str, Length(1, 512)] | None = None
    sy: Annotated[str, Named("SY"), NAME] | None = None
    st: Annotated[str, Named("ST"), NAME] | None = None
    ss: Annotated[str, Named("SS"), NAME] | None = None
    fd: Annotated[str, Named("FD"), NAME] | None = None
    sg: Annotated[str, Named("SG"), NAME] | None = None
    tf: Annotated[str, Named("TF"), NAME] | None = None
    sp: Annotated[str, Named("SP"), NAME] | None = None
    primacies: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMembers:
    """Names or LFDIs of devices to add to a group, and of those to take out."""

    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkControl(PublishControl):
    """A DERControl for several groups; each has one program, or one with this mRID or description."""

    groups: list[str]
    program: Annotated[str, Length(1, 64)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowHost:
    """Where notifications may go: `HOST`, `HOST:PORT`, an address, or a network as `10.1.0.0/16`."""

    host: Annotated[str, Length(1, 300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSubscription:
    """What a client is told as the end of a subscription: 1 cancelled, 2 moved, 3 definition changed."""

    status: Annotated[int, Span(1, 3)] = 1
    new_resource_uri: Annotated[str, Named("newResourceURI"), Length(1, 2048)] | None = None
