"""How long to wait for a VTN that fails: longer each time, never the same for two VENs. Pure."""

from dataclasses import dataclass
from typing import Final

FIRST_S: Final = 1.0
SPREAD: Final = 0.1
MOST_DOUBLINGS: Final = 20


@dataclass(slots=True)
class Backoff:
    """Pauses of 1 s, 2 s, 4 s and so on up to `longest_s`, each a tenth more or less."""

    longest_s: float
    failures: int = 0

    def failed(self, chance: float, retry_after_s: float | None = None) -> float:
        """The pause after one more failure, s: at least what the VTN asks for. `chance` is in [0, 1)."""
        pause_s = min(FIRST_S * 2 ** min(self.failures, MOST_DOUBLINGS), max(self.longest_s, FIRST_S))
        self.failures += 1
        return max(spread(pause_s, chance), retry_after_s or 0.0)

    def worked(self) -> None:
        """The next failure is the first again."""
        self.failures = 0


def spread(seconds: float, chance: float) -> float:
    """A time, a tenth more or less."""
    return seconds * (1 + SPREAD * (2 * chance - 1))
