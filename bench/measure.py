"""How a promise is measured and told: medians of alternating runs, the floor beside it, the bar."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One promise: what was measured (ms), its floor (ms), and how many times the floor it may be."""

    name: str
    ours_ms: float
    floor_ms: float
    floor: str
    bar: float

    @property
    def ratio(self) -> float:
        """How many times the floor ours is."""
        return self.ours_ms / self.floor_ms

    @property
    def is_kept(self) -> bool:
        """True if the promise is kept."""
        return self.ratio <= self.bar


def alternating_ms(
    ours: Callable[[], object], floor: Callable[[], object], *, runs: int = 150
) -> tuple[float, float]:
    """Medians (ms) of two functions called in turn, after a warm-up, so that drift meets both alike."""
    for _ in range(10):
        ours()
        floor()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for function, kept in zip((ours, floor), times, strict=True):
            start = time.perf_counter()
            function()
            kept.append(time.perf_counter() - start)
    return statistics.median(times[0]) * 1e3, statistics.median(times[1]) * 1e3


def table(results: list[Result]) -> str:
    """The results as text of at most 100 columns."""
    head = f"{'promise':<38} {'ours':>9} {'floor':>9} {'ratio':>6} {'bar':>5}  {'':<6} floor is"
    rows = [
        f"{r.name:<38} {r.ours_ms:>6.3f} ms {r.floor_ms:>6.3f} ms {r.ratio:>6.2f} {r.bar:>5.1f}  "
        f"{'kept' if r.is_kept else 'MISSED':<6} {r.floor}"
        for r in results
    ]
    return "\n".join([head, *rows])
