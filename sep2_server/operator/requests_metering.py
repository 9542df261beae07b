"""What the operator may send of the meters of the utility."""

from dataclasses import dataclass
from typing import Annotated, Any

from sep2_server.operator.requests import DESCRIPTION, GROUP, MRID, UINT32
from sep2_server.operator.shape import Digits, Length, Named, Span

INT48 = 2**47


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRow:
    """One Reading of a meter of the utility: of which device, UsagePoint and MeterReading, when, how much.

    `value` is a number as it is sent, or a decimal text in the unit of the MeterReading. What is given of a
    UsagePoint or MeterReading that is there must be as it is there; a new MeterReading needs its ReadingType.
    """

    device: Annotated[str, GROUP]
    point: Annotated[str, Named("UsagePoint"), MRID]
    reading: Annotated[str, Named("MeterReading"), MRID]
    start: Annotated[int, Span(0, 2**62)]
    duration: Annotated[int, Span(1, UINT32)]
    value: Annotated[int, Span(-INT48, INT48)] | Annotated[str, Length(1, 30)]
    quality: Annotated[str, Named("qualityFlags"), Digits(2, 4)] | None = None
    tier: Annotated[int, Named("touTier"), Span(0, 15)] | None = None
    block: Annotated[int, Named("consumptionBlock"), Span(0, 16)] | None = None
    reading_type: Annotated[dict[str, Any], Named("ReadingType")] | None = None
    role_flags: Annotated[str, Named("roleFlags"), Digits(2, 4)] | None = None
    service: Annotated[int, Named("serviceCategoryKind"), Span(0, 255)] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
