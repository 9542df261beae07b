"""What many EndDevices put on disk at the same time."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from der_client.spool import Lane, Spool, owed
from function_sets import EventRecord, Phase
from tests.integration.test_client_spool import record

OWNERS = tuple(f"{number:040X}" for number in range(100))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.sqlite")
    yield made
    made.close()


@pytest.fixture
def transactions(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each transaction of the spool from now on."""
    found: list[int] = []
    write = spool._file.write

    def counted(job: Callable[[sqlite3.Connection], None]) -> None:
        found.append(1)
        write(job)

    monkeypatch.setattr(spool._file, "write", counted)
    return found


def records(*mrids: str, phase: Phase = Phase.STARTED) -> dict[str, EventRecord]:
    return {mrid: record(mrid, phase) for mrid in mrids}


async def test_what_all_commit_in_one_turn_is_few_transactions(spool: Spool, transactions: list[int]) -> None:
    body = owed(Lane.RESPONSE, "/rsp", "AA", "<Résponse/>".encode())
    await asyncio.gather(*(spool.of(owner).committed(records("AA"), [body]) for owner in OWNERS))
    assert len(transactions) <= 2
    assert {owner: spool.of(owner).records() for owner in OWNERS} == dict.fromkeys(OWNERS, records("AA"))
    first = spool.next(Lane.RESPONSE)
    assert first is not None
    assert (first.body, first.owner, spool.count(Lane.RESPONSE)) == (body.body, OWNERS[0], len(OWNERS))


async def test_a_record_that_an_earlier_run_left_is_forgotten(spool: Spool) -> None:
    spool.of("A").commit(records("AA", "AB"))
    later = Spool(Path(spool._file._path))
    await later.of("A").committed(records("AB"))
    await later.of("A").committed(records("AC"))
    assert later.of("A").records() == records("AC")
    later.close()


async def test_changes_of_one_end_device_keep_their_order(spool: Spool) -> None:
    part = spool.of("A")
    await part.committed({})
    tasks = [
        part.committed(records("AA")),
        part.committed({}),
        part.committed(records("AB")),
        part.committed({}),
    ]
    await asyncio.gather(*tasks)
    assert part.records() == {}


async def test_what_comes_while_the_disk_is_busy_is_put_there_next(spool: Spool) -> None:
    with closing(sqlite3.connect(spool._file._path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.ensure_future(spool.remembered("one", "1"))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(spool.remembered("two", "2"))
        await asyncio.sleep(0)
        assert not first.done()
        other.execute("COMMIT")
    await asyncio.gather(first, second)
    assert (spool.recall("one"), spool.recall("two")) == ("1", "2")


async def test_what_a_cancelled_task_was_keeping_is_kept(spool: Spool) -> None:
    keeping = asyncio.ensure_future(spool.remembered("one", "1"))
    await asyncio.sleep(0)
    keeping.cancel()
    await spool.settled()
    assert spool.recall("one") == "1"


async def test_an_error_that_is_no_fault_of_the_disk_is_told_to_who_asked(spool: Spool) -> None:
    spool.close()
    with pytest.raises(sqlite3.ProgrammingError):
        await spool.remembered("one", "1")


async def test_that_the_client_is_there_is_kept_once_for_all(spool: Spool, transactions: list[int]) -> None:
    await asyncio.gather(*(spool.of(owner).alive(100) for owner in OWNERS))
    assert (spool.recall("alive"), len(transactions)) == ("100", 1)
    await spool.of(OWNERS[1]).alive(109)
    assert spool.recall("alive") == "100"
    await spool.of(OWNERS[1]).alive(110)
    assert spool.recall("alive") == "110"
