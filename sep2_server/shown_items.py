"""EndDevices as a client saw them last, so that a page of a hundred costs what has changed since.

An item is found by its row id, and forgotten with what was stored of it and the lists that were counted
for it: a page that nobody asked for before is put together out of items of other pages, and a change of one
device makes one anew. A page is made from its items, not from what they were made from: it is right as long
as all of them are kept.
"""

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import attrgetter
from typing import Final

from sep2_server.shelf import OCTETS_OF_TOKEN, Recall, Shelf, Token

Seer = tuple[int, int | None]
"""Who sees an item: scope of the client, and the aggregator that speaks for it; its links hang on both."""

MOST: Final = 20_000
OCTETS_OF_PART: Final = 60
"""About what a document costs beside its octets for each item that it was made from."""
_OCTETS_BESIDE: Final = 600
"""About what an item costs beside its octets and tokens."""


class Mark:
    """Whether an item has been forgotten; whoever keeps what was made from the item keeps this of it."""

    __slots__ = ("is_gone",)

    def __init__(self) -> None:
        self.is_gone = False


@dataclass(frozen=True, slots=True, eq=False)
class ShownItem:
    """An item with its links counted, what it was made from, and from when until before when it is right.

    `is_private`: others see another.
    """

    body: bytes
    tokens: frozenset[Token]
    made: int
    until: int
    is_private: bool = False
    mark: Mark = field(default_factory=Mark)


BODY: Final = attrgetter("body")
UNTIL: Final = attrgetter("until")
IS_PRIVATE: Final = attrgetter("is_private")
_MADE: Final = attrgetter("made")
_MARK: Final = attrgetter("mark")


class Parts:
    """The items that a document was made from, as far as they are kept."""

    __slots__ = ("_looked", "_marks")

    def __init__(self, items: Iterable[ShownItem]) -> None:
        self._marks = tuple(map(_MARK, items))
        self._looked = -1

    def __len__(self) -> int:
        return len(self._marks)

    def are_right(self, forgotten: int) -> bool:
        """Whether none has been forgotten; `forgotten` is `ShownItems.forgotten` now."""
        if self._looked == forgotten:
            return True
        if any(mark.is_gone for mark in self._marks):
            return False
        self._looked = forgotten
        return True


class ShownItems:
    """The items of clients, within a bound of octets. Any thread may use it.

    `forgotten` is another number whenever items have been forgotten.
    """

    def __init__(self, most_octets: int, recall: Recall | None = None) -> None:
        self._shelf: Shelf[tuple[int, int, int | None], ShownItem] = Shelf(MOST, most_octets, recall)
        self._lock = threading.Lock()
        self.forgotten = 0

    @property
    def octets(self) -> int:
        """Memory that they take, roughly."""
        return self._shelf.octets

    def of(self, seer: Seer, numbers: Sequence[int], now: int) -> list[ShownItem | None]:
        """The items with these row ids, None where it is not kept or not right at a time."""
        scope, aggregator_id = seer
        found = self._shelf.get_all(zip(numbers, repeat(scope), repeat(aggregator_id)))
        there = list(filter(None, found))
        if not there or max(map(_MADE, there)) <= now < min(map(UNTIL, there)):
            return found
        return [item if item is not None and item.made <= now < item.until else None for item in found]

    def put(self, seer: Seer, number: int, item: ShownItem, since: int | None) -> bool:
        """Keep an item by its row id, unless it is wrong by now; whether it is kept.

        `since` as for a Shelf.
        """
        octets = len(item.body) + _OCTETS_BESIDE + OCTETS_OF_TOKEN * len(item.tokens)
        key = (number, *seer)
        self._forget(self._shelf.put(key, item, item.tokens, octets, since=since))
        return self._shelf.get(key) is item

    def drop(self, tokens: Collection[Token]) -> None:
        """Forget what was made from one of the tokens."""
        self._forget(self._shelf.drop(tokens))

    def clear(self) -> None:
        """Forget all; the documents are to be forgotten too."""
        self._shelf.clear()

    def _forget(self, gone: list[ShownItem]) -> None:
        if gone:
            for item in gone:
                item.mark.is_gone = True
            with self._lock:
                self.forgotten += 1
