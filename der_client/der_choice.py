"""Which DER of an EndDevice each device is: by the order of the DERList, or as the settings say. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas import DERCapability

TOLERANCE: Final = 0.01
"""Part by which a rated power may differ from the one that is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DerChoice:
    """Which DER a device is, by facts that outlive every href; all that are given must hold.

    `index` is its place in the DERList, from 0 (the list is ordered by href); `type` is DERCapability.type
    (4: PV, 80: storage) and `rated_w` DERCapability.rtgMaxW, W, within 1 %, as the server has them.
    """

    index: int | None = None
    type: int | None = None
    rated_w: float | None = None

    def __post_init__(self) -> None:
        if self.index is None and not self.has_facts:
            raise ValueError("index: this, a type or a rated_w is wanted")
        if self.index is not None and self.index < 0:
            raise ValueError("index: 0 or more is wanted")
        if self.type is not None and not 0 <= self.type <= 255:
            raise ValueError("type: a DERType of 0 to 255 is wanted")
        if self.rated_w is not None and not 0 < self.rated_w < math.inf:
            raise ValueError("rated_w: more than 0 W is wanted")

    @property
    def has_facts(self) -> bool:
        """True if it can be told by what the server knows of its DERs alone."""
        return self.type is not None or self.rated_w is not None

    def fits(self, index: int, capability: DERCapability | None) -> bool:
        """True for the DER at an index, of which the server has this capability."""
        if self.index not in {None, index}:
            return False
        if not self.has_facts:
            return True
        if capability is None or self.type not in {None, capability.type}:
            return False
        return self.rated_w is None or math.isclose(self.rated_w, rated_w_of(capability), rel_tol=TOLERANCE)

    def text(self) -> str:
        """What it asks for, in words."""
        parts = (("index", self.index), ("type", self.type), ("rated_w", self.rated_w))
        return ", ".join(f"der.{name} {value:g}" for name, value in parts if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The place in the DERList of each device, None for one that has none; and why, in words."""

    places: tuple[int | None, ...]
    flaws: tuple[str, ...] = ()


def places_of(
    choices: Mapping[str, DerChoice | None], capabilities: Sequence[DERCapability | None]
) -> Places:
    """The places of devices, by name in their order, in a DERList with these capabilities.

    Who names nothing has the next DER that nobody named, while no name is left open.
    """
    found: dict[str, int] = {}
    flaws: list[str] = []
    for name, choice in choices.items():
        if choice is None:
            continue
        fitting = [at for at, capability in enumerate(capabilities) if choice.fits(at, capability)]
        free = [at for at in fitting if at not in found.values()]
        if len(free) == 1:
            found[name] = free[0]
        else:
            flaws.append(_flaw(name, choice, fitting, free, capabilities))
    rest = [] if flaws else [at for at in range(len(capabilities)) if at not in found.values()]
    for name in (name for name, choice in choices.items() if choice is None):
        if rest:
            found[name] = rest.pop(0)
    return Places(places=tuple(found.get(name) for name in choices), flaws=tuple(flaws))


def rated_w_of(capability: DERCapability) -> float:
    """rtgMaxW, W."""
    return float(capability.rtgMaxW.value * 10.0**capability.rtgMaxW.multiplier)


def _flaw(
    name: str,
    choice: DerChoice,
    fitting: Sequence[int],
    free: Sequence[int],
    capabilities: Sequence[DERCapability | None],
) -> str:
    if len(free) > 1:
        why = f"fits the DERs {', '.join(map(str, free))}"
    elif fitting:
        why = f"is the DER {fitting[0]}, which another device is"
    else:
        why = "fits no DER"
    shown = "; ".join(f"{at}: {_shown(one)}" for at, one in enumerate(capabilities)) or "empty"
    return f"device {name!r}: {choice.text()} {why} of the server's DERList ({shown}); name another"


def _shown(capability: DERCapability | None) -> str:
    if capability is None:
        return "no DERCapability"
    return f"type {capability.type}, {rated_w_of(capability):g} W"
