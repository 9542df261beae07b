"""How many there are of each, so that none takes all places."""

from collections import Counter


class Crowd:
    """Counts by name, with a bound for each name; `count` is the sum."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._inside: Counter[str] = Counter()
        self.count = 0

    def enter(self, name: str) -> bool:
        """Count one more; False where there are as many of that name as may be."""
        if self._inside[name] >= self.most:
            return False
        self._inside[name] += 1
        self.count += 1
        return True

    def leave(self, name: str) -> None:
        """Count one less."""
        self.count -= 1
        self._inside[name] -= 1
        if not self._inside[name]:
            del self._inside[name]
