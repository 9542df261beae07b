"""What a server says of events as their time comes."""

from dataclasses import replace

import pytest

from der_client.expected import are_expected
from function_sets import Program
from schemas import DateTimeInterval, DefaultDERControl, DERControl, DERControlBase, EventStatus
from schemas.codes import EventState


def control(status: EventState, limit: int = 4_000, *, superseded: bool = False) -> DERControl:
    return DERControl(
        mRID="AB",
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=status, dateTime=0, potentiallySuperseded=superseded),
        interval=DateTimeInterval(duration=100, start=100),
        DERControlBase_=DERControlBase(opModMaxLimW=limit),
    )


OLD = Program(href="/p", mRID="AA", primacy=1, controls=(control(EventState.SCHEDULED),))
ACTIVE = control(EventState.ACTIVE)


@pytest.mark.parametrize(
    ("new", "is_expected"),
    [
        pytest.param(OLD, True, id="nothing"),
        pytest.param(replace(OLD, controls=(ACTIVE,)), True, id="the event is active"),
        pytest.param(replace(OLD, controls=()), True, id="the event is not listed any more"),
        pytest.param(replace(OLD, controls=(control(EventState.CANCELLED),)), False, id="cancelled"),
        pytest.param(replace(OLD, controls=(control(EventState.ACTIVE, 3_000),)), False, id="another limit"),
        pytest.param(
            replace(OLD, controls=(control(EventState.ACTIVE, superseded=True),)), False, id="superseded"
        ),
        pytest.param(
            replace(OLD, controls=(*OLD.controls, replace(ACTIVE, mRID="AC"))), False, id="one more event"
        ),
        pytest.param(replace(OLD, primacy=2), False, id="another primacy"),
        pytest.param(
            replace(OLD, default=DefaultDERControl(mRID="D", DERControlBase_=DERControlBase())),
            False,
            id="another default",
        ),
    ],
)
def test_that_an_event_becomes_active_is_expected_and_nothing_else(new: Program, is_expected: bool) -> None:
    assert are_expected((OLD,), (new,)) is is_expected
    assert are_expected((OLD,), (new,)) is is_expected


def test_a_program_that_comes_or_goes_is_not_expected() -> None:
    assert not are_expected((OLD,), ())
    assert not are_expected((OLD,), (OLD, replace(OLD, href="/q")))
