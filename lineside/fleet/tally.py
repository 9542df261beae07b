"""What a fleet measured: latencies and statuses by kind of request, as a value that can be added up. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

STEP: Final = math.log(1.05)
"""Latencies are counted in classes 5 % apart: that is how exact the percentiles are."""
SMALLEST_MS: Final = 0.01
PERCENTILES: Final = (50, 90, 99)
NO_ANSWER: Final = 0
"""Status of a request without an answer."""


@dataclass(slots=True)
class Latencies:
    """Latencies of one kind of request, ms."""

    classes: Counter[int] = field(default_factory=Counter)
    max_ms: float = 0.0

    @property
    def count(self) -> int:
        """How many there are."""
        return self.classes.total()

    def add(self, latency_ms: float) -> None:
        """Count one."""
        self.classes[round(math.log(max(latency_ms, SMALLEST_MS) / SMALLEST_MS) / STEP)] += 1
        self.max_ms = max(self.max_ms, latency_ms)

    def merge(self, other: Latencies) -> None:
        """Count those of another too."""
        self.classes += other.classes
        self.max_ms = max(self.max_ms, other.max_ms)

    @staticmethod
    def value_of(place: int) -> float:
        """Latency of a class, ms."""
        return SMALLEST_MS * math.exp(place * STEP)

    def percentile_ms(self, percent: float) -> float:
        """The latency that a share of all does not exceed, to 5 %; 0 where there are none."""
        left = self.count * percent / 100
        for place in sorted(self.classes):
            left -= self.classes[place]
            if left <= 0:
                return min(self.value_of(place), self.max_ms)
        return self.max_ms


@dataclass(slots=True)
class Kind:
    """One kind of request, such as `GET Time`: its statuses and latencies."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def errors(self) -> int:
        """Requests without an answer, or with a status of 400 or more."""
        return sum(n for status, n in self.statuses.items() if status == NO_ANSWER or status >= 400)


@dataclass(slots=True)
class Tally:
    """All that one process, or a whole fleet, measured so far; `seconds` is how long."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    handshakes: dict[str, Latencies] = field(default_factory=dict)
    flaws: Counter[str] = field(default_factory=Counter)
    ready: int = 0
    seconds: float = 0.0

    @property
    def requests(self) -> int:
        """Requests that were sent."""
        return sum(kind.statuses.total() for kind in self.kinds.values())

    @property
    def errors(self) -> int:
        """Requests that failed, and answers and connections that could not be used."""
        return sum(kind.errors for kind in self.kinds.values()) + self.flaws.total()

    def took(self, kind: str, status: int, latency_ms: float) -> None:
        """Count one exchange."""
        known = self.kinds.setdefault(kind, Kind())
        known.statuses[status] += 1
        known.latencies.add(latency_ms)

    def shook(self, *, resumed: bool, latency_ms: float) -> None:
        """Count one TLS handshake, TCP included."""
        self.handshakes.setdefault("resumed" if resumed else "full", Latencies()).add(latency_ms)

    def merge(self, other: Tally) -> None:
        """Add what another process measured in the same time."""
        for name, kind in other.kinds.items():
            known = self.kinds.setdefault(name, Kind())
            known.statuses += kind.statuses
            known.latencies.merge(kind.latencies)
        for name, latencies in other.handshakes.items():
            self.handshakes.setdefault(name, Latencies()).merge(latencies)
        self.flaws += other.flaws
        self.ready += other.ready
        self.seconds = max(self.seconds, other.seconds)

    def all_latencies(self) -> Latencies:
        """Latencies of every request."""
        whole = Latencies()
        for kind in self.kinds.values():
            whole.merge(kind.latencies)
        return whole
