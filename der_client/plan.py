"""What the server wants of a device, and where the device goes without us. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from der_client.desired import WHOLE, Desired, Share, desired_of
from der_client.device import Nameplate, Reversion, Setpoint, Telemetry
from der_client.settings import ControlSettings
from function_sets import ModeSource
from schemas import DefaultDERControl, DERCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the server wants of a device now, and what it falls back to (`defaults`).

    `default` is the DefaultDERControl whose settings (setGradW, setES*) hold even while an event runs;
    `curves` are by href.
    """

    modes: Mapping[str, ModeSource] = field(default_factory=dict)
    defaults: Mapping[str, ModeSource] = field(default_factory=dict)
    curves: Mapping[str, DERCurve] = field(default_factory=dict)
    default: DefaultDERControl | None = None

    @property
    def grad_w(self) -> int | None:
        """The setGradW in force, 0.01 % of setMaxW per second."""
        return self.default.setGradW if self.default else None


def wish_of(plan: Plan, nameplate: Nameplate, *, share: Share = WHOLE) -> Desired:
    """What the plan asks of one DER now; `share` is its part of what is asked of the whole site."""
    return desired_of(plan.modes, nameplate, plan.curves, default=plan.default, share=share)


def reversion_of(
    plan: Plan,
    nameplate: Nameplate,
    telemetry: Telemetry,
    settings: ControlSettings,
    *,
    share: Share = WHOLE,
) -> Reversion:
    """Where the device goes by itself without us: the default control; rest for a DER with a battery."""
    idle = replace(plan, modes=plan.defaults)
    default = wish_of(idle, nameplate, share=share).setpoint
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
        ("charge limit", setpoint.max_charge_w, " W"),
        ("power factor", setpoint.pf_inject and setpoint.pf_inject.power_factor, ""),
        ("power factor absorbing", setpoint.pf_absorb and setpoint.pf_absorb.power_factor, ""),
        (
            "reactive",
            setpoint.var and setpoint.var.value,
            " var" if setpoint.var and not setpoint.var.ref else " %",
        ),
    )
    words = [f"{name} {value:g}{unit}" for name, value, unit in parts if value is not None]
    words += [curve.mode.removeprefix("opMod") for curve in setpoint.curves]
    words += ["droop"] if setpoint.droop else []
    return ", ".join(words) or "released"
