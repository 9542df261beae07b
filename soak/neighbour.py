"""One well-behaved client in a process of its own, which tells how long it waited for each answer."""

import multiprocessing
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Final

from certs import Credentials
from schemas import Codec, LogEvent
from tests.integration.process.site_process import SiteProcess, Wire, context_of

PAUSE_S: Final = 0.02
ANEW: Final = 25
"""After so many rounds the client connects anew, with a full handshake."""
OVER_S: Final = 60.0
MOST_P99_MS: Final = 1000.0
MOST_MS: Final = 5000.0
STARTED: Final = "started"
_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass
class Waits:
    """How long each answer took, ms, by what was asked."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def add(self, what: str, began: float) -> None:
        """Keep one that began at a time of the monotonic clock."""
        self.of.setdefault(what, []).append((time.monotonic() - began) * 1000)

    def line(self, what: str) -> str:
        """Count, median, 99th percentile and longest as text."""
        found = sorted(self.of[what])
        middle, p99 = found[len(found) // 2], percentile(found, 0.99)
        return (
            f"{what}: {len(found)} answers, p50 {middle:.1f} ms, p99 {p99:.1f} ms, longest {found[-1]:.1f} ms"
        )

    def check(self, phase: str) -> None:
        """Print, and hold to the bounds."""
        for what in self.of:
            print(f"  {phase}, {self.line(what)}")  # noqa: T201
        assert self.of, "the neighbour was never served"
        for what, found in self.of.items():
            assert percentile(sorted(found), 0.99) <= MOST_P99_MS, what
            assert max(found) <= MOST_MS, what


def percentile(found: list[float], share: float) -> float:
    """The value that this share of the sorted values does not exceed."""
    return found[min(len(found) - 1, int(share * len(found)))]


def own_href(wire: Wire) -> str:
    """The EndDevice of a device that sees no other."""
    _, body, _ = wire.ask("GET", "/edev?l=1")
    found = re.search(rb'<EndDevice\b[^>]* href="([^"]+)"', body)
    assert found is not None
    return found[1].decode()


def log_event(number: int) -> bytes:
    """A LogEvent with this number."""
    return Codec().encode(
        LogEvent(
            createdDateTime=int(time.time()),
            extendedData=number,
            functionSet=11,
            logEventCode=0,
            logEventID=number % 65536,
            logEventPEN=40732,
            profileID=2,
        )
    )


@contextmanager
def neighbour(site: SiteProcess, credentials: Credentials) -> Iterator[Waits]:
    """Someone who reads, posts log events and connects anew meanwhile; the waits are there afterwards."""
    over, waits = _SPAWN.Event(), Waits()
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_live, args=(site.port, credentials, over, there), daemon=True)
    process.start()
    try:
        assert here.poll(OVER_S), "the neighbour did not start"
        told = here.recv()
        assert told == STARTED, told
        yield waits
    finally:
        over.set()
        found = here.recv() if here.poll(OVER_S) else "the neighbour hangs"
        process.join(OVER_S)
        process.kill()
    assert isinstance(found, dict), found
    waits.of = found


def _live(
    port: int, credentials: Credentials, over: Event, there: "multiprocessing.connection.Connection"
) -> None:
    waits, context = Waits(), context_of(credentials)
    try:
        wire = Wire(port, context)
        own = own_href(wire)
        there.send(STARTED)
        number = 0
        while not over.is_set():
            number += 1
            if number % ANEW == 0:
                wire.close()
                began = time.monotonic()
                wire = Wire(port, context)
                assert wire.ask("GET", "/tm")[0] == 200
                waits.add("full handshake and GET", began)
            _ask(wire, waits, "GET", "/tm", 200)
            _ask(wire, waits, "POST", f"{own}/lel", 201, log_event(number))
            time.sleep(PAUSE_S)
        wire.close()
        there.send(waits.of)
    except (OSError, AssertionError) as flaw:
        there.send(f"the neighbour was not served: {flaw!r}")


def _ask(wire: Wire, waits: Waits, method: str, path: str, wanted: int, body: bytes = b"") -> None:
    began = time.monotonic()
    status, _, _ = wire.ask(method, path, body)
    assert status == wanted, f"{method} {path}: {status}"
    waits.add(method, began)
