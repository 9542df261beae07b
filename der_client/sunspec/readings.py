"""One reading of a device, as DERStatus and meter readings want it. Pure functions.

Models 701, 713, 714, 715, 160 and 802 to 805 here, the older series in `older_readings`, to IEEE 2030.5-2018,
10.10; powers positive out of the DER on both sides.
"""

from der_client.device import Fault, FaultKind, Telemetry
from der_client.sunspec.battery_cells import cells_of
from der_client.sunspec.drafts import MappingSettings
from der_client.sunspec.measured import (
    AVAILABLE,
    CONNECTED,
    DEAD_BAND,
    FAULTED,
    OPERATING,
    alarms_of,
    battery_connection,
    heartbeat_of,
    inputs_of,
    is_local,
    phase_voltages,
    power_factor_of,
    temperatures,
)
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.mppt import dc_inputs_of
from der_client.sunspec.nameplate import PORT_ESS, PV, der_type_of, ports_of
from der_client.sunspec.older_readings import older_telemetry
from der_client.sunspec.ratings import inverter_of, setting

__all__ = ["is_local", "telemetry_of"]

AC_SINGLE_PHASE = 0
INV_OFF, INV_SLEEPING, INV_RUNNING, INV_THROTTLED, INV_FAULT, INV_STANDBY = 0, 1, 3, 4, 6, 7
NO_POWER_STATES = frozenset({INV_OFF, INV_SLEEPING, INV_STANDBY})


def telemetry_of(device_map: DeviceMap, settings: MappingSettings | None = None) -> Telemetry | Fault:
    """One reading from the registers as last read; a Fault if the device runs but gives no active power."""
    ac = inverter_of(device_map)
    if ac is None:
        return Fault(
            kind=FaultKind.MALFORMED, detail="the device has no model of an inverter (701, 101 to 113)"
        )
    if ac.model_id == 701:
        return _newer_telemetry(device_map, ac, settings or MappingSettings())
    return older_telemetry(device_map, ac, settings or MappingSettings())


def _newer_telemetry(device_map: DeviceMap, ac: Model, settings: MappingSettings) -> Telemetry | Fault:
    """A device that sleeps may take back its measurements: then its power is 0."""
    power_w, state = ac.number("W"), ac.integer("InvSt")
    if power_w is None and state not in NO_POWER_STATES:
        return Fault(kind=FaultKind.MALFORMED, detail="the device gives no active power", point="701.W")
    storage, dc_inputs = device_map.first(713), dc_inputs_of(device_map)
    on, events = ac.integer("St"), ac.integer("Alrm") or 0
    connection = _connection(device_map, ac)
    has_storage = der_type_of(device_map) != PV
    return Telemetry(
        power_w=float(power_w or 0.0),
        reactive_var=float(ac.number("Var") or 0.0),
        apparent_va=ac.number("VA"),
        voltage_v=_voltage(ac),
        current_a=ac.number("A"),
        frequency_hz=ac.number("Hz"),
        injected_wh=ac.number("TotWhInj"),
        absorbed_wh=ac.number("TotWhAbs"),
        available_w=_available_w(device_map, ac, has_storage=has_storage),
        soc_pct=storage.number("SoC") if storage and has_storage else None,
        soh_pct=storage.number("SoH") if storage and has_storage else None,
        gen_connect=connection,
        stor_connect=_storage_connection(device_map, connection) if has_storage else None,
        inverter_status=0 if state is None else state + 1,
        operational_mode=0 if on is None else on + 1,
        local_control=is_local(device_map),
        alarms=alarms_of(ac, events, setting(device_map.first(702), "AMax", "AMaxRtg")),
        phase_v=phase_voltages(ac),
        temperatures_c=temperatures(ac, dc_inputs),
        inputs=inputs_of(device_map, events, dc_inputs, settings),
        heartbeat=heartbeat_of(device_map),
        power_factor=power_factor_of(ac),
        cells=cells_of(device_map),
        dc_inputs=dc_inputs,
    )


def _voltage(ac: Model) -> float | None:
    """Line to neutral for single phase, else line to line, as the ratings of model 702."""
    order = ("LNV", "VL1", "LLV") if ac.integer("ACType") == AC_SINGLE_PHASE else ("LLV", "LNV", "VL1")
    return next((value for name in order if (value := ac.number(name)) is not None), None)


def _connection(device_map: DeviceMap, ac: Model) -> int:
    """ConnectStatusType bits of the inverter. IEEE 2030.5-2018, 10.10 (DERStatus)."""
    state, alarms = ac.integer("InvSt"), ac.integer("Alrm") or 0
    max_w = setting(device_map.first(702), "WMax", "WMaxRtg")
    bits = CONNECTED if ac.integer("ConnSt") == 1 else 0
    if ac.integer("St") == 1 and state not in {INV_OFF, INV_FAULT}:
        bits |= AVAILABLE
    if state in {INV_RUNNING, INV_THROTTLED} and abs(ac.number("W") or 0) > DEAD_BAND * max_w:
        bits |= OPERATING
    if state == INV_FAULT or alarms or any(one.has_fault for one in dc_inputs_of(device_map)):
        bits |= FAULTED
    return bits


def _storage_connection(device_map: DeviceMap, inverter: int) -> int:
    """ConnectStatusType bits of the battery: those of the inverter, narrowed by the battery's DC port."""
    dc = device_map.first(714)
    ports = ports_of(dc) if dc else ()
    states = [
        dc.integer(f"{port}.DCSta") for port in ports if dc and dc.integer(f"{port}.PrtTyp") == PORT_ESS
    ]
    bits = inverter & ~(AVAILABLE | OPERATING) if states and set(states) == {0} else inverter
    return battery_connection(device_map, bits | FAULTED if 3 in states else bits)


def _available_w(device_map: DeviceMap, ac: Model, *, has_storage: bool) -> float | None:
    """Active power that the device could give now, W; `None` where nothing tells."""
    capacity = device_map.first(702)
    max_w = setting(capacity, "WMax", "WMaxRtg")
    if has_storage:
        storage = device_map.first(713)
        soc_pct = storage.number("SoC") if storage else None
        discharge_w = setting(capacity, "WDisChaRteMax", "WDisChaRteMaxRtg") or max_w
        return None if soc_pct is None else min(max_w, discharge_w) if soc_pct > 0 else 0.0
    throttled_pct = ac.number("ThrotPct")
    if throttled_pct is None:
        return None
    return min(max_w, (ac.number("W") or 0.0) + throttled_pct / 100 * max_w)
