"""A word with a device before all of it is read: whether anything answers there."""

from typing import Protocol, runtime_checkable

from der_client.device import Fault


@runtime_checkable
class Knocking(Protocol):
    """A device that can be asked whether it is there, with next to nothing read."""

    async def knock(self) -> Fault | None:
        """None where the device answers anything at all, else why it is taken for silent."""
        ...


async def knock(device: object) -> Fault | None:
    """None where the device answers, or cannot be asked in so few words; else why it is silent."""
    return await device.knock() if isinstance(device, Knocking) else None
