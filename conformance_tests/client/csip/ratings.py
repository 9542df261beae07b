"""CORE-014: which ratings and settings go with which modes, and how a setting stands to its rating.

SunSpec CSIP Conformance Test Procedures 1.3, errata 21, 22, 23, 35, 37 and 39: conditions by mode and type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.codes import DERControlType, DERType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas import DERCapability, DERSettings

STORAGE: Final = frozenset(
    {
        DERType.OTHER_STORAGE_SYSTEM,
        DERType.ELECTRIC_VEHICLE,
        DERType.EVSE,
        DERType.COMBINED_PV_AND_STORAGE,
    }
)
VAR_MODES: Final = frozenset({"opModFixedVar", "opModTargetVar", "opModVoltVar", "opModWattVar"})
PF_MODES: Final = frozenset({"opModFixedPFInjectW"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A setting and its rating: `at_most` says that the setting is no more than the rating, else no less.

    Both must be there where one of `modes` is supported, or where the DER stores energy (`of_storage`).
    """

    setting: str
    rating: str
    at_most: bool = True
    modes: frozenset[str] = frozenset()
    of_storage: bool = False


RELATIONS: Final = (
    Relation(setting="setMaxW", rating="rtgMaxW"),
    Relation(setting="setMaxVA", rating="rtgMaxVA"),
    Relation(setting="setMaxA", rating="rtgMaxA"),
    Relation(setting="setMaxV", rating="rtgMaxV"),
    Relation(setting="setMaxWh", rating="rtgMaxWh"),
    Relation(setting="setMaxAh", rating="rtgMaxAh"),
    Relation(setting="setMaxVar", rating="rtgMaxVar", modes=VAR_MODES),
    Relation(setting="setMaxVarNeg", rating="rtgMaxVarNeg", at_most=False),
    Relation(setting="setMinPFOverExcited", rating="rtgMinPFOverExcited", at_most=False, modes=PF_MODES),
    Relation(setting="setMinPFUnderExcited", rating="rtgMinPFUnderExcited", at_most=False),
    Relation(setting="setMaxChargeRateW", rating="rtgMaxChargeRateW", of_storage=True),
    Relation(setting="setMaxDischargeRateW", rating="rtgMaxDischargeRateW", of_storage=True),
    Relation(setting="setMaxChargeRateVA", rating="rtgMaxChargeRateVA"),
    Relation(setting="setMaxDischargeRateVA", rating="rtgMaxDischargeRateVA"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One thing that was looked at, whether it holds, and what was seen."""

    what: str
    held: bool
    seen: str


def judged(capability: DERCapability, settings: DERSettings) -> Iterator[Judged]:
    """What CORE-014 says of a capability and the settings beside it."""
    modes = modes_in(capability.modesSupported)
    is_storage = capability.type in STORAGE
    for one in RELATIONS:
        rating, setting = getattr(capability, one.rating), getattr(settings, one.setting)
        needed = bool(modes & one.modes) or (one.of_storage and is_storage)
        if needed:
            why = (
                "the DER stores energy"
                if one.of_storage
                else f"{', '.join(sorted(modes & one.modes))} is supported"
            )
            yield _there(f"{one.rating} is given, because {why}", rating)
            yield _there(f"{one.setting} is given, because {why}", setting)
        if rating is not None and setting is not None:
            yield _related(one, rating, setting)
    if settings.modesEnabled is not None:
        extra = modes_in(settings.modesEnabled) - modes
        yield Judged(
            what="no mode is enabled that is not supported", held=not extra, seen=", ".join(sorted(extra))
        )


def modes_in(bits: str) -> frozenset[str]:
    """Names of the bits of modesSupported or modesEnabled."""
    number = int(bits or "0", 16)
    return frozenset(one.name for one in DERControlType if number >> one & 1)


def size_of(value: Any) -> float:  # noqa: ANN401  any of the quantities with a multiplier
    """A quantity of the standard as a number in its unit."""
    raw = value.displacement if hasattr(value, "displacement") else value.value
    return float(raw * 10.0**value.multiplier)


def _related(one: Relation, rating: object, setting: object) -> Judged:
    most, given = size_of(rating), size_of(setting)
    held = given <= most if one.at_most else given >= most
    sign = "<=" if one.at_most else ">="
    return Judged(
        what=f"{one.setting} {sign} {one.rating}",
        held=held,
        seen=f"{one.setting} {given:g}, {one.rating} {most:g}",
    )


def _there(what: str, value: object) -> Judged:
    return Judged(what=what, held=value is not None, seen="absent" if value is None else "")
