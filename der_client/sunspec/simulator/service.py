"""Enter service: delay and ramp from permission to full power. IEEE 1547-2018, 4.10; SunSpec model 703."""

import math
from dataclasses import dataclass


@dataclass(slots=True)
class EnterService:
    """Whether the inverter may deliver power, and which share of it. It starts in service if `in_service`."""

    in_service: bool = True
    remaining_s: int = 0
    _since_s: float | None = None

    def __post_init__(self) -> None:
        self._since_s = -math.inf if self.in_service else None

    def step(self, *, may_start: bool, must_stop: bool, delay_s: float, ramp_s: float, now: float) -> float:
        """The share of the rating that may flow, 0..1, at `now`.

        `may_start` is permission with the grid inside the window for entering service; `must_stop` ends
        service at once. While the delay runs, a grid outside the window starts it anew.
        """
        if must_stop or (not self.in_service and not may_start):
            self.in_service, self._since_s, self.remaining_s = False, None, 0
            return 0.0
        if self._since_s is None:
            self._since_s = now
        waited_s = now - self._since_s
        self.remaining_s = 0 if self.in_service else max(0, math.ceil(delay_s - waited_s))
        if waited_s < delay_s and not self.in_service:
            return 0.0
        self.in_service = True
        return 1.0 if ramp_s <= 0 else min(1.0, (waited_s - delay_s) / ramp_s)
