"""A bounded queue of frames from any thread to one reader in the event loop; full, it drops the oldest."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from der_client.device import Fault

    from .frame import CanFrame


class FramePort(Protocol):
    """A seat on a CAN bus: a python-can bus (`CanLink`) or a place in the hub (`HubMember`)."""

    async def send(self, frame: CanFrame) -> Fault | None:
        """Put one frame on the bus; the fault if that was not possible."""
        ...

    async def receive(self) -> tuple[CanFrame, ...]:
        """Frames that others sent since the last call, at least one; none once the port is closed."""
        ...

    async def close(self) -> None:
        """Leave the bus; a waiting `receive` returns."""
        ...


class FrameInbox:
    """Made and read in one event loop; `put` and `close` may be called from any thread."""

    def __init__(self, max_frames: int = 4096) -> None:
        self.dropped = 0
        self._frames: deque[CanFrame] = deque(maxlen=max_frames)
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._is_waking = False
        self._is_closed = False

    def put(self, frame: CanFrame) -> None:
        """Add a frame; one wake-up serves all that arrive before the reader runs."""
        if len(self._frames) == self._frames.maxlen:
            self.dropped += 1
        self._frames.append(frame)
        self._wake()

    def close(self) -> None:
        """No more frames: `get` returns what is left, then nothing."""
        self._is_closed = True
        self._wake()

    async def get(self) -> tuple[CanFrame, ...]:
        """All frames that wait, at least one; none once closed and read out. Lets others run."""
        await asyncio.sleep(0)
        while True:
            self._ready.clear()
            self._is_waking = False
            if self._frames or self._is_closed:
                return tuple(self._frames.popleft() for _ in range(len(self._frames)))
            await self._ready.wait()

    def _wake(self) -> None:
        """Set the event once until the reader has looked; a loop that is gone has no reader."""
        if not self._is_waking:
            self._is_waking = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ready.set)
