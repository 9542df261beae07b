"""What both series of models measure alike: phases, temperatures, alarms, the battery. Pure functions.

SunSpec models 701, 101 to 113, 160, 714, 802; IEEE 2030.5-2018, 10.10 (DERStatus).
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from der_client.device import DcInput
from der_client.sunspec.drafts import MappingSettings
from der_client.sunspec.model import DeviceMap, Model

CONNECTED, AVAILABLE, OPERATING, TESTING, FAULTED = 1, 2, 4, 8, 16
"""Bits of ConnectStatusType."""
DEAD_BAND = 0.01
PF_TOLERANCE = 0.05
LEAST_V = 1.0
"""A phase with less is not there: meters show some noise."""
ALARM_OF_BIT = {10: 1, 11: 2, 8: 3, 9: 4, 6: 7}
"""Bits of DERStatus.alarmStatus by those of 701.Alrm, which are those of Evt1 in the older series."""
VOLTAGE_IMBALANCE, CURRENT_IMBALANCE = 5, 6
VOLTAGE_IMBALANCE_SHARE, CURRENT_IMBALANCE_SHARE, LEAST_CURRENT_SHARE = 0.05, 0.2, 0.2
INPUT_OF_BIT = {0: "ground fault", 5: "door open"}
MANUAL_SHUTDOWN, EMERGENCY_STOP = 6, "emergency stop"
GROUND_FAULT = 1
PLACES: Mapping[str, str] = {
    "TmpAmb": "ambient",
    "TmpCab": "cabinet",
    "TmpSnk": "heat sink",
    "TmpTrns": "transformer",
    "TmpSw": "switch",
    "TmpOt": "other",
}
BATTERY_READY = frozenset({3, 4})
BATTERY_AWAY = frozenset({1, 2})
BATTERY_FAULT = 99


def numbers(model: Model, *names: str) -> tuple[float, ...]:
    """The points of these names that are implemented."""
    return tuple(float(value) for name in names if (value := model.number(name)) is not None)


def phase_voltages(ac: Model) -> tuple[float, ...]:
    """Line to neutral voltages in the order of the phases, V; 0 for one before the last that is not there."""
    names = ("VL1", "VL2", "VL3") if ac.model_id == 701 else ("PhVphA", "PhVphB", "PhVphC")
    volts = [float(value) if (value := ac.number(name) or 0.0) > LEAST_V else 0.0 for name in names]
    while volts and not volts[-1]:
        volts.pop()
    return tuple(volts)


def phase_currents(ac: Model) -> tuple[float, ...]:
    """Currents of the phases that are there, A."""
    return numbers(ac, *(("AL1", "AL2", "AL3") if ac.model_id == 701 else ("AphA", "AphB", "AphC")))


def temperatures(ac: Model, inputs: Sequence[DcInput] = ()) -> Mapping[str, float]:
    """Temperatures by place, degrees Celsius, those of the trackers of the DC inputs among them."""
    told = {place: float(value) for name, place in PLACES.items() if (value := ac.number(name)) is not None}
    return told | {one.name: float(one.temperature_c) for one in inputs if one.temperature_c is not None}


def alarms_of(ac: Model, events: int, max_a: float) -> frozenset[int]:
    """Bits of DERStatus.alarmStatus that the device tells, and imbalance as its phases show it."""
    told = {ours for theirs, ours in ALARM_OF_BIT.items() if events >> theirs & 1}
    return frozenset(told | set(_imbalances(ac, max_a)))


def _imbalances(ac: Model, max_a: float) -> Iterator[int]:
    """Only a device with three phases that carry current can be out of balance."""
    volts, amperes = tuple(filter(None, phase_voltages(ac))), phase_currents(ac)
    if len(volts) == 3 and _spread(volts) > VOLTAGE_IMBALANCE_SHARE:
        yield VOLTAGE_IMBALANCE
    loaded = max_a and len(amperes) == 3 and sum(amperes) / 3 > LEAST_CURRENT_SHARE * max_a
    if loaded and _spread(amperes) > CURRENT_IMBALANCE_SHARE:
        yield CURRENT_IMBALANCE


def _spread(values: Sequence[float]) -> float:
    """The largest distance from the mean as a share of it."""
    mean = sum(values) / len(values)
    return max(abs(value - mean) for value in values) / abs(mean) if mean else 0.0


def inputs_of(
    device_map: DeviceMap, events: int, dc_inputs: Sequence[DcInput], settings: MappingSettings
) -> frozenset[str]:
    """Safety inputs that the inverter or its DC side reports.

    A manual shutdown is an alarm (emergency local); an emergency stop only where a profile says so.
    """
    found = {name for bit, name in INPUT_OF_BIT.items() if events >> bit & 1}
    if settings.manual_shutdown_stops and events >> MANUAL_SHUTDOWN & 1:
        found.add(EMERGENCY_STOP)
    if any(one.has_ground_fault for one in dc_inputs):
        found.add(INPUT_OF_BIT[0])
    for model_id, point in ((160, "Evt"), (714, "PrtAlrms")):
        model = device_map.first(model_id)
        if model and (model.integer(point) or 0) & GROUND_FAULT:
            found.add(INPUT_OF_BIT[0])
    return frozenset(found)


def battery_connection(device_map: DeviceMap, bits: int) -> int:
    """ConnectStatusType bits of a battery, narrowed by what model 802 says of it."""
    battery = device_map.first(802)
    state = battery.integer("State") if battery else None
    if state in BATTERY_READY:
        return bits | CONNECTED | AVAILABLE
    if state in BATTERY_AWAY:
        return bits & ~(CONNECTED | AVAILABLE | OPERATING)
    return bits | FAULTED if state == BATTERY_FAULT else bits


def heartbeat_of(device_map: DeviceMap) -> int | None:
    """The counter of the device's own application: 715.DERHb, else 802.Hb."""
    control, battery = device_map.first(715), device_map.first(802)
    beat = control.integer("DERHb") if control else None
    return beat if beat is not None or battery is None else battery.integer("Hb")


def is_local(device_map: DeviceMap) -> bool:
    """True if the device or its battery is under local control: then nothing may be written."""
    models = (device_map.first(715), device_map.first(802))
    return any(model is not None and model.integer("LocRemCtl") == 1 for model in models)


def power_factor_of(ac: Model) -> float | None:
    """The power factor: what the device says, as a percentage or not, where W and VA agree; else W/VA.

    The sign is the device's, which differs; the magnitude is at most 1.
    """
    power_w, apparent_va, said = ac.number("W"), ac.number("VA"), ac.number("PF")
    if power_w is None or not apparent_va:
        return None
    share = min(abs(power_w / apparent_va), 1.0)
    for factor in (said, None if said is None else said / 100):
        if factor is not None and abs(abs(factor) - share) <= PF_TOLERANCE:
            return math.copysign(min(abs(factor), 1.0), factor)
    return share
