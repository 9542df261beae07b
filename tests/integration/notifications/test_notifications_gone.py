"""What became of a delivery whose subscription has gone, ended or changed hands since it was claimed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from certs import Pki
from schemas.codes import NotificationStatus
from sep2_server.end_devices import remove_end_device
from sep2_server.notifications.counters import Result
from sep2_server.notifications.ending import end
from sep2_server.notifications.settling import Outcome, Turn, claim_s, turn
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from tests.integration.notifications.listening import WAIT_S, Listener, listening, settled, subscribe
from tests.integration.sep2_harness import Bench, Client, running
from tests.integration.test_sep2_durability import event

HERE = "127.0.0.1"
GAP_MS = 3000
pytestmark = pytest.mark.usefixtures("each_database")


def remove(tx: Transaction, number: int) -> None:
    row = tx.by_id(number)
    assert row is not None
    remove_end_device(tx, row)


async def ended(bench: Bench, *results: Result) -> None:
    """Wait until deliveries have ended so, and that is stored."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if bench.server.notifications.counters.deliveries.keys() >= set(results):
                return
            await asyncio.sleep(0.01)


@pytest.fixture
async def strict(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server that gives up at the first failure."""
    async with running(
        tmp_path, sep2_pki, notification_gap_ms=0, notification_hosts=HERE, notification_retry_s=[]
    ) as bench:
        yield bench


@pytest.fixture
async def busy(strict: Bench) -> AsyncIterator[tuple[Row, Client, Listener]]:
    """A device that is being told of its FunctionSetAssignmentsList, at a listener that takes its time."""
    row, client = await strict.device("one")
    async with listening(strict.credentials("one")) as listener:
        await subscribe(client, row, f"{row.href}/fsa", listener.uri)
        await subscribe(client, row, f"{row.href}/lel", listener.uri)
        listener.hold = asyncio.Event()
        await strict.group("feeder", "one")
        await listener.next()
        yield row, client, listener
        listener.hold.set()


async def test_a_device_that_goes_while_its_notification_waits_leaves_nothing_behind(
    strict: Bench, busy: tuple[Row, Client, Listener]
) -> None:
    row, client, listener = busy
    await client.post(f"{row.href}/lel", event(1))
    async with asyncio.timeout(WAIT_S):
        while True:
            if [one.claim is None for one in strict.store.reader.ledger.all_owed()] == [False, False]:
                break
            await asyncio.sleep(0.01)
    await strict.store.do(partial(remove, number=row.id))
    assert listener.hold is not None
    listener.hold.set()
    await ended(strict, Result.DELIVERED, Result.LOST)
    assert strict.store.reader.ledger.all_owed() == []


async def test_a_device_that_goes_leaves_no_dead_letter_of_what_fails_afterwards(
    strict: Bench, busy: tuple[Row, Client, Listener]
) -> None:
    row, _, listener = busy
    await strict.store.do(partial(remove, number=row.id))
    assert listener.hold is not None
    listener.answer = 503
    listener.hold.set()
    await ended(strict, Result.FAILED)
    ledger = strict.store.reader.ledger
    assert (ledger.all_owed(), ledger.dead_letters()) == ([], [])
    assert strict.server.notifications.counters.dead == 0


async def test_what_is_owed_to_a_subscription_that_is_gone_is_forgotten(strict: Bench) -> None:
    """As earlier versions have left it."""
    now_ms = 1000 * strict.clock.now()
    await strict.store.do(lambda tx: tx.ledger.owe(999_999, now_ms, now_ms))
    strict.server.notifications.wake()
    await settled(strict)
    assert strict.store.reader.ledger.all_owed() == []


@pytest.fixture
async def slow(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server that gathers changes for longer than these tests take, and gives up at the first failure."""
    async with running(
        tmp_path, sep2_pki, notification_gap_ms=GAP_MS, notification_hosts=HERE, notification_retry_s=[]
    ) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            await subscribe(client, row, f"{row.href}/fsa", listener.uri)
            await bench.group("feeder", "one")
            await settled(bench)
            yield bench


async def turned(bench: Bench, claim: str, after_ms: int, outcomes: Sequence[Outcome] = ()) -> Turn:
    """A turn of a notifier, some time after the notification fell due."""
    now_ms = 1000 * bench.clock.now() + GAP_MS + after_ms
    environment = bench.server.environment
    return await bench.store.do(
        lambda tx: turn(tx, environment, outcomes, claim, 0 if outcomes else 1, now_ms)
    )


async def test_a_subscription_that_has_ended_meanwhile_tells_why_it_did(slow: Bench) -> None:
    (delivery,) = (await turned(slow, "a.1", 0)).deliveries
    await slow.store.do(lambda tx: end(tx, delivery.subscribed, NotificationStatus.MOVED, 0, "/new"))
    await turned(slow, "a.2", 0, [Outcome(delivery, Result.LOST)])
    now = slow.store.reader.ledger.subscription(delivery.subscribed.id)
    assert now is not None
    assert (now.status, now.moved_to) == (NotificationStatus.MOVED, "/new")


async def test_what_another_notifier_has_claimed_since_is_not_given_up(slow: Bench) -> None:
    (delivery,) = (await turned(slow, "a.1", 0)).deliveries
    later_ms = 1000 * claim_s(slow.server.environment)
    assert len((await turned(slow, "b.1", later_ms)).deliveries) == 1
    await turned(slow, "a.2", later_ms, [Outcome(delivery, Result.FAILED, "no answer")])
    ledger = slow.store.reader.ledger
    assert ([one.claim for one in ledger.all_owed()], ledger.dead_letters()) == (["b.1"], [])
