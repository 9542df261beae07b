"""A subscriber is told in order: what waits for another attempt is not overtaken, whoever delivers."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from sep2_server.environment import Environment
from sep2_server.notifications.counters import Result
from sep2_server.notifications.entries import Owed
from sep2_server.notifications.settling import Delivery, Outcome, Own, Turn, claim_s, turn
from sep2_server.transaction import Transaction
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import WAIT_S, listening, settled, subscribe
from tests.integration.sep2_harness import START, Bench, running

STORED = pytest.mark.usefixtures("each_database")
HERE = "127.0.0.1"
GAP_MS = 3000


async def subscribed(subscriber: Subscriber, path: str, uri: str | None = None) -> int:
    """Subscribe the device to a resource; the id of the subscription."""
    made = await subscribe(subscriber.client, subscriber.row, path, uri or subscriber.listener.uri)
    return int(made.location.rpartition("/")[2])


async def change(bench: Bench, subscriber: Subscriber) -> None:
    """Change the EndDevice of a subscriber."""
    row = bench.store.reader.by_id(subscriber.row.id)
    assert row is not None
    await bench.store.do(lambda tx: tx.replace(row, row))


def told_of(subscriber: Subscriber) -> list[str]:
    """What the listener was told of, in order."""
    return [posted.decoded().subscribedResource for posted in subscriber.listener.posted]


async def later(bench: Bench, seconds: int) -> None:
    bench.clock.advance(seconds)
    bench.server.notifications.wake()
    await settled(bench)


def owed(bench: Bench) -> list[Owed]:
    return bench.store.reader.ledger.all_owed()


@STORED
async def test_what_waits_for_another_attempt_is_not_overtaken(told: Bench, subscriber: Subscriber) -> None:
    edev, fsa = subscriber.row.href, f"{subscriber.row.href}/fsa"
    await subscribed(subscriber, fsa)
    await subscribed(subscriber, edev)
    subscriber.listener.answer = 503
    await told.group("first", "one")
    await settled(told)
    (first,) = told_of(subscriber)
    (second,) = {edev, fsa} - {first}
    await change(told, subscriber)
    await settled(told)
    assert told_of(subscriber) == [first]
    assert [one.due for one in owed(told)] == [1000 * (told.clock.now() + 10)] * 2
    assert sorted(one.attempts for one in owed(told)) == [0, 1]
    subscriber.listener.answer = 201
    await later(told, 10)
    assert told_of(subscriber) == [first, first, second]
    assert owed(told) == []


@STORED
async def test_what_falls_due_just_before_another_attempt_comes_after_it(
    told: Bench, subscriber: Subscriber
) -> None:
    edev, fsa = subscriber.row.href, f"{subscriber.row.href}/fsa"
    await subscribed(subscriber, fsa)
    subscriber.listener.answer = 503
    await told.group("first", "one")
    await settled(told)
    await subscribed(subscriber, edev)
    subscriber.listener.answer = 201
    told.clock.advance(9)
    await change(told, subscriber)
    await later(told, 1)
    assert told_of(subscriber) == [fsa, fsa, edev]


@STORED
async def test_what_was_given_up_lets_the_next_one_be_told(told: Bench, subscriber: Subscriber) -> None:
    await subscribed(subscriber, f"{subscriber.row.href}/fsa")
    await subscribed(subscriber, subscriber.row.href)
    subscriber.listener.answer = lambda number: 503 if number <= 5 else 201
    await told.group("first", "one")
    await settled(told)
    for delay_s in (10, 100, 300, 1800):
        await later(told, delay_s)
    told_first = told_of(subscriber)
    assert len(set(told_first[:5])) == 1
    await later(told, 1)
    assert len(told_of(subscriber)) == 6
    assert (owed(told), len(told.store.reader.ledger.dead_letters())) == ([], 1)


@STORED
@pytest.mark.parametrize(("answer", "goes_on"), [(500, True), (503, False)])
async def test_a_path_of_a_listener_that_fails_again_holds_the_others_no_longer(
    told: Bench, subscriber: Subscriber, answer: int, *, goes_on: bool
) -> None:
    listener = subscriber.listener
    await subscribed(subscriber, f"{subscriber.row.href}/fsa", f"{listener.uri}/broken")
    listener.answer = lambda number: answer if listener.posted[number - 1].path == "/ntfy/broken" else 201
    await told.group("first", "one")
    await settled(told)
    await subscribed(subscriber, subscriber.row.href)
    await change(told, subscriber)
    await settled(told)
    assert [posted.path for posted in listener.posted] == ["/ntfy/broken"]
    await later(told, 10)
    assert [posted.path for posted in listener.posted] == ["/ntfy/broken"] * 2 + ["/ntfy"] * goes_on
    await change(told, subscriber)
    await later(told, 10)
    assert [posted.path for posted in listener.posted][2:] == ["/ntfy", "/ntfy"] * goes_on
    await later(told, 100)
    assert [posted.path for posted in listener.posted][-1] == "/ntfy/broken"


@STORED
async def test_another_listener_of_the_subscriber_and_other_subscribers_do_not_wait(
    told: Bench, subscriber: Subscriber
) -> None:
    two, other = await told.device("two")
    await subscribed(subscriber, subscriber.row.href)
    async with listening(told.credentials("one")) as elsewhere, listening(told.credentials("two")) as theirs:
        await subscribed(subscriber, f"{subscriber.row.href}/fsa", elsewhere.uri)
        await subscribe(other, two, two.href, theirs.uri)
        subscriber.listener.answer = 503
        await told.group("first", "one", "two")
        await settled(told)
        assert (len(subscriber.listener.posted), len(elsewhere.posted), len(theirs.posted)) == (1, 1, 1)


@STORED
async def test_a_clock_that_goes_back_delays_nothing_by_that(tmp_path: Path, sep2_pki: Pki) -> None:
    async with (
        running(tmp_path, sep2_pki, notification_gap_ms=GAP_MS, notification_hosts=HERE) as bench,
        listening(bench.credentials("one")) as listener,
    ):
        row, client = await bench.device("one")
        await subscribe(client, row, f"{row.href}/fsa", listener.uri)
        await bench.group("first", "one")
        await settled(bench)
        assert len(owed(bench)) == 1
        bench.clock.advance(-3600)
        bench.server.notifications.wake()
        assert (await listener.next()).subscribedResource == f"{row.href}/fsa"


@STORED
async def test_a_clock_that_goes_back_delays_no_other_attempt(told: Bench, subscriber: Subscriber) -> None:
    """What was owed before the clock was ahead, and failed while it was."""
    await subscribed(subscriber, f"{subscriber.row.href}/fsa")
    subscriber.listener.answer = 503
    await told.group("first", "one")
    await settled(told)
    await later(told, 86_400)
    (waiting,) = owed(told)
    assert (waiting.attempts, waiting.due) == (2, 1000 * (told.clock.now() + 100))
    subscriber.listener.answer = 201
    told.clock.advance(-86_400)
    told.server.notifications.wake()
    for _ in range(3):
        await subscriber.listener.next()
    await delivered(told)


async def delivered(bench: Bench) -> None:
    """Wait until nothing is owed."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if not owed(bench):
                return
            bench.server.notifications.wake()
            await asyncio.sleep(0.05)


