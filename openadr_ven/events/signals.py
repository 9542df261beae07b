"""The signals of 2.0b and the payload types of 3.x: what each is, in which units, with which values.

OpenADR 2.0b, Table 1; OpenADR 3.1.0, event payload types. Signed dispatches are taken: export is negative.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from openadr_ven.events.event import Point, Profile, Signal, Value
from openadr_ven.events.quantity import Unit


class Kind(StrEnum):
    """What a signal asks for."""

    LEVEL = "level"
    SET_POINT = "set point"
    LIMIT = "limit"
    CHARGE = "charge"
    PRICE = "price"
    CURVE = "curve"
    STANDING = "standing"
    """Rights that hold between limits: subscriptions and reservations of capacity."""
    NOTICE = "notice"
    OTHER = "other"


class Form(StrEnum):
    """What its values are."""

    NUMBER = "number"
    POINT = "point"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One row of the table. `units` empty is a signal without unit; `low` and `high` bound each value."""

    kind: Kind
    units: frozenset[Unit] = frozenset()
    needs_unit: bool = True
    form: Form = Form.NUMBER
    low: int | None = None
    high: int | None = None
    is_whole: bool = False


POWER: Final = frozenset({Unit.W, Unit.VA, Unit.VAR})
ENERGY: Final = frozenset({Unit.WH, Unit.VAH, Unit.VARH})
MONEY: Final = frozenset(
    {Unit.CURRENCY, Unit.CURRENCY_PER_KW, Unit.CURRENCY_PER_KWH, Unit.CURRENCY_PER_THERM}
)
_TEMPERATURE: Final = frozenset({Unit.CELSIUS, Unit.FAHRENHEIT})
_ALL: Final = frozenset(Unit) - {Unit.UNKNOWN}

_SIMPLE: Final = Shape(kind=Kind.LEVEL, low=0, high=3, is_whole=True)
_LEVEL: Final = Shape(kind=Kind.LEVEL, low=-10, high=10, is_whole=True)
_FACTOR: Final = Shape(kind=Kind.SET_POINT)
_PRICE: Final = Shape(kind=Kind.PRICE, units=frozenset({Unit.CURRENCY_PER_KWH}))
_DEMAND: Final = Shape(kind=Kind.PRICE, units=frozenset({Unit.CURRENCY_PER_KW}))
_PRICE_FACTOR: Final = Shape(kind=Kind.PRICE)
_POWER: Final = Shape(kind=Kind.SET_POINT, units=POWER)
_CHARGE: Final = Shape(kind=Kind.CHARGE, units=ENERGY)

SIGNALS_20B: Final[Mapping[tuple[str, str], Shape]] = {
    ("SIMPLE", "level"): _SIMPLE,
    ("ELECTRICITY_PRICE", "price"): _PRICE,
    ("ELECTRICITY_PRICE", "priceRelative"): _PRICE,
    ("ELECTRICITY_PRICE", "priceMultiplier"): _PRICE_FACTOR,
    ("ENERGY_PRICE", "price"): _PRICE,
    ("ENERGY_PRICE", "priceRelative"): _PRICE,
    ("ENERGY_PRICE", "priceMultiplier"): _PRICE_FACTOR,
    ("DEMAND_CHARGE", "price"): _DEMAND,
    ("DEMAND_CHARGE", "priceRelative"): _DEMAND,
    ("DEMAND_CHARGE", "priceMultiplier"): _PRICE_FACTOR,
    ("BID_PRICE", "price"): Shape(kind=Kind.PRICE, units=MONEY),
    ("BID_LOAD", "setpoint"): Shape(kind=Kind.OTHER, units=POWER),
    ("BID_ENERGY", "setpoint"): Shape(kind=Kind.OTHER, units=ENERGY),
    ("CHARGE_STATE", "setpoint"): _CHARGE,
    ("CHARGE_STATE", "delta"): _CHARGE,
    ("CHARGE_STATE", "multiplier"): Shape(kind=Kind.CHARGE, low=0, high=1),
    ("LOAD_DISPATCH", "setpoint"): _POWER,
    ("LOAD_DISPATCH", "delta"): _POWER,
    ("LOAD_DISPATCH", "multiplier"): _FACTOR,
    ("LOAD_DISPATCH", "level"): Shape(kind=Kind.LEVEL, units=POWER, low=-10, high=10, is_whole=True),
    ("LOAD_CONTROL", "x-loadControlCapacity"): Shape(kind=Kind.LIMIT, low=0, high=1),
    ("LOAD_CONTROL", "x-loadControlLevelOffset"): Shape(kind=Kind.LEVEL, is_whole=True),
    ("LOAD_CONTROL", "x-loadControlSetpoint"): Shape(
        kind=Kind.SET_POINT, units=_TEMPERATURE, needs_unit=False
    ),
    ("LOAD_CONTROL", "x-loadControlPercentOffset"): Shape(kind=Kind.LEVEL),
}
"""By signalName and signalType."""

