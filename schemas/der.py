"""Distributed energy resources. IEEE 2030.5-2018, 10.10."""

from dataclasses import field
from typing import Annotated

from schemas import codes as c
from schemas.events import RandomizableEvent
from schemas.fields import AtMost, Attr, Codes, Unit, resource
from schemas.links import (
    ActiveDERControlListLink,
    AssociatedDERProgramListLink,
    CurrentDERProgramLink,
    DefaultDERControlLink,
    DERAvailabilityLink,
    DERCapabilityLink,
    DERControlListLink,
    DERCurveLink,
    DERCurveListLink,
    DERSettingsLink,
    DERStatusLink,
)
from schemas.links_metering import AssociatedUsagePointLink
from schemas.quantities import (
    ActivePower,
    AmpereHour,
    ApparentPower,
    CurrentRMS,
    FixedVar,
    PowerFactor,
    PowerFactorWithExcitation,
    ReactivePower,
    ReactiveSusceptance,
    VoltageRMS,
    WattHour,
)
from schemas.resources import (
    IdentifiedObject,
    List,
    Resource,
    SubscribableIdentifiedObject,
    SubscribableList,
    SubscribableResource,
)
from schemas.types import (
    Boolean,
    DERControlType,
    DERCurveType,
    DERType,
    DERUnitRefType,
    DeviceCategoryType,
    HexBinary8,
    HexBinary32,
    Int16,
    Int32,
    PerCent,
    PollRate,
    PowerOfTenMultiplierType,
    PrimacyType,
    SignedPerCent,
    String6,
    TimeType,
    UInt8,
    UInt16,
    UInt32,
)


@resource
class FreqDroopType:
    """Frequency-watt droop: dead bands `dB*`, slopes `k*`, response time."""

    dBOF: Annotated[UInt32, Unit("mHz")]
    dBUF: Annotated[UInt32, Unit("mHz")]
    kOF: Annotated[UInt16, Unit("0.001")]
    kUF: Annotated[UInt16, Unit("0.001")]
    openLoopTms: Annotated[UInt16, Unit("0.01 s")]


@resource
class DERControlBase:
    """Control modes of one DERControl; every mode present applies at once. IEEE 2030.5-2018, 10.10."""

    opModConnect: Boolean | None = None
    opModEnergize: Boolean | None = None
    opModFixedPFAbsorbW: PowerFactorWithExcitation | None = None
    opModFixedPFInjectW: PowerFactorWithExcitation | None = None
    opModFixedVar: FixedVar | None = None
    opModFixedW: Annotated[SignedPerCent, Unit("0.01 %")] | None = None
    opModFreqDroop: FreqDroopType | None = None
    opModFreqWatt: DERCurveLink | None = None
    opModHFRTMayTrip: DERCurveLink | None = None
    opModHFRTMustTrip: DERCurveLink | None = None
    opModHVRTMayTrip: DERCurveLink | None = None
    opModHVRTMomentaryCessation: DERCurveLink | None = None
    opModHVRTMustTrip: DERCurveLink | None = None
    opModLFRTMayTrip: DERCurveLink | None = None
    opModLFRTMustTrip: DERCurveLink | None = None
    opModLVRTMayTrip: DERCurveLink | None = None
    opModLVRTMomentaryCessation: DERCurveLink | None = None
    opModLVRTMustTrip: DERCurveLink | None = None
    opModMaxLimW: Annotated[PerCent, Unit("0.01 %")] | None = None
    opModTargetVar: ReactivePower | None = None
    opModTargetW: ActivePower | None = None
    opModVoltVar: DERCurveLink | None = None
    opModVoltWatt: DERCurveLink | None = None
    opModWattPF: DERCurveLink | None = None
    opModWattVar: DERCurveLink | None = None
    rampTms: Annotated[UInt16, Unit("0.01 s")] | None = None


@resource
class DefaultDERControl(SubscribableIdentifiedObject):
    """What a DER does while no DERControl is active. IEEE 2030.5-2018, 10.10."""

    DERControlBase_: DERControlBase
    setESDelay: Annotated[UInt32, Unit("0.01 s")] | None = None
    setESHighFreq: Annotated[UInt16, Unit("0.01 Hz")] | None = None
    setESHighVolt: Annotated[Int16, Unit("0.01 % of effective voltage")] | None = None
    setESLowFreq: Annotated[UInt16, Unit("0.01 Hz")] | None = None
    setESLowVolt: Annotated[Int16, Unit("0.01 % of effective voltage")] | None = None
    setESRampTms: Annotated[UInt32, Unit("0.01 s")] | None = None
    setESRandomDelay: Annotated[UInt32, Unit("0.01 s")] | None = None
    setGradW: Annotated[UInt16, Unit("0.01 %/s")] | None = None
    setSoftGradW: Annotated[UInt16, Unit("0.01 %/s")] | None = None


