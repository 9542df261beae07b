"""Tariff profiles and time tariff intervals. IEEE 2030.5-2018, 10.5."""

from dataclasses import field

from schemas.events import RandomizableEvent
from schemas.fields import Attr, resource
from schemas.links_metering import (
    ActiveTimeTariffIntervalListLink,
    ConsumptionTariffIntervalListLink,
    RateComponentListLink,
    ReadingTypeLink,
    TimeTariffIntervalListLink,
)
from schemas.quantities import UnitValueType
from schemas.resources import IdentifiedObject, List, Resource, SubscribableList
from schemas.types import (
    ConsumptionBlockType,
    CostKindType,
    CurrencyCode,
    Int32,
    PollRate,
    PowerOfTenMultiplierType,
    PrimacyType,
    RoleFlagsType,
    ServiceKind,
    String20,
    TOUType,
    UInt8,
    UInt32,
    UInt48,
)


@resource
class EnvironmentalCost:
    """Environmental cost of a price."""

    amount: UInt32
    costKind: CostKindType
    costLevel: UInt8
    numCostLevels: UInt8


@resource
class ConsumptionTariffInterval(Resource):
    """Price of one block of consumption."""

    consumptionBlock: ConsumptionBlockType
    EnvironmentalCost_: list[EnvironmentalCost] = field(default_factory=list)
    price: Int32 | None = None
    startValue: UInt48


@resource
class ConsumptionTariffIntervalList(List):
    """Page of consumption tariff intervals."""

    ConsumptionTariffInterval_: list[ConsumptionTariffInterval] = field(default_factory=list)


@resource
class RateComponent(IdentifiedObject):
    """Part of a tariff for one type of reading."""

    ActiveTimeTariffIntervalListLink_: ActiveTimeTariffIntervalListLink | None = None
    flowRateEndLimit: UnitValueType | None = None
    flowRateStartLimit: UnitValueType | None = None
    ReadingTypeLink_: ReadingTypeLink
    roleFlags: RoleFlagsType
    TimeTariffIntervalListLink_: TimeTariffIntervalListLink


@resource
class RateComponentList(List):
    """Page of rate components."""

    RateComponent_: list[RateComponent] = field(default_factory=list)


@resource
class TariffProfile(IdentifiedObject):
    """Tariff: its service, currency and rate components."""

    currency: CurrencyCode | None = None
    pricePowerOfTenMultiplier: PowerOfTenMultiplierType | None = None
    primacy: PrimacyType
    rateCode: String20 | None = None
    RateComponentListLink_: RateComponentListLink | None = None
    serviceCategoryKind: ServiceKind


@resource
class TariffProfileList(SubscribableList):
    """Page of tariff profiles."""

    pollRate: Attr[PollRate] | None = None
    TariffProfile_: list[TariffProfile] = field(default_factory=list)


@resource
class TimeTariffInterval(RandomizableEvent):
    """Time span in which one tier of a tariff holds."""

    ConsumptionTariffIntervalListLink_: ConsumptionTariffIntervalListLink | None = None
    touTier: TOUType


@resource
class TimeTariffIntervalList(SubscribableList):
    """Page of time tariff intervals."""

    TimeTariffInterval_: list[TimeTariffInterval] = field(default_factory=list)
