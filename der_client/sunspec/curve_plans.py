"""All curves and the droop of a Setpoint in a plan, whichever series a device has them in. Pure.

Several curves of one model (what must trip, what may) are one stored set. IEEE 2030.5-2018, 10.10 (DERCurve).
"""

from collections.abc import Iterator, Mapping, Sequence

from der_client.device import CurveSetpoint, DroopSetpoint, Setpoint
from der_client.sunspec.adopted_curves import plan_adopted, plan_released
from der_client.sunspec.curve_forms import FORMS, GROUPS, CurveForm, droop_model, form_for
from der_client.sunspec.curve_values import Content, content_of, droop_content, droop_of
from der_client.sunspec.drafts import Draft, Stage, Wish
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.older_curves import (
    plan_older,
    plan_older_droop,
    plan_older_droop_released,
    plan_older_released,
)

REACTIVE_MODELS = (705, 712, 126, 131)
FREQ_WATT = "opModFreqWatt"
HZ = (50.0, 60.0)
DROOP_MODELS = frozenset({711, 127})
CURVES = DROOP_MODELS | {form.model_id for forms in FORMS.values() for form in forms}
"""All models that hold a curve or a droop."""

Formed = tuple[CurveForm, CurveSetpoint]


def nominal_hz(device_map: DeviceMap) -> float:
    """Frequency of the grid that the device is made for: what it says, else the one nearest to a reading."""
    basic = device_map.first(121)
    said = basic.number("ECPNomHz") if basic else None
    if said:
        return float(said)
    readings = (
        model.number("Hz")
        for number in (701, 101, 102, 103, 111, 112, 113)
        if (model := device_map.first(number)) is not None
    )
    seen = next((value for value in readings if value), HZ[-1])
    return min(HZ, key=lambda nominal: abs(nominal - seen))


def plan_curves(wish: Wish, draft: Draft) -> None:
    """Add the curves and the droop of a Setpoint, and put back those that it releases."""
    asked = _formed(wish, draft)
    for model_id, formed in asked.items():
        _plan_model(wish, draft, model_id, formed)
    droop = wish.setpoint.droop
    number = droop_model(wish.device_map, wish.permissions)
    if droop is not None:
        _plan_droop(wish, draft, number, droop)
    wanted = {*asked, *([number] if droop is not None and number else [])}
    _release(wish, draft, wanted)


def _formed(wish: Wish, draft: Draft) -> Mapping[int, list[Formed]]:
    """The curves of a Setpoint by the model that takes them; the others are refused."""
    found: dict[int, list[Formed]] = {}
    for curve in wish.setpoint.curves:
        form = form_for(wish.device_map, curve.mode, wish.permissions)
        if form is None:
            draft.refuse([curve.mode])
        else:
            found.setdefault(form.model_id, []).append((form, curve))
    return found


def _plan_model(wish: Wish, draft: Draft, model_id: int, formed: Sequence[Formed]) -> None:
    model = wish.model(model_id)
    if model is None:
        return
    modes = [curve.mode for _, curve in formed]
    reverted = {curve.mode: curve for curve in wish.reversion.to.curves}
    kept = [(form, reverted[curve.mode]) for form, curve in formed if curve.mode in reverted]
    try:
        content = _joined(formed, wish)
        fallback = _joined(kept, wish) if len(kept) == len(formed) else None
        if model_id not in GROUPS:
            plan_older(wish, draft, model, modes[0], content, fallback)
            return
        plan_adopted(wish, draft, model, modes[0], content, fallback)
    except ValueError:
        draft.refuse(modes)


def _joined(formed: Sequence[Formed], wish: Wish) -> Content:
    contents = [content_of(form, curve, wish.settings) for form, curve in formed]
    whole = contents[0]
    for content in contents[1:]:
        whole = whole.joined(content)
    return whole


def _plan_droop(wish: Wish, draft: Draft, number: int | None, droop: DroopSetpoint) -> None:
    model = wish.model(number) if number else None
    if model is None:
        draft.refuse(["droop"])
        return
    try:
        if number == 127:
            plan_older_droop(wish, draft, model, droop, nominal_hz(wish.device_map))
            return
        default = wish.reversion.to.droop
        plan_adopted(
            wish, draft, model, "droop", droop_content(droop), droop_content(default) if default else None
        )
    except ValueError:
        draft.refuse(["droop"])


def _release(wish: Wish, draft: Draft, wanted: set[int]) -> None:
    """Put back the curve models that are not wanted any more, and stop the reactive ones in the way."""
    reactive = _has_reactive(wish.setpoint)
    for model_id in {*(wish.before.keys() & CURVES), *(REACTIVE_MODELS if reactive else ())} - wanted:
        model = wish.model(model_id)
        if model is None:
            continue
        blocked = reactive and model_id in REACTIVE_MODELS
        enable = "Ena" if model_id in GROUPS else "ModEna"
        if model_id not in wish.before and not (
            blocked and model.integer(enable) == 1 and wish.permissions.cover_model(model_id)
        ):
            continue
        try:
            _put_back(wish, draft, model, Stage.STOP if blocked else Stage.RELEASE)
        except ValueError:
            draft.unreturned.add(model_id)
            continue
        if not blocked:
            draft.returned.add(model_id)


def _put_back(wish: Wish, draft: Draft, model: Model, stage: Stage) -> None:
    """Add the steps that put a model back as it was, or stop it.

    Raises ValueError where that is not permitted any more, or the device keeps no curve to write.
    """
    field = _field_of(model.model_id)
    if model.model_id == 127:
        plan_older_droop_released(wish, draft, model)
    elif model.model_id in GROUPS:
        plan_released(wish, draft, model, field, stage=stage)
    else:
        plan_older_released(wish, draft, model, field, stage=stage)


def _field_of(model_id: int) -> str:
    modes = (mode for mode, forms in FORMS.items() if any(form.model_id == model_id for form in forms))
    return next(modes, "droop")


def _has_reactive(setpoint: Setpoint) -> bool:
    """True if a reactive mode of any kind is asked for."""
    fixed = (setpoint.pf_inject, setpoint.pf_absorb, setpoint.var)
    curves = {curve.mode for curve in setpoint.curves} & {"opModVoltVar", "opModWattVar", "opModWattPF"}
    return bool(curves) or any(value is not None for value in fixed)


def curve_models_of(device_map: DeviceMap, setpoint: Setpoint, wish_models: frozenset[int]) -> Iterator[int]:
    """The curve models whose registers a plan needs: those asked for, changed before, or in the way."""
    asked = {form.model_id for curve in setpoint.curves for form in FORMS.get(curve.mode, ())}
    if setpoint.droop is not None or any(curve.mode == FREQ_WATT for curve in setpoint.curves):
        asked |= DROOP_MODELS
    if _has_reactive(setpoint):
        asked |= set(REACTIVE_MODELS)
    present = {model.model_id for model in device_map.models if model.words}
    yield from sorted((asked | wish_models & CURVES) & present)


def with_droop(wish_map: DeviceMap, setpoint: Setpoint, takes_curve: bool) -> DroopSetpoint | None:
    """The droop that a Setpoint asks for, be it as a frequency-watt curve that no model takes."""
    if setpoint.droop is not None or takes_curve:
        return setpoint.droop
    curve = next((curve for curve in setpoint.curves if curve.mode == FREQ_WATT), None)
    return droop_of(curve, nominal_hz(wish_map)) if curve else None
