"""The part of one device in the plan of its EndDevice: where a limit of the site is split."""

from collections.abc import Callable

from der_client.plan import Plan
from der_client.watched import Watched

Split = Callable[[Plan, int], Plan]
"""From the plan of an EndDevice to that of its device at an index."""


class PlanShare(Watched[Plan | None]):
    """The plan of an EndDevice as one of its devices sees it; never set by itself."""

    def __init__(self, whole: Watched[Plan | None], split: Split, index: int) -> None:
        super().__init__(None)
        self._whole = whole
        self._split = split
        self._index = index
        self._made: tuple[Plan | None, Plan | None] = (None, None)

    @property
    def value(self) -> Plan | None:
        """The part of the latest plan."""
        whole = self._whole.value
        if whole is not self._made[0]:
            self._made = whole, None if whole is None else self._split(whole, self._index)
        return self._made[1]

    @property
    def version(self) -> int:
        """Version of the whole."""
        return self._whole.version

    async def newer(self, version: int, timeout_s: float | None = None) -> bool:
        """Wait for a whole after `version`."""
        return await self._whole.newer(version, timeout_s)
