"""What newer events do to older ones is found in one pass as it is for each by itself. 10.2.3."""

from hypothesis import given, settings
from hypothesis import strategies as st

from function_sets import Pressure, is_newer, is_newer_or_lower, pressure_on, pressures, standing_of
from schemas import DateTimeInterval, DERControl, DERControlBase, Event, EventStatus
from tests.crowded_events import NOW, TIMES, controls, messages
from tests.inputs import inputs

EVENTS: st.SearchStrategy[list[Event]] = st.lists(
    st.one_of(controls(), controls(), controls(), messages()), max_size=20
)


def made_at(created: int, *, start: int = NOW - 10, randomize_start: int | None = None) -> DERControl:
    return DERControl(
        mRID="0A",
        creationTime=created,
        EventStatus_=EventStatus(currentStatus=0, dateTime=NOW, potentiallySuperseded=False),
        interval=DateTimeInterval(start=start, duration=40),
        randomizeStart=randomize_start,
        DERControlBase_=DERControlBase(opModMaxLimW=5000),
    )


@settings(max_examples=inputs(300))
@given(EVENTS, TIMES, st.booleans())
def test_one_pass_finds_what_is_found_for_each_by_itself(events: list[Event], now: int, higher: bool) -> None:
    wins = is_newer if higher else is_newer_or_lower
    standings = {number: standing_of(event, is_higher=higher) for number, event in enumerate(events)}
    alone = {
        number: pressure_on(event, [*events[:number], *events[number + 1 :]], now, wins)
        for number, event in enumerate(events)
    }
    assert pressures(standings, standings.keys(), now) == alone


@given(EVENTS)
def test_only_what_is_wanted_is_told(events: list[Event]) -> None:
    standings = {number: standing_of(event, is_higher=True) for number, event in enumerate(events)}
    wanted = set(list(standings)[::2])
    found = pressures(standings, standings.keys(), NOW)
    assert pressures(standings, wanted, NOW) == {number: found[number] for number in wanted}


def test_of_several_alike_the_first_to_take_over_counts_and_the_first_that_still_will() -> None:
    events = [made_at(NOW - 2), made_at(NOW - 1), made_at(NOW + 2)]
    standings = {number: standing_of(event, is_higher=True) for number, event in enumerate(events)}
    assert pressures(standings, standings.keys(), NOW) == {
        0: Pressure(None, NOW - 1, NOW + 2),
        1: Pressure(None, NOW + 2, NOW + 2),
        2: Pressure(),
    }


def test_of_several_alike_one_may_take_over_sooner_by_its_random_part() -> None:
    """It is the newest, and looked at first."""
    made = [(NOW - 5, None), (NOW - 4, None), (NOW - 3, -10)]
    events = [made_at(created, start=NOW + 20, randomize_start=random) for created, random in made]
    events[0].interval.start = NOW
    standings = {number: standing_of(event, is_higher=True) for number, event in enumerate(events)}
    assert pressures(standings, standings.keys(), NOW) == {
        0: Pressure(None, NOW + 10, NOW + 10),
        1: Pressure(None, NOW + 10, NOW + 10),
        2: Pressure(),
    }
