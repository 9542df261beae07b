"""How many devices are spoken with at the same time: the rest wait their turn, so that no answer is late.

Time-outs of a bus begin with the request; with a thousand requests under way at once they would all be late.
A device that is silent keeps nobody waiting: it is asked whether it is there before it gets a turn.
"""

import asyncio
from typing import Final

from der_client.believable import plate_of
from der_client.device import (
    Applied,
    Device,
    Fault,
    FaultKind,
    Nameplate,
    PreparingDevice,
    Reversion,
    Setpoint,
    Telemetry,
)
from der_client.former import FormerMemory, take_up
from der_client.knock import knock
from der_client.protected import may_write_grid_code
from der_client.quiet import quiet_of, until_quiet_is_over
from der_client.relay import guard

MOST_AT_ONCE: Final = 64
MOST_SCANS: Final = 8
"""Devices that are identified at once: a scan reads everything that a device has."""


class Crowd:
    """Lets so many devices of one client act at the same time, in the order in which they asked."""

    def __init__(self, most: int = MOST_AT_ONCE, most_scans: int = MOST_SCANS) -> None:
        self._acting = asyncio.Semaphore(most)
        self._meeting = asyncio.Semaphore(most)
        self._scanning = asyncio.Semaphore(most_scans)

    def join(self, device: Device) -> "CrowdDevice":
        """The device as it acts in this crowd."""
        return CrowdDevice(device, self._acting, self._meeting, self._scanning)


class CrowdDevice:
    """A Device that waits for its turn."""

    def __init__(
        self,
        device: Device,
        acting: asyncio.Semaphore,
        meeting: asyncio.Semaphore,
        scanning: asyncio.Semaphore,
    ) -> None:
        self.name = device.name
        self._device = device
        self._preparing = device if isinstance(device, PreparingDevice) else None
        self._acting = acting
        self._meeting = meeting
        self._scanning = scanning
        self._is_silent = False

    @property
    def allow_grid_code_writes(self) -> bool:
        """True where the installer gave the device that permission."""
        return may_write_grid_code(self._device)

    def guard(self, *, is_sound: bool) -> Fault | None:
        """Hold the relay of the device, if it has one, or open it; at once, out of turn."""
        return guard(self._device, is_sound=is_sound)

    async def take_up(self, memory: FormerMemory) -> None:
        """Let the device go on with what an earlier run found."""
        await take_up(self._device, memory)

    async def identify(self) -> Nameplate | Fault:
        """Ratings of the device, read in its turn once it answers; while it is silent it has no turn."""
        found = plate_of(await self._knock() or await self._in_turn())
        self._is_silent = isinstance(found, Fault) and found.kind is FaultKind.NO_ANSWER
        return found

    async def read(self) -> Telemetry | Fault:
        """Measurements of the device; those of a moment that is quiet come after it."""
        while True:
            async with self._acting:
                if not _is_quiet():
                    return await self._device.read()
            await until_quiet_is_over()

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Hand the setpoint to the device."""
        async with self._acting:
            return await self._device.apply(setpoint, reversion)

    async def prepare(self, setpoint: Setpoint, reversion: Reversion) -> bool:
        """Read and work out all that writing the setpoint needs, where the device can do that."""
        if self._preparing is None:
            return False
        while True:
            async with self._acting:
                if not _is_quiet():
                    return await self._preparing.prepare(setpoint, reversion)
            await until_quiet_is_over()

    def begin(self, setpoint: Setpoint, reversion: Reversion) -> "asyncio.Future[None] | None":
        """Send what was prepared; all may do that at once, it is one short exchange."""
        return None if self._preparing is None else self._preparing.begin(setpoint, reversion)

    async def close(self) -> None:
        """Let go of the bus."""
        await self._device.close()

    async def _in_turn(self) -> Nameplate | Fault:
        async with self._scanning:
            return await self._device.identify()

    async def _knock(self) -> Fault | None:
        """Whether the device is there; at first so many at once, later those alone that were silent."""
        if self._is_silent:
            return await knock(self._device)
        async with self._meeting:
            return await knock(self._device)


def _is_quiet() -> bool:
    loop = asyncio.get_running_loop()
    return quiet_of(loop).is_on(loop.time())
