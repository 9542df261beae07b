"""A connection that is let go when nobody has used it for a while: others can be served then."""

import asyncio
from collections.abc import Awaitable, Callable


class IdleRelease:
    """Closes what is idle. One task owns it."""

    def __init__(self, close: Callable[[], Awaitable[None]]) -> None:
        self._close = close
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    def busy(self) -> None:
        """It is used again: nothing is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def idle(self, after_s: float) -> None:
        """It is idle from now on: close it after this time."""
        self.busy()
        self._timer = asyncio.get_running_loop().call_later(after_s, self._due)

    async def stop(self) -> None:
        """Close nothing any more; wait for a closing that has begun."""
        self.busy()
        if self._closing is not None:
            await self._closing

    def _due(self) -> None:
        self._timer = None
        self._closing = asyncio.get_running_loop().create_task(self._closed())

    async def _closed(self) -> None:
        await self._close()
