"""Power and energy of devices over periods, from their series. Signs are load positive.

A device may be metered at its premises and at its DER: one of the two is taken, never their sum.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from openadr_ven.back.known import DeviceKnown, Grade, Series
from openadr_ven.back.point import Meter, Quantity
from openadr_ven.back.resampling import (
    COUNTED,
    EXTREMES,
    ZERO,
    Amount,
    Track,
    energy_track,
    mean,
    power_track,
    total,
)
from schemas.codes_metering import FlowDirectionType as Flow
from schemas.codes_metering import KindType, RoleFlagsType, UomType

PREMISES: Final = 1 << RoleFlagsType.IS_PREMISES_AGGREGATION_POINT
ORDER: Final = {Meter.ANY: (Meter.SITE, Meter.DER), Meter.SITE: (Meter.SITE,), Meter.DER: (Meter.DER,)}
TOTAL_PHASE: Final = frozenset({None, 0})
Measure = Callable[[int, int], Amount | None]


def load_positive(value: Decimal, flow: int | None) -> Decimal:
    """A measured value as OpenADR counts it: what is drawn is positive.

    Forward flow is counted that way already. Reverse flow, and that of a DER which says no direction, is
    output positive in IEEE 2030.5. The one place where the sign of what goes up flips.
    """
    return value if flow == Flow.FORWARD else -value


@dataclass(frozen=True, slots=True)
class Channel:
    """One series to be read many times, and how it flows."""

    track: Track
    flow: int | None


def power_of(device: DeviceKnown, meter: Meter) -> Measure | None:
    """Mean power, W, by period. None where the device has no such series."""
    chosen = _chosen(device.series, meter, _is_power)
    if not chosen:
        return None
    channels = [Channel(power_track(one), one.flowDirection) for one in chosen]
    flows = {one.flow for one in channels}
    is_split = {Flow.FORWARD, Flow.REVERSE} <= flows
    return lambda start, end: _net_power(channels, start, end, is_split=is_split)


def energy_of(device: DeviceKnown, meter: Meter, quantity: Quantity) -> Measure | None:
    """Energy, Wh, by period, drawn or fed in or the one less the other; None without counters for it.

    The net of a device that counts one direction only would be wrong: it has none.
    """
    chosen = _chosen(device.series, meter, _is_energy)
    wanted = {Quantity.IMPORTED: (Flow.FORWARD,), Quantity.EXPORTED: (Flow.REVERSE,)}
    flows = wanted.get(quantity, (Flow.FORWARD, Flow.REVERSE))
    channels = [Channel(energy_track(one), one.flowDirection) for one in chosen if one.flowDirection in flows]
    if {one.flow for one in channels} != set(flows):
        return None
    is_net = quantity is Quantity.ENERGY
    return lambda start, end: _sum(
        (total(one.track, start, end), load_positive(Decimal(1), one.flow) if is_net else Decimal(1))
        for one in channels
    )


def _net_power(channels: Sequence[Channel], start: int, end: int, *, is_split: bool) -> Amount | None:
    """What is drawn less what is fed in. With a series for each way, a way has nothing below zero."""
    found = []
    for one in channels:
        amount = mean(one.track, start, end)
        if amount is not None and is_split and amount.value < 0:
            amount = Amount(value=ZERO, known_s=amount.known_s, grade=amount.grade, age_s=amount.age_s)
        found.append((amount, load_positive(Decimal(1), one.flow)))
    return _sum(found)


def _sum(parts: Iterable[tuple[Amount | None, Decimal]]) -> Amount | None:
    """The sum of all parts with their signs: as good, as known and as new as the worst of them."""
    amounts = list(parts)
    told = [(amount, sign) for amount, sign in amounts if amount is not None]
    if not told or len(told) < len(amounts):
        return None
    return Amount(
        value=sum((amount.value * sign for amount, sign in told), ZERO),
        known_s=min(amount.known_s for amount, _ in told),
        grade=min((amount.grade for amount, _ in told), default=Grade.BAD),
        age_s=max(amount.age_s for amount, _ in told),
    )


def _chosen(series: Iterable[Series], meter: Meter, is_wanted: Callable[[Series], bool]) -> list[Series]:
    """The series of one usage point of a device, of all phases together or each of its own."""
    fitting = [one for one in series if is_wanted(one) and one.dataQualifier not in EXTREMES]
    for where in ORDER[meter]:
        here = [one for one in fitting if bool(one.roleFlags & PREMISES) is (where is Meter.SITE)]
        whole = [one for one in here if one.phase in TOTAL_PHASE]
        if here:
            return _one_each(whole or here)
    return []


def _one_each(series: Iterable[Series]) -> list[Series]:
    """One series for each direction and phase: two of the same would count twice."""
    found: dict[tuple[int | None, int | None], Series] = {}
    for one in series:
        key = (one.flowDirection, one.phase)
        if key not in found or len(one.samples) > len(found[key].samples):
            found[key] = one
    return list(found.values())


def _is_power(one: Series) -> bool:
    return one.uom == UomType.W and one.kind in {None, KindType.POWER, KindType.NOT_APPLICABLE}


def _is_energy(one: Series) -> bool:
    """Whether energy is counted; what a battery holds is no such flow."""
    return one.uom == UomType.WH and one.accumulationBehaviour in COUNTED
