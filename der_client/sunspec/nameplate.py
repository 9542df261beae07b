"""Ratings and settings of a device, as DERCapability and DERSettings want them. Pure functions.

Models 1, 702, 704, 713 and 714, else 120, 121, 124 and 802, to IEEE 2030.5-2018, 10.10.
"""

from itertools import count, takewhile

from der_client.device import Fault, FaultKind, Nameplate
from der_client.sunspec.capabilities import modes_of, ramps_of
from der_client.sunspec.drafts import Bases, MappingSettings
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.ratings import in_force, inverter_of, legacy_var, set_max_w, setting, storage_w

PV, STORAGE, PV_AND_STORAGE = 4, 80, 83
OLDER_PV_AND_STORAGE = (82, 83)
PORT_PV, PORT_ESS = 0, 1


def _rating(capacity: Model, name: str) -> float | None:
    value = capacity.number(name)
    return None if value is None else float(value)


def nameplate_of(device_map: DeviceMap, settings: MappingSettings | None = None) -> Nameplate | Fault:
    """Ratings and settings of a device; a Fault for a map without measurements or without ratings.

    `settings` may give the rating of a device that does not say its own.
    """
    settings = settings or MappingSettings()
    if inverter_of(device_map) is None:
        return Fault(
            kind=FaultKind.MALFORMED, detail="the device has no model of an inverter (701, 101 to 113)"
        )
    if device_map.first(702) is None:
        return _older(device_map, settings)
    return _newer(device_map, settings)


def _newer(device_map: DeviceMap, settings: MappingSettings) -> Nameplate | Fault:
    """The nameplate by model 702."""
    capacity = device_map.first(702)
    max_w = _rating(capacity, "WMaxRtg") if capacity else None
    if capacity is None or not max_w:
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
        modes=modes_of(device_map, settings),
        max_w=max_w,
        max_va=_rating(capacity, "VAMaxRtg") or max_w,
        max_var=_rating(capacity, "VarMaxInjRtg") or 0.0,
        max_var_neg=_rating(capacity, "VarMaxAbsRtg") or 0.0,
        set_max_w=set_max_w(device_map, None),
        set_max_va=in_force(capacity, "VAMax", "VAMaxRtg") or max_w,
        set_max_var=in_force(capacity, "VarMaxInj", "VarMaxInjRtg"),
        set_max_var_neg=in_force(capacity, "VarMaxAbs", "VarMaxAbsRtg"),
        max_charge_w=charge_w or None,
        max_discharge_w=_rating(capacity, "WDisChaRteMaxRtg") if charge_w else None,
        set_max_charge_w=in_force(capacity, "WChaRteMax", "WChaRteMaxRtg") if charge_w else None,
        set_max_discharge_w=in_force(capacity, "WDisChaRteMax", "WDisChaRteMaxRtg") if charge_w else None,
        capacity_wh=storage.number("WHRtg") if storage else None,
        v_nom_v=_rating(capacity, "VNomRtg"),
        max_a=_rating(capacity, "AMaxRtg"),
        min_pf_over_excited=_rating(capacity, "WOvrExtRtgPF"),
        min_pf_under_excited=_rating(capacity, "WUndExtRtgPF"),
        grad_w_pct_per_s=_ramp(controls, settings, Bases.of(device_map).share),
        normal_category=_category(capacity, "NorOpCatRtg"),
        abnormal_category=_category(capacity, "AbnOpCatRtg"),
    )


def _ramp(controls: Model | None, settings: MappingSettings, share: float) -> float | None:
    """704.WRmp in % of setMaxW per second."""
    raw = controls.number("WRmp") if controls else None
    return None if raw is None else float(raw) / settings.ramp_scale / share


def _category(capacity: Model, point: str) -> int | None:
    """A category of IEEE 1547: SunSpec counts from 0, IEEE 2030.5 from 1."""
    number = capacity.integer(point)
    return None if number is None else number + 1


def _port_types(device_map: DeviceMap) -> set[int | None]:
    dc = device_map.first(714)
    return {dc.integer(f"{port}.PrtTyp") for port in ports_of(dc)} - {None} if dc else set()


def ports_of(dc: Model) -> tuple[str, ...]:
    """Paths of the DC ports that fit model 714, whatever its count says."""
    ports = (f"Prt[{index}]" for index in count())
    return tuple(takewhile(lambda port: dc.point(f"{port}.PrtTyp") is not None, ports))


def der_type_of(device_map: DeviceMap) -> int:
    """DERType of the device from its DC ports, else from its storage models. IEEE 2030.5-2018, 10.10."""
    types = _port_types(device_map)
    if PORT_ESS in types:
        return PV_AND_STORAGE if PORT_PV in types else STORAGE
    if PORT_PV in types:
        return PV
    storage, ratings = device_map.first(713), device_map.first(120)
    if storage and storage.number("WHRtg"):
        return STORAGE
    said = ratings.integer("DERTyp") if ratings else None
    return PV_AND_STORAGE if said in OLDER_PV_AND_STORAGE or storage_w(device_map) else PV


def _older(device_map: DeviceMap, settings: MappingSettings) -> Nameplate | Fault:
    """The nameplate by models 120, 121 and 124."""
    ratings, basic = device_map.first(120), device_map.first(121)
    max_w = setting(ratings, "WRtg") or settings.rating_w or setting(basic, "WMax")
    if not max_w:
        detail = "the device does not say its rating: set rating_w"
        return Fault(kind=FaultKind.MALFORMED, detail=detail, point="120.WRtg")
    manufacturer, model, serial, version = device_map.identity()
    charge_w = storage_w(device_map)
    discharge_w = setting(ratings, "MaxDisChaRte") or charge_w
    max_va = setting(ratings, "VARtg") or max_w
    given, taken = (_quadrant(ratings, device_map, name) for name in ("Q1", "Q4"))
    return Nameplate(
        manufacturer=manufacturer,
        model=model,
        serial=serial,
        version=version,
        der_type=der_type_of(device_map),
        modes=modes_of(device_map, settings),
        max_w=max_w,
        max_va=max_va,
        max_var=given,
        max_var_neg=taken,
        set_max_w=set_max_w(device_map, settings.rating_w),
        set_max_va=min(setting(basic, "VAMax") or max_va, max_va),
        set_max_var=min(legacy_var(device_map, "Q1"), given),
        set_max_var_neg=min(legacy_var(device_map, "Q4"), taken),
        max_charge_w=setting(ratings, "MaxChaRte") or charge_w if charge_w else None,
        max_discharge_w=discharge_w if charge_w else None,
        set_max_charge_w=charge_w or None,
        set_max_discharge_w=discharge_w if charge_w else None,
        capacity_wh=setting(ratings, "WHRtg") or setting(device_map.first(802), "WHRtg") or None,
        v_nom_v=setting(basic, "VRef") or None,
        max_a=setting(ratings, "ARtg") or None,
        min_pf_over_excited=abs(setting(ratings, "PFRtgQ1")) or None,
        min_pf_under_excited=abs(setting(ratings, "PFRtgQ4")) or None,
        grad_w_pct_per_s=setting(basic, "WGra") / Bases.of(device_map, settings).share or None,
        ramps=ramps_of(device_map, settings),
    )


def _quadrant(ratings: Model | None, device_map: DeviceMap, name: str) -> float:
    """The rating of reactive power of a quadrant as a magnitude; its setting where there is no rating."""
    return abs(setting(ratings, f"VArRtg{name}")) or legacy_var(device_map, name)
