"""A Setpoint as ordered register writes to whatever models a device has for it. Pure functions.

SunSpec models 121 to 142 and 703 to 715; IEEE 2030.5-2018, 10.10 (DERControlBase).
"""

from collections.abc import Mapping
from dataclasses import replace

from der_client.device import Reversion, Setpoint
from der_client.sunspec.capabilities import LIMITS, POINTS, executor
from der_client.sunspec.controls_123 import plan_legacy
from der_client.sunspec.controls_704 import plan_controls, plan_ramp
from der_client.sunspec.curve_forms import form_for
from der_client.sunspec.curve_plans import FREQ_WATT, plan_curves, with_droop
from der_client.sunspec.drafts import REACTIVE_ORDER, Bases, CurveBefore, Draft, MappingSettings, Plan, Wish
from der_client.sunspec.functions import FULL_PCT
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.service import plan_contactor, plan_enter_service, plan_service
from der_client.sunspec.storage_124 import plan_storage

__all__ = ["MappingSettings", "Plan", "plan"]

PCT_OF_W = 1
"""DERUnitRefType of percent of setMaxW."""
FIELDS_OF = {"pf": ("pf_inject", "pf_absorb"), "var": ("var",)}
PLANNED = (
    plan_ramp,
    plan_enter_service,
    plan_controls,
    plan_legacy,
    plan_storage,
    plan_curves,
    plan_service,
    plan_contactor,
)


def plan(
    device_map: DeviceMap,
    setpoint: Setpoint,
    reversion: Reversion,
    settings: MappingSettings | None = None,
    *,
    restore: frozenset[str] = frozenset(),
    before: Mapping[int, CurveBefore] | None = None,
) -> Plan:
    """The writes that a Setpoint needs, in the order in which power may not overshoot on the way.

    What conflicts stops first; then ramp, limit, setpoints; what is released; curves; the connection last.
    `restore` names the fields by which an earlier Setpoint took the device out of service: those that this
    one leaves free bring it back. `before` tells how curve models were that this client has changed. A
    function that the device lacks, or a value that its registers cannot hold, is unsupported.
    """
    settings = settings or MappingSettings()
    draft = Draft(settings.write_only)
    bases = Bases.of(device_map, settings)
    given, to = (_of_device(each, bases) for each in (setpoint, reversion.to))
    default = _above_standby(_resting(_with_droop(device_map, to, settings), bases), settings)
    chosen = _with_one_reactive(_with_droop(device_map, given, settings), settings, draft)
    effective = _above_standby(_resting(chosen, bases), settings)
    wish = Wish(
        device_map=device_map,
        setpoint=effective,
        reversion=replace(reversion, to=default),
        settings=settings,
        bases=bases,
        restore=restore,
        before=before or {},
    )
    _refuse_missing(wish, chosen, draft)
    for part in PLANNED:
        part(wish, draft)
    _follow_limit(wish, draft)
    if "droop" in draft.unsupported and setpoint.droop is None:
        draft.refuse([FREQ_WATT])
    made = draft.plan()
    return replace(made, unsupported=made.unsupported & _fields_of(setpoint))


def _of_device(setpoint: Setpoint, bases: Bases) -> Setpoint:
    """The Setpoint with percentages of setMaxW as those of the WMax of the device; a full limit stays one.

    IEEE 2030.5-2018, 10.10 (DERSettings): setMaxW is no more than the rating, whatever the device holds.
    """
    limit_pct, var, share = setpoint.max_w_pct, setpoint.var, bases.share
    if limit_pct is not None and limit_pct < FULL_PCT:
        setpoint = replace(setpoint, max_w_pct=limit_pct * share)
    if var is not None and var.ref == PCT_OF_W:
        setpoint = replace(setpoint, var=replace(var, value=var.value * share))
    ramps = {name: getattr(setpoint, name) for name in ("grad_w_pct_per_s", "soft_grad_w_pct_per_s")}
    scaled = {name: value * share for name, value in ramps.items() if value is not None}
    return replace(setpoint, **scaled)