@resource
class DER(SubscribableResource):
    """One DER of an EndDevice: links to its capability, settings, status and availability."""

    AssociatedDERProgramListLink_: AssociatedDERProgramListLink | None = None
    AssociatedUsagePointLink_: AssociatedUsagePointLink | None = None
    CurrentDERProgramLink_: CurrentDERProgramLink | None = None
    DERAvailabilityLink_: DERAvailabilityLink | None = None
    DERCapabilityLink_: DERCapabilityLink | None = None
    DERSettingsLink_: DERSettingsLink | None = None
    DERStatusLink_: DERStatusLink | None = None


@resource
class DERList(List):
    """Page of DERs."""

    pollRate: Attr[PollRate] | None = None
    DER_: list[DER] = field(default_factory=list)


@resource
class DERSettings(SubscribableResource):
    """Settings in force of a DER."""

    modesEnabled: DERControlType | None = None
    setESDelay: Annotated[UInt32, Unit("0.01 s")] | None = None
    setESHighFreq: Annotated[UInt16, Unit("0.01 Hz")] | None = None
    setESHighVolt: Annotated[Int16, Unit("0.01 % of effective voltage")] | None = None
    setESLowFreq: Annotated[UInt16, Unit("0.01 Hz")] | None = None
    setESLowVolt: Annotated[Int16, Unit("0.01 % of effective voltage")] | None = None
    setESRampTms: Annotated[UInt32, Unit("0.01 s")] | None = None
    setESRandomDelay: Annotated[UInt32, Unit("0.01 s")] | None = None
    setGradW: Annotated[UInt16, Unit("0.01 %/s")]
    setMaxA: CurrentRMS | None = None
    setMaxAh: AmpereHour | None = None
    setMaxChargeRateVA: ApparentPower | None = None
    setMaxChargeRateW: ActivePower | None = None
    setMaxDischargeRateVA: ApparentPower | None = None
    setMaxDischargeRateW: ActivePower | None = None
    setMaxV: VoltageRMS | None = None
    setMaxVA: ApparentPower | None = None
    setMaxVar: ReactivePower | None = None
    setMaxVarNeg: ReactivePower | None = None
    setMaxW: ActivePower
    setMaxWh: WattHour | None = None
    setMinPFOverExcited: PowerFactor | None = None
    setMinPFUnderExcited: PowerFactor | None = None
    setMinV: VoltageRMS | None = None
    setSoftGradW: Annotated[UInt16, Unit("0.01 %/s")] | None = None
    setVNom: VoltageRMS | None = None
    setVRef: VoltageRMS | None = None
    setVRefOfs: VoltageRMS | None = None
    updatedTime: Annotated[TimeType, Unit("s since 1970 UTC")]


@resource
class DERAvailability(SubscribableResource):
    """Power and energy that a DER could give or take now."""

    availabilityDuration: Annotated[UInt32, Unit("s")] | None = None
    maxChargeDuration: Annotated[UInt32, Unit("s")] | None = None
    readingTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    reserveChargePercent: Annotated[PerCent, Unit("0.01 %")] | None = None
    reservePercent: Annotated[PerCent, Unit("0.01 %")] | None = None
    statVarAvail: ReactivePower | None = None
    statWAvail: ActivePower | None = None


@resource
class DERCapability(Resource):
    """Nameplate of a DER: ratings and supported modes."""

    modesSupported: DERControlType
    rtgAbnormalCategory: Annotated[UInt8, Codes(c.AbnormalCategory)] | None = None
    rtgMaxA: CurrentRMS | None = None
    rtgMaxAh: AmpereHour | None = None
    rtgMaxChargeRateVA: ApparentPower | None = None
    rtgMaxChargeRateW: ActivePower | None = None
    rtgMaxDischargeRateVA: ApparentPower | None = None
    rtgMaxDischargeRateW: ActivePower | None = None
    rtgMaxV: VoltageRMS | None = None
    rtgMaxVA: ApparentPower | None = None
    rtgMaxVar: ReactivePower | None = None
    rtgMaxVarNeg: ReactivePower | None = None
    rtgMaxW: ActivePower
    rtgMaxWh: WattHour | None = None
    rtgMinPFOverExcited: PowerFactor | None = None
    rtgMinPFUnderExcited: PowerFactor | None = None
    rtgMinV: VoltageRMS | None = None
    rtgNormalCategory: Annotated[UInt8, Codes(c.NormalCategory)] | None = None
    rtgOverExcitedPF: PowerFactor | None = None
    rtgOverExcitedW: ActivePower | None = None
    rtgReactiveSusceptance: ReactiveSusceptance | None = None
    rtgUnderExcitedPF: PowerFactor | None = None
    rtgUnderExcitedW: ActivePower | None = None
    rtgVNom: VoltageRMS | None = None
    type: DERType