@STORED
@pytest.mark.parametrize("is_claimed", [False, True])
async def test_a_server_that_starts_with_an_earlier_clock_tells_what_is_owed(
    tmp_path: Path, sep2_pki: Pki, *, is_claimed: bool
) -> None:
    """Also what a process has claimed that was killed while the clock was ahead."""
    settings: dict[str, Any] = {"notification_gap_ms": GAP_MS, "notification_hosts": HERE}
    async with running(tmp_path, sep2_pki, now=START + 86_400, **settings) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            port = listener.port
            await subscribe(client, row, f"{row.href}/fsa", listener.uri)
        await bench.group("first", "one")
        await settled(bench)
        if is_claimed:
            job = partial(
                turned,
                environment=bench.server.environment,
                claim="a.1",
                at=1000 * bench.clock.now() + GAP_MS,
            )
            assert len(await bench.store.do(job)) == 1
    async with (
        listening(bench.credentials("one"), port=port) as listener,
        running(tmp_path, sep2_pki, **settings) as bench,
    ):
        assert (await listener.next()).subscribedResource == f"{row.href}/fsa"
        await delivered(bench)


def turned(
    tx: Transaction, environment: Environment, claim: str, at: int, outcomes: Sequence[Outcome] = ()
) -> list[Delivery]:
    return turn(tx, environment, outcomes, claim, 10, at).deliveries


@STORED
async def test_one_notifier_at_a_time_delivers_to_a_subscriber(tmp_path: Path, sep2_pki: Pki) -> None:
    async with (
        running(tmp_path, sep2_pki, notification_gap_ms=GAP_MS, notification_hosts=HERE) as bench,
        listening(bench.credentials("one")) as listener,
    ):
        row, client = await bench.device("one")
        two, other = await bench.device("two")
        await subscribe(client, row, f"{row.href}/fsa", listener.uri)
        await bench.group("first", "one")
        await settled(bench)
        at = 1000 * bench.clock.now() + GAP_MS
        environment = bench.server.environment

        (first,) = await bench.store.do(partial(turned, environment=environment, claim="a.1", at=at))
        made = await subscribe(client, row, row.href, listener.uri)
        theirs = await subscribe(other, two, two.href, listener.uri)
        ids = [int(one.location.rpartition("/")[2]) for one in (made, theirs)]
        await bench.store.do(lambda tx: tx.ledger.owe_all(ids, at, at))
        claims = []
        for claim, when, outcomes in (
            ("b.1", at, []),
            ("b.2", at + 2000, []),
            ("a.2", at + 2000, [Outcome(first, Result.DELIVERED)]),
            ("b.3", at + 4000, []),
        ):
            job = partial(turned, environment=environment, outcomes=outcomes, claim=claim, at=when)
            claims.append([one.subscribed.path for one in await bench.store.do(job)])
        assert claims == [[two.href], [], [], [row.href]]


