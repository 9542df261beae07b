"""Points of a curve in natural units and on the wire, exactly. IEEE 2030.5-2018, 10.10 (DERCurve)."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from schemas import DERCurve, Json
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.natural import EXCITATIONS
from sep2_server.operator.quantities import MULTIPLIERS, plain

MOST_DIGITS: Final = 30
"""Places before or behind the point that a coordinate may have; the wire holds fewer."""
_INT32: Final = 2**31


def points_of(curve: DERCurve) -> list[Json]:
    """The points of a curve as `[x, y]` texts in natural units, with the excitation where it is given."""
    words = {True: ["under-excited"], False: ["over-excited"], None: []}
    return [
        [_axis(p.xvalue, curve.xMultiplier), _axis(p.yvalue, curve.yMultiplier), *words[p.excitation]]
        for p in curve.CurveData_
    ]


def curve_data(points: object) -> dict[str, Any]:
    """CurveData and multipliers of points `[x, y]` (and excitation) in natural units, exactly."""
    if not isinstance(points, list) or not all(isinstance(p, list) and 2 <= len(p) <= 3 for p in points):
        raise BadRequest("points: not a list of [x, y]", "give 1 to 10 points such as [92, 44]")
    x_multiplier, xs = _scaled([_number(p[0]) for p in points], "x")
    y_multiplier, ys = _scaled([_number(p[1]) for p in points], "y")
    data: list[dict[str, Any]] = [{"xvalue": x, "yvalue": y} for x, y in zip(xs, ys, strict=True)]
    for entry, point in zip(data, points, strict=True):
        if len(point) == 3:
            entry["excitation"] = _excitation(point[2])
    return {"CurveData": data, "xMultiplier": x_multiplier, "yMultiplier": y_multiplier}


def _scaled(values: Sequence[Decimal], axis: str) -> tuple[int, list[int]]:
    """The power of ten nearest to 0 that makes all values whole, and the values in it."""
    for multiplier in sorted(MULTIPLIERS, key=lambda m: (m > 0, abs(m))):
        steps = [value.scaleb(-multiplier) for value in values]
        if all(step == step.to_integral_value() and -_INT32 <= step < _INT32 for step in steps):
            return multiplier, [int(step) for step in steps]
    raise BadRequest(f"points: the {axis} values do not fit the wire", "give fewer digits (32 bits)")


def _number(value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite() and abs(number.adjusted()) > MOST_DIGITS:
        raise BadRequest(f"points: {value!r:.40} does not fit the wire", "give numbers such as 92.5")
    if isinstance(value, bool) or not number.is_finite():
        raise BadRequest(f"points: {value!r:.40} is no number", "give numbers such as 92.5")
    return number


def _excitation(word: object) -> bool:
    if not isinstance(word, str) or word not in EXCITATIONS:
        raise BadRequest(f"points: {word!r:.40} is no excitation", f"allowed: {', '.join(EXCITATIONS)}")
    return EXCITATIONS[word]


def _axis(value: int, multiplier: int) -> str:
    return plain(Decimal(value).scaleb(multiplier))
