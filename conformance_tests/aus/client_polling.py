"""Whether a resource was polled as it was asked: neither missed nor too often. Times in s."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

TOGETHER_S: Final = 5.0
"""Reads so near to each other are one poll: the pages of a list, or one look at everything."""
MISSED: Final = 1.5
"""A gap of more intervals is a poll that was missed."""
MISS_WINDOW, BUSY_WINDOW = 5, 3
"""Windows, in intervals, within which at most one poll may be missed, and at most so many polls come."""
MOST_IN_WINDOW: Final = BUSY_WINDOW + 2


def polled(times_s: Sequence[float], every_s: float, until_s: float) -> str:
    """What is wrong with the polls of a resource up to a time, empty where nothing is."""
    polls = _apart(times_s)
    if not polls:
        return "never read"
    missed = [
        (start, end)
        for start, end in zip(polls, [*polls[1:], until_s], strict=True)
        if end - start > MISSED * every_s
    ]
    for (first, _), (second, end) in itertools.pairwise(missed):
        if end - first <= MISS_WINDOW * every_s:
            return f"polls were missed at {first:.0f} s and {second:.0f} s"
    long = next((end - start for start, end in missed if end - start > (MISSED + 1) * every_s), None)
    if long is not None:
        return f"not read for {long:.0f} s"
    for at, start in enumerate(polls):
        count = sum(one - start < BUSY_WINDOW * every_s for one in polls[at:])
        if count > MOST_IN_WINDOW:
            return f"read {count} times in {BUSY_WINDOW * every_s:.0f} s"
    return ""


def _apart(times_s: Sequence[float]) -> list[float]:
    found: list[float] = []
    for one in sorted(times_s):
        if not found or one - found[-1] > TOGETHER_S:
            found.append(one)
    return found
