"""Lists of events, numbers, answers, and what a VTN takes back."""

from dataclasses import replace

import pytest

from openadr_ven.events import (
    ChangeKind,
    Code,
    Event,
    EventStatus,
    OptType,
    Phase,
    Ports,
    Randomization,
    Refusal,
    Snapshot,
    State,
    forget,
    from_json,
    plans_of,
    receive,
    status_at,
    to_json,
)
from openadr_ven.events.planning import plan_of
from openadr_ven.events.record import How
from tests.unit.openadr_ven.event_builder import (
    HOUR,
    T0,
    VEN,
    Ven,
    cancelled_event,
    dispatch_signal,
    event,
    event_3,
    interval,
    kinds,
    late,
    only,
    said,
    signal,
)

IN, OUT = OptType.IN, OptType.OUT


def test_new_event_is_answered_and_planned() -> None:
    ven = Ven()

    step = ven.hears(event())

    assert said(step) == [("e1", 0, 200, IN)]
    assert kinds(step) == [("received", "e1")]
    assert step.next_at == T0
    assert [plan.event.eventID for plan in plans_of(ven.state, 0)] == ["e1"]


def test_r41_request_id_of_the_message_is_echoed_in_each_answer() -> None:
    step = Ven().hears(event("a"), event("b"), request="the id")

    assert [one.requestID for one in step.answers] == ["the id", "the id"]


def test_r43_request_id_that_comes_again_is_a_message_like_any_other() -> None:
    ven = Ven()
    ven.hears(event(), request="same")

    step = ven.hears(event(modification=1), request="same")

    assert said(step) == [("e1", 1, 200, IN)]


def test_r12_response_required_always_answers_unchanged_and_cancelled_events_too() -> None:
    ven = Ven()
    ven.hears(event("a"), event("b"))

    step = ven.hears(event("a"), cancelled_event("b"), request="r2")

    assert said(step) == [("a", 0, 200, IN), ("b", 1, 200, IN)]
    assert {one.requestID for one in step.answers} == {"r2"}


def test_r62_response_required_never_is_not_answered_and_yet_carried_out() -> None:
    ven = Ven()

    step = ven.hears(event(is_response_required=False))

    assert step.answers == ()
    assert len(plans_of(ven.state, 0)) == 1


def test_r62_refusal_is_not_answered_either_where_no_response_is_wanted() -> None:
    step = Ven().hears(event(is_response_required=False, flaw="no dtstart"))

    assert step.answers == ()
    assert [(one.kind, one.code, one.text) for one in step.changes] == [
        ("refused", Code.INVALID_DATA, "no dtstart")
    ]


def test_r4_first_number_is_0_and_any_other_is_taken_of_an_event_that_is_new_here() -> None:
    assert said(Ven().hears(event(modification=0))) == [("e1", 0, 200, IN)]
    assert said(Ven().hears(event(modification=7))) == [("e1", 7, 200, IN)]


def test_r5_number_that_leaps_is_a_change_like_any_other() -> None:
    ven = Ven()
    ven.hears(event(modification=1))

    step = ven.hears(event(modification=9, duration_s=HOUR))

    assert kinds(step) == [("modified", "e1")]


def test_r57_higher_number_takes_the_place_of_the_event() -> None:
    ven = Ven()
    ven.hears(event())
    longer = event(modification=1, duration_s=2 * HOUR, signals=(dispatch_signal(interval(0, 2 * HOUR)),))

    step = ven.hears(longer)

    assert said(step) == [("e1", 1, 200, IN)]
    assert kinds(step) == [("modified", "e1")]
    assert ven.state.records["e1"].event == longer


def test_equal_number_changes_nothing_whatever_it_says() -> None:
    ven = Ven()
    before = ven.hears(event())

    step = ven.hears(event(start=T0 + 60, createdDateTime=5, eventStatus=EventStatus.NEAR))

    assert said(step) == [("e1", 0, 200, IN)]
    assert step.changes == ()
    assert step.state == before.state


