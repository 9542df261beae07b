"""Ride-through and trip: elements that act where the grid stays beyond a threshold. IEEE 1547-2018, 6.4/5."""

import math
from collections.abc import Iterable

from der_client.physics.active import Grid
from der_client.physics.orders import Element

ISLAND_S = 2.0
"""An unintentional island is detected and left within this time. IEEE 1547-2018, 8.1."""
RESTORE_S = 0.4
"""Output is back this long after the grid leaves a region of momentary cessation. IEEE 1547-2018, 6.4.2.7."""


class Timers:
    """How long the grid has been beyond each of some elements."""

    def __init__(self) -> None:
        self._since: dict[Element, float] = {}

    def step(self, elements: Iterable[Element], grid: Grid, now: float) -> bool:
        """True if an element acts at `now`, on whichever phase; the grid has been so since the last step."""
        volts, hertz = grid.voltages, grid.hertz
        beyond = [element for element in elements if any(element.is_beyond(v, hertz) for v in volts)]
        self._since = {element: self._since.get(element, now) for element in beyond}
        return any(now - since >= element.after_s - 1e-9 for element, since in self._since.items())

    def next_at(self, now: float) -> float:
        """When the next element acts if the grid stays as it is; infinite if none."""
        due = (since + element.after_s for element, since in self._since.items())
        return min((time for time in due if time > now), default=math.inf)

    def clear(self) -> None:
        """Forget what was counted."""
        self._since = {}


class IslandWatch:
    """How long the inverter has been alone with its load."""

    def __init__(self) -> None:
        self._since: float | None = None

    def step(self, grid: Grid, now: float, *, is_on: bool) -> bool:
        """True once an island must have been left; `is_on`: the inverter looks for islands."""
        if not (grid.is_island and is_on):
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        return now - self._since >= ISLAND_S - 1e-9

    def next_at(self, now: float) -> float:
        """When an island must be left; infinite if there is none, or if it was."""
        due = math.inf if self._since is None else self._since + ISLAND_S
        return due if due > now else math.inf
