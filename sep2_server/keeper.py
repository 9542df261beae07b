"""The clock task: writes what time alone has changed at the second, and keeps the change feed short.

Ten thousand events may start in one second. Reads are right without the clock task, so it writes in small
commits and rests after each as long as that took: requests have the writer and the processor between two.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from function_sets import Clock
from sep2_server.environment import Environment
from sep2_server.errors import StoreError
from sep2_server.event_times import BATCH, over_ahead, repair_ahead, repair_due, repair_over, repair_spans
from sep2_server.extra_routes import LATEST_READING
from sep2_server.lease import Lease
from sep2_server.linking import link_on
from sep2_server.made_ahead import date_again, datings, made_ahead
from sep2_server.reader import Reader
from sep2_server.removal import remove_on
from sep2_server.rows import KIND_OF, Change, Linking
from sep2_server.store import Store
from sep2_server.transaction import Transaction
from sep2_server.usage_points import forget_readings

T = TypeVar("T")
LEASE: Final = "clock"
"""Of the processes on one database, the holder writes what is due. Reads repair what they need anyway."""
LONGEST_WAIT_S: Final = 30
SECONDS_OF_DAY: Final = 86_400
FORGET_EVERY_S: Final = 3600
SETS_AT_ONCE: Final = 200
LOOKED_AT_ONCE: Final = 500
DATED_AT_ONCE: Final = 50
ANSWERS_AT_ONCE: Final = 200
LONGEST_REST_S: Final = 0.1
FIRST_S: Final = 1.0
"""How long the start waits for what is due; the rest is written while the server serves."""
WORKING_S: Final = 1.0
"""How long members of groups are given links, or what is gone is removed, before it is looked what is due."""
REPORTED: Final = frozenset(
    {
        "DERAvailability",
        "DERCapability",
        "DERControlResponse",
        "DERSettings",
        "DERStatus",
        "DeviceInformation",
        "DeviceStatus",
        "DrResponse",
        "LogEvent",
        "MeterReading",
        "MirrorUsagePoint",
        "PowerStatus",
        "Reading",
        "ReadingList",
        "ReadingSet",
        "ReadingType",
        "Response",
        LATEST_READING,
    }
)
"""What devices report all the time, and time alone never changes."""
PACE_S: Final = 0.1
"""Writes that follow one another closely are looked at together."""
LOOK_S: Final = 1.0
"""How often the clock is looked at, whether it has gone back."""
PAUSE_S: Final = 0.5
"""How long the clock task rests after a failure, so that nothing else has to wait while it lasts."""

log = logging.getLogger(__name__)


class Keeper:
    """One task that looks after the rows that are due. A read that comes earlier repairs them itself."""

    def __init__(self, environment: Environment, store: Store, clock: Clock) -> None:
        self._environment = environment
        self._store = store
        self._clock = clock
        self._woken = asyncio.Event()
        self._forget_at = 0
        self._forget_answers_at = 0
        self._seen = 0
        """The time as this task has seen it last, s since 1970 UTC."""
        self._has_dated = False
        """Whether it has looked for events that were made while the clock was ahead, before it began."""
        self._found: Sequence[int] | None = None
        """The events that were there at the start, until then."""
        self._unshortened = 0
        """Changes that were heard of since it was last looked whether the feed is too long."""
        self._lease = Lease(store, LEASE, self.wake)
        self._task: asyncio.Task[None] | None = None

    @property
    def holds_lease(self) -> bool:
        """Whether this process is the one that writes what is due."""
        return self._lease.is_held

    def wake(self) -> None:
        """Look again when the next row is due: something was written."""
        self._woken.set()

    def hear(self, changes: Sequence[Change]) -> None:
        """Look again for what was written, but for what devices report all the time; that in due time."""
        self._unshortened += len(changes)
        if self._unshortened > self._most_unshortened or not REPORTED.issuperset(map(KIND_OF, changes)):
            self.wake()

    @property
    def _most_unshortened(self) -> int:
        """By how many changes the feed may become longer than it is kept."""
        return self._environment.settings.changes_kept // 10

    async def start(self) -> None:
        """Bring everything up to date, then keep it so."""
        await self._lease.start()
        self._seen = self._clock.now()
        if self._lease.is_held:
            self._found = await self._store.ask(Reader.not_over)
            await self._schedule_again()
            await self._repair(until_s=time.monotonic() + FIRST_S)
        self.wake()
        self._task = asyncio.get_running_loop().create_task(self._keep(), name="sep2-keeper")

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._lease.stop()

    async def _keep(self) -> None:
        while True:
            try:
                await self._wait()
                await self._look_back()
                if self._lease.is_held:
                    await self._repair()
                    await self._work_off(Reader.next_linking, self._linked)
                    await self._work_off(Reader.next_removal, remove_on)
                    await self._shorten()
                    await self._forget_readings()
                    await self._forget_answers()
            except StoreError as flaw:
                log.warning("The clock task waits for the store: %s", flaw)
                await asyncio.sleep(PAUSE_S)
            except Exception:
                log.exception("The clock task failed; it goes on")
                await asyncio.sleep(PAUSE_S)

    async def _wait(self) -> None:
        """Wait until something is due or was written, also while this task was at work."""
        next_at = await self._store.ask(Reader.next_due) if self._lease.is_held else None
        delay_s = LONGEST_WAIT_S if next_at is None else next_at - self._clock.now()
        try:
            async with asyncio.timeout(min(max(delay_s, 1), LONGEST_WAIT_S)):
                await self._stirred()
                await asyncio.sleep(PACE_S)
        except TimeoutError:
            log.debug("Nothing was written for %s s", delay_s)
        self._woken.clear()

    async def _stirred(self) -> None:
        """Wait until something was written, or the clock has gone back."""
        while not self._woken.is_set() and self._clock.now() >= self._seen:
            self._seen = self._clock.now()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()

    async def _look_back(self) -> None:
        """Take note of the time; where the clock has gone back, events that have not begun are scheduled."""
        now = self._clock.now()
        self._forget_at = min(self._forget_at, now + FORGET_EVERY_S)
        has_gone_back = now < self._seen
        if has_gone_back and self._lease.is_held:
            log.warning("The clock went back by %s s", self._seen - now)
            await self._schedule_again()
        if self._lease.is_held and (has_gone_back or not self._has_dated):
            await self._date_again(None if has_gone_back else self._found)
            self._has_dated, self._found = True, None
        self._seen = now

    async def _schedule_again(self) -> None:
        """Schedule what a clock that was ahead has begun, in short commits."""
        job = partial(repair_ahead, environment=self._environment, now=self._clock.now())
        while await self._store.ask(partial(Reader.ahead, now=self._clock.now(), limit=1)):
            if not await self._store.do(job):
                break
        reopen = partial(repair_spans, environment=self._environment, now=self._clock.now())
        while await self._store.ask(partial(Reader.spans_ahead, now=self._clock.now(), limit=1)):
            if not await self._store.do(reopen):
                break
        await self._bring_back()

    async def _date_again(self, events: Sequence[int] | None = None) -> None:
        """Give events that were made while the clock was ahead a time that has been, in short commits.

        Those with these row ids alone, where they are known.
        """
        now = self._clock.now()
        found: dict[int, int] = {}
        events = await self._store.ask(Reader.not_over) if events is None else events
        for numbers in _in_parts(events, LOOKED_AT_ONCE):
            found |= await self._store.ask(partial(made_ahead, numbers=numbers, now=now))
        for wanted in _in_parts(datings(found, now), DATED_AT_ONCE):
            await self._store.do(partial(date_again, environment=self._environment, wanted=wanted, now=now))
        if found:
            log.warning("%s events were made while the clock was ahead, and count as made now", len(found))

    async def _bring_back(self) -> None:
        """Let events go on that a clock that was ahead has ended, in short commits."""
        environment, now = self._environment, self._clock.now()
        after: int | None = 0
        while after is not None:
            if not await self._store.ask(partial(over_ahead, environment=environment, now=now, after=after)):
                return
            job = partial(repair_over, environment=environment, now=now, after=after)
            after = await self._store.do(job)

    async def _repair(self, until_s: float | None = None) -> None:
        """Write all rows that are due, in short commits; at the start without rest, until `until_s`."""
        written = BATCH
        while written == BATCH and not (until_s and time.monotonic() > until_s):
            now, begun_s = self._clock.now(), time.monotonic()
            if not await self._store.ask(partial(Reader.due, now=now, limit=1)):
                return
            written = await self._store.do(partial(repair_due, environment=self._environment, now=now))
            log.debug("%s rows were due", written)
            if until_s is None:
                await asyncio.sleep(min(time.monotonic() - begun_s, LONGEST_REST_S))

    def _linked(self, tx: Transaction) -> None:
        """Give some members of a large group the links that they have yet to be given."""
        link_on(tx, self._environment, self._clock.now())

    async def _work_off(
        self, left: Callable[[Reader], int | Linking | None], job: Callable[[Transaction], None]
    ) -> None:
        """Do what is `left` to be done, in short commits, for some time; then what is due has its turn."""
        until_s = time.monotonic() + WORKING_S
        while await self._store.ask(left) is not None:
            begun_s = time.monotonic()
            if begun_s > until_s:
                self.wake()
                return
            await self._store.do(job)
            await asyncio.sleep(min(time.monotonic() - begun_s, LONGEST_REST_S))

    async def _shorten(self) -> None:
        kept, self._unshortened = self._environment.settings.changes_kept, 0
        first, last = await self._store.ask(lambda reader: (reader.first_change(), reader.last_change()))
        oldest = last - kept
        if oldest > first + self._most_unshortened:
            await self._store.do(lambda tx: tx.forget_changes(oldest))

    async def _forget_readings(self) -> None:
        """Forget what clients read on days that are over long enough, in short commits; once an hour."""
        kept_s, now = self._environment.settings.reading_retention_s, self._clock.now()
        if not kept_s or now < self._forget_at:
            return
        day = (now - kept_s) // SECONDS_OF_DAY
        job = partial(forget_readings, environment=self._environment, day=day, sets=SETS_AT_ONCE)
        while await self._store.do(job):
            log.debug("Readings from before day %s were forgotten", day)
        self._forget_at = now + FORGET_EVERY_S

    async def _forget_answers(self) -> None:
        """Forget what operators were answered long enough ago, in short commits; once an hour."""
        now = self._clock.now()
        if 0 < self._forget_answers_at - now <= FORGET_EVERY_S:
            return
        before, forgotten = now - self._environment.settings.operator_answer_retention_s, ANSWERS_AT_ONCE
        while forgotten == ANSWERS_AT_ONCE:
            forgotten = await self._store.do(lambda tx: tx.forget_answered(before, ANSWERS_AT_ONCE))
        self._forget_answers_at = now + FORGET_EVERY_S


def _in_parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[first : first + size] for first in range(0, len(items), size))
