"""Values with a power of ten, intervals, positions: the small structures that many function sets share."""

from typing import Annotated

from schemas import codes as c
from schemas.fields import Codes, Unit, resource
from schemas.types import (
    Boolean,
    DERUnitRefType,
    Int16,
    Int32,
    Int48,
    PowerOfTenMultiplierType,
    SignedPerCent,
    String32,
    TimeType,
    UInt8,
    UInt16,
    UInt32,
    UInt48,
    UomType,
)


@resource
class FixedPointType:
    """Signed value times a power of ten."""

    multiplier: PowerOfTenMultiplierType
    value: Int16


@resource
class UnsignedFixedPointType:
    """Unsigned value times a power of ten."""

    multiplier: PowerOfTenMultiplierType
    value: UInt16


@resource
class ActivePower:
    """Active power, W: value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: Int16


@resource
class AmpereHour:
    """Charge, Ah: value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: UInt16


@resource
class ApparentPower:
    """Apparent power, VA: value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: UInt16


@resource
class CurrentRMS:
    """Current, A (RMS): value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: UInt16


@resource
class PowerFactor:
    """Displacement power factor as a magnitude: displacement times 10^multiplier."""

    displacement: UInt16
    multiplier: PowerOfTenMultiplierType


@resource
class PowerFactorWithExcitation:
    """Power factor with its side; `excitation` true takes vars up (under-excited), false injects them."""

    displacement: UInt16
    excitation: Boolean
    multiplier: PowerOfTenMultiplierType


@resource
class ReactivePower:
    """Reactive power, var: value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: Int16


@resource
class ReactiveSusceptance:
    """Reactive susceptance, S: value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: UInt16


@resource
class VoltageRMS:
    """Voltage, V (RMS): value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: UInt16


@resource
class WattHour:
    """Energy, Wh: value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: UInt16


@resource
class RealEnergy:
    """Unsigned energy, Wh: value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: UInt48


@resource
class SignedRealEnergy:
    """Signed energy, Wh: value times 10^multiplier."""

    multiplier: PowerOfTenMultiplierType
    value: Int48


@resource
class UnitValueType:
    """Value with its unit of measure and power of ten."""

    multiplier: PowerOfTenMultiplierType
    unit: UomType
    value: Int32


@resource
class FixedVar:
    """Reactive power in 0.01 % of `refType` (1 setMaxW, 2 setMaxVar, 3 statVarAvail)."""

    refType: DERUnitRefType
    value: Annotated[SignedPerCent, Unit("0.01 %")]


@resource
class DateTimeInterval:
    """Time span: `start` and how long it lasts."""

    duration: Annotated[UInt32, Unit("s")]
    start: Annotated[TimeType, Unit("s since 1970 UTC")]


@resource
class GPSLocationType:
    """Position as decimal degrees in text."""

    lat: String32
    lon: String32


@resource
class Temperature:
    """Temperature of a part of a device."""

    multiplier: PowerOfTenMultiplierType
    subject: Annotated[UInt8, Codes(c.TemperatureSubject)]
    value: Annotated[Int16, Unit("degC")]
