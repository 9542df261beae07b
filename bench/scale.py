"""1,000,000 EndDevices in the store against 1,000: at most 1.2 times the CPU per request."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bench import cycle, reads, writes
from bench.comparing import Side, against

if TYPE_CHECKING:
    from bench.measure import Result
    from bench.stand import Stand

BAR: Final = 1.2


def measure(large: Stand, small: Stand, sizes: tuple[int, int]) -> list[Result]:
    """Every kind of request on both."""
    few, many = f"{sizes[1]:,}", f"{sizes[0]:,}"
    results = []
    with large.server() as big, small.server() as little:
        mirrors = [writes.make_mirror(*where) for where in ((large, big.port), (small, little.port))]
        pairs = zip(
            [*reads.cases(large), *writes.cases(large, mirrors[0])],
            [*reads.cases(small), *writes.cases(small, mirrors[1])],
            strict=True,
        )
        for ours, theirs in pairs:
            named = replace(ours, name=f"{ours.name}, with {many} EndDevices")
            sides = Side(large, big, named), Side(small, little, theirs)
            results.append(against(*sides, BAR, f"the same with {few} EndDevices"))
        for at_once in (1, cycle.AT_ONCE):
            count = itertools.count(10**6)
            ours_now = cycle.Cycles(large, big, at_once, mirrors[0], count)
            theirs_now = cycle.Cycles(small, little, at_once, mirrors[1], count)
            compared = cycle.compared(ours_now, theirs_now)
            name = f"{compared.name}, with {many} EndDevices"
            results.append(replace(compared, name=name, bar=BAR, floor=f"the same with {few} EndDevices"))
    return results
