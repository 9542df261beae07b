"""Which of several reactive functions is enabled: only one at a time. Pure. IEEE 2030.5-2018, 10.10."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from der_client.device import CurveSetpoint, Nameplate, PowerFactorSetpoint, Setpoint, VarSetpoint
from der_client.quantity import HUNDREDTHS, reactive_power_var, scaled
from function_sets import ModeSource
from schemas import FixedVar, PowerFactorWithExcitation, ReactivePower
from schemas.codes import DERUnitRefType

IN_VAR: Final = 0
"""`VarSetpoint.ref` of a value in var."""
FACTORS: Final[Mapping[str, str]] = {"opModFixedPFInjectW": "pf_inject", "opModFixedPFAbsorbW": "pf_absorb"}
REACTIVE_CURVES: Final = frozenset({"opModVoltVar", "opModWattVar", "opModWattPF"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """One reactive function that is asked for: its modes, the setpoint, and the most vars it may bring."""

    sources: tuple[ModeSource, ...]
    setpoint: Setpoint
    most_var: float

    @property
    def rank(self) -> tuple[bool, float, int, str]:
        """Lower wins: events before defaults, the least vars, the better primacy."""
        is_default = all(source.mRID is None for source in self.sources)
        primacy = min(source.primacy for source in self.sources)
        return is_default, self.most_var, primacy, self.sources[0].mode


def with_reactive(
    setpoint: Setpoint, modes: Mapping[str, ModeSource], nameplate: Nameplate, *, share: float = 1.0
) -> tuple[Setpoint, frozenset[str]]:
    """The setpoint with the one reactive function that is enabled, and the modes that lost against it.

    Fixed power factor, fixed var, volt-var, watt-var and watt-PF exclude each other. An event goes before a
    default; then the one with the least var magnitude wins (that of a curve is its greatest), then the
    better primacy. `share` is the part of opModTargetVar that falls to this DER. `setpoint.curves` holds all
    curves; those of functions that lost are taken out.
    """
    wishes = [
        *_factor_wishes(modes, nameplate),
        *_var_wishes(modes, nameplate, share),
        *_curve_wishes(modes, nameplate, setpoint.curves),
    ]
    if not wishes:
        return setpoint, frozenset()
    best = min(wishes, key=lambda wish: wish.rank)
    lost = frozenset(s.mode for wish in wishes if wish is not best for s in wish.sources)
    won = best.setpoint
    curves = tuple(curve for curve in setpoint.curves if curve.mode not in lost)
    return replace(
        setpoint, curves=curves, pf_inject=won.pf_inject, pf_absorb=won.pf_absorb, var=won.var
    ), lost


def power_factor_of(
    value: PowerFactorWithExcitation, least_over_excited: float | None, least_under_excited: float | None
) -> PowerFactorSetpoint:
    """Power factor in force: the one asked for, not below what the DER is set for (setMinPF*)."""
    asked = scaled(value.displacement, value.multiplier)
    least = least_over_excited if not value.excitation or least_under_excited is None else least_under_excited
    power_factor = min(1.0, max(asked, least or 0.0))
    return PowerFactorSetpoint(power_factor=power_factor, absorbing=value.excitation)


def _factor_wishes(modes: Mapping[str, ModeSource], nameplate: Nameplate) -> Iterable[_Wish]:
    """Fixed power factor: one function, even where both directions of active power have their own."""
    held = {
        mode: power_factor_of(source.value, nameplate.min_pf_over_excited, nameplate.min_pf_under_excited)
        for mode, source in modes.items()
        if mode in FACTORS and isinstance(source.value, PowerFactorWithExcitation)
    }
    if not held:
        return []
    setpoint = Setpoint(pf_inject=held.get("opModFixedPFInjectW"), pf_absorb=held.get("opModFixedPFAbsorbW"))
    most_var = max(_factor_var(factor.power_factor, nameplate) for factor in held.values())
    return [_Wish(sources=tuple(modes[mode] for mode in held), setpoint=setpoint, most_var=most_var)]


def _var_wishes(modes: Mapping[str, ModeSource], nameplate: Nameplate, share: float) -> Iterable[_Wish]:
    for mode in ("opModTargetVar", "opModFixedVar"):
        source = modes.get(mode)
        match source and source.value:
            case ReactivePower() as value:
                var = VarSetpoint(value=share * reactive_power_var(value), ref=IN_VAR)
            case FixedVar() as value:
                var = VarSetpoint(value=value.value / HUNDREDTHS, ref=value.refType)
            case _:
                continue
        if source is not None:
            most_var = abs(_in_var(var.value, var.ref, nameplate))
            yield _Wish(sources=(source,), setpoint=Setpoint(var=var), most_var=most_var)


def _curve_wishes(
    modes: Mapping[str, ModeSource], nameplate: Nameplate, curves: Iterable[CurveSetpoint]
) -> Iterable[_Wish]:
    for curve in curves:
        if curve.mode in REACTIVE_CURVES:
            most_var = max(_point_var(curve, point.x, point.y, nameplate) for point in curve.points)
            yield _Wish(sources=(modes[curve.mode],), setpoint=Setpoint(), most_var=most_var)


def _point_var(curve: CurveSetpoint, x: float, y: float, nameplate: Nameplate) -> float:
    """Vars that one point of a reactive curve brings, as a magnitude."""
    if curve.mode == "opModWattPF":
        return abs(x) / 100.0 * _factor_var(min(1.0, abs(y)), nameplate)
    return abs(_in_var(y, curve.y_ref, nameplate))


def _factor_var(power_factor: float, nameplate: Nameplate) -> float:
    """Reactive power of a power factor at full active power, var."""
    return nameplate.set_max_w * math.tan(math.acos(power_factor))


def _in_var(value: float, ref: int, nameplate: Nameplate) -> float:
    """Reactive power, var, where all of it is available; `value` is in % of `ref`, or in var."""
    if ref == IN_VAR:
        return value
    is_of_w = ref == DERUnitRefType.SET_MAX_W
    return value / 100.0 * (nameplate.set_max_w if is_of_w else nameplate.set_max_var)
