"""The faults that a simulated device has on command, by name: a table of data and its two verbs.

A fault is named as `late=2` or `silent`; on a site or among many devices as `silent@battery`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from der_client.can import BmsFault
from der_client.sunspec.simulator.bank import put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from der_client.can import Pack, SimulatedBms
    from lineside.sim.rig import Device, Rig

SERVER_DEVICE_FAILURE = 4
RUNAWAY_CELL, DRIFTING_CELL = 3, 5
DRIFT_PCT_PER_H, MOST_DRIFT_PCT_PER_H = 60.0, 1e6
LONGEST_DELAY_S, MOST_SHIFT = 3_600.0, 9


class SimFaultError(Exception):
    """A fault that does not exist, or that this device cannot have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimFault:
    """One fault: what it is, and how it is switched on (with a value or none) and off."""

    what: str
    on: Callable[[Device, str | None], None]
    off: Callable[[Device], None]


def _switch(name: str, what: str, *, of_line: bool = False) -> SimFault:
    """A fault that is one switch of the registers or of the line."""

    def set_to(device: Device, value: bool) -> None:
        setattr(device.line if of_line else device.faults, name, value)

    return SimFault(what=what, on=lambda d, _: set_to(d, True), off=lambda d: set_to(d, False))


def _late(device: Device, value: str | None) -> None:
    device.line.answer_delay_s = _within(value, 1.0, 0.0, LONGEST_DELAY_S)


def _on_time(device: Device) -> None:
    device.line.answer_delay_s = 0.0


def _refuse(device: Device, value: str | None) -> None:
    device.faults.exception_code = int(_within(value, SERVER_DEVICE_FAILURE, 1, 0xFF))


def _accept(device: Device) -> None:
    device.faults.exception_code = None


def _wrong_scale(device: Device, value: str | None) -> None:
    point, _, shift = (value or "701.W_SF:1").partition(":")
    number, _, name = point.partition(".")
    if not (number.isdecimal() and name.endswith("_SF")):
        raise SimFaultError(f"{point}: a model and a scale factor of it are wanted, as 701.W_SF")
    device.faults.scale_shift[point] = int(_within(shift or None, 1, -MOST_SHIFT, MOST_SHIFT))


def _right_scale(device: Device) -> None:
    device.faults.scale_shift.clear()


def _alarm(device: Device, value: str | None) -> None:
    device.faults.alarm_bits |= 1 << int(_within(value, 0, 0, 31))


def _no_alarm(device: Device) -> None:
    device.faults.alarm_bits = 0


def _local(device: Device, code: int) -> None:
    if device.inverter is None or 715 not in device.inverter.bank.models:
        raise SimFaultError(f"{device.name} has no panel (model 715)")
    put(device.inverter.bank.models[715], "LocRemCtl", code)


def _bms(fault: BmsFault, what: str) -> SimFault:
    """A fault of the BMS."""

    def on(device: Device, _value: str | None) -> None:
        _bms_of(device).inject(fault)

    return SimFault(what=what, on=on, off=lambda device: _bms_of(device).clear(fault))


def _bms_alarm(device: Device, value: str | None) -> None:
    try:
        _bms_of(device).raise_alarm(value or "bms_internal")
    except ValueError as flaw:
        raise SimFaultError(str(flaw)) from None


def _runaway(device: Device, value: str | None) -> None:
    _pack_of(device).cells.runaway = _cell(device, value, RUNAWAY_CELL)


def _drift(device: Device, value: str | None) -> None:
    number, _, rate = (value or "").partition(":")
    cell = _cell(device, number or None, DRIFTING_CELL)
    _pack_of(device).cells.drift_pct_per_s[cell] = (
        _within(rate or None, -DRIFT_PCT_PER_H, -MOST_DRIFT_PCT_PER_H, MOST_DRIFT_PCT_PER_H) / 3600.0
    )


def _no_drift(device: Device) -> None:
    cells = _pack_of(device).cells
    cells.drift_pct_per_s.clear()
    cells.drift_pct = [0.0] * len(cells.drift_pct)


def _weld(device: Device, *, is_welded: bool) -> None:
    _pack_of(device).is_welded = is_welded


def _open(device: Device, *, is_open: bool) -> None:
    _pack_of(device).is_forced_open = is_open


