"""One queue for each listener, emptied by a bounded number of workers; each worker posts one at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from sep2_server.notifications.counters import Result
from sep2_server.notifications.posting import DeliveryError, Endpoint
from sep2_server.notifications.settling import Delivery, Outcome

LONGEST_QUEUE: Final = 256
"""Most deliveries that wait for one listener in one process; the others stay in the outbox."""

Deliver = Callable[[Delivery], Awaitable[Outcome]]


class Lanes:
    """Hands deliveries to workers; `tell` hears of each outcome."""

    def __init__(self, deliver: Deliver, tell: Callable[[Outcome], None], most: int) -> None:
        self._deliver = deliver
        self._tell = tell
        self._most = most
        self._queues: dict[Endpoint, deque[Delivery]] = {}
        self._workers: dict[Endpoint, set[asyncio.Task[None]]] = {}

    def add(self, endpoint: Endpoint, delivery: Delivery) -> None:
        """Deliver soon; given back at once where too many wait for this listener."""
        queue = self._queues.setdefault(endpoint, deque())
        if len(queue) >= LONGEST_QUEUE:
            self._tell(Outcome(delivery, Result.LATER))
            return
        queue.append(delivery)
        workers = self._workers.setdefault(endpoint, set())
        if len(workers) < self._most:
            workers.add(asyncio.get_running_loop().create_task(self._work(endpoint, queue)))

    async def stop(self) -> None:
        """End all workers; what they had is delivered by whoever claims it next."""
        tasks = [task for workers in self._workers.values() for task in workers]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _work(self, endpoint: Endpoint, queue: deque[Delivery]) -> None:
        try:
            while queue:
                delivery = queue.popleft()
                try:
                    self._tell(await self._deliver(delivery))
                except DeliveryError as flaw:
                    self._fail(str(flaw), delivery, queue)
        finally:
            workers = self._workers[endpoint]
            workers.difference_update({asyncio.current_task()})
            if not workers and not queue:
                self._workers.pop(endpoint)
                self._queues.pop(endpoint)

    def _fail(self, text: str, delivery: Delivery, queue: deque[Delivery]) -> None:
        """A listener that cannot be reached now cannot be reached for the others that wait either."""
        failed = [delivery, *queue]
        queue.clear()
        for one in failed:
            self._tell(Outcome(one, Result.FAILED, text))
