"""What a DERControl and a DERCurve must be before they are published. IEEE 2030.5-2018, 10.10 and 10.2.3."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from function_sets import latest_end, randomization_of
from schemas import (
    ActivePower,
    DERControlBase,
    DERCurve,
    DERCurveLink,
    Event,
    PowerFactorWithExcitation,
    codes,
    spec_of,
)
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.rows import LATEST

Curves = Callable[[str], DERCurve | None]
"""The curve at an href, None where there is none."""

NOT_MODES: Final = frozenset({"rampTms"})
MAGNITUDES: Final = ("opModExpLimW", "opModImpLimW", "opModGenLimW", "opModLoadLimW")
"""Limits that have a direction in their name and no sign. CSIP-AUS 2.2."""
POWER_FACTORS: Final = ("opModFixedPFAbsorbW", "opModFixedPFInjectW")
VAR_REFERENCES: Final = (1, 2, 3)
"""What the value of opModFixedVar may refer to: setMaxW, setMaxVar, statVarAvail. IEEE 2030.5-2018, 10.10."""
RESPONSE_BITS: Final = 0x07
Y_REFERENCES: Final[Mapping[str, tuple[int, ...]]] = {
    "opModFreqWatt": (1, 7),
    "opModVoltVar": (1, 2, 3),
    "opModVoltWatt": (1, 5, 7),
    "opModWattVar": (2, 3),
}
"""What y of a curve may refer to, by the mode that follows it. IEEE 2030.5-2018, 10.10."""


def curve_fields(base: DERControlBase) -> dict[str, str]:
    """The curve modes that are present, each with the href of its curve."""
    return {
        f.name: held.href
        for f in spec_of(_class_of(base))
        if isinstance(held := getattr(base, f.attr), DERCurveLink)
    }


def modes_present(base: DERControlBase) -> tuple[str, ...]:
    """Names of the control modes that are present."""
    held = [f.name for f in spec_of(_class_of(base)) if getattr(base, f.attr) is not None]
    return tuple(name for name in held if name not in NOT_MODES)


def check_modes(base: DERControlBase, curves: Curves, *, at_least_one: bool) -> None:
    """Every curve exists and fits its mode, so that each type is there once at most; or BadRequest.

    So is a value that a mode cannot have, however well it can be written.
    """
    if at_least_one and not modes_present(base):
        known = ", ".join(f.name for f in spec_of(_class_of(base)) if f.name not in NOT_MODES)
        raise BadRequest("DERControlBase: no control mode is given", f"give at least one of {known}")
    for mode, href in curve_fields(base).items():
        _check_curve(mode, href, curves(href))
    for mode in MAGNITUDES:
        limit: ActivePower | None = getattr(base, mode, None)
        if limit is not None and limit.value < 0:
            raise BadRequest(
                f"DERControlBase.{mode}: {limit.value} is negative",
                "give a magnitude: 0 W or more, as in 5kW",
            )
    _check_reactive(base)


def check_event(event: Event, now: int) -> None:
    """The interval, its randomisation and the Responses make sense at `now`, s since 1970 UTC."""
    interval = event.interval
    end = interval.start + interval.duration
    if latest_end(event) > LATEST:
        raise BadRequest("start: the end is beyond 64 bits", "give an earlier start")
    if end <= now:
        raise Conflict(
            f"start: the event would be over since {now - end} s", "give a later start or a longer duration"
        )
    shorter = -randomization_of(event)[1]
    if shorter >= interval.duration:
        raise BadRequest(
            f"randomizeDuration: {-shorter} s would leave nothing of {interval.duration} s",
            f"allowed: {1 - interval.duration} to 3600",
        )
    for name in ("responseRequired", "deviceCategory"):
        digits = getattr(event, name, None)
        if digits is not None and not digits.strip():
            raise BadRequest(f"{name}: there are no digits", "give hex digits, or leave it out")
    if int(event.responseRequired or "00", 16) & ~RESPONSE_BITS:
        raise BadRequest(f"responseRequired: {event.responseRequired} has unknown bits", "allowed: 00 to 07")


def check_curve(curve: DERCurve) -> None:
    """A curve has only what its type may have, and y refers to something that fits. BadRequest otherwise.

    IEEE 2030.5-2018, 10.10 (DERCurve).
    """
    mode = _mode_of(curve)
    is_volt_var = mode == "opModVoltVar"
    volt_var_only = (curve.autonomousVRefEnable, curve.autonomousVRefTimeConstant, curve.vRef)
    if not is_volt_var and any(value is not None for value in volt_var_only):
        raise BadRequest("vRef: only a volt-var curve has it", "leave out vRef and autonomousVRef*")
    if mode != "opModWattPF" and any(point.excitation is not None for point in curve.CurveData_):
        raise BadRequest("CurveData.excitation: only a watt-PF curve has it", "leave it out")
    if mode == "opModWattPF":
        _check_factors(curve)
    allowed = Y_REFERENCES.get(mode)
    if allowed is not None and curve.yRefType not in allowed:
        names = ", ".join(f"{codes.DERUnitRefType(n).name} ({n})" for n in allowed)
        raise BadRequest(f"yRefType: {curve.yRefType} does not fit {mode}", f"allowed: {names}")


def _check_factors(curve: DERCurve) -> None:
    """Every y is a power factor: its direction is in the excitation. BadRequest otherwise."""
    for point in curve.CurveData_:
        if not 0 <= Decimal(point.yvalue).scaleb(curve.yMultiplier) <= 1:
            raise BadRequest(
                f"CurveData.yvalue: {point.yvalue} x 10^{curve.yMultiplier} is no power factor",
                "give 0 to 1, as in 0.95, and the excitation",
            )


def _check_reactive(base: DERControlBase) -> None:
    """No power factor is above 1, and reactive power refers to something. BadRequest otherwise."""
    for mode in POWER_FACTORS:
        factor: PowerFactorWithExcitation | None = getattr(base, mode)
        if factor is not None and Decimal(factor.displacement).scaleb(factor.multiplier) > 1:
            raise BadRequest(
                f"DERControlBase.{mode}: {factor.displacement} x 10^{factor.multiplier} is above 1",
                "give a power factor, as in 0.95 under-excited",
            )
    var = base.opModFixedVar
    if var is not None and var.refType not in VAR_REFERENCES:
        names = ", ".join(f"{codes.DERUnitRefType(n).name} ({n})" for n in VAR_REFERENCES)
        raise BadRequest(f"DERControlBase.opModFixedVar.refType: {var.refType}", f"allowed: {names}")


def _check_curve(mode: str, href: str, curve: DERCurve | None) -> None:
    if curve is None:
        raise BadRequest(
            f"DERControlBase.{mode}: no curve is at {href[:120]}",
            "make one first: lineside op curve add --help",
        )
    if _mode_of(curve) != mode:
        raise BadRequest(
            f"DERControlBase.{mode}: the curve at {href[:120]} is for {_mode_of(curve)}",
            f"link a curve of curveType {int(codes.DERCurveType[mode])} ({mode})",
        )


def _mode_of(curve: DERCurve) -> str:
    known = {int(code): code.name for code in codes.DERCurveType}
    if curve.curveType not in known:
        raise BadRequest(
            f"curveType: {curve.curveType} is not known", f"allowed: {', '.join(known.values())}"
        )
    return known[curve.curveType]


def _class_of(base: DERControlBase) -> type:
    return type(base)
