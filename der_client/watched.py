"""A value that one task sets and others read, with a way to wait for the next one."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Watched(Generic[T]):
    """Holds the latest value; readers never block the writer. Values are immutable snapshots."""

    def __init__(self, value: T) -> None:
        self._value = value
        self._changed = asyncio.Event()
        self._version = 0

    @property
    def value(self) -> T:
        """The latest value."""
        return self._value

    @property
    def version(self) -> int:
        """How often a value was put."""
        return self._version

    def set(self, value: T) -> None:
        """Put a new value and wake everybody who waits for one."""
        self._value = value
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Wake everybody who waits, without a new value."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def newer(self, version: int, timeout_s: float | None = None) -> bool:
        """Wait for a value after `version`, or for `wake`; False if neither came within `timeout_s`."""
        if self.version != version:
            return True
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True
