"""The moment for which many writes were prepared: what can wait a second does not get in their way.

One for all that runs in an event loop: who has to keep quiet knows nothing of who writes.
"""

import asyncio
from contextlib import suppress
from weakref import WeakKeyDictionary


class Quiet:
    """Whether it is quiet in an event loop."""

    def __init__(self) -> None:
        self._until_s: float | None = None
        self._held: set[asyncio.Future[None]] = set()

    def begin(self, until_s: float) -> None:
        """Let it be quiet until `end`, or until a time of the loop, s, at the latest."""
        self._until_s = until_s

    def end(self) -> None:
        """Let all go on."""
        self._until_s = None
        for one in self._held:
            let_go(one)

    def is_on(self, now_s: float) -> bool:
        """True while who can wait should wait."""
        return self._until_s is not None and now_s < self._until_s

    async def over(self, held: asyncio.Future[None] | None = None) -> bool:
        """Wait until it is over, or somebody lets go of `held`; False where it was not quiet."""
        loop = asyncio.get_running_loop()
        if self._until_s is None or not self.is_on(loop.time()):
            return False
        one = held or loop.create_future()
        self._held.add(one)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._until_s):
                    await one
        finally:
            self._held.discard(one)
        return True


def let_go(held: asyncio.Future[None]) -> None:
    """Keep someone waiting no longer, who may have gone already."""
    if not held.done():
        held.set_result(None)


_QUIETS: WeakKeyDictionary[asyncio.AbstractEventLoop, Quiet] = WeakKeyDictionary()


def quiet_of(loop: asyncio.AbstractEventLoop) -> Quiet:
    """The one of an event loop."""
    found = _QUIETS.get(loop)
    if found is None:
        found = _QUIETS[loop] = Quiet()
    return found


async def until_quiet_is_over() -> bool:
    """Wait while it is quiet in the running loop; False where it was not."""
    return await quiet_of(asyncio.get_running_loop()).over()
