"""How a device was before this client wrote to it: kept over a restart, so that just that is put back."""

from typing import Protocol, runtime_checkable


class FormerMemory(Protocol):
    """What keeps a text about one device over a restart."""

    async def former(self) -> str | None:
        """The text that was kept, or None."""
        ...

    async def keep_former(self, text: str) -> None:
        """Keep a text in the place of the one before; it is there when this returns, if the disk works."""
        ...


@runtime_checkable
class PuttingBack(Protocol):
    """A device that puts back what it found, and must remember what that was."""

    async def take_up(self, memory: FormerMemory) -> None:
        """Go on with what an earlier run found, and keep in `memory` what is found from now on."""
        ...


async def take_up(device: object, memory: FormerMemory) -> None:
    """Let a device go on with what an earlier run found, where it puts anything back."""
    if isinstance(device, PuttingBack):
        await device.take_up(memory)
