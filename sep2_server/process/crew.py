"""Which workers there are and when a dead one is replaced. Pure: the time (monotonic, s) is an argument."""

from dataclasses import dataclass
from typing import Final

STEADY_S: Final = 10.0
"""A worker that lived as long as this did not fail at its start."""
SHORTEST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 10.0


@dataclass(slots=True)
class Slot:
    """The place of one worker. `pid` is 0 while none lives, `due` when the next is to start."""

    number: int
    pid: int = 0
    is_ready: bool = False
    started: float = 0.0
    failures: int = 0
    due: float | None = None


class Crew:
    """The workers of a server. The first starts alone and prepares the store; the others follow."""

    def __init__(self, count: int, now: float) -> None:
        self.slots = [Slot(number) for number in range(count)]
        self.slots[0].due = now
        self.has_been_ready = False

    @property
    def is_ready(self) -> bool:
        """Whether every worker serves."""
        return all(slot.is_ready for slot in self.slots)

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        return [slot.pid for slot in self.slots if slot.pid]

    def due(self, now: float) -> list[int]:
        """Numbers of the workers to start now."""
        return [slot.number for slot in self.slots if slot.due is not None and slot.due <= now]

    def wait_s(self, now: float) -> float | None:
        """How long until the next is due; None where none is."""
        return min((max(slot.due - now, 0.0) for slot in self.slots if slot.due is not None), default=None)

    def started(self, number: int, pid: int, now: float) -> None:
        """A process was made for a slot."""
        slot = self.slots[number]
        slot.pid, slot.started, slot.due, slot.is_ready = pid, now, None, False

    def failed(self, number: int, now: float) -> None:
        """No process could be made for a slot: tried again, later and later."""
        slot = self.slots[number]
        slot.failures += 1
        slot.due = now + _wait_after(slot.failures + 1)

    def ready(self, number: int, now: float) -> None:
        """A worker serves; at the first time the others are due."""
        self.slots[number].is_ready = True
        if not self.has_been_ready:
            self.has_been_ready = True
            for slot in self.slots[1:]:
                slot.due = now

    def died(self, pid: int, now: float) -> Slot | None:
        """A process ended: replaced at once, and later and later where it fails again and again."""
        slot = next((slot for slot in self.slots if slot.pid == pid), None)
        if slot is None:
            return None
        slot.failures = 0 if now - slot.started >= STEADY_S else slot.failures + 1
        slot.pid, slot.is_ready = 0, False
        slot.due = now + _wait_after(slot.failures)
        return slot


def _wait_after(failures: int) -> float:
    if failures <= 1:
        return 0.0
    return min(SHORTEST_WAIT_S * 2.0 ** min(failures - 2, 16), LONGEST_WAIT_S)
