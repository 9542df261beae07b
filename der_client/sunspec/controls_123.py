"""The immediate controls of the older series in a plan: limit, power factor, reactive power. Pure.

They revert to what the device does by itself, never to a value, and show no time left: they are rewritten
before the time is over. Where the default is a value, a limit is held rather than let go, because no limit
at all would be more than the default; power factor and reactive power go to what the device does by itself.
SunSpec model 123; IEEE 2030.5-2018, 10.10 (DERControlBase).
"""

from collections.abc import Mapping

from der_client.device import PowerFactorSetpoint, Setpoint, VarSetpoint
from der_client.sunspec.capabilities import executor
from der_client.sunspec.codec import Rounding
from der_client.sunspec.drafts import OVER_EXCITED_NEGATIVE, Draft, MappingSettings, Stage, Wish
from der_client.sunspec.functions import FULL_PCT, target_within
from der_client.sunspec.model import Model
from der_client.sunspec.writes import Wanted, step_of

MOD_W_MAX, MOD_VAR_MAX, MOD_VAR_AVAILABLE = 1, 2, 3
VAR_POINTS = {MOD_W_MAX: "VArWMaxPct", MOD_VAR_MAX: "VArMaxPct", MOD_VAR_AVAILABLE: "VArAvalPct"}

Points = Mapping[str, Wanted]


def plan_legacy(wish: Wish, draft: Draft) -> None:
    """Add what model 123 does for a Setpoint, as far as no newer model does it."""
    model = wish.model(123)
    if model is not None:
        _plan_limit(wish, draft, model)
        _plan_factor(wish, draft, model)
        _plan_var(wish, draft, model)


def signed_factor(factor: float, *, absorbing: bool, settings: MappingSettings) -> float:
    """A power factor with the sign that a device of the older series gives to its excitation."""
    is_negative = absorbing != (settings.pf_sign == OVER_EXCITED_NEGATIVE)
    return -abs(factor) if is_negative else abs(factor)


def limit_pct(setpoint: Setpoint, wish: Wish) -> float | None:
    """The limit that model 123 must hold, % of WMax: that of the Setpoint, or its target where PV has one."""
    limit = setpoint.max_w_pct
    if executor(wish.device_map, "target_w", wish.settings) == 123 and setpoint.target_w is not None:
        target_pct = FULL_PCT * target_within(wish.bases, setpoint) / wish.bases.max_w
        limit = target_pct if limit is None else min(limit, target_pct)
    if limit is None or limit >= FULL_PCT:
        return None
    return 0.0 if limit < wish.settings.min_limit_pct else limit


def _fields_of_limit(wish: Wish) -> list[str]:
    """The fields of the Setpoint that model 123 executes through its limit."""
    return [
        name
        for name in ("max_w_pct", "target_w")
        if executor(wish.device_map, name, wish.settings) == 123 and getattr(wish.setpoint, name) is not None
    ]


def _plan_limit(wish: Wish, draft: Draft, model: Model) -> None:
    if executor(wish.device_map, "max_w_pct", wish.settings) != 123:
        return
    fields = _fields_of_limit(wish)
    try:
        limit, reverted = limit_pct(wish.setpoint, wish), limit_pct(wish.reversion.to, wish)
    except (ValueError, ZeroDivisionError):
        draft.refuse(["target_w"])
        limit, reverted = wish.setpoint.max_w_pct, None
    if limit is None:
        draft.add(Stage.RELEASE, step_of(model, "max_w_pct", {"WMaxLim_Ena": Wanted(0)}))
        _name_lost(wish, draft, ["max_w_pct"], is_lost=reverted is not None)
        return
    points = {"WMaxLimPct": Wanted(limit, Rounding.DOWN), "WMaxLim_Ena": Wanted(1)}
    chosen = fields or ["max_w_pct"]
    _activate(wish, draft, model, points, chosen, is_held=reverted is not None)
    _name_lost(wish, draft, chosen, is_lost=reverted not in {None, limit})


def _plan_factor(wish: Wish, draft: Draft, model: Model) -> None:
    if executor(wish.device_map, "pf_inject", wish.settings) != 123:
        return
    factor = wish.setpoint.pf_inject
    if factor is None:
        draft.add(Stage.STOP, step_of(model, "pf_inject", {"OutPFSet_Ena": Wanted(0)}))
        return
    value = signed_factor(factor.power_factor, absorbing=factor.absorbing, settings=wish.settings)
    points = {"OutPFSet": Wanted(value), "OutPFSet_Ena": Wanted(1)}
    reverted = wish.reversion.to.pf_inject
    _activate(wish, draft, model, points, ["pf_inject"], is_held=reverted == factor)
    _name_lost(wish, draft, ["pf_inject"], is_lost=_is_set(reverted) and reverted != factor)


