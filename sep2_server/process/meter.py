"""Counts what one process does. A request pays two look-ups; names and text are made at a scrape."""

import os
import resource
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from function_sets import METHODS
from sep2_server.errors import StoreError
from sep2_server.process.families import Samples, joined, sample

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms of times, s."""
JOBS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Upper bounds of the histogram of jobs in a commit."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_KNOWN: Final = {method: method for method in METHODS}

Gauge = Callable[[], float]


class Histogram:
    """How many observations lay below each bound, and their sum."""

    __slots__ = ("bounds", "buckets", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def samples(self, name: str, **labels: str) -> dict[str, float]:
        """The numbers of one series."""
        found: dict[str, float] = {}
        total = 0
        for bound, count in zip((*self.bounds, "+Inf"), self.buckets, strict=True):
            total += count
            found[sample(f"{name}_bucket", **labels, le=bound)] = total
        found[sample(f"{name}_sum", **labels)] = self.sum
        found[sample(f"{name}_count", **labels)] = total
        return found


class Meter:
    """The numbers of one process. `base` is what those before it at its place had counted."""

    def __init__(self, base: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self._base = base or {}
        self._requests: dict[tuple[str, str, int], list[int]] = {}
        self._seconds: dict[str, Histogram] = {}
        self._events: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._gauges: dict[tuple[str, tuple[tuple[str, str], ...]], Gauge] = {}
        self._stored: dict[tuple[str, tuple[tuple[str, str], ...]], Gauge] = {}
        self._common: dict[tuple[str, tuple[tuple[str, str], ...]], Gauge] = {}
        self._lock = threading.Lock()
        self.batches = Histogram(JOBS)
        self.commits = Histogram(SECONDS)

    def request(
        self, method: str, route: str, status: int, *, seconds: float, received: int, sent: int
    ) -> None:
        """Count one request with the octets of both bodies. For the thread of the event loop."""
        key = (method, route, status)
        held = self._requests.get(key)
        if held is None:
            held = self._requests.setdefault((_KNOWN.get(method, "other"), route, status), [0, 0, 0])
            if method in _KNOWN:
                self._seconds.setdefault(method, Histogram(SECONDS))
        held[0] += 1
        held[1] += received
        held[2] += sent
        times = self._seconds.get(method)
        if times is not None:
            times.observe(seconds)

    def count(self, name: str, number: int = 1, **labels: str) -> None:
        """Count something rarer than requests. Any thread may call."""
        with self._lock:
            self._events[name, tuple(labels.items())] += number

    def gauge(self, name: str, read: Gauge, **labels: str) -> None:
        """Ask `read` for a number at each scrape, in the thread of the event loop."""
        self._gauges[name, tuple(labels.items())] = read

    def stored(self, name: str, read: Gauge, **labels: str) -> None:
        """Ask for a number that stands in the store; where one raises a StoreError, none is told then."""
        self._stored[name, tuple(labels.items())] = read

    def common(self, name: str, read: Gauge, **labels: str) -> None:
        """As `stored`, for a number that every worker would tell alike: who is scraped alone asks for it."""
        self._common[name, tuple(labels.items())] = read

    def committed(self, jobs: int, seconds: float) -> None:
        """Count one commit. Any thread may call."""
        with self._lock:
            self.batches.observe(jobs)
            self.commits.observe(seconds)

    def turned_away(self, why: str) -> None:
        """Count a connection that was closed before its handshake."""
        self.count("lineside_turned_away_total", bound=why)

    def handshake_failed(self, why: str) -> None:
        """Count a connection that did not get through its handshake."""
        self.count("lineside_handshakes_total", result="failed", reason=why)

    def samples(self) -> Samples:
        """Every number as it is now, those of the base too; what the store does not tell is left out."""
        return joined((self._base, self._own({**self._stored, **self._common})))

    def own_samples(self) -> Samples:
        """Those, but for what all workers have in common: it may cost more than each should pay a second."""
        return joined((self._base, self._own(self._stored)))

    def _own(self, stored: Mapping[tuple[str, tuple[tuple[str, str], ...]], Gauge]) -> Samples:
        found: Samples = {}
        for (method, route, status), (count, received, sent) in self._requests.items():
            _put(found, "lineside_requests_total", count, method=method, route=route, status=status)
            _put(found, "lineside_received_octets_total", received)
            _put(found, "lineside_sent_octets_total", sent)
        for method, times in self._seconds.items():
            found.setdefault("lineside_request_seconds", {}).update(
                times.samples("lineside_request_seconds", method=method)
            )
        found["lineside_write_batch_jobs"] = self.batches.samples("lineside_write_batch_jobs")
        found["lineside_write_seconds"] = self.commits.samples("lineside_write_seconds")
        with self._lock:
            events = dict(self._events)
        for (name, labels), count in events.items():
            _put(found, name, count, **dict(labels))
        for (name, labels), read in self._gauges.items():
            _put(found, name, read(), **dict(labels))
        with suppress(StoreError):  # the first to fail has waited for the database: no other does
            for (name, labels), read in stored.items():
                _put(found, name, read(), **dict(labels))
        _put(found, "lineside_cpu_seconds_total", _cpu_s())
        _put(found, "lineside_resident_octets", _resident_octets())
        _put(found, "lineside_workers", 1)
        return found


def _put(found: Samples, name: str, value: float, **labels: object) -> None:
    held = found.setdefault(name, {})
    key = sample(name, **labels)
    held[key] = held.get(key, 0) + value


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _resident_octets() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
