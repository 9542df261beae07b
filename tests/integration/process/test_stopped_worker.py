"""A worker that stands still, and goes on later: another one does what is due, and nothing is done twice."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as StillWaiting
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from certs import Pki
from schemas.codes import EventState
from sep2_server import Store
from sep2_server import statements as q
from sep2_server.keeper import LEASE
from sep2_server.rows import Lease, Row
from tests.integration.process.site_process import SiteProcess, site_process, until

BEGINS_IN_S: Final = 5
LASTS_S: Final = 4
MODES: Final = {"opModMaxLimW": "50%"}
PLACE: Final = ("groups", "g", "controls")
STANDS_S: Final = 2.0
"""A worker that was stopped as it had the lock of the database is given so long to be found out."""


@pytest.fixture
def store(tmp_path: Path, database: str) -> Iterator[Store]:
    """The database of the server, as another process has it."""
    name = database.partition('"')[2].rstrip('"')
    opened = Store(name if "://" in name else tmp_path / name, is_shared=True)
    yield opened
    opened.close()


def lease_of(store: Store) -> Lease | None:
    return store.write(lambda tx: tx._db.one(Lease._make, q.LEASE, name=LEASE))


@contextmanager
def stopped(store: Store, pid: int) -> Iterator[None]:
    """Let a process stand still, but not while it keeps all others from the database."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        written = store.submit(lambda _: None)
        try:
            written.result(STANDS_S)
            break
        except StillWaiting:
            os.kill(pid, signal.SIGCONT)
            written.result()
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def made_holder(store: Store, workers: list[int]) -> int:
    """A worker that holds the lease of the clock: the other one was stopped until somebody renewed it."""
    first, second = workers
    with stopped(store, first):
        before = lease_of(store)
        until(lambda: lease_of(store) != before)
    return second


def row_of(store: Store, mrid: str) -> Row:
    (row,) = store.write(lambda tx: tx.all_by_mrid(mrid))
    return row


def writes_of(store: Store, row: Row) -> list[tuple[int, bool]]:
    """What was told of a control, in order: versions, and whether in a list, which it leaves at its end."""
    changes = store.write(lambda tx: tx.changes(0, 100_000))
    return [
        (change.version, change.list_id is not None) for change in changes if change.resource_id == row.id
    ]


def publish(site: SiteProcess, start: int) -> str:
    said = {"DERControlBase": MODES, "start": start, "duration": LASTS_S}
    return str(site.api.call("POST", PLACE, said)["mRID"])


def test_a_holder_of_the_clock_that_stands_still_is_stood_in_for_and_writes_nothing_twice(
    tmp_path: Path, process_pki: Pki, database: str, store: Store
) -> None:
    with site_process(tmp_path, process_pki, "--workers=2", settings=database) as site:
        site.api.call("PUT", ("devices", "north"), {"lFDI": "AB" * 20})
        site.api.call("PUT", ("devices", "north", "groups", "g"), {"primacy": 5})
        holder = made_holder(store, site.workers)
        first = row_of(store, publish(site, int(time.time()) + BEGINS_IN_S))
        with stopped(store, holder):
            before = lease_of(store)
            until(lambda: row_of(store, str(first.mrid)).status == EventState.ACTIVE)
            after = lease_of(store)
            assert before is not None
            assert after is not None
            assert after.holder != before.holder, "it stood still before the event began"
            until(lambda: row_of(store, str(first.mrid)).status != EventState.ACTIVE)
            ended = row_of(store, str(first.mrid))
        second = row_of(store, publish(site, int(time.time()) + 1))
        until(lambda: row_of(store, str(second.mrid)).status == EventState.ACTIVE)
        until(lambda: row_of(store, str(second.mrid)).status != EventState.ACTIVE)
        assert row_of(store, str(first.mrid)) == ended
        for row in (first, second):
            assert writes_of(store, row) == [(1, True), (2, True), (3, True), (3, False)]
        held = lease_of(store)
        assert held is not None
        assert held.holder == after.holder
