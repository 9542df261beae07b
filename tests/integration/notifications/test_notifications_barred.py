"""Who is blocked or disabled is told nothing, and what is owed to it is kept until it is served again."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from certs import LFDI, Pki
from schemas import EndDevice, FunctionSetAssignmentsList
from sep2_server import Store
from sep2_server.notifications.bars import Bars
from sep2_server.notifications.ending import end
from sep2_server.rows import Blocked, Client, Role
from sep2_server.run_time import OUTAGE
from sep2_server.transaction import Transaction
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import WAIT_S, Listener, listening, settled, subscribe
from tests.integration.sep2_harness import Bench, running

OTHER = LFDI("0" * 40)
HERE = "127.0.0.1"
STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""
WHY = (" is blocked", " is disabled", " is blocked, or the server is out of service")
Bar = Callable[..., object]


def block(tx: Transaction, client: Client) -> None:
    tx.put_blocked(Blocked(client.lfdi, "stolen", 0))


def unblock(tx: Transaction, client: Client) -> None:
    tx.delete_blocked(client.lfdi)


def disable(tx: Transaction, client: Client) -> None:
    tx.put_disabled(client.end_device_id, is_disabled=True)


def enable(tx: Transaction, client: Client) -> None:
    tx.put_disabled(client.end_device_id, is_disabled=False)


BARS = pytest.mark.parametrize(("bar", "lift"), [(block, unblock), (disable, enable)])


async def set_bar(bench: Bench, bar: Bar, end_device_id: int) -> None:
    client = bench.store.reader.client_of(end_device_id)
    assert client is not None
    await bench.store.do(lambda tx: bar(tx, client))


async def require_withheld(bench: Bench, listener: Listener) -> None:
    """Nothing was posted, and what is owed waits without a failed attempt."""
    await settled(bench)
    assert listener.posted == []
    (owed,) = bench.store.reader.ledger.all_owed()
    assert (owed.attempts, owed.due) == (0, 1000 * (bench.clock.now() + 60))
    assert str(owed.error).endswith(WHY)
    assert bench.store.reader.ledger.has_subscriptions()


async def both_claimed(bench: Bench) -> None:
    """Wait until two notifications are on their way."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if sum(one.claim is not None for one in bench.store.reader.ledger.all_owed()) == 2:
                return
            await asyncio.sleep(0.01)


async def a_minute_later(bench: Bench) -> None:
    bench.clock.advance(60)
    bench.server.notifications.wake()


@STORED
@BARS
async def test_a_barred_client_is_told_what_it_missed_once_it_is_served_again(
    told: Bench, subscriber: Subscriber, bar: Bar, lift: Bar
) -> None:
    row, listener = subscriber.row, subscriber.listener
    await subscribe(subscriber.client, row, f"{row.href}/fsa", listener.uri)
    await set_bar(told, bar, row.id)
    await told.group("feeder", "one")
    await require_withheld(told, listener)
    await set_bar(told, lift, row.id)
    await a_minute_later(told)
    note = await listener.next()
    assert told.server.notifications.counters.as_numbers()["deliveries_withheld"] == 1
    assert isinstance(note.Resource_, FunctionSetAssignmentsList)
    assert note.Resource_.all == 1
    await settled(told)
    assert told.store.reader.ledger.count_owed() == 0


@BARS
async def test_a_managed_device_is_told_nothing_while_its_aggregator_is_barred(
    told: Bench, bar: Bar, lift: Bar
) -> None:
    boss = await told.enrol("boss", role=Role.AGGREGATOR)
    row = await told.enrol("many-1", aggregator=boss)
    client = await told.client("many-1")
    async with listening(told.credentials("boss")) as listener:
        await subscribe(client, row, row.href, listener.uri)
        await set_bar(told, bar, boss.id)
        await told.store.do(lambda tx: tx.replace(row, row))
        await require_withheld(told, listener)
        await set_bar(told, lift, boss.id)
        await a_minute_later(told)
        assert isinstance((await listener.next()).Resource_, EndDevice)


@BARS
async def test_a_notification_without_its_resource_is_withheld_too(
    told: Bench, subscriber: Subscriber, bar: Bar, lift: Bar
) -> None:
    row, listener = subscriber.row, subscriber.listener
    made = await subscribe(subscriber.client, row, f"{row.href}/fsa", listener.uri)
    subscribed = told.store.reader.ledger.subscription(int(made.location.rpartition("/")[2]))
    assert subscribed is not None
    await set_bar(told, bar, row.id)
    await told.store.do(lambda tx: end(tx, subscribed, 1, 1000 * told.clock.now()))
    await require_withheld(told, listener)
    await set_bar(told, lift, row.id)
    await a_minute_later(told)
    assert (await listener.next()).status == 1


@STORED
async def test_what_waits_behind_another_delivery_is_withheld_from_who_is_barred_meanwhile(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(
        tmp_path, sep2_pki, notification_gap_ms=0, notification_hosts=HERE, notification_connections=1
    ) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            listener.hold = asyncio.Event()
            await subscribe(client, row, f"{row.href}/fsa", listener.uri)
            await subscribe(client, row, row.href, listener.uri)
            await bench.group("feeder", "one")
            await listener.next()
            await bench.store.do(lambda tx: tx.replace(row, row))
            await both_claimed(bench)
            await set_bar(bench, block, row.id)
            listener.hold.set()
            await settled(bench)
            assert len(listener.posted) == 1
            (owed,) = bench.store.reader.ledger.all_owed()
            assert owed.error == f"{bench.credentials('one').lfdi} is blocked"


@STORED
@BARS
async def test_what_another_process_bars_is_known_at_the_next_delivery(
    bench: Bench, bar: Bar, lift: Bar
) -> None:
    row = await bench.enrol("one")
    client = bench.store.reader.client_of(row.id)
    assert client is not None
    ours = Store.of(bench.server.settings, is_shared=True)
    bars = Bars(ours)
    bars.start()
    try:
        for job, is_served in ((lift, True), (bar, False), (lift, True), (bar, False)):
            await bench.store.do(partial(job, client=client))
            assert [bars.why(ours.reader, client, client) is None for _ in range(2)] == [is_served] * 2
            assert (bars.why(ours.reader, client._replace(lfdi=OTHER, end_device_id=0), client) is None) is (
                is_served
            )
    finally:
        bars.stop()
        ours.close()


async def test_a_server_out_of_service_keeps_what_it_owes(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(
        tmp_path, sep2_pki, notification_gap_ms=0, notification_hosts=HERE, test_bench=True
    ) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            await subscribe(client, row, f"{row.href}/fsa", listener.uri)
            await bench.store.do(lambda tx: tx.put_option(OUTAGE, "true"))
            await bench.group("feeder", "one")
            await require_withheld(bench, listener)
