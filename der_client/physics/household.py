"""What a household takes: habits by hour, day and season, appliances by chance, a part that can wait. Pure.

The power of each minute follows from the seed, so that energy over any interval is the exact sum of minutes.
"""

import math
from dataclasses import dataclass, field

from der_client.physics.chance import normal_of, share_of
from der_client.physics.curve import interpolate
from der_client.physics.weather import Weather

MINUTE_S = 60.0
_HABITS = ((0.0, 0.35), (5.0, 0.3), (7.0, 1.3), (9.0, 0.8), (12.0, 1.0), (14.0, 0.75), (17.0, 1.2),
           (19.5, 2.2), (22.0, 1.3), (24.0, 0.35))  # fmt: skip
_HABITS_MEAN = 1.03
_WEEKEND = 1.15
_COMFORT_C, _HEAT_W_PER_K, _COOL_FROM_C = 16.0, 90.0, 26.0
_STANDING_SHARE = 0.55
_KETTLE, _OVEN, _FRIDGE, _DAY = 1, 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A household that takes about `daily_wh` besides `flexible_w` of heating or cooling at most.

    `power_factor` is lagging: reactive power is taken too.
    """

    seed: int = 1
    daily_wh: float = 9_000.0
    flexible_w: float = 2_000.0
    power_factor: float = 0.96
    weather: Weather = field(default_factory=Weather)

    def firm_w(self, unix_s: float) -> float:
        """What is taken in the minute of this time, without the flexible part."""
        minute = math.floor(unix_s / MINUTE_S)
        hour = self.weather.hour(minute * MINUTE_S)
        day = math.floor((minute * MINUTE_S / 3600.0 + self.weather.utc_offset_h) / 24.0)
        mood = max(0.5, 1.0 + 0.15 * normal_of(self.seed, _DAY, day))
        weekend = _WEEKEND if (day + 4) % 7 in {0, 6} else 1.0
        mean_w = self.daily_wh / 24.0
        habit = interpolate(_HABITS, hour) / _HABITS_MEAN * mood * weekend
        standing_w = (
            _STANDING_SHARE * mean_w * habit * (0.7 + 0.6 * share_of(self.seed, _FRIDGE, minute // 20))
        )
        return standing_w + (1.0 - _STANDING_SHARE) * mean_w * habit * self._bursts(minute)

    def flexible_demand_w(self, unix_s: float) -> float:
        """What the flexible part would take in the minute of this time: heating or cooling."""
        air_c = self.weather.temperature_c(math.floor(unix_s / MINUTE_S) * MINUTE_S)
        cold_k, hot_k = max(0.0, _COMFORT_C - air_c), max(0.0, air_c - _COOL_FROM_C)
        return min(self.flexible_w, _HEAT_W_PER_K * (cold_k + hot_k))

    def power_w(self, unix_s: float, flexible_share: float = 1.0) -> float:
        """All that is taken in the minute of this time, the flexible part cut to a share."""
        return self.firm_w(unix_s) + flexible_share * self.flexible_demand_w(unix_s)

    def reactive_var(self, power_w: float) -> float:
        """Reactive power taken with an active power."""
        return power_w * math.tan(math.acos(self.power_factor))

    def energy_wh(self, start: float, end: float, flexible_share: float = 1.0) -> float:
        """What is taken between two times, s since 1970 UTC."""
        total_ws, now = 0.0, start
        while now < end:
            until = min(end, (math.floor(now / MINUTE_S) + 1) * MINUTE_S)
            total_ws += self.power_w(now, flexible_share) * (until - now)
            now = until
        return total_ws / 3600.0

    def _bursts(self, minute: int) -> float:
        """Kettle and oven: rare minutes of much, so that the mean is 1."""
        kettle = 12.0 if share_of(self.seed, _KETTLE, minute // 4) < 0.04 else 0.0
        oven = 6.5 if share_of(self.seed, _OVEN, minute // 40) < 0.08 else 0.0
        return kettle + oven
