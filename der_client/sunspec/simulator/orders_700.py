"""What the registers of models 702 to 712 ask for, as the physics takes it. Pure functions."""

from der_client.physics import (
    Curve,
    Droop,
    Element,
    EnterWindow,
    Order,
    Orders,
    PowerFactor,
    Ratings,
    VarOrder,
    VarRef,
    VoltVar,
    VoltWatt,
    WattVar,
)
from der_client.sunspec.model import Model

MOD_WATTS = 1
UNDER_EXCITED = 1
REACTIVE_PRIORITY = 1
RAMP_LIMIT_OFF_PCT = 100
OF_AVAILABLE = 1
ORDERS = {0: Order.STOP, 1: Order.RUN, 2: Order.STANDBY, 3: Order.RUN}

Models = dict[int, Model]


def orders_of(models: Models, *, trips_when_it_may: bool = False) -> Orders:
    """Everything that the registers ask for."""
    ratings, controls = ratings_of(models[702]), models[704]
    return Orders(
        ratings=ratings,
        enter=window_of(models[703]),
        permit=models[703].integer("ES") == 1,
        order=ORDERS[models[715].integer("OpCtl") or 0],
        limit=_number(controls, "WMaxLimPct") / 100 if _is_on(controls, "WMaxLimPct") else None,
        set_w=_set_w(controls, ratings) if _is_on(controls, "WSet") else None,
        ramp_w_per_s=_ramp(controls, ratings),
        pf_inject=_factor(controls, "PFWInj"),
        pf_absorb=_factor(controls, "PFWAbs"),
        var=_var(controls) if _is_on(controls, "VarSet") else None,
        volt_var=_volt_var(models[705]),
        volt_watt=_volt_watt(models[706]),
        watt_var=_watt_var(models[712]),
        droop=_droop(models[711]),
        trips=elements_of(models, "MustTrip") + (elements_of(models, "MayTrip") if trips_when_it_may else ()),
        cessations=elements_of(models, "MomCess"),
        leaves_islands=controls.integer("AntiIslEna") != 0,
    )


def ratings_of(capacity: Model) -> Ratings:
    """The settings of model 702; one that is not implemented equals its rating."""

    def setting(name: str, rating: str) -> float:
        value = capacity.number(name)
        return float((capacity.number(rating) if value is None else value) or 0.0)

    max_va = setting("VAMax", "VAMaxRtg")
    return Ratings(
        max_w=setting("WMax", "WMaxRtg"),
        max_va=max_va,
        max_var_inj=setting("VarMaxInj", "VarMaxInjRtg"),
        max_var_abs=setting("VarMaxAbs", "VarMaxAbsRtg"),
        charge_w=setting("WChaRteMax", "WChaRteMaxRtg"),
        discharge_w=setting("WDisChaRteMax", "WDisChaRteMaxRtg"),
        charge_va=setting("VAChaRteMax", "VAChaRteMaxRtg") or max_va,
        over_excited=(setting("WOvrExtPF", "WOvrExtRtgPF"), setting("WMaxOvrExt", "WOvrExtRtg")),
        under_excited=(setting("WUndExtPF", "WUndExtRtgPF"), setting("WMaxUndExt", "WUndExtRtg")),
    )


def window_of(service: Model) -> EnterWindow:
    """Model 703."""
    return EnterWindow(
        high_v=_number(service, "ESVHi") / 100,
        low_v=_number(service, "ESVLo") / 100,
        high_hz=_number(service, "ESHzHi"),
        low_hz=_number(service, "ESHzLo"),
        delay_s=_number(service, "ESDlyTms"),
        random_s=_number(service, "ESRndTms"),
        ramp_s=_number(service, "ESRmpTms"),
    )


def elements_of(models: Models, curve: str) -> tuple[Element, ...]:
    """The elements of one kind of the enabled models 707 to 710: each point of set 1 is one."""
    return tuple(element for number in (707, 708, 709, 710) for element in _elements(models[number], curve))


