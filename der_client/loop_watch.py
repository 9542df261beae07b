"""Whether the control loop of a device runs in time. Interlock 17. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from der_client.interlocks import LoopFacts

LEAST_PERIOD_S: Final = 1.0
"""A loop that is faster than this is late no sooner: the reversion timers count seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopWatch:
    """How much later than due the last cycle began, s, and how many before it were late in a row."""

    period_s: float = LEAST_PERIOD_S
    late_s: float = 0.0
    late_cycles: int = 0

    def began(self, now: float, due_s: float | None, late_periods: float) -> "LoopWatch":
        """The watch as a cycle begins that was due at `due_s`, monotonic; late from `late_periods` on."""
        late_s = 0.0 if due_s is None else max(0.0, now - due_s)
        is_late = late_s >= late_periods * self.period_s
        return LoopWatch(
            period_s=self.period_s, late_s=late_s, late_cycles=self.late_cycles + 1 if is_late else 0
        )

    def told(self, facts: LoopFacts) -> LoopFacts:
        """What is known of a control loop, with what the watch has seen."""
        return replace(facts, period_s=self.period_s, late_s=self.late_s, late_cycles=self.late_cycles)


def watch_of(period_s: float) -> LoopWatch:
    """A watch for a loop of this period."""
    return LoopWatch(period_s=max(period_s, LEAST_PERIOD_S))