@STORED
async def test_a_subscriber_is_free_again_once_the_claim_of_a_dead_notifier_has_ended(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with (
        running(tmp_path, sep2_pki, notification_gap_ms=GAP_MS, notification_hosts=HERE) as bench,
        listening(bench.credentials("one")) as listener,
    ):
        row, client = await bench.device("one")
        await subscribe(client, row, f"{row.href}/fsa", listener.uri)
        await bench.group("first", "one")
        await settled(bench)
        at = 1000 * bench.clock.now() + GAP_MS
        environment = bench.server.environment
        ends = at + 1000 * claim_s(environment)
        claims = []
        for claim, when in (("a.1", at), ("b.1", ends - 1), ("b.2", ends)):
            job = partial(turned, environment=environment, claim=claim, at=when)
            claims.append(len(await bench.store.do(job)))
        assert claims == [1, 0, 1]


@dataclass
class Crowded:
    """Two notifiers, turned by hand at ms from the beginning; `a` has three notifications of one subscriber.

    The first is on its way, the second found no room and waits for 5 s, the third fell due after 2 s.
    """

    bench: Bench
    at: int
    ids: list[int]
    first: Delivery
    waits: Mapping[str, int]

    async def turn(self, claim: str, ms: int, outcomes: Sequence[Outcome] = ()) -> list[int]:
        """What a notifier claims, after what became of what it had."""
        busy = frozenset[str]() if outcomes else frozenset({self.first.lane})
        done = await self._turn(claim, ms, outcomes, Own(busy, self.waits if claim < "b" else {}))
        if claim < "b":
            self.waits = done.waits
        return [one.owed.subscription_id for one in done.deliveries]

    async def _turn(self, claim: str, ms: int, outcomes: Sequence[Outcome], own: Own) -> Turn:
        job = partial(
            turn,
            environment=self.bench.server.environment,
            outcomes=outcomes,
            claim=claim,
            most=10,
            now_ms=self.at + ms,
            own=own,
        )
        return await self.bench.store.do(job)


@pytest.fixture
async def crowded(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Crowded]:
    async with (
        running(tmp_path, sep2_pki, notification_gap_ms=GAP_MS, notification_hosts=HERE) as bench,
        listening(bench.credentials("one")) as listener,
    ):
        row, client = await bench.device("one")
        for path in (row.href, f"{row.href}/fsa", f"{row.href}/lel"):
            await subscribe(client, row, path, listener.uri)
        ids = [one.id for one in bench.store.reader.ledger.subscriptions()]
        at = 1000 * bench.clock.now() + GAP_MS
        await bench.store.do(lambda tx: tx.ledger.owe_all(ids[:2], at, at))
        claim = partial(turn, environment=bench.server.environment, most=10, now_ms=at)
        done = await bench.store.do(partial(claim, outcomes=[], claim="a.1"))
        first, second = done.deliveries
        back, own = [Outcome(second, Result.LATER, later_ms=5000)], Own(frozenset({first.lane}))
        done = await bench.store.do(partial(claim, outcomes=back, claim="a.2", own=own))
        await bench.store.do(lambda tx: tx.ledger.owe(ids[2], at + 2000, at + 2000))
        rest = [second.owed.subscription_id, ids[2]]
        yield Crowded(bench, at, rest, first, done.waits)


@STORED
async def test_what_found_no_room_is_not_overtaken_while_an_older_one_is_under_way(crowded: Crowded) -> None:
    assert await crowded.turn("a.3", 2500) == []
    assert await crowded.turn("b.1", 2500) == []
    assert await crowded.turn("b.2", 6000) == []
    assert await crowded.turn("a.4", 7000) == crowded.ids


@STORED
async def test_what_found_no_room_comes_before_what_fell_due_since_in_one_claim(
    crowded: Crowded,
) -> None:
    assert await crowded.turn("a.3", 5000) == crowded.ids


@STORED
async def test_what_found_no_room_is_not_overtaken_once_the_older_one_was_told(crowded: Crowded) -> None:
    told = [Outcome(crowded.first, Result.DELIVERED)]
    assert await crowded.turn("a.3", 2500, told) == []
    assert await crowded.turn("b.1", 2500) == []
    assert await crowded.turn("a.4", 4999) == []
    assert await crowded.turn("b.2", 5000) == crowded.ids


@STORED
async def test_an_attempt_that_failed_is_not_made_sooner_for_what_found_no_room(crowded: Crowded) -> None:
    failed = [Outcome(crowded.first, Result.FAILED)]
    assert await crowded.turn("a.3", 2500, failed) == []
    assert await crowded.turn("b.1", 5000) == []
    assert await crowded.turn("b.2", 12_499) == []
    assert await crowded.turn("b.3", 12_500) == [crowded.first.owed.subscription_id, *crowded.ids]


@STORED
async def test_what_is_given_back_at_a_stop_keeps_its_place(crowded: Crowded) -> None:
    """Whoever goes on claims it first."""
    stopped = [Outcome(crowded.first, Result.LATER, later_ms=None)]
    await crowded.turn("a.3", 4000, stopped)
    assert await crowded.turn("b.1", 5000) == [crowded.first.owed.subscription_id, *crowded.ids]
