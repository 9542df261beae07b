"""mRIDs that we make: at random, or the same ones from the same cause. IEEE 2030.5-2018, 10.2.2."""

import hashlib
from collections.abc import Callable
from typing import Final

UNIQUE_BITS: Final = 96
_PEN_BITS: Final = 32
_STEP_BITS: Final = 64
BEING_CREATED: Final = (1 << UNIQUE_BITS) - 1
"""Upper part of the mRID that stands for an object in the making; never given to a real one."""
EXAMPLE_PEN: Final = 32473
"""Private enterprise number that RFC 5612 keeps for documentation; a utility replaces it by its own."""


def make_mrid(random_below: Callable[[int], int], pen: int) -> str:
    """New mRID, 32 capital hex digits: 96 random bits, then the PEN of its creator in the last 32.

    `random_below(n)` draws 0 to n - 1: pass `secrets.randbelow`. ValueError for a PEN outside 32 bits.
    IEEE 2030.5-2018, 10.2.2.
    """
    unique = random_below(1 << UNIQUE_BITS)
    while unique in {0, BEING_CREATED}:
        unique = random_below(1 << UNIQUE_BITS)
    return _joined(unique, pen)


def mrid_beyond(rival: str, random_below: Callable[[int], int], pen: int, *, is_higher: bool) -> str | None:
    """New mRID as of `make_mrid` that is higher (or lower) than a rival's; None where there is none.

    Of two events of one second the mRID decides, so that the later one needs such. IEEE 2030.5-2018, 10.2.3.
    """
    step = 1 + random_below(1 << _STEP_BITS)
    unique = (int(rival, 16) >> _PEN_BITS) + (step if is_higher else -step)
    return _joined(unique, pen) if 0 < unique < BEING_CREATED else None


def derived_mrid(cause: str, pen: int) -> str:
    """The mRID of what has this cause, whenever and wherever it is made, in the form of `make_mrid`.

    What is made again after a restart or a lost answer is then recognised. ValueError for a PEN outside 32
    bits. IEEE 2030.5-2018, 10.2.2.
    """
    digest = hashlib.sha256(cause.encode()).digest()
    unique = int.from_bytes(digest[: UNIQUE_BITS // 8])
    return _joined(unique if unique not in {0, BEING_CREATED} else 1, pen)


def pen_warning(pen: int) -> str | None:
    """What is wrong with using this PEN in the field, or None."""
    if pen in {0, EXAMPLE_PEN}:
        return f"PEN {pen} belongs to nobody: set pen to the number that IANA gave your organisation"
    return None


def _joined(unique: int, pen: int) -> str:
    if not 0 <= pen < 1 << 32:
        raise ValueError(f"PEN: {pen} is not 0 to 4294967295")
    return f"{unique:024X}{pen:08X}"
