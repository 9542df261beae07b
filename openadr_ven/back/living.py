"""What devices told lately, as the translation starts from it: state of charge, power, ratings. Pure.

What is older than `Known.fresh_s` is not told, nor anything while the server gives no answer: signals that
need it are refused then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile

from openadr_ven.back.known import Der, DeviceKnown, Known, Series
from openadr_ven.back.measuring import power_of
from openadr_ven.back.point import Meter
from openadr_ven.back.states import charge_level, sum_of
from openadr_ven.to_sep2 import Live, Motion
from openadr_ven.to_sep2.amounts import output_w, towards_zero
from schemas.codes import StorageModeStatusType as Storage

STILL_W = 10
"""A battery that draws or feeds in less than this holds."""
MOTIONS = {
    frozenset({Storage.CHARGING}): Motion.CHARGING,
    frozenset({Storage.DISCHARGING}): Motion.DISCHARGING,
}


def live_of(known: Known, now: int) -> dict[str, Live]:
    """By the name of the device, for those that told anything lately; none where the server is away."""
    if known.is_stale or known.at is None:
        return {}
    told = {name: _live(one, now, known.fresh_s) for name, one in known.devices.items()}
    return {name: live for name, live in told.items() if live != Live()}


def _live(device: DeviceKnown, now: int, fresh_s: int) -> Live:
    ders = [one for one in device.ders if _is_fresh(one, now, fresh_s)]
    power_w = _mean_w(device, now, fresh_s)
    motion = _motion(ders, power_w)
    return Live(
        soc=charge_level(ders) if _all_tell(device.ders, ders) else None,
        power_w=power_w,
        motion=motion,
        drawn_w=-power_w if motion is Motion.CHARGING and power_w is not None else None,
        setMaxW=_whole(sum_of(device.ders, lambda der: der.setMaxW)),
        setMaxChargeRateW=_whole(sum_of(device.ders, lambda der: der.setMaxChargeRateW)),
        setMaxDischargeRateW=_whole(sum_of(device.ders, lambda der: der.setMaxDischargeRateW)),
        setMaxWh=_whole(sum_of(device.ders, lambda der: der.setMaxWh)),
    )


def _is_fresh(der: Der, now: int, fresh_s: int) -> bool:
    return der.readingTime is not None and now - der.readingTime <= fresh_s


def _all_tell(ders: Iterable[Der], fresh: Sequence[Der]) -> bool:
    """Whether every DER that ever told a state of charge told it lately: a part of them is not the whole."""
    return all(one in fresh for one in ders if one.soc is not None)


def _mean_w(device: DeviceKnown, now: int, fresh_s: int) -> Decimal | None:
    """The mean of the last while, W, output positive: of its DER, or of its premises where it has none."""
    late = replace(device, series=tuple(_since(one, now - fresh_s) for one in device.series))
    measure = power_of(late, Meter.DER) or power_of(late, Meter.SITE)
    amount = None if measure is None else measure(now - fresh_s, now)
    if amount is None or not amount.known_s:
        return None
    return Decimal(towards_zero(output_w(amount.value)))


def _since(series: Series, at: int) -> Series:
    """The last samples of a series: there may be a day of them."""
    late = list(takewhile(lambda one: one.end >= at, reversed(series.samples)))
    return replace(series, samples=tuple(reversed(late)))


def _motion(ders: Iterable[Der], power_w: Decimal | None) -> Motion:
    """By what storage says of itself; where it says nothing, by what was measured."""
    modes = frozenset(der.storageModeStatus for der in ders if der.storageModeStatus is not None)
    if modes:
        return MOTIONS.get(frozenset(Storage(one) for one in modes & set(Storage)), Motion.HOLDING)
    if power_w is None:
        return Motion.UNKNOWN
    if abs(power_w) < STILL_W:
        return Motion.HOLDING
    return Motion.CHARGING if power_w < 0 else Motion.DISCHARGING


def _whole(value: Decimal | None) -> int | None:
    return None if value is None else towards_zero(value)
