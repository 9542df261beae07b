"""A change feed that was shortened behind the matcher: nobody knows what was missed, so everybody is told."""

import asyncio

import pytest

from schemas import FunctionSetAssignmentsList
from sep2_server import Store
from sep2_server import statements as q
from sep2_server.backup import tell_anew
from sep2_server.notifications.entries import CONSUMER
from sep2_server.notifications.matching import begin
from sep2_server.store import open_connection
from sep2_server.transaction import Transaction
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import settled, subscribe
from tests.integration.sep2_harness import START, Bench

NOW_MS = 1000 * START
pytestmark = pytest.mark.usefixtures("each_database")


def shorten(tx: Transaction) -> int:
    """Forget changes that the matcher has not seen, and let it begin; where it goes on from."""
    tx.put_consumer(CONSUMER, 1)
    tx._db.run(q.FORGET_CHANGES, seq=tx.last_change() - 1)
    return begin(tx, NOW_MS)


async def test_every_subscription_is_owed_what_it_may_have_missed(
    told: Bench, subscriber: Subscriber
) -> None:
    href = f"{subscriber.row.href}/fsa"
    await subscribe(subscriber.client, subscriber.row, href, subscriber.listener.uri)
    await told.group("feeder", "one")
    await settled(told)
    before = len(subscriber.listener.posted)
    place = await told.store.do(shorten)
    assert place == told.store.reader.last_change()
    await settled(told)
    missed = subscriber.listener.posted[before:]
    assert [type(posted.decoded().Resource_) for posted in missed] == [FunctionSetAssignmentsList]


async def test_every_subscription_of_a_restored_database_is_told_anew(
    told: Bench, subscriber: Subscriber
) -> None:
    await subscribe(subscriber.client, subscriber.row, f"{subscriber.row.href}/fsa", subscriber.listener.uri)
    await told.group("feeder", "one")
    await settled(told)
    before = len(subscriber.listener.posted)
    await asyncio.to_thread(put_back, told.store)
    assert await told.store.do(lambda tx: begin(tx, NOW_MS)) == told.store.reader.last_change()
    await settled(told)
    assert len(subscriber.listener.posted) == before + 1


def put_back(store: Store) -> None:
    """What a restore leaves to the server that starts next."""
    db = open_connection(store.address)
    tell_anew(db)
    db.close()


async def test_a_matcher_that_missed_nothing_owes_nothing(told: Bench, subscriber: Subscriber) -> None:
    await subscribe(subscriber.client, subscriber.row, f"{subscriber.row.href}/fsa", subscriber.listener.uri)
    await settled(told)
    before = len(subscriber.listener.posted)
    cursor = told.store.reader.consumers()[CONSUMER]
    assert await told.store.do(lambda tx: begin(tx, NOW_MS)) == cursor
    await settled(told)
    assert len(subscriber.listener.posted) == before
