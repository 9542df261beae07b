"""Laws of the event machine of a VEN, over random days of messages and time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from openadr_ven.events import (
    CreateOpt,
    Dispatch,
    Enrolment,
    Event,
    EventStatus,
    Interval,
    OptReason,
    OptType,
    Ports,
    Profile,
    Randomization,
    Resource,
    Signal,
    Snapshot,
    State,
    Target,
    Unit,
    Window,
    add_schedule,
    advance,
    from_json,
    plans_of,
    receive,
    to_json,
)
from openadr_ven.events.planning import in_force
from tests.inputs import inputs

IDS = ("a", "b", "c")
VEN = Enrolment(
    ven_id="ven-1",
    resources=(Resource(name="r1", targets=frozenset({"east"})), Resource(name="r2")),
)
PLACES = ((), (Target(kind="resourceID", value="r1"),), (Target(kind="venID", value="other"),))


def chance(eventID: str, window: Randomization) -> int:
    """An offset that depends on nothing but who draws in which window."""
    size = window.early_s + window.late_s
    return (7 * ord(eventID[0]) + 13 * size) % (size + 1) - window.early_s


PORTS = Ports(enrolment=VEN, draw=chance)


def event_of(eventID: str, modification: int, seed: int, is_cancelled: bool) -> Event:
    """The version of an event that a number names; the same number says the same."""
    is_3 = eventID == "c"
    window_s = (0, 30, 60)[seed % 3]
    lengths: tuple[int | None, ...] = ((600,), (120, 300), (200, None), (None,))[seed % 4]
    finite = [length for length in lengths if length is not None]
    duration_s = sum(finite) if len(finite) == len(lengths) else None
    intervals = tuple(
        Interval(uid=uid, duration_s=length, values=(Decimal(100 * modification + uid),))
        for uid, length in enumerate(lengths)
    )
    names = ("DISPATCH_SETPOINT", "") if is_3 else ("LOAD_DISPATCH", "setpoint")
    signal = Signal(signalID="s", signalName=names[0], signalType=names[1], unit=Unit.W, intervals=intervals)
    made = Event(
        profile=Profile.V310 if is_3 else Profile.V20B,
        eventID=eventID,
        modification=modification,
        start=(300, 500, 900, 30)[seed // 3 % 4],
        duration_s=duration_s,
        signals=(signal,),
        randomization=Randomization(early_s=window_s if is_3 else 0, late_s=window_s),
        ramp_up_s=(0, 50, -50)[seed // 5 % 3],
        is_response_required=True,
        targets=PLACES[0 if seed % 7 else seed // 7 % 3],
        is_test=seed % 11 == 10,
        flaw="odd" if seed % 13 == 12 else None,
    )
    if is_cancelled and is_3:
        return replace(made, start=None, duration_s=0)
    return replace(made, eventStatus=EventStatus.CANCELLED) if is_cancelled else made


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of which event is told."""

    eventID: str
    modification: int
    is_cancelled: bool

    def of(self, seeds: dict[tuple[str, int], int]) -> Event:
        seed = seeds.get((self.eventID, self.modification), self.modification)
        return event_of(self.eventID, self.modification, seed, self.is_cancelled)


@dataclass(frozen=True, slots=True)
class Told:
    """One message after some time."""

    after_s: int
    versions: tuple[Version, ...]
    is_full: bool


SEEDS = st.dictionaries(st.tuples(st.sampled_from(IDS), st.integers(0, 4)), st.integers(0, 400), max_size=15)
VERSIONS = st.builds(
    Version, st.sampled_from(IDS), st.integers(0, 4), st.sampled_from([False, False, False, True])
)
TELLS = st.builds(
    Told,
    st.integers(0, 250),
    st.lists(VERSIONS, max_size=3).map(tuple),
    st.sampled_from([False, False, True]),
)
DAYS = st.lists(TELLS, min_size=1, max_size=8)


def heard(state: State, events: Iterable[Event], now: int, *, is_full: bool = False) -> State:
    return receive(state, Snapshot(events=tuple(events), is_full=is_full), now, PORTS).state


def lived(day: list[Told], seeds: dict[tuple[str, int], int]) -> tuple[State, int]:
    """The state after a day, and when that is."""
    state, now = State(), 0
    for told in day:
        now += told.after_s
        state = heard(state, (one.of(seeds) for one in told.versions), now, is_full=told.is_full)
    return state, now


def known(state: State, eventIDs: Iterable[str]) -> dict[str, object]:
    return {one: replace(state.records[one], requestID="") for one in eventIDs}


@settings(max_examples=inputs(50), deadline=None)
@given(messages=st.lists(TELLS, max_size=6), seeds=SEEDS, data=st.data())
def test_any_order_of_messages_with_the_same_last_list_ends_the_same(
    messages: list[Told], seeds: dict[tuple[str, int], int], data: st.DataObject
) -> None:
    last = [
        event_of(one, 9, seeds.get((one, 0), 1), False) for one in data.draw(st.sets(st.sampled_from(IDS)))
    ]
    other = data.draw(st.permutations(messages))
    ends = []
    for order in (messages, other):
        before, _ = lived([replace(told, after_s=0) for told in order], seeds)
        ends.append(heard(before, last, 0, is_full=True))

    names = [event.eventID for event in last]
    assert known(ends[0], names) == known(ends[1], names)
    assert plans_of(ends[0], 0) == plans_of(ends[1], 0)


