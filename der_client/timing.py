"""When to ask again: poll rates with jitter, and back-off after failures. Pure."""

from dataclasses import dataclass
from typing import Final

JITTER_SHARE: Final = 0.01
"""Enough to drift apart in an hour; with more a client is late by a whole poll after ten. CSIP-AUS PRC-03."""
MOST_JITTER_S: Final = 30.0
DEFAULT_POLL_S: Final = 900
"""Poll rate where the server gives none. IEEE 2030.5-2018, pollRate attribute."""


def due_s(read_s: float, poll_s: float, spread: float) -> float:
    """Local time of the next poll after a read at `read_s`; `spread` (0 to 1) is the jitter drawn then.

    Never earlier than `poll_s` later: a client should not poll faster than pollRate says.
    """
    return read_s + poll_s + spread * min(JITTER_SHARE * poll_s, MOST_JITTER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waiting times after failures in a row: doubled from `first_s` up to `most_s`, half of it random."""

    first_s: float = 1.0
    most_s: float = 300.0

    def wait_s(self, failures: int, spread: float) -> float:
        """Wait after `failures` (1 or more) failures in a row; `spread` is a random number from 0 to 1."""
        full_s = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 32))
        return full_s * (0.5 + 0.5 * spread)
