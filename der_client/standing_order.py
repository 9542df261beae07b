"""The order of a local operator that stands: it may come at any time, while its device is waited for too."""

from collections.abc import Callable

from der_client.kept import Kept
from der_client.override import Override, Overriding


class StandingOrder:
    """The override of one device, in force and kept for a restart. What an operator ordered last holds."""

    def __init__(self) -> None:
        self._overriding = Overriding()
        self._is_ordered = False

    @property
    def is_none(self) -> bool:
        """True where no override was ordered, or the last one was released or is over."""
        return self._overriding.override is None

    def at(self, now: float) -> Override | None:
        """The override in force at `now`, monotonic, s."""
        return self._overriding.at(now)

    async def order(self, override: Override | None, kept: Kept, system_s: float, now: float) -> None:
        """Take an override, or a release (None), at `system_s` and monotonic `now`, s."""
        self._is_ordered = True
        self._overriding = Overriding() if override is None else Overriding.of(override, system_s, now)
        await kept.keep_override(override)

    async def restore(self, kept: Kept, system_s: Callable[[], float], local_s: Callable[[], float]) -> None:
        """Take up what an earlier run left, unless an operator was sooner: then that is kept in its place."""
        override = await kept.override()
        if self._is_ordered:
            await kept.keep_override(self._overriding.override)
        elif override is not None:
            self._overriding = Overriding.of(override, system_s(), local_s())

    async def end(self, kept: Kept, now: float) -> None:
        """Let go of an override that is over at `now`, monotonic, s; one that stands stays, however new."""
        if not self.is_none and self.at(now) is None:
            self._overriding = Overriding()
            await kept.keep_override(None)
