"""Prices and granted flow reservations as events: their rules decide, storage acts, Responses are owed.

Each is followed as a DERControl of its times would be (see `function_sets`); what it asks of storage gives
way to any power that a DERProgram sets. Pure; one task owns it. IEEE 2030.5-2018, 10.2.3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from der_client.fixed_point import INT16, fixed_point
from der_client.price import PriceSettings, Rate, power_w_of
from der_client.quantity import active_power_w, scaled
from function_sets import (
    Draw,
    Due,
    EventRecord,
    ModeSource,
    Outcome,
    Program,
    Rules,
    advance,
    randomization_of,
)
from schemas import (
    ActivePower,
    DERControl,
    DERControlBase,
    Event,
    FlowReservationResponse,
    FlowReservationResponseResponse,
    PriceResponse,
    Response,
)

HELD, TARGET = "opModFixedW", "opModStorageTargetW"
"""The mode that stands for an offer while the rules are applied, and that in which storage follows it."""
PRICE, RESERVATION = "price ", "reservation "
"""How the programs of such events are named in records, before the URI of their list."""
BEHIND_ALL: Final = 256
"""A primacy behind those of all programs."""
PLACEHOLDER: Final = DERControlBase(opModFixedW=0)
KEEP_S: Final = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What the server offers besides DERPrograms: rates of tariffs, and reservations that it granted."""

    rates: Sequence[Rate] = ()
    reservations: Sequence[FlowReservationResponse] = ()
    reservations_href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Most power that the storage of an EndDevice takes and gives together, W, magnitudes."""

    charge_w: float = 0.0
    discharge_w: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedTo:
    """A Response that is owed, and its type."""

    due: Due
    response: type[Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferStep:
    """What one look gave: modes for storage, what is owed, what is new, and when time changes something."""

    modes: Mapping[str, ModeSource] = field(default_factory=dict)
    owed: tuple[OwedTo, ...] = ()
    is_changed: bool = False
    next_at: int | None = None


def is_offer(record: EventRecord) -> bool:
    """True if a record is about a price or a reservation."""
    return record.program_href.startswith((PRICE, RESERVATION))


class Offers:
    """Offers and time in, modes and owed Responses out."""

    def __init__(
        self,
        settings: PriceSettings,
        draw: Callable[[DERControl], Draw],
        records: Mapping[str, EventRecord] | None = None,
    ) -> None:
        self.records: Mapping[str, EventRecord] = dict(records or {})
        self._settings = settings
        self._draw = draw

    def step(self, offered: Offered, now: int, rules: Rules, storage: Storage) -> OfferStep:
        """Advance to `now`, server time, s."""
        rates = list(offered.rates) if self._settings.is_on else []
        priced = [self._advanced(_program_of(rate), now, rules) for rate in rates]
        granted = self._advanced(_granted(offered), now, rules)
        records = dict(self.records)
        for outcome in (*priced, granted):
            records |= outcome.records
        records = _pruned(records, _listed(rates, offered), now)
        is_changed = records != self.records
        self.records = records
        owed = [OwedTo(due=due, response=PriceResponse) for outcome in priced for due in outcome.due]
        owed += [OwedTo(due=due, response=FlowReservationResponseResponse) for due in granted.due]
        times = [one.next_at for one in (*priced, granted) if one.next_at is not None]
        reserved, until = _reserved(offered, granted, now)
        modes = reserved or self._by_price(rates, priced, storage)
        return OfferStep(
            modes=modes,
            owed=tuple(owed),
            is_changed=is_changed or bool(owed),
            next_at=min([*times, *until], default=None),
        )

    def _advanced(self, program: Program, now: int, rules: Rules) -> Outcome:
        own = {mrid: one for mrid, one in self.records.items() if one.program_href == program.href}
        return advance((program,), own, now, rules=rules, draw=self._draw)

    def _by_price(
        self, rates: Sequence[Rate], outcomes: Sequence[Outcome], storage: Storage
    ) -> dict[str, ModeSource]:
        """What the best tariff that has a price now asks for."""
        ranked = sorted(zip(rates, outcomes, strict=True), key=lambda pair: (pair[0].primacy, pair[0].mrid))
        for rate, outcome in ranked:
            source = outcome.modes.get(HELD)
            price = rate.price_per_kwh(source.mRID or "") if source and rate.is_of_energy_taken else None
            if source is not None and price is not None:
                charge_w, discharge_w = storage.charge_w, storage.discharge_w
                power_w = power_w_of(price, self._settings, charge_w=charge_w, discharge_w=discharge_w)
                return {} if power_w is None else {TARGET: _source(_watts(power_w), source)}
        return {}


def _program_of(rate: Rate) -> Program:
    controls = tuple(_as_control(one, PLACEHOLDER) for one in rate.intervals)
    return Program(href=PRICE + rate.href, mRID=rate.mrid, primacy=BEHIND_ALL, controls=controls)


def _granted(offered: Offered) -> Program:
    controls = tuple(_as_control(one, PLACEHOLDER) for one in offered.reservations)
    href = RESERVATION + offered.reservations_href
    return Program(href=href, mRID="00", primacy=BEHIND_ALL, controls=controls)


def _as_control(event: Event, base: DERControlBase) -> DERControl:
    """A DERControl that has the times, the status and the wishes for Responses of another event."""
    start_s, duration_s = randomization_of(event)
    return DERControl(
        replyTo=event.replyTo,
        responseRequired=event.responseRequired,
        mRID=event.mRID,
        version=event.version,
        creationTime=event.creationTime,
        EventStatus_=event.EventStatus_,
        interval=event.interval,
        randomizeDuration=duration_s or None,
        randomizeStart=start_s or None,
        DERControlBase_=base,
    )


def _reserved(offered: Offered, outcome: Outcome, now: int) -> tuple[dict[str, ModeSource], tuple[int, ...]]:
    """The power of the reservation that runs, until its energy has flown at that power; and that time."""
    source = outcome.modes.get(HELD)
    grants = (one for one in offered.reservations if source is not None and one.mRID == source.mRID)
    grant = next(grants, None)
    if grant is None or source is None:
        return {}, ()
    record = outcome.records[grant.mRID]
    power_w = active_power_w(grant.powerAvailable)
    energy_wh = scaled(grant.energyAvailable.value, grant.energyAvailable.multiplier)
    until = record.start + int(abs(energy_wh / power_w) * 3600) if power_w else record.start
    if now >= until:
        return {}, ()
    given_w = -abs(power_w) if energy_wh > 0 else abs(power_w)
    return {TARGET: _source(_watts(given_w), source)}, (until,)


def _watts(power_w: float) -> ActivePower:
    multiplier, value = fixed_point(power_w, INT16)
    return ActivePower(multiplier=multiplier, value=value)


def _source(value: ActivePower, source: ModeSource) -> ModeSource:
    return ModeSource(
        mode=TARGET,
        value=value,
        mRID=source.mRID,
        program_href=source.program_href,
        primacy=BEHIND_ALL,
    )


def _listed(rates: Sequence[Rate], offered: Offered) -> frozenset[str]:
    """All that is offered, by mRID."""
    events: list[Event] = [one for rate in rates for one in rate.intervals]
    return frozenset(one.mRID for one in (*events, *offered.reservations))


def _pruned(records: Mapping[str, EventRecord], listed: frozenset[str], now: int) -> dict[str, EventRecord]:
    """Records without those that are long over and that no list shows.

    Whatever their phase: nobody moves on what belongs to a tariff that was removed.
    """
    return {mrid: one for mrid, one in records.items() if mrid in listed or one.end + KEEP_S > now}
