"""Dead letters are bounded: so many of a subscription, for so long; what is dropped is counted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from sep2_server.notifications.entries import DeadLetter, Owed, Subscribed
from sep2_server.process.pages import page
from sep2_server.transaction import Transaction
from tests.integration.notifications.listening import Listener, listening, settled, subscribe
from tests.integration.sep2_harness import START, Bench, running

HERE = "127.0.0.1"
DAY_S = 86_400
STORED = pytest.mark.usefixtures("each_database")


@pytest.fixture
async def strict(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server that gives up at the first failure, and keeps two dead letters of a subscription for a day."""
    async with running(
        tmp_path,
        sep2_pki,
        notification_gap_ms=0,
        notification_hosts=HERE,
        notification_retry_s=[],
        dead_letters_per_subscription=2,
        dead_letter_retention_s=DAY_S,
    ) as bench:
        yield bench


@pytest.fixture
async def refusing(strict: Bench) -> AsyncIterator[Listener]:
    """The listener of the device `one`, which fails whatever it is told."""
    async with listening(strict.credentials("one")) as listener:
        listener.answer = 500
        yield listener


def letters(bench: Bench) -> list[DeadLetter]:
    return bench.store.reader.ledger.dead_letters(limit=1000)


async def fail(bench: Bench, name: str) -> None:
    """Have one notification given up."""
    before = bench.server.notifications.counters.dead
    await bench.group(name, "one")
    while bench.server.notifications.counters.dead == before:
        bench.server.notifications.wake()
        await asyncio.sleep(0.01)
    await settled(bench)


@STORED
async def test_the_newest_dead_letters_of_a_subscription_are_kept(strict: Bench, refusing: Listener) -> None:
    row, client = await strict.device("one")
    made = await subscribe(client, row, f"{row.href}/fsa", refusing.uri)
    other = strict.store.reader.ledger.subscription(int(made.location.rpartition("/")[2]))
    assert other is not None
    await strict.store.do(lambda tx: many(tx, other._replace(id=1), 3))
    for number in range(4):
        await fail(strict, f"group-{number}")
    assert [letter.id for letter in letters(strict)] == [1, 2, 3, 6, 7]
    reader = strict.store.reader
    assert (reader.ledger.count_dropped(row.id), reader.ledger.count_dropped()) == (2, 2)
    found = page(strict.server, "/metrics")
    assert found is not None
    assert 'lineside_notifications_total{result="dropped"} 2' in found.body.decode().splitlines()


@STORED
async def test_a_dead_letter_is_kept_for_its_time(strict: Bench, refusing: Listener) -> None:
    row, client = await strict.device("one")
    await subscribe(client, row, f"{row.href}/fsa", refusing.uri)
    await fail(strict, "first")
    strict.clock.advance(DAY_S // 2)
    await fail(strict, "second")
    strict.clock.advance(DAY_S // 2 + 1)
    async with asyncio.timeout(10):
        while strict.server.notifications.counters.dropped == 0:
            strict.server.notifications.wake()
            await asyncio.sleep(0.01)
    assert strict.server.notifications.counters.dropped == 1
    assert [letter.id for letter in letters(strict)] == [2]
    assert strict.store.reader.ledger.count_dropped() == 1


def many(tx: Transaction, subscribed: Subscribed, count: int) -> None:
    for number in range(count):
        tx.ledger.give_up(
            Owed(subscribed.id, 0, 0, 4, 1, None, 0, None), subscribed, 5, "gone", START + number
        )


@STORED
async def test_dead_letters_are_dropped_few_at_a_time(strict: Bench, refusing: Listener) -> None:
    row, client = await strict.device("one")
    made = await subscribe(client, row, f"{row.href}/fsa", refusing.uri)
    subscribed = strict.store.reader.ledger.subscription(int(made.location.rpartition("/")[2]))
    assert subscribed is not None
    await strict.store.do(lambda tx: many(tx, subscribed, 200))
    assert await strict.store.do(lambda tx: tx.ledger.shorten_dead(subscribed, 10)) == 64
    assert await strict.store.do(lambda tx: tx.ledger.drop_old_dead(START + 200)) == 64
    assert len(letters(strict)) == 72
    assert strict.store.reader.ledger.count_dropped() == 128


@STORED
async def test_an_end_device_that_goes_takes_along_what_was_counted_of_it(
    strict: Bench, refusing: Listener
) -> None:
    row, client = await strict.device("one")
    made = await subscribe(client, row, f"{row.href}/fsa", refusing.uri)
    subscribed = strict.store.reader.ledger.subscription(int(made.location.rpartition("/")[2]))
    assert subscribed is not None
    await strict.store.do(lambda tx: many(tx, subscribed, 3))
    await strict.store.do(lambda tx: tx.ledger.shorten_dead(subscribed, 0))
    await strict.store.do(lambda tx: tx.ledger.forget_device(row.id))
    ledger = strict.store.reader.ledger
    assert (letters(strict), ledger.count_dropped(row.id), ledger.count_dropped()) == ([], 0, 3)