def test_event_of_3_that_changes_under_the_same_time_is_modified_once_and_says_so() -> None:
    ven = Ven()
    ven.hears(event_3(modification=7))
    other = event_3(modification=7, start=T0 + 60)

    steps = [ven.hears(other), ven.hears(other)]

    assert [kinds(step) for step in steps] == [[("modified", "e1")], []]
    assert steps[0].changes[0].text == "changed without a newer modificationDateTime"
    assert ven.state.records["e1"].event == other


@pytest.mark.parametrize("version", [event_3(modification=7), event(modification=7)])
def test_event_that_says_the_same_is_unchanged_also_where_nobody_kept_its_digest(version: Event) -> None:
    ven = Ven()
    ven.hears(version)
    ven.state = from_json(to_json(ven.state))
    assert ven.hears(version).changes == ()
    old = {name: replace(one, digest="") for name, one in ven.state.records.items()}
    ven.state = replace(ven.state, records=old)
    assert ven.hears(replace(version, start=T0 + 1)).changes == ()


def test_event_that_starts_now_is_the_same_whenever_it_is_read() -> None:
    gap = (interval(0, HOUR), interval(1, HOUR, start=9000))
    ven = Ven()
    limit = event_3().signals[0]
    ven.hears(event_3(start=None, signals=(replace(limit, intervals=gap),)))
    later = (interval(0, HOUR), interval(1, HOUR, start=9010))
    assert ven.hears(event_3(start=None, signals=(replace(limit, intervals=later),))).changes == ()


def test_event_of_3_that_was_cancelled_stays_so_under_the_same_time() -> None:
    ven = Ven()
    ven.hears(event_3(modification=7))
    ven.takes(Snapshot(events=(), is_full=False, deleted=("e1",)))
    assert kinds(ven.hears(event_3(modification=7, start=T0 + 60))) == []


def test_event_of_3_that_was_only_missing_is_there_again() -> None:
    ven = Ven()
    ven.hears(event_3(modification=7))
    assert kinds(ven.hears()) == [("cancelled", "e1")]

    step = ven.hears(event_3(modification=7))

    assert [(one.kind, one.text) for one in step.changes] == [(ChangeKind.MODIFIED, "")]
    assert len(plans_of(ven.state, 0)) == 1
    assert ven.hears(event_3(modification=7)).changes == ()


def test_event_of_3_that_was_missing_and_then_cancelled_stays_so_under_the_same_time() -> None:
    ven = Ven()
    ven.hears(event_3(modification=7))
    ven.hears()
    ven.hears(event_3(modification=8, start=None, duration_s=0))
    assert kinds(ven.hears(event_3(modification=8))) == []
    assert plans_of(ven.state, 0) == ()


def test_event_of_3_that_was_missing_and_then_deleted_stays_so() -> None:
    ven = Ven()
    ven.hears(event_3(modification=7))
    ven.hears()
    ven.takes(Snapshot(events=(), is_full=False, deleted=("e1",)))
    assert kinds(ven.hears(event_3(modification=7))) == []


def test_event_of_3_that_was_missing_while_it_ran_runs_again() -> None:
    ven = Ven()
    ven.hears(event_3(modification=7), at=T0 + 10)
    ven.hears(at=T0 + 20)

    ven.hears(event_3(modification=7), at=T0 + 30)

    (plan,) = plans_of(ven.state, T0 + 30)
    assert plan.event.eventID == "e1"
    assert ven.state.records["e1"].phase is Phase.STARTED


def test_r58_lower_number_is_answered_with_450_and_ignored() -> None:
    ven = Ven()
    before = ven.hears(event(modification=3))

    step = ven.hears(event(modification=2, start=T0 + 60))

    assert said(step) == [("e1", 2, 450, OUT)]
    assert (step.changes, step.state) == ((), before.state)


def test_r58_cancellation_with_a_lower_number_is_ignored_too() -> None:
    ven = Ven()
    ven.hears(event(modification=3))

    step = ven.hears(cancelled_event(modification=2))

    assert said(step) == [("e1", 2, 450, OUT)]
    assert len(plans_of(ven.state, 0)) == 1


