"""A car at a charging point: there by night, away by day. Pure; time steps are arguments.

Arrival, departure and the trip between follow from the seed and the day.
"""

import math
from dataclasses import dataclass, field

from der_client.physics.chance import normal_of
from der_client.physics.curve import interpolate
from der_client.physics.weather import DAY_S, HOUR_S

_ARRIVES_H, _LEAVES_H = 18.0, 7.5
_ARRIVAL, _DEPARTURE, _TRIP = 1, 2, 3
_TAPER = ((0.0, 1.0), (80.0, 1.0), (98.0, 0.15), (100.0, 0.0))
_EMPTY_PCT, _V2G_FLOOR_PCT = 5.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvSettings:
    """A car and its charging point (EVSE): Wh, W, A, V.

    `discharge_w` above 0 is a bidirectional point. Below `least_a` a point cannot charge (IEC 61851: 6 A).
    `needed_pct` is what the driver wants at departure; `habits` off leaves the car to `plug` and `unplug`.
    """

    seed: int = 1
    capacity_wh: float = 60_000.0
    charge_w: float = 7_400.0
    discharge_w: float = 0.0
    least_a: float = 6.0
    voltage_v: float = 230.0
    phases: int = 1
    needed_pct: float = 80.0
    trip_wh: float = 12_000.0
    efficiency: float = 0.93
    utc_offset_h: float = 0.0
    habits: bool = True
    soc_pct: float = 50.0

    @property
    def least_w(self) -> float:
        """The smallest power at which the point can charge."""
        return self.least_a * self.voltage_v * self.phases


@dataclass(slots=True)
class ElectricVehicle:
    """A car and whether it is plugged in at `now`, s since 1970 UTC. Power is positive out of the car."""

    settings: EvSettings
    now: float
    soc_pct: float = field(init=False)
    is_plugged: bool = field(init=False)
    moved_wh: float = 0.0

    def __post_init__(self) -> None:
        self.soc_pct = self.settings.soc_pct
        self.is_plugged = not self.settings.habits or self._is_home(self.now)

    def step(self, now: float) -> None:
        """Live until `now`: the car leaves and comes back as its driver does."""
        while self.settings.habits and (at := self.next_change(self.now)) <= now:
            self.now = at
            self._toggle()
        self.now = max(self.now, now)

    def plug(self, soc_pct: float | None = None) -> None:
        """The car arrives, with that much in its battery."""
        self.is_plugged = True
        if soc_pct is not None:
            self.soc_pct = soc_pct

    def unplug(self) -> None:
        """The car leaves."""
        self.is_plugged = False

    def next_change(self, now: float) -> float:
        """When the driver next arrives or leaves after `now`."""
        day = self._day(now)
        times = [at for d in (day - 1, day, day + 1) for at in (self._leaves(d), self._arrives(d))]
        return min(at for at in times if at > now + 1e-6)

    def departure_s(self) -> float:
        """When the car is needed next, s since 1970 UTC; infinite without habits."""
        if not self.settings.habits:
            return math.inf
        day = self._day(self.now)
        return min(at for at in (self._leaves(day), self._leaves(day + 1)) if at > self.now)

    @property
    def needed_wh(self) -> float:
        """Energy at the car's battery that is still missing for the next trip."""
        missing_pct = max(0.0, self.settings.needed_pct - self.soc_pct)
        return self.settings.capacity_wh * missing_pct / 100.0

    def limits(self, now: float) -> tuple[float, float, float, float]:
        """Most charge and discharge power at the plug (W), SoC (%), SoH (%).

        While the car is away nothing flows, and its SoC is not a number.
        """
        self.step(now)
        if not self.is_plugged:
            return 0.0, 0.0, math.nan, 100.0
        charge_w = self.settings.charge_w * interpolate(_TAPER, self.soc_pct)
        gives = self.soc_pct > _V2G_FLOOR_PCT
        return charge_w, self.settings.discharge_w if gives else 0.0, self.soc_pct, 100.0

    def transfer(self, power_w: float, dt_s: float) -> None:
        """Energy has flowed for `dt_s`: `power_w` at the plug, positive out of the car."""
        if not self.is_plugged:
            return
        efficiency = self.settings.efficiency
        inner_w = power_w / efficiency if power_w > 0 else power_w * efficiency
        self.moved_wh += power_w * dt_s / 3600.0
        moved_pct = 100.0 * inner_w * dt_s / 3600.0 / self.settings.capacity_wh
        self.soc_pct = min(100.0, max(0.0, self.soc_pct - moved_pct))

    def _toggle(self) -> None:
        if self.is_plugged:
            self.unplug()
            return
        used_pct = 100.0 * self._trip_wh(self._day(self.now)) / self.settings.capacity_wh
        self.plug(max(_EMPTY_PCT, self.soc_pct - used_pct))

    def _trip_wh(self, day: int) -> float:
        return max(0.0, self.settings.trip_wh * (1.0 + 0.4 * normal_of(self.settings.seed, _TRIP, day)))

    def _is_home(self, now: float) -> bool:
        day = self._day(now)
        return not self._leaves(day) <= now < self._arrives(day)

    def _day(self, now: float) -> int:
        return math.floor((now + self.settings.utc_offset_h * HOUR_S) / DAY_S)

    def _leaves(self, day: int) -> float:
        hour = _LEAVES_H + max(-2.0, min(2.0, 0.5 * normal_of(self.settings.seed, _DEPARTURE, day)))
        return day * DAY_S + (hour - self.settings.utc_offset_h) * HOUR_S

    def _arrives(self, day: int) -> float:
        hour = _ARRIVES_H + max(-3.0, min(3.0, 1.0 * normal_of(self.settings.seed, _ARRIVAL, day)))
        return day * DAY_S + (hour - self.settings.utc_offset_h) * HOUR_S
