"""Laws of intervals: a pollRate is not undercut and not forgotten, readings come at postRate."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from conformance_tests.client.tolerances import (
    POLL_EARLY_S,
    POLL_EARLY_SHARE,
    POLL_LATE_FACTOR,
    POLL_LATE_S,
    POST_EARLY_SHARE,
)
from function_sets import readable_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance_tests.case import Level
    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.seen import Seen


def polls(bench: ClientBench, href: str, since: int = 0) -> list[Seen]:
    """The readings of a resource, each by its first request: further pages of a list are no poll."""
    return [one for one in bench.reads(href, since) if readable_query(one.query).start == 0]


def not_faster(bench: ClientBench, name: str, seen: Sequence[Seen], rate_s: float) -> None:
    """Check that no two polls are nearer to each other than the pollRate."""
    least_s = min(rate_s * (1 - POLL_EARLY_SHARE), rate_s - POLL_EARLY_S)
    gaps = [(later.elapsed_s - one.elapsed_s, later) for one, later in pairwise(seen)]
    shortest = min(gaps, key=lambda gap: gap[0], default=None)
    bench.trial.check(
        shortest is None or shortest[0] >= least_s,
        f"{name} is polled at most every {rate_s:.0f} s, its pollRate",
        seen="polled once" if shortest is None else f"shortest interval {shortest[0]:.1f} s",
        exchange=bench.proof(shortest[1]) if shortest else None,
    )


def not_forgotten(
    bench: ClientBench,
    name: str,
    seen: Sequence[Seen],
    rate_s: float,
    until_s: float,
    level: Level | None = None,
) -> None:
    """Check that a resource is polled about as often as its pollRate asks, up to a moment (elapsed, s)."""
    most_s = rate_s * POLL_LATE_FACTOR + POLL_LATE_S
    moments = [*(one.elapsed_s for one in seen), until_s]
    longest_s = max((later - one for one, later in pairwise(moments)), default=until_s)
    bench.trial.check(
        bool(seen) and longest_s <= most_s,
        f"{name} is polled again within {most_s:.0f} s while its pollRate is {rate_s:.0f} s",
        seen=f"{len(seen)} polls, longest interval {longest_s:.0f} s",
        level=level,
        exchange=bench.proof(seen[-1]) if seen else None,
    )


def spaced(bench: ClientBench, name: str, seen: Sequence[Seen], rate_s: float) -> None:
    """Check that postings are not nearer to each other than the postRate."""
    gaps = [(later.elapsed_s - one.elapsed_s, later) for one, later in pairwise(seen)]
    shortest = min(gaps, key=lambda gap: gap[0], default=None)
    bench.trial.check(
        shortest is None or shortest[0] >= rate_s * (1 - POST_EARLY_SHARE) - POLL_EARLY_S,
        f"readings of {name} come at most every {rate_s:.0f} s, the postRate",
        seen="came once" if shortest is None else f"shortest interval {shortest[0]:.1f} s",
        exchange=bench.proof(shortest[1]) if shortest else None,
    )
