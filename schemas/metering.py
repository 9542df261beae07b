"""Usage points, readings and their types. IEEE 2030.5-2018, 10.4."""

from dataclasses import field
from typing import Annotated

from schemas import codes_metering as m
from schemas.fields import Attr, Codes, Default, Unit, resource
from schemas.links_metering import (
    MeterReadingListLink,
    RateComponentListLink,
    ReadingLink,
    ReadingListLink,
    ReadingSetListLink,
    ReadingTypeLink,
)
from schemas.quantities import DateTimeInterval, UnitValueType
from schemas.resources import IdentifiedObject, Resource, SubscribableList
from schemas.types import (
    AccumulationBehaviourType,
    Boolean,
    CommodityType,
    ConsumptionBlockType,
    DataQualifierType,
    FlowDirectionType,
    HexBinary16,
    HexBinary160,
    Int48,
    KindType,
    PhaseCode,
    PollRate,
    PowerOfTenMultiplierType,
    RoleFlagsType,
    ServiceKind,
    SubscribableType,
    TOUType,
    UInt8,
    UInt32,
    UInt48,
    UomType,
)


@resource
class MeterReadingBase(IdentifiedObject):
    """What all meter readings share."""


@resource
class ReadingBase(Resource):
    """One value of a reading, with its time, tier and quality."""

    consumptionBlock: ConsumptionBlockType | None = None
    qualityFlags: Annotated[HexBinary16, Codes(m.QualityFlags)] | None = None
    timePeriod: DateTimeInterval | None = None
    touTier: TOUType | None = None
    value: Int48 | None = None


@resource
class ReadingSetBase(IdentifiedObject):
    """What all reading sets share: their time period."""

    timePeriod: DateTimeInterval


@resource
class UsagePointBase(IdentifiedObject):
    """What UsagePoint and MirrorUsagePoint share: role, service and state."""

    roleFlags: RoleFlagsType
    serviceCategoryKind: ServiceKind
    status: Annotated[UInt8, Codes(m.UsagePointStatus)]


@resource
class MeterReading(MeterReadingBase):
    """Series of readings of one type at a usage point."""

    RateComponentListLink_: RateComponentListLink | None = None
    ReadingLink_: ReadingLink | None = None
    ReadingSetListLink_: ReadingSetListLink | None = None
    ReadingTypeLink_: ReadingTypeLink


@resource
class MeterReadingList(SubscribableList):
    """Page of meter readings."""

    MeterReading_: list[MeterReading] = field(default_factory=list)


@resource
class Reading(ReadingBase):
    """One value of a meter reading."""

    subscribable: Attr[Annotated[SubscribableType, Default(0)]] | None = None
    localID: HexBinary16 | None = None


@resource
class ReadingList(SubscribableList):
    """Page of readings."""

    Reading_: list[Reading] = field(default_factory=list)


@resource
class ReadingSet(ReadingSetBase):
    """Readings of one time period."""

    ReadingListLink_: ReadingListLink | None = None


@resource
class ReadingSetList(SubscribableList):
    """Page of reading sets."""

    ReadingSet_: list[ReadingSet] = field(default_factory=list)


@resource
class ReadingType(Resource):
    """What a reading measures: quantity, unit, direction, phase, accumulation."""

    accumulationBehaviour: AccumulationBehaviourType | None = None
    calorificValue: UnitValueType | None = None
    commodity: CommodityType | None = None
    conversionFactor: UnitValueType | None = None
    dataQualifier: DataQualifierType | None = None
    flowDirection: FlowDirectionType | None = None
    intervalLength: Annotated[UInt32, Unit("s")] | None = None
    kind: KindType | None = None
    maxNumberOfIntervals: UInt8 | None = None
    numberOfConsumptionBlocks: UInt8 | None = None
    numberOfTouTiers: UInt8 | None = None
    phase: PhaseCode | None = None
    powerOfTenMultiplier: PowerOfTenMultiplierType | None = None
    subIntervalLength: Annotated[UInt32, Unit("s")] | None = None
    supplyLimit: UInt48 | None = None
    tieredConsumptionBlocks: Boolean | None = None
    uom: UomType | None = None


@resource
class UsagePoint(UsagePointBase):
    """Point where a service is delivered or generated."""

    deviceLFDI: HexBinary160 | None = None
    MeterReadingListLink_: MeterReadingListLink | None = None


@resource
class UsagePointList(SubscribableList):
    """Page of usage points."""

    pollRate: Attr[PollRate] | None = None
    UsagePoint_: list[UsagePoint] = field(default_factory=list)
