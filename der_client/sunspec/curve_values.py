"""What stands in the registers of a curve: engineering values by point of one stored curve. Pure.

Names count from the curve (`Pt[0].V`, `MustTrip.ActPt`), so that they fit each of a model's curves. All raise
ValueError for a curve that a model cannot hold. IEEE 2030.5-2018, 10.10 (DERCurve, FreqDroopType).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise

from der_client.device import CurvePoint, CurveSetpoint, DroopSetpoint
from der_client.sunspec.controls_123 import signed_factor
from der_client.sunspec.curve_forms import CurveForm
from der_client.sunspec.drafts import MappingSettings
from der_client.sunspec.writes import Wanted

REACTIVE_FIRST = 1
NEVER_HZ = 10.0
FULL_PCT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The values of one stored curve: those that it must have, and those for a device that has the points.

    `is_exact`: a value that the registers can only hold rounded is refused.
    """

    required: Mapping[str, Wanted]
    optional: Mapping[str, Wanted] = field(default_factory=dict)
    is_exact: bool = False

    def joined(self, other: "Content") -> "Content":
        """The values of two curves that one stored set holds."""
        return Content(
            required={**self.required, **other.required},
            optional={**self.optional, **other.optional},
            is_exact=self.is_exact or other.is_exact,
        )


def content_of(form: CurveForm, curve: CurveSetpoint, settings: MappingSettings) -> Content:
    """The values of a curve in one of the forms that models have for it."""
    _check(form, curve.points)
    points = {name: Wanted(value) for name, value in _points(form, curve.points, settings)}
    required: dict[str, Wanted] = {_path(form, "ActPt"): Wanted(len(curve.points)), **points}
    if form.refs:
        required["DeptRef"] = Wanted(_reference(form, curve.y_ref))
    extras = dict(_extras(form, curve)) if form.is_adopted else {}
    if curve.autonomous_v_ref and form.is_adopted:
        required["VRefAutoEna"] = extras.pop("VRefAutoEna")
    if form.model_id == 134:
        extras["SnptW"] = Wanted(0)
    return Content(required=required, optional=extras, is_exact=form.is_trip)


def droop_content(droop: DroopSetpoint) -> Content:
    """The values of a frequency droop in model 711; the least power stays as it is."""
    return Content(
        required={
            "DbOf": Wanted(droop.dead_band_over_hz),
            "DbUf": Wanted(droop.dead_band_under_hz),
            "KOf": _slope(droop.slope_over),
            "KUf": _slope(droop.slope_under),
            "RspTms": Wanted(droop.open_loop_s),
        }
    )


def _slope(value: float) -> Wanted:
    """A slope for its register; one that becomes 0 there would be a step from full power to none."""
    return Wanted(value, never_zero=value != 0)


def neutral_of(model_id: int, content: Content) -> Content | None:
    """The values of a curve that asks for nothing, `None` for a model that has none.

    Reactive power 0 (705, 712), no limit (706), a dead band that no grid leaves (711).
    """
    neutral = {705: {"Var": 0.0}, 706: {"W": FULL_PCT}, 712: {"Var": 0.0}}.get(model_id, {})
    neutral = {"DbOf": NEVER_HZ, "DbUf": NEVER_HZ} if model_id == 711 else neutral
    if not neutral:
        return None
    required = {
        name: Wanted(neutral[end]) if (end := name.rpartition(".")[2]) in neutral else wanted
        for name, wanted in content.required.items()
    }
    return replace(content, required=required)


def droop_of(curve: CurveSetpoint, nominal_hz: float) -> DroopSetpoint | None:
    """The droop that a frequency-watt curve is, `None` if it is more than a dead band and one slope.

    The slope must lead to no power at all: beyond the last point a curve stays level, a droop goes on.
    Under-frequency is not answered.
    """
    *level, first, last = curve.points if len(curve.points) > 1 else (None, None, None)
    if first is None or last is None or any(p is None or p.y != FULL_PCT for p in (*level, first)):
        return None
    if last.y != 0 or not nominal_hz <= first.x < last.x or curve.y_ref not in {0, 1}:
        return None
    return DroopSetpoint(
        dead_band_over_hz=round(first.x - nominal_hz, 6),
        dead_band_under_hz=NEVER_HZ,
        slope_over=round((last.x - first.x) / nominal_hz, 6),
        slope_under=round((last.x - first.x) / nominal_hz, 6),
        open_loop_s=5.0 if curve.open_loop_s is None else curve.open_loop_s,
    )


def _check(form: CurveForm, points: Sequence[CurvePoint]) -> None:
    if not points:
        msg = f"{form.mode}: a curve without points"
        raise ValueError(msg)
    if not form.is_trip and any(after.x <= before.x for before, after in pairwise(points)):
        msg = f"{form.mode}: the points do not rise"
        raise ValueError(msg)


def _reference(form: CurveForm, y_ref: int) -> int:
    if y_ref not in form.refs:
        msg = f"{form.mode}: a curve in units of DERUnitRefType {y_ref}"
        raise ValueError(msg)
    return form.refs[y_ref]


def _path(form: CurveForm, name: str) -> str:
    return f"{form.part}.{name}" if form.part else name


def _points(
    form: CurveForm, points: Sequence[CurvePoint], settings: MappingSettings
) -> Iterator[tuple[str, float]]:
    """Point names and values; what trips is (seconds, level) in IEEE 2030.5 and (level, seconds) here."""
    for index, point in enumerate(points):
        x, y = (point.y, point.x) if form.is_trip else (point.x, _y(form, point, settings))
        for axis, value in ((form.x, x), (form.y, y)):
            yield (_path(form, f"Pt[{index}].{axis}") if form.is_adopted else f"{axis}{index + 1}"), value


def _y(form: CurveForm, point: CurvePoint, settings: MappingSettings) -> float:
    if not form.is_factor:
        return point.y
    return signed_factor(point.y, absorbing=bool(point.absorbing), settings=settings)


def _extras(form: CurveForm, curve: CurveSetpoint) -> Iterator[tuple[str, Wanted]]:
    """The settings of a curve beside its points, as far as they are given."""
    if form.model_id in {705, 712}:
        yield "Pri", Wanted(REACTIVE_FIRST)
    if form.is_trip:
        return
    given = {
        "VRef": curve.v_ref_pct,
        "VRefAutoEna": None if curve.autonomous_v_ref is None else int(curve.autonomous_v_ref),
        "VRefAutoTms": curve.autonomous_v_ref_s,
        "RspTms": curve.open_loop_s,
    }
    for name, value in given.items():
        if value is not None:
            yield name, Wanted(value)


def exactly(wanted: Wanted, raw: int, exponent: int) -> bool:
    """True if registers hold a value as it is, not rounded."""
    return abs(Decimal(repr(wanted.value)) - Decimal(raw).scaleb(exponent)) <= Decimal("1e-9")


def with_value(content: Content, name: str, value: float) -> Content:
    """The content with one more value for a device that has the point."""
    return replace(content, optional={**content.optional, name: Wanted(value)})
