"""Ratings and settings of a 700-series device, as DERCapability and DERSettings want them. Pure functions.

Models 1, 702, 704, 713 and 714 to IEEE 2030.5-2018, 10.10.
"""

from der_client.device import Fault, FaultKind, Nameplate
from der_client.sunspec.model import DeviceMap, Model

PV, STORAGE, PV_AND_STORAGE = 4, 80, 83
PORT_PV, PORT_ESS = 0, 1

MODES_OF_BITS: dict[int, tuple[str, ...]] = {
    0: ("opModMaxLimW",),
    1: ("opModFixedW", "opModTargetW"),
    2: ("opModFixedVar", "opModTargetVar"),
    3: ("opModFixedPFInjectW", "opModFixedPFAbsorbW"),
}
POINT_OF_MODE = {
    "opModMaxLimW": "WMaxLimPctEna",
    "opModFixedW": "WSetEna",
    "opModTargetW": "WSetEna",
    "opModFixedVar": "VarSetEna",
    "opModTargetVar": "VarSetEna",
    "opModFixedPFInjectW": "PFWInjEna",
    "opModFixedPFAbsorbW": "PFWAbsEna",
}


def setting(capacity: Model | None, name: str, rating: str) -> float:
    """A setting of model 702; one that is not implemented equals its rating; 0 where neither is."""
    value = capacity.number(name) if capacity else None
    if value is None and capacity:
        value = capacity.number(rating)
    return float(value or 0.0)


def _rating(capacity: Model, name: str) -> float | None:
    value = capacity.number(name)
    return None if value is None else float(value)


def _in_force(capacity: Model, name: str, rating: str) -> float:
    """A setting of model 702, never above its rating. IEEE 2030.5-2018, 10.10 (DERSettings)."""
    most = capacity.number(rating)
    value = setting(capacity, name, rating)
    return value if most is None else min(value, float(most))


def nameplate_of(device_map: DeviceMap) -> Nameplate | Fault:
    """Ratings and settings of a device; a Fault for a map without models 701 and 702 or without ratings."""
    capacity = device_map.first(702)
    if capacity is None or device_map.first(701) is None:
        return Fault(kind=FaultKind.MALFORMED, detail="the device has no models 701 and 702")
    max_w = _rating(capacity, "WMaxRtg")
    if not max_w:
        detail = "the device does not say its rating"
        return Fault(kind=FaultKind.MALFORMED, detail=detail, point="702.WMaxRtg")
    manufacturer, model, serial, version = device_map.identity()
    charge_w = _rating(capacity, "WChaRteMaxRtg")
    storage, controls = device_map.first(713), device_map.first(704)
    return Nameplate(
        manufacturer=manufacturer,
        model=model,
        serial=serial,
        version=version,
        der_type=der_type_of(device_map),
        modes=modes_of(device_map),
        max_w=max_w,
        max_va=_rating(capacity, "VAMaxRtg") or max_w,
        max_var=_rating(capacity, "VarMaxInjRtg") or 0.0,
        max_var_neg=_rating(capacity, "VarMaxAbsRtg") or 0.0,
        set_max_w=_in_force(capacity, "WMax", "WMaxRtg"),
        set_max_va=_in_force(capacity, "VAMax", "VAMaxRtg") or max_w,
        set_max_var=_in_force(capacity, "VarMaxInj", "VarMaxInjRtg"),
        set_max_var_neg=_in_force(capacity, "VarMaxAbs", "VarMaxAbsRtg"),
        max_charge_w=charge_w or None,
        max_discharge_w=_rating(capacity, "WDisChaRteMaxRtg") if charge_w else None,
        set_max_charge_w=_in_force(capacity, "WChaRteMax", "WChaRteMaxRtg") if charge_w else None,
        set_max_discharge_w=_in_force(capacity, "WDisChaRteMax", "WDisChaRteMaxRtg") if charge_w else None,
        capacity_wh=storage.number("WHRtg") if storage else None,
        v_nom_v=_rating(capacity, "VNomRtg"),
        max_a=_rating(capacity, "AMaxRtg"),
        min_pf_over_excited=_rating(capacity, "WOvrExtRtgPF"),
        min_pf_under_excited=_rating(capacity, "WUndExtRtgPF"),
        grad_w_pct_per_s=controls.number("WRmp") if controls else None,
        normal_category=_category(capacity, "NorOpCatRtg"),
        abnormal_category=_category(capacity, "AbnOpCatRtg"),
    )


def _category(capacity: Model, point: str) -> int | None:
    """A category of IEEE 1547: SunSpec counts from 0, IEEE 2030.5 from 1."""
    number = capacity.integer(point)
    return None if number is None else number + 1


def _port_types(device_map: DeviceMap) -> set[int | None]:
    dc = device_map.first(714)
    return {dc.integer(f"{port}.PrtTyp") for port in ports_of(dc)} - {None} if dc else set()


def ports_of(dc: Model) -> tuple[str, ...]:
    """Paths of the DC ports that fit model 714, whatever its count says."""
    points = dc.layout.points if dc.layout else ()
    return tuple(point.name.removesuffix(".PrtTyp") for point in points if point.name.endswith(".PrtTyp"))


def der_type_of(device_map: DeviceMap) -> int:
    """DERType of the device from its DC ports, else from its storage model. IEEE 2030.5-2018, 10.10."""
    types = _port_types(device_map)
    if PORT_ESS in types:
        return PV_AND_STORAGE if PORT_PV in types else STORAGE
    if PORT_PV in types:
        return PV
    storage = device_map.first(713)
    return STORAGE if storage and storage.number("WHRtg") else PV


def modes_of(device_map: DeviceMap) -> frozenset[str]:
    """The DERControlBase elements that can be written to this device.

    A mode counts if model 702 claims it (a device without CtrlModes claims all) and model 704 implements its
    enable point; connect and energize need model 715 or 703. Curves and ride-through settings are not written
    here, so they are not named.
    """
    capacity, controls = device_map.first(702), device_map.first(704)
    claimed = capacity.integer("CtrlModes") if capacity else None
    modes = {
        mode
        for bit, names in MODES_OF_BITS.items()
        if claimed is None or claimed >> bit & 1
        for mode in names
        if controls and controls.is_implemented(POINT_OF_MODE[mode])
    }
    if _implements(device_map, 703, "ES"):
        modes |= {"opModConnect", "opModEnergize"}
    if _implements(device_map, 715, "OpCtl"):
        modes.add("opModConnect")
    return frozenset(modes)


def _implements(device_map: DeviceMap, model_id: int, name: str) -> bool:
    model = device_map.first(model_id)
    return model is not None and model.is_implemented(name)