def test_r10_cancellation_counts_the_number_up() -> None:
    ven = Ven()
    ven.hears(event())
    ven.hears(cancelled_event(modification=1))

    step = ven.hears(event(modification=0))

    assert said(step) == [("e1", 0, 450, OUT)]
    assert plans_of(ven.state, 0) == ()


def test_r19_good_and_bad_events_of_one_message_are_answered_each_on_its_own() -> None:
    ven = Ven()
    unknown = dispatch_signal(signalName="WEATHER")

    step = ven.hears(event("good"), event("bad", signals=(unknown,)), event("odd", flaw="no duration"))

    assert said(step) == [("good", 0, 200, IN), ("bad", 0, 460, OUT), ("odd", 0, 454, OUT)]
    assert [plan.event.eventID for plan in plans_of(ven.state, 0)] == ["good"]


def test_stored_refusal_is_repeated_for_the_same_number() -> None:
    ven = Ven()
    ven.hears(event(flaw="no duration"))

    step = ven.hears(event(flaw="no duration"), request="r2")

    assert (said(step), step.changes) == ([("e1", 0, 454, OUT)], ())
    assert only(step.answers).requestID == "r2"


def test_modification_that_is_refused_ends_what_ran() -> None:
    ven = Ven()
    ven.hears(event())
    ven.waits(T0)

    step = ven.hears(event(modification=1, flaw="no duration"), at=T0 + 60)

    assert (said(step), kinds(step)) == ([("e1", 1, 454, OUT)], [("refused", "e1")])
    assert plan_of(ven.state, "e1", T0 + 60) is None


def test_verdict_of_the_translation_is_the_answer() -> None:
    def judge(_: object, resources: tuple[str, ...]) -> Refusal:
        return Refusal(code=Code.SIGNAL_NOT_SUPPORTED, text=f"no state of charge of {resources[0]}")

    ports = Ports(enrolment=VEN, draw=lambda _, __: 0, judge=judge)

    step = receive(State(), Snapshot(events=(event(),), is_full=True), 0, ports)

    assert said(step) == [("e1", 0, 460, OUT)]
    assert only(step.answers).description == "no state of charge of battery"
    assert plans_of(step.state, 0) == ()


def test_r50_full_list_without_events_cancels_all() -> None:
    ven = Ven()
    ven.hears(event("a"), event("b"))

    step = ven.hears()

    assert kinds(step) == [("cancelled", "a"), ("cancelled", "b")]
    assert plans_of(ven.state, 0) == ()
    assert step.next_at is None


def test_r61_event_that_is_missing_from_a_full_list_is_cancelled() -> None:
    ven = Ven()
    ven.hears(event("a"), event("b"))

    step = ven.hears(event("b"))

    assert said(step) == [("b", 0, 200, IN)]
    assert kinds(step) == [("cancelled", "a")]
    assert ven.state.records["a"].cancellation is not None


def test_r61_list_with_a_limit_cancels_nothing() -> None:
    ven = Ven()
    ven.hears(event("a"), event("b"))

    step = ven.hears(event("b"), full=False)

    assert step.changes == ()
    assert len(plans_of(ven.state, 0)) == 2


def test_r61_event_that_comes_back_with_the_same_number_stays_cancelled() -> None:
    ven = Ven()
    ven.hears(event())
    ven.hears()

    step = ven.hears(event())

    assert said(step) == [("e1", 0, 450, OUT)]
    assert plans_of(ven.state, 0) == ()


def test_r61_event_that_comes_back_with_a_higher_number_is_carried_out() -> None:
    ven = Ven()
    ven.hears(event())
    ven.hears()

    step = ven.hears(event(modification=1))

    assert said(step) == [("e1", 1, 200, IN)]
    assert len(plans_of(ven.state, 0)) == 1


def test_r61_refused_event_that_is_missing_is_simply_forgotten() -> None:
    ven = Ven()
    ven.hears(event(flaw="no duration"))

    step = ven.hears()

    assert (step.changes, step.state) == ((), State())


