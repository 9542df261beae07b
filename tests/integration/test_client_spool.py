"""The client's memory on disk."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from der_client.spool import Lane, Owed, Spool, owed
from function_sets import Draw, EventRecord, Phase
from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus

WRITER = """
import sys
from pathlib import Path
from der_client.spool import Lane, Spool, owed
spool = Spool(Path(sys.argv[1]))
for number in range(100_000):
    spool.owe(owed(Lane.RESPONSE, "/r", str(number), b"x"))
    print(number, flush=True)
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.sqlite", most_readings=3)
    yield made
    made.close()


def record(mrid: str, phase: Phase) -> EventRecord:
    control = DERControl(
        mRID=mrid,
        creationTime=1,
        EventStatus_=EventStatus(currentStatus=0, dateTime=1, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=100),
        DERControlBase_=DERControlBase(opModMaxLimW=1),
    )
    return EventRecord(
        control=control,
        program_href="/p",
        primacy=1,
        phase=phase,
        start=107,
        end=163,
        draw=Draw(start_s=7, duration_s=-4),
        modes=frozenset({"opModMaxLimW"}),
    )


def taken(spool: Spool, lane: Lane) -> list[str]:
    """What a lane holds, oldest first; empties it."""
    found: list[str] = []
    while (one := spool.next(lane)) is not None:
        found.append(one.subject)
        spool.done(one)
    return found


def test_records_come_back_with_their_draws(spool: Spool) -> None:
    kept = {"AA": record("AA", Phase.STARTED), "AB": record("AB", Phase.RECEIVED)}
    spool.commit(kept)

    assert spool.records() == kept


def test_a_record_that_is_gone_is_forgotten(spool: Spool) -> None:
    spool.commit({"AA": record("AA", Phase.STARTED), "AB": record("AB", Phase.RECEIVED)})
    spool.commit({"AB": record("AB", Phase.STARTED)})

    assert spool.records() == {"AB": record("AB", Phase.STARTED)}


def test_records_and_what_they_owe_are_kept_at_once(spool: Spool) -> None:
    spool.commit({"AA": record("AA", Phase.STARTED)}, [owed(Lane.RESPONSE, "/r", "AA", b"two")])

    assert spool.next(Lane.RESPONSE) == Owed(
        seq=1, lane=Lane.RESPONSE, href="/r", subject="AA", body=b"two", was_sent=False
    )


def test_each_lane_keeps_its_own_order(spool: Spool) -> None:
    spool.owe(owed(Lane.RESPONSE, "/r", "1", b""), owed(Lane.LOG_EVENT, "", "a", b""))
    spool.owe(owed(Lane.RESPONSE, "/r", "2", b""))

    assert taken(spool, Lane.RESPONSE) == ["1", "2"]
    assert taken(spool, Lane.LOG_EVENT) == ["a"]


def test_the_oldest_readings_go_first_and_are_counted(spool: Spool) -> None:
    for number in range(5):
        spool.owe(owed(Lane.READING, "", str(number), b""))
    spool.owe(owed(Lane.RESPONSE, "/r", "1", b""))

    assert spool.count(Lane.READING) == 3
    assert taken(spool, Lane.READING) == ["2", "3", "4"]
    assert spool.count(Lane.RESPONSE) == 1
    assert spool.dropped_readings == 2


def test_a_body_that_was_on_its_way_is_marked(spool: Spool) -> None:
    spool.owe(owed(Lane.RESPONSE, "/r", "1", b""))
    one = spool.next(Lane.RESPONSE)
    assert one is not None
    spool.sending(one)

    again = spool.next(Lane.RESPONSE)
    assert again is not None
    assert again.was_sent


def test_texts_and_numbers_are_remembered(spool: Spool) -> None:
    spool.remember("clock", "1.5")
    spool.remember("clock", "2.5")

    assert spool.recall("clock") == "2.5"
    assert spool.recall("other") is None
    assert [spool.numbers("id", 2), spool.numbers("id", 1), spool.numbers("id", 1)] == [0, 2, 3]


def test_what_was_written_is_there_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(30)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().split() if line]
    spool = Spool(path)
    kept = [int(subject) for subject in taken(spool, Lane.RESPONSE)]
    spool.close()

    assert kept[: len(told)] == told
    assert len(kept) - len(told) <= 1
