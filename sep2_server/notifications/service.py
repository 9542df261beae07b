"""Notifications as part of a server: the matcher and the notifier of one process. A shell."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from function_sets import Clock
from sep2_server.clock import milliseconds
from sep2_server.dispatch import Dispatcher
from sep2_server.environment import Environment
from sep2_server.errors import StoreError
from sep2_server.feed import EVERYTHING
from sep2_server.lease import Lease
from sep2_server.notifications.counters import Counters
from sep2_server.notifications.definitions import redefine
from sep2_server.notifications.matching import begin, lapse, match, retire
from sep2_server.notifications.notifier import Notifier
from sep2_server.notifications.rendering import Renderer
from sep2_server.notifications.settling import longest_wait_ms
from sep2_server.rows import KIND_OF, Change
from sep2_server.settings import Settings
from sep2_server.store import Store
from sep2_server.transaction import Transaction

LEASE: Final = "notifications"
"""Of the processes on one database, the holder matches; all of them deliver."""
POLL_S: Final = 1.0
"""How often the change feed is looked at without being told: other processes write too."""
PACE_S: Final = 0.02
"""Least time between two looks, so that many commits share one."""
STEP: Final = 5000
"""Most changes that are matched in one transaction."""
GIVE_BACK_S: Final = 2.0
"""How long a stop waits for the store to take back what was not delivered."""
LAPSE_EVERY_S: Final = 60
DROP_EVERY_S: Final = 60
"""How often dead letters are looked through for those that are too old."""
AROUSING: Final = frozenset({"Subscription", EVERYTHING.kind})
"""Kinds of changes after which there may be a subscription where there was none."""

log = logging.getLogger(__name__)


class Notifications:
    """Reads the change feed into the outbox and empties the outbox, from `start` to `stop`."""

    def __init__(
        self, environment: Environment, store: Store, clock: Clock, dispatchers: Mapping[str, Dispatcher]
    ) -> None:
        self._environment = environment
        self._store = store
        self._clock = clock
        self.counters = Counters()
        self._renderers = {prefix: Renderer(one) for prefix, one in dispatchers.items()}
        self._lease = Lease(store, LEASE, self.wake)
        self._notifier: Notifier | None = None
        self._woken = asyncio.Event()
        self.scanned = 0
        self._is_consumer = False
        self._is_quiet = False
        """Whether nobody has subscribed to anything, as far as was heard."""
        self._lapsed_at = 0
        self._seen_ms = 0
        """The time as the matcher has seen it last, ms since 1970 UTC."""
        self._dropped_at: int | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def wake(self) -> None:
        """Look at the change feed and the outbox: something was written."""
        self._is_quiet = False
        self._woken.set()

    def hear(self, changes: Sequence[Change]) -> None:
        """Wake for what was written, told in order; nobody has to look at it where nobody has subscribed."""
        if self._is_quiet and AROUSING.isdisjoint(map(KIND_OF, changes)):
            self.scanned = changes[-1].seq
        else:
            self.wake()

    async def start(self) -> None:
        """Go on where the last process ended."""
        now_ms = milliseconds(self._clock)
        await self._lease.start()
        self.scanned = await self._store.do(partial(self._begin, now_ms=now_ms))
        self._notifier = Notifier(self._environment, self._store, self._clock, self._renderers, self.counters)
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._match(), name="sep2-matcher"),
            loop.create_task(self._notifier.run(), name="sep2-notifier"),
        ]

    def renew(self, settings: Settings) -> None:
        """Use the server's certificate as its files now are."""
        if self._notifier is not None:
            self._notifier.renew(settings)

    async def stop(self) -> None:
        """Let deliveries that are under way end, for a while; the rest is in the outbox, free for others."""
        if self._notifier is None:
            return
        matcher, notifier = self._tasks
        matcher.cancel()
        self._notifier.stop()
        await asyncio.wait([notifier], timeout=self._environment.settings.shutdown_s)
        await self._notifier.break_off()
        await asyncio.wait([notifier], timeout=GIVE_BACK_S)
        notifier.cancel()
        await asyncio.wait([matcher, notifier])
        await self._notifier.close()
        await self._lease.stop()

    def _begin(self, tx: Transaction, now_ms: int) -> int:
        if redefine(tx, self._environment, now_ms):
            log.info("Subscriptions to what is served elsewhere, or otherwise, have ended")
        return begin(tx, now_ms)

    async def _match(self) -> None:
        while True:
            try:
                await self._wait()
                if self._lease.is_held:
                    await self._look_back()
                    await self._lapse()
                    await self._drop_old()
                    await self._scan()
            except StoreError as flaw:
                log.warning("The matcher waits for the store: %s", flaw)
            except Exception:
                log.exception("The matcher failed; it goes on")

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
        await asyncio.sleep(PACE_S)
        self._woken.clear()
        if self._notifier is not None:
            self._notifier.wake()

    async def _scan(self) -> None:
        """Match all changes that there are now."""
        last, is_needed = await self._store.ask(
            lambda reader: (reader.last_change(), reader.ledger.has_subscriptions())
        )
        if not is_needed:
            self.scanned = last
            self._is_quiet = not self._woken.is_set()
            if self._is_consumer:
                self._is_consumer = not await self._store.do(retire)
            return
        self._is_consumer = True
        while self.scanned < last:
            upto = min(last, self.scanned + STEP)
            job = partial(
                match,
                environment=self._environment,
                scanned=self.scanned,
                upto=upto,
                now_ms=milliseconds(self._clock),
            )
            self.counters.owed += await self._store.do(job)
            self.scanned = upto
            if self._notifier is not None:
                self._notifier.wake()

    async def _look_back(self) -> None:
        """Where the clock has gone back, let nothing wait until it has come as far again. Also at a start."""
        now_ms = milliseconds(self._clock)
        if now_ms < self._seen_ms or not self._seen_ms:
            self._lapsed_at = 0
            furthest_ms = now_ms + longest_wait_ms(self._environment)
            while await self._store.do(lambda tx: tx.ledger.hasten(now_ms, furthest_ms)):
                log.info("Notifications that were owed by a clock that was ahead are due now")
        self._seen_ms = now_ms

    async def _lapse(self) -> None:
        """End the subscriptions that were not renewed in time."""
        expiry_s, now = self._environment.settings.subscription_expiry_s, self._clock.now()
        if not expiry_s or now < self._lapsed_at + LAPSE_EVERY_S:
            return
        self._lapsed_at = now
        job = partial(lapse, before=now - expiry_s, now_ms=milliseconds(self._clock))
        while await self._store.do(job):
            log.info("Subscriptions that were not renewed within %s s have ended", expiry_s)

    async def _drop_old(self) -> None:
        """Drop the dead letters that are too old, few at a time."""
        now = self._clock.now()
        if self._dropped_at is not None and 0 <= now - self._dropped_at < DROP_EVERY_S:
            return
        self._dropped_at = now
        before = now - self._environment.settings.dead_letter_retention_s
        while await self._store.ask(lambda reader: reader.ledger.has_dead_before(before)):
            self.counters.dropped += await self._store.do(lambda tx: tx.ledger.drop_old_dead(before))
