"""mRIDs that this server makes. IEEE 2030.5-2018, 10.2.2."""

from collections.abc import Callable
from typing import Final

UNIQUE_BITS: Final = 96
BEING_CREATED: Final = (1 << UNIQUE_BITS) - 1
"""Upper part of the mRID that stands for an object in the making; never given to a real one."""
EXAMPLE_PEN: Final = 32473
"""Private enterprise number that RFC 5612 keeps for documentation; a utility replaces it by its own."""


def make_mrid(random_below: Callable[[int], int], pen: int) -> str:
    """New mRID, 32 capital hex digits: 96 random bits, then the PEN of its creator in the last 32.

    `random_below(n)` draws 0 to n - 1: pass `secrets.randbelow`. ValueError for a PEN outside 32 bits.
    IEEE 2030.5-2018, 10.2.2.
    """
    if not 0 <= pen < 1 << 32:
        raise ValueError(f"PEN: {pen} is not 0 to 4294967295")
    unique = random_below(1 << UNIQUE_BITS)
    while unique in {0, BEING_CREATED}:
        unique = random_below(1 << UNIQUE_BITS)
    return f"{unique:024X}{pen:08X}"


def pen_warning(pen: int) -> str | None:
    """What is wrong with using this PEN in the field, or None."""
    if pen in {0, EXAMPLE_PEN}:
        return f"PEN {pen} belongs to nobody: set pen to the number that IANA gave your organisation"
    return None