FAULTS: dict[str, SimFault] = {
    "late": SimFault(what="answers come S seconds late (late=2)", on=_late, off=_on_time),
    "silent": _switch("silent", "requests are taken and never answered"),
    "garbage": _switch("garbage", "answers are no Modbus", of_line=True),
    "drop": _switch("drop_connection", "each request ends the connection", of_line=True),
    "exception": SimFault(what="requests are refused with a code (exception=6)", on=_refuse, off=_accept),
    "ignore-writes": _switch("ignore_writes", "writes are acknowledged and not taken"),
    "deaf": _switch("deaf", "writes read back as written, and nothing obeys them"),
    "wrong-scale": SimFault(
        what="a scale factor is off by powers of ten (wrong-scale=701.W_SF:1)",
        on=_wrong_scale,
        off=_right_scale,
    ),
    "all-zero": _switch("all_zero", "measurements read zero with the state fault"),
    "stopped-heartbeat": _switch("freeze_heartbeat", "715.DERHb stands still"),
    "stuck-timers": _switch("freeze_timers", "reversion timers do not restart"),
    "stuck-adoption": _switch("adoption_stuck", "a curve is never adopted"),
    "failing-adoption": _switch("adoption_fails", "no curve can be adopted"),
    "alarm": SimFault(what="a bit of 701.Alrm stands (alarm=7)", on=_alarm, off=_no_alarm),
    "local": SimFault(
        what="somebody works at the panel (715.LocRemCtl)",
        on=lambda device, _: _local(device, 1),
        off=lambda device: _local(device, 0),
    ),
    "bms-silent": _bms(BmsFault.SILENT, "the BMS sends nothing"),
    "bms-lost-frames": _bms(BmsFault.LOST_FRAMES, "half of the frames of the BMS are lost"),
    "bms-all-zero": _bms(BmsFault.ALL_ZERO, "its frames are zeros"),
    "bms-truncated": _bms(BmsFault.TRUNCATED, "its frames are cut to two bytes"),
    "bms-swapped": _bms(BmsFault.SWAPPED_BYTES, "its bytes are the other way round"),
    "bms-over-nameplate": _bms(BmsFault.OVER_NAMEPLATE, "it allows three times the nameplate current"),
    "bms-disabled": _bms(BmsFault.DISABLED, "it forbids charge and discharge"),
    "bms-stopped-heartbeat": _bms(BmsFault.STOPPED_HEARTBEAT, "its heartbeat stands still"),
    "bms-alarm": SimFault(
        what="an alarm stands (bms-alarm=bms_internal)",
        on=_bms_alarm,
        off=lambda device: _bms_of(device).clear_alarms(),
    ),
    "charge-blocked": _bms(BmsFault.CHARGE_BLOCKED, "the charge limit is 0"),
    "discharge-blocked": _bms(BmsFault.DISCHARGE_BLOCKED, "the discharge limit is 0"),
    "frozen-soc": _bms(BmsFault.FROZEN_SOC, "the state of charge stands still"),
    "thermal-runaway": SimFault(
        what="a cell heats itself (thermal-runaway=3)", on=_runaway, off=lambda d: _pack_of(d).cells.cool()
    ),
    "cell-drift": SimFault(
        what="a cell loses charge, % an hour (cell-drift=5:-60)", on=_drift, off=_no_drift
    ),
    "contactor-weld": SimFault(
        what="the contactor cannot open",
        on=lambda device, _: _weld(device, is_welded=True),
        off=lambda device: _weld(device, is_welded=False),
    ),
    "contactor-open": SimFault(
        what="the contactor falls open",
        on=lambda device, _: _open(device, is_open=True),
        off=lambda device: _open(device, is_open=False),
    ),
}


def switch_on(rig: Rig, text: str) -> None:
    """Let a device have a fault: `late=2`, `silent@battery`. Raises SimFaultError."""
    name, place, value = _parts(text)
    for device in _devices(rig, place, name):
        FAULTS[name].on(device, value)


def switch_off(rig: Rig, text: str) -> None:
    """Let a fault end; `all` ends every one. Raises SimFaultError."""
    name, place, _ = _parts(text)
    if name != "all":
        for device in _devices(rig, place, name):
            FAULTS[name].off(device)
        return
    for device in _chosen(rig, place):
        for each, fault in FAULTS.items():
            if _can_have(device, each):
                fault.off(device)


def _parts(text: str) -> tuple[str, str | None, str | None]:
    """Name, device and value of `name=value@device`."""
    head, _, place = text.partition("@")
    name, _, value = head.partition("=")
    if name not in FAULTS and name != "all":
        raise SimFaultError(f"{name}: no such fault; there are {', '.join(FAULTS)}")
    return name, place or None, value or None


def _chosen(rig: Rig, place: str | None) -> list[Device]:
    if place is None:
        return list(rig.devices.values())
    if place not in rig.devices:
        raise SimFaultError(f"{place}: no such device; there are {', '.join(rig.devices)}")
    return [rig.devices[place]]


def _devices(rig: Rig, place: str | None, name: str) -> Iterator[Device]:
    """The devices that are to have a fault: those that can, or the one that is named."""
    chosen = _chosen(rig, place)
    able = [device for device in chosen if _can_have(device, name)]
    if not able:
        raise SimFaultError(f"{name}: {', '.join(device.name for device in chosen)} cannot have that")
    yield from able


def _can_have(device: Device, name: str) -> bool:
    if name in _OF_BATTERY or name.startswith("bms-"):
        return device.bms is not None
    return name != "local" or (device.inverter is not None and 715 in device.inverter.face.bank.models)


_OF_BATTERY = {
    "charge-blocked",
    "discharge-blocked",
    "frozen-soc",
    "thermal-runaway",
    "cell-drift",
    "contactor-weld",
    "contactor-open",
}


def _bms_of(device: Device) -> SimulatedBms:
    if device.bms is None:
        raise SimFaultError(f"{device.name} has no BMS")
    return device.bms


def _pack_of(device: Device) -> Pack:
    return _bms_of(device).pack


def _cell(device: Device, value: str | None, otherwise: int) -> int:
    number, cells = _number(value, otherwise), _pack_of(device).settings.cells
    if not 0 <= number < cells:
        raise SimFaultError(f"cell {number:g}: {device.name} has cells 0 to {cells - 1}")
    return int(number)


def _number(value: str | None, otherwise: float) -> float:
    try:
        return otherwise if value is None else float(value)
    except ValueError:
        raise SimFaultError(f"{value}: not a number") from None


def _within(value: str | None, otherwise: float, low: float, high: float) -> float:
    number = _number(value, otherwise)
    if not low <= number <= high:
        raise SimFaultError(f"{number:g}: a number from {low:g} to {high:g} is wanted")
    return number
