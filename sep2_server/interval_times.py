"""Resources that are no events and yet hold for an interval: active while it lasts, and listed for good."""

from typing import Final

from schemas import BillingPeriod, Resource, SupplyInterruptionOverride
from schemas.codes import EventState
from sep2_server.rows import FOR_GOOD, OVER, Row

INTERVAL_KINDS: Final = frozenset({"BillingPeriod", "SupplyInterruptionOverride"})
"""Resources of which the standard has a list of those that are active. IEEE 2030.5-2018, 10.7 and 10.8."""


def spanned(row: Row, value: Resource, now: int) -> Row:
    """The row of such a resource with its times and its state at `now`."""
    if not isinstance(value, BillingPeriod | SupplyInterruptionOverride):
        return row
    start = value.interval.start
    return moved(row._replace(starts=start, ends=start + value.interval.duration), now)


def moved(row: Row, now: int) -> Row:
    """The row with its state at `now`: before, in, or after its interval.

    What is over is never due again, also where it ended long before 1970.
    """
    starts, ends = row.starts or 0, row.ends or 0
    if now < starts:
        return row._replace(status=int(EventState.SCHEDULED), next_at=starts)
    if now < ends:
        return row._replace(status=int(EventState.ACTIVE), next_at=ends)
    return row._replace(status=OVER, next_at=max(ends, 0) + FOR_GOOD)
