"""Engineering numbers as value and power of ten, and lists of bits as hex. Pure."""

import math
from collections.abc import Iterable
from typing import Final

INT16: Final = 32_767
UINT16: Final = 65_535
DIGITS: Final = 3
"""Decimal places that are worth sending."""


def fixed_point(value: float, most: int) -> tuple[int, int]:
    """(multiplier, value) nearest to a number, with |value| at most `most`; a whole number that fits keeps 0.

    Raises ValueError for a number that is not finite. IEEE 2030.5-2018 (PowerOfTenMultiplierType).
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be sent")
    for multiplier in range(-DIGITS, 10):
        scaled = round(value / 10.0**multiplier)
        is_plain = multiplier >= 0 or scaled % 10 != 0
        if abs(scaled) <= most and is_plain:
            return multiplier, scaled
    raise ValueError(f"{value} is too large to be sent")


def bits_hex(bits: Iterable[int], octets: int) -> str:
    """HexBinary of `octets` octets with these bits set; bit 0 is the least."""
    return f"{sum(1 << bit for bit in set(bits)):0{2 * octets}X}"


def hundredths(percent: float) -> int:
    """A percentage in 0.01 %, 0 to 10000 (PerCent)."""
    return min(10_000, max(0, round(percent * 100)))
