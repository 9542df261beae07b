"""What stands behind the DC side of a simulated inverter: a PV field, or a battery."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from der_client.physics import Offer


class DcLimits(NamedTuple):
    """What a battery gives and takes now: powers at its terminals as magnitudes in W, states in percent.

    The SoC is not a number where it cannot be known: a car that is away.
    """

    charge_w: float
    discharge_w: float
    soc_pct: float
    soh_pct: float


class DcSource(Protocol):
    """A battery as an inverter needs it."""

    def limits(self, now: float) -> tuple[float, float, float, float]:
        """What may flow now, as the fields of DcLimits."""
        ...

    def transfer(self, power_w: float, dt_s: float) -> None:
        """Energy has flowed for `dt_s`: `power_w` at the terminals, positive while discharging."""
        ...


class PvSource(Protocol):
    """What gives an inverter its DC power."""

    def available_w(self, elapsed_s: float) -> float:
        """DC power on offer that long after the start."""
        ...


@dataclass(frozen=True, slots=True)
class PvField:
    """Modules of `rating_w`; `irradiance` is steps of (s after the start, share of the rating), ascending."""

    rating_w: float
    irradiance: Sequence[tuple[float, float]] = ((0.0, 1.0),)

    def available_w(self, elapsed_s: float) -> float:
        """DC power on offer that long after the start; before the first step that of the first."""
        index = bisect_right([start for start, _ in self.irradiance], elapsed_s) - 1
        return self.rating_w * self.irradiance[max(index, 0)][1]


@dataclass(slots=True, kw_only=True)
class IdealBattery:
    """A battery without losses: full power until it is empty or full."""

    capacity_wh: float
    charge_w: float
    discharge_w: float
    soc_pct: float = 50.0
    soh_pct: float = 100.0

    def limits(self, now: float) -> DcLimits:
        """Full power in each direction that has energy or room left."""
        charge_w = self.charge_w if self.soc_pct < 100.0 else 0.0
        discharge_w = self.discharge_w if self.soc_pct > 0.0 else 0.0
        return DcLimits(charge_w, discharge_w, self.soc_pct, self.soh_pct)

    def transfer(self, power_w: float, dt_s: float) -> None:
        """Move the state of charge by the energy that flowed, within 0..100 %."""
        moved_pct = 100 * power_w * dt_s / 3600 / self.capacity_wh
        self.soc_pct = min(100.0, max(0.0, self.soc_pct - moved_pct))


def offer_of_battery(limits: DcLimits, efficiency: float, idle_w: float = 0.0, gap_w: float = 0.0) -> Offer:
    """What a battery offers at the AC terminals; unless asked it makes `idle_w` as far as it can.

    Charging with less than `gap_w` cannot be done.
    """
    most_w, least_w = limits.discharge_w * efficiency, -limits.charge_w / efficiency
    return Offer(most_w=most_w, least_w=least_w, idle_w=max(least_w, min(idle_w, most_w)), gap_w=gap_w)


def offer_of_pv(available_w: float, efficiency: float) -> Offer:
    """What a PV field offers at the AC terminals; it gives all it can unless asked for less."""
    return Offer(most_w=available_w * efficiency, least_w=0.0, idle_w=available_w * efficiency)
