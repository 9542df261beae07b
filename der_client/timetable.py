"""When each resource is due, the most overdue first; at the same time in the order of first use. Pure."""

import heapq
import math


class Timetable:
    """Times by href; a time that was replaced or dropped is passed over when it comes up."""

    def __init__(self) -> None:
        self._due_s: dict[str, float] = {}
        self._order: dict[str, int] = {}
        self._heap: list[tuple[float, int, str]] = []

    def put(self, href: str, due_s: float) -> None:
        """Set when an href is due, s."""
        if self._due_s.get(href) != due_s:
            self._due_s[href] = due_s
            order = self._order.setdefault(href, len(self._order))
            heapq.heappush(self._heap, (due_s, order, href))

    def holds(self, href: str) -> bool:
        """True if a time is set for an href."""
        return href in self._due_s

    def drop(self, href: str) -> None:
        """Forget an href."""
        self._due_s.pop(href, None)

    def clear(self) -> None:
        """Forget all."""
        self._due_s.clear()
        self._order.clear()
        self._heap.clear()

    def first(self) -> tuple[float, str | None]:
        """The earliest time with its href; infinity and None where there is nothing."""
        while self._heap:
            due_s, _, href = self._heap[0]
            if self._due_s.get(href) == due_s:
                return due_s, href
            heapq.heappop(self._heap)
        return math.inf, None
