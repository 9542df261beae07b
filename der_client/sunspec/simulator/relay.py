"""A simulated relay with a time of its own: one register that must change, or the contact opens."""

import math
from collections.abc import Callable, Sequence

from der_client.sunspec.simulator.bank import ILLEGAL_ADDRESS, IllegalRequestError


class WatchdogRelay:
    """Closed while its register is written with another number, not 0, at least every `hold_s`."""

    def __init__(self, hold_s: float, clock: Callable[[], float], register: int = 0) -> None:
        """`clock` is monotonic, s."""
        self.word = 0
        self._register = register
        self._hold_s = hold_s
        self._clock = clock
        self._changed_s = -math.inf

    @property
    def is_closed(self) -> bool:
        """True while what is behind the relay is connected."""
        return self.word != 0 and self._clock() - self._changed_s < self._hold_s

    def read(self, address: int, count: int) -> Sequence[int]:
        """The register. Raises IllegalRequestError for any other."""
        self._check(address, count)
        return (self.word,)

    def write(self, address: int, words: Sequence[int]) -> None:
        """Take the register; the same number does not prolong. Raises IllegalRequestError for others."""
        self._check(address, len(words))
        if words[0] != self.word:
            self.word, self._changed_s = words[0], self._clock()

    def _check(self, address: int, count: int) -> None:
        if (address, count) != (self._register, 1):
            raise IllegalRequestError(ILLEGAL_ADDRESS, f"{address}+{count}: there is one register")
