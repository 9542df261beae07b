"""The notifier: claims what is due in the outbox, delivers it and stores what became of it. A shell.

Any number of processes may run one: a claim has an end, and what a dead process had is delivered by another.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from function_sets import Clock
from sep2_server.clock import milliseconds
from sep2_server.environment import Environment
from sep2_server.errors import RemoteError, StoreError
from sep2_server.event_times import repair_list
from sep2_server.listing import RepairDue
from sep2_server.notifications.bars import Bars
from sep2_server.notifications.counters import Counters, Result, result_of
from sep2_server.notifications.entries import Subscribed
from sep2_server.notifications.lanes import Lanes
from sep2_server.notifications.listeners import Addressee, Listeners
from sep2_server.notifications.posting import address_of_listener
from sep2_server.notifications.rendering import Lost, Renderer, Withheld
from sep2_server.notifications.settling import Delivery, Outcome, Own, Party, Turn, turn
from sep2_server.reader import Reader
from sep2_server.settings import Settings
from sep2_server.store import Store

CAPACITY: Final = 1024
"""Most deliveries that one process has claimed at a time."""
TOGETHER: Final = 64
"""Outcomes that are worth a commit of their own."""
LINGER_S: Final = 0.02
"""How long outcomes wait for others to share their commit."""
POLL_S: Final = 1.0
"""How often the outbox is looked at without being told: other processes fill it too."""
TRIES: Final = 10
"""How often a turn is tried that the database refuses, though it is there."""
WHOLE_LISTENER: Final = frozenset({502, 503, 504})
"""Statuses that are about a listener, or what stands before it, rather than about one of its paths."""

log = logging.getLogger(__name__)


class Notifier:
    """One task that claims and settles, and lanes that deliver."""

    def __init__(
        self,
        environment: Environment,
        store: Store,
        clock: Clock,
        renderers: Mapping[str, Renderer],
        counters: Counters,
    ) -> None:
        self._environment = environment
        self._store = store
        self._clock = clock
        self._renderers = renderers
        self._counters = counters
        self._listeners = Listeners(environment)
        self._bars = Bars(store)
        self._lanes = Lanes(self._deliver, self._hear, environment.settings.notification_connections)
        self._outcomes: list[Outcome] = []
        self._in_flight = 0
        self._under_way: Counter[str] = Counter()
        """How many deliveries are claimed by lane, as long as there are any."""
        self._waits: Mapping[str, int] = {}
        self._claims = 0
        self._refused = 0
        """How many turns in a row the database has refused, though it was there."""
        self._name = secrets.token_hex(8)
        self._woken = asyncio.Event()
        self._enough = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look into the outbox again."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until `stop` was called and nothing is under way."""
        self._bars.start()
        while not (self._stopping and not self._in_flight and not self._outcomes):
            try:
                self._woken.clear()
                now_ms = milliseconds(self._clock)
                due = await self._next_due(now_ms) if self._in_flight < CAPACITY else None
                if not await self._step(due, now_ms):
                    await self._wait(due, now_ms)
            except StoreError as flaw:
                log.warning("The notifier waits for the store: %s", flaw)
                await asyncio.sleep(POLL_S)
            except Exception:
                log.exception("The notifier failed; it goes on")
                await asyncio.sleep(POLL_S)

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True
        self.wake()

    async def break_off(self) -> None:
        """Give back what is not delivered: `run` stores that, and ends."""
        await self._lanes.stop()

    def renew(self, settings: Settings) -> None:
        """Use the server's certificate as its files now are."""
        self._listeners.renew(settings)

    async def close(self) -> None:
        """Break off what is still under way, if anything, and close the connections."""
        await self.break_off()
        self._bars.stop()
        self._listeners.close()

    async def _step(self, due: int | None, now_ms: int) -> bool:
        """Settle what has ended and claim what is due; False where there is nothing to do."""
        most = CAPACITY - self._in_flight if due is not None and due <= now_ms else 0
        if not self._outcomes and not most:
            return False
        await self._gather()
        outcomes, self._outcomes = self._outcomes, []
        self._enough.clear()
        self._in_flight -= len(outcomes)
        ended = Counter(one.delivery.lane for one in outcomes)
        self._claims += 1
        job = partial(
            turn,
            environment=self._environment,
            outcomes=outcomes,
            claim=f"{self._name}.{self._claims}",
            most=most,
            now_ms=now_ms,
            own=Own(frozenset(lane for lane in ended if self._under_way[lane] > ended[lane]), self._waits),
        )
        try:
            done = await self._store.do(job)
        except Exception as flaw:
            self._put_back(outcomes, is_refused=not isinstance(flaw, StoreError))
            raise
        self._refused, self._waits = 0, done.waits
        self._count(outcomes, done)
        self._lanes.settled(outcomes)
        self._in_flight += len(done.deliveries)
        self._under_way = self._under_way - ended + Counter(one.lane for one in done.deliveries)
        for delivery in done.deliveries:
            self._lanes.add(delivery.endpoint, delivery)
        return True

    def _put_back(self, outcomes: list[Outcome], *, is_refused: bool) -> None:
        """Keep outcomes that were not stored for the next turn, unless they are refused again and again.

        Those are let go, so that all others are told: what they are of is delivered again once its claim
        has ended.
        """
        self._refused = self._refused + 1 if is_refused else 0
        if self._refused < TRIES:
            self._outcomes = outcomes + self._outcomes
            self._in_flight += len(outcomes)
            return
        self._refused = 0
        self._under_way -= Counter(one.delivery.lane for one in outcomes)
        self._lanes.settled(outcomes)
        log.error("What became of %s deliveries cannot be stored: they are made again later", len(outcomes))

    async def _gather(self) -> None:
        """Let more deliveries end before they are stored together."""
        if self._outcomes and len(self._outcomes) < min(TOGETHER, self._in_flight):
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await self._enough.wait()

    async def _wait(self, due: int | None, now_ms: int) -> None:
        self._listeners.sweep()
        delay_s = POLL_S if due is None else (due - now_ms) / 1000
        if self._outcomes:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(delay_s, 0.001), POLL_S)):
                await self._woken.wait()

    async def _next_due(self, now_ms: int) -> int | None:
        """When the next notification is due, ms since 1970 UTC; None where none is to be claimed any more."""
        if self._stopping:
            return None
        due = await self._store.ask(lambda reader: reader.ledger.next_due(now_ms))
        return None if self._stopping else due

    def _hear(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        if len(self._outcomes) >= min(TOGETHER, self._in_flight):
            self._enough.set()
        self.wake()

    def _count(self, outcomes: list[Outcome], done: Turn) -> None:
        self._counters.deliveries.update(outcome.result for outcome in outcomes)
        self._counters.dead += done.dead
        self._counters.dropped += done.dropped
        for outcome in outcomes:
            if outcome.result not in {Result.DELIVERED, Result.WITHHELD, Result.LATER}:
                subscribed = outcome.delivery.subscribed
                log.info(
                    "Notification to %s is %s %s", subscribed.notification_uri, outcome.result, outcome.text
                )

    async def _deliver(self, delivery: Delivery) -> Outcome:
        """Make one delivery, unless its claim could end meanwhile. DeliveryError where nobody is reached."""
        subscribed, party = delivery.subscribed, delivery.party
        longest_ms = 1000 * self._environment.settings.notification_timeout_s
        if milliseconds(self._clock) + longest_ms >= delivery.owed.claimed_until:
            return Outcome(delivery, Result.LATER)
        if party is None:
            return Outcome(delivery, Result.GONE)
        try:
            body = await self._document(subscribed, party)
        except Withheld as why:
            return Outcome(delivery, Result.WITHHELD, str(why))
        except Lost:
            return Outcome(delivery, Result.LOST, f"{subscribed.path} is not the client's to see")
        codec = self._environment.codecs.of_encoding(subscribed.encoding)
        if codec is None:
            told = f"there is no codec any more for encoding {subscribed.encoding}"
            return Outcome(delivery, Result.FAILED, told, is_alone=True)
        status = await self._post(subscribed, party, codec.media_type, codec.encode(body))
        result = result_of(status, self._renderer_of(subscribed).rules)
        is_alone = delivery.owed.attempts > 0 and status not in WHOLE_LISTENER
        text = "" if result is Result.DELIVERED else f"answered {status}"
        return Outcome(delivery, result, text, is_alone=is_alone)

    def _renderer_of(self, subscribed: Subscribed) -> Renderer:
        """The renderer of a mount; that of the root for one that is gone, which can only tell so."""
        return self._renderers.get(subscribed.mount) or self._renderers[""]

    async def _document(self, subscribed: Subscribed, party: Party) -> bytes:
        renderer = self._renderer_of(subscribed)
        while True:
            now = self._clock.now()
            try:
                return await self._store.ask(
                    partial(self._told, renderer=renderer, subscribed=subscribed, party=party, now=now)
                )
            except RepairDue as due:
                job = partial(repair_list, environment=self._environment, list_id=due.list_id, now=now)
                await self._store.do(job)
            except RemoteError as flaw:
                raise Lost(str(flaw)) from flaw

    def _told(
        self, reader: Reader, renderer: Renderer, subscribed: Subscribed, party: Party, now: int
    ) -> bytes:
        """The document of a notification. Withheld from who is blocked or disabled at this moment."""
        self._require_served(reader, party)
        try:
            return renderer.document(reader, subscribed, party.client.lfdi, now)
        except Lost:
            self._require_served(reader, party)
            raise

    def _require_served(self, reader: Reader, party: Party) -> None:
        barred = self._bars.why(reader, party.client, party.aggregator or party.client)
        if barred is not None:
            raise Withheld(barred)

    async def _post(self, subscribed: Subscribed, party: Party, media_type: str, body: bytes) -> int:
        endpoint, target = address_of_listener(subscribed.notification_uri)
        is_any = self._environment.settings.notification_any_peer
        addressee = Addressee(
            (party.aggregator or party.client).lfdi,
            party.places,
            None if is_any else frozenset(client.lfdi for client in party.clients),
        )
        return await self._listeners.post(endpoint, target, body, media_type=media_type, addressee=addressee)
