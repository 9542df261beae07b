"""How deliveries end: back-off, dead letters, a 400, rights lost, resources that go. CSIP ERR-002."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path

import pytest

from certs import Pki
from schemas import FunctionSetAssignmentsList, SubscriptionList
from sep2_server.notifications.counters import Result
from sep2_server.notifications.ending import end
from sep2_server.notifications.entries import Owed
from sep2_server.notifications.ledger import LedgerReader
from sep2_server.operator import programs
from sep2_server.process.pages import page
from sep2_server.reader import Reader
from sep2_server.rows import Role
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import listening, settled, subscribe, wish
from tests.integration.sep2_harness import Bench, running

HERE = "127.0.0.1"
STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""


async def to_own_list(subscriber: Subscriber) -> int:
    """Subscribe to the list of FunctionSetAssignments; the id of the subscription."""
    row = subscriber.row
    made = await subscribe(subscriber.client, row, f"{row.href}/fsa", subscriber.listener.uri)
    return int(made.location.rpartition("/")[2])


def owed(bench: Bench) -> list[Owed]:
    return bench.store.reader.ledger.all_owed()


async def left(subscriber: Subscriber) -> int:
    """How many subscriptions the client still has."""
    return (await subscriber.client.read(f"{subscriber.row.href}/sub", SubscriptionList)).all


@STORED
async def test_a_5xx_is_tried_again_and_newer_changes_join_it(told: Bench, subscriber: Subscriber) -> None:
    await to_own_list(subscriber)
    subscriber.listener.answer = 503
    await told.group("first", "one")
    await subscriber.listener.next()
    await settled(told)
    assert [(one.attempts, one.error) for one in owed(told)] == [(1, "answered 503")]
    assert owed(told)[0].due == 1000 * (told.clock.now() + 10)
    await told.group("second", "one")
    await settled(told)
    assert len(subscriber.listener.posted) == 1
    subscriber.listener.answer = 201
    told.clock.advance(10)
    told.server.notifications.wake()
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, FunctionSetAssignmentsList)
    assert note.Resource_.all == 2
    await settled(told)
    assert owed(told) == []


@STORED
async def test_what_fails_for_long_becomes_a_dead_letter_and_the_subscription_stays(
    told: Bench, subscriber: Subscriber
) -> None:
    number = await to_own_list(subscriber)
    subscriber.listener.answer = 500
    await told.group("first", "one")
    await settled(told)
    for delay_s in (10, 100, 300, 1800):
        told.clock.advance(delay_s)
        told.server.notifications.wake()
        await settled(told)
    assert len(subscriber.listener.posted) == 5
    (letter,) = told.store.reader.ledger.dead_letters()
    assert (letter.subscription_id, letter.attempts, letter.error) == (number, 5, "answered 500")
    assert (owed(told), await left(subscriber)) == ([], 1)
    assert told.server.notifications.counters.dead == 1


@STORED
async def test_a_change_during_the_last_attempt_is_told_although_that_became_a_dead_letter(
    told: Bench, subscriber: Subscriber
) -> None:
    listener, reader = subscriber.listener, told.store.reader
    await to_own_list(subscriber)
    listener.answer = 500
    await told.group("first", "one")
    await settled(told)
    for delay_s in (10, 100, 300):
        told.clock.advance(delay_s)
        told.server.notifications.wake()
        await settled(told)
    listener.hold, begun = asyncio.Event(), len(listener.posted)
    told.clock.advance(1800)
    told.server.notifications.wake()
    while len(listener.posted) == begun:
        await listener.queue.get()
    await told.group("second", "one")
    while owed(told)[0].revision == 1:
        told.server.notifications.wake()
        await asyncio.sleep(0.01)
    listener.answer = lambda number: 500 if number == begun + 1 else 201
    listener.hold.set()
    await settled(told)
    assert (len(reader.ledger.dead_letters()), owed(told)) == (1, [])
    note = listener.posted[-1].decoded()
    assert isinstance(note.Resource_, FunctionSetAssignmentsList)
    assert (len(listener.posted), note.Resource_.all) == (begun + 2, 2)


@pytest.mark.parametrize("status", [301, 307, 403, 404, 410, 429])
async def test_a_3xx_or_4xx_is_final_for_this_notification_alone(
    told: Bench, subscriber: Subscriber, status: int
) -> None:
    await to_own_list(subscriber)
    subscriber.listener.answer = status
    subscriber.listener.headers = {"Location": f"https://127.0.0.1:{told.server.port}/dcap"}
    await told.group("first", "one")
    await settled(told)
    assert (len(subscriber.listener.posted), owed(told), await left(subscriber)) == (1, [], 1)
    subscriber.listener.answer = 204
    await told.group("second", "one")
    await settled(told)
    assert len(subscriber.listener.posted) == 2


@STORED
async def test_a_400_ends_the_subscription_silently(told: Bench, subscriber: Subscriber) -> None:
    await to_own_list(subscriber)
    subscriber.listener.answer = 400
    await told.group("first", "one")
    await settled(told)
    assert (owed(told), await left(subscriber)) == ([], 0)
    await told.group("second", "one")
    await settled(told)
    assert len(subscriber.listener.posted) == 1
    assert not told.store.reader.ledger.has_subscriptions()


@STORED
async def test_a_server_that_cancels_tells_so_once_without_a_resource(
    told: Bench, subscriber: Subscriber
) -> None:
    number = await to_own_list(subscriber)
    subscribed = told.store.reader.ledger.subscription(number)
    assert subscribed is not None
    await told.store.do(lambda tx: end(tx, subscribed, 1, 1000 * told.clock.now()))
    note = await subscriber.listener.next()
    assert (note.status, note.Resource_) == (1, None)
    await settled(told)
    assert (await left(subscriber), told.store.reader.ledger.has_subscriptions()) == (0, False)
    await to_own_list(subscriber)


@STORED
async def test_who_may_no_longer_see_a_resource_is_told_that_it_is_over(
    told: Bench, subscriber: Subscriber
) -> None:
    group, program = await told.group("feeder", "one")
    await subscribe(subscriber.client, subscriber.row, program.href, subscriber.listener.uri)
    await told.do(lambda desk: programs.unassign(desk, group, desk.client("one")))
    await told.store.do(lambda tx: tx.replace(program, program))
    note = await subscriber.listener.next()
    assert (note.status, note.Resource_, note.subscribedResource) == (1, None, program.href)
    await settled(told)
    assert await left(subscriber) == 0


@STORED
async def test_a_deleted_resource_is_told_once_and_the_subscription_goes(
    told: Bench, subscriber: Subscriber
) -> None:
    _, program = await told.group("feeder", "one")
    await subscribe(subscriber.client, subscriber.row, program.href, subscriber.listener.uri)
    await told.store.do(lambda tx: tx.delete(program))
    note = await subscriber.listener.next()
    assert (note.status, note.Resource_) == (4, None)
    await settled(told)
    assert (await left(subscriber), len(subscriber.listener.posted)) == (0, 1)


@STORED
async def test_what_is_owed_survives_a_restart(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, notification_gap_ms=3000, notification_hosts=HERE) as bench:
        row, client = await bench.device("late")
        async with listening(bench.credentials("late")) as listener:
            port = listener.port
            await subscribe(client, row, f"{row.href}/fsa", listener.uri)
        await bench.group("feeder", "late")
        await settled(bench)
        assert len(owed(bench)) == 1
        later = bench.clock.now() + 3
    async with (
        running(tmp_path, sep2_pki, now=later, notification_gap_ms=3000, notification_hosts=HERE) as bench,
        listening(bench.credentials("late"), port=port) as listener,
    ):
        bench.server.notifications.wake()
        note = await listener.next()
        assert isinstance(note.Resource_, FunctionSetAssignmentsList)


@STORED
async def test_many_changes_within_the_gap_are_one_notification(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, notification_gap_ms=1000, notification_hosts="127.0.0.1") as bench:
        row, client = await bench.device("burst")
        async with listening(bench.credentials("burst")) as listener:
            await subscribe(client, row, row.href, listener.uri)
            for _ in range(100):
                await bench.store.do(lambda tx: tx.replace(tx.by_id(row.id) or row, tx.by_id(row.id) or row))
            await settled(bench)
            bench.clock.advance(1)
            bench.server.notifications.wake()
            await listener.next()
            await settled(bench)
            assert len(listener.posted) == 1


@STORED
async def test_a_change_during_a_delivery_is_told_after_it(told: Bench, subscriber: Subscriber) -> None:
    await to_own_list(subscriber)
    subscriber.listener.hold = asyncio.Event()
    await told.group("first", "one")
    await subscriber.listener.next()
    await told.group("second", "one")
    assert len(subscriber.listener.posted) == 1
    subscriber.listener.hold.set()
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, FunctionSetAssignmentsList)
    assert note.Resource_.all == 2


async def test_a_listener_with_another_certificate_is_told_nothing(told: Bench) -> None:
    row, client = await told.device("one")
    await told.enrol("two")
    async with listening(told.credentials("two")) as listener:
        await subscribe(client, row, f"{row.href}/fsa", listener.uri)
        await told.group("feeder", "one")
        await settled(told)
        assert listener.posted == []
        assert "LFDI" in str(owed(told)[0].error)


async def test_a_managed_device_is_told_at_the_listener_of_its_aggregator(told: Bench) -> None:
    boss = await told.enrol("boss", role=Role.AGGREGATOR)
    row = await told.enrol("many-1", aggregator=boss)
    client = await told.client("many-1")
    async with listening(told.credentials("boss")) as listener:
        await subscribe(client, row, row.href, listener.uri)
        await told.store.do(lambda tx: tx.replace(row, row))
        assert (await listener.next()).subscribedResource == row.href


async def test_a_host_that_is_not_allowed_is_refused(bench: Bench) -> None:
    row, client = await bench.device("one")
    async with listening(bench.credentials("one")) as listener:
        reply = await client.post(f"{row.href}/sub", wish(f"{row.href}/fsa", listener.uri))
        assert reply.status == 403


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("https://listener.example/ntfy", 201),
        ("https://listener.example:443/ntfy", 201),
        ("https://listener.example:8443/ntfy", 403),
        ("http://listener.example/ntfy", 403),
        ("http://plain.example/ntfy", 201),
        ("http://plain.example:8080/ntfy", 403),
        ("https://plain.example/ntfy", 403),
    ],
)
async def test_a_host_that_is_allowed_with_a_port_is_allowed_at_that_port_alone(
    tmp_path: Path, sep2_pki: Pki, uri: str, status: int
) -> None:
    """Where the URI names none, that is the port of its scheme."""
    hosts = "listener.example:443, plain.example:80"
    async with running(tmp_path, sep2_pki, notification_hosts=hosts, notification_http=True) as bench:
        row, client = await bench.device("one")
        reply = await client.post(f"{row.href}/sub", wish(f"{row.href}/fsa", uri))
        assert reply.status == status


async def test_a_connection_is_kept_for_the_next_notification(told: Bench, subscriber: Subscriber) -> None:
    await to_own_list(subscriber)
    for name in ("first", "second", "third"):
        await told.group(name, "one")
        await subscriber.listener.next()
        await settled(told)
    assert len(subscriber.listener.connections) == 1


async def test_a_notifier_asks_postgresql_beside_the_event_loop(
    each_database: str, told: Bench, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    await to_own_list(subscriber)
    askers: set[threading.Thread] = set()
    for cls, name in ((LedgerReader, "next_due"), (Reader, "barred")):
        ask = getattr(cls, name)

        def noted(*args: object, ask: Callable[..., object] = ask) -> object:
            askers.add(threading.current_thread())
            return ask(*args)

        monkeypatch.setattr(cls, name, noted)
    await told.group("feeder", "one")
    await subscriber.listener.next()
    is_beside = threading.current_thread() not in askers
    assert is_beside == (each_database == "postgresql")


MANY = 40


async def test_many_subscriptions_to_one_resource_share_what_is_asked_of_the_store(
    each_database: str, told: Bench, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, listener = subscriber.row, subscriber.listener
    for number in range(MANY):
        await subscribe(subscriber.client, row, row.href, f"{listener.uri}/{number}")
    await settled(told)
    asked: Counter[str] = Counter()
    for name in ("by_href", "client", "client_of", "barred"):

        def counted(*args: object, ask: Callable[..., object], name: str, **named: object) -> object:
            asked[name] += 1
            return ask(*args, **named)

        monkeypatch.setattr(Reader, name, partialmethod(counted, ask=getattr(Reader, name), name=name))
    await told.store.do(lambda tx: tx.replace(row, row))
    await settled(told)
    assert len({posted.path for posted in listener.posted}) == len(listener.posted) == MANY
    assert {name: count for name, count in asked.items() if name != "barred" and count >= MANY} == {}
    assert (asked["barred"] == 1) == (each_database == "sqlite")


def metrics_of(bench: Bench) -> set[str]:
    found = page(bench.server, "/metrics")
    assert found is not None
    return set(found.body.decode().splitlines())


@STORED
async def test_metrics_tell_what_is_owed_delivered_and_given_up(told: Bench, subscriber: Subscriber) -> None:
    await to_own_list(subscriber)
    await told.group("first", "one")
    await settled(told)
    subscriber.listener.answer = 500
    await told.group("second", "one")
    await settled(told)
    before = metrics_of(told)
    assert before >= {
        'lineside_outbox_notifications{state="owed"} 1',
        'lineside_outbox_notifications{state="dead"} 0',
        'lineside_notifications_total{result="delivered"} 1',
    }
    for delay_s in (10, 100, 300, 1800):
        told.clock.advance(delay_s)
        told.server.notifications.wake()
        await settled(told)
    await told.server.notifications.stop()
    assert metrics_of(told) >= {
        'lineside_outbox_notifications{state="owed"} 0',
        'lineside_outbox_notifications{state="dead"} 1',
        'lineside_notifications_total{result="owed"} 2',
        'lineside_notifications_total{result="dead"} 1',
        'lineside_notifications_total{result="failed"} 5',
    }


def test_the_howto_names_every_result_of_a_delivery() -> None:
    howto = (Path(__file__).parents[3] / "docs" / "howto" / "operations.md").read_text()
    (row,) = [line for line in howto.splitlines() if line.startswith("| `lineside_notifications_total`")]
    assert [result for result in Result if result not in row] == []
