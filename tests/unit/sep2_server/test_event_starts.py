"""An event that only starts: its octets change as decoding and encoding it anew would change them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function_sets import earliest_start, latest_end
from schemas import (
    ActivePower,
    DateTimeInterval,
    DERControl,
    DERControlBase,
    EndDeviceControl,
    EventStatus,
    FlowReservationResponse,
    SignedRealEnergy,
    TextMessage,
)
from sep2_server.environment import Environment
from sep2_server.event_times import event_of, started, timed
from sep2_server.rows import Row
from sep2_server.settings import settings_of

NOW = 1_700_000_000
ENVIRONMENT = Environment.of(settings_of({}))
STATUS = EventStatus(currentStatus=0, dateTime=NOW - 900, potentiallySuperseded=False)
SPAN = DateTimeInterval(start=NOW - 5, duration=100)
CONTROL = DERControl(
    mRID="A1",
    description="<creationTime>1</creationTime>",
    creationTime=NOW - 900,
    EventStatus_=STATUS,
    interval=SPAN,
    DERControlBase_=DERControlBase(opModMaxLimW=5000),
)
OTHERS = [
    EndDeviceControl(
        mRID="A2",
        creationTime=NOW - 900,
        EventStatus_=STATUS,
        interval=SPAN,
        deviceCategory="00000001",
        drProgramMandatory=True,
        loadShiftForward=False,
    ),
    TextMessage(
        mRID="A3", creationTime=NOW - 900, EventStatus_=STATUS, interval=SPAN, priority=1, textMessage="Hello"
    ),
    FlowReservationResponse(
        mRID="A4",
        creationTime=NOW - 900,
        EventStatus_=STATUS,
        interval=SPAN,
        energyAvailable=SignedRealEnergy(multiplier=0, value=1),
        powerAvailable=ActivePower(multiplier=0, value=1),
        subject="A4",
    ),
]

Kept = DERControl | EndDeviceControl | TextMessage | FlowReservationResponse


def row_of(event: Kept) -> Row:
    """The row of an event as it was stored before it started."""
    return Row(
        7,
        "/derp/1/derc/7",
        type(event).__name__,
        list_id=3,
        status=event.EventStatus_.currentStatus,
        starts=earliest_start(event),
        ends=latest_end(event),
        next_at=earliest_start(event),
        body=ENVIRONMENT.codec.fragment(event),
    )


def slowly(row: Row, now: int) -> Row:
    return timed(ENVIRONMENT, row, event_of(ENVIRONMENT, row), [], now)


@pytest.mark.parametrize("event", [CONTROL, *OTHERS], ids=lambda event: type(event).__name__)
def test_the_start_changes_the_octets_of_the_status_alone(event: Kept) -> None:
    row = row_of(event)
    assert started(row, NOW) == slowly(row, NOW) != row


@given(
    start=st.integers(-300, 300),
    duration=st.integers(1, 300),
    created=st.integers(-900, 300),
    randomize=st.none() | st.integers(-300, 300),
    status=st.integers(0, 4),
    rival=st.booleans(),
)
def test_what_is_done_by_octets_is_what_the_rules_say(
    start: int, duration: int, created: int, randomize: int | None, status: int, *, rival: bool
) -> None:
    event = replace(
        CONTROL,
        creationTime=NOW + created,
        randomizeStart=randomize,
        interval=DateTimeInterval(start=NOW + start, duration=duration),
        EventStatus_=replace(STATUS, currentStatus=status, potentiallySuperseded=rival),
    )
    row = row_of(event)
    assert started(row, NOW) in {None, slowly(row, NOW)}


@pytest.mark.parametrize(
    "row",
    [
        row_of(replace(CONTROL, EventStatus_=replace(STATUS, potentiallySuperseded=True))),
        row_of(replace(CONTROL, EventStatus_=replace(STATUS, currentStatus=2))),
        row_of(replace(CONTROL, EventStatus_=replace(STATUS, reason="because"))),
        row_of(replace(CONTROL, interval=DateTimeInterval(start=NOW + 1, duration=9))),
        row_of(replace(CONTROL, interval=DateTimeInterval(start=NOW - 9, duration=9))),
        row_of(CONTROL)._replace(starts=None),
    ],
    ids=["rival", "cancelled", "reason", "ahead", "over", "no-times"],
)
def test_whatever_is_more_than_a_start_is_left_to_the_rules(row: Row) -> None:
    assert started(row, NOW) is None
