"""DERCapability, DERSettings and DeviceInformation of a device. Pure. IEEE 2030.5-2018, 10.10."""

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from der_client.device import Nameplate
from der_client.fixed_point import INT16, UINT16, bits_hex, fixed_point
from schemas import (
    ActivePower,
    ApparentPower,
    CurrentRMS,
    DefaultDERControl,
    DERCapability,
    DERSettings,
    DeviceInformation,
    PowerFactor,
    ReactivePower,
    VoltageRMS,
    WattHour,
    codes,
)

T = TypeVar("T")
F = codes.FunctionsImplemented

FUNCTIONS: Final = (
    F.DEVICE_CAPABILITY,
    F.END_DEVICE_RESOURCE,
    F.FUNCTION_SET_ASSIGNMENTS,
    F.RESPONSE,
    F.TIME,
    F.DEVICE_INFORMATION,
    F.LOG_EVENT,
    F.METERING,
    F.DER_CONTROL,
)
"""Client function sets that every client has; the others by what is configured."""


def watts(value: float) -> ActivePower:
    """Active power from W."""
    multiplier, number = fixed_point(value, INT16)
    return ActivePower(multiplier=multiplier, value=number)


def vars_(value: float) -> ReactivePower:
    """Reactive power from var."""
    multiplier, number = fixed_point(value, INT16)
    return ReactivePower(multiplier=multiplier, value=number)


def volt_amperes(value: float) -> ApparentPower:
    """Apparent power from VA."""
    multiplier, number = fixed_point(value, UINT16)
    return ApparentPower(multiplier=multiplier, value=number)


def volts(value: float) -> VoltageRMS:
    """Voltage from V."""
    multiplier, number = fixed_point(value, UINT16)
    return VoltageRMS(multiplier=multiplier, value=number)


def amperes(value: float) -> CurrentRMS:
    """Current from A."""
    multiplier, number = fixed_point(value, UINT16)
    return CurrentRMS(multiplier=multiplier, value=number)


def watt_hours(value: float) -> WattHour:
    """Energy from Wh."""
    multiplier, number = fixed_point(value, UINT16)
    return WattHour(multiplier=multiplier, value=number)


def power_factor(value: float) -> PowerFactor:
    """Power factor from its magnitude."""
    multiplier, number = fixed_point(value, UINT16)
    return PowerFactor(displacement=number, multiplier=multiplier)


def capability_of(nameplate: Nameplate) -> DERCapability:
    """Ratings of a device and the modes that it can execute."""
    return DERCapability(
        modesSupported=modes_hex(nameplate),
        rtgAbnormalCategory=nameplate.abnormal_category,
        rtgMaxA=_given(nameplate.max_a, amperes),
        rtgMaxChargeRateW=_given(nameplate.max_charge_w, watts),
        rtgMaxDischargeRateW=_given(nameplate.max_discharge_w, watts),
        rtgMaxVA=volt_amperes(nameplate.max_va),
        rtgMaxVar=vars_(nameplate.max_var),
        rtgMaxVarNeg=vars_(-nameplate.max_var_neg),
        rtgMaxW=watts(nameplate.max_w),
        rtgMaxWh=_given(nameplate.capacity_wh, watt_hours),
        rtgMinPFOverExcited=_given(nameplate.min_pf_over_excited, power_factor),
        rtgMinPFUnderExcited=_given(nameplate.min_pf_under_excited, power_factor),
        rtgNormalCategory=nameplate.normal_category,
        rtgVNom=_given(nameplate.v_nom_v, volts),
        type=nameplate.der_type,
    )


def settings_of(
    nameplate: Nameplate, *, now: int, default: DefaultDERControl | None = None, enters: bool = True
) -> DERSettings:
    """Settings in force at `now`; those that the default control gives are updated by it.

    `enters` is false for a device that cannot take its settings of entering service.
    IEEE 2030.5-2018, 10.10 (DefaultDERControl).
    """
    own_grad = round((nameplate.grad_w_pct_per_s or 0.0) * 100)
    grad_w = default.setGradW if default else None
    service = default if enters else None
    return DERSettings(
        modesEnabled=modes_hex(nameplate),
        setESDelay=service.setESDelay if service else None,
        setESHighFreq=service.setESHighFreq if service else None,
        setESHighVolt=service.setESHighVolt if service else None,
        setESLowFreq=service.setESLowFreq if service else None,
        setESLowVolt=service.setESLowVolt if service else None,
        setESRampTms=service.setESRampTms if service else None,
        setESRandomDelay=service.setESRandomDelay if service else None,
        setGradW=min(UINT16, own_grad if grad_w is None else grad_w),
        setMaxA=_given(nameplate.max_a, amperes),
        setMaxChargeRateW=watts(nameplate.charge_w) if nameplate.is_storage else None,
        setMaxDischargeRateW=_given(nameplate.discharge_w, watts),
        setMaxVA=volt_amperes(nameplate.set_max_va),
        setMaxVar=vars_(nameplate.set_max_var),
        setMaxVarNeg=vars_(-nameplate.set_max_var_neg),
        setMaxW=watts(nameplate.set_max_w),
        setMaxWh=_given(nameplate.capacity_wh, watt_hours),
        setMinPFOverExcited=_given(nameplate.min_pf_over_excited, power_factor),
        setMinPFUnderExcited=_given(nameplate.min_pf_under_excited, power_factor),
        setSoftGradW=default.setSoftGradW if default else None,
        setVNom=_given(nameplate.v_nom_v, volts),
        updatedTime=now,
    )


def information_of(
    nameplate: Nameplate, lfdi: str, *, pen: int, version: str, also: Collection[int] = ()
) -> DeviceInformation:
    """Maker and versions of a device; `version` is that of this client.

    `also` are bits of functionsImplemented that this client has as it is configured. IEEE 2030.5-2018, 22.
    """
    source = codes.PowerSourceType
    return DeviceInformation(
        functionsImplemented=bits_hex({*FUNCTIONS, *also}, 8),
        lFDI=lfdi,
        mfDate=0,
        mfHwVer=nameplate.version[:32],
        mfID=pen,
        mfInfo=nameplate.manufacturer[:32],
        mfModel=nameplate.model[:32],
        mfSerNum=nameplate.serial[:32],
        primaryPower=source.LOCAL_GENERATION,
        secondaryPower=source.BATTERY if nameplate.is_storage else source.NONE,
        swActTime=0,
        swVer=version[:32],
    )


def modes_hex(nameplate: Nameplate) -> str:
    """DERControlType bitmap of the modes of a device, with charge and discharge for storage."""
    known = codes.DERControlType.__members__
    bits = {int(known[mode]) for mode in nameplate.modes if mode in known}
    if nameplate.is_storage:
        bits |= {codes.DERControlType.CHARGE, codes.DERControlType.DISCHARGE}
    return bits_hex(bits, 4)


def _given(value: float | None, made: Callable[[float], T]) -> T | None:
    return None if value is None else made(value)
