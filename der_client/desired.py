"""From the modes in force to the setpoint that they ask of one DER, in engineering units. Pure.

Signs: power is positive out of the DER. Ramps, limits of battery and nameplate, and interlocks come later.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from der_client.device import Nameplate, PowerFactorSetpoint, Setpoint, VarSetpoint
from function_sets import ModeSource
from schemas import (
    ActivePower,
    DERCurve,
    DERCurveLink,
    FixedVar,
    PowerFactorWithExcitation,
    ReactivePower,
    codes,
)

HUNDREDTHS: Final = 100.0
"""PerCent, SignedPerCent, rampTms and setGradW count hundredths. IEEE 2030.5-2018, 10.10."""
IN_VAR: Final = 0
REACTIVE_FIELDS: Final = ("pf_inject", "pf_absorb", "var")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What the server wants of one DER at one moment.

    `limit_ramp_s` and `target_ramp_s` are the rampTms of the controls behind `max_w_pct` and `target_w`, s;
    where absent, setGradW holds, which is `setpoint.grad_w_pct_per_s`. `curves` are resolved by mode.
    `unmet` names modes that are not followed: a curve that is not there, or a reactive mode that lost.
    """

    setpoint: Setpoint = field(default_factory=Setpoint)
    limit_ramp_s: float | None = None
    target_ramp_s: float | None = None
    curves: Mapping[str, DERCurve] = field(default_factory=dict)
    unmet: frozenset[str] = frozenset()


def desired_of(
    modes: Mapping[str, ModeSource],
    nameplate: Nameplate,
    curves: Mapping[str, DERCurve] | None = None,
    *,
    grad_w: int | None = None,
) -> Desired:
    """The setpoint that the modes ask of a DER; `grad_w` is setGradW of the default, 0.01 %/s.

    Modes that the DER has not are left out. IEEE 2030.5-2018, 10.10.
    """
    held = {mode: source for mode, source in modes.items() if mode in nameplate.modes}
    found = _resolved(held, curves or {})
    target = _target(held, nameplate)
    reactive, lost = _reactive(held, nameplate)
    limit_pct = _limit_pct(held)
    limit_w = math.inf if limit_pct is None else limit_pct / 100.0 * nameplate.set_max_w
    setpoint = Setpoint(
        connect=_flag(held, "opModConnect"),
        energize=_flag(held, "opModEnergize"),
        max_w_pct=limit_pct,
        target_w=None if target is None else min(_watts(target, nameplate), limit_w),
        pf_inject=reactive.get("pf_inject"),
        pf_absorb=reactive.get("pf_absorb"),
        var=_var_of(held) if "var" in reactive else None,
        grad_w_pct_per_s=None if grad_w is None else grad_w / HUNDREDTHS,
    )
    return Desired(
        setpoint=setpoint,
        limit_ramp_s=_ramp_s(held.get("opModMaxLimW")),
        target_ramp_s=_ramp_s(target),
        curves=found,
        unmet=lost | {mode for mode, source in held.items() if _is_curve(source) and mode not in found},
    )


def active_power_w(value: ActivePower) -> float:
    """Active power in W."""
    return float(value.value * 10.0**value.multiplier)


def reactive_power_var(value: ReactivePower) -> float:
    """Reactive power in var."""
    return float(value.value * 10.0**value.multiplier)


def fixed_w(value: int, nameplate: Nameplate) -> float:
    """Power that opModFixedW asks for, W; `value` in 0.01 %. IEEE 2030.5-2018, 10.10.

    Positive: share of setMaxDischargeRateW for storage that has one, else of setMaxW. Negative: share of
    setMaxChargeRateW; a DER that cannot charge goes to 0.
    """
    share = value / (100.0 * HUNDREDTHS)
    if share < 0:
        return share * nameplate.charge_w
    most_w = nameplate.discharge_w if nameplate.is_storage else None
    return share * (nameplate.set_max_w if most_w is None else most_w)


def power_factor_of(
    value: PowerFactorWithExcitation, least_over_excited: float | None, least_under_excited: float | None
) -> PowerFactorSetpoint:
    """Power factor in force: the one asked for, not below what the DER is set for (setMinPF*)."""
    asked = value.displacement * 10.0**value.multiplier
    least = least_over_excited if not value.excitation or least_under_excited is None else least_under_excited
    power_factor = min(1.0, max(asked, least or 0.0))
    return PowerFactorSetpoint(power_factor=power_factor, absorbing=value.excitation)


