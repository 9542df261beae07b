"""Values that are known only while a procedure runs: times of the server, and what the client reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Since(StrEnum):
    """What a time is counted from: the present, or the start of the day or hour in Eastern Australia."""

    NOW = "now"
    TODAY = "today"
    THIS_HOUR = "this hour"


@dataclass(frozen=True, slots=True)
class Moment:
    """A time at the server: `offset_s` seconds after what it is counted from. `NOW + 300`, `TODAY`."""

    since: Since = Since.NOW
    offset_s: int = 0

    def __add__(self, seconds: int) -> Moment:
        return replace(self, offset_s=self.offset_s + seconds)

    def __sub__(self, seconds: int) -> Moment:
        return self + -seconds


@dataclass(frozen=True, slots=True)
class Reported:
    """A rating or setting that the client reported, in its base unit, times a factor.

    `name` is an element of DERSettings or DERCapability, or `maxExportW` or `maxImportW`: the rate of
    discharge or of charge where the client reported one, else setMaxW. Not reported: the procedure fails.
    """

    name: str
    times: float = 1.0

    def __mul__(self, factor: float) -> Reported:
        return replace(self, times=self.times * factor)

    def __neg__(self) -> Reported:
        return self * -1


Amount = float | Reported
"""A number of the procedure's own, or one that follows from what the client reported."""


class Relation(StrEnum):
    """How a value that was reported must stand to another."""

    AT_MOST = "<="
    AT_LEAST = ">="
    EQUAL = "=="
    MORE_THAN = ">"


@dataclass(frozen=True, slots=True)
class Compared:
    """The value must stand so to another."""

    relation: Relation
    to: Amount


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits of a hexadecimal mask: all of them set, or at least one of them where `any_of` is True."""

    mask: int
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of a value, counted from 0, and how it must be."""

    number: int
    is_set: bool


class Given(StrEnum):
    """The element must be there, whatever it says."""

    ANY = "any"


Wanted = Amount | Compared | Bits | Bit | Given
"""What an element must be."""

Facts = tuple[tuple[str, Wanted], ...]
"""Elements by name and what each must be. One element may come more than once: several of its bits."""


NOW: Final = Moment()
TODAY: Final = Moment(Since.TODAY)
THIS_HOUR: Final = Moment(Since.THIS_HOUR)
MAX_EXPORT_W: Final = Reported("maxExportW")
MAX_IMPORT_W: Final = Reported("maxImportW")
SET_MAX_W: Final = Reported("setMaxW")
MAX_CHARGE_W: Final = Reported("setMaxChargeRateW")
MAX_DISCHARGE_W: Final = Reported("setMaxDischargeRateW")


def given(*names: str) -> Facts:
    """These elements must be there."""
    return tuple((name, Given.ANY) for name in names)


def at_most(element: str) -> Compared:
    """No more than another element says."""
    return Compared(Relation.AT_MOST, Reported(element))


def at_least(element: str) -> Compared:
    """No less than another element says."""
    return Compared(Relation.AT_LEAST, Reported(element))


def same_as(element: str) -> Compared:
    """As another element says."""
    return Compared(Relation.EQUAL, Reported(element))


POSITIVE: Final = Compared(Relation.MORE_THAN, 0)