_MONEY_3: Final = Shape(kind=Kind.PRICE, units=MONEY, needs_unit=False)
_NOTICE: Final = Shape(kind=Kind.NOTICE, units=_ALL, needs_unit=False, form=Form.ANY)
_OTHER: Final = Shape(kind=Kind.OTHER, units=_ALL, needs_unit=False, form=Form.ANY)
_STANDING: Final = Shape(kind=Kind.STANDING, units=frozenset({Unit.W}))
_LIMIT: Final = Shape(kind=Kind.LIMIT, units=frozenset({Unit.W}))
ALERTS: Final = (
    "GRID_EMERGENCY",
    "BLACK_START",
    "POSSIBLE_OUTAGE",
    "FLEX_ALERT",
    "FIRE",
    "FREEZING",
    "WIND",
    "TSUNAMI",
    "AIR_QUALITY",
    "OTHER",
)
"""What stands behind ALERT_ in a payload type of 3.x."""

PAYLOADS_3: Final[Mapping[str, Shape]] = {
    "SIMPLE": _SIMPLE,
    "PRICE": _MONEY_3,
    "PRICE_ALTERNATE": _MONEY_3,
    "EXPORT_PRICE": _MONEY_3,
    "GHG": Shape(kind=Kind.PRICE, units=frozenset({Unit.GHG}), needs_unit=False),
    "CHARGE_STATE_SETPOINT": Shape(kind=Kind.CHARGE, units=frozenset({Unit.WH, Unit.SHARE})),
    "DISPATCH_SETPOINT": _POWER,
    "DISPATCH_SETPOINT_RELATIVE": _POWER,
    "DISPATCH_INSTRUCTION": _OTHER,
    "CONTROL_SETPOINT": Shape(kind=Kind.SET_POINT, units=_ALL, needs_unit=False, form=Form.ANY),
    "CONTROL_LEVEL_OFFSET": _LEVEL,
    "CONTROL_LEVEL_OFFSET_PERCENT": Shape(
        kind=Kind.LEVEL, units=frozenset({Unit.SHARE}), needs_unit=False, low=-1, high=1
    ),
    "CURVE": Shape(kind=Kind.CURVE, units=_ALL, needs_unit=False, form=Form.POINT),
    "OLS": Shape(kind=Kind.SET_POINT, units=frozenset({Unit.SHARE}), needs_unit=False, low=0, high=1),
    **{
        f"{way}_CAPACITY_{what}": shape
        for way in ("IMPORT", "EXPORT")
        for what, shape in (
            ("SUBSCRIPTION", _STANDING),
            ("RESERVATION", _STANDING),
            ("RESERVATION_FEE", _MONEY_3),
            ("AVAILABLE", Shape(kind=Kind.OTHER, units=frozenset({Unit.W}))),
            ("AVAILABLE_PRICE", _MONEY_3),
            ("LIMIT", _LIMIT),
        )
    },
    **{f"ALERT_{what}": _NOTICE for what in ALERTS},
    "CTA2045_REBOOT": _OTHER,
    "CTA2045_SET_OVERRIDE_STATUS": _OTHER,
}
"""By payload type; 3.0.1 has some fewer."""
CUSTOM: Final = Shape(kind=Kind.OTHER, units=_ALL, needs_unit=False, form=Form.ANY)
"""Signals that only a programme knows."""


def name_of(signal: Signal) -> tuple[str, str]:
    """SignalName and signalType as the tables have them: `simple` is SIMPLE."""
    return ("SIMPLE" if signal.signalName == "simple" else signal.signalName), signal.signalType


def shape_of(profile: Profile, signal: Signal) -> Shape | None:
    """The row of a signal, None where the standard has none."""
    name, kind = name_of(signal)
    return SIGNALS_20B.get((name, kind)) if profile is Profile.V20B else PAYLOADS_3.get(name)


def is_limit(profile: Profile, signal: Signal) -> bool:
    """Whether a signal bounds what others may set: a limit always wins over a set point."""
    shape = shape_of(profile, signal)
    return shape is not None and shape.kind is Kind.LIMIT


def takes_unit(shape: Shape, unit: Unit | None) -> bool:
    """Whether a signal of this shape may have this unit, or none. OpenADR 2.0b, R109."""
    return unit in shape.units if unit is not None else not (shape.units and shape.needs_unit)


def takes_value(shape: Shape, value: Value) -> bool:
    """Whether a value is of the right form and within its bounds."""
    if shape.form is not Form.NUMBER:
        return shape.form is Form.ANY or (isinstance(value, Point) and _is_finite(value.x, value.y))
    if isinstance(value, bool) or not isinstance(value, Decimal) or not value.is_finite():
        return False
    is_low = shape.low is not None and value < shape.low
    is_high = shape.high is not None and value > shape.high
    return not (is_low or is_high or (shape.is_whole and value != value.to_integral_value()))


def _is_finite(*numbers: Decimal) -> bool:
    return all(number.is_finite() for number in numbers)
