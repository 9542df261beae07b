"""Ride-through and trip: elements that act where the grid stays beyond a threshold. IEEE 1547-2018, 6.4/5."""

import math
from collections.abc import Iterable

from der_client.physics.orders import Element

RESTORE_S = 0.4
"""Output is back this long after the grid leaves a region of momentary cessation. IEEE 1547-2018, 6.4.2.7."""


class Timers:
    """How long the grid has been beyond each of some elements."""

    def __init__(self) -> None:
        self._since: dict[Element, float] = {}

    def step(self, elements: Iterable[Element], voltage: float, hertz: float, now: float) -> bool:
        """True if an element acts at `now`; the grid has been so since the last step."""
        beyond = [element for element in elements if element.is_beyond(voltage, hertz)]
        self._since = {element: self._since.get(element, now) for element in beyond}
        return any(now - since >= element.after_s - 1e-9 for element, since in self._since.items())

    def next_at(self, now: float) -> float:
        """When the next element acts if the grid stays as it is; infinite if none."""
        due = (since + element.after_s for element, since in self._since.items())
        return min((time for time in due if time > now), default=math.inf)

    def clear(self) -> None:
        """Forget what was counted."""
        self._since = {}
