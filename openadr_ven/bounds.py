"""What the numbers and durations of a stranger may be at most, the same in all versions of OpenADR."""

from decimal import Decimal
from typing import Final

from openadr_ven.iso8601 import duration_s

LONGEST_S: Final = 9999 * 366 * 86_400
"""The longest duration that has an end, s."""
MOST_POWER: Final = 30
"""Of ten, either way, that a number may have."""
LONGEST_NUMBER: Final = 64
"""Characters."""


def bounded_s(text: str) -> int | None:
    """A duration, s; None for one without end. Raises ValueError for what is none, or is beyond LONGEST_S."""
    found_s = duration_s(text)
    if found_s is not None and abs(found_s) > LONGEST_S:
        raise ValueError(f"{text:.40} is a duration beyond all bounds")
    return found_s


def bounded_number(text: str) -> Decimal:
    """A number, exact. Raises ValueError or InvalidOperation for what is none, or is beyond bounds."""
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number is too long")
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(f"{text} is no number")
    if number and abs(number.adjusted()) > MOST_POWER:
        raise ValueError(f"{text} is beyond all bounds")
    return number
