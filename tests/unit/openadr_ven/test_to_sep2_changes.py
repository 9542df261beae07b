"""From what exists to what is to exist: new first, then the old goes; unchanged intervals are left alone."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openadr_ven.events import EventStatus, Point, Randomization, Signal
from openadr_ven.to_sep2 import Device, Held, Motion, Step, changes, done, forgotten
from openadr_ven.to_sep2.changing import Cancel, Create, Ensure, Remove, SetDefault
from schemas import DERControl, Event
from schemas.codes import DERCurveType
from tests.unit.openadr_ven.house import (
    BATTERY,
    EVSE,
    HEATING,
    HOUR,
    LOAD,
    PROGRAMME,
    PV,
    T0,
    House,
    dispatch,
    event,
    event_3,
    said,
    series,
    signal,
    simple,
)


def after(held: Held, steps: tuple[Step, ...]) -> Held:
    for step in steps:
        held = done(held, step)
    return held


def kinds(steps: tuple[Step, ...]) -> list[str]:
    return [type(step).__name__ for step in steps]


def created(steps: tuple[Step, ...]) -> list[Create]:
    return [step for step in steps if isinstance(step, Create)]


def cancelled(steps: tuple[Step, ...]) -> list[Cancel]:
    return [step for step in steps if isinstance(step, Cancel)]


def published(house: House, at: int = T0 - HOUR) -> Held:
    return after(Held(), changes(Held(), house.translated(at), at))


def test_a_new_event_is_a_program_and_its_controls() -> None:
    house = House()
    house.hears(event(dispatch(1000, 2000)))
    steps = changes(Held(), house.translated(), T0 - HOUR)
    assert kinds(steps) == ["Ensure", "Create", "Create"]


def test_the_same_again_is_nothing() -> None:
    house = House()
    house.hears(event(dispatch(1000, 2000)))
    assert changes(published(house), house.translated(T0 + 60), T0 + 60) == ()


@pytest.mark.parametrize(
    ("device", "asked", "mrid"),
    [
        (BATTERY, dispatch(1000), "9C5FF12864F46B8453A672690000917C"),
        (LOAD, simple(1), "11B4482649B0903CB58FA2DC0000917C"),
    ],
)
def test_what_controls_ask_of_devices_is_no_part_of_their_mrids(
    device: Device, asked: Signal, mrid: str
) -> None:
    """These are the mRIDs of those that asked for no answers of a user: nothing of them is made anew."""
    (one,) = House(devices=(device,)).makes(event(asked)).items.values()
    assert isinstance(one.value, Event)
    assert (one.mRID, one.value.responseRequired) == (mrid, "07")


def test_a_modification_leaves_unchanged_intervals_alone_and_creates_before_it_cancels() -> None:
    house = House()
    house.hears(event(dispatch(1000, 2000)))
    held = published(house)
    house.hears(event(dispatch(1000, 2500), modification=1))
    steps = changes(held, house.translated(), T0 - HOUR)
    assert kinds(steps) == ["Ensure", "Create", "Cancel"]
    assert [one.publication.start - T0 for one in created(steps)] == [HOUR]
    assert not cancelled(steps)[0].is_randomized


def test_a_running_interval_is_not_rewritten_in_the_past() -> None:
    house = House()
    house.hears(event(dispatch(1000)))
    held = published(house)
    house.hears(event(dispatch(2000), modification=1), at=T0 + 600)
    (new,) = created(changes(held, house.translated(T0 + 600), T0 + 600))
    value = new.publication.value
    assert isinstance(value, DERControl)
    assert (value.interval.start, value.interval.duration) == (T0 + 600, HOUR - 600)


def test_one_that_began_now_is_the_same_event_later() -> None:
    house = House()
    house.hears(event(dispatch(1000)), at=T0 + 600)
    held = published(house, T0 + 600)
    assert changes(held, house.translated(T0 + 900), T0 + 900) == ()


def test_what_is_over_before_it_could_be_published_is_not() -> None:
    house = House()
    house.hears(event(dispatch(1000, 2000)), at=T0 - HOUR)
    late = changes(Held(), house.translated(T0 - HOUR), T0 + HOUR + 1)
    assert [one.publication.start - T0 for one in created(late)] == [HOUR + 1]


@pytest.mark.parametrize("status", [EventStatus.CANCELLED, None], ids=["cancelled", "missing"])
def test_an_event_that_is_cancelled_or_missing_is_cancelled_on_the_server(status: EventStatus | None) -> None:
    house = House()
    house.hears(event(dispatch(1000, 2000)))
    held = published(house)
    house.hears(*([] if status is None else [event(dispatch(1000), modification=1, eventStatus=status)]))
    steps = changes(held, house.translated(), T0 - HOUR)
    assert kinds(steps) == ["Cancel", "Cancel"]


def test_devices_spread_the_end_of_a_cancelled_event_with_a_window() -> None:
    house = House(devices=(EVSE, HEATING))
    shed = event(simple(2), randomization=Randomization(late_s=300))
    house.hears(shed)
    held = published(house)
    house.hears(replace(shed, modification=1, eventStatus=EventStatus.CANCELLED), at=T0 + 900)
    steps = changes(held, house.translated(T0 + 900), T0 + 900)
    assert [one.is_randomized for one in cancelled(steps)] == [True, True]


def test_one_that_takes_over_does_not_wait_at_random() -> None:
    house = House(devices=(EVSE, HEATING))
    shed = event(simple(2), randomization=Randomization(late_s=300))
    house.hears(shed)
    held = published(house)
    house.hears(replace(shed, modification=1, signals=(simple(3),)), at=T0 + 60)
    steps = changes(held, house.translated(T0 + 60), T0 + 60)
    assert {said(one.publication.value, "randomizeStart") for one in created(steps)} == {None}
    assert [one.is_randomized for one in cancelled(steps)] == [False, False]


def test_devices_spread_the_end_of_one_that_took_over_too() -> None:
    """Whether it ends by itself or is cancelled: it was changed while it ran, and its window still holds."""
    house = House(devices=(EVSE, HEATING))
    shed = event(simple(2), randomization=Randomization(late_s=300))
    house.hears(shed)
    held = published(house)
    house.hears(replace(shed, modification=1, signals=(simple(3),)), at=T0 + 900)
    steps = changes(held, house.translated(T0 + 900), T0 + 900)
    assert [said(one.publication.value, "randomizeDuration") for one in created(steps)] == [300, 300]
    held = after(held, steps)
    house.hears(replace(shed, modification=2, eventStatus=EventStatus.CANCELLED), at=T0 + 1200)
    steps = changes(held, house.translated(T0 + 1200), T0 + 1200)
    assert [one.is_randomized for one in cancelled(steps)] == [True, True]


def test_one_that_comes_late_keeps_what_is_left_of_its_window() -> None:
    house = House(devices=(EVSE, HEATING))
    house.hears(event(simple(2), randomization=Randomization(late_s=300)))
    steps = changes(Held(), house.translated(T0 - HOUR), T0 + 100)
    assert {said(one.publication.value, "randomizeStart") for one in created(steps)} == {200}


def test_what_ended_by_itself_is_not_cancelled() -> None:
    house = House()
    house.hears(event(dispatch(1000)))
    held = published(house)
    assert changes(held, house.translated(T0 + HOUR), T0 + HOUR) == ()


def test_what_was_cancelled_comes_back_under_another_mrid() -> None:
    house = House(devices=(replace(BATTERY, motion=Motion.CHARGING),))
    house.hears(event(simple(2)))
    held = published(house)
    first = next(iter(held.items.values())).mRID
    house.devices = (replace(BATTERY, motion=Motion.HOLDING),)
    held = after(held, changes(held, house.translated(), T0 - HOUR))
    assert held.items == {}
    house.devices = (replace(BATTERY, motion=Motion.CHARGING),)
    held = after(held, changes(held, house.translated(), T0 - HOUR))
    (again,) = held.items.values()
    assert again.mRID != first
    assert changes(held, house.translated(), T0 - HOUR) == ()


@pytest.mark.parametrize("count", range(5))
def test_a_round_that_was_interrupted_goes_on_where_it_stopped(count: int) -> None:
    house = House(devices=(BATTERY, EVSE))
    house.hears(event(dispatch(1000, 2000)))
    held = published(house)
    house.hears(event(dispatch(1500, 2000), modification=1), event(simple(2), eventID="e2"))
    steps = changes(held, house.translated(), T0 - HOUR)
    some = after(held, steps[:count])
    rest = changes(some, house.translated(), T0 - HOUR)
    assert after(some, rest).items.keys() == after(held, steps).items.keys()
    assert {one.publication.mRID for one in created(rest)} <= {one.publication.mRID for one in created(steps)}


def test_a_curve_comes_before_its_control_and_goes_after_it() -> None:
    house = House(devices=(PV,), programme=replace(PROGRAMME, curve_type=DERCurveType.opModVoltVar))
    shape: Signal = replace(signal("CURVE", ""), intervals=series(Point(x=Decimal(1), y=Decimal(0))))
    house.hears(event_3(shape))
    steps = changes(Held(), house.translated(), T0 - HOUR)
    assert kinds(steps) == ["Ensure", "Create", "Create"]
    curve, control = created(steps)
    assert control.publication.curves == (("opModVoltVar", curve.publication.mRID),)
    held = after(Held(), steps)
    house.hears()
    steps = changes(held, house.translated(), T0 - HOUR)
    assert kinds(steps) == ["Cancel", "Remove"]
    assert isinstance(steps[1], Remove)


def test_defaults_are_set_once_and_taken_away() -> None:
    house = House(devices=(PV,), programme=replace(PROGRAMME, fallback_export_w=1000))
    steps = changes(Held(), house.translated(), T0)
    assert kinds(steps) == ["Ensure", "SetDefault"]
    held = after(Held(), steps)
    assert changes(held, house.translated(), T0) == ()
    house.programme = PROGRAMME
    (step,) = changes(held, house.translated(), T0)
    assert isinstance(step, SetDefault)
    assert step.default is None
    assert after(held, (step,)).defaults == {}


def test_a_tariff_comes_before_its_component() -> None:
    house = House(devices=(EVSE,))
    house.hears(event_3(signal("PRICE", "", Decimal("0.3"))))
    steps = changes(Held(), house.translated(), T0 - HOUR)
    assert [step.home.kind.value for step in steps if isinstance(step, Ensure)] == [
        "TariffProfile",
        "RateComponent",
    ]


def test_what_is_long_over_is_forgotten() -> None:
    house = House()
    house.hears(event(dispatch(1000)))
    held = published(house)
    house.hears()
    spent = after(held, changes(held, house.translated(), T0 - HOUR))
    assert forgotten(held, T0 + HOUR).items == held.items
    assert forgotten(held, T0 + 2 * HOUR + 86_400).items == {}
    assert spent.spent != {}
    assert forgotten(spent, T0 + 2 * HOUR + 86_400).spent == {}
