"""Several subscribers at one listener, and deliveries that have to wait for it. IEEE 2030.5-2018, 14."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from certs import Pki
from sep2_server.environment import Environment
from sep2_server.errors import StoreError
from sep2_server.notifications.counters import Result
from sep2_server.notifications.entries import Owed, Subscribed
from sep2_server.notifications.lanes import HELD_UP_MS, LONGEST_QUEUE, Lanes
from sep2_server.notifications.posting import Endpoint, HeldUpError
from sep2_server.notifications.settling import Delivery, Outcome, Turn, claim_s, lane_of, turn
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import Listener, listening, settled, subscribe
from tests.integration.sep2_harness import Bench, Client, running
from tests.integration.test_sep2_durability import event

HERE = "127.0.0.1"
GAP_MS = 3000
T = TypeVar("T")


async def to_own_list(owner: tuple[Row, Client], listener: Listener) -> int:
    """Subscribe to the list of FunctionSetAssignments of a device; the id of the subscription."""
    row, client = owner
    made = await subscribe(client, row, f"{row.href}/fsa", listener.uri)
    return int(made.location.rpartition("/")[2])


async def claimed(bench: Bench, listener: Listener) -> tuple[Delivery, int]:
    """A notification of the device `one` that a test has claimed before a notifier did, and when, ms."""
    await to_own_list(await bench.device("one"), listener)
    await bench.group("feeder", "one")
    await settled(bench)
    due = 1000 * bench.clock.now() + GAP_MS
    environment = bench.server.environment
    done = await bench.store.do(lambda tx: turn(tx, environment, [], "test", 1, due))
    (delivery,) = done.deliveries
    return delivery, due


def allow(tx: Transaction, end_device_id: int) -> None:
    tx.ledger.allow(end_device_id, HERE)


def claim_of(tx: Transaction, environment: Environment, at: int) -> Turn:
    return turn(tx, environment, [], "other", 1, at)


async def test_a_listener_that_is_somebody_elses_fails_the_delivery_of_its_stranger_alone(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(
        tmp_path, sep2_pki, notification_gap_ms=0, notification_hosts=HERE, notification_connections=1
    ) as bench:
        stranger, one = await bench.device("stranger"), await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            misdirected = await to_own_list(stranger, listener)
            await to_own_list(one, listener)
            await bench.group("feeder", "stranger", "one")
            await settled(bench)
            (waiting,) = bench.store.reader.ledger.all_owed()
            assert (waiting.subscription_id, waiting.attempts) == (misdirected, 1)
            assert "LFDI" in str(waiting.error)
            assert len(listener.posted) == 1


async def test_a_place_that_was_taken_back_fails_the_deliveries_of_its_client_alone(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(
        tmp_path, sep2_pki, notification_gap_ms=0, notification_any_peer=True, notification_connections=1
    ) as bench:
        stranger, one = await bench.device("stranger"), await bench.device("one")
        for row, _ in (stranger, one):
            await bench.store.do(partial(allow, end_device_id=row.id))
        async with listening(bench.credentials("one")) as listener:
            barred = await to_own_list(stranger, listener)
            await to_own_list(one, listener)
            await bench.store.do(lambda tx: tx.ledger.disallow(stranger[0].id, HERE))
            await bench.group("feeder", "stranger", "one")
            await settled(bench)
            assert [one.subscription_id for one in bench.store.reader.ledger.all_owed()] == [barred]
            assert len(listener.posted) == 1


@pytest.fixture
async def slow(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server that gathers changes for longer than these tests take."""
    async with running(tmp_path, sep2_pki, notification_gap_ms=GAP_MS, notification_hosts=HERE) as bench:
        yield bench


async def test_what_finds_its_listener_too_busy_is_not_claimed_again_at_once(slow: Bench) -> None:
    async with listening(slow.credentials("one")) as listener:
        delivery, now_ms = await claimed(slow, listener)
        outcome = [Outcome(delivery, Result.LATER)]
        environment = slow.server.environment
        done = await slow.store.do(lambda tx: turn(tx, environment, outcome, "again", 1, now_ms))
        (owed,) = slow.store.reader.ledger.all_owed()
        assert (done.deliveries, owed.claim, owed.attempts) == ([], None, 0)
        assert 0 < owed.due - now_ms <= 1000


