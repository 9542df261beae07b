"""How many devices are spoken with at the same time: the rest wait their turn, so that no answer is late.

Time-outs of a bus begin with the request; with a thousand requests under way at once they would all be late.
Who has to do something else now goes before those that are only looked at, also while it is quiet.
A device that is silent keeps nobody waiting: it is asked whether it is there before it gets a turn.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from der_client.believable import plate_of
from der_client.device import (
    Applied,
    BatteryState,
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
from der_client.heard_bms import bms_says
from der_client.knock import knock
from der_client.protected import may_write_grid_code
from der_client.quiet import let_go, quiet_of
from der_client.relay import guard

MOST_AT_ONCE: Final = 64
MOST_SCANS: Final = 8
"""Devices that are identified at once: a scan reads everything that a device has."""


class Places:
    """So many at once, in the order in which they asked; those that are late before all others."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._late: deque[asyncio.Future[None]] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def taken(self, *, is_late: bool) -> AsyncIterator[None]:
        """Wait for a place, and give it to the next one at the end."""
        if self._free:
            self._free -= 1
        else:
            await self._given(self._late if is_late else self._waiting)
        try:
            yield
        finally:
            self._give()

    async def _given(self, waiting: deque[asyncio.Future[None]]) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._give()
            raise

    def _give(self) -> None:
        for waiting in (self._late, self._waiting):
            while waiting:
                place = waiting.popleft()
                if not place.done():
                    place.set_result(None)
                    return
        self._free += 1


class Crowd:
    """Lets so many devices of one client act at the same time."""

    def __init__(self, most: int = MOST_AT_ONCE, most_scans: int = MOST_SCANS) -> None:
        self._acting = Places(most)
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
        acting: Places,
        meeting: asyncio.Semaphore,
        scanning: asyncio.Semaphore,
    ) -> None:
        self.name = device.name
        self._device = device
        self._preparing = device if isinstance(device, PreparingDevice) else None
        self._acting = acting
        self._meeting = meeting
        self._scanning = scanning
        self._is_silent = self._is_late = False
        self._held: asyncio.Future[None] | None = None

    @property
    def allow_grid_code_writes(self) -> bool:
        """True where the installer gave the device that permission."""
        return may_write_grid_code(self._device)

    def guard(self, *, is_sound: bool) -> Fault | None:
        """Hold the relay of the device, if it has one, or open it; at once, out of turn."""
        return guard(self._device, is_sound=is_sound)

    def bms_says(self) -> BatteryState | Fault | None:
        """What the BMS of the device says; it needs no turn."""
        return bms_says(self._device)

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
            async with self._acting.taken(is_late=self._is_late):
                if self._may_go_on():
                    return await self._device.read()
            await self._until_it_may()

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Hand the setpoint to the device."""
        async with self._acting.taken(is_late=self._is_late):
            return await self._device.apply(setpoint, reversion)

    async def prepare(self, setpoint: Setpoint, reversion: Reversion) -> bool:
        """Read and work out all that writing the setpoint needs, where the device can do that."""
        if self._preparing is None:
            return False
        while not self._is_late:
            async with self._acting.taken(is_late=False):
                if self._may_go_on():
                    return await self._preparing.prepare(setpoint, reversion)
            await self._until_it_may()
        return False

    def begin(self, setpoint: Setpoint, reversion: Reversion) -> "asyncio.Future[None] | None":
        """Send what was prepared; all may do that at once, it is one short exchange."""
        return None if self._preparing is None else self._preparing.begin(setpoint, reversion)

    def hurry(self, *, is_late: bool) -> None:
        """Let it go before all that are not late, and not wait while it is quiet, until told otherwise."""
        self._is_late = is_late
        if is_late and self._held is not None:
            let_go(self._held)

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

    def _may_go_on(self) -> bool:
        loop = asyncio.get_running_loop()
        return self._is_late or not quiet_of(loop).is_on(loop.time())

    async def _until_it_may(self) -> None:
        loop = asyncio.get_running_loop()
        self._held = loop.create_future()
        try:
            await quiet_of(loop).over(self._held)
        finally:
            self._held = None
