"""What is kept of an event: its table for JSON, its rank, and when a cancellation takes effect."""

import json
from dataclasses import replace

import pytest

from function_sets.events import Draw
from function_sets.phases import Phase
from function_sets.records import EventRecord, Rules
from function_sets.rivalry import by_rank, claims_of
from schemas import ActivePower, DateTimeInterval, DERControl, DERControlBase, EventStatus, csip_aus

CONTROL = DERControl(
    replyTo="/rsp",
    responseRequired="03",
    mRID="0A",
    version=4,
    creationTime=5,
    EventStatus_=EventStatus(currentStatus=1, dateTime=100, potentiallySuperseded=False),
    interval=DateTimeInterval(duration=60, start=100),
    randomizeStart=30,
    randomizeDuration=-40,
    DERControlBase_=DERControlBase(opModMaxLimW=5000, rampTms=200),
)
RECORD = EventRecord(
    control=CONTROL,
    program_href="/derp/1",
    primacy=3,
    phase=Phase.STARTED,
    start=110,
    end=150,
    draw=Draw(start_s=10, duration_s=-20),
    modes=frozenset({"opModMaxLimW", "opModFixedW"}),
    begun_modes=frozenset({"opModMaxLimW", "opModFixedW"}),
    superseded_modes=frozenset({"opModFixedW"}),
)
POWER = ActivePower(multiplier=0, value=1500)


@pytest.mark.parametrize(
    "base",
    [
        CONTROL.DERControlBase_,
        csip_aus.DERControlBaseV12(opModExpLimW=POWER),
        csip_aus.DERControlBaseV13(opModStorageTargetW=POWER, opModImpLimW=POWER),
    ],
    ids=["base", "csip-aus-1.2", "csip-aus-1.3"],
)
def test_record_survives_json(base: DERControlBase) -> None:
    record = replace(RECORD, control=replace(CONTROL, DERControlBase_=base))
    assert EventRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_record_reads_the_event() -> None:
    record = RECORD
    assert (record.mRID, record.version, record.reply_to, record.response_required) == ("0A", 4, "/rsp", 3)
    assert (record.specified_start, record.specified_end) == (100, 160)
    assert record.active_modes == {"opModMaxLimW"}


def test_version_and_response_required_are_zero_where_absent() -> None:
    record = replace(RECORD, control=replace(CONTROL, version=None, responseRequired=None))
    assert (record.version, record.response_required) == (0, 0)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param((1, 0, "0A"), (2, 9, "0B"), id="primacy before age"),
        pytest.param((1, 6, "0A"), (1, 5, "0B"), id="newer"),
        pytest.param((1, 5, "0100"), (1, 5, "0B"), id="higher mRID as a number"),
    ],
)
def test_rank(better: tuple[int, int, str], worse: tuple[int, int, str]) -> None:
    ranks = [
        replace(RECORD, primacy=primacy, control=replace(CONTROL, creationTime=created, mRID=mrid)).rank
        for primacy, created, mrid in (better, worse)
    ]
    assert ranks[0] > ranks[1]


@pytest.mark.parametrize(
    ("status", "phase", "draw", "expected"),
    [
        pytest.param(1, Phase.STARTED, Draw(), None, id="active"),
        pytest.param(2, Phase.STARTED, Draw(start_s=30), 120, id="cancelled: at once"),
        pytest.param(3, Phase.RECEIVED, Draw(duration_s=-20), 120, id="randomized, not started: at once"),
        pytest.param(3, Phase.STARTED, Draw(start_s=10, duration_s=-20), 140, id="randomized: wider window"),
        pytest.param(3, Phase.STARTED, Draw(duration_s=-40), 150, id="randomized: not after the end"),
    ],
)
def test_cancellation_takes_effect(status: int, phase: Phase, draw: Draw, expected: int | None) -> None:
    given = EventStatus(currentStatus=status, dateTime=120, potentiallySuperseded=False)
    record = replace(RECORD, control=replace(CONTROL, EventStatus_=given), phase=phase, draw=draw)
    assert record.cancel_at == expected


def test_rules_of_an_aggregator_differ_before_the_start_only() -> None:
    rules = Rules.of_aggregator()
    assert (rules.other_program_before_start, rules.other_program_after_start) == (14, 7)
    assert (Rules().other_program_before_start, Rules().other_program_after_start) == (7, 7)


def test_an_event_keeps_nobody_back_from_a_mode_that_it_has_lost_for_good() -> None:
    other = replace(
        RECORD,
        control=replace(CONTROL, mRID="0B"),
        program_href="/derp/2",
        primacy=4,
        modes=frozenset({"opModMaxLimW", "opModFixedW"}),
        superseded_modes=frozenset(),
    )
    assert claims_of(by_rank([RECORD, other])) == {"0A": {"opModMaxLimW"}, "0B": {"opModFixedW"}}
