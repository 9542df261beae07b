"""How each curve of IEEE 2030.5 stands in a SunSpec model: one row for each mode and series. Pure.

SunSpec models 705 to 712 and 126 to 142; IEEE 2030.5-2018, 10.10 (DERCurve).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.permissions import Permissions

BY_VAR: Mapping[int, int] = {1: 0, 2: 1, 3: 2}
BY_W: Mapping[int, int] = {1: 0, 7: 1}
READ_WRITE = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveForm:
    """One curve of a model. `x` and `y` are the points for the axes as SunSpec has them.

    `refs` turns DERUnitRefType into DeptRef (empty: the axis has one unit). `part` is the group that the
    curve is of its set (`MustTrip`). `is_trip`: IEEE 2030.5 gives (seconds, level), SunSpec (level, seconds).
    `is_factor`: y is a power factor.
    """

    mode: str
    model_id: int
    x: str
    y: str
    refs: Mapping[int, int] = field(default_factory=dict)
    part: str = ""
    is_trip: bool = False
    is_factor: bool = False

    @property
    def is_adopted(self) -> bool:
        """True for the series in which a device adopts a stored curve on request."""
        return self.model_id > 700


def _trip(mode: str, model_id: int, part: str, axis: str) -> CurveForm:
    return CurveForm(mode=mode, model_id=model_id, x=axis, y="Tms", part=part, is_trip=True)


def _older_trip(mode: str, model_id: int, axis: str) -> CurveForm:
    return CurveForm(mode=mode, model_id=model_id, x=axis, y="Tms", is_trip=True)


_ALL = (
    CurveForm(mode="opModVoltVar", model_id=705, x="V", y="Var", refs=BY_VAR),
    CurveForm(mode="opModVoltWatt", model_id=706, x="V", y="W", refs=BY_W),
    CurveForm(mode="opModWattVar", model_id=712, x="W", y="Var", refs=BY_VAR),
    _trip("opModLVRTMustTrip", 707, "MustTrip", "V"),
    _trip("opModLVRTMayTrip", 707, "MayTrip", "V"),
    _trip("opModLVRTMomentaryCessation", 707, "MomCess", "V"),
    _trip("opModHVRTMustTrip", 708, "MustTrip", "V"),
    _trip("opModHVRTMayTrip", 708, "MayTrip", "V"),
    _trip("opModHVRTMomentaryCessation", 708, "MomCess", "V"),
    _trip("opModLFRTMustTrip", 709, "MustTrip", "Hz"),
    _trip("opModLFRTMayTrip", 709, "MayTrip", "Hz"),
    _trip("opModHFRTMustTrip", 710, "MustTrip", "Hz"),
    _trip("opModHFRTMayTrip", 710, "MayTrip", "Hz"),
    CurveForm(mode="opModVoltVar", model_id=126, x="V", y="VAr", refs={1: 1, 2: 2, 3: 3}),
    CurveForm(mode="opModVoltWatt", model_id=132, x="V", y="W", refs={1: 1, 7: 2}),
    CurveForm(mode="opModWattPF", model_id=131, x="W", y="PF", is_factor=True),
    CurveForm(mode="opModFreqWatt", model_id=134, x="Hz", y="W"),
    _older_trip("opModLVRTMustTrip", 129, "V"),
    _older_trip("opModHVRTMustTrip", 130, "V"),
    _older_trip("opModLFRTMustTrip", 135, "Hz"),
    _older_trip("opModHFRTMustTrip", 136, "Hz"),
    _older_trip("opModLVRTMayTrip", 137, "V"),
    _older_trip("opModHVRTMayTrip", 138, "V"),
    _older_trip("opModLVRTMomentaryCessation", 139, "V"),
    _older_trip("opModHVRTMomentaryCessation", 140, "V"),
    _older_trip("opModLFRTMayTrip", 141, "Hz"),
    _older_trip("opModHFRTMayTrip", 142, "Hz"),
)
FORMS: Mapping[str, tuple[CurveForm, ...]] = {
    mode: tuple(form for form in _ALL if form.mode == mode) for mode in dict.fromkeys(f.mode for f in _ALL)
}
"""The forms of each mode, that of the newer series first."""
GROUPS: Mapping[int, str] = {711: "Ctl", **dict.fromkeys((705, 706, 707, 708, 709, 710, 712), "Crv")}
"""The repeating group of the models whose curves are adopted; the older series calls it `curve`."""


def forms_of(mode: str) -> tuple[CurveForm, ...]:
    """The forms of a mode, the preferred one first; empty for a mode that no model has as a curve."""
    return FORMS.get(mode, ())


def form_for(device_map: DeviceMap, mode: str, permissions: Permissions) -> CurveForm | None:
    """The form in which this device takes a curve, `None` if in none."""
    return next((form for form in forms_of(mode) if is_writable(device_map, form, permissions)), None)


def is_writable(device_map: DeviceMap, form: CurveForm, permissions: Permissions) -> bool:
    """True if the device has the model, may be written to, and keeps a curve that can be written."""
    model = device_map.first(form.model_id)
    return model is not None and permissions.cover_model(form.model_id) and bool(writable_sets(model))


def droop_model(device_map: DeviceMap, permissions: Permissions) -> int | None:
    """The model that takes a frequency droop: 711 with a control that can be written, else 127."""
    newer, older = device_map.first(711), device_map.first(127)
    if newer is not None and writable_sets(newer):
        return 711
    return 127 if older is not None and permissions.cover_model(127) else None


def group_of(model: Model) -> str:
    """The name of a model's repeating group of curves."""
    return GROUPS.get(model.model_id, "curve")


def set_count(model: Model) -> int:
    """Curves that fit the model, whatever its count says."""
    group = group_of(model)
    return next(n for n in count() if model.point(f"{group}[{n}].ReadOnly") is None)


def writable_sets(model: Model) -> tuple[int, ...]:
    """Numbers (from 0) of the curves that may be written.

    Where curves are adopted the first one shows what is in force: it is never written.
    """
    group = group_of(model)
    first = 1 if model.model_id in GROUPS else 0
    return tuple(
        index
        for index in range(first, set_count(model))
        if model.integer(f"{group}[{index}].ReadOnly") == READ_WRITE
    )
