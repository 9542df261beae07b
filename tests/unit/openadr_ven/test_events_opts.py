"""Opting in and out: by event, by resource, by schedule."""

import pytest

from openadr_ven.events import (
    CreateOpt,
    EventError,
    OptError,
    OptReason,
    OptType,
    Randomization,
    Target,
    Window,
    add_schedule,
    cancel_opt,
    opt_event,
    opt_resources,
    participants,
)
from openadr_ven.events.planning import plan_of
from tests.unit.openadr_ven.event_builder import (
    BOTH,
    HOUR,
    T0,
    Ven,
    cancelled_event,
    dispatch_signal,
    event,
    event_3,
    kinds,
    late,
    only,
    said,
)

IN, OUT = OptType.IN, OptType.OUT
WHY = OptReason.OVERRIDE_STATUS


def resources(ven: Ven, at: int = 0) -> tuple[str, ...]:
    plan = plan_of(ven.state, "e1", at)
    return () if plan is None else plan.resources


def schedule(*windows: tuple[int, int | None], **more: object) -> CreateOpt:
    made = {"optID": "o1", "optType": OUT, "reason": OptReason.SCHEDULE, **more}
    spans = tuple(Window(start=start, duration_s=duration_s) for start, duration_s in windows)
    return CreateOpt(windows=spans, **made)  # type: ignore[arg-type]


def test_event_that_is_opted_out_is_answered_again_and_not_carried_out() -> None:
    ven = Ven()
    ven.hears(event(), request="r7")

    step = ven.keeps(opt_event(ven.state, "e1", OUT, 10))

    assert said(step) == [("e1", 0, 200, OUT)]
    assert only(step.answers).requestID == "r7"
    assert kinds(step) == [("opted", "e1")]
    assert resources(ven) == ()


def test_event_that_runs_and_is_opted_out_ends_at_once_and_begins_again_when_it_is_opted_in() -> None:
    ven = Ven()
    ven.hears(event(randomization=late(0)))
    ven.waits(T0)

    ven.keeps(opt_event(ven.state, "e1", OUT, T0 + 60))
    assert resources(ven, T0 + 60) == ()

    step = ven.keeps(opt_event(ven.state, "e1", IN, T0 + 90))
    assert kinds(step) == [("opted", "e1"), ("started", "e1")]
    assert resources(ven, T0 + 90) == BOTH


def test_event_that_was_opted_out_ends_without_a_word() -> None:
    ven = Ven()
    ven.hears(event())
    ven.keeps(opt_event(ven.state, "e1", OUT, 10))

    assert kinds(ven.waits(T0 + HOUR)) == []


def test_opt_of_an_event_is_kept_over_modifications() -> None:
    ven = Ven()
    ven.hears(event())
    ven.keeps(opt_event(ven.state, "e1", OUT, 10))

    assert said(ven.hears(event(modification=1))) == [("e1", 1, 200, OUT)]


def test_r206_some_resources_are_told_by_a_create_opt_and_the_others_go_on() -> None:
    ven = Ven()
    ven.hears(event(), request="r7")

    step = ven.keeps(opt_resources(ven.state, "e1", ("charger",), OUT, 10, optID="o1", reason=WHY))

    assert step.answers == ()
    assert step.opts == (
        CreateOpt(
            optID="o1",
            optType=OUT,
            reason=WHY,
            resources=("charger",),
            eventID="e1",
            modification=0,
            requestID="r7",
        ),
    )
    assert kinds(step) == [("opted", "e1")]
    assert resources(ven) == ("battery",)


def test_r206_answer_to_the_event_does_not_change_resources_that_were_opted() -> None:
    ven = Ven()
    ven.hears(event())
    ven.keeps(opt_resources(ven.state, "e1", ("charger",), OUT, 10, optID="o1", reason=WHY))

    ven.keeps(opt_event(ven.state, "e1", OUT, 20))
    assert resources(ven) == ()
    ven.keeps(opt_event(ven.state, "e1", IN, 30))
    assert resources(ven) == ("battery",)
    ven.hears(event(modification=1))
    assert resources(ven) == ("battery",)
    ven.keeps(opt_resources(ven.state, "e1", ("charger",), IN, 40, optID="o2", reason=WHY))
    assert resources(ven) == BOTH