def test_r61_event_that_is_over_and_missing_is_not_cancelled() -> None:
    ven = Ven()
    ven.hears(event())
    ven.waits(T0)

    step = ven.hears(at=T0 + HOUR)

    assert kinds(step) == [("completed", "e1")]
    assert status_at(ven.state.records["e1"], T0 + HOUR) is EventStatus.COMPLETED


def test_r36_cancellation_is_complied_with() -> None:
    ven = Ven()
    ven.hears(event())

    step = ven.hears(cancelled_event())

    assert said(step) == [("e1", 1, 200, IN)]
    assert kinds(step) == [("cancelled", "e1")]


@pytest.mark.parametrize("modification", [0, 4])
def test_r21_unknown_cancelled_event_is_ignored_and_answered(modification: int) -> None:
    ven = Ven()

    step = ven.hears(cancelled_event(modification=modification))

    assert (said(step), step.changes) == ([("e1", modification, 200, IN)], ())
    assert plans_of(ven.state, 0) == ()


def test_r60_unknown_cancelled_event_that_comes_again_is_answered_again() -> None:
    ven = Ven()
    ven.hears(cancelled_event())

    step = ven.hears(cancelled_event(), request="r2")

    assert said(step) == [("e1", 1, 200, IN)]


def test_r60_event_that_came_cancelled_first_is_not_begun_by_an_older_number() -> None:
    ven = Ven()
    ven.hears(cancelled_event(modification=2))

    assert said(ven.hears(event(modification=1), full=False)) == [("e1", 1, 450, OUT)]
    assert plans_of(ven.state, 0) == ()


def test_r114_cancelled_counts_at_the_same_number_too() -> None:
    ven = Ven()
    ven.hears(event())

    step = ven.hears(cancelled_event(modification=0))

    assert (said(step), kinds(step)) == ([("e1", 0, 200, IN)], [("cancelled", "e1")])


@pytest.mark.parametrize("status", [s for s in EventStatus if s is not EventStatus.CANCELLED])
def test_r114_any_other_status_that_is_sent_is_ignored(status: EventStatus) -> None:
    ven = Ven()

    ven.hears(event(eventStatus=status))

    assert status_at(ven.state.records["e1"], T0 - 1) is EventStatus.FAR
    assert status_at(ven.state.records["e1"], T0) is EventStatus.ACTIVE


def test_r65_cancelled_event_stops_within_its_window() -> None:
    ven = Ven(offsets={"e1": 20})
    ven.hears(event(randomization=late(60)))
    ven.waits(T0 + 20)

    step = ven.hears(cancelled_event(randomization=late(60)), at=T0 + 100)

    plan = plan_of(ven.state, "e1", T0 + 100)
    assert plan is not None
    assert (plan.stop_at, step.next_at) == (T0 + 120, T0 + 120)
    assert [one.own_end for one in plan.dispatches] == [T0 + 120]
    assert kinds(ven.waits(T0 + 119)) == []
    assert kinds(ven.waits(T0 + 120)) == [("stopped", "e1")]
    assert plan_of(ven.state, "e1", T0 + 120) is None


def test_r65_event_that_goes_missing_stops_within_its_window_too() -> None:
    ven = Ven(offsets={"e1": 20})
    ven.hears(event(randomization=late(60)))
    ven.waits(T0 + 20)

    ven.hears(at=T0 + 100)

    assert ven.state.records["e1"].phase is Phase.STARTED
    assert kinds(ven.waits(T0 + 120)) == [("stopped", "e1")]


def test_r65_stop_is_never_after_the_end() -> None:
    ven = Ven(offsets={"e1": 60})
    ven.hears(event(randomization=late(60)))
    ven.waits(T0 + 60)

    ven.hears(at=T0 + HOUR + 50)

    assert kinds(ven.waits(T0 + HOUR + 60)) == [("completed", "e1")]


def test_r65_event_that_has_not_begun_here_never_begins() -> None:
    ven = Ven(offsets={"e1": 60})
    ven.hears(event(randomization=late(60)))

    step = ven.hears(cancelled_event(), at=T0 + 30)

    assert kinds(step) == [("cancelled", "e1")]
    assert plan_of(ven.state, "e1", T0 + 30) is None
    assert kinds(ven.waits(T0 + 60)) == []