@resource
class DERControl(RandomizableEvent):
    """Event that controls DERs. IEEE 2030.5-2018, 10.10."""

    DERControlBase_: DERControlBase
    deviceCategory: DeviceCategoryType | None = None


@resource
class DERControlList(SubscribableList):
    """Page of DERControls."""

    DERControl_: list[DERControl] = field(default_factory=list)


@resource
class CurveData:
    """One point of a curve."""

    excitation: Boolean | None = None
    xvalue: Int32
    yvalue: Int32


@resource
class DERCurve(IdentifiedObject):
    """Curve that a control mode follows."""

    autonomousVRefEnable: Boolean | None = None
    autonomousVRefTimeConstant: Annotated[UInt32, Unit("0.01 s")] | None = None
    creationTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    CurveData_: Annotated[list[CurveData], AtMost(10)]
    curveType: DERCurveType
    openLoopTms: Annotated[UInt16, Unit("0.01 s")] | None = None
    rampDecTms: Annotated[UInt16, Unit("0.01 %/s")] | None = None
    rampIncTms: Annotated[UInt16, Unit("0.01 %/s")] | None = None
    rampPT1Tms: Annotated[UInt16, Unit("0.01 s")] | None = None
    vRef: Annotated[PerCent, Unit("0.01 %")] | None = None
    xMultiplier: PowerOfTenMultiplierType
    yMultiplier: PowerOfTenMultiplierType
    yRefType: DERUnitRefType


@resource
class DERCurveList(List):
    """Page of DERCurves."""

    DERCurve_: list[DERCurve] = field(default_factory=list)


@resource
class DERProgram(SubscribableIdentifiedObject):
    """Group of DERControls, curves and a default with one primacy (lower wins)."""

    ActiveDERControlListLink_: ActiveDERControlListLink | None = None
    DefaultDERControlLink_: DefaultDERControlLink | None = None
    DERControlListLink_: DERControlListLink | None = None
    DERCurveListLink_: DERCurveListLink | None = None
    primacy: PrimacyType


@resource
class DERProgramList(SubscribableList):
    """Page of DERPrograms."""

    pollRate: Attr[PollRate] | None = None
    DERProgram_: list[DERProgram] = field(default_factory=list)


@resource
class ConnectStatusType:
    """Bitmap: 0 connected, 1 available, 2 operating, 3 test, 4 fault."""

    dateTime: TimeType
    value: Annotated[HexBinary8, Codes(c.ConnectStatusType)]


@resource
class InverterStatusType:
    """State of an inverter at a time."""

    dateTime: TimeType
    value: Annotated[UInt8, Codes(c.InverterStatusType)]


@resource
class LocalControlModeStatusType:
    """Whether local or remote control holds, since when."""

    dateTime: TimeType
    value: Annotated[UInt8, Codes(c.LocalControlModeStatusType)]


@resource
class ManufacturerStatusType:
    """State in the maker's own words."""

    dateTime: TimeType
    value: String6


@resource
class OperationalModeStatusType:
    """Operational mode at a time."""

    dateTime: TimeType
    value: Annotated[UInt8, Codes(c.OperationalModeStatusType)]


@resource
class StateOfChargeStatusType:
    """State of charge at a time."""

    dateTime: TimeType
    value: Annotated[PerCent, Unit("0.01 %")]


@resource
class StorageModeStatusType:
    """Whether storage charges, discharges or holds."""

    dateTime: TimeType
    value: Annotated[UInt8, Codes(c.StorageModeStatusType)]


@resource
class DERStatus(SubscribableResource):
    """Status of a DER: connection, operation, storage, alarms."""

    alarmStatus: Annotated[HexBinary32, Codes(c.AlarmStatus)] | None = None
    genConnectStatus: ConnectStatusType | None = None
    inverterStatus: InverterStatusType | None = None
    localControlModeStatus: LocalControlModeStatusType | None = None
    manufacturerStatus: ManufacturerStatusType | None = None
    operationalModeStatus: OperationalModeStatusType | None = None
    readingTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    stateOfChargeStatus: StateOfChargeStatusType | None = None
    storageModeStatus: StorageModeStatusType | None = None
    storConnectStatus: ConnectStatusType | None = None
