"""Who gets a bus next: writes before reads, units in turn, a silent unit rarely. Pure, time comes in."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Urgency(IntEnum):
    """How soon a request gets the bus: writes, then what the client reads, then what others read."""

    WRITE = 0
    READ = 1
    GUEST = 2


class Turns(Generic[T]):
    """Requests that wait for a bus. The units of one urgency take turns; a unit's own stay in order."""

    def __init__(self) -> None:
        self._levels: tuple[OrderedDict[int, deque[T]], ...] = tuple(OrderedDict() for _ in Urgency)

    def __bool__(self) -> bool:
        """True if anything waits."""
        return any(self._levels)

    def add(self, unit: int, urgency: Urgency, request: T) -> None:
        """Let a request wait for its turn."""
        self._levels[urgency].setdefault(unit, deque()).append(request)

    def take(self) -> T | None:
        """The request whose turn it is, `None` where nothing waits."""
        for level in self._levels:
            if level:
                unit, waiting = level.popitem(last=False)
                request = waiting.popleft()
                if waiting:
                    level[unit] = waiting
                return request
        return None

    def drop(self, unit: int | None = None) -> list[T]:
        """What waits for a unit, or for all of them, taken out of the queue."""
        dropped: list[T] = []
        for level in self._levels:
            for number in [unit] if unit is not None else list(level):
                dropped.extend(level.pop(number, ()))
        return dropped


@dataclass(slots=True)
class Silence:
    """Units that did not answer: each rests for a time that doubles from `first_s` to `most_s`."""

    first_s: float
    most_s: float
    _pauses: dict[int, tuple[float, float]] = field(default_factory=dict)

    def missed(self, unit: int, now_s: float) -> float:
        """A unit has let a request time out; the pause that it is given, s."""
        last_s, _ = self._pauses.get(unit, (0.0, 0.0))
        pause_s = min(2 * last_s or self.first_s, self.most_s)
        self._pauses[unit] = (pause_s, now_s + pause_s)
        return pause_s

    def answered(self, unit: int) -> None:
        """A unit is there again."""
        self._pauses.pop(unit, None)

    def remaining_s(self, unit: int, now_s: float) -> float:
        """How long a unit must not be asked yet, s; 0 for one that may be."""
        if not self._pauses:
            return 0.0
        _, until_s = self._pauses.get(unit, (0.0, 0.0))
        return max(0.0, until_s - now_s)
