"""What a control loop must find again after a restart: latches, which device it is, service, the operator."""

import asyncio
from collections.abc import Awaitable, Callable

from der_client.client_event import Tell
from der_client.device import Applied, Device, Fault, Setpoint
from der_client.former import take_up
from der_client.kept import Kept, Memory
from der_client.override import Override
from der_client.standing_order import StandingOrder
from der_client.taken_out import Service
from der_client.verified import Verified


class Lasting:
    """All that of one device, and where it is kept: until `restore` nowhere."""

    def __init__(self, name: str, tell: Tell) -> None:
        self.latched: frozenset[str] = frozenset()
        """Names of interlocks that wait for an operator."""
        self.verified = self._known = Verified()
        self.order, self.service = StandingOrder(), Service()
        self._name, self._tell = name, tell
        self._kept = Kept(name, None, tell)

    async def restore(
        self,
        memory: Memory | None,
        device: Device,
        system_s: Callable[[], float],
        local_s: Callable[[], float],
    ) -> None:
        """Take up what an earlier run left; what is kept from now on goes to `memory`."""
        self._kept = Kept(self._name, memory, self._tell)
        self.latched = await self._kept.latched()
        self.verified = self._known = await self._kept.verified()
        await self.service.restore(self._kept)
        await take_up(device, self._kept)
        await self.order.restore(self._kept, system_s, local_s)

    async def ordered(self, override: Override | None, system_s: float, now: float) -> None:
        """Take what an operator orders at `system_s` and monotonic `now`, s."""
        await self.order.order(override, self._kept, system_s, now)

    async def told(
        self, answer: Awaitable[Applied | Fault], setpoint: Setpoint, latched: frozenset[str]
    ) -> Applied | Fault:
        """The answer of a device that is told `setpoint`; new latches and a stop are kept meanwhile.

        Neither waits for the other: a slow disk holds up no stop, a slow device no latch.
        """
        result, _, _ = await asyncio.gather(
            answer,
            self.keep_latched(self.latched | latched),
            self.service.note(setpoint, self._kept, is_held=False),
        )
        await self.service.note(setpoint, self._kept, is_held=isinstance(result, Applied))
        return result

    async def keep(self, latched: frozenset[str], now: float) -> None:
        """Keep at monotonic `now`, s, what is latched, which device it is, and that an override is over."""
        await self.keep_latched(latched)
        if self.verified != self._known and not self.verified.is_pending:
            self._known = self.verified
            await self._kept.keep_verified(self.verified)
        await self.order.end(self._kept, now)

    async def keep_latched(self, latched: frozenset[str]) -> None:
        """Keep which interlocks are latched, where they are others than before."""
        if latched != self.latched:
            self.latched = latched
            await self._kept.keep_latched(latched)
