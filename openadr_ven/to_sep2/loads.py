"""LOAD_CONTROL and its like of 3.x: what loads do, and how far batteries may charge."""

from dataclasses import replace
from decimal import Decimal

from openadr_ven.events import Code, Unit
from openadr_ven.to_sep2.amounts import FULL, floor, whole
from openadr_ven.to_sep2.fleet import GENERATES, STORES, Device, Kind
from openadr_ven.to_sep2.levels import NO_CHARGE_LIMIT, by_table, charge_limit
from openadr_ven.to_sep2.programme import TargetMode, Thermal
from openadr_ven.to_sep2.replies import Verdict, each, joined, note, refusal
from openadr_ven.to_sep2.wishes import Ask, Duty, Reply, Shift, Thermostat

MOST_OFFSET = 255
"""Tenths of a degree that the wire holds."""
MOST_CELSIUS = 32_767
NO_LOAD = "for loads only"
LEVEL_TABLE = "LOAD_CONTROL x-loadControlLevelOffset"


def capacity(ask: Ask) -> Reply:
    """The part of its most that a load may draw: 0 is off. Generation has no such thing."""
    share = ask.number
    if not 0 <= share <= 1:
        return each(ask, lambda _: refusal(ask, f"{share} is not 0 to 1", Code.INVALID_DATA))

    def verdict(device: Device) -> Verdict:
        if device.kind is Kind.GENERATION:
            return refusal(ask, "generation has no load to control")
        if device.kind in STORES:
            return charge_limit(device, share, TargetMode.FIXED_W) or refusal(ask, NO_CHARGE_LIMIT)
        return Duty(normalValue=floor(share * 100))

    return each(ask, verdict)


def level_offset(ask: Ask) -> Reply:
    """So many steps less load: of temperature for thermostats, by table for others."""
    thermostats = tuple(one for one in ask.devices if one.kind is Kind.THERMOSTAT)
    others = tuple(one for one in ask.devices if one.kind is not Kind.THERMOSTAT)
    tenths = whole(ask.number * ask.programme.tenths_per_level)
    size = min(abs(tenths), MOST_OFFSET)
    notes = [note(ask, one.name, f"clamped to {size} tenths of a degree") for one in thermostats]
    cooling, heating = _thermal(ask.programme.thermal, size)
    shift = Shift(cooling=cooling, heating=heating, is_forward=tenths < 0)
    first = each(_for(ask, thermostats), lambda _: shift, notes if abs(tenths) > size else ())
    return joined((first, by_table(_for(ask, others), LEVEL_TABLE)))


def percent_offset(ask: Ask) -> Reply:
    """So much less of the load, or more. Negative is less."""
    share = ask.number
    size = min(whole(abs(share) * FULL), FULL)

    def verdict(device: Device) -> Verdict:
        if device.kind in STORES | GENERATES:
            return refusal(ask, NO_LOAD)
        return Shift(load=size, is_forward=share > 0)

    return each(ask, verdict)


def thermal_setpoint(ask: Ask) -> Reply:
    """A temperature to hold, in the unit of the signal or else of the programme."""
    unit = ask.signal.unit or ask.programme.temperature_unit
    hundredths = whole(celsius(ask.number, unit) * 100)

    def verdict(device: Device) -> Verdict:
        if device.kind is not Kind.THERMOSTAT:
            return refusal(ask, "for thermostats only")
        if abs(hundredths) > MOST_CELSIUS:
            return refusal(ask, f"{ask.number} is no temperature of a room", Code.INVALID_DATA)
        cooling, heating = _thermal(ask.programme.thermal, hundredths)
        return Thermostat(cooling=cooling, heating=heating)

    return each(ask, verdict)


def celsius(value: Decimal, unit: Unit) -> Decimal:
    """A temperature in degrees Celsius."""
    return (value - 32) * 5 / 9 if unit is Unit.FAHRENHEIT else value


def _thermal(thermal: Thermal, value: int) -> tuple[int | None, int | None]:
    """The value for cooling and for heating."""
    cooling = value if thermal in {Thermal.COOLING, Thermal.BOTH} else None
    heating = value if thermal in {Thermal.HEATING, Thermal.BOTH} else None
    return cooling, heating


def _for(ask: Ask, devices: tuple[Device, ...]) -> Ask:
    return replace(ask, devices=devices)
