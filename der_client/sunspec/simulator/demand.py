"""What the control registers of a simulated inverter ask for, as the physics takes it. Pure functions.

SunSpec models 702 and 704.
"""

import math

from der_client.sunspec.model import Model
from der_client.sunspec.simulator.physics import Demand, Offer, PowerFactor, Ratings
from der_client.sunspec.simulator.sources import DcLimits

MOD_WATTS = 1
UNDER_EXCITED = 1
REACTIVE_PRIORITY = 1
VARS = 4
RAMP_LIMIT_OFF_PCT = 100


def _number(model: Model, name: str) -> float:
    return float(model.number(name) or 0.0)


def ratings_of(capacity: Model) -> Ratings:
    """The settings of model 702."""
    return Ratings(
        max_w=_number(capacity, "WMax"),
        max_va=_number(capacity, "VAMax"),
        max_var_inj=_number(capacity, "VarMaxInj"),
        max_var_abs=_number(capacity, "VarMaxAbs"),
        charge_w=_number(capacity, "WChaRteMax"),
        discharge_w=_number(capacity, "WDisChaRteMax"),
    )


def demand_of(controls: Model, ratings: Ratings, power_w: float) -> Demand:
    """The enabled functions of model 704; `power_w` flows now and decides what var are available."""
    ramp_pct = controls.number("WRmp") or RAMP_LIMIT_OFF_PCT
    return Demand(
        limit_pct=_number(controls, "WMaxLimPct") if _is_on(controls, "WMaxLimPct") else None,
        set_w=_set_w(controls, ratings) if _is_on(controls, "WSet") else None,
        ramp_w_per_s=ramp_pct / 100 * ratings.max_w if ramp_pct < RAMP_LIMIT_OFF_PCT else None,
        pf_inject=_factor(controls, "PFWInj"),
        pf_absorb=_factor(controls, "PFWAbs"),
        var=_var(controls, ratings, power_w) if _is_on(controls, "VarSet") else None,
        reactive_first=controls.integer("VarSetPri") == REACTIVE_PRIORITY,
    )


def _is_on(controls: Model, prefix: str) -> bool:
    return controls.integer(f"{prefix}Ena") == 1


def _set_w(controls: Model, ratings: Ratings) -> float:
    if controls.integer("WSetMod") == MOD_WATTS:
        return _number(controls, "WSet")
    return _number(controls, "WSetPct") / 100 * ratings.max_w


def _factor(controls: Model, group: str) -> PowerFactor | None:
    if not _is_on(controls, group):
        return None
    absorbing = controls.integer(f"{group}.Ext") == UNDER_EXCITED
    return PowerFactor(factor=_number(controls, f"{group}.PF"), absorbing=absorbing)


def _var(controls: Model, ratings: Ratings, power_w: float) -> float:
    """VarSet in var, whatever VarSetMod counts it in."""
    mode = controls.integer("VarSetMod")
    if mode == VARS:
        return _number(controls, "VarSet")
    share = _number(controls, "VarSetPct") / 100
    most = ratings.max_var_inj if share >= 0 else ratings.max_var_abs
    available = min(most, math.sqrt(max(0.0, ratings.max_va**2 - power_w**2)))
    return share * {0: ratings.max_w, 1: most, 2: available, 3: ratings.max_va}.get(mode or 0, 0.0)


def offer_of_battery(limits: DcLimits, efficiency: float) -> Offer:
    """What a battery offers at the AC terminals; it rests unless asked."""
    return Offer(most_w=limits.discharge_w * efficiency, least_w=-limits.charge_w / efficiency, idle_w=0.0)


def offer_of_pv(available_w: float, efficiency: float) -> Offer:
    """What a PV field offers at the AC terminals; it gives all it can unless asked for less."""
    return Offer(most_w=available_w * efficiency, least_w=0.0, idle_w=available_w * efficiency)
