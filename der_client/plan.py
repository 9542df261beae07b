"""What the server wants of a device, and where the device goes without us. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from der_client.desired import desired_of
from der_client.device import Nameplate, Reversion, Setpoint, Telemetry
from der_client.settings import ControlSettings
from function_sets import ModeSource
from schemas import DERCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the server wants of a device now, and what it falls back to (`defaults`); `grad_w` is setGradW."""

    modes: Mapping[str, ModeSource] = field(default_factory=dict)
    defaults: Mapping[str, ModeSource] = field(default_factory=dict)
    curves: Mapping[str, DERCurve] = field(default_factory=dict)
    grad_w: int | None = None


def reversion_of(
    plan: Plan, nameplate: Nameplate, telemetry: Telemetry, settings: ControlSettings
) -> Reversion:
    """Where the device goes by itself without us: the default control; rest for a DER with a battery."""
    default = desired_of(plan.defaults, nameplate, plan.curves, grad_w=plan.grad_w).setpoint
    target_w = default.target_w
    if telemetry.battery is not None:
        target_w = 0.0
    elif target_w is not None:
        target_w = min(max(target_w, -nameplate.charge_w), nameplate.set_max_w)
    return Reversion(after_s=settings.reversion_s, to=replace(default, target_w=target_w))


def setpoint_text(setpoint: Setpoint) -> str:
    """A setpoint in words, for the log."""
    parts = (
        ("connect", setpoint.connect, ""),
        ("energize", setpoint.energize, ""),
        ("limit", setpoint.max_w_pct, " %"),
        ("target", setpoint.target_w, " W"),
        ("power factor", setpoint.pf_inject and setpoint.pf_inject.power_factor, ""),
        ("power factor absorbing", setpoint.pf_absorb and setpoint.pf_absorb.power_factor, ""),
        (
            "reactive",
            setpoint.var and setpoint.var.value,
            " var" if setpoint.var and not setpoint.var.ref else " %",
        ),
    )
    words = [f"{name} {value:g}{unit}" for name, value, unit in parts if value is not None]
    return ", ".join(words) or "released"
