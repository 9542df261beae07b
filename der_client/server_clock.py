"""The server's clock as a client keeps it: an offset to a local monotonic clock, slewed. Pure."""

import math
from dataclasses import dataclass
from typing import Final, Self

STEP_S: Final = 60.0
"""Corrections of this size and above step the clock; smaller ones never turn it back."""
SLEW_SHARE: Final = 0.5
"""Share of the passing time by which a fast clock is held back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerClock:
    """Server time as local time plus `offset_s`, s.

    `excess_s` is how far the clock ran ahead at local time `since_s`; it melts away while time goes on.
    `is_remembered` tells that it is that of an earlier run by the clock of our system, which may be wrong.
    Quality 7 (intentionally uncoordinated) is followed like any other. IEEE 2030.5-2018 (Time).
    """

    offset_s: float
    excess_s: float = 0.0
    since_s: float = 0.0
    is_remembered: bool = False

    @classmethod
    def first(cls, server_s: int, sent_s: float, received_s: float) -> Self:
        """Clock after the first answer: `server_s` was read somewhere between `sent_s` and `received_s`.

        Of all offsets that agree with it the least is taken: the clock may be behind by less than a second,
        but no event starts before its time on the server.
        """
        low_s, _ = _bounds(server_s, sent_s, received_s)
        return cls(offset_s=low_s)

    def time_s(self, local_s: float) -> float:
        """Server time with its fraction, s since 1970 UTC."""
        melted_s = SLEW_SHARE * max(0.0, local_s - self.since_s)
        return local_s + self.offset_s + max(0.0, self.excess_s - melted_s)

    def now(self, local_s: float) -> int:
        """Server time in whole seconds since 1970 UTC."""
        return math.floor(self.time_s(local_s))

    def observed(self, server_s: int, sent_s: float, received_s: float) -> Self:
        """Clock after one more answer; unchanged where the answer agrees within its own uncertainty."""
        low_s, high_s = _bounds(server_s, sent_s, received_s)
        offset_s = self.offset_s if low_s <= self.offset_s <= high_s else low_s
        shift_s = offset_s + received_s - self.time_s(received_s)
        excess_s = -shift_s if -STEP_S < shift_s < 0.0 else 0.0
        return type(self)(offset_s=offset_s, excess_s=excess_s, since_s=received_s)


def _bounds(server_s: int, sent_s: float, received_s: float) -> tuple[float, float]:
    """Offsets that agree with one answer: whole seconds are cut, and the answer took its time."""
    return server_s - received_s, server_s + 1 - sent_s
