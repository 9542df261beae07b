"""Replies of devices become counts and opts; nothing is told twice."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from openadr_ven.back import (
    Heard,
    RepliesError,
    Reply,
    Stance,
    forgotten,
    hear,
    heard_of,
    heard_table,
    out_resources,
    owed_opts,
    stance_of,
    standing_of,
    summary_of,
    told,
    told_anew,
)
from openadr_ven.events import (
    CreateOpt,
    Enrolment,
    Event,
    EventStatus,
    OptReason,
    OptType,
    Ports,
    Resource,
    Snapshot,
    State,
    advance,
    opt_event,
    opt_resources,
    receive,
)
from tests.unit.openadr_ven.house import HOUR, T0, event, event_3, signal, simple

MEMBERS = {"battery": ("b1",), "site": ("s1", "s2"), "pv": ("p1",)}
OPTS = [
    (4, OptType.OUT, OptReason.OVERRIDE_STATUS),
    (8, OptType.OUT, OptReason.OVERRIDE_STATUS),
    (252, OptType.OUT, OptReason.NOT_PARTICIPATING),
    (253, OptType.OUT, OptReason.NOT_PARTICIPATING),
    (254, OptType.OUT, OptReason.NOT_PARTICIPATING),
]


def taken(*events: Event, at: int = T0 - HOUR, before: State | None = None) -> State:
    enrolment = Enrolment(ven_id="ven-1", resources=tuple(Resource(name=name) for name in MEMBERS))
    ports = Ports(enrolment=enrolment, draw=lambda _, window: 0)
    return receive(before or State(), Snapshot(events=events, is_full=True), at, ports).state


def heard(*said: tuple[str, str, int], before: Heard | None = None, first: int = 1) -> Heard:
    """Replies as device, control and status, in the order in which they came."""
    found = [
        (device, Reply(id=first + number, control=control, status=status))
        for number, (device, control, status) in enumerate(said)
    ]
    return hear(before or Heard(), "e1", found)


def owed(of: Heard, state: State | None = None) -> list[tuple[OptType, OptReason, tuple[str, ...]]]:
    opts = owed_opts(of, state or taken(event(simple(2))), MEMBERS)
    return [(one.optType, one.reason, one.resources) for one in opts]


def sent(of: Heard) -> Heard:
    return told(of, owed_opts(of, taken(event(simple(2))), MEMBERS))


@pytest.mark.parametrize(("status", "opt", "reason"), OPTS)
def test_who_does_not_take_part_is_opted_out_alone(status: int, opt: OptType, reason: OptReason) -> None:
    of = heard(("b1", "c1", 1), ("p1", "c1", 1), ("b1", "c1", status))
    assert owed(of) == [(opt, reason, ("battery",))]


@pytest.mark.parametrize("status", [1, 2, 3, 6, 7, 10, 11])
def test_who_carries_an_event_out_is_not_told_of(status: int) -> None:
    assert owed(heard(("b1", "c1", status))) == []


@pytest.mark.parametrize("status", [5, 9])
def test_who_opts_in_again_is_told_once(status: int) -> None:
    out = sent(heard(("b1", "c1", 4)))
    again = heard(("b1", "c1", status), before=out, first=50)
    assert owed(again) == [(OptType.IN, OptReason.PARTICIPATING, ("battery",))]
    assert owed(sent(again)) == []


def test_an_opt_out_and_in_again_before_anybody_looked_needs_no_words() -> None:
    assert owed(heard(("b1", "c1", 4), ("b1", "c1", 5))) == []


def test_opting_out_a_second_time_is_told_again() -> None:
    first = sent(heard(("b1", "c1", 4)))
    again = sent(heard(("b1", "c1", 5), before=first, first=50))
    third = heard(("b1", "c1", 4), before=again, first=60)
    assert [one[0] for one in owed(third)] == [OptType.OUT]
    ids = {opt.optID for of in (heard(("b1", "c1", 4)), third) for opt in opts_of(of)}
    assert len(ids) == 2


def opts_of(of: Heard) -> tuple[CreateOpt, ...]:
    return owed_opts(of, taken(event(simple(2))), MEMBERS)


def test_an_opt_out_lasts_until_another_control_of_the_event_is_started() -> None:
    out = sent(heard(("b1", "c1", 4), ("b1", "c1", 2)))
    assert owed(out) == []
    assert [one[0] for one in owed(heard(("b1", "c2", 1), before=out, first=50))] == []
    assert [one[0] for one in owed(heard(("b1", "c2", 2), before=out, first=50))] == [OptType.IN]


def test_a_resource_of_two_devices_is_in_while_one_of_them_is() -> None:
    one = heard(("s1", "c1", 4))
    assert owed(one) == []
    both = heard(("s2", "c1", 253), before=one, first=50)
    assert owed(both) == [(OptType.OUT, OptReason.OVERRIDE_STATUS, ("site",))]


def test_resources_that_go_for_one_reason_go_in_one_message() -> None:
    of = heard(("b1", "c1", 4), ("p1", "c1", 4))
    assert owed(of) == [(OptType.OUT, OptReason.OVERRIDE_STATUS, ("battery", "pv"))]


def test_an_opt_names_its_event_and_number() -> None:
    state = taken(event(simple(2), modification=3))
    (found,) = owed_opts(heard(("b1", "c1", 4)), state, MEMBERS)
    assert (found.eventID, found.modification, found.windows, found.marketContext) == ("e1", 3, (), "")


def test_nothing_is_told_twice_also_after_a_restart() -> None:
    of = heard(("b1", "c1", 4))
    kept = heard_of(heard_table(sent(of)))
    assert owed(kept) == []
    assert owed(heard(("b1", "c1", 4), before=kept)) == []


def test_another_registration_is_told_all_again() -> None:
    """Nothing is told twice in one; what an older version told counts for the first that is there."""
    of = sent(heard(("b1", "c1", 4)))
    first = heard_of(heard_table(told_anew(of, "one")))
    assert owed(first) == []
    assert told_anew(first, "one") == first
    assert forgotten(first, taken(event(simple(2)))) == first
    assert owed(told_anew(first, "two")) == [(OptType.OUT, OptReason.OVERRIDE_STATUS, ("battery",))]
    table = heard_table(of)
    del table["told_to"]
    assert heard_of(table) == of


def test_what_was_lost_before_it_was_sent_is_made_again_with_the_same_id() -> None:
    of = heard(("b1", "c1", 4))
    assert opts_of(of) == opts_of(heard_of(heard_table(of)))


def test_r206_an_event_that_wants_no_response_is_not_qualified() -> None:
    assert owed(heard(("b1", "c1", 4)), taken(event(simple(2), is_response_required=False))) == []


def test_a_test_event_is_not_qualified() -> None:
    assert owed(heard(("b1", "c1", 4)), taken(event(simple(2), is_test=True))) == []


def test_an_event_that_is_over_or_cancelled_is_not_qualified() -> None:
    of, state = heard(("b1", "c1", 4)), taken(event(simple(2)))
    over = advance(state, T0 + 2 * HOUR).state
    gone = taken(event(simple(2), modification=1, eventStatus=EventStatus.CANCELLED), before=state)
    assert (owed(of, over), owed(of, gone)) == ([], [])


def test_events_of_3_have_no_opts() -> None:
    price = signal("SIMPLE", "", *simple(2).intervals[0].values)
    assert owed(heard(("b1", "c1", 4)), taken(event_3(price))) == []


def test_resources_that_are_out_are_named_for_3_too() -> None:
    state = taken(event_3(signal("SIMPLE", "", *simple(2).intervals[0].values)))
    of = heard(("b1", "c1", 4), ("p1", "c1", 253), ("s1", "c1", 4))
    assert out_resources(of, state, MEMBERS) == {
        "e1": {"battery": OptReason.OVERRIDE_STATUS, "pv": OptReason.NOT_PARTICIPATING}
    }
    assert out_resources(of, advance(state, T0 + 2 * HOUR).state, MEMBERS) == {}
    assert out_resources(heard(("b1", "c1", 1)), state, MEMBERS) == {}


def test_resource_is_out_while_none_of_its_devices_can_have_heard_of_the_event() -> None:
    state, late = taken(event(simple(2))), {"e1": frozenset({"b1", "s1"})}
    (out,) = owed_opts(Heard(), state, MEMBERS, late)
    assert (out.optType, out.reason, out.resources) == (
        OptType.OUT,
        OptReason.OUTAGE_RUN_STATUS,
        ("battery",),
    )
    after = told(Heard(), (out,))
    assert owed_opts(after, state, MEMBERS, late) == ()
    (again,) = owed_opts(after, state, MEMBERS)
    assert (again.optType, again.resources) == (OptType.IN, ("battery",))
    assert owed_opts(after, advance(state, T0 + 2 * HOUR).state, MEMBERS) == ()
    of_3 = taken(event_3(signal("SIMPLE", "", *simple(2).intervals[0].values)))
    assert out_resources(Heard(), of_3, MEMBERS, late) == {"e1": {"battery": OptReason.OUTAGE_RUN_STATUS}}
    standing = standing_of(Heard(), advance(state, T0 + 1).state, MEMBERS, late)
    assert standing.opted_out == {"b1", "s1"}


def test_resource_whose_devices_can_do_nothing_of_an_event_is_out_until_they_can() -> None:
    state, unable = taken(event(simple(2))), {"e1": frozenset({"b1", "s1"})}
    (out,) = owed_opts(Heard(), state, MEMBERS, unable=unable)
    assert (out.reason, out.resources) == (OptReason.NOT_PARTICIPATING, ("battery",))
    after = told(Heard(), (out,))
    assert owed_opts(after, state, MEMBERS, unable=unable) == ()
    (again,) = owed_opts(after, state, MEMBERS)
    assert again.optType is OptType.IN
    assert out_resources(Heard(), state, MEMBERS, unable=unable) == {
        "e1": {"battery": OptReason.NOT_PARTICIPATING}
    }
    assert owed_opts(Heard(), state, MEMBERS, unable={"e1": frozenset({"s1"})}) == ()


def test_what_a_person_has_opted_out_is_left_to_them() -> None:
    state = taken(event(simple(2)))
    out = opt_resources(
        state, "e1", ("battery",), OptType.OUT, T0 - 10, optID="o1", reason=OptReason.ECONOMIC
    ).state
    assert owed(heard(("b1", "c1", 4)), out) == []
    assert owed(sent(heard(("b1", "c1", 4), ("b1", "c1", 5))), out) == []
    assert owed(heard(("b1", "c1", 4)), opt_event(state, "e1", OptType.OUT, T0 - 10).state) == []


def test_the_controls_of_who_opted_out_stay() -> None:
    state = taken(event(simple(2)))
    before = state.records["e1"]
    owed_opts(heard(("b1", "c1", 4)), state, MEMBERS)
    assert state.records["e1"] == before


def test_summary_counts_devices_and_not_replies() -> None:
    of = heard(
        *[("b1", "c1", status) for status in (1, 2, 3)],
        *[("b1", "c2", status) for status in (1, 2)],
        *[("s1", "c1", status) for status in (1, 2, 8)],
        ("s2", "c1", 253),
        ("stranger", "c1", 4),
    )
    found = summary_of(of, taken(event(simple(2))), "e1", MEMBERS)
    assert (found.asked, found.received, found.started, found.completed) == (4, 3, 2, 1)
    assert (found.opted_out, found.rejected, found.silent) == (1, 1, 1)
    assert found.is_partial


@pytest.mark.parametrize(("status", "name"), [(6, "cancelled"), (7, "superseded")])
def test_summary_counts_what_ended_otherwise(status: int, name: str) -> None:
    found = summary_of(heard(("b1", "c1", status)), taken(event(simple(2))), "e1", MEMBERS)
    assert getattr(found, name) == 1
    assert not found.is_partial


def test_of_an_event_that_nobody_knows_nobody_was_asked() -> None:
    assert summary_of(Heard(), State(), "e9", MEMBERS).asked == 0


def running(*controls: tuple[str, str, int]) -> tuple[frozenset[str], frozenset[str]]:
    state = advance(taken(event(simple(2))), T0 + 1).state
    found = standing_of(heard(*controls), state, MEMBERS)
    return frozenset(found.opted_out), frozenset(found.curtailed)


def test_who_opted_out_of_what_runs_and_who_carries_it_out() -> None:
    found = running(("b1", "c1", 2), ("p1", "c1", 2), ("p1", "c1", 4), ("s1", "c1", 2), ("s1", "c1", 3))
    assert found == (frozenset({"p1"}), frozenset({"b1"}))


def test_before_an_event_runs_nobody_is_overridden() -> None:
    found = standing_of(heard(("b1", "c1", 4)), taken(event(simple(2))), MEMBERS)
    assert not found.opted_out


def test_a_state_of_events_that_are_gone_is_forgotten() -> None:
    of = sent(heard(("b1", "c1", 4)))
    assert forgotten(of, taken(event(simple(2)))) == of
    assert forgotten(of, State()) == Heard()


@pytest.mark.parametrize(
    "found", ["", [], {}, {"version": 1}, {"version": 2, "replies": {"e": "3"}, "cursors": {}}], ids=str
)
def test_what_is_no_state_is_said_to_be_none(found: object) -> None:
    with pytest.raises(RepliesError):
        heard_of(found)


@pytest.mark.parametrize(
    ("statuses", "told_as"),
    [
        ((), Stance.IN),
        ((1, 2, 3), Stance.IN),
        ((4, 5), Stance.IN),
        ((4, 5, 4), Stance.OUT),
        ((8, 3), Stance.OUT),
        ((252, 2), Stance.IN),
        ((252, 1), Stance.REJECTED),
    ],
)
def test_a_device_stands_by_what_it_said_last(statuses: Iterable[int], told_as: Stance) -> None:
    replies = [Reply(id=number, control="c1", status=one) for number, one in enumerate(statuses)]
    assert stance_of(replies) is told_as


def test_cursors_go_on_only() -> None:
    of = heard(("b1", "c1", 1), ("b1", "c1", 2))
    assert of.cursors == {"c1": 2}
    assert heard(("b1", "c1", 1), before=of).cursors == {"c1": 2}
    assert replace(of) == of