def test_event_without_a_window_stops_at_once() -> None:
    ven = Ven()
    ven.hears(event())
    ven.waits(T0)

    step = ven.hears(cancelled_event(), at=T0 + 30)

    assert kinds(step) == [("cancelled", "e1"), ("stopped", "e1")]


def test_cancellation_that_comes_again_draws_no_other_stop() -> None:
    ven = Ven(offsets={"e1": 20})
    ven.hears(event(randomization=late(60)))
    ven.waits(T0 + 20)
    ven.hears(cancelled_event(), at=T0 + 100)
    ven.offsets = {"e1": 50}

    step = ven.hears(cancelled_event(modification=2), at=T0 + 110)

    assert step.changes == ()
    assert ven.state.records["e1"].cancellation is not None
    assert ven.state.records["e1"].cancellation.stop_at == T0 + 120


def test_r407_cancelled_registration_leaves_nothing() -> None:
    ven = Ven()
    ven.hears(event("runs"), event("waits", start=T0 + HOUR), event("bad", flaw="no duration"))
    ven.waits(T0)

    step = forget(ven.state, T0 + 60)

    assert step.state == State()
    assert kinds(step) == [("cancelled", "runs"), ("cancelled", "waits")]
    assert step.next_at is None


def test_event_that_is_over_already_is_not_carried_out() -> None:
    step = Ven().hears(event(), at=T0 + HOUR)

    assert said(step) == [("e1", 0, 200, OUT)]
    assert only(step.answers).description == "the event is over already"
    assert kinds(step) == [("refused", "e1")]


def test_event_that_began_before_it_came_begins_now() -> None:
    ven = Ven()

    step = ven.hears(event(), at=T0 + 60)

    assert kinds(step) == [("received", "e1"), ("started", "e1")]
    assert step.next_at == T0 + HOUR


def test_event_that_came_and_went_while_nobody_looked_was_missed() -> None:
    ven = Ven()
    ven.hears(event())

    assert kinds(ven.waits(T0 + HOUR)) == [("missed", "e1")]


def test_modification_that_moves_a_running_event_ahead_lets_it_wait() -> None:
    ven = Ven()
    ven.hears(event())
    ven.waits(T0)

    step = ven.hears(event(modification=1, start=T0 + HOUR), at=T0 + 60)

    assert kinds(step) == [("modified", "e1")]
    assert ven.state.records["e1"].phase is Phase.PENDING
    assert kinds(ven.waits(T0 + HOUR)) == [("started", "e1")]


def test_modification_that_ends_a_running_event_in_the_past_completes_it() -> None:
    ven = Ven()
    ven.hears(event())
    ven.waits(T0)
    shorter = event(modification=1, duration_s=30, signals=(dispatch_signal(interval(0, 30)),))

    step = ven.hears(shorter, at=T0 + 60)

    assert kinds(step) == [("modified", "e1"), ("completed", "e1")]
    assert said(step) == [("e1", 1, 200, IN)]


def test_3x_events_are_never_answered() -> None:
    step = Ven().hears(event_3(is_response_required=True), event_3("e2", flaw="no intervals"))

    assert step.answers == ()
    assert kinds(step) == [("received", "e1"), ("refused", "e2")]


def test_3x_older_modification_date_time_is_ignored() -> None:
    ven = Ven()
    ven.hears(event_3(modification=2_000_001))

    step = ven.hears(event_3(modification=2_000_000, start=T0 + 60), full=False)

    assert step.changes == ()
    assert ven.state.records["e1"].start == T0


def test_3x_deleted_event_is_cancelled() -> None:
    ven = Ven()
    ven.hears(event_3())

    step = ven.takes(Snapshot(events=(), is_full=False, deleted=("e1", "nobody")))

    assert kinds(step) == [("cancelled", "e1")]
    assert ven.state.records["e1"].cancellation is not None
    assert ven.state.records["e1"].cancellation.how is How.DELETED


