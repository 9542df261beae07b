"""Ramps that a device makes itself: it is told where to go and how long to take, and not each step. Pure.

A write in the middle of a ramp begins a new one from where the device is: so the time that is left is told,
and told anew now and then.
"""

from dataclasses import dataclass, replace
from typing import Final

from der_client.device import Nameplate, Setpoint

RENEW_S: Final = 5.0
"""The time that is left is told anew no more often than this."""
REACTIVE: Final = ("pf_inject", "var")
"""Fields of reactive power that a device may ramp itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRamp:
    """A ramp of a device to `goal`, until `ends_s`; at `said_s` it was told that `left_s` are left."""

    goal: object
    ends_s: float
    said_s: float
    left_s: float

    def at(self, now: float) -> "OwnRamp":
        """The ramp with what the device is told now, monotonic, s: the same as before for `RENEW_S`."""
        if now - self.said_s < RENEW_S and now < self.ends_s:
            return self
        return replace(self, said_s=now, left_s=max(0.0, self.ends_s - now))


def begun(goal: object, left_s: float, now: float) -> OwnRamp:
    """A ramp that begins now."""
    return OwnRamp(goal=goal, ends_s=now + left_s, said_s=now, left_s=left_s)


def going(former: OwnRamp | None, goal: object, left_s: float, now: float) -> OwnRamp:
    """The ramp to a goal: the one that the device is on already, or a new one of `left_s`."""
    return begun(goal, left_s, now) if former is None or former.goal != goal else former.at(now)


def reactive_ramp(
    setpoint: Setpoint, ramp_s: float | None, former: OwnRamp | None, nameplate: Nameplate, now: float
) -> tuple[Setpoint, OwnRamp | None]:
    """The setpoint with the time that the device is to take for its reactive power, and what to remember."""
    goal = tuple(getattr(setpoint, name) for name in REACTIVE)
    asked = [name for name in REACTIVE if getattr(setpoint, name) is not None]
    if not asked or not ramp_s or asked[0] not in nameplate.ramps:
        return setpoint, None
    ramp = going(former, goal, ramp_s, now)
    return replace(setpoint, reactive_ramp_s=ramp.left_s or None), ramp
