"""When storage asks the server for a flow of energy, by the settings: the request of one window. Pure.

IEEE 2030.5-2018 (flow reservation): positive energy charges.
"""

import re
from dataclasses import dataclass
from typing import Final

from der_client.fixed_point import INT16, fixed_point
from der_client.report_readings import mrid_of
from owner import SettingsError
from schemas import (
    ActivePower,
    DateTimeInterval,
    FlowReservationRequest,
    RequestStatus,
    SignedRealEnergy,
)

DAY_S: Final = 86_400
INT48: Final = 2**47 - 1
REQUESTED, CANCELLED = 0, 1
MOST_DURATION_S: Final = 65_535
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationSettings:
    """What is asked for each day; nothing while `energy_wh` is 0.

    `energy_wh` is positive to charge and negative to give, `power_w` the most power of it, a magnitude. The
    window opens at `daily_at_utc` (HH:MM) and lasts `window_s`; it is asked for `ahead_s` before.
    """

    energy_wh: float = 0.0
    power_w: float = 0.0
    daily_at_utc: str = "22:00"
    window_s: int = 28_800
    ahead_s: int = 3_600

    def __post_init__(self) -> None:
        if _TIME.fullmatch(self.daily_at_utc) is None:
            raise SettingsError(f"reservation.daily_at_utc: {self.daily_at_utc!r} is no time HH:MM")
        if self.energy_wh and self.power_w <= 0:
            raise SettingsError("reservation.power_w: above 0 W is wanted")
        if not (0 < self.window_s <= DAY_S and 0 < self.ahead_s <= DAY_S):
            raise SettingsError("reservation.window_s, reservation.ahead_s: up to a day is wanted")

    @property
    def is_on(self) -> bool:
        """True if anything is asked for."""
        return bool(self.energy_wh)


def window_start(settings: ReservationSettings, now: int) -> int:
    """When the next window opens, server time, s; the present one until its start has passed."""
    hours, minutes = settings.daily_at_utc.split(":")
    at_s = int(hours) * 3_600 + int(minutes) * 60
    start = now - now % DAY_S + at_s
    return start if start >= now else start + DAY_S


def request_of(
    settings: ReservationSettings, now: int, lfdi: str, *, pen: int
) -> FlowReservationRequest | None:
    """The request that is to be with the server at `now`; None while none is."""
    start = window_start(settings, now)
    if not settings.is_on or start - now > settings.ahead_s:
        return None
    energy_exponent, energy = fixed_point(settings.energy_wh, INT48)
    power_exponent, power = fixed_point(settings.power_w, INT16)
    lasts_s = round(abs(settings.energy_wh) / settings.power_w * 3_600)
    return FlowReservationRequest(
        mRID=mrid_of(lfdi, "flow reservation", str(start), pen=pen),
        creationTime=now,
        durationRequested=min(lasts_s, settings.window_s, MOST_DURATION_S),
        energyRequested=SignedRealEnergy(multiplier=energy_exponent, value=energy),
        intervalRequested=DateTimeInterval(duration=settings.window_s, start=start),
        powerRequested=ActivePower(multiplier=power_exponent, value=power),
        RequestStatus_=RequestStatus(dateTime=now, requestStatus=REQUESTED),
    )
