"""A device and a disk that answer once a test lets them."""

import asyncio
import threading

from der_client.device import Applied, Fault, Reversion, Setpoint
from tests.integration.control_bench import Notes, Rig


class WaitingRig(Rig):
    """A device that answers a write only after `free`; `asked` tells that it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.free = asyncio.Event(), asyncio.Event()

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        answer = await super().apply(setpoint, reversion)
        self.asked.set()
        await self.free.wait()
        return answer


class SlowNotes(Notes):
    """A disk that gives back or takes one text only after `free`; `asked` tells that it was asked to.

    `taken` is what it took, in this order.
    """

    def __init__(self, name: str, body: str = "{}") -> None:
        super().__init__({name: body})
        self._name = name
        self.asked, self.free = threading.Event(), threading.Event()
        self.taken: list[str] = []

    def recall(self, name: str) -> str | None:
        found = super().recall(name)
        self._wait(name)
        return found

    def remember(self, name: str, body: str) -> None:
        self._wait(name)
        super().remember(name, body)
        if name == self._name:
            self.taken.append(body)

    def _wait(self, name: str) -> None:
        if name == self._name and not self.asked.is_set():
            self.asked.set()
            assert self.free.wait(10)
