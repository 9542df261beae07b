"""Which model of a device executes what: the newest one that implements it, or none. Pure.

What a planner refuses and what the nameplate does not offer is the same, because both ask here.
"""

from collections.abc import Iterator, Mapping

from der_client.sunspec.curve_forms import FORMS, droop_model, forms_of, is_writable
from der_client.sunspec.drafts import MappingSettings
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.ratings import storage_w

POINTS: Mapping[str, tuple[tuple[int, tuple[str, ...]], ...]] = {
    "max_w_pct": ((704, ("WMaxLimPctEna", "WMaxLimPct")), (123, ("WMaxLim_Ena", "WMaxLimPct"))),
    "target_w": (
        (704, ("WSetEna",)),
        (124, ("StorCtl_Mod", "OutWRte", "InWRte")),
        (123, ("WMaxLim_Ena", "WMaxLimPct")),
    ),
    "pf_inject": ((704, ("PFWInjEna",)), (123, ("OutPFSet_Ena", "OutPFSet"))),
    "pf_absorb": ((704, ("PFWAbsEna",)),),
    "var": ((704, ("VarSetEna",)), (123, ("VArPct_Ena", "VArWMaxPct|VArMaxPct|VArAvalPct"))),
    "connect": ((715, ("OpCtl",)), (703, ("ES",)), (123, ("Conn",))),
    "energize": (
        (703, ("ES",)),
        (704, ("WMaxLimPctEna", "WMaxLimPct")),
        (123, ("WMaxLim_Ena", "WMaxLimPct")),
    ),
    "grad_w_pct_per_s": ((704, ("WRmp",)), (121, ("WGra",))),
    "max_charge_w": ((124, ("StorCtl_Mod", "InWRte")),),
}
"""The models that can execute a field of the Setpoint, the preferred one first, with the points it takes.

Where names are joined by `|` any one of them will do. One whose scale factor is not there cannot be written.
"""
LIMITS = frozenset({704, 123})
"""The models that cease to energise by a limit of nothing."""

RAMPED: Mapping[str, str] = {"max_w_pct": "WMaxLimPct", "pf_inject": "OutPFSet", "var": "VArPct"}
"""Fields that model 123 ramps by itself, with the beginning of its points."""

FIELD_OF_MODE: Mapping[str, str] = {
    "opModMaxLimW": "max_w_pct",
    "opModFixedW": "target_w",
    "opModTargetW": "target_w",
    "opModFixedVar": "var",
    "opModTargetVar": "var",
    "opModFixedPFInjectW": "pf_inject",
    "opModFixedPFAbsorbW": "pf_absorb",
    "opModConnect": "connect",
    "opModEnergize": "energize",
}
CLAIMS: Mapping[str, int] = {
    "opModMaxLimW": 0,
    "opModFixedW": 1,
    "opModTargetW": 1,
    "opModFixedVar": 2,
    "opModTargetVar": 2,
    "opModFixedPFInjectW": 3,
    "opModFixedPFAbsorbW": 3,
    "opModVoltVar": 4,
    "opModFreqDroop": 5,
    "opModFreqWatt": 5,
    "opModLVRTMustTrip": 7,
    "opModLVRTMayTrip": 7,
    "opModLVRTMomentaryCessation": 7,
    "opModHVRTMustTrip": 8,
    "opModHVRTMayTrip": 8,
    "opModHVRTMomentaryCessation": 8,
    "opModWattVar": 9,
    "opModVoltWatt": 10,
    "opModLFRTMustTrip": 12,
    "opModLFRTMayTrip": 12,
    "opModHFRTMustTrip": 13,
    "opModHFRTMayTrip": 13,
}
"""The bit of 702.CtrlModes that claims a mode. SunSpec model 702."""


def executor(device_map: DeviceMap, field: str, settings: MappingSettings) -> int | None:
    """The number of the model that executes a field of the Setpoint, `None` where the device has none."""
    for model_id, names in POINTS[field]:
        model = device_map.first(model_id)
        if model is None or (model_id == 124 and not storage_w(device_map)):
            continue
        if model_id in settings.write_only or all(_has(model, name) for name in names):
            return model_id
    return None


def ramps_of(device_map: DeviceMap, settings: MappingSettings) -> frozenset[str]:
    """Fields of the Setpoint to which the device goes in a time that it is told. Model 123, RmpTms."""
    model = device_map.first(123)
    return frozenset(
        field
        for field, point in RAMPED.items()
        if model is not None
        and executor(device_map, field, settings) == 123
        and model.is_implemented(f"{point}_RmpTms")
    )


def _has(model: Model, names: str) -> bool:
    return any(_is_usable(model, name) for name in names.split("|"))


def _is_usable(model: Model, name: str) -> bool:
    """True if a value can be written to the point: it is there, and so is its scale factor."""
    point = model.point(name)
    return point is not None and model.is_implemented(name) and model.exponent(point) is not None


def modes_of(device_map: DeviceMap, settings: MappingSettings) -> frozenset[str]:
    """The DERControlBase elements that can be written to this device.

    A mode counts if a model executes it, is permitted, and model 702 (where the device has it, and where it
    says so) claims it. IEEE 2030.5-2018, 10.10 (DERControlType).
    """
    capacity = device_map.first(702)
    claimed = capacity.integer("CtrlModes") if capacity else None
    return frozenset(
        mode
        for mode in _executed(device_map, settings)
        if claimed is None or mode not in CLAIMS or claimed >> CLAIMS[mode] & 1
    )


def _executed(device_map: DeviceMap, settings: MappingSettings) -> Iterator[str]:
    for mode, field in FIELD_OF_MODE.items():
        if executor(device_map, field, settings) is not None:
            yield mode
    number = droop_model(device_map, settings.permissions)
    if number:
        yield "opModFreqDroop"
    if number == 711:
        yield "opModFreqWatt"
    for mode in FORMS:
        if any(is_writable(device_map, form, settings.permissions) for form in forms_of(mode)):
            yield mode
