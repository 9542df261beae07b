"""The client's memory on disk."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
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
    made = Spool(tmp_path / "spool.sqlite", most_waiting=3)
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


def test_log_events_do_not_fill_the_disk_while_the_server_is_away(spool: Spool) -> None:
    for number in range(5):
        spool.owe(owed(Lane.LOG_EVENT, "", str(number), b""))

    assert taken(spool, Lane.LOG_EVENT) == ["2", "3", "4"]
    assert spool.dropped_readings == 0


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


def test_each_commit_is_on_the_disk_before_it_is_done(spool: Spool) -> None:
    """A power cut takes what only the system's cache holds: a SIGKILL does not show that."""
    found = [list(spool._file.read(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]

    assert found == [[("wal",)], [(2,)]]


def test_each_end_device_has_its_own_part_of_the_file(spool: Spool) -> None:
    one, other = spool.of("AA"), spool.of("BB")
    one.commit({"A1": record("A1", Phase.STARTED)})
    other.commit({"A2": record("A2", Phase.RECEIVED)})
    one.remember("clock", "1")

    assert list(one.records()) == ["A1"]
    assert list(other.records()) == ["A2"]
    assert (one.recall("clock"), other.recall("clock"), spool.recall("clock")) == ("1", None, None)
    assert (one.numbers("id", 2), other.numbers("id", 1), one.numbers("id", 1)) == (0, 0, 2)


def test_what_several_end_devices_owe_is_one_queue_that_passes_over_some(spool: Spool) -> None:
    spool.of("AA").owe(owed(Lane.RESPONSE, "/r", "first", b"x"))
    spool.of("BB").owe(owed(Lane.RESPONSE, "/r", "second", b"x"))

    first, second = spool.next(Lane.RESPONSE), spool.next(Lane.RESPONSE, besides={"AA"})

    assert first is not None
    assert second is not None
    assert (first.subject, first.owner) == ("first", "AA")
    assert (second.subject, second.owner) == ("second", "BB")
    assert spool.next(Lane.RESPONSE, besides={"AA", "BB"}) is None


def test_the_readings_of_one_end_device_do_not_push_out_those_of_another(spool: Spool) -> None:
    spool.of("AA").owe(owed(Lane.READING, "", "kept", b"x"))
    part = spool.of("BB")
    part.owe(*(owed(Lane.READING, "", str(n), b"x") for n in range(4)))

    assert part.dropped_readings == 1
    assert taken(spool, Lane.READING) == ["kept", "1", "2", "3"]


def test_a_file_of_a_former_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "CREATE TABLE event (mrid TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, lane TEXT NOT NULL,"
            "href TEXT NOT NULL,"
            "subject TEXT NOT NULL, body BLOB NOT NULL, sending INTEGER NOT NULL DEFAULT 0);"
            "INSERT INTO outbox (lane, href, subject, body) VALUES ('response', '/r', 'before', x'00');"
        )
        body = json.dumps(record("A1", Phase.STARTED).to_dict())
        old.execute("INSERT INTO event VALUES ('A1', ?)", (body,))
        old.commit()
    with closing(Spool(path)) as spool:
        assert spool.records() == {"A1": record("A1", Phase.STARTED)}
        assert taken(spool, Lane.RESPONSE) == ["before"]