def test_3x_start_now_without_length_cancels() -> None:
    ven = Ven()
    ven.hears(event_3())
    ven.waits(T0)

    step = ven.hears(event_3(modification=1, start=None, duration_s=0), at=T0 + 60)

    assert kinds(step) == [("cancelled", "e1"), ("stopped", "e1")]


def test_3x_cancelled_event_stops_within_its_window() -> None:
    ven = Ven(offsets={"e1": -30})
    ven.hears(event_3(randomization=Randomization(early_s=60, late_s=60)))
    ven.waits(T0 - 30)
    ven.offsets = {"e1": 15}

    ven.takes(Snapshot(events=(), is_full=True), at=T0 + 100)

    assert ven.drawn[-1] == ("e1", late(60))
    assert kinds(ven.waits(T0 + 115)) == [("stopped", "e1")]


def test_3x_start_now_is_when_the_event_was_first_seen_and_stays() -> None:
    ven = Ven()
    ven.hears(event_3(start=None, duration_s=None), at=500)

    ven.hears(event_3(modification=1, start=None, duration_s=None), at=900)

    assert ven.state.records["e1"].start == 500


def test_chance_outside_of_its_window_is_an_error() -> None:
    ven = Ven(offsets={"e1": 61})

    with pytest.raises(ValueError, match="outside"):
        ven.hears(event(randomization=late(60)))


def test_events_that_are_long_over_are_forgotten_unless_they_are_listed() -> None:
    ven = Ven()
    ven.hears(event("listed"), event("gone"))
    ven.waits(T0)

    ven.hears(event("listed"), at=T0 + HOUR + 7 * 86_400)

    assert list(ven.state.records) == ["listed"]


def test_cancelled_event_without_end_is_remembered() -> None:
    ven = Ven()
    endless = event(duration_s=None, signals=(dispatch_signal(interval(0, None)),))
    ven.hears(endless)
    ven.hears()

    ven.hears(at=T0 + 10**9)

    assert said(ven.hears(endless, at=T0 + 10**9)) == [("e1", 0, 450, OUT)]


def test_no_more_than_so_many_events_that_are_over_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openadr_ven.events.receiving.MOST_ENDED", 2)
    ven = Ven()
    ven.hears(*(cancelled_event(str(number)) for number in range(5)), event("live"))

    assert list(ven.state.records) == ["3", "4", "live"]


def test_what_a_ven_may_not_do_by_itself_is_opted_out_until_someone_opts_in() -> None:
    ven = Ven(enrolment=replace(VEN, is_opted_in=False))

    step = ven.hears(event())

    assert said(step) == [("e1", 0, 200, OUT)]
    assert plans_of(ven.state, 0) == ()


def test_r65_event_that_began_while_nobody_looked_stops_within_its_window_too() -> None:
    ven = Ven(offsets={"e1": 20})
    ven.hears(event(randomization=late(60)))

    step = ven.hears(cancelled_event(randomization=late(60)), at=T0 + 100)

    assert kinds(step) == [("started", "e1"), ("cancelled", "e1")]
    assert step.next_at == T0 + 120


def test_3x_event_that_starts_now_and_comes_back_starts_when_it_came_back() -> None:
    ven = Ven()
    endless = {"start": None, "duration_s": None}
    ven.hears(event_3(**endless), at=500)
    ven.hears(at=600)

    ven.hears(event_3(modification=1, **endless), at=900)

    assert ven.state.records["e1"].start == 900


def test_message_that_is_no_full_list_makes_nobody_forget() -> None:
    ven = Ven()
    ven.hears(event("gone"))

    ven.hears(event("new", start=T0 + 10**7), full=False, at=T0 + HOUR + 7 * 86_400)

    assert list(ven.state.records) == ["gone", "new"]


def test_3x_what_is_left_out_is_said() -> None:
    step = Ven().hears(event_3(signals=(signal("x-own", ""), *event_3().signals)))

    assert [one.text for one in step.changes] == ["signal x-own is not supported"]
