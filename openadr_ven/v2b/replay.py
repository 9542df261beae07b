"""What was signed is taken once, and only if it was sent about now, either way. OpenADR 2.0b, R514."""

from collections import OrderedDict
from typing import Final

from openadr_ven.iso8601 import instant_us
from openadr_ven.v2b.document import Element, text
from openadr_ven.v2b.errors import Untrusted

WINDOW_S: Final = 30.0
"""How far a timestamp may be from our clock by default, s, in the past or the future."""
MOST_NONCES: Final = 10_000
"""So many are remembered; beyond that nothing is taken until the oldest are outside of the window."""


class ReplayGuard:
    """Remembers the nonces of one peer for as long as their timestamps would be taken."""

    def __init__(self, window_s: float = WINDOW_S, most: int = MOST_NONCES) -> None:
        self._window_s = window_s
        self._most = most
        self._seen: OrderedDict[str, float] = OrderedDict()

    def check(self, protect: Element, now: float) -> None:
        """Take note of a ReplayProtect whose signature holds. Raises Untrusted for an old or known one."""
        stamp, nonce = text(protect, "timestamp"), text(protect, "nonce")
        if not stamp or not nonce:
            raise Untrusted("the ReplayProtect has no timestamp or no nonce")
        try:
            at_us = instant_us(stamp)
        except (ValueError, ArithmeticError) as error:
            raise Untrusted(f"the timestamp {stamp:.40} is no time") from error
        ahead_s = (at_us or 0) / 1e6 - now
        if abs(ahead_s) > self._window_s:
            raise Untrusted(f"sent {abs(ahead_s):.0f} s {'ahead' if ahead_s > 0 else 'ago'} by our clock")
        self._forget(now)
        if nonce in self._seen:
            raise Untrusted("the nonce was used before")
        if len(self._seen) >= self._most:
            raise Untrusted(f"more than {self._most} messages in {2 * self._window_s:.0f} s")
        self._seen[nonce] = now

    def _forget(self, now: float) -> None:
        """A nonce is kept for twice the window: its timestamp may have been that far ahead."""
        while self._seen and next(iter(self._seen.values())) < now - 2 * self._window_s:
            self._seen.popitem(last=False)