def test_r206_all_resources_out_is_out() -> None:
    ven = Ven()
    ven.hears(event())

    ven.keeps(opt_resources(ven.state, "e1", (), OUT, 10, optID="o1", reason=WHY))

    assert said(ven.hears(event())) == [("e1", 0, 200, OUT)]


def test_r206_event_that_wants_no_response_may_not_be_qualified() -> None:
    ven = Ven()
    ven.hears(event(is_response_required=False))

    with pytest.raises(OptError, match="no response"):
        opt_resources(ven.state, "e1", BOTH, OUT, 10, optID="o1", reason=WHY)


def test_resource_that_the_event_is_not_for_may_not_be_opted() -> None:
    ven = Ven()
    ven.hears(event())

    with pytest.raises(OptError, match="heater"):
        opt_resources(ven.state, "e1", ("heater",), OUT, 10, optID="o1", reason=WHY)


def test_3x_opt_is_kept_here_and_told_nobody() -> None:
    ven = Ven()
    ven.hears(event_3())

    step = ven.keeps(opt_resources(ven.state, "e1", ("charger",), OUT, 10, optID="o1", reason=WHY))
    whole = ven.keeps(opt_event(ven.state, "e1", OUT, 20))

    assert (step.opts, step.answers, whole.answers) == ((), (), ())
    assert kinds(step) == [("opted", "e1")]


@pytest.mark.parametrize("kind", ["unknown", "refused", "cancelled", "over"])
def test_only_an_event_that_is_open_may_be_opted(kind: str) -> None:
    ven = Ven()
    ven.hears(event("refused", flaw="no duration"), event("cancelled"), event("over"))
    ven.hears(cancelled_event("cancelled"), full=False)

    with pytest.raises(OptError, match=kind):
        opt_event(ven.state, kind, OUT, T0 + HOUR if kind == "over" else 10)
    assert issubclass(OptError, EventError)


@pytest.mark.parametrize(
    ("windows", "answer"),
    [
        ([(T0 - 60, 61)], OUT),
        ([(T0 - 60, 60)], IN),
        ([(T0 + HOUR - 1, 60)], OUT),
        ([(T0 + HOUR, 60)], IN),
        ([(0, None)], OUT),
        ([(T0 + HOUR, None), (T0 + 5, 5)], OUT),
    ],
    ids=str,
)
def test_schedule_that_meets_an_event_opts_out_of_it(
    windows: list[tuple[int, int | None]], answer: OptType
) -> None:
    ven = Ven()
    ven.keeps(add_schedule(ven.state, schedule(*windows), 0))

    assert said(ven.hears(event())) == [("e1", 0, 200, answer)]


def test_r210_schedule_without_end_meets_an_event_without_end() -> None:
    ven = Ven()
    ven.keeps(add_schedule(ven.state, schedule((T0 + 10**6, None)), 0))
    endless = event(duration_s=None)

    assert said(ven.hears(endless)) == [("e1", 0, 200, OUT)]


def test_schedule_of_some_resources_leaves_the_others() -> None:
    ven = Ven()
    ven.keeps(add_schedule(ven.state, schedule((T0, 60), resources=("charger",)), 0))

    ven.hears(event())

    assert resources(ven) == ("battery",)
    assert participants(ven.state, ven.state.records["e1"]) == (("battery",),)


def test_schedule_of_a_market_context_leaves_the_others() -> None:
    ven = Ven()
    ven.keeps(add_schedule(ven.state, schedule((T0, 60), marketContext="http://dr/one"), 0))

    assert said(ven.hears(event("a"), event("b", marketContext="http://dr/two"))) == [
        ("a", 0, 200, OUT),
        ("b", 0, 200, IN),
    ]


def test_newest_schedule_that_meets_an_event_counts() -> None:
    ven = Ven()
    ven.keeps(add_schedule(ven.state, schedule((0, None)), 0))
    ven.keeps(add_schedule(ven.state, schedule((T0, 60), optID="o2", optType=IN), 0))

    assert said(ven.hears(event())) == [("e1", 0, 200, IN)]