def _is_set(factor: PowerFactorSetpoint | None) -> bool:
    """True if a power factor differs from that of a device that is left alone."""
    return factor is not None and factor.power_factor < 1


def _plan_var(wish: Wish, draft: Draft, model: Model) -> None:
    if executor(wish.device_map, "var", wish.settings) != 123:
        return
    if wish.setpoint.var is None:
        draft.add(Stage.STOP, step_of(model, "var", {"VArPct_Ena": Wanted(0)}))
        return
    try:
        mode, value = _var_in(wish, model, wish.setpoint.var)
    except ValueError:
        draft.refuse(["var"])
        return
    points = {"VArPct_Mod": Wanted(mode), VAR_POINTS[mode]: Wanted(value), "VArPct_Ena": Wanted(1)}
    reverted = wish.reversion.to.var
    _activate(wish, draft, model, points, ["var"], is_held=reverted == wish.setpoint.var)
    is_lost = reverted is not None and reverted.value != 0 and reverted != wish.setpoint.var
    _name_lost(wish, draft, ["var"], is_lost=is_lost)


def _var_in(wish: Wish, model: Model, var: VarSetpoint) -> tuple[int, float]:
    """VArPct_Mod and the percentage that a reactive power is in one of the units that the device takes."""
    if var.ref == MOD_VAR_AVAILABLE:
        return MOD_VAR_AVAILABLE, var.value
    largest = wish.bases.max_var if var.value >= 0 else wish.bases.max_var_neg
    units = {MOD_W_MAX: wish.bases.max_w, MOD_VAR_MAX: largest}
    if var.ref in units and _takes(wish, model, var.ref):
        return var.ref, var.value
    if var.ref != 0 and var.ref not in units:
        msg = f"reactive power in units of DERUnitRefType {var.ref}"
        raise ValueError(msg)
    wanted_var = var.value if var.ref == 0 else var.value / 100 * units[var.ref]
    for mode in (MOD_VAR_MAX, MOD_W_MAX):
        if units[mode] and _takes(wish, model, mode):
            return mode, 100 * wanted_var / units[mode]
    msg = "reactive power of a device that takes it in no unit that is known"
    raise ValueError(msg)


def _takes(wish: Wish, model: Model, mode: int) -> bool:
    return model.model_id in wish.settings.write_only or model.is_implemented(VAR_POINTS[mode])


def _activate(
    wish: Wish, draft: Draft, model: Model, points: Points, fields: list[str], *, is_held: bool
) -> None:
    """Add the step of a function of model 123 with its timers, the enable last.

    `is_held`: the device goes on with this value without us.
    """
    enable = next(name for name in points if name.endswith("_Ena"))
    prefix = {"WMaxLim_Ena": "WMaxLimPct", "OutPFSet_Ena": "OutPFSet", "VArPct_Ena": "VArPct"}[enable]
    after_s = 0 if is_held else wish.reversion.after_s
    ramp_s = _ramp_s(wish, prefix)
    timers = {"WinTms": 0, "RvrtTms": after_s, "RmpTms": ramp_s}
    try:
        step = step_of(
            model,
            fields[0],
            points,
            optional={f"{prefix}_{name}": Wanted(value, Rounding.UP) for name, value in timers.items()},
            enable=enable,
            permissions=wish.permissions,
        )
    except ValueError:
        draft.refuse(fields)
        return
    draft.add(Stage.LIMIT if prefix == "WMaxLimPct" else Stage.SETPOINT, step)
    _name_lost(wish, draft, fields, is_lost=not is_held and not step.refresh_s)


def _ramp_s(wish: Wish, prefix: str) -> float:
    """How long the device is to take, s; 0 for a limit that stands for a target, which is stepped."""
    setpoint = wish.setpoint
    if prefix != "WMaxLimPct":
        return setpoint.reactive_ramp_s or 0.0
    return 0.0 if setpoint.target_w is not None else setpoint.limit_ramp_s or 0.0


def _name_lost(wish: Wish, draft: Draft, fields: list[str], *, is_lost: bool) -> None:
    """Name the fields that do not go to the default without us."""
    if is_lost and wish.reversion.after_s:
        draft.unguarded.update(fields)
