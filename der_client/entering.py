"""How power comes back after the grid was out of its window: held, then a ramp. Interlock 26. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from der_client.interlocks import Situation

STILL_SHARE: Final = 0.01
"""Share of setMaxW below which a device counts as not started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """Power that must not be exceeded, W; from `cleared_s`, when the grid is good again, it grows."""

    give_w: float
    take_w: float
    cleared_s: float | None = None


def entering(
    former: Entering | None, situation: Situation, now: float, *, is_outside: bool
) -> Entering | None:
    """What holds now; None where power may be anything."""
    if is_outside:
        return former if former is not None and former.cleared_s is None else _held(situation)
    if former is None:
        return None
    if former.cleared_s is None:
        former = replace(former, cleared_s=now)
    return None if _grown_w(former, situation, now) >= situation.nameplate.set_max_w else former


def bounds_w(it: Entering, situation: Situation, now: float) -> tuple[float, float]:
    """Most power that may be given and taken now, W."""
    grown_w = _grown_w(it, situation, now)
    return it.give_w + grown_w, it.take_w + grown_w


def _held(situation: Situation) -> Entering:
    power_w, most_w = situation.telemetry.power_w, situation.nameplate.set_max_w
    if not abs(power_w) > STILL_SHARE * most_w:
        return Entering(give_w=0.0, take_w=0.0)
    return Entering(give_w=max(0.0, power_w), take_w=max(0.0, -power_w))


def _grown_w(it: Entering, situation: Situation, now: float) -> float:
    ramp_s = situation.rules.grid.ramp_s
    if it.cleared_s is None:
        return 0.0
    return situation.nameplate.set_max_w * (1.0 if ramp_s <= 0 else (now - it.cleared_s) / ramp_s)
