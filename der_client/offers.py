"""Prices, granted flow reservations and load controls as events: storage acts, Responses are owed.

Each is followed as a DERControl of its times would be (see `function_sets`); what it asks of storage gives
way to any power that a DERProgram sets. Pure; one task owns it. IEEE 2030.5-2018, 10.2.3.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der_client.desired import TARGETS
from der_client.event_form import control_of
from der_client.fixed_point import INT16, fixed_point
from der_client.flow import Grant, UsedEnergy
from der_client.load_control import FOLLOWED, LOAD, PREFIX, DrawnBefore, limit_of
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
)
from schemas import (
    ActivePower,
    DERControl,
    DERControlBase,
    DrResponse,
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
    """What the server offers besides DERPrograms: rates of tariffs, and reservations that it granted.

    `load_programs` are those of EndDeviceControls; None: not known, events that are known go on.
    """

    rates: Sequence[Rate] = ()
    reservations: Sequence[FlowReservationResponse] = ()
    reservations_href: str = ""
    load_programs: tuple[Program, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Most power that the storage of an EndDevice takes and gives together, W, magnitudes.

    `category` is the bitmap of the devices; `limits_load` says that what it takes in can be limited,
    `drawn_w` what it takes in now, W, where that is known.
    """

    charge_w: float = 0.0
    discharge_w: float = 0.0
    category: int = 0
    limits_load: bool = False
    drawn_w: float | None = None


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
    """True if a record is about a price, a reservation or a load control."""
    return record.program_href.startswith((PRICE, RESERVATION, PREFIX))


def together(modes: Mapping[str, ModeSource], offered: Mapping[str, ModeSource]) -> dict[str, ModeSource]:
    """Modes of DERPrograms and of offers: a power that a program sets goes first, the lesser limit holds."""
    found = dict(modes)
    if found.keys().isdisjoint(TARGETS) and TARGET in offered:
        found[TARGET] = offered[TARGET]
    limit, own = offered.get(LOAD), found.get(LOAD)
    if limit is not None and (own is None or _limit_w(limit) < _limit_w(own)):
        found[LOAD] = limit
    return found


def _limit_w(source: ModeSource) -> float:
    return active_power_w(source.value) if isinstance(source.value, ActivePower) else math.inf


