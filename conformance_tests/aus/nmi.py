"""National metering identifiers (NMI) of Australia: ten characters and a check digit."""

from __future__ import annotations

from typing import Final

NUMBERS: Final = {1: "4102335210", 2: "6305102847"}
"""Two identifiers without their check digit."""


def check_digit(ten: str) -> int:
    """The check digit of ten characters: their ASCII codes from the right, every other one doubled."""
    codes = [ord(one) * (2 if at % 2 == 0 else 1) for at, one in enumerate(reversed(ten))]
    return -sum(int(digit) for code in codes for digit in str(code)) % 10


def valid_nmi(number: int) -> str:
    """A valid identifier with its check digit."""
    return f"{NUMBERS[number]}{check_digit(NUMBERS[number])}"
