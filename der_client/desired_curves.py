"""Curves, droop and enter-service settings of a DER in engineering units. Pure. IEEE 2030.5-2018, 10.10."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from der_client.device import CurvePoint, CurveSetpoint, DroopSetpoint, EnterServiceSetpoint
from der_client.quantity import hundredths, scaled
from function_sets import ModeSource
from schemas import DefaultDERControl, DERCurve, DERCurveLink, FreqDroopType
from schemas.codes import DERCurveType, DERUnitRefType

R = DERUnitRefType
Y_REFS: Final[Mapping[str, frozenset[int]]] = {
    "opModFreqWatt": frozenset({R.SET_MAX_W, R.STAT_W_AVAIL}),
    "opModVoltVar": frozenset({R.SET_MAX_W, R.SET_MAX_VAR, R.STAT_VAR_AVAIL}),
    "opModVoltWatt": frozenset({R.SET_MAX_W, R.SET_MAX_CHARGE_RATE_W, R.STAT_W_AVAIL}),
    "opModWattVar": frozenset({R.SET_MAX_VAR, R.STAT_VAR_AVAIL}),
}
"""What y may refer to, for the curves whose y is a percentage of something. IEEE 2030.5-2018, 10.10."""
MOST_POINTS: Final = 10
MILLI: Final = -3


def curves_in_force(
    modes: Mapping[str, ModeSource], curves: Mapping[str, DERCurve]
) -> tuple[tuple[CurveSetpoint, ...], frozenset[str]]:
    """The curve of each mode that names one, in the order of their names, and the modes without a good one.

    Of freq-watt and droop only one is followed: that of an event before that of a default, else droop, which
    CSIP prefers; the other is unmet.
    """
    named = {mode: source.value for mode, source in modes.items() if isinstance(source.value, DERCurveLink)}
    found = {mode: curve for mode, link in named.items() if (curve := curves.get(link.href)) is not None}
    good = {mode: curve for mode, curve in found.items() if curve_flaw(mode, curve) is None}
    if _droop_wins(modes):
        good.pop("opModFreqWatt", None)
    return tuple(_setpoint(mode, good[mode]) for mode in sorted(good)), frozenset(named) - good.keys()


def curve_flaw(mode: str, curve: DERCurve) -> str | None:
    """Why a curve cannot serve a mode, None where it can. IEEE 2030.5-2018, 10.10 (DERCurve)."""
    if curve.curveType != DERCurveType[mode]:
        return f"curveType {curve.curveType} is not that of {mode}"
    if not 1 <= len(curve.CurveData_) <= MOST_POINTS:
        return f"{len(curve.CurveData_)} points: 1 to {MOST_POINTS} are wanted"
    if any(one.xvalue > other.xvalue for one, other in pairwise(curve.CurveData_)):
        return "x goes back"
    if curve.yRefType not in Y_REFS.get(mode, {curve.yRefType}):
        return f"yRefType {curve.yRefType} is not for {mode}"
    return None


def droop_in_force(modes: Mapping[str, ModeSource]) -> tuple[DroopSetpoint | None, frozenset[str]]:
    """The frequency droop that is asked for, and the mode if freq-watt of an event is followed instead."""
    source = modes.get("opModFreqDroop")
    if source is None or not isinstance(source.value, FreqDroopType):
        return None, frozenset()
    if "opModFreqWatt" in modes and not _droop_wins(modes):
        return None, frozenset({"opModFreqDroop"})
    value = source.value
    droop = DroopSetpoint(
        dead_band_over_hz=scaled(value.dBOF, MILLI),
        dead_band_under_hz=scaled(value.dBUF, MILLI),
        slope_over=scaled(value.kOF, MILLI),
        slope_under=scaled(value.kUF, MILLI),
        open_loop_s=value.openLoopTms / 100,
    )
    return droop, frozenset()


def enter_service_of(default: DefaultDERControl | None) -> EnterServiceSetpoint | None:
    """When the DER may enter service by the setES* of a default, None where it says nothing of it."""
    if default is None:
        return None
    found = EnterServiceSetpoint(
        high_v_pct=hundredths(default.setESHighVolt),
        low_v_pct=hundredths(default.setESLowVolt),
        high_hz=hundredths(default.setESHighFreq),
        low_hz=hundredths(default.setESLowFreq),
        delay_s=hundredths(default.setESDelay),
        random_delay_s=hundredths(default.setESRandomDelay),
        ramp_s=hundredths(default.setESRampTms),
    )
    return None if found == EnterServiceSetpoint() else found


def _droop_wins(modes: Mapping[str, ModeSource]) -> bool:
    """True if droop is followed where freq-watt is asked for too."""
    droop, curve = modes.get("opModFreqDroop"), modes.get("opModFreqWatt")
    if droop is None or not isinstance(droop.value, FreqDroopType):
        return False
    return curve is None or droop.mRID is not None or curve.mRID is None


def _setpoint(mode: str, curve: DERCurve) -> CurveSetpoint:
    is_volt_var = mode == "opModVoltVar"
    return CurveSetpoint(
        mode=mode,
        points=tuple(
            CurvePoint(
                x=scaled(one.xvalue, curve.xMultiplier),
                y=scaled(one.yvalue, curve.yMultiplier),
                absorbing=one.excitation if mode == "opModWattPF" else None,
            )
            for one in curve.CurveData_
        ),
        y_ref=int(curve.yRefType),
        open_loop_s=hundredths(curve.openLoopTms),
        v_ref_pct=hundredths(curve.vRef) if is_volt_var else None,
        autonomous_v_ref=curve.autonomousVRefEnable if is_volt_var else None,
        autonomous_v_ref_s=hundredths(curve.autonomousVRefTimeConstant) if is_volt_var else None,
        ramp_up_pct_per_s=hundredths(curve.rampIncTms),
        ramp_down_pct_per_s=hundredths(curve.rampDecTms),
        ramp_pt1_s=hundredths(curve.rampPT1Tms),
    )
