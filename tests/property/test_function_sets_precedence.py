"""Laws of precedence: one source per mode, no Response twice, any step size. IEEE 2030.5-2018, 10.2.3."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from function_sets.events import Draw, draw_for
from function_sets.phases import ACTING
from function_sets.precedence import (
    TERMINAL,
    Due,
    EventRecord,
    ModeSource,
    Program,
    Rules,
    advance,
)
from schemas import DateTimeInterval, DefaultDERControl, DERControl, DERControlBase, EventStatus
from tests.inputs import inputs

SECONDS = 90
"""All events of the laws are over by then, random parts included."""
MODES = ("opModConnect", "opModFixedW", "opModMaxLimW")
ENDS = {(1, 2, 3), (1, 2, 6), (1, 2, 7), (1, 6), (1, 7), (1, 14), (254,)}
"""All Responses that an event may have got when it is over, as long as the user takes part."""


@dataclass(frozen=True)
class Told:
    """One event and what the server says of it: since when, a change of its status, and until when."""

    control: DERControl
    program: int
    seen_at: int
    status: int
    status_at: int
    gone_at: int

    def at(self, now: int) -> DERControl | None:
        if not self.seen_at <= now < self.gone_at:
            return None
        if now < self.status_at:
            return self.control
        given = EventStatus(currentStatus=self.status, dateTime=self.status_at, potentiallySuperseded=False)
        return replace(self.control, EventStatus_=given)


@dataclass
class Story:
    """All that a client did."""

    records: Mapping[str, EventRecord]
    dues: list[Due]
    modes: dict[int, Mapping[str, ModeSource]]


def base_of(modes: Iterable[str]) -> DERControlBase:
    wanted = set(modes)
    return DERControlBase(
        opModFixedW=5000 if "opModFixedW" in wanted else None,
        opModMaxLimW=6000 if "opModMaxLimW" in wanted else None,
        opModConnect=True if "opModConnect" in wanted else None,
    )


@st.composite
def told(draw: st.DrawFn, number: int) -> Told:
    start = draw(st.integers(5, 40))
    modes = draw(st.sets(st.sampled_from(MODES), min_size=1))
    control = DERControl(
        replyTo="/rsp",
        responseRequired="07",
        mRID=f"{number:02X}",
        creationTime=draw(st.integers(0, 3)),
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=draw(st.integers(1, 20)), start=start),
        randomizeStart=draw(st.none() | st.integers(-8, 8)),
        randomizeDuration=draw(st.none() | st.integers(-8, 8)),
        DERControlBase_=base_of(modes),
    )
    return Told(
        control=control,
        program=draw(st.integers(0, 2)),
        seen_at=draw(st.integers(0, 45)),
        status=draw(st.sampled_from([0, 1, 2, 3, 4])),
        status_at=draw(st.integers(0, SECONDS)),
        gone_at=draw(st.sampled_from([SECONDS + 1, 30, 50])),
    )


@st.composite
def scripts(draw: st.DrawFn) -> list[Told]:
    return [draw(told(number)) for number in range(1, 1 + draw(st.integers(1, 6)))]


def programs_at(script: Iterable[Told], now: int) -> tuple[Program, ...]:
    shown = [(one.program, one.at(now)) for one in script]
    default = DefaultDERControl(mRID="D0", DERControlBase_=base_of(MODES))
    return tuple(
        Program(
            href=f"/derp/{n}",
            mRID=f"{n:02X}",
            primacy=min(n, 1),
            default=default if n == 2 else None,
            controls=tuple(control for program, control in shown if control and program == n),
        )
        for n in range(3)
    )


def draw_of(control: DERControl) -> Draw:
    """A draw that depends on the event alone."""
    return draw_for(control, lambda: (int(control.mRID, 16) * 37 % 100) / 100)


def tell(script: list[Told], steps: Iterable[int], rules: Rules) -> Story:
    story = Story(records={}, dues=[], modes={})
    for now in steps:
        outcome = advance(programs_at(script, now), story.records, now, rules=rules, draw=draw_of)
        story.records, story.modes[now] = outcome.records, outcome.modes
        story.dues += outcome.due
    return story


def changes_of(script: Iterable[Told]) -> set[int]:
    return {at for one in script for at in (one.seen_at, one.status_at, one.gone_at) if at <= SECONDS}


def codes(dues: Iterable[Due]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for due in dues:
        found[due.mRID] = (*found.get(due.mRID, ()), due.status)
    return found


RULES = st.sampled_from([Rules(), Rules.of_aggregator()])


@given(script=scripts(), rules=RULES)
@settings(max_examples=inputs(150), deadline=None)
def test_each_mode_has_exactly_one_source_at_any_time(script: list[Told], rules: Rules) -> None:
    records: Mapping[str, EventRecord] = {}
    for now in range(SECONDS + 1):
        outcome = advance(programs_at(script, now), records, now, rules=rules, draw=draw_of)
        records = outcome.records
        acting = [record for record in records.values() if record.phase in ACTING]
        holders = Counter(mode for record in acting for mode in record.active_modes)
        assert set(holders.values()) <= {1}
        by_event = {mode for mode, source in outcome.modes.items() if source.mRID is not None}
        assert (set(outcome.modes), by_event) == (set(MODES), set(holders))


@given(script=scripts(), rules=RULES)
@settings(max_examples=inputs(150), deadline=None)
def test_every_event_gets_its_responses_once_and_ends_once(script: list[Told], rules: Rules) -> None:
    story = tell(script, range(SECONDS + 1), rules)
    assert all(record.phase in TERMINAL for record in story.records.values())
    assert set(codes(story.dues).values()) <= ENDS
    assert set(codes(story.dues)) == set(story.records)


@given(script=scripts(), rules=RULES, extra=st.sets(st.integers(0, SECONDS)))
@settings(max_examples=inputs(200), deadline=None)
def test_step_size_does_not_change_the_result(script: list[Told], rules: Rules, extra: set[int]) -> None:
    steps = sorted(changes_of(script) | extra | {SECONDS})
    fine, coarse = tell(script, range(SECONDS + 1), rules), tell(script, steps, rules)
    assert coarse.records == fine.records
    assert coarse.dues == fine.dues
    assert coarse.modes == {now: fine.modes[now] for now in steps}


@given(script=scripts(), rules=RULES)
@settings(max_examples=inputs(100), deadline=None)
def test_nothing_changes_before_the_time_that_is_told(script: list[Told], rules: Rules) -> None:
    changes = changes_of(script)
    records: Mapping[str, EventRecord] = {}
    next_at: int | None = 0
    for now in range(SECONDS + 1):
        outcome = advance(programs_at(script, now), records, now, rules=rules, draw=draw_of)
        if now not in changes and now != next_at:
            assert (outcome.due, outcome.records) == ((), records)
        records, next_at = outcome.records, outcome.next_at


@given(script=scripts(), rules=RULES, now=st.integers(0, SECONDS))
@settings(max_examples=inputs(100), deadline=None)
def test_second_call_owes_nothing_and_changes_nothing(script: list[Told], rules: Rules, now: int) -> None:
    first = tell(script, range(now + 1), rules)
    again = advance(programs_at(script, now), first.records, now, rules=rules, draw=draw_of)
    assert (again.due, again.records, again.modes) == ((), first.records, first.modes[now])


@given(script=scripts(), now=st.integers(0, SECONDS))
@settings(max_examples=inputs(60), deadline=None)
def test_record_survives_its_table(script: list[Told], now: int) -> None:
    records = tell(script, range(now + 1), Rules()).records
    assert {mrid: EventRecord.from_dict(one.to_dict()) for mrid, one in records.items()} == records


@given(script=scripts(), rules=RULES)
@settings(max_examples=inputs(60), deadline=None)
def test_events_of_a_lost_program_end_with_it(script: list[Told], rules: Rules) -> None:
    story = tell(script, range(25), rules)
    lost = advance((), story.records, 25, rules=rules, draw=draw_of)
    assert all(record.phase in TERMINAL for record in lost.records.values())
    assert lost.modes == {}