def published(state: State, one: Dispatch) -> list[Decimal]:
    """Values that the event's intervals have at the start of a dispatch, worked out here on its own."""
    record = state.records[one.eventID]
    at = record.start
    found: list[Decimal] = []
    for interval in record.event.signals[0].intervals:
        end = None if interval.duration_s is None else at + interval.duration_s
        if at <= one.start and (end is None or one.start < end):
            found.extend(v for v in interval.values if isinstance(v, Decimal))
        at = end if end is not None else 2**40
    return found


@settings(max_examples=inputs(50), deadline=None)
@given(day=DAYS, seeds=SEEDS, wait_s=st.integers(0, 900))
def test_nothing_is_dispatched_outside_of_its_randomised_window(
    day: list[Told], seeds: dict[tuple[str, int], int], wait_s: int
) -> None:
    state, now = lived(day, seeds)
    now += wait_s
    state = advance(state, now).state
    plans = plans_of(state, now)
    for plan in plans:
        window = plan.event.randomization
        for one in plan.dispatches:
            assert -window.early_s <= one.offset_s <= window.late_s
            assert plan.start - window.early_s <= one.own_start
            assert plan.end is None or (one.own_end is not None and one.own_end <= plan.end + window.late_s)
            assert list(one.values) == published(state, one)
            assert plan.stop_at is None or (one.own_end is not None and one.own_end <= plan.stop_at)
    for one in in_force(plans, now):
        record = state.records[one.eventID]
        assert not record.event.is_test
        assert record.refusal is None
        cancellation = record.cancellation
        widest = max(record.event.randomization.early_s, record.event.randomization.late_s)
        assert cancellation is None or now < cancellation.at + widest


@settings(max_examples=inputs(50), deadline=None)
@given(day=DAYS, seeds=SEEDS, version=VERSIONS, other=st.integers(0, 400))
def test_lower_number_never_changes_anything(
    day: list[Told], seeds: dict[tuple[str, int], int], version: Version, other: int
) -> None:
    state, now = lived(day, seeds)
    held = state.records.get(version.eventID)
    if held is None or version.modification >= held.event.modification:
        return
    told = event_of(version.eventID, version.modification, other, version.is_cancelled)

    step = receive(state, Snapshot(events=(told,), is_full=False), now, PORTS)

    assert (step.state, step.changes) == (state, ())
    assert [int(one.code) for one in step.answers] == ([] if told.profile is Profile.V310 else [450])


@settings(max_examples=inputs(50), deadline=None)
@given(day=DAYS, more=DAYS, seeds=SEEDS, victim=st.sampled_from(IDS))
def test_cancelled_event_never_comes_back_without_a_higher_number(
    day: list[Told], more: list[Told], seeds: dict[tuple[str, int], int], victim: str
) -> None:
    state, now = lived(day, seeds)
    number = max(4, state.records[victim].event.modification if victim in state.records else 0)
    state = heard(state, [event_of(victim, number, 0, True)], now)
    stopped_by = now + 60

    for told in more:
        now += told.after_s
        state = heard(state, (one.of(seeds) for one in told.versions), now, is_full=told.is_full)
        plan = next((one for one in plans_of(state, now) if one.event.eventID == victim), None)
        assert plan is None or (plan.stop_at is not None and plan.stop_at <= stopped_by)
        assert now < stopped_by or plan is None


@settings(max_examples=inputs(50), deadline=None)
@given(day=DAYS, seeds=SEEDS, window=st.integers(0, 1000))
def test_state_survives_a_kill_at_any_time(
    day: list[Told], seeds: dict[tuple[str, int], int], window: int
) -> None:
    state, now = lived(day, seeds)
    made = CreateOpt(
        optID="o",
        optType=OptType.OUT,
        reason=OptReason.SCHEDULE,
        resources=("r2",),
        windows=(Window(start=window, duration_s=100),),
    )
    state = add_schedule(state, made, now).state

    assert from_json(to_json(state)) == state


@settings(max_examples=inputs(50), deadline=None)
@given(day=DAYS, seeds=SEEDS)
def test_nothing_changes_before_it_was_said_to(day: list[Told], seeds: dict[tuple[str, int], int]) -> None:
    state, now = lived(day, seeds)
    for _ in range(12):
        step = advance(state, now)
        held = in_force(plans_of(step.state, now), now)
        until = now + 2_000 if step.next_at is None else step.next_at
        for moment in {(now + until) // 2, until - 1} - {now}:
            later = advance(step.state, moment)
            assert later.changes == ()
            assert later.state == step.state
            assert in_force(plans_of(later.state, moment), moment) == held
            assert later.next_at == step.next_at
        state, now = step.state, until


@settings(max_examples=inputs(50), deadline=None)
@given(day=DAYS, seeds=SEEDS)
def test_second_look_at_the_same_second_changes_nothing(
    day: list[Told], seeds: dict[tuple[str, int], int]
) -> None:
    state, now = lived(day, seeds)

    step = advance(state, now)

    assert (step.state, step.changes) == (state, ())
