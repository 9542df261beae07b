"""The power stage of an inverter: what flows at the terminals, step by step, under IEEE 1547-2018. Pure.

Time is an argument; a step of any size is cut where something changes by time alone: a trip, the end of a
delay, a ramp, a lag. Orders, offer and grid are constant within a step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from der_client.physics.active import ActivePower, Grid, Offer
from der_client.physics.orders import Order, Orders
from der_client.physics.protection import RESTORE_S, IslandWatch, Timers
from der_client.physics.reactive import ReactivePower
from der_client.physics.service import EnterService

MOVING_STEP_S = 1.0
"""The longest step while a ramp or a lag is under way; both are exact, and their mean is what has flowed."""
SETTLED_SHARE = 1e-4

Flow = tuple[float, float]


@dataclass(slots=True)
class PowerStage:
    """The state of one inverter. `power_w` and `reactive_var` flow now; `share` is what service allows.

    `on_flow` is told what has flowed up to each change: W, var and for how many seconds.
    """

    service: EnterService
    on_flow: Callable[[float, float, float], None]
    active: ActivePower = field(default_factory=ActivePower)
    reactive: ReactivePower = field(default_factory=ReactivePower)
    trips: Timers = field(default_factory=Timers)
    cessations: Timers = field(default_factory=Timers)
    islands: IslandWatch = field(default_factory=IslandWatch)
    power_w: float = 0.0
    reactive_var: float = 0.0
    share: float = 0.0
    is_tripped: bool = False
    has_ceased: bool = False
    _ceased_until: float = -math.inf
    _began: bool = False

    def advance(self, orders: Orders, offer: Offer, grid: Grid, start: float, end: float) -> None:
        """Bring the stage from `start` to `end` under conditions that are constant from `start` on."""
        self.settle(orders, offer, grid, start)
        now = start
        while now < end:
            until = min(end, self._next_at(orders, grid, now))
            before, state = (self.power_w, self.reactive_var), self._state
            self.settle(orders, offer, grid, until, until - now)
            after = (self.power_w, self.reactive_var) if self._state == state else before
            power_w, reactive_var = ((one + other) / 2 for one, other in zip(before, after, strict=True))
            self.on_flow(power_w, reactive_var, until - now)
            now = until

    @property
    def _state(self) -> tuple[bool, bool, bool]:
        """What changes at an instant: between two changes power moves evenly, and its mean has flowed."""
        return self.service.in_service, self.is_tripped, self.has_ceased

    def settle(self, orders: Orders, offer: Offer, grid: Grid, now: float, dt_s: float = 0.0) -> None:
        """The power at `now`, `dt_s` after the last."""
        has_left = self.islands.step(grid, now, is_on=orders.leaves_islands)
        self.is_tripped = self.trips.step(orders.trips, grid, now) or has_left
        self._cease(orders, grid, now)
        self.share = self._service_share(orders, grid, now)
        if self.share <= 0.0 and not self.service.in_service:
            self.active.reset()
            self.reactive.reset()
            self.power_w = self.reactive_var = 0.0
            self._began = True
            return
        wanted_w = self.active.step(orders, offer, grid, self.share, dt_s if self._began else None)
        self.reactive.step(orders, grid.voltage, dt_s)
        self._began = True
        power_w, reactive_var = self.reactive.settle(orders, wanted_w)
        restored = self._restored(now)
        self.power_w, self.reactive_var = restored * power_w, restored * reactive_var

    def _service_share(self, orders: Orders, grid: Grid, now: float) -> float:
        permitted = orders.permit and orders.order is Order.RUN
        return self.service.step(
            orders.enter,
            may_start=permitted and is_inside(orders, grid),
            must_stop=not permitted or self.is_tripped,
            now=now,
        )

    def _cease(self, orders: Orders, grid: Grid, now: float) -> None:
        """Momentary cessation: nothing flows while the grid is in its region, and it returns quickly."""
        self.has_ceased = self.cessations.step(orders.cessations, grid, now)
        if self.has_ceased:
            self._ceased_until = now

    def _restored(self, now: float) -> float:
        """The share of the output that is back after momentary cessation."""
        return min(1.0, (now - self._ceased_until) / RESTORE_S)

    def _next_at(self, orders: Orders, grid: Grid, now: float) -> float:
        """When the next step must end."""
        beyond = self.trips.next_at(now), self.cessations.next_at(now), self.islands.next_at(now)
        times = [*beyond, self.service.next_at(orders.enter, now)]
        if now - self._ceased_until < RESTORE_S:
            times.append(now + RESTORE_S / 4)
        if self._is_moving(orders, grid, now):
            times.append(now + MOVING_STEP_S)
        return min(times)

    def _is_moving(self, orders: Orders, grid: Grid, now: float) -> bool:
        if self.service.is_ramping(orders.enter, now) or self.active.is_moving(orders, grid):
            return True
        return self.service.in_service and self.reactive.is_moving(orders, grid.voltage)


def is_inside(orders: Orders, grid: Grid) -> bool:
    """True if the grid, on each phase, is inside the window for entering service; an island is no grid."""
    window = orders.enter
    is_in = all(window.low_v <= voltage <= window.high_v for voltage in grid.voltages)
    return is_in and window.low_hz <= grid.hertz <= window.high_hz and not grid.is_island