async def test_what_one_notifier_has_claimed_no_other_claims_until_that_claim_has_ended(slow: Bench) -> None:
    async with listening(slow.credentials("one")) as listener:
        delivery, now_ms = await claimed(slow, listener)
        environment = slow.server.environment
        ends = now_ms + 1000 * claim_s(environment)
        claims = []
        for at in (now_ms, ends - 1, ends):
            done = await slow.store.do(partial(claim_of, environment=environment, at=at))
            claims.append([one.owed.subscription_id for one in done.deliveries])
        assert claims == [[], [], [delivery.owed.subscription_id]]


async def test_a_delivery_whose_claim_may_end_on_its_way_is_left_to_the_next_one(slow: Bench) -> None:
    async with listening(slow.credentials("one")) as listener:
        delivery, now_ms = await claimed(slow, listener)
        slow.clock.set(now_ms // 1000 + claim_s(slow.server.environment))
        notifier = slow.server.notifications._notifier
        assert notifier is not None
        assert (await notifier._deliver(delivery)).result is Result.LATER
        assert listener.posted == []


def delivery_to(client_id: int, number: int) -> Delivery:
    owed = Owed(number, 0, 0, 0, 1, "test", 0, None)
    subscribed = Subscribed(
        id=number,
        list_id=1,
        client_id=client_id,
        owner_id=client_id,
        uri="",
        resource="",
        path="",
        notification_uri="",
        most=0,
        level="",
        encoding=0,
        low=None,
        high=None,
        seen=None,
        renewed_at=0,
    )
    return Delivery(owed, subscribed)


async def test_a_subscriber_is_told_in_order_and_others_at_the_same_listener_do_not_wait_for_it() -> None:
    begun: asyncio.Queue[int] = asyncio.Queue()
    ended: asyncio.Queue[int] = asyncio.Queue()
    released = {number: asyncio.Event() for number in range(1, 6)}

    async def deliver(delivery: Delivery) -> Outcome:
        begun.put_nowait(delivery.owed.subscription_id)
        await released[delivery.owed.subscription_id].wait()
        return Outcome(delivery, Result.DELIVERED)

    lanes = Lanes(deliver, lambda outcome: ended.put_nowait(outcome.delivery.owed.subscription_id), 8)
    there = Endpoint("https", "listener.example.com", 443)
    for client_id, number in ((1, 1), (1, 2), (1, 3), (2, 4), (2, 5)):
        lanes.add(there, delivery_to(client_id, number))
    assert [await begun.get(), await begun.get()] == [1, 4]
    for number in (5, 4, 3, 2, 1):
        released[number].set()
    told = [await ended.get() for _ in released]
    assert [number for number in told if number <= 3] == [1, 2, 3]
    assert [number for number in told if number > 3] == [4, 5]


async def test_what_is_not_delivered_when_all_stops_is_given_back_each_once() -> None:
    """One that is being posted, one that waits behind it, one that nobody has begun with, and a later one."""
    begun = asyncio.Event()
    told: list[tuple[int, Result]] = []

    async def deliver(_: Delivery) -> NoReturn:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    lanes = Lanes(deliver, lambda one: told.append((one.delivery.owed.subscription_id, one.result)), 8)
    there = Endpoint("https", "listener.example.com", 443)
    lanes.add(there, delivery_to(1, 1))
    lanes.add(there, delivery_to(1, 2))
    await begun.wait()
    lanes.add(there, delivery_to(2, 3))
    await lanes.stop()
    lanes.add(there, delivery_to(3, 4))
    await lanes.stop()
    assert sorted(told) == [(number, Result.LATER) for number in range(1, 5)]


@pytest.mark.parametrize(("took_s", "later_ms"), [(0.0005, 64), (0.01, 1280), (2.0, 10_000)])
async def test_what_finds_no_room_stays_away_for_as_long_as_its_listener_is_slow(
    monkeypatch: pytest.MonkeyPatch, took_s: float, later_ms: int
) -> None:
    """Else all that is owed to a slow listener was claimed and given back ten times a second."""
    seconds, told = [100.0], list[Outcome]()
    begun, told_one = asyncio.Event(), asyncio.Event()

    async def deliver(delivery: Delivery) -> Outcome:
        begun.set()
        await told_one.wait()
        told_one.clear()
        return Outcome(delivery, Result.DELIVERED)

    monkeypatch.setattr("sep2_server.notifications.lanes._now", lambda: seconds[0])
    lanes = Lanes(deliver, told.append, 1)
    there = Endpoint("https", "listener.example.com", 443)
    for number in range(LONGEST_QUEUE):
        lanes.add(there, delivery_to(number, number))
    await begun.wait()
    seconds[0] += took_s
    lanes.add(there, delivery_to(300, 300))
    assert told == []
    lanes.add(there, delivery_to(301, 301))
    assert [(one.result, one.later_ms) for one in told] == [(Result.LATER, later_ms)]
    await lanes.stop()


async def test_what_finds_no_room_before_its_listener_was_met_stays_away_for_a_moment_only() -> None:
    """Nobody knows yet that the listener is slow; all that is due is claimed before any is told."""
    told: list[Outcome] = []

    async def deliver(delivery: Delivery) -> Outcome:
        return Outcome(delivery, Result.DELIVERED)

    lanes = Lanes(deliver, told.append, 1)
    there = Endpoint("https", "listener.example.com", 443)
    for number in range(LONGEST_QUEUE + 1):
        lanes.add(there, delivery_to(number, number))
    assert [(one.result, one.later_ms) for one in told] == [(Result.LATER, 0)]
    await lanes.stop()


async def test_what_is_given_back_is_not_overtaken_by_what_waits_behind_it() -> None:
    """Nor by what comes before that is stored."""
    told: asyncio.Queue[Outcome] = asyncio.Queue()

    async def deliver(delivery: Delivery) -> Outcome:
        is_first = delivery.owed.subscription_id == 1
        return Outcome(delivery, Result.LATER if is_first else Result.DELIVERED)

    lanes = Lanes(deliver, told.put_nowait, 8)
    there = Endpoint("https", "listener.example.com", 443)
    for client_id, number in ((1, 1), (1, 2), (2, 3)):
        lanes.add(there, delivery_to(client_id, number))
    outcomes = [await told.get() for _ in range(3)]
    lanes.add(there, delivery_to(1, 4))
    outcomes.append(await told.get())
    results = {one.delivery.owed.subscription_id: one.result for one in outcomes}
    assert results == {1: Result.LATER, 2: Result.LATER, 3: Result.DELIVERED, 4: Result.LATER}
    lanes.settled(outcomes)
    lanes.add(there, delivery_to(1, 2))
    assert (await told.get()).result is Result.DELIVERED


async def test_a_subscriber_whose_names_have_no_answer_holds_up_no_other_at_a_listener_that_is_well() -> None:
    told: asyncio.Queue[Outcome] = asyncio.Queue()

    async def deliver(delivery: Delivery) -> Outcome:
        if delivery.subscribed.client_id == 1:
            raise HeldUpError("waits")
        return Outcome(delivery, Result.DELIVERED)

    lanes = Lanes(deliver, told.put_nowait, 1)
    there = Endpoint("https", "listener.example.com", 443)
    for client_id, number in ((1, 1), (2, 2), (1, 3), (3, 4)):
        lanes.add(there, delivery_to(client_id, number))
    outcomes = {one.delivery.owed.subscription_id: one for one in [await told.get() for _ in range(4)]}
    assert {number: one.result for number, one in outcomes.items() if number in {2, 4}} == {
        2: Result.DELIVERED,
        4: Result.DELIVERED,
    }
    assert (outcomes[1].result, outcomes[1].text, outcomes[1].later_ms) == (Result.LATER, "waits", HELD_UP_MS)
    assert outcomes[3].result is Result.LATER


async def all_owed(bench: Bench, count: int) -> None:
    """Wait until so many notifications are owed."""
    async with asyncio.timeout(10):
        while True:
            if len(bench.store.reader.ledger.all_owed()) >= count:
                return
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("each_database")
async def test_a_stop_leaves_nothing_claimed_and_its_subscriber_is_told_after_the_next_start(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(
        tmp_path, sep2_pki, notification_gap_ms=0, notification_hosts=HERE, shutdown_s=1
    ) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            numbers = [await to_own_list((row, client), listener)]
            made = await subscribe(client, row, f"{row.href}/lel", listener.uri)
            numbers.append(int(made.location.rpartition("/")[2]))
            listener.hold = asyncio.Event()
            await bench.group("feeder", "one")
            await client.post(f"{row.href}/lel", event(1))
            await listener.next()
            await all_owed(bench, len(numbers))
            await bench.server.notifications.stop()
            ledger = bench.store.reader.ledger
            owed = ledger.all_owed()
            assert {one.subscription_id for one in owed} == set(numbers)
            assert [(one.claim, one.claimed_until, one.attempts) for one in owed] == [(None, 0, 0)] * 2
            subscribed = ledger.subscription(numbers[0])
            assert subscribed is not None
            assert ledger.lanes([lane_of(subscribed)]) == {}
            listener.hold.set()
            bench.clock.advance(1)
            await bench.server.notifications.start()
            paths = {(await listener.next()).subscribedResource for _ in numbers}
            assert paths == {f"{row.href}/fsa", f"{row.href}/lel"}
            await settled(bench)


async def test_a_delivery_that_meets_no_store_is_made_once_that_is_back(
    told: Bench, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier = told.server.notifications._notifier
    assert notifier is not None
    document, failed = notifier._document, asyncio.Event()

    async def fail(*_: object) -> NoReturn:
        failed.set()
        raise StoreError("gone")

    monkeypatch.setattr(notifier, "_document", fail)
    await to_own_list((subscriber.row, subscriber.client), subscriber.listener)
    await told.group("feeder", "one")
    await failed.wait()
    monkeypatch.setattr(notifier, "_document", document)
    await settled(told)
    told.clock.advance(1)
    told.server.notifications.wake()
    await subscriber.listener.next()
    await settled(told)
    assert (told.store.reader.ledger.all_owed(), notifier._in_flight) == ([], 0)


async def test_an_error_in_a_delivery_is_an_attempt_that_failed(
    told: Bench, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier = told.server.notifications._notifier
    assert notifier is not None

    async def fail(*_: object) -> NoReturn:
        raise ArithmeticError

    monkeypatch.setattr(notifier, "_document", fail)
    await to_own_list((subscriber.row, subscriber.client), subscriber.listener)
    await told.group("feeder", "one")
    await settled(told)
    (owed,) = told.store.reader.ledger.all_owed()
    assert (owed.attempts, owed.error, notifier._in_flight) == (1, "error of the server", 0)


async def test_what_was_delivered_while_the_store_was_gone_is_not_told_again(
    told: Bench, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = told.store.do
    failures = iter([StoreError("gone")])

    async def fail_once(job: Callable[[Transaction], T]) -> T:
        if getattr(job, "func", None) is turn and job.keywords["outcomes"]:  # type: ignore[attr-defined]
            for failure in failures:
                raise failure
        return await stored(job)

    monkeypatch.setattr(told.store, "do", fail_once)
    await to_own_list((subscriber.row, subscriber.client), subscriber.listener)
    await told.group("feeder", "one")
    await subscriber.listener.next()
    await settled(told)
    assert next(failures, None) is None
    assert (told.store.reader.ledger.all_owed(), len(subscriber.listener.posted)) == ([], 1)
