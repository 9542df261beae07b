"""The version of an identified object: how it moves. IEEE 2030.5-2018, 7 (IdentifiedObject)."""

from typing import Final

COUNT: Final = 65_536
"""How many versions VersionType has."""


def next_version(version: int | None) -> int:
    """The version after one more change, 0 after the last that VersionType holds; None counts as 0."""
    return ((version or 0) + 1) % COUNT
