"""The immediate controls of the older series in a plan: limit, power factor, reactive power. Pure.

They revert to what the device does by itself, never to a value, and show no time left: they are rewritten
before the time is over. SunSpec model 123; IEEE 2030.5-2018, 10.10 (DERControlBase).
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
        return
    points = {"WMaxLimPct": Wanted(limit, Rounding.DOWN), "WMaxLim_Ena": Wanted(1)}
    _activate(wish, draft, model, points, fields or ["max_w_pct"], is_kept=reverted is not None)


def _plan_factor(wish: Wish, draft: Draft, model: Model) -> None:
    if executor(wish.device_map, "pf_inject", wish.settings) != 123:
        return
    factor = wish.setpoint.pf_inject
    if factor is None:
        draft.add(Stage.STOP, step_of(model, "pf_inject", {"OutPFSet_Ena": Wanted(0)}))
        return
    value = signed_factor(factor.power_factor, absorbing=factor.absorbing, settings=wish.settings)
    points = {"OutPFSet": Wanted(value), "OutPFSet_Ena": Wanted(1)}
    _activate(wish, draft, model, points, ["pf_inject"], is_kept=_is_set(wish.reversion.to.pf_inject))


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
    _activate(wish, draft, model, points, ["var"], is_kept=reverted is not None and reverted.value != 0)


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
    wish: Wish, draft: Draft, model: Model, points: Points, fields: list[str], *, is_kept: bool
) -> None:
    """Add the step of a function of model 123 with its timers, the enable last.

    `is_kept`: after the reversion the device shall hold a value, which it cannot; then it holds this one.
    """
    enable = next(name for name in points if name.endswith("_Ena"))
    prefix = {"WMaxLim_Ena": "WMaxLimPct", "OutPFSet_Ena": "OutPFSet", "VArPct_Ena": "VArPct"}[enable]
    after_s = 0 if is_kept else wish.reversion.after_s
    timers = {"WinTms": 0, "RvrtTms": after_s, "RmpTms": 0}
    try:
        step = step_of(
            model,
            fields[0],
            points,
            optional={f"{prefix}_{name}": Wanted(value) for name, value in timers.items()},
            enable=enable,
            permissions=wish.permissions,
        )
    except ValueError:
        draft.refuse(fields)
        return
    draft.add(Stage.LIMIT if prefix == "WMaxLimPct" else Stage.SETPOINT, step)
    if wish.reversion.after_s and not step.refresh_s:
        draft.unguarded.update(fields)
