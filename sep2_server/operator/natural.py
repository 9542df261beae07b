"""Structures of the standard as one text with a unit: `5 kW`, `0.95 under-excited`, `-30 % setMaxVar`."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from schemas import (
    DERCurveLink,
    FixedVar,
    PowerFactorWithExcitation,
    spec_of,
    wire_name,
)
from sep2_server.operator.quantities import amount, fixed_point, plain

FIXED_POINT_UNITS: Final[Mapping[str, str]] = {
    "ActivePower": "W",
    "ReactivePower": "var",
    "ApparentPower": "VA",
    "AmpereHour": "Ah",
    "CurrentRMS": "A",
    "VoltageRMS": "V",
    "WattHour": "Wh",
    "RealEnergy": "Wh",
    "SignedRealEnergy": "Wh",
}
EXCITATIONS: Final[Mapping[str, bool]] = {
    "under-excited": True,
    "absorbing": True,
    "over-excited": False,
    "injecting": False,
}
"""Words for `excitation`: true takes vars up. IEEE 2030.5-2018, 10.10."""
REFERENCES: Final[Mapping[str, int]] = {"setMaxW": 1, "setMaxVar": 2, "statVarAvail": 3}
"""What the percentage of opModFixedVar refers to. IEEE 2030.5-2018, 10.10."""
_REFERENCE_NAMES: Final = {number: name for name, number in REFERENCES.items()}
_UINT16: Final = (0, 2**16 - 1)
_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "Int16": (-(2**15), 2**15 - 1),
    "UInt16": _UINT16,
    "Int48": (-(2**47), 2**47),
    "UInt48": (0, 2**48 - 1),
}


def has_text(cls: type) -> bool:
    """True for a class whose values one text can describe."""
    return wire_name(cls) in _READ


def example_of(cls: type) -> str:
    """A text that describes a value of the class."""
    return _EXAMPLES[wire_name(cls)]


def read_text(cls: type, text: str) -> object:
    """The value that a text describes. ValueError says how to write it."""
    return _READ[wire_name(cls)](cls, text)


def text_of(value: object) -> str:
    """The text that `read_text` reads as this value."""
    return _WRITE[wire_name(type(value))](value)


def _read_fixed_point(cls: type, text: str) -> object:
    kind = next(f.type_name for f in spec_of(cls) if f.name == "value")
    exact = amount(text, FIXED_POINT_UNITS[wire_name(cls)])
    value, multiplier = fixed_point(exact, *_BOUNDS[kind])
    return cls(multiplier=multiplier, value=value)


def _write_fixed_point(value: object) -> str:
    return f"{_scaled(value, 'value')} {FIXED_POINT_UNITS[wire_name(type(value))]}"


def _read_power_factor(cls: type, text: str) -> object:
    number, _, word = text.strip().partition(" ")
    if word.strip() not in EXCITATIONS:
        raise ValueError(f"a power factor and one of {', '.join(EXCITATIONS)}, as in '0.95 under-excited'")
    factor = amount(number, "")
    if not 0 < factor <= 1:
        raise ValueError("a power factor above 0 and up to 1")
    displacement, multiplier = fixed_point(factor, *_UINT16)
    return cls(displacement=displacement, excitation=EXCITATIONS[word.strip()], multiplier=multiplier)


def _write_power_factor(value: object) -> str:
    takes_vars = isinstance(value, PowerFactorWithExcitation) and value.excitation
    return f"{_scaled(value, 'displacement')} {'under-excited' if takes_vars else 'over-excited'}"


def _read_fixed_var(cls: type, text: str) -> object:
    number, _, reference = text.strip().rpartition(" ")
    if reference not in REFERENCES:
        raise ValueError(f"a percentage and one of {', '.join(REFERENCES)}, as in '-30 % setMaxVar'")
    steps = amount(number, "%") * 100
    if steps != steps.to_integral_value():
        raise ValueError("steps of 0.01 %")
    return cls(refType=REFERENCES[reference], value=int(steps))


def _write_fixed_var(value: object) -> str:
    reference = value.refType if isinstance(value, FixedVar) else 0
    return f"{plain(_number(value, 'value') / 100)} % {_REFERENCE_NAMES.get(reference, reference)}"


def _read_link(cls: type, text: str) -> object:
    if not text.startswith("/"):
        raise ValueError("the href of a curve, or the mRID or description of one that the server has")
    return cls(href=text)


def _write_link(value: object) -> str:
    return value.href if isinstance(value, DERCurveLink) else ""


def _scaled(value: object, name: str) -> str:
    return plain(_number(value, name).scaleb(int(_number(value, "multiplier"))))


def _number(value: object, name: str) -> Decimal:
    return Decimal(int(getattr(value, name)))


_READ: Final[dict[str, Callable[[type, str], object]]] = {
    **dict.fromkeys(FIXED_POINT_UNITS, _read_fixed_point),
    "PowerFactorWithExcitation": _read_power_factor,
    "FixedVar": _read_fixed_var,
    "DERCurveLink": _read_link,
}
_WRITE: Final[dict[str, Callable[[object], str]]] = {
    **dict.fromkeys(FIXED_POINT_UNITS, _write_fixed_point),
    "PowerFactorWithExcitation": _write_power_factor,
    "FixedVar": _write_fixed_var,
    "DERCurveLink": _write_link,
}
_EXAMPLES: Final[Mapping[str, str]] = {
    **{name: f"5 k{unit}" for name, unit in FIXED_POINT_UNITS.items()},
    "PowerFactorWithExcitation": "0.95 under-excited",
    "FixedVar": "-30 % setMaxVar",
    "DERCurveLink": "/dc/1",
}
