"""The functions of model 704 as a table: how each field of a Setpoint, and its reversion, becomes points.

Each function follows one pattern of names: `<prefix>Ena`, `<prefix>EnaRvrt`, `<prefix>RvrtTms`,
`<prefix>RvrtRem` and its setpoints. All conversions raise ValueError for what a device cannot do. SunSpec
model 704; IEEE 2030.5-2018, 10.10.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from der_client.device import PowerFactorSetpoint, Setpoint, VarSetpoint
from der_client.sunspec.codec import Rounding
from der_client.sunspec.drafts import Bases
from der_client.sunspec.model import Model
from der_client.sunspec.writes import Wanted

MOD_W_PCT, MOD_WATTS = 0, 1
VAR_MOD_OF_REF = {1: 0, 2: 1, 3: 2}
VAR_MOD_VAR_MAX, VAR_MOD_VARS = 1, 4
FULL_PCT = 100.0

Points = Mapping[str, Wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function of model 704: the Setpoint field it executes, and how that becomes points."""

    field: str
    prefix: str
    active: Callable[[Model, Bases, Setpoint], Points]
    reverted: Callable[[Model, Bases, Setpoint], Points]


def _limit(name: str) -> Callable[[Model, Bases, Setpoint], Points]:
    def points(_model: Model, _bases: Bases, setpoint: Setpoint) -> Points:
        limit_pct = FULL_PCT if setpoint.max_w_pct is None else min(setpoint.max_w_pct, FULL_PCT)
        return {name: Wanted(limit_pct, Rounding.DOWN)}

    return points


def target_within(bases: Bases, setpoint: Setpoint) -> float:
    """The active power asked for, W, inside the settings of the device and the limit of the same Setpoint."""
    wanted_w = setpoint.target_w or 0.0
    if not math.isfinite(wanted_w):
        msg = f"{wanted_w} W is no setpoint"
        raise ValueError(msg)
    if wanted_w < 0 and not bases.max_charge_w:
        msg = f"{wanted_w} W asked of a device that cannot absorb"
        raise ValueError(msg)
    top_w = (
        min(bases.max_w, bases.max_discharge_w)
        if bases.max_charge_w and bases.max_discharge_w
        else bases.max_w
    )
    if setpoint.max_w_pct is not None:
        top_w = min(top_w, setpoint.max_w_pct / 100 * bases.max_w)
    most_w = bases.max_charge_w
    if setpoint.max_charge_w is not None:
        most_w = min(most_w, setpoint.max_charge_w)
    return max(-most_w, min(wanted_w, top_w))


def _writable(model: Model, name: str) -> bool:
    point = model.point(name)
    return point is not None and model.is_implemented(name) and model.exponent(point) is not None


def _power(*, watts: str, percent: str, mode: bool) -> Callable[[Model, Bases, Setpoint], Points]:
    def points(model: Model, bases: Bases, setpoint: Setpoint) -> Points:
        target_w = target_within(bases, setpoint)
        if _writable(model, "WSet"):
            chosen = {watts: Wanted(target_w)}
            return chosen | {"WSetMod": Wanted(MOD_WATTS)} if mode else chosen
        chosen = {percent: Wanted(100 * target_w / bases.max_w)}
        return chosen | {"WSetMod": Wanted(MOD_W_PCT)} if mode else chosen

    return points


def _factor(group: str, field: str) -> Callable[[Model, Bases, Setpoint], Points]:
    def points(_model: Model, _bases: Bases, setpoint: Setpoint) -> Points:
        factor: PowerFactorSetpoint = getattr(setpoint, field)
        return {
            f"{group}.PF": Wanted(abs(factor.power_factor)),
            f"{group}.Ext": Wanted(int(factor.absorbing)),
        }

    return points


def _var_in(model: Model, bases: Bases, var: VarSetpoint) -> tuple[int, float]:
    """VarSetMod and the value in its unit; var become % of the maximum where the device takes no var."""
    if var.ref in VAR_MOD_OF_REF:
        return VAR_MOD_OF_REF[var.ref], var.value
    if var.ref != 0:
        msg = f"reactive power in units of DERUnitRefType {var.ref}"
        raise ValueError(msg)
    if _writable(model, "VarSet"):
        return VAR_MOD_VARS, var.value
    largest = bases.max_var if var.value >= 0 else bases.max_var_neg
    if not largest:
        msg = f"{var.value} var asked of a device without reactive power"
        raise ValueError(msg)
    return VAR_MOD_VAR_MAX, 100 * var.value / largest


def _var(model: Model, bases: Bases, setpoint: Setpoint) -> Points:
    mode, value = _var_in(model, bases, setpoint.var or VarSetpoint(value=0.0, ref=0))
    name = "VarSet" if mode == VAR_MOD_VARS else "VarSetPct"
    return {"VarSetMod": Wanted(mode), name: Wanted(value)}


def _var_reverted(model: Model, bases: Bases, setpoint: Setpoint) -> Points:
    mode, value = _var_in(model, bases, setpoint.var or VarSetpoint(value=0.0, ref=0))
    return {"VarSetRvrt" if mode == VAR_MOD_VARS else "VarSetPctRvrt": Wanted(value)}


FUNCTIONS: tuple[Function, ...] = (
    Function(
        field="max_w_pct", prefix="WMaxLimPct", active=_limit("WMaxLimPct"), reverted=_limit("WMaxLimPctRvrt")
    ),
    Function(
        field="target_w",
        prefix="WSet",
        active=_power(watts="WSet", percent="WSetPct", mode=True),
        reverted=_power(watts="WSetRvrt", percent="WSetPctRvrt", mode=False),
    ),
    Function(
        field="pf_inject",
        prefix="PFWInj",
        active=_factor("PFWInj", "pf_inject"),
        reverted=_factor("PFWInjRvrt", "pf_inject"),
    ),
    Function(
        field="pf_absorb",
        prefix="PFWAbs",
        active=_factor("PFWAbs", "pf_absorb"),
        reverted=_factor("PFWAbsRvrt", "pf_absorb"),
    ),
    Function(field="var", prefix="VarSet", active=_var, reverted=_var_reverted),
)
REACTIVE_FIELDS = frozenset({"pf_inject", "pf_absorb", "var"})
