"""How many devices are spoken with at the same time: the rest wait their turn, so that no answer is late.

Time-outs of a bus begin with the request; with a thousand requests under way at once they would all be late.
"""

import asyncio
from typing import Final

from der_client.device import Applied, Device, Fault, Nameplate, Reversion, Setpoint, Telemetry
from der_client.protected import may_write_grid_code

MOST_AT_ONCE: Final = 64
MOST_SCANS: Final = 8
"""Devices that are identified at once: a scan reads everything that a device has."""


class Crowd:
    """Lets so many devices of one client act at the same time, in the order in which they asked."""

    def __init__(self, most: int = MOST_AT_ONCE, most_scans: int = MOST_SCANS) -> None:
        self._acting = asyncio.Semaphore(most)
        self._scanning = asyncio.Semaphore(most_scans)

    def join(self, device: Device) -> "CrowdDevice":
        """The device as it acts in this crowd."""
        return CrowdDevice(device, self._acting, self._scanning)


class CrowdDevice:
    """A Device that waits for its turn."""

    def __init__(self, device: Device, acting: asyncio.Semaphore, scanning: asyncio.Semaphore) -> None:
        self.name = device.name
        self._device = device
        self._acting = acting
        self._scanning = scanning

    @property
    def allow_grid_code_writes(self) -> bool:
        """True where the installer gave the device that permission."""
        return may_write_grid_code(self._device)

    async def identify(self) -> Nameplate | Fault:
        """Ratings of the device."""
        async with self._scanning:
            return await self._device.identify()

    async def read(self) -> Telemetry | Fault:
        """Measurements of the device."""
        async with self._acting:
            return await self._device.read()

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Hand the setpoint to the device."""
        async with self._acting:
            return await self._device.apply(setpoint, reversion)

    async def close(self) -> None:
        """Let go of the bus."""
        await self._device.close()
