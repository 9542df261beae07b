"""An event that was cancelled by the second of its start does not start. IEEE 2030.5-2018, 10.2.3."""

import pytest

from function_sets import Draw, EventRecord, Phase, Program, Rules, advance
from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus

START, END = 100, 200
LIMIT = DERControlBase(opModMaxLimW=5000)


def control(mrid: str, state: int, since: int) -> DERControl:
    return DERControl(
        replyTo="/rsp",
        responseRequired="03",
        mRID=mrid,
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=state, dateTime=since, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=END - START, start=START),
        DERControlBase_=LIMIT,
    )


def program(*controls: DERControl, primacy: int = 5) -> Program:
    return Program(href=f"/derp/{primacy}", mRID=f"{primacy:02X}", primacy=primacy, controls=controls)


def codes_at(now: int, records: dict[str, EventRecord], *programs: Program) -> list[tuple[str, int, int]]:
    """Codes owed at one step, which also writes `records` anew."""
    outcome = advance(programs, records, now, rules=Rules(), draw=lambda _: Draw())
    records.clear()
    records.update(outcome.records)
    return [(due.mRID, due.status, due.at) for due in outcome.due]


@pytest.mark.parametrize("state", [2, 3])
@pytest.mark.parametrize("now", [START - 1, START, START + 30])
def test_event_known_as_cancelled_when_it_would_start_is_never_started(state: int, now: int) -> None:
    records: dict[str, EventRecord] = {}
    codes_at(0, records, program(control("A1", 0, 0)))

    owed = codes_at(now, records, program(control("A1", state, START - 1)))

    assert owed == [("A1", 6, now)]
    assert records["A1"].phase is Phase.CANCELLED


def test_event_that_a_cancelled_one_kept_back_starts_in_its_place() -> None:
    records: dict[str, EventRecord] = {}
    loser = program(control("A1", 0, 0), primacy=9)
    codes_at(0, records, loser, program(control("B1", 0, 0), primacy=1))

    owed = codes_at(START, records, loser, program(control("B1", 2, START), primacy=1))

    assert owed == [("B1", 6, START), ("A1", 2, START)]


def test_event_that_ran_to_its_end_is_completed_whatever_the_server_says_then() -> None:
    records: dict[str, EventRecord] = {}
    codes_at(START, records, program(control("A1", 1, START)))

    assert codes_at(END, records, program(control("A1", 2, END))) == [("A1", 3, END)]
