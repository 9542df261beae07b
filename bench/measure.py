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
    """One promise: what was measured, its bar, and its floor where the bar is a multiple of one.

    `at_least`: the bar is the least that is allowed, not the most. `note` says what a reader must know.
    """

    name: str
    ours: float
    bar: float
    floor_value: float | None = None
    floor: str = ""
    unit: str = "ms"
    at_least: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        """What is held against the bar: the ratio to the floor, or the number itself."""
        return self.ours / self.floor_value if self.floor_value else self.ours

    @property
    def is_kept(self) -> bool:
        """True if the promise is kept."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


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
    """The results as a table for a terminal, which is one of Markdown too."""
    lines = ["| promise | measured | floor | held against the bar | bar | |", "|---|---|---|---|---|---|"]
    lines += [_row(result) for result in results]
    return "\n".join(lines)


def _row(result: Result) -> str:
    floor = f"{_number(result.floor_value)} {result.unit}" if result.floor_value else ""
    value = f"{result.value:.2f} x" if result.floor_value else f"{_number(result.ours)} {result.unit}"
    bar = f"{'>=' if result.at_least else '<='} {result.bar:g}"
    note = f" {result.note}" if result.note else ""
    verdict = "kept" if result.is_kept else "MISSED"
    measured = f"{_number(result.ours)} {result.unit}"
    return f"| {result.name} | {measured} | {floor} | {value} | {bar} | {verdict}{note} |"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if value < 10 else f"{value:,.0f}"