def test_opt_of_a_resource_in_an_event_counts_more_than_a_schedule() -> None:
    ven = Ven()
    ven.hears(event())
    ven.keeps(opt_resources(ven.state, "e1", ("charger",), IN, 10, optID="o0", reason=WHY))

    ven.keeps(add_schedule(ven.state, schedule((T0, 60)), 20))

    assert resources(ven) == ("charger",)


def test_schedule_answers_events_again_that_it_turns_and_is_sent() -> None:
    ven = Ven()
    ven.hears(event("a"), event("b", start=T0 + 10 * HOUR), event("c", is_response_required=False))
    made = schedule((T0, 60))

    step = ven.keeps(add_schedule(ven.state, made, 10))

    assert step.opts == (made,)
    assert said(step) == [("a", 0, 200, OUT)]
    assert sorted(kinds(step)) == [("opted", "a"), ("opted", "c")]


def test_schedule_that_is_taken_back_opts_in_again() -> None:
    ven = Ven()
    ven.hears(event())
    ven.keeps(add_schedule(ven.state, schedule((T0, 60)), 10))

    step = ven.keeps(cancel_opt(ven.state, "o1", 20))

    assert step.cancelled_opts == ("o1",)
    assert said(step) == [("e1", 0, 200, IN)]
    assert resources(ven) == BOTH


def test_r211_opt_of_an_event_is_not_cancelled() -> None:
    ven = Ven()
    ven.hears(event())
    ven.keeps(opt_resources(ven.state, "e1", ("charger",), OUT, 10, optID="o1", reason=WHY))

    with pytest.raises(OptError, match="o1"):
        cancel_opt(ven.state, "o1", 20)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (schedule((0, 60), eventID="e1"), "no event"),
        (schedule(), "at least one window"),
        (schedule((0, 60), optID="used"), "there already"),
    ],
)
def test_schedule_that_is_none_is_not_made(made: CreateOpt, words: str) -> None:
    ven = Ven()
    ven.keeps(add_schedule(ven.state, schedule((0, 60), optID="used"), 0))

    with pytest.raises(OptError, match=words):
        add_schedule(ven.state, made, 0)


def test_schedule_does_not_touch_an_event_that_is_refused() -> None:
    ven = Ven()
    ven.hears(event(flaw="no duration"))

    step = ven.keeps(add_schedule(ven.state, schedule((T0, 60)), 10))

    assert (step.answers, step.changes) == ((), ())


def test_answer_to_an_opt_has_the_id_of_the_last_message_with_the_event() -> None:
    ven = Ven()
    ven.hears(event(), request="first")
    ven.hears(event(), request="last")

    assert only(opt_event(ven.state, "e1", OUT, 10).answers).requestID == "last"


def test_3x_schedule_that_meets_the_early_part_of_the_window_opts_out() -> None:
    ven = Ven()
    ven.keeps(add_schedule(ven.state, schedule((T0 - 60, 30)), 0))
    ven.hears(event_3(randomization=Randomization(early_s=60, late_s=60)))

    assert resources(ven) == ()


def test_last_opt_of_a_resource_is_the_only_one_that_is_kept() -> None:
    ven = Ven()
    ven.hears(event())
    ven.keeps(opt_resources(ven.state, "e1", ("charger",), OUT, 10, optID="o1", reason=WHY))

    ven.keeps(opt_resources(ven.state, "e1", ("charger",), IN, 20, optID="o2", reason=WHY))

    assert [one.optID for one in ven.state.records["e1"].opted] == ["o2"]


def test_signal_in_which_nobody_takes_part_is_left_out_of_the_plan() -> None:
    ven = Ven()
    storage, cars = dispatch_signal(device_classes=("Storage",)), dispatch_signal(device_classes=("EVSE",))
    ven.hears(event(signals=(storage, cars)))

    ven.keeps(opt_resources(ven.state, "e1", ("charger",), OUT, 10, optID="o1", reason=WHY))

    plan = plan_of(ven.state, "e1", 10)
    assert plan is not None
    assert [(one.signal, one.resources) for one in plan.dispatches] == [(storage, ("battery",))]


def test_nobody_takes_part_in_a_refused_event() -> None:
    ven = Ven()
    ven.hears(event(targets=(Target(kind="venID", value="other"),)))

    assert participants(ven.state, ven.state.records["e1"]) == ((),)
