"""When a case ends whatever happens; the time of others, for which its target is not to blame, is added."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LONGEST_ACT_S: Final = 660.0
"""What one act of an operator or observer may take, s: a person has 600, a command 120 at most."""

T = TypeVar("T")


class Deadline:
    """The end of one case, real time; it moves by what passes while it is `held`.

    `slowest_s` is the longest time for which it was held at a stretch, s.
    """

    def __init__(self, bound_s: float) -> None:
        self.slowest_s = 0.0
        self._bound_s = bound_s
        self._timeout: asyncio.Timeout | None = None
        self._holders = 0
        self._since_s = self._due_s = 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The case is played inside. TimeoutError at the deadline."""
        try:
            async with asyncio.timeout(self._bound_s) as self._timeout:
                yield
        finally:
            self._timeout = None

    def extend(self, by_s: float) -> None:
        """Move the deadline."""
        timeout = self._live()
        if timeout is not None:
            self._due_s += by_s
            timeout.reschedule((timeout.when() or 0.0) + by_s)

    def ahead_s(self, acts: int) -> int:
        """What so many acts take if each takes what the slowest took so far, s; the deadline moves by it."""
        ahead_s = int(acts * self.slowest_s)
        self.extend(ahead_s)
        return ahead_s

    @contextmanager
    def held(self, most_s: float = LONGEST_ACT_S) -> Iterator[None]:
        """What passes inside is added to the deadline, at most `most_s`. Several may hold it at once."""
        self._hold(most_s)
        try:
            yield
        finally:
            self._release()

    def _hold(self, most_s: float) -> None:
        now_s, timeout = asyncio.get_running_loop().time(), self._live()
        self._holders += 1
        if timeout is None:
            return
        if self._holders == 1:
            self._since_s, self._due_s = now_s, timeout.when() or now_s
        latest_s = self._due_s + (now_s - self._since_s) + most_s
        timeout.reschedule(max(timeout.when() or now_s, latest_s))

    def _release(self) -> None:
        self._holders -= 1
        timeout = self._live()
        if timeout is not None and self._holders == 0:
            took_s = asyncio.get_running_loop().time() - self._since_s
            self.slowest_s = max(self.slowest_s, took_s)
            timeout.reschedule(self._due_s + took_s)

    def _live(self) -> asyncio.Timeout | None:
        """The timeout, unless the case does not run or has come to its end."""
        return None if self._timeout is None or self._timeout.expired() else self._timeout


class _Unhurried:
    """Somebody each of whose acts holds a deadline."""

    def __init__(self, who: object, deadline: Deadline) -> None:
        self._who = who
        self._deadline = deadline

    def __getattr__(self, name: str) -> object:
        act = getattr(self._who, name)

        async def done(*args: Any, **given: Any) -> object:  # noqa: ANN401  those of any act
            with self._deadline.held():
                return await act(*args, **given)

        return done if callable(act) else act


def unhurried(who: T, deadline: Deadline) -> T:
    """An operator or observer whose acts take nothing of the time that a case has."""
    return cast("T", _Unhurried(who, deadline))
