"""Power of an inverter for one instant, from what it is asked and what its DC side gives. Pure functions.

Powers in W, VA and var, positive out of the inverter. IEEE 1547-2018, 4.6 (active power limits), 5.2
(reactive power capability) and 5.3 (reactive power modes).
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFactor:
    """A fixed power factor; `absorbing` is under-excited."""

    factor: float
    absorbing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the control registers ask for; `None` where a function is disabled. `var` is in var.

    `ramp_w_per_s` is `None` for no ramp limit.
    """

    limit_pct: float | None = None
    set_w: float | None = None
    ramp_w_per_s: float | None = None
    pf_inject: PowerFactor | None = None
    pf_absorb: PowerFactor | None = None
    var: float | None = None
    reactive_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Settings in force, as magnitudes."""

    max_w: float
    max_va: float
    max_var_inj: float
    max_var_abs: float
    charge_w: float
    discharge_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the DC side gives and takes at the AC terminals now; `idle_w` flows unless asked otherwise."""

    most_w: float
    least_w: float
    idle_w: float


def active_target_w(demand: Demand, ratings: Ratings, offer: Offer, service_share: float) -> float:
    """The active power to go to: the setpoint within offer, ratings, limit and enter-service ramp."""
    wanted_w = offer.idle_w if demand.set_w is None else demand.set_w
    top_w = min(offer.most_w, ratings.max_w)
    if demand.limit_pct is not None:
        top_w = min(top_w, demand.limit_pct / 100 * ratings.max_w)
    top_w = min(top_w, service_share * ratings.max_w)
    floor_w = max(offer.least_w, -ratings.charge_w, -service_share * ratings.max_w)
    return max(floor_w, min(wanted_w, top_w))


def ramped(previous_w: float, target_w: float, rate_w_per_s: float | None, dt_s: float) -> float:
    """The power after `dt_s` on the way to the target at no more than the rate."""
    if rate_w_per_s is None:
        return target_w
    step_w = rate_w_per_s * dt_s
    return max(previous_w - step_w, min(target_w, previous_w + step_w))


def reactive_target_var(demand: Demand, ratings: Ratings, power_w: float) -> float:
    """The reactive power asked for at an active power: fixed var, else the power factor of its direction."""
    if demand.var is not None:
        wanted = demand.var
    else:
        factor = demand.pf_inject if power_w >= 0 else demand.pf_absorb
        if factor is None:
            return 0.0
        magnitude = abs(power_w) * math.tan(math.acos(factor.factor))
        wanted = -magnitude if factor.absorbing else magnitude
    return max(-ratings.max_var_abs, min(wanted, ratings.max_var_inj))


def within_va(
    power_w: float, reactive_var: float, max_va: float, *, reactive_first: bool
) -> tuple[float, float]:
    """Active and reactive power inside the apparent power rating; the one without priority gives way."""
    if math.hypot(power_w, reactive_var) <= max_va:
        return power_w, reactive_var
    if reactive_first:
        reactive_var = math.copysign(min(abs(reactive_var), max_va), reactive_var)
        return math.copysign(math.sqrt(max_va**2 - reactive_var**2), power_w), reactive_var
    power_w = math.copysign(min(abs(power_w), max_va), power_w)
    return power_w, math.copysign(math.sqrt(max_va**2 - power_w**2), reactive_var)