def _limit_pct(modes: Mapping[str, ModeSource]) -> float | None:
    """Limit of generation, % of setMaxW; never above 100."""
    source = modes.get("opModMaxLimW")
    value = source.value if source else None
    return min(100.0, value / HUNDREDTHS) if isinstance(value, int) else None


def _target(modes: Mapping[str, ModeSource], nameplate: Nameplate) -> ModeSource | None:
    """The one active-power setpoint: better primacy first, then the smaller power."""
    found = [modes[mode] for mode in ("opModFixedW", "opModTargetW") if mode in modes]
    return min(found, key=lambda s: (s.primacy, abs(_watts(s, nameplate))), default=None)


def _watts(source: ModeSource, nameplate: Nameplate) -> float:
    value = source.value
    if isinstance(value, ActivePower):
        return active_power_w(value)
    return fixed_w(value, nameplate) if isinstance(value, int) else math.nan


def _flag(modes: Mapping[str, ModeSource], mode: str) -> bool | None:
    value = modes[mode].value if mode in modes else None
    return value if isinstance(value, bool) else None


def _ramp_s(source: ModeSource | None) -> float | None:
    if source is None or source.ramp_tms is None:
        return None
    return source.ramp_tms / HUNDREDTHS


def _reactive(
    modes: Mapping[str, ModeSource], nameplate: Nameplate
) -> tuple[dict[str, PowerFactorSetpoint | None], frozenset[str]]:
    """The reactive function that is enabled, and the modes that lost against it.

    Fixed power factor and fixed var exclude each other: the one with the least var magnitude wins.
    """
    factors = {
        name: _power_factor(modes[mode], nameplate)
        for mode, name in (("opModFixedPFInjectW", "pf_inject"), ("opModFixedPFAbsorbW", "pf_absorb"))
        if mode in modes
    }
    var = _var_of(modes)
    if var is None:
        return factors, frozenset()
    in_force, lost_var = _var_modes(modes)
    least_var = min((_magnitude_var(f, nameplate) for f in factors.values() if f), default=math.inf)
    if least_var < abs(_in_var(var, nameplate)):
        return factors, frozenset({in_force}) | lost_var
    return {"var": None}, lost_var | {mode for mode in modes if mode.startswith("opModFixedPF")}


def _power_factor(source: ModeSource, nameplate: Nameplate) -> PowerFactorSetpoint | None:
    if not isinstance(source.value, PowerFactorWithExcitation):
        return None
    return power_factor_of(source.value, nameplate.min_pf_over_excited, nameplate.min_pf_under_excited)


def _magnitude_var(factor: PowerFactorSetpoint, nameplate: Nameplate) -> float:
    """Reactive power of a power factor at full active power, var."""
    return nameplate.set_max_w * math.tan(math.acos(factor.power_factor))


def _var_modes(modes: Mapping[str, ModeSource]) -> tuple[str, frozenset[str]]:
    """The var mode in force (better primacy, then opModTargetVar) and the one that lost, if any."""
    found = [mode for mode in ("opModTargetVar", "opModFixedVar") if mode in modes]
    best = min(found, key=lambda mode: modes[mode].primacy)
    return best, frozenset(found) - {best}


def _var_of(modes: Mapping[str, ModeSource]) -> VarSetpoint | None:
    if "opModTargetVar" not in modes and "opModFixedVar" not in modes:
        return None
    value = modes[_var_modes(modes)[0]].value
    if isinstance(value, ReactivePower):
        return VarSetpoint(value=reactive_power_var(value), ref=IN_VAR)
    return (
        VarSetpoint(value=value.value / HUNDREDTHS, ref=value.refType)
        if isinstance(value, FixedVar)
        else None
    )


def _in_var(setpoint: VarSetpoint, nameplate: Nameplate) -> float:
    """Reactive power of a var setpoint, var, where all of it is available."""
    if setpoint.ref == IN_VAR:
        return setpoint.value
    is_of_w = setpoint.ref == codes.DERUnitRefType.SET_MAX_W
    return setpoint.value / 100.0 * (nameplate.set_max_w if is_of_w else nameplate.set_max_var)


def _is_curve(source: ModeSource) -> bool:
    return isinstance(source.value, DERCurveLink)


def _resolved(modes: Mapping[str, ModeSource], curves: Mapping[str, DERCurve]) -> dict[str, DERCurve]:
    """Curve of each mode that has one of the right type. IEEE 2030.5-2018, 10.10 (DERCurveType)."""
    found: dict[str, DERCurve] = {}
    for mode, source in modes.items():
        curve = curves.get(source.value.href) if isinstance(source.value, DERCurveLink) else None
        if curve is not None and curve.curveType == codes.DERCurveType[mode]:
            found[mode] = curve
    return found
