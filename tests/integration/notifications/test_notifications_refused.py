"""A database that refuses to store what became of deliveries, otherwise than by being gone."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from sqlite3 import OperationalError
from typing import NoReturn

import pytest
from asyncpg import QueryCanceledError

from sep2_server.notifications import notifier as of_notifier
from sep2_server.notifications.entries import Owed
from sep2_server.notifications.ledger import Ledger
from sep2_server.reader import Reader
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import WAIT_S, settled, subscribe
from tests.integration.sep2_harness import Bench


class Refusal(Exception):
    """What a driver raises for one statement: it took too long, or a page of the disk cannot be read."""


@dataclass
class Refusing:
    """Refuses to store that a delivery is owed again, as often as a test says."""

    times: Iterator[object] = field(default_factory=lambda: repeat(0))
    refused: int = 0

    def meet(self) -> None:
        """Refuse, or do not."""
        if next(self.times, None) is not None:
            self.refused += 1
            raise Refusal


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    refusing, stored = Refusing(), Ledger.postpone

    def postpone(ledger: Ledger, owed: Owed, due: int, attempts: int, error: str | None) -> None:
        refusing.meet()
        stored(ledger, owed, due, attempts, error)

    monkeypatch.setattr(Ledger, "postpone", postpone)
    monkeypatch.setattr(of_notifier, "POLL_S", 0.01)
    return refusing


async def fail(bench: Bench, subscriber: Subscriber, *, reaches: bool = True) -> None:
    """Let a delivery fail; from then on the listener is well. Whether it is reached by the first."""
    await subscribe(subscriber.client, subscriber.row, f"{subscriber.row.href}/fsa", subscriber.listener.uri)
    subscriber.listener.answer = lambda number: 503 if number == 1 and reaches else 201
    await bench.group("feeder", "one")
    if reaches:
        await subscriber.listener.next()


async def let_go(caplog: pytest.LogCaptureFixture) -> None:
    """Wait until the notifier says that it gives up storing."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if "cannot be stored" in caplog.text:
                return
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("each_database")
async def test_a_failure_that_is_refused_once_is_stored_and_its_subscriber_is_told_again(
    refusing: Refusing, told: Bench, subscriber: Subscriber
) -> None:
    refusing.times = iter([1])
    await fail(told, subscriber)
    await settled(told)
    (owed,) = told.store.reader.ledger.all_owed()
    assert (owed.attempts, refusing.refused) == (1, 1)
    told.clock.advance(10)
    told.server.notifications.wake()
    await subscriber.listener.next()
    await settled(told)
    assert told.store.reader.ledger.all_owed() == []


async def test_what_is_always_refused_is_let_go_so_that_others_are_told(
    refusing: Refusing, told: Bench, subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    await fail(told, subscriber)
    await let_go(caplog)
    assert refusing.refused == of_notifier.TRIES
    await subscribe(subscriber.client, subscriber.row, subscriber.row.href, subscriber.listener.uri)
    row = told.store.reader.by_id(subscriber.row.id)
    assert row is not None
    await told.store.do(lambda tx: tx.replace(row, row))
    assert (await subscriber.listener.next()).subscribedResource == subscriber.row.href
    refusing.times = iter([])
    told.clock.advance(1000)
    told.server.notifications.wake()
    assert (await subscriber.listener.next()).subscribedResource == f"{subscriber.row.href}/fsa"


@pytest.mark.usefixtures("each_database")
async def test_a_document_that_the_database_refuses_to_read_is_no_attempt_that_failed(
    told: Bench, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database in trouble for an hour made dead letters of all that was due meanwhile."""
    notifier = told.server.notifications._notifier
    assert notifier is not None
    with monkeypatch.context() as patched:
        patched.setattr(notifier, "_told", refuse)
        await fail(told, subscriber, reaches=False)
        await settled(told)
        (owed,) = told.store.reader.ledger.all_owed()
        assert (owed.attempts, owed.error) == (0, None)
    told.clock.advance(1)
    told.server.notifications.wake()
    await subscriber.listener.next()


def refuse(reader: Reader, **_: object) -> NoReturn:
    """What a statement raises that runs for too long, or meets a page that cannot be read."""
    flaw = QueryCanceledError if reader._db.dialect == "postgresql" else OperationalError
    raise flaw("refused")
