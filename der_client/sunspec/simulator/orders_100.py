"""What the registers of models 121 to 134 ask for, as the physics takes it. Pure functions.

A negative power factor is over-excited: the sign of the IEEE in the quadrants of generation.
"""

import math
from itertools import pairwise

from der_client.physics import (
    Curve,
    Droop,
    Element,
    EnterWindow,
    FreqWatt,
    Orders,
    PowerFactor,
    Ratings,
    VarRef,
    VoltVar,
    VoltWatt,
    WattPf,
)
from der_client.sunspec.model import Model
from der_client.sunspec.simulator.curves import CESSATIONS, NOMINAL_60_HZ, TRIPS
from der_client.sunspec.simulator.image_100 import AXES, FROM_GRID
from der_client.sunspec.simulator.settings import InverterSettings

CHARGE_LIMITED, DISCHARGE_LIMITED = 1, 2
OF_AVAILABLE = 2
RAMP_LIMIT_OFF_PCT = 100
ABSOLUTE_FROM_HZ = 20.0
VAR_MODES = {
    1: ("VArWMaxPct", VarRef.MAX_W),
    2: ("VArMaxPct", VarRef.MAX_VAR),
    3: ("VArAvalPct", VarRef.AVAILABLE),
}
DEPT_REFS = {1: VarRef.MAX_W, 2: VarRef.MAX_VAR, 3: VarRef.AVAILABLE}

Models = dict[int, Model]


def fixed_elements(settings: InverterSettings) -> tuple[Element, ...]:
    """Trips with the defaults of IEEE 1547-2018: the older series cannot change them here."""
    shift = settings.nominal_hz - NOMINAL_60_HZ
    return tuple(
        Element(
            of_voltage=model in {707, 708},
            above=model in {708, 710},
            at=x / 100 if model in {707, 708} else x + shift,
            after_s=seconds,
        )
        for model, pairs in TRIPS.items()
        for x, seconds in pairs
    )


def fixed_cessations() -> tuple[Element, ...]:
    """Momentary cessation with the defaults of category III."""
    return tuple(
        Element(of_voltage=True, above=model == 708, at=x / 100, after_s=seconds)
        for model, pairs in CESSATIONS.items()
        for x, seconds in pairs
    )


def ratings_of(models: Models, settings: InverterSettings) -> Ratings:
    """The settings of models 121 and 124."""
    basic = models[121]
    max_va = _number(basic, "VAMax")
    charge_w = _number(models[124], "WChaMax") if 124 in models else 0.0
    return Ratings(
        max_w=_number(basic, "WMax"),
        max_va=max_va,
        max_var_inj=abs(_number(basic, "VArMaxQ1")),
        max_var_abs=abs(_number(basic, "VArMaxQ4")),
        charge_w=charge_w,
        discharge_w=settings.discharge_w,
        charge_va=max_va,
    )


def window_of(settings: InverterSettings) -> EnterWindow:
    """The window of IEEE 1547-2018: the older series has no registers for it."""
    return EnterWindow(
        high_v=1.05,
        low_v=0.917,
        high_hz=settings.nominal_hz + 0.1,
        low_hz=settings.nominal_hz - 0.5,
        delay_s=settings.enter_service_delay_s,
        random_s=0.0,
        ramp_s=settings.enter_service_ramp_s,
    )


def ramp_of(models: Models, ratings: Ratings) -> float | None:
    """121.WGra, % of WMax a second; 100 is no limit."""
    gradient_pct = models[121].number("WGra") or RAMP_LIMIT_OFF_PCT
    return gradient_pct / 100 * ratings.max_w if gradient_pct < RAMP_LIMIT_OFF_PCT else None


def factor_of(signed: float) -> PowerFactor:
    """A power factor with the sign of its excitation."""
    return PowerFactor(factor=max(abs(signed), 0.01), absorbing=signed > 0)


