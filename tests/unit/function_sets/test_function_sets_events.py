"""Rules of events, second by second. IEEE 2030.5-2018, 10.2.3."""

from dataclasses import replace

import pytest

from function_sets import (
    Draw,
    EventRuleError,
    cancel_window_s,
    cancelled,
    changed,
    controls_of,
    covers,
    draw_for,
    earliest_start,
    effective_interval,
    giving_way,
    is_active,
    is_newer,
    is_newer_or_lower,
    is_over,
    latest_end,
    next_change,
    overlaps,
    replaced_by,
    replaces,
    shares,
    specified_end,
    status_at,
)
from schemas import (
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DutyCycle,
    EndDeviceControl,
    Event,
    EventStatus,
    PowerFactorWithExcitation,
    TextMessage,
    TimeTariffInterval,
)

PF = PowerFactorWithExcitation(displacement=950, excitation=False, multiplier=-3)
LIMIT = DERControlBase(opModMaxLimW=5000)
BOTH = DERControlBase(opModMaxLimW=5000, opModFixedPFInjectW=PF, rampTms=5)


def status(state: int = 0) -> EventStatus:
    return EventStatus(currentStatus=state, dateTime=50, potentiallySuperseded=False)


def control(
    start: int = 100,
    duration: int = 60,
    *,
    base: DERControlBase = LIMIT,
    created: int = 50,
    mrid: str = "0A",
    category: str | None = None,
    random: tuple[int | None, int | None] = (None, None),
    state: int = 0,
) -> DERControl:
    return DERControl(
        mRID=mrid,
        creationTime=created,
        EventStatus_=status(state),
        interval=DateTimeInterval(duration=duration, start=start),
        randomizeStart=random[0],
        randomizeDuration=random[1],
        DERControlBase_=base,
        deviceCategory=category,
    )


def seen(event: Event, siblings: list[Event], now: int) -> tuple[int, int]:
    found = status_at(event, siblings, now)
    return found.currentStatus, found.dateTime


def text_message() -> TextMessage:
    return TextMessage(
        mRID="0A",
        creationTime=50,
        EventStatus_=status(),
        interval=DateTimeInterval(duration=60, start=100),
        priority=1,
        textMessage="hello",
    )


def load_control(*, category: str = "00000001") -> EndDeviceControl:
    return EndDeviceControl(
        mRID="0A",
        creationTime=50,
        EventStatus_=status(),
        interval=DateTimeInterval(duration=60, start=100),
        deviceCategory=category,
        drProgramMandatory=False,
        loadShiftForward=False,
        DutyCycle_=DutyCycle(normalValue=50),
    )


def price(mrid: str = "0A", created: int = 50) -> TimeTariffInterval:
    return TimeTariffInterval(
        mRID=mrid,
        creationTime=created,
        EventStatus_=status(),
        interval=DateTimeInterval(duration=60, start=100),
        touTier=1,
    )


@pytest.mark.parametrize(
    ("random", "earliest", "latest"),
    [((None, None), 100, 160), ((-30, 0), 70, 160), ((30, 10), 100, 200), ((-30, -10), 70, 160)],
)
def test_random_parts_widen_the_window(
    random: tuple[int | None, int | None], earliest: int, latest: int
) -> None:
    event = control(random=random)
    assert (earliest_start(event), specified_end(event), latest_end(event)) == (earliest, 160, latest)


@pytest.mark.parametrize(
    ("random", "value", "wanted"),
    [
        ((30, -10), 0.0, Draw(start_s=0, duration_s=0)),
        ((30, -10), 0.5, Draw(start_s=15, duration_s=-5)),
        ((30, -10), 0.9999, Draw(start_s=30, duration_s=-10)),
        ((-3600, 3600), 0.9999999, Draw(start_s=-3600, duration_s=3600)),
        ((None, None), 0.9, Draw()),
    ],
)
def test_draw_lies_between_0_and_the_limit(
    random: tuple[int | None, int | None], value: float, wanted: Draw
) -> None:
    assert draw_for(control(random=random), lambda: value) == wanted


def test_effective_interval_shifts_with_the_start_and_never_ends_before_it() -> None:
    assert effective_interval(control(), Draw(start_s=5, duration_s=-10)) == (105, 155)
    assert effective_interval(control(duration=5), Draw(start_s=0, duration_s=-10)) == (100, 100)


