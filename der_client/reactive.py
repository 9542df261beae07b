"""Reactive power inside of what a device is set for. Pure."""

from dataclasses import replace

from der_client.desired import IN_VAR
from der_client.device import Nameplate, PowerFactorSetpoint, Setpoint, VarSetpoint


def bounded(setpoint: Setpoint, nameplate: Nameplate) -> Setpoint:
    """The setpoint with power factors and vars inside of what the device is set for."""
    if setpoint.pf_inject is None and setpoint.pf_absorb is None and setpoint.var is None:
        return setpoint
    return replace(
        setpoint,
        pf_inject=_factor(setpoint.pf_inject, nameplate),
        pf_absorb=_factor(setpoint.pf_absorb, nameplate),
        var=_var(setpoint.var, nameplate),
    )


def _factor(wanted: PowerFactorSetpoint | None, nameplate: Nameplate) -> PowerFactorSetpoint | None:
    if wanted is None:
        return None
    least = nameplate.min_pf_under_excited if wanted.absorbing else nameplate.min_pf_over_excited
    return replace(wanted, power_factor=max(wanted.power_factor, least or 0.0))


def _var(wanted: VarSetpoint | None, nameplate: Nameplate) -> VarSetpoint | None:
    if wanted is None:
        return None
    most, least = nameplate.set_max_var, -nameplate.set_max_var_neg
    if wanted.ref != IN_VAR:
        most, least = 100.0, -100.0
    return replace(wanted, value=min(max(wanted.value, least), most))
