"""Accounts, agreements and billing readings. IEEE 2030.5-2018, 10.7."""

from dataclasses import field

from schemas.fields import Attr, resource
from schemas.links_metering import (
    ActiveBillingPeriodListLink,
    ActiveProjectionReadingListLink,
    ActiveTargetReadingListLink,
    BillingPeriodListLink,
    BillingReadingListLink,
    BillingReadingSetListLink,
    CustomerAgreementListLink,
    HistoricalReadingListLink,
    PrepaymentLink,
    ProjectionReadingListLink,
    ReadingTypeLink,
    ServiceSupplierLink,
    TargetReadingListLink,
    TariffProfileLink,
    UsagePointLink,
)
from schemas.metering import MeterReadingBase, ReadingBase, ReadingSetBase
from schemas.quantities import DateTimeInterval
from schemas.resources import IdentifiedObject, List, Resource, SubscribableList
from schemas.types import (
    ChargeKind,
    Int32,
    Int48,
    PollRate,
    PowerOfTenMultiplierType,
    String20,
    String32,
    String42,
    TimeType,
    UInt16,
    UInt32,
)


@resource
class BillingPeriod(Resource):
    """Period that one bill covers."""

    billLastPeriod: Int48 | None = None
    billToDate: Int48 | None = None
    interval: DateTimeInterval
    statusTimeStamp: TimeType | None = None


@resource
class BillingPeriodList(SubscribableList):
    """Page of billing periods."""

    BillingPeriod_: list[BillingPeriod] = field(default_factory=list)


@resource
class BillingMeterReadingBase(MeterReadingBase):
    """What the readings of a bill share."""

    BillingReadingSetListLink_: BillingReadingSetListLink | None = None
    ReadingTypeLink_: ReadingTypeLink | None = None


@resource
class Charge:
    """One charge of a bill."""

    description: String20 | None = None
    kind: ChargeKind | None = None
    value: Int32


@resource
class BillingReading(ReadingBase):
    """One value of a bill with its charges."""

    Charge_: list[Charge] = field(default_factory=list)


@resource
class BillingReadingList(List):
    """Page of billing readings."""

    BillingReading_: list[BillingReading] = field(default_factory=list)


@resource
class BillingReadingSet(ReadingSetBase):
    """Billing readings of one time period."""

    BillingReadingListLink_: BillingReadingListLink | None = None


@resource
class BillingReadingSetList(SubscribableList):
    """Page of billing reading sets."""

    BillingReadingSet_: list[BillingReadingSet] = field(default_factory=list)


@resource
class CustomerAccount(IdentifiedObject):
    """Account of a customer with a supplier."""

    currency: UInt16
    customerAccount: String42 | None = None
    CustomerAgreementListLink_: CustomerAgreementListLink | None = None
    customerName: String42 | None = None
    pricePowerOfTenMultiplier: PowerOfTenMultiplierType
    ServiceSupplierLink_: ServiceSupplierLink | None = None


@resource
class CustomerAccountList(SubscribableList):
    """Page of customer accounts."""

    pollRate: Attr[PollRate] | None = None
    CustomerAccount_: list[CustomerAccount] = field(default_factory=list)


@resource
class CustomerAgreement(IdentifiedObject):
    """Agreement between customer and supplier for one service."""

    ActiveBillingPeriodListLink_: ActiveBillingPeriodListLink | None = None
    ActiveProjectionReadingListLink_: ActiveProjectionReadingListLink | None = None
    ActiveTargetReadingListLink_: ActiveTargetReadingListLink | None = None
    BillingPeriodListLink_: BillingPeriodListLink | None = None
    HistoricalReadingListLink_: HistoricalReadingListLink | None = None
    PrepaymentLink_: PrepaymentLink | None = None
    ProjectionReadingListLink_: ProjectionReadingListLink | None = None
    serviceAccount: String42 | None = None
    serviceLocation: String42 | None = None
    TargetReadingListLink_: TargetReadingListLink | None = None
    TariffProfileLink_: TariffProfileLink | None = None
    UsagePointLink_: UsagePointLink | None = None


@resource
class CustomerAgreementList(SubscribableList):
    """Page of customer agreements."""

    CustomerAgreement_: list[CustomerAgreement] = field(default_factory=list)


@resource
class HistoricalReading(BillingMeterReadingBase):
    """Readings of past billing periods."""


@resource
class HistoricalReadingList(List):
    """Page of historical readings."""

    HistoricalReading_: list[HistoricalReading] = field(default_factory=list)


@resource
class ProjectionReading(BillingMeterReadingBase):
    """Expected readings of a billing period."""


@resource
class ProjectionReadingList(List):
    """Page of projection readings."""

    ProjectionReading_: list[ProjectionReading] = field(default_factory=list)


@resource
class TargetReading(BillingMeterReadingBase):
    """Readings that a customer aims at."""


@resource
class TargetReadingList(List):
    """Page of target readings."""

    TargetReading_: list[TargetReading] = field(default_factory=list)


@resource
class ServiceSupplier(IdentifiedObject):
    """Supplier of a service, with contact."""

    email: String32 | None = None
    phone: String20 | None = None
    providerID: UInt32 | None = None
    web: String42 | None = None


@resource
class ServiceSupplierList(List):
    """Page of service suppliers."""

    ServiceSupplier_: list[ServiceSupplier] = field(default_factory=list)
