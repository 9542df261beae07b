"""The tasks that send what the spool holds: Responses, LogEvents and readings.

What one EndDevice owes in one lane is sent in order, once; one whose URI is gone, or that is not registered
now, holds up no other. A body whose answer was lost is looked up at the server before it is sent again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Final

from der_client.errors import ExchangeError, MissingError, RefusedError, UnreachableError
from der_client.quiet import until_quiet_is_over
from der_client.spool import Lane, Owed, Spool
from der_client.upstream import Upstream
from der_client.watched import Watched
from schemas import SchemaError

log = logging.getLogger(__name__)

MOST_TRIES_MISSING: Final = 3
"""A body is given up once its URI is missing after this many rediscoveries."""
MOST_TRIES: Final = 16
"""It is given up too once it was missing so often at a server that answers, if no rediscovery ends."""
GRACE_S: Final = 2.0
"""How long a stop waits for an exchange that is under way."""
MOST_AT_ONCE: Final = 4
"""Bodies of one lane that are on their way at the same time, each of another EndDevice."""
Send = Callable[[Owed], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the bodies of one EndDevice in one lane are sent."""

    upstream: Upstream
    send: Send

    @property
    def is_open(self) -> bool:
        """True while the server has the EndDevice."""
        view = self.upstream.view.value
        return view is not None and view.is_registered


@dataclass(slots=True)
class Trouble:
    """Failures in a row of one EndDevice, or of the server, and until when nothing is tried, local s.

    `missing` counts those at a URI that was missing once a rediscovery had ended, `tries_missing` those at
    one that was missing while the server answered.
    """

    failures: int = 0
    missing: int = 0
    tries_missing: int = 0
    until_s: float = 0.0


class Outbox:
    """Sends one lane of the spool; `ways` may grow while it runs."""

    def __init__(self, lane: Lane, spool: Spool, ways: Mapping[str, Way]) -> None:
        self.lane = lane
        self._spool = spool
        self._ways = ways
        self._busy: set[str] = set()
        self._shut: tuple[tuple[int, int], frozenset[str]] = ((-1, -1), frozenset())
        self._trouble: dict[str, Trouble] = {}
        self._server = Trouble()

    async def run(self, queued: Watched[int]) -> None:
        """Send what waits, oldest first, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(min(MOST_AT_ONCE, max(1, len(self._ways)))):
                tasks.create_task(self._work(queued), name=f"outbox {self.lane} {number}")

    async def _work(self, queued: Watched[int]) -> None:
        """One of the tasks that send.

        Who takes a body lets the others look: what they saw when they fell asleep (who was busy, put off or
        without a server) may have changed, and this task may hang.
        """
        while True:
            version = queued.version
            await until_quiet_is_over()
            asked_s = self._local_s()
            owed = await asyncio.to_thread(self._spool.next, self.lane, self._held_up(asked_s))
            if owed is None or owed.owner in self._held_up(self._local_s()):
                await queued.newer(version, self._pause_s(asked_s) if owed is None else 0.0)
                continue
            self._busy.add(owed.owner)
            queued.set(queued.version)
            try:
                await finished(self._deal_with(owed))
            finally:
                self._busy.discard(owed.owner)

    def _local_s(self) -> float:
        return next((way.upstream.local_s() for way in self._ways.values()), 0.0)

    def _held_up(self, at_s: float) -> set[str]:
        """EndDevices whose bodies cannot be sent at `at_s`, local, s."""
        if not self._ways:
            return set(self._busy)
        if at_s < self._server.until_s:
            return set(self._ways)
        late = {owner for owner, trouble in self._trouble.items() if at_s < trouble.until_s}
        return self._busy | late | self._closed()

    def _closed(self) -> frozenset[str]:
        """EndDevices that the server has not; worked out again when one is registered, or not any more."""
        version = next(iter(self._ways.values())).upstream.poller.registered.version, len(self._ways)
        if self._shut[0] != version:
            self._shut = version, frozenset(owner for owner, way in self._ways.items() if not way.is_open)
        return self._shut[1]

    def _pause_s(self, asked_s: float) -> float | None:
        """Time until the next EndDevice may be tried that was put off at `asked_s`; None where none was.

        The spool was asked then, and not about those: one whose time came meanwhile is asked about now.
        """
        ends = [t.until_s for t in (self._server, *self._trouble.values()) if t.until_s > asked_s]
        return max(0.0, min(ends) - self._local_s()) if ends else None

    async def _deal_with(self, owed: Owed) -> None:
        if await self._try(owed):
            await asyncio.to_thread(self._spool.done, owed)

    async def _try(self, owed: Owed) -> bool:
        """Send one body; True if it is dealt with, for good or ill."""
        way = self._ways.get(owed.owner)
        if way is None:
            log.warning("%s about %s is of no EndDevice of this client", self.lane, owed.subject)
            return True
        try:
            await way.send(owed)
        except RefusedError as error:
            log.warning("%s about %s refused: %s", self.lane, owed.subject, error)
        except SchemaError as error:
            log.warning("%s about %s given up, it cannot be read: %s", self.lane, owed.subject, error)
        except MissingError as error:
            return self._rediscovered(way, owed, error)
        except UnreachableError as error:
            trouble = self._server if error.status is None else self._of(owed.owner)
            way.upstream.poller.doubt()
            self._put_off(way, trouble, error)
            return False
        self._trouble.pop(owed.owner, None)
        self._server = Trouble()
        return True

    def _of(self, owner: str) -> Trouble:
        return self._trouble.setdefault(owner, Trouble())

    def _rediscovered(self, way: Way, owed: Owed, error: MissingError) -> bool:
        """Ask for a rediscovery and try once more; give up where that did not help."""
        trouble, poller = self._of(owed.owner), way.upstream.poller
        trouble.missing += not poller.is_searching
        trouble.tries_missing += poller.is_answered
        if trouble.missing >= MOST_TRIES_MISSING or trouble.tries_missing >= MOST_TRIES:
            log.warning("%s about %s given up: %s", self.lane, owed.subject, error)
            del self._trouble[owed.owner]
            return True
        way.upstream.request_rediscovery()
        self._put_off(way, trouble, error)
        return False

    def _put_off(self, way: Way, trouble: Trouble, error: ExchangeError) -> None:
        upstream = way.upstream
        trouble.failures += 1
        log.debug("%s waits: %s", self.lane, error)
        wait_s = upstream.backoff.wait_s(trouble.failures, upstream.spread())
        trouble.until_s = upstream.local_s() + wait_s


async def finished(work: Coroutine[object, object, None]) -> None:
    """Do a piece of work to its end even if this task is cancelled meanwhile, for `GRACE_S` at most."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=GRACE_S)
        task.cancel()
        raise
