"""DERStatus and DERAvailability of a device. Pure. IEEE 2030.5-2018, 10.10."""

import math
from collections.abc import Mapping
from typing import Final, TypeVar

from der_client.demand_response import instruction_of
from der_client.device import Nameplate, Telemetry
from der_client.device_view import DeviceView
from der_client.fixed_point import bits_hex, hundredths
from der_client.interlocks import SafetyRules
from der_client.report_ratings import vars_, watts
from der_client.stored import soc_pct_of, usable_wh_of
from schemas import (
    ConnectStatusType,
    DERAvailability,
    DERStatus,
    InverterStatusType,
    LocalControlModeStatusType,
    ManufacturerStatusType,
    OperationalModeStatusType,
    StateOfChargeStatusType,
    StorageModeStatusType,
    codes,
)

S = TypeVar(
    "S",
    ConnectStatusType,
    InverterStatusType,
    LocalControlModeStatusType,
    ManufacturerStatusType,
    OperationalModeStatusType,
    StateOfChargeStatusType,
    StorageModeStatusType,
)

IDLE_SHARE: Final = 0.01
"""Share of the rating below which storage counts as holding."""
ALARM_BITS: Final = 32
MOST_S: Final = (1 << 32) - 1
FAULT_BIT: Final = 1 << codes.ConnectStatusType.FAULT
WORDS: Final[Mapping[int, str]] = {
    codes.InverterStatusType.OFF: "OFF",
    codes.InverterStatusType.SLEEPING: "SLEEP",
    codes.InverterStatusType.STARTING: "START",
    codes.InverterStatusType.TRACKING_MPPT: "MPPT",
    codes.InverterStatusType.DERATING: "DERATE",
    codes.InverterStatusType.SHUTTING_DOWN: "STOP",
    codes.InverterStatusType.FAULT: "FAULT",
    codes.InverterStatusType.STANDBY: "STANDB",
    codes.InverterStatusType.TEST: "TEST",
    codes.InverterStatusType.MANUFACTURER_STATUS: "OWN",
}
"""The states of an inverter in at most six characters, for manufacturerStatus."""
TIMED: Final = (
    "genConnectStatus",
    "inverterStatus",
    "localControlModeStatus",
    "manufacturerStatus",
    "operationalModeStatus",
    "stateOfChargeStatus",
    "storageModeStatus",
    "storConnectStatus",
)


def status_of(
    view: DeviceView, now: int, former: DERStatus | None = None, *, instructed: bool = False
) -> DERStatus:
    """Status of a device at `now`, server time, s; each part keeps the time at which its value came about.

    A device that does not answer, or does not hold what it was told, is in fault. `instructed`: the
    operational mode is the instruction of demand response that is held.
    """
    status = _present(view, now)
    mode = instruction_of(view) if instructed else None
    if mode is not None:
        status.operationalModeStatus = OperationalModeStatusType(dateTime=now, value=mode)
    for name in TIMED:
        setattr(status, name, _since(getattr(status, name), getattr(former, name, None)))
    return status


def availability_of(view: DeviceView, rules: SafetyRules, now: int) -> DERAvailability | None:
    """Power and time that a device has left at `now`; None while it does not answer."""
    telemetry, nameplate = view.telemetry, view.nameplate
    if telemetry is None or nameplate is None or not math.isfinite(telemetry.power_w):
        return None
    found = (nameplate.set_max_w, telemetry.available_w, view.able_w)
    available_w = min(power_w for power_w in found if power_w is not None)
    left_var = math.sqrt(max(0.0, nameplate.set_max_va**2 - telemetry.power_w**2))
    discharge_s, charge_s = _durations_s(telemetry, nameplate, rules)
    return DERAvailability(
        availabilityDuration=discharge_s,
        maxChargeDuration=charge_s,
        readingTime=now,
        reservePercent=hundredths(rules.reserve_pct) if nameplate.is_storage else None,
        statVarAvail=vars_(round(min(left_var, nameplate.set_max_var))),
        statWAvail=watts(round(max(0.0, available_w))),
    )


