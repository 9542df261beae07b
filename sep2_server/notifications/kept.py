"""Connections to listeners that wait for a request: how many, how long and how old. No IO but closing."""

from dataclasses import dataclass

from sep2_server.notifications.posting import Endpoint, Posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Most connections without a request, and how long they may be idle and how old they may get, s."""

    most: int
    idle_s: float
    age_s: float


class Kept:
    """Open connections by listener; the one used last is used again first. Times in s, of one clock."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._of: dict[Endpoint, list[Posting]] = {}
        self._since: dict[Posting, tuple[Endpoint, float]] = {}

    def __len__(self) -> int:
        return len(self._since)

    def take(self, endpoint: Endpoint, now: float) -> Posting | None:
        """An open connection to a listener, which is the caller's then; None where there is none."""
        while endpoint in self._of:
            posting = self._of[endpoint][-1]
            self._remove(posting)
            if self._is_good(posting, now):
                return posting
            posting.close()
        return None

    def keep(self, endpoint: Endpoint, posting: Posting, now: float) -> None:
        """Keep a connection; the one that is idle for longest goes where there are too many."""
        if not self._bounds.most or not self._is_good(posting, now):
            posting.close()
            return
        self._of.setdefault(endpoint, []).append(posting)
        self._since[posting] = (endpoint, now)
        if len(self._since) > self._bounds.most:
            self._close(next(iter(self._since)))

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long."""
        while self._since:
            posting, (_, since) = next(iter(self._since.items()))
            if now - since < self._bounds.idle_s:
                return
            self._close(posting)

    def close(self) -> None:
        """Close all."""
        while self._since:
            self._close(next(iter(self._since)))

    def _is_good(self, posting: Posting, now: float) -> bool:
        return posting.is_open and now - posting.born < self._bounds.age_s

    def _close(self, posting: Posting) -> None:
        self._remove(posting)
        posting.close()

    def _remove(self, posting: Posting) -> None:
        endpoint, _ = self._since.pop(posting)
        kept = self._of[endpoint]
        kept.remove(posting)
        if not kept:
            del self._of[endpoint]
