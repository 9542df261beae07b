"""What the operator may send about billing."""

from dataclasses import dataclass
from typing import Annotated, Any

from sep2_server.operator.requests import DESCRIPTION, NAME, UINT32
from sep2_server.operator.shape import Length, Named, OneOf, Span

String42 = Length(1, 42)
TIME = Span(0, 2**62)
MONEY = Span(-(2**47), 2**47)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAccount:
    """The account of a customer with a supplier; amounts below it are in its currency and power of ten."""

    currency: Annotated[int, Span(0, 999)]
    power_of_ten: Annotated[int, Named("pricePowerOfTenMultiplier"), Span(-9, 9)] = 0
    customer_account: Annotated[str, Named("customerAccount"), String42] | None = None
    customer_name: Annotated[str, Named("customerName"), String42] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    supplier: Annotated[dict[str, Any], Named("ServiceSupplier")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAgreement:
    """An agreement for one service; what it is about is named by mRID.

    `device` has the UsagePoint where several devices use its mRID.
    """

    service_account: Annotated[str, Named("serviceAccount"), String42] | None = None
    service_location: Annotated[str, Named("serviceLocation"), String42] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    usage_point: Annotated[str, Named("UsagePoint"), Length(2, 32)] | None = None
    device: Annotated[str, NAME] | None = None
    tariff: Annotated[str, Named("TariffProfile"), Length(2, 32)] | None = None
    prepayment: Annotated[str, Named("Prepayment"), Length(2, 32)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPeriod:
    """The period of one bill, with what the last one came to and this one does so far."""

    start: Annotated[int, TIME]
    duration: Annotated[int, Span(1, UINT32)]
    last: Annotated[int, Named("billLastPeriod"), MONEY] | None = None
    to_date: Annotated[int, Named("billToDate"), MONEY] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddBillReadings:
    """Readings of a bill in one set; each is a BillingReading in wire form with its Charges."""

    kind: Annotated[str, OneOf(("historical", "projection", "target"))]
    readings: Annotated[list[dict[str, Any]], Named("BillingReading")]
    reading_type: Annotated[dict[str, Any], Named("ReadingType")] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
