"""Phases of one event, the Responses they owe, and how an event is taken up. IEEE 2030.5-2018, 10.2.3."""

import json
from pathlib import Path

import pytest

from function_sets.events import Draw
from function_sets.lifecycle import BITS, TRANSITIONS, Happening, admitted, due_of, interval_of
from function_sets.phases import ACTING, READY, RUNNING, TERMINAL, UNSTARTED, Phase, ResponseStatus
from function_sets.records import Due, EventRecord, Program
from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus

PROGRAM = Program(href="/derp/1", mRID="01", primacy=1)
LIMIT = DERControlBase(opModMaxLimW=5000)


def control(
    start: int = 100,
    duration: int = 60,
    *,
    base: DERControlBase = LIMIT,
    required: str | None = "07",
    reply_to: str | None = "/rsp",
    random: tuple[int, int] = (0, 0),
) -> DERControl:
    return DERControl(
        replyTo=reply_to,
        responseRequired=required,
        mRID="0A",
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=duration, start=start),
        randomizeStart=random[0],
        randomizeDuration=random[1],
        DERControlBase_=base,
    )


def take_up(
    one: DERControl, now: int, *, supported: frozenset[str] | None = None
) -> tuple[EventRecord, ResponseStatus]:
    return admitted(one, PROGRAM, now, draw=lambda _: Draw(), supported=supported)


def test_table_leaves_no_terminal_phase() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(Phase) - TERMINAL


@pytest.mark.parametrize("phase", sorted(set(Phase) - TERMINAL))
@pytest.mark.parametrize("happening", [Happening.CANCEL, Happening.SUPERSEDE])
def test_every_live_event_can_be_cancelled_and_superseded(phase: Phase, happening: Happening) -> None:
    expected = {Happening.CANCEL: (Phase.CANCELLED, 6), Happening.SUPERSEDE: (Phase.SUPERSEDED, 7)}
    assert TRANSITIONS[phase, happening] == expected[happening]


def test_phases_fall_into_three_kinds() -> None:
    assert set(Phase) == UNSTARTED | RUNNING | TERMINAL
    assert (READY < UNSTARTED, ACTING < RUNNING) == (True, True)
    assert {phase.value for phase in TERMINAL} == {
        "completed",
        "cancelled",
        "superseded",
        "opted out",
        "rejected",
        "not held",
    }


def test_bits_are_those_of_the_code_table(vectors: Path) -> None:
    table = json.loads((vectors / "response_codes.json").read_text())["codes"]
    assert {int(code): bit for code, bit in BITS.items()} == {
        int(code): 1 << table[str(int(code))]["bit"] for code in ResponseStatus
    }


@pytest.mark.parametrize(
    ("required", "codes"),
    [
        ("00", []),
        (None, []),
        ("01", [1, 252, 253, 254]),
        ("02", [2, 3, 6, 7, 14]),
        ("04", [4, 5, 8, 9, 10]),
        ("07", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 252, 253, 254]),
    ],
)
def test_response_required_gates_the_codes(required: str | None, codes: list[int]) -> None:
    record, _ = take_up(control(required=required), 0)
    assert [due.status for code in ResponseStatus for due in due_of(record, code, 5)] == codes


def test_response_goes_to_reply_to() -> None:
    record, _ = take_up(control(), 0)
    assert due_of(record, 2, 5) == (Due(mRID="0A", reply_to="/rsp", status=2, at=5),)


def test_nothing_is_owed_without_reply_to() -> None:
    record, _ = take_up(control(reply_to=None), 0)
    assert due_of(record, 1, 0) == ()


@pytest.mark.parametrize(
    ("one", "now", "code"),
    [
        pytest.param(control(), 159, 1, id="last second"),
        pytest.param(control(), 160, 254, id="after the specified end"),
        pytest.param(control(random=(0, 30)), 160, 254, id="random part of the duration does not help"),
        pytest.param(control(duration=0), 0, 253, id="no time at all"),
        pytest.param(control(base=DERControlBase(rampTms=5)), 0, 253, id="no mode at all"),
        pytest.param(control(base=DERControlBase(opModFixedW=1)), 0, 252, id="no mode of the DER"),
    ],
)
def test_receipt_owes_one_code(one: DERControl, now: int, code: int) -> None:
    record, found = take_up(one, now, supported=frozenset({"opModMaxLimW"}))
    assert found == code
    assert (record.phase is Phase.REJECTED) == (code != 1)


def test_event_keeps_the_modes_that_the_der_has() -> None:
    both = DERControlBase(opModMaxLimW=1, opModFixedW=2)
    record, _ = take_up(control(base=both), 0, supported=frozenset({"opModFixedW"}))
    assert record.modes == {"opModFixedW"}


@pytest.mark.parametrize(
    ("now", "draw", "expected"),
    [
        pytest.param(0, Draw(), (100, 160), id="in time"),
        pytest.param(0, Draw(start_s=20, duration_s=5), (120, 185), id="in time, randomized"),
        pytest.param(95, Draw(start_s=-20), (95, 140), id="between effective and specified start"),
        pytest.param(95, Draw(start_s=-50, duration_s=-50), (95, 95), id="over before it was known"),
        pytest.param(110, Draw(), (110, 160), id="late"),
        pytest.param(110, Draw(start_s=20), (130, 160), id="late, start later"),
        pytest.param(110, Draw(start_s=-20), (130, 160), id="late, size of the random part counts"),
        pytest.param(150, Draw(start_s=20), (150, 160), id="late, no time for the random part"),
        pytest.param(110, Draw(duration_s=9), (110, 169), id="late, longer"),
        pytest.param(110, Draw(duration_s=-9), (110, 151), id="late, shorter"),
        pytest.param(155, Draw(duration_s=-9), (155, 160), id="late, the shorter end has passed"),
    ],
)
def test_interval_at_the_client(now: int, draw: Draw, expected: tuple[int, int]) -> None:
    when = interval_of(control(), draw, now)
    assert (when.start, when.end) == expected
