"""Piecewise linear curves, first-order lags and ramps: what power functions are made of. Pure functions."""

import math
from itertools import pairwise

Curve = tuple[tuple[float, float], ...]

LAGS_TO_90_PCT = math.log(10.0)
"""Time constants until a first-order lag has made 90 % of its way, which ends an open loop response time."""


def interpolate(curve: Curve, x: float) -> float:
    """Value of a curve of (x, y) points with rising x, straight between them, constant beyond its ends."""
    if x <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x < x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return curve[-1][1]


def lagged(previous: float, target: float, response_s: float, dt_s: float) -> float:
    """The value after `dt_s` on the way to a constant target, exact for any step.

    `response_s` is the open loop response time: after it 90 % of the way is made. IEEE 1547-2018, 3.1.
    """
    if response_s <= 0.0:
        return target
    return target + (previous - target) * math.exp(-dt_s * LAGS_TO_90_PCT / response_s)


def ramped(previous: float, target: float, rate_per_s: float | None, dt_s: float) -> float:
    """The value after `dt_s` on the way to the target at no more than the rate; `None` is no limit."""
    if rate_per_s is None:
        return target
    step = rate_per_s * dt_s
    return max(previous - step, min(target, previous + step))
