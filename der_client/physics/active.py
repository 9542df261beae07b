"""Active power of an inverter: setpoint, limit and ramp, then volt-watt, then frequency. Pure.

IEEE 1547-2018, 4.6.2 (limit), 5.4.2 (volt-watt), 6.5.2.7 (frequency-droop), 4.7 (priorities): while droop is
active at under-frequency the limit gives way; the lesser of droop and volt-watt holds.
"""

from dataclasses import dataclass

from der_client.physics.curve import interpolate, lagged, ramped
from der_client.physics.orders import Droop, Orders, VoltWatt

SETTLED_SHARE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the DC side gives and takes at the AC terminals now; `idle_w` flows unless asked otherwise.

    Charging with less than `gap_w` cannot be done: nothing flows instead.
    """

    most_w: float
    least_w: float
    idle_w: float
    gap_w: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The grid at the terminals: per unit voltage, Hz, and the nominal frequency.

    `phases` are the voltages of the phases where they differ; functions go by `voltage`, their mean.
    `is_island`: the grid behind the terminals is gone, and load and generation hold the voltage.
    """

    voltage: float
    hertz: float
    nominal_hz: float
    phases: tuple[float, ...] = ()
    is_island: bool = False

    @property
    def voltages(self) -> tuple[float, ...]:
        """The voltages that protection looks at, each of them. IEEE 1547-2018, 6.4.1."""
        return self.phases or (self.voltage,)


def base_target_w(orders: Orders, offer: Offer, service_share: float) -> float:
    """The power to go to by setpoint, limit, ratings and the share that entering service allows."""
    ratings = orders.ratings
    wanted_w = offer.idle_w if orders.set_w is None else orders.set_w
    top_w = min(offer.most_w, ratings.max_w, service_share * ratings.max_w)
    if orders.limit is not None:
        top_w = min(top_w, orders.limit * ratings.max_w)
    if orders.most_w is not None:
        top_w = min(top_w, orders.most_w)
    floor_w = max(offer.least_w, -ratings.charge_w, -service_share * ratings.max_w)
    if orders.least_w is not None:
        floor_w = max(floor_w, min(orders.least_w, top_w))
    return max(floor_w, min(wanted_w, top_w))


@dataclass(slots=True)
class ActivePower:
    """The state of the active power functions; W."""

    base_w: float = 0.0
    cap_share: float | None = None
    before_w: float | None = None
    droop_w: float = 0.0
    is_ramping: bool = False

    def step(self, orders: Orders, offer: Offer, grid: Grid, share: float, dt_s: float | None) -> float:
        """The power after `dt_s` under constant orders, offer and grid; `None` begins where all ramps end.

        `share` is what entering service allows of the rating.
        """
        target_w = base_target_w(orders, offer, share)
        rate = orders.ramp_w_per_s if dt_s is not None else None
        reached_w = ramped(self.base_w, target_w, rate, dt_s or 0.0)
        self.base_w = max(offer.least_w, min(reached_w, offer.most_w))
        self.is_ramping = abs(self.base_w - target_w) > SETTLED_SHARE * orders.ratings.max_w
        moved_w = self._with_droop(orders, offer, grid, dt_s or 0.0)
        power_w = self._capped(orders, offer, grid, moved_w, dt_s)
        return 0.0 if -offer.gap_w < power_w < 0.0 else power_w

    def reset(self) -> None:
        """Out of service: nothing flows and nothing is remembered."""
        self.base_w = self.droop_w = 0.0
        self.before_w = self.cap_share = None
        self.is_ramping = False

    def _with_droop(self, orders: Orders, offer: Offer, grid: Grid, dt_s: float) -> float:
        """The power with frequency-droop: what flowed before, moved by the lagged response."""
        droop, ratings = orders.droop, orders.ratings
        if droop is None:
            self.before_w, self.droop_w = None, 0.0
            return self.base_w
        change = _droop_share(droop, grid) * ratings.max_w
        if change and self.before_w is None:
            self.before_w = self.base_w
        self.droop_w = lagged(self.droop_w, change, droop.response_s, dt_s)
        if not change:
            self.before_w = None
            if abs(self.droop_w) < SETTLED_SHARE * ratings.max_w:
                self.droop_w = 0.0
        reference_w = self.base_w if self.before_w is None else self.before_w
        moved_w = reference_w + self.droop_w
        if self.droop_w < 0:
            moved_w = min(moved_w, self.base_w)
        if self.droop_w < 0 and droop.least_share is not None:
            moved_w = max(moved_w, min(reference_w, droop.least_share * ratings.max_w))
        return max(offer.least_w, -ratings.charge_w, min(moved_w, offer.most_w, ratings.max_w))

    def _capped(self, orders: Orders, offer: Offer, grid: Grid, power_w: float, dt_s: float | None) -> float:
        """The power below volt-watt and frequency-watt; a negative share asks a battery to take."""
        floor_w = max(offer.least_w, -orders.ratings.charge_w)
        if orders.freq_watt is not None:
            top_w = interpolate(orders.freq_watt.curve, grid.hertz) * orders.ratings.max_w
            power_w = max(floor_w, min(power_w, top_w))
        function = orders.volt_watt
        if function is None:
            self.cap_share = None
            return power_w
        target = interpolate(function.curve, grid.voltage)
        first = target if self.cap_share is None or dt_s is None else self.cap_share
        self.cap_share = lagged(first, target, function.response_s, dt_s or 0.0)
        return max(floor_w, min(power_w, self.cap_share * _reference_w(function, orders, offer)))

    def is_moving(self, orders: Orders, grid: Grid) -> bool:
        """True while a ramp or a lag is under way, so that a long step must be cut."""
        if self.is_ramping:
            return True
        if orders.droop is not None:
            change = _droop_share(orders.droop, grid) * orders.ratings.max_w
            if abs(change - self.droop_w) > SETTLED_SHARE * orders.ratings.max_w:
                return True
        if orders.volt_watt is None or self.cap_share is None:
            return False
        return abs(interpolate(orders.volt_watt.curve, grid.voltage) - self.cap_share) > SETTLED_SHARE


def _reference_w(function: VoltWatt, orders: Orders, offer: Offer) -> float:
    return min(offer.most_w, orders.ratings.max_w) if function.of_available else orders.ratings.max_w


def _droop_share(droop: Droop, grid: Grid) -> float:
    """The change of power that the frequency asks for, as a share of WMax."""
    over_hz = grid.hertz - grid.nominal_hz - droop.over_hz
    under_hz = grid.nominal_hz - droop.under_hz - grid.hertz
    if over_hz > 0 and droop.k_over > 0:
        return -over_hz / (grid.nominal_hz * droop.k_over)
    if under_hz > 0 and droop.k_under > 0:
        return under_hz / (grid.nominal_hz * droop.k_under)
    return 0.0
