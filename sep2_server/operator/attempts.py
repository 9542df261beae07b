"""How often somebody may try to show a token: a bound per address, and one on the log. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 60
MOST_FAILURES: Final = 10
"""Failed attempts of one address in a window; from then on it waits for the window's end."""
MOST_ADDRESSES: Final = 10_000
MOST_LINES: Final = 60
"""Most lines that refused attempts may add to the audit log in a window."""


@dataclass(slots=True)
class _Window:
    """Failures of one address since `begun`, s."""

    begun: float
    failures: int = 0


class Attempts:
    """Failed attempts by address, the latest only. Times are s of a clock that does not go back."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._lines = _Window(begun=0)

    def wait_s(self, address: str, now: float) -> int:
        """How long an address has to wait before it may try again, s; 0: it need not."""
        window = self._current(address, now)
        if window is None or window.failures < MOST_FAILURES:
            return 0
        return int(window.begun + WINDOW_S - now) + 1

    def failed(self, address: str, now: float) -> bool:
        """Count a failure; True for one that the audit log should tell: the first, and the one too many."""
        window = self._current(address, now) or _Window(begun=now)
        window.failures += 1
        self._windows[address] = window
        self._windows.move_to_end(address)
        if len(self._windows) > MOST_ADDRESSES:
            self._windows.popitem(last=False)
        return window.failures in {1, MOST_FAILURES} and self._has_line(now)

    def _current(self, address: str, now: float) -> _Window | None:
        window = self._windows.get(address)
        return None if window is None or now - window.begun >= WINDOW_S else window

    def _has_line(self, now: float) -> bool:
        if now - self._lines.begun >= WINDOW_S:
            self._lines = _Window(begun=now)
        self._lines.failures += 1
        return self._lines.failures <= MOST_LINES
