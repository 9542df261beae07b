"""The clocks of a stage: one that never jumps, for waits and intervals, and that of its Time resource."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class StageClock:
    """Time of the stage: real time unless `scale` says how many of its seconds pass in one real second.

    `elapsed_s` never jumps. `time_s` is what the Time resource says, s since 1970 UTC; it begins at the
    system's time and jumps with `shift`. Made inside the event loop whose clock it follows.
    """

    def __init__(self, *, scale: float = 1.0, wall_s: Callable[[], float] = time.time) -> None:
        if scale <= 0:
            raise ValueError(f"scale: {scale} is not more than 0")
        self.scale = scale
        self.offset_s = 0
        self._local_s = asyncio.get_running_loop().time
        self._begun_s = self._local_s()
        self._wall_s = wall_s()

    def elapsed_s(self) -> float:
        """Seconds of the stage since it began."""
        return (self._local_s() - self._begun_s) * self.scale

    def time_s(self) -> float:
        """What the Time resource says, with its fraction."""
        return self._wall_s + self.offset_s + self.elapsed_s()

    def now(self) -> int:
        """What the Time resource says, s since 1970 UTC."""
        return int(self.time_s())

    def shift(self, by_s: int) -> None:
        """Let the Time resource jump; what is waited for goes on by `elapsed_s`."""
        self.offset_s += by_s

    def real_s(self, stage_s: float) -> float:
        """How long that many seconds of the stage take."""
        return stage_s / self.scale
