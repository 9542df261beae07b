"""Ramps of active power as intermediate values, one per control period. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A value on its way to a goal, both in W; `rate_w_per_s` is `None` where no limit holds."""

    value_w: float
    goal_w: float
    rate_w_per_s: float | None = None


def stepped(
    previous: Ramp, goal_w: float, dt_s: float, *, ramp_s: float | None, grad_w_per_s: float | None
) -> Ramp:
    """The ramp `dt_s` later. A new goal starts a new ramp from the present value.

    `ramp_s` (rampTms of the control) is the whole time of a new ramp; without it `grad_w_per_s` (setGradW)
    limits the speed, and without both, or where it is 0, the goal is reached at once.
    IEEE 2030.5-2018, 10.10.
    """
    rate = previous.rate_w_per_s
    if goal_w != previous.goal_w:
        rate = _rate(abs(goal_w - previous.value_w), ramp_s, grad_w_per_s)
    if rate is None:
        return Ramp(value_w=goal_w, goal_w=goal_w)
    step_w = rate * max(0.0, dt_s)
    value_w = min(max(goal_w, previous.value_w - step_w), previous.value_w + step_w)
    return Ramp(value_w=value_w, goal_w=goal_w, rate_w_per_s=rate)


def _rate(distance_w: float, ramp_s: float | None, grad_w_per_s: float | None) -> float | None:
    if ramp_s is not None:
        return distance_w / ramp_s if ramp_s > 0 else None
    return grad_w_per_s or None
