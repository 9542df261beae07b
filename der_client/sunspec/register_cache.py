"""Registers as last read, each with its time. Pure, time comes in."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from der_client.sunspec.codec import Words


@dataclass(slots=True)
class RegisterCache:
    """What was read of one unit in the last `max_age_s`."""

    max_age_s: float
    _read: dict[int, tuple[int, float]] = field(default_factory=dict)

    def keep(self, address: int, words: Sequence[int], now_s: float) -> None:
        """Remember what a read brought."""
        self._read |= {address + at: (word, now_s) for at, word in enumerate(words)}

    def drop(self, address: int, count: int) -> None:
        """Forget registers that were written: only the device knows what they hold now."""
        for at in range(address, address + count):
            self._read.pop(at, None)

    def words(self, address: int, count: int, now_s: float) -> Words | None:
        """Registers, if all of them are young enough."""
        found = [self._read.get(at) for at in range(address, address + count)]
        young = [word for word, read_s in filter(None, found) if now_s - read_s <= self.max_age_s]
        return tuple(young) if len(young) == count else None
