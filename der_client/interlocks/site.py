"""Limits at the connection point and the meter that shows them: interlocks 22 and 23."""

import math
from typing import Final

from der_client.interlocks.row import Action, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import SiteFacts, Situation

OVER_W: Final = 1.0
"""From so much power above the limit on it is exceeded."""


def always(s: Situation) -> bool:
    """True: where no limit holds at the connection point, or there is none, nothing exceeds it."""
    del s
    return True


def limited(s: Situation) -> SiteFacts | None:
    """The connection point where a limit holds there; None where none does."""
    site = s.around.site
    if site is None or (site.export_limit_w is None and site.import_limit_w is None):
        return None
    return site


def over_w(s: Situation) -> float | None:
    """Power above what is allowed at the connection point, W; 0 and less below it. None without a reading."""
    site = limited(s)
    if site is None:
        return -math.inf
    if meter_age_s(s) == math.inf or site.reading is None:
        return None
    power_w = site.reading.power_w
    return max(
        _over_w(power_w, site.export_limit_w, site.export_allowed_w),
        _over_w(-power_w, site.import_limit_w, site.import_allowed_w),
    )


def _over_w(power_w: float, limit_w: float | None, allowed_w: float | None) -> float:
    if limit_w is None:
        return -math.inf
    return power_w - (limit_w if allowed_w is None else max(limit_w, allowed_w))


def largest_over_w(s: Situation) -> float | None:
    """As `over_w`; of power above the limit the unit that has the largest part in it knows alone, W.

    That there is none tells each: a unit that was stopped has the largest part no more.
    """
    over, site = over_w(s), s.around.site
    is_largest = site is None or site.is_largest
    return over if is_largest or over is None or over < OVER_W else None


def meter_age_s(s: Situation) -> float:
    """Age of the meter's reading, before it that of the client, s; endless where it is no number.

    Without a limit nothing hangs on the meter, and it is 0.
    """
    site = limited(s)
    if site is None:
        return 0.0
    is_number = site.reading is None or math.isfinite(site.reading.power_w)
    return site.age_s if is_number else math.inf


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of the connection point."""
    site = rules.site
    return (
        Interlock(
            number=22,
            name="limit at the connection point exceeded",
            measure=over_w,
            action=Action.WARN,
            trip_at=OVER_W,
            clear_at=OVER_W,
            unit="W",
            trip_after_s=site.over_after_s,
            clear_after_s=10,
            does="from `site.derate_pct` power does not rise; above the limit each gives way by its share; a "
            "limit that comes down on its ramp is judged as it was three periods before",
        ),
        Interlock(
            number=22,
            name="limit at the connection point stays exceeded",
            measure=largest_over_w,
            action=Action.STANDBY,
            trip_at=OVER_W,
            clear_at=OVER_W,
            unit="W",
            trip_after_s=site.stop_after_s,
            clear_after_s=site.clear_s,
            does="the largest unit alone",
        ),
        Interlock(
            number=23,
            name="meter silent",
            measure=meter_age_s,
            action=Action.WARN,
            trip_at=site.meter_stale_s,
            clear_at=site.meter_stale_s,
            unit="s",
        ),
        Interlock(
            number=23,
            name="meter lost",
            measure=meter_age_s,
            action=Action.WARN,
            trip_at=site.meter_lost_s,
            clear_at=site.meter_stale_s,
            unit="s",
            does="no load is assumed: the export limit bounds generation; an import limit forbids charge",
        ),
    )
