"""One reading of a device of the older series. Pure functions.

SunSpec models 101 to 103, 111 to 113, 122, 124, 160 and 802 to 805; powers positive out of the DER on both
sides.
"""

import math

from der_client.device import Fault, FaultKind, Telemetry
from der_client.sunspec.battery_cells import cells_of
from der_client.sunspec.drafts import OVER_EXCITED_NEGATIVE, Bases, MappingSettings
from der_client.sunspec.measured import (
    AVAILABLE,
    CONNECTED,
    DEAD_BAND,
    FAULTED,
    OPERATING,
    TESTING,
    alarms_of,
    battery_connection,
    heartbeat_of,
    inputs_of,
    is_local,
    numbers,
    phase_voltages,
    power_factor_of,
    temperatures,
)
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.mppt import dc_inputs_of
from der_client.sunspec.ratings import setting, storage_w

ST_OFF, ST_SLEEPING, ST_MPPT, ST_THROTTLED, ST_FAULT, ST_STANDBY = 1, 2, 4, 5, 7, 8
ASLEEP = frozenset({ST_OFF, ST_SLEEPING, ST_STANDBY})
SINGLE_PHASE = frozenset({101, 111})
ZEROS = ("W", "VA", "VAr", "A", "Hz", "PhVphA", "W_SF")
STATUS_BITS = CONNECTED | AVAILABLE | OPERATING | TESTING


def older_telemetry(device_map: DeviceMap, ac: Model, settings: MappingSettings) -> Telemetry | Fault:
    """One reading; a Fault for a sample that is none, or of a device that runs but gives no active power."""
    flaw = _flaw(ac)
    return _telemetry(device_map, ac, settings) if flaw is None else flaw


def _flaw(ac: Model) -> Fault | None:
    """Why a sample is none.

    A device that sleeps may take back its measurements: then its power is 0. Some answer a sample of zeros
    with a fault now and then, which says nothing.
    """
    state = ac.integer("St")
    if state == ST_FAULT and all(ac.number(name) == 0 for name in ZEROS if ac.is_implemented(name)):
        return Fault(kind=FaultKind.MALFORMED, detail="a sample of zeros", point=f"{ac.model_id}.St")
    sleeps = state in ASLEEP or (state is None and ac.number("VA") is None)
    if ac.number("W") is not None or sleeps:
        return None
    detail = "the device gives no active power"
    return Fault(kind=FaultKind.MALFORMED, detail=detail, point=f"{ac.model_id}.W")


def _telemetry(device_map: DeviceMap, ac: Model, settings: MappingSettings) -> Telemetry:
    power_w, state = ac.number("W"), ac.integer("St")
    events, dc_inputs = ac.integer("Evt1") or 0, dc_inputs_of(device_map)
    bases = Bases.of(device_map, settings)
    connection = _connection(device_map, ac, bases.max_w)
    has_storage = storage_w(device_map) > 0
    return Telemetry(
        power_w=float(power_w or 0.0),
        reactive_var=_reactive_var(ac, settings),
        apparent_va=ac.number("VA"),
        power_factor=power_factor_of(ac),
        cells=cells_of(device_map),
        dc_inputs=dc_inputs,
        voltage_v=_voltage(ac),
        current_a=ac.number("A"),
        frequency_hz=ac.number("Hz"),
        injected_wh=ac.number("WH"),
        available_w=_available_w(device_map, bases, has_storage=has_storage),
        soc_pct=_soc_pct(device_map),
        soh_pct=_point(device_map, 802, "SoH"),
        gen_connect=connection,
        stor_connect=_storage_connection(device_map, connection) if has_storage else None,
        inverter_status=state if state is not None and ST_OFF <= state <= ST_STANDBY else 0,
        operational_mode=2 if connection & CONNECTED else 1,
        local_control=is_local(device_map),
        alarms=alarms_of(ac, events, setting(device_map.first(120), "ARtg")),
        phase_v=phase_voltages(ac),
        temperatures_c=temperatures(ac, dc_inputs),
        inputs=inputs_of(device_map, events, dc_inputs, settings),
        heartbeat=heartbeat_of(device_map),
    )


def _reactive_var(ac: Model, settings: MappingSettings) -> float:
    """Reactive power; one that is not given follows from the power factor, if that has a sign."""
    given = ac.number("VAr")
    if given is not None:
        return float(given)
    factor, apparent_va, power_w = power_factor_of(ac), ac.number("VA"), ac.number("W")
    if factor is None or apparent_va is None or power_w is None or ac.number("PF") is None:
        return 0.0
    magnitude = math.sqrt(max(0.0, apparent_va**2 - power_w**2))
    over_excited = (factor < 0) == (settings.pf_sign == OVER_EXCITED_NEGATIVE)
    return magnitude if over_excited else -magnitude


def _voltage(ac: Model) -> float | None:
    """Line to neutral for single phase, else line to line; their mean where there are several."""
    line = numbers(ac, "PPVphAB", "PPVphBC", "PPVphCA") if ac.model_id not in SINGLE_PHASE else ()
    volts = [value for value in line if value > 0] or list(filter(None, phase_voltages(ac)))[:1]
    return sum(volts) / len(volts) if volts else None


def _connection(device_map: DeviceMap, ac: Model, max_w: float) -> int:
    """ConnectStatusType bits: those of model 122, else what the state of the inverter says."""
    status, state = device_map.first(122), ac.integer("St")
    told = status.integer("PVConn") if status else None
    if told is not None:
        bits = told & STATUS_BITS
    else:
        bits = CONNECTED | AVAILABLE if state in {ST_MPPT, ST_THROTTLED} else 0
        if bits and abs(ac.number("W") or 0) > DEAD_BAND * max_w:
            bits |= OPERATING
    has_fault = state == ST_FAULT or any(one.has_fault for one in dc_inputs_of(device_map))
    return bits | FAULTED if has_fault else bits


def _storage_connection(device_map: DeviceMap, inverter: int) -> int:
    status = device_map.first(122)
    told = status.integer("StorConn") if status else None
    return battery_connection(device_map, inverter if told is None else told & STATUS_BITS)


def _point(device_map: DeviceMap, model_id: int, name: str) -> float | None:
    model = device_map.first(model_id)
    return model.number(name) if model else None


def _soc_pct(device_map: DeviceMap) -> float | None:
    """State of charge: of the battery itself, else of model 124."""
    own = _point(device_map, 802, "SoC")
    return own if own is not None else _point(device_map, 124, "ChaState")


def _available_w(device_map: DeviceMap, bases: Bases, *, has_storage: bool) -> float | None:
    """Active power that the device could give now, W; `None` where nothing tells."""
    told = _point(device_map, 122, "WAval")
    if not has_storage:
        return None if told is None else min(told, bases.max_w)
    soc_pct = _soc_pct(device_map)
    if soc_pct is None:
        return told
    stored_w = bases.max_discharge_w if soc_pct > 0 else 0.0
    return min(bases.max_w, stored_w + (told or 0.0))
