"""What an inverter can give: the apparent power circle, reactive ratings, priorities. Pure functions.

IEEE 1547-2018, 5.2 (reactive power capability) and 4.7 (priorities).
"""

import math
from collections.abc import Callable

from der_client.physics.orders import Ratings, VarRef

HALVINGS = 40
"""Steps of a search: each halves what is left, so that 40 leave a trillionth."""


def max_va_at(ratings: Ratings, power_w: float) -> float:
    """The apparent power rating in the direction of an active power."""
    return ratings.charge_va if power_w < 0 else ratings.max_va


def var_from_share(share: float, ref: VarRef, ratings: Ratings, power_w: float) -> float:
    """Reactive power in var of a share of its reference; `power_w` decides what is available."""
    if ref is VarRef.VAR:
        return share
    most = ratings.max_var_inj if share >= 0 else ratings.max_var_abs
    if ref is VarRef.MAX_VAR:
        return share * most
    if ref is VarRef.AVAILABLE:
        return share * min(most, _other_leg(max_va_at(ratings, power_w), power_w))
    return share * (ratings.max_w if ref is VarRef.MAX_W else ratings.max_va)


def within_var(wanted_var: float, ratings: Ratings) -> float:
    """Reactive power inside the reactive ratings."""
    return max(-ratings.max_var_abs, min(wanted_var, ratings.max_var_inj))


def _other_leg(max_va: float, leg: float) -> float:
    """What the apparent power circle leaves beside one component."""
    return math.sqrt(max(0.0, max_va**2 - leg**2))


def within_va(
    power_w: float, reactive_var: float, max_va: float, *, reactive_first: bool
) -> tuple[float, float]:
    """Active and reactive power inside the apparent power rating; the one without priority gives way."""
    if math.hypot(power_w, reactive_var) <= max_va:
        return power_w, reactive_var
    if reactive_first:
        reactive_var = math.copysign(min(abs(reactive_var), max_va), reactive_var)
        return math.copysign(_other_leg(max_va, reactive_var), power_w), reactive_var
    power_w = math.copysign(min(abs(power_w), max_va), power_w)
    return power_w, math.copysign(_other_leg(max_va, power_w), reactive_var)


def along(power_w: float, var_at: Callable[[float], float], max_va: float) -> tuple[float, float]:
    """The largest active power up to `power_w` whose own reactive power still fits the circle, and that.

    For functions that bind reactive to active power: a power factor, watt-var. `var_at` gives var of W.
    """
    if math.hypot(power_w, var_at(power_w)) <= max_va:
        return power_w, var_at(power_w)
    fits, too_much = 0.0, power_w
    for _ in range(HALVINGS):
        middle = (fits + too_much) / 2
        if math.hypot(middle, var_at(middle)) <= max_va:
            fits = middle
        else:
            too_much = middle
    return fits, var_at(fits)


def within_excitation(power_w: float, reactive_var: float, ratings: Ratings) -> float:
    """Active power inside the limit that holds for the excitation (SunSpec WMaxOvrExt and WMaxUndExt)."""
    limit = ratings.over_excited if reactive_var > 0 else ratings.under_excited
    apparent = math.hypot(power_w, reactive_var)
    if limit is None or not apparent:
        return power_w
    factor, most_w = limit
    if abs(power_w) > factor * apparent + 1e-9 * apparent:
        return power_w
    return math.copysign(min(abs(power_w), most_w), power_w)
