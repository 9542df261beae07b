"""The task of a VEN that answers what vehicles ask for: at once for a new goal, else as devices are read."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from openadr_ven.reserving import Reserving
from openadr_ven.to_sep2 import Goal

RETRY_S: Final = 5.0


class Vehicles:
    """What the goals are, and who brings them about. Without a goal nobody is asked."""

    def __init__(self, reserving: Reserving, now: Callable[[], float], look_s: float) -> None:
        self._reserving = reserving
        self._now = now
        self._look_s = look_s
        self._goals: tuple[Goal, ...] | None = None
        self._turned = asyncio.Event()

    def want(self, goals: tuple[Goal, ...]) -> None:
        """What is wanted from now on. Until this was said once, nothing is done."""
        if goals != self._goals:
            self._goals = goals
            self._turned.set()

    async def run(self) -> None:
        """Answer until cancelled."""
        await self._turned.wait()
        while True:
            self._turned.clear()
            goals = self._goals or ()
            is_done = await self._reserving.bring_about(goals, int(self._now()))
            pause_s = min(RETRY_S, self._look_s) if not is_done else self._look_s if goals else None
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._turned.wait()
