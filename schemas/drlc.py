"""Demand response and load control. IEEE 2030.5-2018, 10.3."""

from dataclasses import field
from typing import Annotated

from schemas.events import RandomizableEvent
from schemas.fields import Attr, Unit, resource
from schemas.links_metering import (
    ActiveEndDeviceControlListLink,
    DemandResponseProgramLink,
    EndDeviceControlListLink,
)
from schemas.quantities import ActivePower
from schemas.resources import IdentifiedObject, List, Resource, SubscribableList
from schemas.types import (
    ApplianceLoadReductionType,
    Boolean,
    DeviceCategoryType,
    Int16,
    PerCent,
    PollRate,
    PrimacyType,
    UInt8,
    UInt16,
    UInt32,
    UnitType,
)


@resource
class LoadShedAvailability(Resource):
    """Load that a device could shed, and for how long."""

    availabilityDuration: Annotated[UInt32, Unit("s")] | None = None
    DemandResponseProgramLink_: DemandResponseProgramLink | None = None
    sheddablePercent: Annotated[PerCent, Unit("0.01 %")] | None = None
    sheddablePower: ActivePower | None = None


@resource
class LoadShedAvailabilityList(List):
    """Page of load shed availabilities."""

    pollRate: Attr[PollRate] | None = None
    LoadShedAvailability_: list[LoadShedAvailability] = field(default_factory=list)


@resource
class ApplianceLoadReduction:
    """Kind of load reduction asked of an appliance."""

    type: ApplianceLoadReductionType


@resource
class DemandResponseProgram(IdentifiedObject):
    """Group of EndDeviceControls with one primacy."""

    ActiveEndDeviceControlListLink_: ActiveEndDeviceControlListLink | None = None
    availabilityUpdatePercentChangeThreshold: Annotated[PerCent, Unit("0.01 %")] | None = None
    availabilityUpdatePowerChangeThreshold: ActivePower | None = None
    EndDeviceControlListLink_: EndDeviceControlListLink | None = None
    primacy: PrimacyType


@resource
class DemandResponseProgramList(SubscribableList):
    """Page of demand response programs."""

    pollRate: Attr[PollRate] | None = None
    DemandResponseProgram_: list[DemandResponseProgram] = field(default_factory=list)


@resource
class DutyCycle:
    """Share of time that a load may run."""

    normalValue: Annotated[UInt8, Unit("%")]


@resource
class Offset:
    """Shift of a set point or of a load."""

    coolingOffset: Annotated[UInt8, Unit("0.1 degC")] | None = None
    heatingOffset: Annotated[UInt8, Unit("0.1 degC")] | None = None
    loadAdjustmentPercentageOffset: Annotated[PerCent, Unit("0.01 %")] | None = None


@resource
class SetPoint:
    """Temperature set point."""

    coolingSetpoint: Annotated[Int16, Unit("0.01 degC")] | None = None
    heatingSetpoint: Annotated[Int16, Unit("0.01 degC")] | None = None


@resource
class TargetReduction:
    """Reduction of load that is asked for."""

    type: UnitType
    value: UInt16


@resource
class EndDeviceControl(RandomizableEvent):
    """Load control event. IEEE 2030.5-2018, 10.3."""

    ApplianceLoadReduction_: ApplianceLoadReduction | None = None
    deviceCategory: DeviceCategoryType
    drProgramMandatory: Boolean
    DutyCycle_: DutyCycle | None = None
    loadShiftForward: Boolean
    Offset_: Offset | None = None
    overrideDuration: Annotated[UInt16, Unit("s")] | None = None
    SetPoint_: SetPoint | None = None
    TargetReduction_: TargetReduction | None = None


@resource
class EndDeviceControlList(SubscribableList):
    """Page of EndDeviceControls."""

    EndDeviceControl_: list[EndDeviceControl] = field(default_factory=list)
