"""Enter service: delay and ramp from permission to full power. IEEE 1547-2018, 4.10; SunSpec model 703."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from der_client.physics.orders import EnterWindow


@dataclass(slots=True)
class EnterService:
    """Whether the inverter may deliver power, and which share of it. It starts in service if `in_service`.

    `draw` gives a number from 0 to 1 for the random delay, once for each wait.
    """

    in_service: bool = True
    draw: Callable[[], float] = field(default=lambda: 0.0)
    remaining_s: int = 0
    _since_s: float | None = None
    _delay_s: float = 0.0

    def __post_init__(self) -> None:
        self._since_s = -math.inf if self.in_service else None

    def step(self, window: EnterWindow, *, may_start: bool, must_stop: bool, now: float) -> float:
        """The share of the rating that may flow, 0..1, at `now`.

        `may_start` is permission with the grid inside the window for entering service; `must_stop` ends
        service at once. While the delay runs, a grid outside the window starts it anew.
        """
        if must_stop or (not self.in_service and not may_start):
            self.in_service, self._since_s, self.remaining_s = False, None, 0
            return 0.0
        if self._since_s is None:
            self._since_s, self._delay_s = now, window.delay_s
            if window.random_s > 0:
                self._delay_s += self.draw() * window.random_s
        waited_s = now - self._since_s
        self.remaining_s = 0 if self.in_service else max(0, math.ceil(self._delay_s - waited_s))
        if waited_s < self._delay_s - 1e-9 and not self.in_service:
            return 0.0
        self.in_service = True
        if window.ramp_s <= 0:
            return 1.0
        return max(0.0, min(1.0, (waited_s - self._delay_s) / window.ramp_s))

    def next_at(self, window: EnterWindow, now: float) -> float:
        """When something changes by time alone: the end of the delay, then the end of the ramp."""
        if self._since_s is None or self._since_s == -math.inf:
            return math.inf
        starts_at = self._since_s + self._delay_s
        times = (starts_at, starts_at + max(window.ramp_s, 0.0))
        return min((time for time in times if time > now), default=math.inf)

    def is_ramping(self, window: EnterWindow, now: float) -> bool:
        """True between the start of delivery and full power."""
        if not self.in_service or self._since_s is None or self._since_s == -math.inf:
            return False
        return now < self._since_s + self._delay_s + window.ramp_s