@pytest.mark.parametrize(
    ("now", "wanted"), [(60, (0, 50)), (99, (0, 50)), (100, (1, 100)), (159, (1, 100)), (500, (1, 100))]
)
def test_event_is_scheduled_until_its_start_and_active_from_then_on(
    now: int, wanted: tuple[int, int]
) -> None:
    assert seen(control(), [], now) == wanted


def test_event_becomes_active_at_the_earliest_start_of_any_device() -> None:
    assert seen(control(random=(-30, 0)), [], 70) == (1, 70)


def test_event_created_after_its_start_is_active_since_its_creation() -> None:
    assert seen(control(created=120), [], 130) == (1, 120)


def test_time_of_a_status_is_never_in_the_future() -> None:
    assert seen(control(created=90), [], 80) == (0, 80)


@pytest.mark.parametrize("state", [2, 3, 4, 9])
def test_final_and_unknown_states_stay(state: int) -> None:
    assert seen(control(state=state), [], 120) == (state, 50)


def test_newer_event_of_the_same_controls_supersedes_from_its_start() -> None:
    older, newer = control(), control(130, created=60, mrid="0B")
    assert seen(older, [newer], 129) == (1, 100)
    assert seen(older, [newer], 130) == (4, 130)
    assert seen(newer, [older], 130) == (1, 130)
    assert status_at(older, [newer], 120).potentiallySuperseded is False


def test_event_created_while_another_runs_supersedes_it_at_its_creation() -> None:
    older, newer = control(), control(90, created=120, mrid="0B")
    assert seen(older, [newer], 130) == (4, 120)


def test_higher_mrid_wins_between_events_of_the_same_second() -> None:
    one, other = control(mrid="0A"), control(mrid="0B")
    assert is_newer(other, one)
    assert seen(one, [other], 100) == (4, 100)


@pytest.mark.parametrize("state", [2, 3])
def test_cancelled_event_supersedes_nothing(state: int) -> None:
    newer = control(130, created=60, mrid="0B", state=state)
    assert seen(control(), [newer], 140) == (1, 100)


def test_event_that_was_superseded_itself_has_superseded_others_before() -> None:
    newer = control(130, created=60, mrid="0B", state=4)
    assert seen(control(), [newer], 140) == (4, 130)


def test_events_that_do_not_overlap_leave_each_other_alone() -> None:
    older, newer = control(), control(160, created=60, mrid="0B")
    assert not overlaps(older, newer)
    assert seen(older, [newer], 170) == (1, 100)


def test_newer_event_of_some_of_the_controls_marks_the_older_as_potentially_superseded() -> None:
    older, newer = control(base=BOTH), control(130, created=60, mrid="0B")
    found = status_at(older, [newer], 140)
    assert (found.currentStatus, found.potentiallySuperseded, found.potentiallySupersededTime) == (
        1,
        True,
        60,
    )


def test_it_is_never_marked_from_a_time_that_is_still_to_come() -> None:
    older, newer = control(base=BOTH), control(mrid="0B", created=121)
    assert status_at(older, [newer], 120).potentiallySupersededTime == 120
    assert status_at(older, [newer], 130).potentiallySupersededTime == 121


def test_independent_controls_do_not_touch_each_other() -> None:
    older = control(base=DERControlBase(opModFixedPFInjectW=PF))
    newer = control(130, created=60, mrid="0B")
    assert not shares(newer, older)
    assert status_at(older, [newer], 140) == replace(status(1), dateTime=100)


@pytest.mark.parametrize(
    ("newer", "older", "wanted"),
    [(None, None, True), (None, "01", True), ("01", None, False), ("03", "01", True), ("01", "03", False)],
)
def test_newer_event_covers_the_categories_that_it_names(
    newer: str | None, older: str | None, wanted: bool
) -> None:
    assert covers(control(category=newer), control(category=older)) is wanted


def test_other_device_category_is_not_concerned() -> None:
    assert not shares(control(category="01"), control(category="02"))


def test_text_message_is_never_superseded() -> None:
    older, newer = text_message(), replace(text_message(), mRID="0B", creationTime=60)
    assert controls_of(older) == frozenset()
    assert seen(older, [newer], 120) == (1, 100)


def test_controls_of_each_kind_of_event() -> None:
    assert controls_of(control(base=BOTH)) == {"opModMaxLimW", "opModFixedPFInjectW"}
    assert controls_of(load_control()) == {"DutyCycle"}
    assert covers(price("0B", 60), price())


@pytest.mark.parametrize(("now", "wanted"), [(60, 100), (100, 130), (130, None), (400, None)])
def test_next_change_is_start_then_supersession(now: int, wanted: int | None) -> None:
    newer = control(130, created=60, mrid="0B")
    assert next_change(control(), [newer], now) == wanted