def _with_droop(device_map: DeviceMap, setpoint: Setpoint, settings: MappingSettings) -> Setpoint:
    """The Setpoint with a frequency-watt curve as a droop, where it is one and the device takes no curve."""
    takes_curve = form_for(device_map, FREQ_WATT, settings.permissions) is not None
    droop = with_droop(device_map, setpoint, takes_curve)
    if droop is setpoint.droop:
        return setpoint
    curves = tuple(curve for curve in setpoint.curves if curve.mode != FREQ_WATT)
    return replace(setpoint, droop=droop, curves=curves)


def _with_one_reactive(setpoint: Setpoint, settings: MappingSettings, draft: Draft) -> Setpoint:
    """Of several reactive modes only one can be in force; the others are unsupported."""
    order = dict.fromkeys((*settings.reactive_order, *REACTIVE_ORDER))
    asked = [name for name in order if _asks(setpoint, name)]
    for name in asked[1:]:
        fields = FIELDS_OF.get(name, ())
        draft.refuse(field for field in fields if getattr(setpoint, field) is not None)
        if not fields:
            draft.refuse([name])
        curves = tuple(curve for curve in setpoint.curves if curve.mode != name)
        setpoint = replace(setpoint, curves=curves)
        for field in fields:
            setpoint = _cleared(setpoint, field)
    return setpoint


def _cleared(setpoint: Setpoint, field: str) -> Setpoint:
    if field == "var":
        return replace(setpoint, var=None)
    return replace(setpoint, pf_inject=None, pf_absorb=None)


def _asks(setpoint: Setpoint, name: str) -> bool:
    fields = FIELDS_OF.get(name)
    if fields is None:
        return any(curve.mode == name for curve in setpoint.curves)
    return any(getattr(setpoint, field) is not None for field in fields)


def _resting(setpoint: Setpoint, bases: Bases) -> Setpoint:
    """The Setpoint with power brought to 0 before the connection opens, or where no timer can open it."""
    if setpoint.connect is not False and setpoint.energize is not False:
        return setpoint
    return replace(setpoint, max_w_pct=0.0, target_w=0.0 if bases.max_charge_w else None)


def _above_standby(setpoint: Setpoint, settings: MappingSettings) -> Setpoint:
    """The Setpoint with a limit that sends the device to standby as what it is then: nothing."""
    limit_pct = setpoint.max_w_pct
    if limit_pct is None or not 0 < limit_pct < settings.min_limit_pct:
        return setpoint
    return replace(setpoint, max_w_pct=0.0)


def _refuse_missing(wish: Wish, asked: Setpoint, draft: Draft) -> None:
    """Refuse the fields that no model of the device executes."""
    draft.refuse(
        name
        for name in POINTS
        if name != "max_charge_w"
        and getattr(asked, name) is not None
        and executor(wish.device_map, name, wish.settings) is None
    )


def _follow_limit(wish: Wish, draft: Draft) -> None:
    """To cease to energise by a limit is as unsupported, and as unguarded, as the limit is."""
    by_limit = executor(wish.device_map, "energize", wish.settings) in LIMITS
    if wish.setpoint.energize is not False or not by_limit:
        return
    for names in (draft.unsupported, draft.unguarded):
        if "max_w_pct" in names:
            names.add("energize")


def _fields_of(setpoint: Setpoint) -> frozenset[str]:
    """Names under which a part of the Setpoint can be unsupported: its fields, of curves the modes."""
    names = ("enter_service", "soft_grad_w_pct_per_s", "droop", *POINTS)
    fields = {name for name in names if getattr(setpoint, name) is not None}
    contactor = {"open_contactor"} if setpoint.open_contactor else set()
    return frozenset(fields | contactor | {curve.mode for curve in setpoint.curves})
