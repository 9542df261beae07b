"""What a device does while an event or a default holds, put to the observer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from function_sets import modes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_tests.client.csip.site import Site
    from conformance_tests.client.observer import Observation
    from schemas import DERControlBase

SHARE: Final = 0.02
LEAST: Final = 0.02
"""How far what a device holds may be from what it was told: 2 % of it, in its own unit."""


def value_of(mode: str, value: Any) -> float:  # noqa: ANN401  a mode's value has one of six types
    """A mode's value as observers tell it: %, W, power factor; 0 and 1 for booleans, 1 for curves."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int):
        return value / 100
    if hasattr(value, "displacement"):
        return float(value.displacement * 10.0**value.multiplier)
    if mode == "opModTargetW":
        return float(value.value * 10.0**value.multiplier)
    return 1.0


def shows(base: DERControlBase) -> Callable[[Observation], bool | None]:
    """Whether an observation shows that a device holds all modes; None where it does not say."""
    wanted = {mode: value_of(mode, value) for mode, value in modes_of(base).items()}

    def look(seen: Observation) -> bool | None:
        answers = [_is_near(seen, mode, value) for mode, value in wanted.items()]
        if False in answers:
            return False
        return None if None in answers else True

    return look


def words(base: DERControlBase) -> str:
    """The modes of a control with their values, for people."""
    return ", ".join(f"{mode} {value_of(mode, value):g}" for mode, value in modes_of(base).items())


async def holds(site: Site, base: DERControlBase, when: str, devices: tuple[str, ...] = ()) -> None:
    """A finding for each device: it holds these modes at the moment."""
    for name in devices or tuple(site.devices):
        what = f"{name} holds {words(base)} {when}"
        await site.bench.observed(what, shows(base), lfdi=site.lfdi(name))


def _is_near(seen: Observation, mode: str, value: float) -> bool | None:
    held = seen.settings.get(mode)
    if held is None and mode in {"opModConnect", "opModEnergize"}:
        said = seen.is_connected if mode == "opModConnect" else seen.is_energized
        held = None if said is None else float(said)
    return None if held is None else abs(held - value) <= max(LEAST, SHARE * abs(value))