def alarm_bits(view: DeviceView) -> frozenset[int]:
    """Bits of alarmStatus: what the device says, and what our interlocks add."""
    own = {reason.alarm_bit for reason in view.reasons if reason.alarm_bit is not None}
    told = view.telemetry.alarms if view.telemetry else frozenset[int]()
    return frozenset(bit for bit in told if 0 <= bit < ALARM_BITS) | own


def _present(view: DeviceView, now: int) -> DERStatus:
    telemetry, is_faulty = view.telemetry, bool(view.failed) or view.silent is not None
    if telemetry is None:
        return DERStatus(
            alarmStatus=bits_hex(alarm_bits(view), 4),
            genConnectStatus=_connect(0, now, is_faulty=is_faulty),
            inverterStatus=InverterStatusType(dateTime=now, value=codes.InverterStatusType.NOT_APPLICABLE),
            operationalModeStatus=OperationalModeStatusType(dateTime=now, value=0),
            readingTime=now,
        )
    soc_pct, storage = soc_pct_of(telemetry), view.nameplate is not None and view.nameplate.is_storage
    stor = telemetry.stor_connect
    return DERStatus(
        alarmStatus=bits_hex(alarm_bits(view), 4),
        genConnectStatus=_connect(telemetry.gen_connect, now, is_faulty=is_faulty),
        inverterStatus=InverterStatusType(dateTime=now, value=telemetry.inverter_status),
        localControlModeStatus=LocalControlModeStatusType(
            dateTime=now, value=int(not (telemetry.local_control or view.is_local))
        ),
        manufacturerStatus=_words(telemetry.inverter_status, now),
        operationalModeStatus=OperationalModeStatusType(dateTime=now, value=telemetry.operational_mode),
        readingTime=now,
        stateOfChargeStatus=None
        if soc_pct is None
        else StateOfChargeStatusType(dateTime=now, value=hundredths(round(soc_pct))),
        storageModeStatus=_storage_mode(telemetry, view.nameplate, now) if storage else None,
        storConnectStatus=None if stor is None else _connect(stor, now, is_faulty=is_faulty),
    )


def _words(state: int, now: int) -> ManufacturerStatusType | None:
    """The state of an inverter in words; a state of its own by its number, None where it has none."""
    if state == codes.InverterStatusType.NOT_APPLICABLE:
        return None
    return ManufacturerStatusType(dateTime=now, value=WORDS.get(state, str(state)))


def _connect(bits: int, now: int, *, is_faulty: bool) -> ConnectStatusType:
    value = (bits | FAULT_BIT if is_faulty else bits) & 0xFF
    return ConnectStatusType(dateTime=now, value=f"{value:02X}")


def _storage_mode(telemetry: Telemetry, nameplate: Nameplate | None, now: int) -> StorageModeStatusType:
    idle_w = IDLE_SHARE * (nameplate.set_max_w if nameplate else 0.0)
    mode = codes.StorageModeStatusType.HOLDING
    if telemetry.power_w > idle_w:
        mode = codes.StorageModeStatusType.DISCHARGING
    elif telemetry.power_w < -idle_w:
        mode = codes.StorageModeStatusType.CHARGING
    return StorageModeStatusType(dateTime=now, value=mode)


def _since(part: S | None, former: S | None) -> S | None:
    """The part as it was where its value did not change."""
    return former if part is not None and former is not None and part.value == former.value else part


def _durations_s(
    telemetry: Telemetry, nameplate: Nameplate, rules: SafetyRules
) -> tuple[int | None, int | None]:
    """How long storage can give and take its full power, s; None without storage or state of charge."""
    soc_pct, usable_wh = soc_pct_of(telemetry), usable_wh_of(telemetry, nameplate)
    if soc_pct is None or usable_wh is None:
        return None, None
    discharge_w = nameplate.discharge_w or nameplate.set_max_w
    return (
        _duration_s((soc_pct - rules.reserve_pct) / 100.0 * usable_wh, discharge_w),
        _duration_s((rules.full_pct - soc_pct) / 100.0 * usable_wh, nameplate.charge_w),
    )


def _duration_s(energy_wh: float, power_w: float) -> int | None:
    """How long an energy lasts at a power, s; None where no power may flow."""
    return min(MOST_S, round(max(0.0, energy_wh) / power_w * 3600)) if power_w > 0 else None
