"""Prepaid accounts and credit. IEEE 2030.5-2018, 10.8."""

from dataclasses import field

from schemas.fields import Attr, resource
from schemas.links_metering import (
    AccountBalanceLink,
    ActiveCreditRegisterListLink,
    ActiveSupplyInterruptionOverrideListLink,
    CreditRegisterListLink,
    PrepayOperationStatusLink,
    SupplyInterruptionOverrideListLink,
    UsagePointLink,
)
from schemas.metering import UsagePoint
from schemas.quantities import DateTimeInterval, RealEnergy
from schemas.resources import IdentifiedObject, List, Resource, SubscribableList
from schemas.types import (
    CreditStatusType,
    CreditTypeType,
    CurrencyCode,
    Int32,
    PollRate,
    PowerOfTenMultiplierType,
    PrepayModeType,
    ServiceStatusType,
    String32,
    TimeType,
)


@resource
class AccountingUnit:
    """Amount of money or energy."""

    energyUnit: RealEnergy | None = None
    monetaryUnit: CurrencyCode
    multiplier: PowerOfTenMultiplierType
    value: Int32


@resource
class AccountBalance(Resource):
    """Credit that a prepaid account holds."""

    availableCredit: AccountingUnit
    creditStatus: CreditStatusType | None = None
    emergencyCredit: AccountingUnit | None = None
    emergencyCreditStatus: CreditStatusType | None = None


@resource
class CreditRegister(IdentifiedObject):
    """One addition of credit."""

    creditAmount: AccountingUnit
    creditType: CreditTypeType | None = None
    effectiveTime: TimeType
    token: String32


@resource
class CreditRegisterList(List):
    """Page of credit registers."""

    CreditRegister_: list[CreditRegister] = field(default_factory=list)


@resource
class Prepayment(IdentifiedObject):
    """Prepaid account of a usage point."""

    AccountBalanceLink_: AccountBalanceLink
    ActiveCreditRegisterListLink_: ActiveCreditRegisterListLink | None = None
    ActiveSupplyInterruptionOverrideListLink_: ActiveSupplyInterruptionOverrideListLink | None = None
    creditExpiryLevel: AccountingUnit | None = None
    CreditRegisterListLink_: CreditRegisterListLink
    lowCreditWarningLevel: AccountingUnit | None = None
    lowEmergencyCreditWarningLevel: AccountingUnit | None = None
    prepayMode: PrepayModeType
    PrepayOperationStatusLink_: PrepayOperationStatusLink
    SupplyInterruptionOverrideListLink_: SupplyInterruptionOverrideListLink
    UsagePoint_: list[UsagePoint] = field(default_factory=list)
    UsagePointLink_: UsagePointLink | None = None


@resource
class PrepaymentList(SubscribableList):
    """Page of prepaid accounts."""

    pollRate: Attr[PollRate] | None = None
    Prepayment_: list[Prepayment] = field(default_factory=list)


@resource
class CreditTypeChange:
    """Change of the kind of credit to come."""

    newType: CreditTypeType
    startTime: TimeType


@resource
class ServiceChange:
    """Change of the supply to come."""

    newStatus: ServiceStatusType
    startTime: TimeType


@resource
class PrepayOperationStatus(Resource):
    """State of the supply of a prepaid account."""

    creditTypeChange: CreditTypeChange | None = None
    creditTypeInUse: CreditTypeType | None = None
    serviceChange: ServiceChange | None = None
    serviceStatus: ServiceStatusType


@resource
class SupplyInterruptionOverride(Resource):
    """Time span in which supply must not be cut."""

    description: String32 | None = None
    interval: DateTimeInterval


@resource
class SupplyInterruptionOverrideList(List):
    """Page of supply interruption overrides."""

    SupplyInterruptionOverride_: list[SupplyInterruptionOverride] = field(default_factory=list)
