"""One lane for each listener, emptied by a bounded number of workers; each worker posts one at a time.

A subscriber is told one thing after another, in the order in which they fell due; where one has failed or is
given back, the others are given back too, to wait until that was told or given up.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sep2_server.errors import StoreError
from sep2_server.notifications.counters import Result
from sep2_server.notifications.posting import DeliveryError, Endpoint, HeldUpError, MisdirectedError
from sep2_server.notifications.settling import MOST_LATER_S, Delivery, Outcome

LONGEST_QUEUE: Final = 256
"""Most deliveries that wait for one listener in one process; the others stay in the outbox."""
HELD_UP_MS: Final = 5000
"""How long it stays there where its listener's name cannot be looked up yet."""

log = logging.getLogger(__name__)

Deliver = Callable[[Delivery], Awaitable[Outcome]]


def _now() -> float:
    return asyncio.get_running_loop().time()


class Lane:
    """What waits for one listener, by subscriber; no worker takes of a subscriber that another is at."""

    def __init__(self) -> None:
        self.workers: set[asyncio.Task[None]] = set()
        self.amount = 0
        self._took_s = 0.0
        self._began_s: float | None = None
        self._of: dict[int, deque[Delivery]] = {}
        self._free: deque[int] = deque()

    @property
    def has_work(self) -> bool:
        """Whether there is a delivery that may be made now."""
        return bool(self._free)

    def put(self, delivery: Delivery) -> None:
        """Let a delivery wait behind those of its subscriber."""
        client_id = delivery.subscribed.client_id
        if client_id not in self._of:
            self._of[client_id] = deque()
            self._free.append(client_id)
        self._of[client_id].append(delivery)
        self.amount += 1

    def later_s(self, now_s: float) -> float:
        """How long until half of a full queue is told, by what one took of late; 0 where none has begun."""
        took_s = self._took_s if self._began_s is None else max(self._took_s, now_s - self._began_s)
        return min(LONGEST_QUEUE / 2 * took_s / max(len(self.workers), 1), MOST_LATER_S)

    def take(self, now_s: float) -> Delivery:
        """The next delivery of the subscriber that waits for longest; `done` has to follow."""
        self._began_s = now_s
        self.amount -= 1
        return self._of[self._free.popleft()].popleft()

    def done(self, delivery: Delivery, took_s: float) -> None:
        """Let its subscriber's next one be taken."""
        self._took_s += (took_s - self._took_s) / 4
        client_id = delivery.subscribed.client_id
        if self._of[client_id]:
            self._free.append(client_id)
        else:
            del self._of[client_id]

    def clear_of(self, client_id: int) -> list[Delivery]:
        """Take all that wait of a subscriber at whom a worker is."""
        found = list(self._of[client_id])
        self._of[client_id].clear()
        self.amount -= len(found)
        return found

    def clear(self) -> list[Delivery]:
        """Take all that wait."""
        found = [delivery for queue in self._of.values() for delivery in queue]
        for queue in self._of.values():
            queue.clear()
        while self._free:
            del self._of[self._free.popleft()]
        self.amount = 0
        return found


class Lanes:
    """Hands deliveries to workers; `tell` hears of each outcome."""

    def __init__(self, deliver: Deliver, tell: Callable[[Outcome], None], most: int) -> None:
        self._deliver = deliver
        self._tell = tell
        self._most = most
        self._lanes: dict[Endpoint, Lane] = {}
        self._held: set[str] = set()
        """Subscribers at listeners, of whom a failure, or what is given back, is not stored yet."""
        self._is_stopped = False

    def add(self, endpoint: Endpoint, delivery: Delivery) -> None:
        """Deliver soon; given back at once where too many wait for this listener, or its subscriber waits.

        So it is once all was stopped.
        """
        if self._is_stopped or delivery.lane in self._held:
            self._tell(Outcome(delivery, Result.LATER, later_ms=None if self._is_stopped else 0))
            return
        lane = self._lanes.setdefault(endpoint, Lane())
        if lane.amount >= LONGEST_QUEUE:
            later_ms = int(1000 * lane.later_s(_now()))
            self._tell(Outcome(delivery, Result.LATER, later_ms=later_ms))
            return
        lane.put(delivery)
        if lane.has_work and len(lane.workers) < self._most:
            lane.workers.add(asyncio.get_running_loop().create_task(self._work(endpoint, lane)))

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        """Take note that these outcomes are stored: who waits is known to the store from now on."""
        self._held.difference_update(outcome.delivery.lane for outcome in outcomes if outcome.holds)

    async def stop(self) -> None:
        """Break off all posts and give back what was not delivered, for whoever claims it next.

        What was being posted may have arrived: it is then told twice.
        """
        self._is_stopped = True
        tasks = [task for lane in self._lanes.values() for task in lane.workers]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for lane in self._lanes.values():
            for one in lane.clear():
                self._tell(Outcome(one, Result.LATER, later_ms=None))

    async def _work(self, endpoint: Endpoint, lane: Lane) -> None:
        try:
            while lane.has_work:
                delivery = lane.take(began_s := _now())
                try:
                    self._end(lane, await self._outcome(delivery))
                except DeliveryError as flaw:
                    self._fail(str(flaw), [delivery, *lane.clear()])
                except asyncio.CancelledError:
                    self._tell(Outcome(delivery, Result.LATER, later_ms=None))
                    raise
                except Exception:
                    log.exception("A delivery failed in the server")
                    self._tell(Outcome(delivery, Result.FAILED, "error of the server", is_alone=True))
                finally:
                    lane.done(delivery, _now() - began_s)
        finally:
            lane.workers.difference_update({asyncio.current_task()})
            if not lane.workers and not lane.amount:
                self._lanes.pop(endpoint)

    async def _outcome(self, delivery: Delivery) -> Outcome:
        """How a delivery ends, if not in a way that is the same for all who are told at its listener."""
        try:
            return await self._deliver(delivery)
        except MisdirectedError as flaw:
            return Outcome(delivery, Result.FAILED, str(flaw))
        except HeldUpError as flaw:
            return Outcome(delivery, Result.LATER, str(flaw), later_ms=HELD_UP_MS)
        except StoreError as flaw:
            log.warning("A delivery waits for the store: %s", flaw)
            return Outcome(delivery, Result.LATER)

    def _end(self, lane: Lane, outcome: Outcome) -> None:
        """Tell an outcome; where the others of the subscriber wait for that, they are given back."""
        self._tell(outcome)
        if outcome.holds:
            self._held.add(outcome.delivery.lane)
            for one in lane.clear_of(outcome.delivery.subscribed.client_id):
                self._tell(Outcome(one, Result.LATER))

    def _fail(self, text: str, failed: list[Delivery]) -> None:
        """A listener that cannot be reached now cannot be reached for the others that wait either."""
        for one in failed:
            self._held.add(one.lane)
            self._tell(Outcome(one, Result.FAILED, text))
