"""Requests that reached the stage, and waiting for those that a case looks for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance_tests.client.clock import StageClock
    from conformance_tests.evidence import Exchange
    from schemas import Resource

MOST_REQUESTS: Final = 100_000
"""Requests that are kept of one case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it reached the stage.

    `at_s` is the stage's time (s since 1970 UTC, with fraction) at its arrival, `elapsed_s` that of the clock
    that never jumps. `route` is the id of the resource in the WADL, empty where there is none; `path` has no
    query. `resource` is the body, None where there is none or it cannot be read; `flaws` are what the
    schema's judge has against it. `port` is the one it came to; `lfdi` is the certificate's.
    """

    number: int
    at_s: float
    elapsed_s: float
    lfdi: str
    method: str
    path: str
    query: str
    route: str
    port: int
    resource: Resource | None
    flaws: tuple[str, ...]
    exchange: Exchange

    @property
    def status(self) -> int | None:
        """Status of the answer, None where none was given."""
        return self.exchange.status

    @property
    def is_read(self) -> bool:
        """True for a GET or HEAD."""
        return self.method in {"GET", "HEAD"}


class Record:
    """All requests so far, in the order of their arrival; `handshakes` that failed, with their reasons.

    Answers that are the same as before are kept once. A client that sends more than `most` requests is not
    waited for any longer: TargetError.
    """

    def __init__(self, clock: StageClock, *, most: int = MOST_REQUESTS) -> None:
        self._clock = clock
        self._most = most
        self._first: dict[tuple[str, str], int] = {}
        self._bodies: dict[str, bytes] = {}
        self.requests: list[Seen] = []
        self.handshakes: list[str] = []
        self._hopeless = ""
        self._news = asyncio.Event()

    def add(self, seen: Seen) -> None:
        """Keep one request and wake who waits."""
        if len(self.requests) < self._most:
            self._first.setdefault((seen.method, seen.path), seen.number)
            self.requests.append(seen)
            self.tell()
        else:
            self.give_up(f"the client sent more than {self._most} requests in one case")

    def give_up(self, why: str) -> None:
        """Nothing is worth waiting for any longer: who waits gets a TargetError with this reason."""
        self._hopeless = self._hopeless or why
        self.tell()

    def is_first(self, seen: Seen) -> bool:
        """True for the first request of its method at its path."""
        return self._first.get((seen.method, seen.path)) == seen.number

    def shared(self, path: str, body: bytes) -> bytes:
        """A body, as the object that is kept already where the last answer at the path was the same."""
        held = self._bodies.get(path)
        if held != body:
            held = self._bodies[path] = body
        return held

    def tell(self) -> None:
        """Wake who waits."""
        self._news.set()
        self._news = asyncio.Event()

    def since(self, number: int) -> Sequence[Seen]:
        """The requests from a number on."""
        return self.requests[number:]

    async def until(self, is_so: Callable[[], object], within_s: float) -> bool:
        """Wait until something is so, looked at after each request; False where that took too long."""
        try:
            async with asyncio.timeout(self._clock.real_s(within_s)):
                while not is_so():
                    self._must_have_hope()
                    await self._news.wait()
        except TimeoutError:
            return bool(is_so())
        return True

    def _must_have_hope(self) -> None:
        if self._hopeless:
            raise TargetError(self._hopeless)

    async def first(self, wanted: Callable[[Seen], object], within_s: float, since: int = 0) -> Seen | None:
        """The first request from a number on that is wanted; None where none came in time."""
        at = since

        def look() -> bool:
            nonlocal at
            while at < len(self.requests) and not wanted(self.requests[at]):
                at += 1
            return at < len(self.requests)

        return self.requests[at] if await self.until(look, within_s) else None
