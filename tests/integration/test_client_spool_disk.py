"""The client's memory on disk while the disk is full, away or torn."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from der_client import spool_file
from der_client.spool import Lane, Spool, owed
from der_client.spool_file import RETRY_S, SpoolFile

BODY = b"x" * 2_000


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock by which spools try their disk again."""
    made = Clock()

    def timed(path: Path | str) -> SpoolFile:
        return SpoolFile(path, local_s=made)

    monkeypatch.setattr("der_client.spool.SpoolFile", timed)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


def owe(spool: Spool, *subjects: str) -> None:
    for subject in subjects:
        spool.owe(owed(Lane.RESPONSE, "/r", subject, BODY))


def waiting(spool: Spool) -> list[str]:
    """What waits, oldest first; empties it."""
    found: list[str] = []
    while (one := spool.next(Lane.RESPONSE)) is not None:
        found.append(one.subject)
        spool.done(one)
    return found


def fill_disk(spool: Spool) -> None:
    """Let the file grow no more: SQLite says that the disk is full."""
    spool._file._db.execute("PRAGMA max_page_count = 1")


def names(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_a_full_disk_loses_nothing_and_is_told_once(
    clock: Clock, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(path)
    owe(spool, *names(5))
    fill_disk(spool)
    owe(spool, *map(str, range(5, 40)))

    assert spool.failing == "database or disk is full"
    assert waiting(spool) == names(40)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    spool.close()


def test_what_was_kept_in_memory_reaches_the_disk_when_that_works_again(clock: Clock, path: Path) -> None:
    spool = Spool(path)
    owe(spool, *names(5))
    fill_disk(spool)
    owe(spool, *map(str, range(5, 40)))
    first = spool.next(Lane.RESPONSE)
    assert first is not None
    spool.done(first)
    clock.now_s = RETRY_S
    owe(spool, "40")
    assert spool.failing is None
    spool._file._db.close()

    assert waiting(Spool(path)) == names(41)[1:]


def test_numbers_are_given_once_even_over_a_failure(clock: Clock, path: Path) -> None:
    spool = Spool(path)
    given = [spool.numbers("id", 2)]
    fill_disk(spool)
    owe(spool, *names(40))
    given.append(spool.numbers("id", 1))
    clock.now_s = RETRY_S
    given.append(spool.numbers("id", 1))
    spool.close()

    assert given == [0, 2, 3]
    assert Spool(path).numbers("id", 1) == 4


def test_a_spool_without_a_disk_works_in_memory_until_there_is_one(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "away" / "spool.sqlite"
    spool = Spool(path)
    owe(spool, "a")
    spool.remember("clock", "1.5")
    failing = spool.failing
    path.parent.mkdir()
    clock.now_s = RETRY_S
    owe(spool, "b")
    is_back = spool.failing is None
    spool._file._db.close()
    again = Spool(path)

    assert (failing, is_back) == ("unable to open database file", True)
    assert again.recall("clock") == "1.5"
    assert waiting(again) == ["a", "b"]


def test_closing_is_a_last_chance_to_reach_the_disk(clock: Clock, path: Path) -> None:
    spool = Spool(path)
    fill_disk(spool)
    owe(spool, *names(40))
    spool.close()

    assert waiting(Spool(path)) == names(40)


def test_memory_is_bounded(clock: Clock, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "away" / "spool.sqlite")
    spool.owe(*(owed(Lane.RESPONSE, "/r", str(number), b"x") for number in range(10_010)))
    first = spool.next(Lane.RESPONSE)

    assert spool.count(Lane.RESPONSE) == 10_000
    assert first is not None
    assert first.subject == "10"


def torn(path: Path, tear: Callable[[bytearray], None]) -> None:
    spool = Spool(path)
    owe(spool, *names(200))
    spool.remember("clock", "1.5")
    spool.close()
    content = bytearray(path.read_bytes())
    tear(content)
    path.write_bytes(bytes(content))


def scribbled(content: bytearray) -> None:
    """Write nonsense over the last pages but a few."""
    content[-12 * 4096 : -2 * 4096] = b"\xa5" * (10 * 4096)


def cut(content: bytearray) -> None:
    del content[len(content) // 2 :]


def test_of_a_torn_file_what_can_be_read_is_taken_over(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    torn(path, scribbled)
    spool = Spool(path)
    kept = waiting(spool)

    assert 0 < len(kept) < 200
    assert kept == names(len(kept))
    assert len(list(path.parent.glob("*.torn-*"))) == 1
    assert "was torn" in caplog.text
    owe(spool, "new")
    assert waiting(spool) == ["new"]
    spool.close()


@pytest.mark.parametrize("tear", [cut, lambda content: content.__setitem__(slice(0, 100), b"?" * 100)])
def test_a_file_that_is_no_database_any_more_is_set_aside(
    path: Path, tear: Callable[[bytearray], None]
) -> None:
    torn(path, tear)
    spool = Spool(path)
    owe(spool, "new")

    assert spool.failing is None
    assert waiting(spool)[-1] == "new"
    assert len(list(path.parent.glob("*.torn-*"))) == 1
    spool.close()


def test_a_file_that_is_torn_while_it_is_open_is_left_for_memory(clock: Clock, path: Path) -> None:
    spool = Spool(path)
    owe(spool, *names(200))
    spool._file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool._file._db.execute("PRAGMA cache_size = 0")
    content = bytearray(path.read_bytes())
    scribbled(content)
    path.write_bytes(bytes(content))
    spool._file._db.execute("PRAGMA shrink_memory")
    kept = waiting(spool)
    owe(spool, "new")
    clock.now_s = RETRY_S
    owe(spool, "newer")
    assert spool.failing is None
    spool.close()

    assert kept == names(len(kept))
    assert waiting(Spool(path)) == ["new", "newer"]


def test_what_is_wrong_with_a_question_is_no_fault_of_the_disk(path: Path) -> None:
    file = SpoolFile(path)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        file.read("SELECT * FROM nowhere")
    file.close()


def test_a_record_that_cannot_be_read_is_left_out(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = Spool(path)
    spool._file.write(lambda db: db.execute("INSERT INTO event VALUES ('', 'AB', '{}')"))

    assert spool.records() == {}
    assert "event AB cannot be read" in caplog.text
    spool.close()


def test_the_number_of_bodies_in_memory_is_far_from_those_of_a_file() -> None:
    assert spool_file.FIRST_IN_MEMORY > 10**9
