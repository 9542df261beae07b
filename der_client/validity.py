"""Whether what a DERControl asks for makes sense. Pure. IEEE 2030.5-2018, 10.10 and CSIP-AUS."""

from collections.abc import Mapping
from typing import Final

from der_client.desired import GENERATION_LIMITS, LOAD_LIMITS
from der_client.desired_curves import curve_flaw
from der_client.quantity import scaled
from function_sets import modes_of
from schemas import ActivePower, DERControl, DERCurve, DERCurveLink, FixedVar, PowerFactorWithExcitation
from schemas.codes import DERUnitRefType

WHOLE: Final = 10_000
"""100 % in hundredths."""
VAR_REFS: Final = frozenset(
    {DERUnitRefType.SET_MAX_W, DERUnitRefType.SET_MAX_VAR, DERUnitRefType.STAT_VAR_AVAIL}
)
MAGNITUDES: Final = frozenset({*GENERATION_LIMITS, *LOAD_LIMITS})


def flaw_of(control: DERControl, curves: Mapping[str, DERCurve]) -> str | None:
    """What makes no sense in a DERControl, None where all does.

    A curve that has not been read yet is no flaw; one of another type than its mode, or whose x goes back,
    is one.
    """
    for mode, value in modes_of(control.DERControlBase_).items():
        flaw = _flaw(mode, value, curves)
        if flaw is not None:
            return f"{mode}: {flaw}"
    return None


def _flaw(mode: str, value: object, curves: Mapping[str, DERCurve]) -> str | None:
    flaw: str | None = None
    match value:
        case DERCurveLink():
            curve = curves.get(value.href)
            flaw = None if curve is None else curve_flaw(mode, curve)
        case PowerFactorWithExcitation():
            factor = scaled(value.displacement, value.multiplier)
            flaw = None if 0.0 < factor <= 1.0 else f"a power factor of {factor:g}"
        case FixedVar():
            flaw = _percent_flaw(value.value) if value.refType in VAR_REFS else f"refType {value.refType}"
        case ActivePower() if mode in MAGNITUDES and value.value < 0:
            flaw = "a limit below 0 W"
        case int():
            flaw = _percent_flaw(value)
    return flaw


def _percent_flaw(value: int) -> str | None:
    return None if abs(value) <= WHOLE else f"{value / 100:g} %"
