"""Changes that are known before their second: all devices are written to first, the rest is done after that.

What holds from that second on was worked out before (`Scheduling.ahead`), and so were the writes
(`Controller.prepare`). Here is only who begins when: shortly before, each lets what it prepared pass the
gate; at the second all send; what follows of it comes after that.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from der_client.quiet import quiet_of
from der_client.server_clock import ServerClock
from der_client.watched import Watched

MANY: Final = 4
"""From so many EndDevices on that begin at one second, all else is quiet around it."""
TURN: Final = 4
"""After so many the bus gets its turn, so that answers and next writes do not wait for all."""
LEAST_LEAD_S, LEAD_EACH_S, MOST_LEAD_S = 0.2, 0.0015, 1.5
"""How long before their second they begin to pass the gate, s: at least, for each, at most."""
LEAST_WAIT_S, WAIT_EACH_S, MOST_WAIT_S = 0.3, 0.001, 1.5
"""How long the answers are waited for, s, before all else goes on: at least, for each, at most."""
LATE_S: Final = 5.0
"""How much longer than that they may need on a machine that is busy, s, before all else goes on."""
LOOK_S: Final = 1.0
"""How long at most the server's clock is taken to run on as it does, s."""


class Starter(Protocol):
    """Someone whose devices do something else from a known second on."""

    def arm(self, at_s: float) -> None:
        """Let what was prepared pass the gate: the second comes at `at_s`, local, s."""
        ...

    def begin(self) -> Sequence[asyncio.Future[None]]:
        """Send it, if it still holds; what is on its way."""
        ...

    def wake(self) -> None:
        """The second has come: look at the clock."""
        ...


class Starts:
    """Who begins at which second of the server's clock. One task runs it; others only enter themselves."""

    def __init__(self, clock: Watched[ServerClock | None], local_s: Callable[[], float]) -> None:
        self._clock = clock
        self._local_s = local_s
        self._entries: dict[Starter, int] = {}
        self._entered: Watched[int] = Watched(0)

    def enter(self, one: Starter, at: int) -> None:
        """Let someone begin at a second, server time, and at no other that was said before."""
        if self._entries.get(one) != at:
            self._entries[one] = at
            self._entered.set(at)

    def withdraw(self, one: Starter) -> None:
        """Let someone not begin: what was to hold from then on is in doubt."""
        self._entries.pop(one, None)

    async def run(self) -> None:
        """Let each begin at its second, for ever."""
        while True:
            version, at = self._entered.version, min(self._entries.values(), default=None)
            wait_s = None if at is None else self._wait_s(at)
            if at is None or wait_s is None:
                await self._entered.newer(version, None if at is None else LOOK_S)
                continue
            found = [one for one, second in self._entries.items() if second == at]
            lead_s = min(max(LEAST_LEAD_S, LEAD_EACH_S * len(found)), MOST_LEAD_S)
            if wait_s > lead_s:
                await self._entered.newer(version, min(LOOK_S, wait_s - lead_s))
            else:
                await self._at(at, wait_s, found)

    def _wait_s(self, at: int) -> float | None:
        """How long it is to a second of the server's clock, s; None while that is not known."""
        clock = self._clock.value
        return None if clock is None else at - clock.time_s(self._local_s())

    async def _at(self, at: int, wait_s: float, due: Sequence[Starter]) -> None:
        """Let all that begin at a second do so; once that is written, or after a while, the rest goes on."""
        loop = asyncio.get_running_loop()
        quiet, most_s = quiet_of(loop), min(LEAST_WAIT_S + WAIT_EACH_S * len(due), MOST_WAIT_S)
        is_quiet = len(due) >= MANY
        if is_quiet:
            quiet.begin(loop.time() + max(0.0, wait_s) + most_s + LATE_S)
        try:
            await self._arm(due, self._local_s() + wait_s)
            await asyncio.sleep(max(0.0, self._wait_s(at) or 0.0))
            sent = await self._begin(at, due)
            if is_quiet:
                quiet.begin(loop.time() + most_s)
            if sent:
                await asyncio.wait(sent, timeout=most_s)
        finally:
            quiet.end()
            for one in due:
                one.wake()

    async def _arm(self, due: Sequence[Starter], at_s: float) -> None:
        for number, one in enumerate(due, 1):
            one.arm(at_s)
            if number % TURN == 0:
                await asyncio.sleep(0)

    async def _begin(self, at: int, due: Sequence[Starter]) -> list[asyncio.Future[None]]:
        sent: list[asyncio.Future[None]] = []
        for number, one in enumerate(due, 1):
            if self._entries.get(one) == at:
                del self._entries[one]
                sent += one.begin()
            if number % TURN == 0:
                await asyncio.sleep(0)
        return sent
