"""Whether a setpoint is plain numbers in their ranges. Interlock 19. Pure."""

import math
from collections.abc import Iterator
from dataclasses import astuple

from der_client.device import Setpoint


def is_plain(setpoint: Setpoint) -> bool:
    """True if every number of a setpoint is finite and in its range."""
    if not all(math.isfinite(number) for number in _numbers(setpoint)):
        return False
    factors = [f.power_factor for f in (setpoint.pf_inject, setpoint.pf_absorb) if f]
    if any(not 0.0 <= factor <= 1.0 for factor in factors):
        return False
    if not 0.0 <= (setpoint.max_w_pct or 0.0) <= 100.0:
        return False
    magnitudes = (setpoint.grad_w_pct_per_s, setpoint.soft_grad_w_pct_per_s, setpoint.max_charge_w)
    return all(value is None or value >= 0.0 for value in magnitudes)


def _numbers(setpoint: Setpoint) -> Iterator[float]:
    """Every number of a setpoint."""
    yield from (
        value
        for value in (
            setpoint.max_w_pct,
            setpoint.target_w,
            setpoint.grad_w_pct_per_s,
            setpoint.soft_grad_w_pct_per_s,
            setpoint.max_charge_w,
        )
        if value is not None
    )
    if setpoint.var:
        yield setpoint.var.value
    for factor in (setpoint.pf_inject, setpoint.pf_absorb):
        if factor:
            yield factor.power_factor
    for part in (setpoint.droop, setpoint.enter_service):
        if part:
            yield from (value for value in astuple(part) if value is not None)
    for curve in setpoint.curves:
        for point in curve.points:
            yield from (point.x, point.y)
