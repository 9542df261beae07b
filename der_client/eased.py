"""Ramps of all that is no active power under a setpoint: vars, power factors, the limit of charging. Pure.

rampTms is the ramp to the new setting, whatever mode the control sets (IEEE 2030.5-2018, 10.10; annex of
DERControlBase). Where it is absent setGradW holds, which is a share of setMaxW per second: it means active
power alone, so the others change at once. Curves have ramps of their own (rampDecTms, rampIncTms), and the
flags opModConnect and opModEnergize have no way between: before they take a DER out of service its power goes
to nothing within rampTms. 704 has no point for rampTms, so a ramp is a new value each control period.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from der_client.desired import IN_VAR, Desired
from der_client.device import Nameplate, PowerFactorSetpoint, Setpoint, Telemetry, VarSetpoint
from der_client.power_window import Window
from der_client.ramp import Ramp, stepped
from schemas.codes import DERUnitRefType

LEAST_SHARE: Final = 0.05
"""Part of setMaxW below which a power factor that is measured says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Easing:
    """Where each ramp is: vars, the tangents of both power factors, charging and leaving in W."""

    var: Ramp | None = None
    inject: Ramp | None = None
    absorb: Ramp | None = None
    charge: Ramp | None = None
    leave: Ramp | None = None


def eased(
    asked: Desired, plain: Setpoint, easing: Easing, telemetry: Telemetry, nameplate: Nameplate, dt_s: float
) -> tuple[Setpoint, Easing]:
    """The setpoint `dt_s` later on its ramps, and where these are. A ramp begins at what is measured.

    A device that ramps a field itself (`Nameplate.ramps`) is told the goal: see `own_ramp`.
    """
    ramp_s, own = asked.reactive_ramp_s, nameplate.ramps
    var = _var(plain.var, easing.var, telemetry, nameplate, (dt_s, None if "var" in own else ramp_s))
    tangent = _tangent(telemetry, nameplate)
    inject = _factor(plain.pf_inject, easing.inject, tangent, (dt_s, None if "pf_inject" in own else ramp_s))
    absorb = _factor(plain.pf_absorb, easing.absorb, tangent, (dt_s, ramp_s))
    charge = _charge(plain.max_charge_w, easing.charge, telemetry, nameplate, (dt_s, asked.charge_ramp_s))
    leave = _leave(asked, plain, easing.leave, telemetry, dt_s)
    is_leaving = leave is not None and leave.value_w > 0.0
    setpoint = replace(
        plain,
        var=_var_of(plain.var, var, nameplate),
        pf_inject=_factor_of(plain.pf_inject, inject),
        pf_absorb=_factor_of(plain.pf_absorb, absorb),
        max_charge_w=None if charge is None else charge.value_w,
        connect=None if is_leaving and plain.connect is False else plain.connect,
        energize=None if is_leaving and plain.energize is False else plain.energize,
    )
    return setpoint, Easing(var=var, inject=inject, absorb=absorb, charge=charge, leave=leave)


def narrowed(window: Window, easing: Easing) -> Window:
    """The window of a DER that goes to nothing before it leaves service."""
    if easing.leave is None:
        return window
    most_w = easing.leave.value_w
    return replace(
        window,
        low_w=max(window.low_w, -most_w),
        high_w=min(window.high_w, most_w),
        limit_w=min(window.limit_w, most_w),
    )


def _stepped(former: Ramp | None, start: float, goal: float, time: tuple[float, float | None]) -> Ramp:
    dt_s, ramp_s = time
    before = Ramp(value_w=start, goal_w=start) if former is None else former
    return stepped(before, goal, dt_s, ramp_s=ramp_s, grad_w_per_s=None)


def _var(
    wanted: VarSetpoint | None,
    former: Ramp | None,
    telemetry: Telemetry,
    nameplate: Nameplate,
    time: tuple[float, float | None],
) -> Ramp | None:
    if wanted is None:
        return None
    goal = wanted.value * _var_per_unit(wanted, nameplate)
    start = telemetry.reactive_var if math.isfinite(telemetry.reactive_var) else goal
    return _stepped(former, start, goal, time)


def _var_of(wanted: VarSetpoint | None, ramp: Ramp | None, nameplate: Nameplate) -> VarSetpoint | None:
    """What is wanted at the end of the ramp, and what is on the way before."""
    if wanted is None or ramp is None or ramp.value_w == ramp.goal_w:
        return wanted
    unit = _var_per_unit(wanted, nameplate)
    return replace(wanted, value=ramp.value_w / unit) if unit else wanted


def _var_per_unit(wanted: VarSetpoint, nameplate: Nameplate) -> float:
    """How many var each unit of a setpoint is: itself, or a percent of setMaxW or of setMaxVar."""
    if wanted.ref == IN_VAR:
        return 1.0
    is_of_w = wanted.ref == DERUnitRefType.SET_MAX_W
    return (nameplate.set_max_w if is_of_w else nameplate.set_max_var) / 100.0


def _tangent(telemetry: Telemetry, nameplate: Nameplate) -> float:
    """Reactive by active power as measured, positive over-excited; 0 where there is next to no power."""
    power_w, reactive_var = abs(telemetry.power_w), telemetry.reactive_var
    if not (power_w > LEAST_SHARE * nameplate.set_max_w and math.isfinite(reactive_var)):
        return 0.0
    return reactive_var / power_w


def _factor(
    wanted: PowerFactorSetpoint | None, former: Ramp | None, start: float, time: tuple[float, float | None]
) -> Ramp | None:
    """The tangent of a power factor: it passes through 1 where the excitation changes."""
    if wanted is None or wanted.power_factor <= 0.0:
        return None
    goal = math.tan(math.acos(min(1.0, wanted.power_factor)))
    return _stepped(former, start, -goal if wanted.absorbing else goal, time)


def _factor_of(wanted: PowerFactorSetpoint | None, ramp: Ramp | None) -> PowerFactorSetpoint | None:
    if wanted is None or ramp is None or ramp.value_w == ramp.goal_w:
        return wanted
    return PowerFactorSetpoint(power_factor=math.cos(math.atan(ramp.value_w)), absorbing=ramp.value_w < 0.0)


def _charge(
    wanted_w: float | None,
    former: Ramp | None,
    telemetry: Telemetry,
    nameplate: Nameplate,
    time: tuple[float, float | None],
) -> Ramp | None:
    if wanted_w is None:
        return None
    taken_w = -telemetry.power_w if math.isfinite(telemetry.power_w) else 0.0
    return _stepped(former, max(wanted_w, min(taken_w, nameplate.charge_w)), wanted_w, time)


def _leave(
    asked: Desired, plain: Setpoint, former: Ramp | None, telemetry: Telemetry, dt_s: float
) -> Ramp | None:
    """Power on its way to nothing; None while nobody takes the DER out of service, or without a ramp."""
    is_out = plain.connect is False or plain.energize is False
    if not is_out or not asked.leave_ramp_s:
        return None
    start = abs(telemetry.power_w) if math.isfinite(telemetry.power_w) else 0.0
    return _stepped(former, start, 0.0, (dt_s, asked.leave_ramp_s))
