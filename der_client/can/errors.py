"""The errors of this package; what happens in the field is a Fault, never one of these.

CanConfigError
 +- ProfileError    a profile, or the DBC it names, cannot be used; the text names file and key
 +- BusError        the bus settings cannot be used; the text names the key
"""

from __future__ import annotations


class CanConfigError(Exception):
    """What the operator wrote cannot work; raised before any bus is opened. Never raised for a frame."""


class ProfileError(CanConfigError):
    """A profile is malformed, or does not fit its DBC: `file: key: what is wrong`."""

    def __init__(self, source: str, key: str, reason: str) -> None:
        super().__init__(f"{source}: {key}: {reason}")
        self.source = source
        self.key = key


class BusError(CanConfigError):
    """A key of the bus settings is missing or has the wrong type."""
