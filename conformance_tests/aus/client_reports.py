"""What a client reported of its DER, in base units, and whether an element is as it must be."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.aus.client_words import Part
from conformance_tests.aus.values import Bit, Bits, Compared, Given, Relation, Reported

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_tests.aus.values import Amount, Wanted
    from conformance_tests.client.staged import StagedDevice
    from conformance_tests.client.tree import Tree

LIMITS: Final = {"maxExportW": "setMaxDischargeRateW", "maxImportW": "setMaxChargeRateW"}
"""What a client can export and import, where it says so; else setMaxW."""
RELATIONS: Final[dict[Relation, Callable[[float, float], bool]]] = {
    Relation.AT_MOST: lambda one, other: one <= other,
    Relation.AT_LEAST: lambda one, other: one >= other,
    Relation.EQUAL: lambda one, other: one == other,
    Relation.MORE_THAN: lambda one, other: one > other,
}


def part(tree: Tree, device: StagedDevice | None, wanted: Part) -> object | None:
    """What the client PUT of a part of its DER, None where it did not."""
    if device is None:
        return None
    der = device.ders[0]
    href = {Part.CAPABILITY: der.capability, Part.SETTINGS: der.settings, Part.STATUS: der.status}[wanted]
    held = tree.held.get(href)
    return None if held is None else held.resource


def number(value: object) -> float | None:
    """A value of an element as a number in its base unit; hexadecimal masks as what they are."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str):
        return float(int(value, 16))
    held: Any = value
    for name in ("value", "displacement"):
        inner = getattr(held, name, None)
        if isinstance(inner, str):
            return float(int(inner, 16))
        if inner is not None:
            return float(Decimal(inner).scaleb(getattr(held, "multiplier", 0)))
    return None


def reported(tree: Tree, device: StagedDevice | None, name: str) -> float | None:
    """A rating or setting by the name of its element, or what a client can export or import, W."""
    if name in LIMITS:
        found = reported(tree, device, LIMITS[name])
        return reported(tree, device, "setMaxW") if found is None else found
    for one in (Part.SETTINGS, Part.CAPABILITY):
        found = number(getattr(part(tree, device, one), name, None))
        if found is not None:
            return found
    return None


def is_as(value: object, wanted: Wanted, resolve: Callable[[Amount], float]) -> bool:
    """Whether an element is as it must be; `resolve` tells other elements of the report."""
    held = number(value)
    if held is None:
        return False
    if wanted is Given.ANY:
        return True
    if isinstance(wanted, Bit):
        return bool(int(held) >> wanted.number & 1) is wanted.is_set
    if isinstance(wanted, Bits):
        common = int(held) & wanted.mask
        return common != 0 if wanted.any_of else common == wanted.mask
    if isinstance(wanted, Compared):
        return RELATIONS[wanted.relation](held, resolve(wanted.to))
    return held == (resolve(wanted) if isinstance(wanted, Reported) else wanted)
