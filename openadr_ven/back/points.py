"""Points of data for descriptions and periods: the core of every report upwards. Pure.

Whoever writes a profile asks here for the periods that it owes. OpenADR 2.0b, R315, R317, R318.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from openadr_ven.back.known import Der, Grade, Known
from openadr_ven.back.measuring import Measure, energy_of, power_of
from openadr_ven.back.point import ENERGIES, Description, Quality, Quantity, ReportPoint, Told
from openadr_ven.back.resampling import ZERO, Amount
from openadr_ven.back.states import charge_level, operating_state, resource_state, sum_of

Period = tuple[int, int]
"""Start and end of a data period, s; a moment has both alike. Ends are exclusive."""
STORED: Final[Mapping[Quantity, Callable[[Der], Decimal | None]]] = {
    Quantity.USABLE_CAPACITY: lambda der: der.setMaxWh,
    Quantity.MAX_CHARGE_POWER: lambda der: der.setMaxChargeRateW or der.rtgMaxChargeRateW,
    Quantity.MAX_DISCHARGE_POWER: lambda der: der.setMaxDischargeRateW,
}
WITH_VALUE: Final = frozenset(
    {Quality.GOOD, Quality.UNCERTAIN, Quality.PARTIAL, Quality.UNCHANGED, Quality.LAST_KNOWN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What events ask of devices now: who opted out, and whom a control holds down. Names of devices."""

    opted_out: Collection[str] = field(default_factory=frozenset)
    curtailed: Collection[str] = field(default_factory=frozenset)


NOTHING: Final = Standing()


def periods_of(start: int, end: int, granularity_s: int) -> tuple[Period, ...]:
    """Periods of a granularity from `start` to `end`, the last one shorter where they do not fit.

    Granularity 0 is the whole of it at once.
    """
    step_s = granularity_s or max(1, end - start)
    return tuple((at, min(at + step_s, end)) for at in range(start, end, step_s))


def points(
    known: Known, descriptions: Sequence[Description], periods: Sequence[Period], standing: Standing = NOTHING
) -> tuple[ReportPoint, ...]:
    """One point for each description and period, by period: also where there is nothing to tell (R318)."""
    told = [_Told(known, one, standing) for one in descriptions]
    return tuple(one.point(start, end) for start, end in periods for one in told)


def changed(found: Sequence[ReportPoint], before: Mapping[str, ReportPoint]) -> tuple[ReportPoint, ...]:
    """For a report on change: each rID as it differs from the point that went before, `before` at first.

    What did not change at all is told once, by its last point, as unchanged (R317).
    """
    last = dict(before)
    news: list[ReportPoint] = []
    latest: dict[str, ReportPoint] = {}
    for one in found:
        held = last.get(one.rID)
        if held is None or (held.value, held.quality) != (one.value, one.quality):
            news.append(one)
        last[one.rID] = latest[one.rID] = one
    quiet = [latest[rID] for rID in latest.keys() - {one.rID for one in news}]
    still = (one if one.value is None else replace(one, quality=Quality.UNCHANGED) for one in quiet)
    return tuple(sorted((*news, *still), key=lambda one: (one.start, one.rID)))


class _Told:
    """One description against what is known: its devices and their series looked up once."""

    def __init__(self, known: Known, description: Description, standing: Standing) -> None:
        self._known = known
        self._description = description
        self._standing = standing
        self._names = known.of(description.resources)
        quantity = description.quantity
        self._measures: list[Measure | None] = []
        if quantity is Quantity.POWER or quantity in ENERGIES:
            self._measures = list(self._measured())

    def point(self, start: int, end: int) -> ReportPoint:
        """The point of a period; a status is one of the moment at which the period ends."""
        quantity = self._description.quantity
        is_measured = quantity is Quantity.POWER or quantity in ENERGIES
        value, quality = self._sum(start, end) if is_measured else self._state(end)
        has_duration = is_measured and end > start
        return ReportPoint(
            rID=self._description.rID,
            start=start if is_measured else end,
            duration_s=end - start if has_duration else None,
            value=value if quality in WITH_VALUE else None,
            quality=quality,
        )

    def _measured(self) -> Iterator[Measure | None]:
        one = self._description
        for name in self._names:
            device = self._known.devices.get(name)
            if device is None:
                yield None
            elif one.quantity is Quantity.POWER:
                yield power_of(device, one.meter)
            else:
                yield energy_of(device, one.meter, one.quantity)

    def _sum(self, start: int, end: int) -> tuple[Decimal | None, Quality]:
        amounts = [None if one is None else one(start, end) for one in self._measures]
        told = [one for one in amounts if one is not None and one.known_s]
        if not told:
            is_bad = any(one is not None for one in amounts)
            return None, Quality.BAD if is_bad else self._nothing()
        value = sum((one.value for one in told), ZERO)
        if len(told) < len(amounts):
            return value, Quality.PARTIAL
        return value, self._quality(told, start, end)

    def _quality(self, told: Sequence[Amount], start: int, end: int) -> Quality:
        if max(one.age_s for one in told) > self._known.fresh_s:
            return Quality.LAST_KNOWN
        is_whole = all(one.known_s >= end - start for one in told)
        is_good = all(one.grade is Grade.GOOD for one in told)
        return Quality.GOOD if is_whole and is_good else Quality.UNCERTAIN

    def _state(self, at: int) -> tuple[Told | None, Quality]:
        """What holds at a moment; where nobody knows it any more, what was last known."""
        known, names, quantity = self._known, self._names, self._description.quantity
        if quantity is Quantity.OPTED_OUT:
            return Decimal(sum(name in self._standing.opted_out for name in names)), self._held()
        if all(known.devices.get(name) is None for name in names):
            return None, self._nothing()
        if quantity is Quantity.STATUS:
            return resource_state(known, names, at, self._standing.opted_out), self._held()
        if quantity is Quantity.OPERATING_STATE:
            opted_out, curtailed = self._standing.opted_out, self._standing.curtailed
            return operating_state(known, names, at, opted_out, curtailed), self._held()
        return self._stored(at)

    def _stored(self, at: int) -> tuple[Decimal | None, Quality]:
        """State of charge and ratings of storage: as old as the DERStatus that tells it."""
        devices = [one for one in map(self._known.devices.get, self._names) if one is not None]
        ders = [der for one in devices for der in one.ders]
        quantity = self._description.quantity
        if quantity is not Quantity.CHARGE_LEVEL:
            value = sum_of(ders, STORED[quantity])
            return value, self._nothing() if value is None else self._held()
        level = charge_level(ders)
        if level is None:
            return None, self._nothing()
        oldest = min(der.readingTime or 0 for der in ders if der.soc is not None)
        is_fresh = at - oldest <= self._known.fresh_s
        return level, self._held() if is_fresh else Quality.LAST_KNOWN

    def _held(self) -> Quality:
        return Quality.LAST_KNOWN if self._known.is_stale else Quality.GOOD

    def _nothing(self) -> Quality:
        return Quality.UNREACHABLE if self._known.is_stale else Quality.NO_DATA