def storage_window(models: Models, ratings: Ratings) -> tuple[float, float]:
    """The lowest and highest power that model 124 allows, W out of the battery.

    A negative rate forces the other direction. A battery that may not take from the grid takes nothing here.
    """
    storage = models[124]
    mode = storage.integer("StorCtl_Mod") or 0
    low_w, high_w = -ratings.charge_w, ratings.discharge_w
    if mode & CHARGE_LIMITED:
        low_w = max(low_w, -_number(storage, "InWRte") / 100 * ratings.charge_w)
    if mode & DISCHARGE_LIMITED:
        high_w = min(high_w, _number(storage, "OutWRte") / 100 * ratings.discharge_w)
    if storage.integer("ChaGriSet") != FROM_GRID:
        low_w = max(low_w, 0.0)
    return low_w, max(low_w, high_w)


def active_curve(model: Model) -> Curve:
    """The curve that is selected, in the units of its registers."""
    index = (model.integer("ActCrv") or 1) - 1
    x, y = AXES[model.model_id]
    start = f"curve[{index}]."
    count = min(model.integer(f"{start}ActPt") or 0, model.integer("NPt") or 0)
    return tuple(
        (_number(model, f"{start}{x}{number}"), _number(model, f"{start}{y}{number}"))
        for number in range(1, count + 1)
    )


def _is_on(model: Model) -> bool:
    """True if the function is enabled with a curve that rises."""
    if not (model.integer("ModEna") or 0) & 1:
        return False
    if model.model_id not in AXES:
        return True
    xs = [x for x, _ in active_curve(model)]
    return bool(xs) and all(a < b for a, b in pairwise(xs))


def _reference(model: Model) -> int:
    return model.integer(f"curve[{(model.integer('ActCrv') or 1) - 1}].DeptRef") or 1


def volt_var_of(model: Model) -> VoltVar | None:
    """Model 126, in percent of VRef; without an open loop response time it acts at once."""
    if not _is_on(model):
        return None
    curve = tuple((x / 100, y / 100) for x, y in active_curve(model))
    ref = DEPT_REFS.get(_reference(model), VarRef.MAX_W)
    return VoltVar(curve=curve, ref=ref, reactive_first=True, response_s=0.0)


def volt_watt_of(model: Model) -> VoltWatt | None:
    """Model 132."""
    if not _is_on(model):
        return None
    curve = tuple((x / 100, y / 100) for x, y in active_curve(model))
    return VoltWatt(curve=curve, of_available=_reference(model) == OF_AVAILABLE, response_s=0.0)


def watt_pf_of(model: Model) -> WattPf | None:
    """Model 131; a factor of this series that is negative is over-excited, that of the physics absorbs."""
    if not _is_on(model):
        return None
    return WattPf(curve=tuple((x / 100, -y) for x, y in active_curve(model)))


def freq_watt_of(model: Model) -> FreqWatt | None:
    """Model 134."""
    return FreqWatt(curve=tuple((x, y / 100) for x, y in active_curve(model))) if _is_on(model) else None


def droop_of(model: Model, nominal_hz: float) -> Droop | None:
    """Model 127: over-frequency from HzStr on (an offset, or absolute), WGra in % of power a Hz."""
    gradient_pct = _number(model, "WGra")
    if not _is_on(model) or gradient_pct <= 0:
        return None
    start_hz = _number(model, "HzStr")
    offset_hz = start_hz - nominal_hz if start_hz > ABSOLUTE_FROM_HZ else start_hz
    slope = 100 / (gradient_pct * nominal_hz)
    return Droop(
        over_hz=offset_hz, under_hz=math.inf, k_over=slope, k_under=slope, response_s=0.0, least_share=0.0
    )


def _number(model: Model, name: str) -> float:
    return float(model.number(name) or 0.0)


def untimed_orders(models: Models, settings: InverterSettings) -> Orders:
    """Everything that registers without timers ask for."""
    ratings = ratings_of(models, settings)
    return Orders(
        ratings=ratings,
        enter=window_of(settings),
        ramp_w_per_s=ramp_of(models, ratings),
        volt_var=volt_var_of(models[126]),
        volt_watt=volt_watt_of(models[132]),
        watt_pf=watt_pf_of(models[131]),
        droop=droop_of(models[127], settings.nominal_hz),
        freq_watt=freq_watt_of(models[134]),
        trips=fixed_elements(settings),
        cessations=fixed_cessations(),
    )
