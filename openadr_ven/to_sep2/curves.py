"""CURVE: points per unit become a DERCurve in percent. Which curve it is, the programme says."""

from collections.abc import Mapping
from typing import Final

from openadr_ven.events import Code, Point
from openadr_ven.to_sep2.amounts import FULL, whole
from openadr_ven.to_sep2.fleet import DERS, Device
from openadr_ven.to_sep2.programme import PFSide
from openadr_ven.to_sep2.replies import Verdict, each, refusal, refused
from openadr_ven.to_sep2.wishes import Ask, Follow, Reply
from schemas.codes import DERCurveType, DERUnitRefType

MULTIPLIER: Final = -2
PF_MULTIPLIER: Final = -3
"""Of the y of a power factor curve: 0.95 is 950."""
MOST_POINTS: Final = 10
Y_REFERENCES: Final[Mapping[DERCurveType, DERUnitRefType]] = {
    DERCurveType.opModVoltVar: DERUnitRefType.SET_MAX_VAR,
    DERCurveType.opModVoltWatt: DERUnitRefType.SET_MAX_W,
    DERCurveType.opModWattVar: DERUnitRefType.SET_MAX_VAR,
    DERCurveType.opModFreqWatt: DERUnitRefType.SET_MAX_W,
    DERCurveType.opModWattPF: DERUnitRefType.NOT_APPLICABLE,
}
"""The curves that a programme may mean, and what their y refers to. IEEE 2030.5-2018, 10.10."""


def curve(ask: Ask) -> Reply:
    """The curve to follow. Of a frequency curve x is in Hz; of a power factor curve y is the factor."""
    kind = ask.programme.curve_type
    if kind is None or kind not in Y_REFERENCES:
        return refused(ask, "the programme does not say which curve it is")
    points = [one for one in ask.values if isinstance(one, Point)]
    if len(points) != len(ask.values) or not 1 <= len(points) <= MOST_POINTS:
        return refused(ask, f"{len(ask.values)} values are not 1 to {MOST_POINTS} points", Code.INVALID_DATA)
    side, is_factor = ask.programme.pf_side, kind is DERCurveType.opModWattPF
    if is_factor and side is None:
        return refused(ask, "the programme does not say on which side its power factors are")
    if is_factor and not all(0 < one.y <= 1 for one in points):
        return refused(ask, "a power factor is more than 0 and at most 1", Code.INVALID_DATA)
    y_scale = 10**-PF_MULTIPLIER if is_factor else FULL
    x_scale = 100 if kind is DERCurveType.opModFreqWatt else FULL
    follow = Follow(
        curveType=kind,
        yRefType=int(Y_REFERENCES[kind]),
        points=tuple((whole(one.x * x_scale), whole(one.y * y_scale)) for one in points),
        excitation=side is PFSide.ABSORBING if is_factor else None,
    )

    def verdict(device: Device) -> Verdict:
        return follow if device.kind in DERS else refusal(ask, "for DERs only")

    return each(ask, verdict)
