"""The time of a simulation: seconds since 1970 UTC that may run faster than ours."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class SimClock:
    """`start` (s since 1970 UTC) now, and `speed` seconds for each of ours from then on."""

    start: float
    speed: float = 1.0
    real: Callable[[], float] = time.monotonic
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.real()

    def now(self) -> float:
        """The simulated time."""
        return self.start + (self.real() - self._began) * self.speed


def start_of(text: str | None, now: float) -> float:
    """The time that a user names: ISO 8601 (UTC where it says nothing) or seconds since 1970; now without.

    Raises ValueError for anything else.
    """
    if text is None:
        return now
    if text.replace(".", "", 1).isdigit():
        return float(text)
    named = datetime.fromisoformat(text)
    return (named if named.tzinfo else named.replace(tzinfo=UTC)).timestamp()
