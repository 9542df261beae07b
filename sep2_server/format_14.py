"""What migration 14 mends: rows that the versions before left, and that nobody can use. Frozen."""

from typing import Final

DAYS: Final = (
    "UPDATE reading SET day = 2147483647 WHERE day > 2147483647",
    "UPDATE reading SET day = -2147483648 WHERE day < -2147483648",
)
"""Readings of devices whose clock tells microseconds: PostgreSQL has never held such a day."""
