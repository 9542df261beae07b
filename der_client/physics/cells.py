"""The cells of a pack beside their mean: spread, drift, balancing, and one that runs away. Pure."""

import math
from dataclasses import dataclass, field

from der_client.physics.chance import share_of
from der_client.physics.curve import Curve, interpolate

_RUNAWAY_AT_START_K_PER_S = 0.05
_RUNAWAY_DOUBLES_IN_S = 60.0
_HOTTEST_K = 700.0
_NEIGHBOURS_SHARE = 0.05
_BALANCES_ABOVE_V = 3.40
_DRIFT_GONE_PCT = 0.01


def pattern_of(seed: int, cells: int) -> tuple[float, ...]:
    """Where each cell stands within the spread of the pack, -1 to 1; both ends are there."""
    if cells < 2:
        return (0.0,) * cells
    drawn = [share_of(seed, number) for number in range(cells)]
    low, high = min(drawn), max(drawn)
    return tuple(2.0 * (value - low) / (high - low) - 1.0 for value in drawn)


@dataclass(slots=True)
class Cells:
    """The state of each cell beside the pack's mean.

    `drift_pct` is how far its charge is from the mean; `drift_pct_per_s` moves that; `runaway` is the number
    of the cell that heats itself, `None` for none; `hot_k` is what it has gained.
    """

    pattern: tuple[float, ...]
    balance_pct_per_s: float = 0.0
    drift_pct: list[float] = field(init=False)
    drift_pct_per_s: dict[int, float] = field(default_factory=dict)
    runaway: int | None = None
    hot_k: float = 0.0
    _runs_s: float = 0.0

    def __post_init__(self) -> None:
        self.drift_pct = [0.0] * len(self.pattern)

    def step(self, dt_s: float, highest_v: float) -> None:
        """Drift, run away and, where the highest cell is up for it, balance for `dt_s`."""
        for number, rate in self.drift_pct_per_s.items():
            self.drift_pct[number] += rate * dt_s
        if self.is_balancing(highest_v):
            bled = self.balance_pct_per_s * dt_s
            self.drift_pct = [drift - min(bled, drift) if drift > 0 else drift for drift in self.drift_pct]
        if self.runaway is not None:
            self._runs_s += dt_s
            doublings = self._runs_s / _RUNAWAY_DOUBLES_IN_S
            gained = _RUNAWAY_AT_START_K_PER_S * _RUNAWAY_DOUBLES_IN_S / math.log(2.0)
            self.hot_k = _HOTTEST_K if doublings > 30 else min(_HOTTEST_K, gained * (2.0**doublings - 1.0))

    def cool(self) -> None:
        """End a runaway: the cell is as warm as the others again."""
        self.runaway, self.hot_k, self._runs_s = None, 0.0, 0.0

    def is_balancing(self, highest_v: float) -> bool:
        """True while cells above the others are bled."""
        return (
            self.balance_pct_per_s > 0
            and highest_v >= _BALANCES_ABOVE_V
            and max(self.drift_pct, default=0.0) > _DRIFT_GONE_PCT
        )

    def voltages_v(self, mean_v: float, half_v: float, ocv: Curve, soc_pct: float) -> tuple[float, ...]:
        """Voltage of each cell: the mean, the spread, and what its drift does to its open circuit."""
        ocv_v = interpolate(ocv, soc_pct)
        return tuple(
            mean_v + place * half_v + (interpolate(ocv, soc_pct + drift) - ocv_v if drift else 0.0)
            for place, drift in zip(self.pattern, self.drift_pct, strict=True)
        )

    def temperatures_c(self, ambient_c: float, above_k: float) -> tuple[float, ...]:
        """Temperature of each cell: the pack's, a tenth more or less, and a cell that runs away."""
        warmth = [ambient_c + above_k * (1.0 + 0.1 * place) for place in self.pattern]
        if self.runaway is not None:
            warmth = [value + _NEIGHBOURS_SHARE * self.hot_k for value in warmth]
            warmth[self.runaway] += (1.0 - _NEIGHBOURS_SHARE) * self.hot_k
        return tuple(warmth)
