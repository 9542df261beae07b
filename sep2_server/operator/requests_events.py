"""What the operator may send about load controls, tariffs, messages and flow reservations."""

from dataclasses import dataclass
from typing import Annotated, Any

from sep2_server.operator.requests import DESCRIPTION, GROUP, MRID, NAME, UINT32
from sep2_server.operator.shape import Digits, Length, Named, Nullable, OneOf, Span

RANDOM = Span(-3600, 3600)
PRIORITIES = ("low", "normal", "high", "critical")
SERVICES = ("electricity", "gas", "water", "time", "pressure", "heat", "cooling")
ENSURED = (
    "DERProgram",
    "DemandResponseProgram",
    "TariffProfile",
    "MessagingProgram",
    "RateComponent",
    "DERCurve",
    "DERControl",
    "EndDeviceControl",
    "TimeTariffInterval",
    "TextMessage",
)
"""Kinds of resources that are told to be there by their mRIDs."""
FLOWS = ("forward", "reverse")
"""Delivered to the customer, and taken from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """When an event is: at `start` (s since 1970 UTC or ISO 8601), or `in` some time, or now."""

    duration: Annotated[int, Span(1, UINT32)] | Annotated[str, Length(1, 32)]
    start: Annotated[int, Span(0, 2**62)] | Annotated[str, Length(1, 40)] | None = None
    within: Annotated[int, Named("in"), Span(0, UINT32)] | Annotated[str, Length(1, 32)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    response_required: Annotated[str, Named("responseRequired"), Digits(2, 2)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomized(Timed):
    """An event that each device begins and ends at random within so many s."""

    randomize_start_s: Annotated[int, Named("randomizeStart"), RANDOM] | None = None
    randomize_duration_s: Annotated[int, Named("randomizeDuration"), RANDOM] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLoadControl(Randomized):
    """An EndDeviceControl. `deviceCategory` is hex, or names of categories separated by commas.

    What it asks for is in the standard's structures, with units in texts: `{"normalValue": "50 %"}`.
    """

    categories: Annotated[str, Named("deviceCategory"), Length(1, 400)]
    is_mandatory: Annotated[bool, Named("drProgramMandatory")] = False
    shifts_forward: Annotated[bool, Named("loadShiftForward")] = False
    duty_cycle: Annotated[dict[str, Any], Named("DutyCycle")] | None = None
    offset: Annotated[dict[str, Any], Named("Offset")] | None = None
    set_point: Annotated[dict[str, Any], Named("SetPoint")] | None = None
    target: Annotated[dict[str, Any], Named("TargetReduction")] | None = None
    appliance: Annotated[dict[str, Any], Named("ApplianceLoadReduction")] | None = None
    override: (
        Annotated[int, Named("overrideDuration"), Span(0, 65_535)] | Annotated[str, Length(1, 32)] | None
    ) = None
    primacy: Annotated[int, Span(0, 255)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(Timed):
    """A TextMessage; its program, made with the first message, has `locale` and `primacy`."""

    text: Annotated[str, Named("textMessage"), Length(1, 4096)]
    priority: Annotated[int, Span(0, 3)] | Annotated[str, OneOf(PRIORITIES)] = "normal"
    originator: Annotated[str, Length(1, 20)] | None = None
    locale: Annotated[str, Length(1, 42)] | None = None
    primacy: Annotated[int, Span(0, 255)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTariff:
    """A TariffProfile. Prices below it are in `currency` (ISO 4217, numeric) times its power of ten."""

    currency: Annotated[int, Span(0, 999)]
    power_of_ten: Annotated[int, Named("pricePowerOfTenMultiplier"), Span(-9, 9)] = -4
    primacy: Annotated[int, Span(0, 255)] = 1
    service: Annotated[str, Named("serviceCategoryKind"), OneOf(SERVICES)] = "electricity"
    rate_code: Annotated[str, Named("rateCode"), Length(1, 20)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComponent:
    """A RateComponent; prices are for one unit of its ReadingType: 1 kWh delivered, where nothing is said."""

    flow: Annotated[str, Named("flowDirection"), OneOf(FLOWS)] = "forward"
    reading_type: Annotated[dict[str, Any], Named("ReadingType")] | None = None
    role_flags: Annotated[str, Named("roleFlags"), Digits(2, 4)] = "00"
    start_limit: Annotated[dict[str, Any], Named("flowRateStartLimit")] | None = None
    end_limit: Annotated[dict[str, Any], Named("flowRateEndLimit")] | None = None
    description: Annotated[str, DESCRIPTION] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of consumption from `startValue` on; `price` is a decimal text in the currency, or as sent."""

    price: Annotated[int, Span(-(2**31), 2**31 - 1)] | Annotated[str, Length(1, 20)]
    start_value: Annotated[int, Named("startValue"), Span(0, 2**48 - 1)] = 0
    number: Annotated[int, Named("consumptionBlock"), Span(0, 16)] | None = None
    costs: Annotated[list[dict[str, Any]], Named("EnvironmentalCost")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddInterval(Randomized):
    """A TimeTariffInterval with the prices of its blocks."""

    blocks: Annotated[list[Block], Named("ConsumptionTariffInterval")]
    tier: Annotated[int, Named("touTier"), Span(0, 15)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelEvents:
    """Which scheduled and active events of a kind to cancel: of a group, of a device's groups, or all."""

    kind: Annotated[str, OneOf(("EndDeviceControl", "TimeTariffInterval", "TextMessage"))]
    group: Annotated[str, GROUP] | None = None
    device: Annotated[str, NAME] | None = None
    all_of_them: Annotated[bool, Named("all")] = False
    randomized: bool = False
    reason: Annotated[str, Length(0, 192)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureResource:
    """A resource that is to be there, in the standard's names, with its mRID.

    A program may be for a `group`; all else hangs `below` the program or rate component with this mRID. Modes
    may name curves by mRID. What hangs below it may be in it: `ReadingType`, `ConsumptionTariffInterval`.
    """

    kind: Annotated[str, OneOf(ENSURED)]
    resource: dict[str, Any]
    group: Annotated[str, GROUP] | None = None
    below: Annotated[str, MRID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDefault:
    """The DefaultDERControl that the program with this mRID is to have; null: none."""

    program: Annotated[str, MRID]
    default: Annotated[dict[str, Any] | None, Nullable()]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEvent:
    """An event that is not to be in force any more, by its mRID."""

    mrid: Annotated[str, Named("mRID"), MRID]
    randomized: bool = False
    reason: Annotated[str, Length(0, 192)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFlow:
    """The answer to a FlowReservationRequest: as it is asked for, or with less; `decline` grants nothing."""

    decline: bool = False
    energy: Annotated[str, Named("energyAvailable"), Length(1, 40)] | None = None
    power: Annotated[str, Named("powerAvailable"), Length(1, 40)] | None = None
    duration: Annotated[int, Span(1, UINT32)] | Annotated[str, Length(1, 32)] | None = None
    start: Annotated[int, Span(0, 2**62)] | Annotated[str, Length(1, 40)] | None = None
    within: Annotated[int, Named("in"), Span(0, UINT32)] | Annotated[str, Length(1, 32)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    response_required: Annotated[str, Named("responseRequired"), Digits(2, 2)] | None = None
