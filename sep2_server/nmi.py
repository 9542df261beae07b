"""National metering identifiers (NMI), by which connection points are named in Australia."""

import re
from typing import Final

FORM: Final = re.compile(r"[0-9A-HJ-NP-Z]{10}[0-9]?")
"""Ten characters without I and O, and the check digit, which may be left out."""


def is_nmi(text: str) -> bool:
    """Whether a text is an identifier whose check digit, if it has one, is right. AEMO NMI procedure."""
    if FORM.fullmatch(text) is None:
        return False
    return len(text) == 10 or int(text[10]) == check_digit(text[:10])


def check_digit(ten: str) -> int:
    """The check digit of ten characters: their ASCII codes, from the right every other one doubled."""
    codes = [ord(one) * (1 + (place % 2 == 0)) for place, one in enumerate(reversed(ten))]
    return -sum(int(digit) for code in codes for digit in str(code)) % 10