class Offers:
    """Offers and time in, modes and owed Responses out."""

    def __init__(
        self,
        settings: PriceSettings,
        draw: Callable[[DERControl], Draw],
        records: Mapping[str, EventRecord] | None = None,
    ) -> None:
        self.records: Mapping[str, EventRecord] = dict(records or {})
        self.used = UsedEnergy()
        self.before = DrawnBefore()
        self._is_limiting = False
        self._settings = settings
        self._draw = draw

    def step(
        self,
        offered: Offered,
        now: int,
        rules: Rules,
        storage: Storage,
        *,
        failing: frozenset[str] = frozenset(),
    ) -> OfferStep:
        """Advance to `now`, server time, s; `failing` are modes that storage does not hold.

        A price that was cancelled before it was seen is answered too. CSIP-AUS PRC-04.
        """
        rates = list(offered.rates) if self._settings.is_on else []
        price_rules = replace(rules, answers_unseen=True)
        priced = [self._advanced(_program_of(rate), now, price_rules) for rate in rates]
        is_unheld = self.used.running is not None and TARGET in failing
        broken = frozenset({HELD}) if is_unheld else frozenset[str]()
        granted = self._advanced(_granted(offered), now, replace(rules, failing_modes=broken))
        loads = self._load_controls(offered, now, rules, storage, is_short=LOAD in failing)
        records = dict(self.records)
        for outcome in (*priced, granted, loads):
            records |= outcome.records
        records = _pruned(records, _listed(rates, offered), now)
        is_changed = records != self.records
        self.records = records
        owed = [OwedTo(due=due, response=PriceResponse) for outcome in priced for due in outcome.due]
        owed += [OwedTo(due=due, response=FlowReservationResponseResponse) for due in granted.due]
        owed += [OwedTo(due=due, response=DrResponse) for due in loads.due]
        times = [one.next_at for one in (*priced, granted, loads) if one.next_at is not None]
        self.used.forget({one.mRID for one in offered.reservations})
        reserved, until = self._reserved(offered, granted, now)
        modes = {**(reserved or self._by_price(rates, priced, storage)), **self._limited(loads, storage)}
        return OfferStep(
            modes=modes,
            owed=tuple(owed),
            is_changed=is_changed or bool(owed),
            next_at=min([*times, *until], default=None),
        )

    def _advanced(self, program: Program, now: int, rules: Rules) -> Outcome:
        own = {mrid: one for mrid, one in self.records.items() if one.program_href == program.href}
        return advance((program,), own, now, rules=rules, draw=self._draw)

    def _load_controls(
        self, offered: Offered, now: int, rules: Rules, storage: Storage, *, is_short: bool
    ) -> Outcome:
        """The state of all EndDeviceControls; `is_short` where storage does not hold a limit of its load."""
        own = {mrid: one for mrid, one in self.records.items() if one.program_href.startswith(PREFIX)}
        programs = offered.load_programs
        if programs is None:
            known = {one.program_href: one.primacy for one in own.values()}
            programs = tuple(Program(href=href, mRID="00", primacy=rank) for href, rank in known.items())
        return advance(
            programs,
            own,
            now,
            rules=replace(rules, failing_modes=FOLLOWED if is_short and self._is_limiting else frozenset()),
            draw=self._draw,
            device_category=storage.category,
            supported=FOLLOWED if storage.limits_load else frozenset(),
        )

    def _limited(self, loads: Outcome, storage: Storage) -> dict[str, ModeSource]:
        """The limit of what storage takes in that the EndDeviceControls in force leave."""
        begun = {source.mRID for source in loads.modes.values() if source.mRID is not None}
        self.before.note(begun, storage.drawn_w, loads.records)
        limit = limit_of(loads.modes, storage.charge_w, self.before)
        self._is_limiting = limit is not None
        if limit is None:
            return {}
        return {LOAD: replace(limit[1], mode=LOAD, value=_watts(limit[0]))}

    def _reserved(
        self, offered: Offered, outcome: Outcome, now: int
    ) -> tuple[dict[str, ModeSource], tuple[int, ...]]:
        """The power of the reservation that runs, until its energy has flown.

        Where nothing tells what flows, it has flown after the time that it takes at that power; that time.
        """
        source = outcome.modes.get(HELD)
        grants = (one for one in offered.reservations if source is not None and one.mRID == source.mRID)
        granted = next(grants, None)
        self.used.running = None
        if granted is None or source is None:
            return {}, ()
        power_w = active_power_w(granted.powerAvailable)
        energy_wh = scaled(granted.energyAvailable.value, granted.energyAvailable.multiplier)
        grant = Grant(mrid=granted.mRID, energy_wh=energy_wh)
        if not power_w or self.used.is_spent(grant):
            return {}, ()
        until = outcome.records[granted.mRID].start + int(abs(energy_wh / power_w) * 3600)
        is_metered = self.used.is_metered(granted.mRID)
        if now >= until and not is_metered:
            return {}, ()
        self.used.running = grant
        given_w = -abs(power_w) if energy_wh > 0 else abs(power_w)
        return {TARGET: _source(_watts(given_w), source)}, () if is_metered else (until,)

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
    controls = tuple(control_of(one, PLACEHOLDER) for one in rate.intervals)
    return Program(href=PRICE + rate.href, mRID=rate.mrid, primacy=BEHIND_ALL, controls=controls)


def _granted(offered: Offered) -> Program:
    controls = tuple(control_of(one, PLACEHOLDER) for one in offered.reservations)
    href = RESERVATION + offered.reservations_href
    return Program(href=href, mRID="00", primacy=BEHIND_ALL, controls=controls)


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
    events += [one for program in offered.load_programs or () for one in program.controls]
    return frozenset(one.mRID for one in (*events, *offered.reservations))


def _pruned(records: Mapping[str, EventRecord], listed: frozenset[str], now: int) -> dict[str, EventRecord]:
    """Records without those that are long over and that no list shows.

    Whatever their phase: nobody moves on what belongs to a tariff that was removed.
    """
    return {mrid: one for mrid, one in records.items() if mrid in listed or one.end + KEEP_S > now}
