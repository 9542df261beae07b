"""Before, in and after an interval, to the second. IEEE 2030.5-2018, 10.7 and 10.8."""

import pytest

from schemas import BillingPeriod, CustomerAgreement, DateTimeInterval, Resource, SupplyInterruptionOverride
from schemas.codes import EventState
from sep2_server.interval_times import INTERVAL_KINDS, moved, spanned
from sep2_server.rows import FOR_GOOD, OVER, Row

NOW = 1_700_000_000
ROW = Row(7, "/ppy/1/si/7", "SupplyInterruptionOverride", list_id=3)
SCHEDULED, ACTIVE = int(EventState.SCHEDULED), int(EventState.ACTIVE)


@pytest.mark.parametrize(
    ("now", "duration", "status", "next_at"),
    [
        (NOW - 1, 60, SCHEDULED, NOW),
        (NOW, 60, ACTIVE, NOW + 60),
        (NOW + 59, 60, ACTIVE, NOW + 60),
        (NOW + 60, 60, OVER, NOW + 60 + FOR_GOOD),
        (NOW + 61, 60, OVER, NOW + 60 + FOR_GOOD),
        (NOW - 1, 0, SCHEDULED, NOW),
        (NOW, 0, OVER, NOW + FOR_GOOD),
    ],
)
@pytest.mark.parametrize("cls", [BillingPeriod, SupplyInterruptionOverride])
def test_the_state_and_when_it_changes_next(
    cls: type[BillingPeriod | SupplyInterruptionOverride], now: int, duration: int, status: int, next_at: int
) -> None:
    value = cls(interval=DateTimeInterval(start=NOW, duration=duration))
    row = spanned(ROW, value, now)
    assert row == ROW._replace(status=status, starts=NOW, ends=NOW + duration, next_at=next_at)
    assert moved(row, now) == row


@pytest.mark.parametrize("ends", [-(2**63) + 1, -FOR_GOOD - 1, -FOR_GOOD, -1, 0, 1, NOW])
def test_what_is_over_is_never_due_again(ends: int) -> None:
    row = moved(ROW._replace(starts=ends - 1, ends=ends), NOW)
    assert row.status == OVER
    assert FOR_GOOD <= (row.next_at or 0) <= NOW + FOR_GOOD


def test_what_has_no_interval_stays_as_it_is() -> None:
    value: Resource = CustomerAgreement(mRID="01", serviceLocation="here")
    assert spanned(ROW, value, NOW) is ROW


def test_they_are_what_the_standard_lists_the_active_ones_of() -> None:
    assert {BillingPeriod.__name__, SupplyInterruptionOverride.__name__} == INTERVAL_KINDS
