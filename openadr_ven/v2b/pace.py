"""When to talk to a VTN: at the pace that it asked for, at once while it has more, slower while it fails.

Pure: times and chance are arguments. OpenADR 2.0b, R500.
"""

from dataclasses import dataclass, field
from typing import Final

FIRST_RETRY_S: Final = 1.0
"""The first pause after a failure, s; it doubles with each further one."""
RETRY_SPREAD: Final = 0.1
"""Part by which a pause after a failure is shorter or longer."""
POLL_SPREAD: Final = 0.1
"""Part by which a poll is later than asked for; never earlier."""
MOST_AT_ONCE: Final = 1_000
"""So many messages are fetched at once; a VTN that has still more is polled once a second."""
FLOOD_S: Final = 1.0
LONGEST_PART: Final = 1.2
"""No pause is longer than this part of the interval, with all that chance adds."""


@dataclass(slots=True)
class Pace:
    """When to talk next. `interval_s` is oadrRequestedOadrPollFreq, or our own where none is asked for."""

    interval_s: float
    next_at: float = 0.0
    failures: int = field(default=0)
    _in_a_row: int = field(default=0)

    def left_s(self, now: float) -> float:
        """How long until it is time to talk, s; 0 also where that is further off than any pause.

        Then the clock was set back, and the VTN would wait for as long as it was.
        """
        left_s = self.next_at - now
        is_pause = 0 < left_s <= LONGEST_PART * max(self.interval_s, FIRST_RETRY_S, FLOOD_S)
        return left_s if is_pause else 0.0

    def quiet(self, now: float, chance: float) -> None:
        """The VTN had nothing more: poll after the interval, and a little later by chance in [0, 1)."""
        self.failures = self._in_a_row = 0
        self.next_at = now + self.interval_s * (1 + POLL_SPREAD * chance)

    def more(self, now: float) -> bool:
        """The VTN had a message: poll again at once; False where it floods us and the next poll must wait."""
        self.failures = 0
        self._in_a_row += 1
        is_flood = self._in_a_row >= MOST_AT_ONCE
        self.next_at = now + FLOOD_S if is_flood else now
        return not is_flood

    def failed(self, now: float, chance: float) -> float:
        """No answer: wait 1 s, 2 s, 4 s and so on, a tenth more or less, no longer than the interval.

        The pause, s.
        """
        doubled_s = FIRST_RETRY_S * (1 << min(self.failures, 30))
        pause_s = min(doubled_s, max(self.interval_s, FIRST_RETRY_S))
        pause_s *= 1 + RETRY_SPREAD * (2 * chance - 1)
        self.failures += 1
        self.next_at = now + pause_s
        return pause_s
