"""Units of payloads. A value is brought to its plain unit once, where it is read, and then has no scale.

OpenADR 2.0b, Table 1 (itemBase, siScaleCode); OpenADR 3.1.0, units. Signs are those of the wire: load
positive.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final


class Unit(StrEnum):
    """Plain units: no kilo, no mega. A price stands beside its currency (`Signal.currency`)."""

    W = "W"
    VA = "VA"
    VAR = "VAr"
    WH = "Wh"
    VAH = "VAh"
    VARH = "VArh"
    V = "V"
    A = "A"
    HZ = "Hz"
    CELSIUS = "Celsius"
    FAHRENHEIT = "Fahrenheit"
    SHARE = "1"
    """A part of a whole, -1 to 1: what OpenADR 3 calls PERCENT."""
    CURRENCY = "currency"
    CURRENCY_PER_KW = "currency/kW"
    CURRENCY_PER_KWH = "currency/kWh"
    CURRENCY_PER_THERM = "currency/therm"
    GHG = "g/kWh"
    THERM = "therm"
    COUNT = "count"
    UNKNOWN = "unknown"
    """The wire names a unit that the standard does not have there: answered with 460."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A unit as it stands on a wire: the plain unit, and by what its values are multiplied to be in it."""

    unit: Unit
    factor: Decimal = Decimal(1)

    def plain(self, value: Decimal) -> Decimal:
        """A value of the wire in the plain unit."""
        return value * self.factor


UNKNOWN: Final = Scaled(unit=Unit.UNKNOWN)
POWERS: Final = {
    "p": -12,
    "n": -9,
    "micro": -6,
    "m": -3,
    "c": -2,
    "d": -1,
    "none": 0,
    "": 0,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
}
"""siScaleCode to the power of ten."""
ITEMS: Final = {
    "powerReal": ("W", Unit.W),
    "powerApparent": ("VA", Unit.VA),
    "powerReactive": ("VAR", Unit.VAR),
    "energyReal": ("WH", Unit.WH),
    "energyApparent": ("VAH", Unit.VAH),
    "energyReactive": ("VARH", Unit.VARH),
    "voltage": ("V", Unit.V),
    "current": ("A", Unit.A),
    "frequency": ("HZ", Unit.HZ),
    "pulseCount": ("COUNT", Unit.COUNT),
    "Therm": ("THM", Unit.THERM),
    "therm": ("THM", Unit.THERM),
}
"""itemBase of 2.0b to its itemUnits, in capitals as peers differ in their case, and the plain unit."""
PRICES: Final = {
    "currency": Unit.CURRENCY,
    "currencyPerKW": Unit.CURRENCY_PER_KW,
    "currencyPerKWh": Unit.CURRENCY_PER_KWH,
    "currencyPerThm": Unit.CURRENCY_PER_THERM,
}
"""itemBase of 2.0b whose itemUnits are a currency."""
UNITS: Final = {
    "KW": Scaled(unit=Unit.W, factor=Decimal(1000)),
    "KVA": Scaled(unit=Unit.VA, factor=Decimal(1000)),
    "KVAR": Scaled(unit=Unit.VAR, factor=Decimal(1000)),
    "KWH": Scaled(unit=Unit.WH, factor=Decimal(1000)),
    "KVAH": Scaled(unit=Unit.VAH, factor=Decimal(1000)),
    "KVARH": Scaled(unit=Unit.VARH, factor=Decimal(1000)),
    "VOLTS": Scaled(unit=Unit.V),
    "AMPS": Scaled(unit=Unit.A),
    "CELSIUS": Scaled(unit=Unit.CELSIUS),
    "FAHRENHEIT": Scaled(unit=Unit.FAHRENHEIT),
    "PERCENT": Scaled(unit=Unit.SHARE),
    "GHG": Scaled(unit=Unit.GHG),
    "THERMS": Scaled(unit=Unit.THERM),
}
"""units of OpenADR 3."""
_PER: Final = {"KWH": Unit.CURRENCY_PER_KWH, "KW": Unit.CURRENCY_PER_KW, "THERMS": Unit.CURRENCY_PER_THERM}


def item_unit(item_base: str, item_units: str, si_scale_code: str = "none") -> Scaled:
    """The unit of a 2.0b itemBase (element name), itemUnits and siScaleCode; `UNKNOWN` where they do not fit.

    The scale always counts. itemUnits of a price are its currency, and stand in `Signal.currency`.
    """
    power = POWERS.get(si_scale_code)
    if power is None:
        return UNKNOWN
    factor = Decimal(10) ** power
    if item_base in PRICES:
        return Scaled(unit=PRICES[item_base], factor=factor)
    text, unit = ITEMS.get(item_base, ("", Unit.UNKNOWN))
    if item_base == "temperature":
        unit = {"celsius": Unit.CELSIUS, "fahrenheit": Unit.FAHRENHEIT}.get(item_units.lower(), Unit.UNKNOWN)
        text = item_units.upper()
    return Scaled(unit=unit, factor=factor) if text == item_units.upper() and text else UNKNOWN


def descriptor_unit(units: str | None, currency: str | None = None) -> Scaled | None:
    """The unit of a payloadDescriptor of OpenADR 3; None without one, `UNKNOWN` where nobody knows it.

    With a currency the units are what is paid for, and the value keeps its scale: KWH is currency per kWh.
    """
    if not units:
        return Scaled(unit=Unit.CURRENCY) if currency else None
    if currency:
        return Scaled(unit=_PER[units]) if units in _PER else UNKNOWN
    return UNITS.get(units, UNKNOWN)
