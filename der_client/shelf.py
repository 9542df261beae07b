"""The resources that a client holds, when each was read, and which to read next. Pure; one task owns it."""

import math
from dataclasses import dataclass

from der_client.discovery import Identity, Want, walk
from der_client.timing import due_s
from der_client.view import ServerView, view_of
from schemas import Resource


@dataclass(frozen=True, slots=True)
class ReadAt:
    """When a resource was read, local time in s, and the jitter (0 to 1) drawn for its next poll."""

    at_s: float
    spread: float


class Shelf:
    """What a client holds of one server. Resources no longer linked are put away at the next look."""

    def __init__(self, root: str, identity: Identity, *, floor_s: float) -> None:
        self.root = root
        self.identity = identity
        self._floor_s = floor_s
        self._held: dict[str, Resource | None] = {}
        self._read: dict[str, ReadAt] = {}
        self._wants = walk(root, self._held, identity).wants

    def restart(self) -> None:
        """Forget everything and begin again at DeviceCapability: rediscovery."""
        self._held.clear()
        self._read.clear()
        self._look()

    def put(self, href: str, resource: Resource, now: float, spread: float) -> None:
        """Hold a resource that was read at `now`."""
        self._held[href] = resource
        self._read[href] = ReadAt(now, spread)
        self._look()

    def miss(self, href: str, now: float, spread: float) -> bool:
        """Take note that the server has no such resource; True if it was there before: rediscover then."""
        was_there = self._held.get(href) is not None
        self._held[href] = None
        self._read[href] = ReadAt(now, spread)
        self._look()
        return was_there

    def postpone(self, href: str, now: float, spread: float) -> None:
        """Go on with what is held of a resource whose poll was refused, until its next poll."""
        self._held.setdefault(href, None)
        self._read[href] = ReadAt(now, spread)
        self._look()

    def holds(self, href: str) -> bool:
        """True if a resource was read, or found to be missing."""
        return href in self._held

    def next(self, now: float) -> Want | None:
        """What to read now: what is missing in the order of the walk, then what is most overdue."""
        for want in self._wants.values():
            if want.href not in self._held:
                return want
        due = min(self._wants.values(), key=self._due_s)
        return due if self._due_s(due) <= now else None

    def wait_s(self, now: float) -> float:
        """Time until the next read is due, s; a new poll rate counts from the last read on."""
        return max(0.0, min((self._due_s(want) for want in self._wants.values()), default=now) - now)

    def view(self) -> ServerView | None:
        """The picture of the server, or None while something is missing."""
        return view_of(self.root, self._held, self.identity)

    def longest_poll_s(self) -> float:
        """The slowest poll rate in force, s."""
        return float(max((want.poll_s for want in self._wants.values()), default=0))

    def _due_s(self, want: Want) -> float:
        read = self._read.get(want.href)
        if read is None:
            return -math.inf
        return due_s(read.at_s, max(float(want.poll_s), self._floor_s), read.spread)

    def _look(self) -> None:
        self._wants = walk(self.root, self._held, self.identity).wants
        for href in self._held.keys() - self._wants.keys():
            del self._held[href]
            self._read.pop(href, None)
