"""Status of resources: online, overridden, capacity, operating state, state of charge. Pure.

OpenADR 2.0b, TELEMETRY_STATUS; OpenADR 3.1.0, OPERATING_STATE and STORAGE_CHARGE_LEVEL.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from typing import Final

from openadr_ven.back.known import Der, DeviceKnown, Known
from openadr_ven.back.measuring import power_of
from openadr_ven.back.point import Capacity, Meter, ResourceState
from openadr_ven.v3.report import OperatingState
from schemas.codes import InverterStatusType as Inverter
from schemas.codes import StorageModeStatusType as Storage

ONE: Final = Decimal(1)
IDLE_W: Final = 10
"""What draws or feeds in less than this is idle."""
LEAST_W: Final = Decimal(1)
"""Nothing is built for less: a share of it says nothing."""
STEP: Final = Decimal("0.0001")
RESTING: Final = frozenset({Inverter.OFF, Inverter.SLEEPING, Inverter.STANDBY})
CHOICES: Final = {
    (True, False): (OperatingState.RUNNING_OPTED_OUT, OperatingState.IDLE_OPTED_OUT),
    (False, True): (OperatingState.RUNNING_CURTAILED, OperatingState.IDLE_CURTAILED),
    (False, False): (OperatingState.RUNNING_NORMAL, OperatingState.IDLE_NORMAL),
}
"""By opted out and curtailed: running, idle."""


def is_online(device: DeviceKnown | None, at: int, fresh_s: int) -> bool:
    """Whether a device told something lately, is not switched off, and may speak to the server at all.

    LogEvents, DERStatus and readings all tell that it is there.
    """
    if device is None or not device.is_enabled:
        return False
    told_at = device.told_at()
    is_fresh = told_at is not None and at - told_at <= fresh_s
    is_off = bool(device.ders) and all(der.is_off for der in device.ders)
    return is_fresh and not is_off


def is_overridden(device: DeviceKnown | None, name: str, opted_out: Collection[str]) -> bool:
    """Whether somebody at the device has taken over: local control, or an opt-out in force."""
    is_local = device is not None and any(der.is_local for der in device.ders)
    return is_local or name in opted_out


def resource_state(known: Known, names: Sequence[str], at: int, opted_out: Collection[str]) -> ResourceState:
    """Status of the devices of a resource together: online while one of them is, overridden once one is."""
    found = [(name, known.devices.get(name)) for name in names]
    return ResourceState(
        is_online=any(is_online(device, at, known.fresh_s) for _, device in found),
        is_overridden=any(is_overridden(device, name, opted_out) for name, device in found),
        capacity=_capacity([device for _, device in found if device is not None], at, known.fresh_s),
    )


def operating_state(
    known: Known, names: Sequence[str], at: int, opted_out: Collection[str], curtailed: Collection[str]
) -> OperatingState:
    """The state of devices in the words of 3.x: a fault of one is told, then an opt-out, then a control."""
    devices = [one for one in map(known.devices.get, names) if one is not None]
    if any(der.is_faulty for one in devices for der in one.ders):
        return OperatingState.ERROR
    is_out = any(is_overridden(known.devices.get(name), name, opted_out) for name in names)
    is_curtailed = not is_out and any(name in curtailed for name in names)
    running, idle = CHOICES[is_out, is_curtailed]
    return running if any(_is_running(one, at, known.fresh_s) for one in devices) else idle


def charge_level(ders: Iterable[Der]) -> Decimal | None:
    """State of charge of all storage together, a share: by what each holds at most, where all tell that."""
    told = [(der.soc, der.setMaxWh) for der in ders if der.soc is not None]
    if not told:
        return None
    are_known = all(most for _, most in told)
    weights = [(most or ONE) if are_known else ONE for _, most in told]
    weighted = sum((soc * weight for (soc, _), weight in zip(told, weights, strict=True)), Decimal(0))
    return (weighted / sum(weights)).quantize(STEP)


def sum_of(ders: Iterable[Der], of: Callable[[Der], Decimal | None]) -> Decimal | None:
    """The sum of a rating over all DERs that tell it; None where none does."""
    told = [value for value in map(of, ders) if value is not None]
    return sum(told, Decimal(0)) if told else None


def _is_running(device: DeviceKnown, at: int, fresh_s: int) -> bool:
    power_w = _power_now(device, at, fresh_s)
    if power_w is not None:
        return abs(power_w) >= IDLE_W
    return any(_is_at_work(der) for der in device.ders)


def _is_at_work(der: Der) -> bool:
    if der.storageModeStatus is not None:
        return der.storageModeStatus in {Storage.CHARGING, Storage.DISCHARGING}
    return bool(der.inverterStatus) and der.inverterStatus not in RESTING and not der.is_off


def _power_now(device: DeviceKnown, at: int, fresh_s: int) -> Decimal | None:
    """Power of the DER, load positive, as it was last measured; None where that is too long ago."""
    measure = power_of(device, Meter.DER)
    amount = measure(at, at) if measure is not None else None
    is_known = amount is not None and amount.known_s and amount.age_s <= fresh_s
    return amount.value if is_known and amount is not None else None


def _capacity(devices: Sequence[DeviceKnown], at: int, fresh_s: int) -> Capacity | None:
    """Consumption as a share of the most that is built for; None where nothing tells what that is.

    The setting that holds is the most that may be drawn, and what is normal.
    """
    ders = [der for one in devices for der in one.ders]
    rated = sum_of(ders, lambda der: der.rtgMaxChargeRateW or der.setMaxChargeRateW)
    if rated is None or rated < LEAST_W:
        return None
    setting = sum_of(ders, lambda der: der.setMaxChargeRateW or der.rtgMaxChargeRateW) or rated
    most = min(ONE, setting / rated).quantize(STEP)
    powers = [_power_now(one, at, fresh_s) for one in devices if one.ders]
    current = None
    if all(power is not None for power in powers):
        drawn = sum((power for power in powers if power is not None), Decimal(0))
        current = max(Decimal(0), drawn / rated).quantize(STEP)
    return Capacity(current=current, least=Decimal(0), most=most, normal=most)
