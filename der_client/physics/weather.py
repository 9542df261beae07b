"""Sun, clouds and air at one place, as functions of the time in s since 1970 UTC. Pure.

Clear sky by Haurwitz's formula on the sun's height, clouds by Kasten and Czeplak's; numbers of the usual size
for a temperate climate, not of one place.
"""

import math
from dataclasses import dataclass

from der_client.physics.chance import normal_of, wave_of

HOUR_S, DAY_S, YEAR_D = 3600.0, 86_400.0, 365.2425
TILT_DEG = 23.45
FIRST_EQUINOX_D = 80.0
SLOW, FAST, AIR = 1, 2, 3


def day_of_year(unix_s: float) -> float:
    """Days since the beginning of the year, within a day of the calendar's."""
    return (unix_s / DAY_S) % YEAR_D


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The weather at a latitude (degrees, north positive) whose sun is highest at 12:00 of `utc_offset_h`.

    `cloudiness` is the mean share of cloud, 0 for a sky that is always clear.
    """

    seed: int = 1
    latitude_deg: float = 45.0
    utc_offset_h: float = 0.0
    cloudiness: float = 0.6

    def sun_height(self, unix_s: float) -> float:
        """Sine of the sun's height above the horizon; negative at night."""
        season = 2.0 * math.pi * (day_of_year(unix_s) - FIRST_EQUINOX_D) / YEAR_D
        declination = math.radians(TILT_DEG) * math.sin(season)
        latitude = math.radians(self.latitude_deg)
        hour_angle = math.radians(15.0 * (self.hour(unix_s) - 12.0))
        return math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
            declination
        ) * math.cos(hour_angle)

    def hour(self, unix_s: float) -> float:
        """Local hour of the day, 0 to 24."""
        return (unix_s / HOUR_S + self.utc_offset_h) % 24.0

    def clear_sky_w_m2(self, unix_s: float) -> float:
        """Irradiance on the ground under a clear sky."""
        height = self.sun_height(unix_s)
        return 0.0 if height <= 0.0 else 1098.0 * height * math.exp(-0.057 / height)

    def cloud_cover(self, unix_s: float) -> float:
        """Share of the sky in cloud: days and hours differ, and minutes do while clouds pass."""
        if self.cloudiness <= 0.0:
            return 0.0
        slow = wave_of(self.seed, unix_s / (6 * HOUR_S), SLOW)
        fast = wave_of(self.seed, unix_s / 300.0, FAST)
        bias = 2.0 * self.cloudiness - 1.0
        return max(0.0, min(1.0, 1.6 * (slow - 0.5) + 0.5 + bias + 0.5 * (fast - 0.5)))

    def irradiance_w_m2(self, unix_s: float) -> float:
        """Irradiance on the ground below the clouds."""
        return self.clear_sky_w_m2(unix_s) * (1.0 - 0.75 * math.pow(self.cloud_cover(unix_s), 3.4))

    def temperature_c(self, unix_s: float) -> float:
        """Air temperature: season, hour, and what the day brings."""
        away = abs(self.latitude_deg)
        north = 1.0 if self.latitude_deg >= 0 else -1.0
        season = math.cos(2.0 * math.pi * (day_of_year(unix_s) - 200.0) / YEAR_D)
        mean_c = 28.0 - 0.38 * away + north * min(12.0, 0.25 * away) * season
        daily_c = 5.0 * math.cos(2.0 * math.pi * (self.hour(unix_s) - 15.0) / 24.0)
        return mean_c + daily_c + 3.0 * self._front(unix_s)

    def _front(self, unix_s: float) -> float:
        """How much warmer than usual it is, in standard deviations, drifting from day to day."""
        day = math.floor(unix_s / DAY_S)
        part = unix_s / DAY_S - day
        before, after = normal_of(self.seed, AIR, day), normal_of(self.seed, AIR, day + 1)
        return before + (after - before) * part


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherPv:
    """A PV field of `rating_w` (at 1,000 W/m2 and 25 degC) under the weather; `start` is s since 1970 UTC.

    Modules lose 0.4 % for each K and warm up by 31 K at 1,000 W/m2.
    """

    rating_w: float
    weather: Weather
    start: float

    def available_w(self, elapsed_s: float) -> float:
        """DC power on offer that long after the start."""
        unix_s = self.start + elapsed_s
        irradiance = self.weather.irradiance_w_m2(unix_s)
        module_c = self.weather.temperature_c(unix_s) + 0.031 * irradiance
        return max(0.0, self.rating_w * irradiance / 1000.0 * (1.0 - 0.004 * (module_c - 25.0)))
