"""What the 2.0b client needs from outside: a clock, a way to the VTN, a memory, data for reports."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from openadr_ven.events import Step
from openadr_ven.v2b.messages import Service
from openadr_ven.v2b.report_messages import Datum


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> float:
        """Seconds since 1970 UTC."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when the event is set, or after so many seconds."""
        ...


class SystemClock:
    """The clock of the machine."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    def now(self) -> float:
        """Seconds since 1970 UTC."""
        return self._now()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when the event is set, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await event.wait()


class Transport(Protocol):
    """The way to a VTN."""

    @property
    def peer(self) -> bytes | None:
        """The certificate of the VTN on the connection, DER; None without TLS."""
        ...

    async def send(self, service: Service, body: bytes) -> bytes:
        """The body of the answer. Raises TransportError, Refused or Malformed."""
        ...


class Source(Protocol):
    """Where the data of reports comes from. Powers are load-positive, in the units of the metadata."""

    async def read(
        self, reportSpecifierID: str, rIDs: Sequence[str], start: int, end: int
    ) -> Sequence[Datum]:
        """One value for each rID over a period, s; a point in time where both are the same.

        What has no data is left out.
        """
        ...


Listener = Callable[[Step], Awaitable[None]]
"""Told of every step once it is on disk."""
