"""What the operator may send: one class per body, read by `shape.read`."""

from dataclasses import dataclass
from typing import Annotated, Any

from sep2_server.operator.shape import Digits, Length, Named, OneOf, Span

UINT32 = 2**32 - 1
NAME = Length(1, 64)
DESCRIPTION = Length(0, 32)
"""String32 holds 32 octets of UTF-8. IEEE 2030.5-2018, 10.2.2."""
MRID = Digits(2, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolDevice:
    """A device to enrol: by its certificate (PEM), or by its LFDI; the PIN is made where none is given."""

    name: Annotated[str, NAME]
    certificate: Annotated[str, Length(1, 65_536)] | None = None
    lfdi: Annotated[str, Named("lFDI"), Digits(40, 40)] | None = None
    pin: Annotated[int, Named("pIN"), Span(0, 999_999)] | None = None
    role: Annotated[str, OneOf(("device", "aggregator"))] = "device"
    aggregator: Annotated[str, NAME] | None = None
    ders: Annotated[int, Named("DER"), Span(0, 255)] | None = None
    device_category: Annotated[str, Named("deviceCategory"), Digits(2, 8)] | None = None
    post_rate_s: Annotated[int, Named("postRate"), Span(1, UINT32)] | None = None


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
    """A DERControl. It starts at `start` (s since 1970 UTC or ISO 8601), or `in` some time, or now."""

    modes: Annotated[dict[str, Any], Named("DERControlBase")]
    duration: Annotated[int, Span(1, UINT32)] | Annotated[str, Length(1, 32)]
    start: Annotated[int, Span(0, 2**62)] | Annotated[str, Length(1, 40)] | None = None
    within: Annotated[int, Named("in"), Span(0, UINT32)] | Annotated[str, Length(1, 32)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    randomize_start_s: Annotated[int, Named("randomizeStart"), Span(-3600, 3600)] | None = None
    randomize_duration_s: Annotated[int, Named("randomizeDuration"), Span(-3600, 3600)] | None = None
    response_required: Annotated[str, Named("responseRequired"), Digits(2, 2)] = "03"
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
    """How often a device posts its data, s."""

    post_rate_s: Annotated[int, Named("postRate"), Span(1, UINT32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPollRates:
    """How often clients ask, s, by resource (`DERProgramList`); 0 takes back what was set."""

    poll_rates_s: Annotated[dict[str, Any], Named("pollRate")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateToken:
    """A token; it expires at a time (s since 1970 UTC or ISO 8601), after a lifetime, or never."""

    name: Annotated[str, NAME]
    role: Annotated[str, OneOf(("viewer", "operator", "admin"))] = "viewer"
    expires: Annotated[int, Span(0, 2**62)] | Annotated[str, Length(1, 40)] | None = None
    lifetime: Annotated[int, Span(1, UINT32)] | Annotated[str, Length(1, 32)] | None = None