def _elements(model: Model, curve: str) -> tuple[Element, ...]:
    if model.integer("Ena") != 1:
        return ()
    of_voltage, above = model.model_id in {707, 708}, model.model_id in {708, 710}
    axis, per = ("V", 100.0) if of_voltage else ("Hz", 1.0)
    start = f"Crv[0].{curve}."
    return tuple(
        Element(of_voltage=of_voltage, above=above, at=x / per, after_s=seconds)
        for x, seconds in _pairs(model, start, (axis, "Tms"))
    )


def _pairs(model: Model, start: str, axes: tuple[str, str]) -> Curve:
    active = min(model.integer(start + "ActPt") or 0, model.integer("NPt") or 0)
    return tuple(
        (_number(model, f"{start}Pt[{i}].{axes[0]}"), _number(model, f"{start}Pt[{i}].{axes[1]}"))
        for i in range(active)
    )


def _share_curve(model: Model, axes: tuple[str, str]) -> Curve:
    """Set 1 of a model whose axes are percent."""
    return tuple((x / 100, y / 100) for x, y in _pairs(model, "Crv[0].", axes))


def _number(model: Model, name: str) -> float:
    return float(model.number(name) or 0.0)


def _is_on(controls: Model, prefix: str) -> bool:
    return controls.integer(f"{prefix}Ena") == 1


def _ramp(controls: Model, ratings: Ratings) -> float | None:
    ramp_pct = controls.number("WRmp") or RAMP_LIMIT_OFF_PCT
    return ramp_pct / 100 * ratings.max_w if ramp_pct < RAMP_LIMIT_OFF_PCT else None


def _set_w(controls: Model, ratings: Ratings) -> float:
    if controls.integer("WSetMod") == MOD_WATTS:
        return _number(controls, "WSet")
    return _number(controls, "WSetPct") / 100 * ratings.max_w


def _factor(controls: Model, group: str) -> PowerFactor | None:
    if not _is_on(controls, group):
        return None
    absorbing = controls.integer(f"{group}.Ext") == UNDER_EXCITED
    return PowerFactor(factor=_number(controls, f"{group}.PF"), absorbing=absorbing)


def _var(controls: Model) -> VarOrder:
    ref = VarRef(controls.integer("VarSetMod") or 0)
    value = _number(controls, "VarSet") if ref is VarRef.VAR else _number(controls, "VarSetPct") / 100
    return VarOrder(value=value, ref=ref, reactive_first=controls.integer("VarSetPri") == REACTIVE_PRIORITY)


def _volt_var(model: Model) -> VoltVar | None:
    if model.integer("Ena") != 1:
        return None
    return VoltVar(
        curve=_share_curve(model, ("V", "Var")),
        ref=VarRef(model.integer("Crv[0].DeptRef") or 0),
        reactive_first=model.integer("Crv[0].Pri") == REACTIVE_PRIORITY,
        v_ref=_number(model, "Crv[0].VRef") / 100,
        follows_v_ref=model.integer("Crv[0].VRefAutoEna") == 1,
        v_ref_s=_number(model, "Crv[0].VRefAutoTms"),
        response_s=_number(model, "Crv[0].RspTms"),
    )


def _volt_watt(model: Model) -> VoltWatt | None:
    if model.integer("Ena") != 1:
        return None
    return VoltWatt(
        curve=_share_curve(model, ("V", "W")),
        of_available=model.integer("Crv[0].DeptRef") == OF_AVAILABLE,
        response_s=_number(model, "Crv[0].RspTms"),
    )


def _watt_var(model: Model) -> WattVar | None:
    if model.integer("Ena") != 1:
        return None
    return WattVar(
        curve=_share_curve(model, ("W", "Var")),
        ref=VarRef(model.integer("Crv[0].DeptRef") or 0),
        reactive_first=model.integer("Crv[0].Pri") == REACTIVE_PRIORITY,
    )


def _droop(model: Model) -> Droop | None:
    if model.integer("Ena") != 1:
        return None
    least = model.number("Ctl[0].PMin")
    return Droop(
        over_hz=_number(model, "Ctl[0].DbOf"),
        under_hz=_number(model, "Ctl[0].DbUf"),
        k_over=_number(model, "Ctl[0].KOf"),
        k_under=_number(model, "Ctl[0].KUf"),
        response_s=_number(model, "Ctl[0].RspTms"),
        least_share=None if least is None else least / 100,
    )
