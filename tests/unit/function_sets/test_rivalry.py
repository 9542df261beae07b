"""Which events keep others back, among many: as if all were compared, and few are."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from function_sets import Draw, Phase, Program, Rules, rivalry
from function_sets.precedence import advance
from function_sets.records import EventRecord
from function_sets.rivalry import by_rank, claims_of, keeps_back
from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus
from tests.inputs import inputs

NOW = 1_700_000_000
MODES = ("opModMaxLimW", "opModFixedW", "opModConnect")


def control(number: int, start: int, duration: int) -> DERControl:
    return DERControl(
        href=f"/derp/1/derc/{number}",
        mRID=f"{number:032X}",
        creationTime=NOW - 10 + number % 3,
        EventStatus_=EventStatus(currentStatus=0, dateTime=NOW, potentiallySuperseded=False),
        interval=DateTimeInterval(start=NOW + start, duration=duration),
        DERControlBase_=DERControlBase(opModConnect=True),
    )


def record(number: int, start: int, duration: int, program: int, modes: Iterable[str]) -> EventRecord:
    held = control(number, start, duration)
    return EventRecord(
        control=held,
        program_href=f"/derp/{program}",
        primacy=program % 2,
        phase=Phase.RECEIVED,
        start=held.interval.start,
        end=held.interval.start + duration,
        draw=Draw(),
        modes=frozenset(modes),
    )


RECORDS = st.lists(
    st.builds(
        record,
        number=st.integers(1, 40),
        start=st.integers(-20, 20),
        duration=st.sampled_from([0, 1, 5, 10, 60]),
        program=st.integers(1, 3),
        modes=st.sets(st.sampled_from(MODES)),
    ),
    max_size=12,
    unique_by=lambda one: one.mRID,
)


def all_compared(live: Iterable[EventRecord]) -> dict[str, frozenset[str]]:
    claims: dict[str, frozenset[str]] = {}
    ranked = list(live)
    for at, one in enumerate(ranked):
        better = [other for other in ranked[:at] if keeps_back(other, one)]
        kept_back = frozenset[str]().union(*(claims[other.mRID] for other in better))
        claims[one.mRID] = one.modes - kept_back - one.superseded_modes
    return claims


@settings(max_examples=inputs(300), deadline=None)
@given(records=RECORDS)
def test_each_claims_what_it_would_if_all_were_compared(records: list[EventRecord]) -> None:
    live = by_rank(records)
    assert claims_of(live) == all_compared(live)


def test_events_of_a_day_are_compared_with_those_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[str] = []

    def counted(better: EventRecord, one: EventRecord) -> bool:
        compared.append(one.mRID)
        return keeps_back(better, one)

    monkeypatch.setattr(rivalry, "keeps_back", counted)
    live = by_rank(record(number, 300 * number, 300, 1, MODES) for number in range(288))
    assert all(claims_of(live).values())
    assert len(compared) <= 288 * len(MODES) * 2


def test_many_that_pass_at_once_pass_in_their_order() -> None:
    """An absence of a day: each begins, ends, and is answered for, at its own second."""
    controls = tuple(control(number, 300 * number, 300) for number in range(1, 289))
    program = Program(href="/derp/1", mRID="AA", primacy=1, controls=controls)
    received = advance([program], {}, NOW, rules=Rules(), draw=lambda _: Draw())
    passed = advance([program], received.records, NOW + 300 * 290, rules=Rules(), draw=lambda _: Draw())
    assert {one.phase for one in passed.records.values()} == {Phase.COMPLETED}