def test_final_state_changes_no_more() -> None:
    assert next_change(control(state=2), [], 60) is None


@pytest.mark.parametrize(
    ("now", "state", "wanted"), [(99, 0, False), (100, 0, True), (160, 0, False), (120, 4, False)]
)
def test_event_is_active_between_its_ends_unless_it_is_closed(now: int, state: int, wanted: bool) -> None:
    assert is_active(control(state=state), now) is wanted


def test_cancelled_event_is_over_only_after_its_original_time() -> None:
    assert not is_over(control(state=2), 159)
    assert is_over(control(state=2), 160)


def test_cancellation_has_the_time_of_the_cancel() -> None:
    found = cancelled(control(), 120, reason="storm is over")
    assert (found.currentStatus, found.dateTime, found.reason) == (2, 120, "storm is over")


def test_cancellation_with_randomization_needs_a_random_part() -> None:
    assert cancelled(control(random=(0, 30)), 120, randomized=True).currentStatus == 3
    with pytest.raises(EventRuleError, match="no random part"):
        cancelled(control(), 120, randomized=True)


def test_devices_end_a_randomly_cancelled_event_within_its_window() -> None:
    assert cancel_window_s(control(random=(-40, 30))) == 40


@pytest.mark.parametrize(
    ("state", "now", "message"),
    [(2, 120, "cancelled already"), (4, 120, "superseded already"), (0, 160, "over already")],
)
def test_closed_event_can_be_neither_cancelled_nor_changed(state: int, now: int, message: str) -> None:
    with pytest.raises(EventRuleError, match=message):
        cancelled(control(state=state), now)
    with pytest.raises(EventRuleError, match=message):
        changed(control(state=state), control(mrid="0B"), now)


def test_changed_event_is_a_newer_one_with_an_mrid_of_its_own() -> None:
    found = changed(control(), control(duration=90, mrid="0B", state=4), 50)
    assert (found.creationTime, found.EventStatus_.currentStatus, found.interval.duration) == (51, 0, 90)
    assert is_newer(found, control())
    assert changed(control(), control(mrid="0B"), 120).EventStatus_.currentStatus == 1


def test_an_event_tells_which_other_has_taken_its_place_and_is_changed_once() -> None:
    old = control()
    old.EventStatus_ = giving_way(old, control(mrid="0B"))
    assert (replaced_by(control()), replaced_by(old), old.EventStatus_.currentStatus) == (None, "0B", 0)
    with pytest.raises(EventRuleError, match="changed already: 0B"):
        changed(old, control(mrid="0C"), 60)


def test_changed_event_needs_another_mrid_and_some_time_left() -> None:
    with pytest.raises(EventRuleError, match="mRID of its own"):
        changed(control(mrid="ab"), control(mrid="AB"), 60)
    with pytest.raises(EventRuleError, match="over already"):
        changed(control(), control(60, 10, mrid="0B"), 80)


@pytest.mark.parametrize(
    ("newer", "now", "wanted"),
    [
        (control(100, created=60, mrid="0B"), 60, True),
        (control(130, created=60, mrid="0B"), 60, False),
        (control(120, created=120, mrid="0B"), 120, True),
        (control(100, created=60, mrid="0B", base=DERControlBase(opModFixedPFInjectW=PF)), 60, False),
        (control(300, created=60, mrid="0B"), 60, False),
    ],
)
def test_newer_event_replaces_an_older_one_that_it_covers_from_now_on(
    newer: DERControl,
    now: int,
    wanted: bool,
) -> None:
    assert replaces(newer, control(), now) is wanted


def test_the_latest_end_is_that_of_a_device_that_drew_the_latest_start_and_the_longest_duration() -> None:
    early = replace(control(start=100, duration=60), randomizeStart=-30, randomizeDuration=20)
    late = replace(control(start=100, duration=60), randomizeStart=30, randomizeDuration=-20)
    assert [latest_end(event) for event in (early, late)] == [180, 190]


@pytest.mark.parametrize(("lower", "higher"), [("9", "0A"), ("0a", "0B"), ("FF", "0100")])
def test_mrids_are_compared_as_numbers_whatever_their_form(lower: str, higher: str) -> None:
    one, other = control(mrid=lower), control(mrid=higher)
    assert (is_newer(one, other), is_newer(other, one)) == (False, True)
    assert (is_newer_or_lower(one, other), is_newer_or_lower(other, one)) == (True, False)
