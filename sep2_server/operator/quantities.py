"""Quantities as people write them: `50 %`, `5 kW`, `-2.5 kvar`, `1h30m`. Exact decimals, no floats."""

import re
from decimal import Decimal
from typing import Final

_AMOUNT: Final = re.compile(r"\s*([+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?)\s*(\S.*?)?\s*")
_SPAN: Final = re.compile(
    r"\s*(?:(\d{1,5})\s*d)?\s*(?:(\d{1,6})\s*h)?\s*(?:(\d{1,8})\s*m(?:in)?)?\s*(?:(\d{1,10})\s*s?)?\s*"
)
_SPAN_UNITS_S: Final = (86_400, 3_600, 60, 1)
_PREFIXES: Final = {"m": Decimal("0.001"), "": Decimal(1), "k": Decimal(1_000), "M": Decimal(1_000_000)}
_PREFIXED: Final = frozenset({"W", "var", "VA", "Wh", "Hz", "A", "V", "Ah"})
MULTIPLIERS: Final = range(-9, 10)
"""Powers of ten that PowerOfTenMultiplierType allows."""


def amount(text: str, unit: str) -> Decimal:
    """How many `unit` a text says: `amount("5 kW", "W")` is 5000. ValueError says how to write it."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError(f"a number and its unit, as in {_example(unit)}")
    factor = _factor(found[2] or "", unit)
    if factor is None:
        raise ValueError(f"the unit {unit}, as in {_example(unit)}" if unit else "a number without a unit")
    return Decimal(found[1]) * factor


def scale_of(unit_text: str) -> tuple[Decimal, str]:
    """Size of one wire step and its unit: `0.01 % of effective voltage` is 0.01 `%`, `mHz` is 0.001 `Hz`."""
    number, _, rest = unit_text.partition(" ") if unit_text[:1].isdigit() else ("1", "", unit_text)
    unit = rest.split(" of ")[0]
    if unit[:1] == "m" and unit[1:] in _PREFIXED:
        return Decimal(number) * _PREFIXES["m"], unit[1:]
    return Decimal(number), unit


def span_s(text: str) -> int:
    """Seconds of a time span: `90`, `90s`, `5m`, `1h30m`, `2d`. ValueError for anything else."""
    found = _SPAN.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError("a time span such as 90s, 5m, 1h30m or 2d")
    return sum(int(part or 0) * size for part, size in zip(found.groups(), _SPAN_UNITS_S, strict=True))


def fixed_point(value: Decimal, low: int, high: int) -> tuple[int, int]:
    """Whole number from `low` to `high` and power of ten that make the value exactly: 50000 is (5000, 1).

    ValueError names the nearest value where the wire has too few digits.
    """
    for multiplier in sorted(MULTIPLIERS, key=lambda m: (abs(m), m)):
        steps = value.scaleb(-multiplier)
        if steps == steps.to_integral_value() and low <= steps <= high:
            return int(steps), multiplier
    nearest = next((n for n in (_rounded(value, m, low, high) for m in MULTIPLIERS) if n is not None), None)
    reach = f"nearest is {plain(nearest)}" if nearest is not None else f"{low} to {high} times 10^-9 to 10^9"
    raise ValueError(f"a value that the wire can carry exactly ({reach})")


def plain(value: Decimal) -> str:
    """Decimal without exponent and without zeros at its end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rounded(value: Decimal, multiplier: int, low: int, high: int) -> Decimal | None:
    steps = value.scaleb(-multiplier).to_integral_value()
    return steps.scaleb(multiplier) if low <= steps <= high else None


def _factor(written: str, unit: str) -> Decimal | None:
    if written == unit:
        return Decimal(1)
    if unit in _PREFIXED and written.endswith(unit):
        return _PREFIXES.get(written[: -len(unit)])
    return None


def _example(unit: str) -> str:
    return repr(f"50 {unit}" if unit else "0.05")
