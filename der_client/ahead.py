"""What holds from a known second on, worked out before an event starts or ends."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from der_client.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What holds from server time `at`, s, on if nothing is heard until then."""

    at: int
    plan: Plan


class Armable(Protocol):
    """Who owns a device that may have prepared a write."""

    def arm(self, ahead: Ahead, at_s: float) -> None:
        """Let it pass the gate: its second comes at `at_s`, local, s."""
        ...

    def begin(self) -> asyncio.Future[None] | None:
        """Send it; None where the device has to be told in the ordinary way."""
        ...
