"""The time of a simulation: seconds since 1970 UTC that may run faster than ours."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_STEP_S: Final = 0.125
"""A step of the simulation may take so much of our time; time stands while it takes more."""


@dataclass(slots=True)
class SimClock:
    """`start` (s since 1970 UTC) now, and `speed` seconds for each of ours from then on."""

    start: float
    speed: float = 1.0
    real: Callable[[], float] = time.monotonic
    is_behind: bool = field(default=False, init=False)
    """Whether the machine has not kept up with the speed."""
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.real()

    def now(self) -> float:
        """The simulated time."""
        return self.start + (self.real() - self._began) * self.speed

    @contextmanager
    def step(self) -> Iterator[float]:
        """The simulated time, for the work that brings the simulation there.

        A step simulates what passed while the one before was at work. Where the machine does not keep up with
        the speed each would be longer than the last, without end: there time is slower than was asked for.
        """
        began = self.real()
        yield self.now()
        lost_s = self.real() - began - MOST_STEP_S
        if lost_s > 0:
            self._began += lost_s
            self.is_behind = True


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
