"""EndDevices as a client saw them last, so that a page of a hundred costs what has changed since.

An item is found by what is stored, and forgotten with the lists that were counted for it: a page that nobody
asked for before is put together out of items of other pages, and a change of one device makes one anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sep2_server.shelf import OCTETS_OF_TOKEN, Recall, Shelf, Token

Seer = tuple[int, int | None]
"""Who sees an item: scope of the client, and the aggregator that speaks for it; its links hang on both."""

MOST: Final = 20_000
_OCTETS_BESIDE: Final = 600
"""About what an item costs beside its octets and tokens."""


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item with its links counted, what it was made from, and from when until before when it is right.

    `is_private`: others see another.
    """

    body: bytes
    tokens: frozenset[Token]
    made: int
    until: int
    is_private: bool = False


class ShownItems:
    """The items of clients by stored fragment, within a bound of octets. Any thread may use it."""

    def __init__(self, most_octets: int, recall: Recall | None = None) -> None:
        self._shelf: Shelf[tuple[Seer, bytes], ShownItem] = Shelf(MOST, most_octets, recall)

    @property
    def octets(self) -> int:
        """Memory that they take, roughly."""
        return self._shelf.octets

    def get(self, seer: Seer, fragment: bytes, now: int) -> ShownItem | None:
        """The item that a stored fragment became for a client; None where it is to be made."""
        found = self._shelf.get((seer, fragment))
        return found if found is not None and found.made <= now < found.until else None

    def put(self, seer: Seer, fragment: bytes, item: ShownItem, since: int | None) -> None:
        """Keep an item; `since` as for `Shelf.put`."""
        octets = len(fragment) + len(item.body) + _OCTETS_BESIDE + OCTETS_OF_TOKEN * len(item.tokens)
        self._shelf.put((seer, fragment), item, item.tokens, octets, since=since)

    def drop(self, tokens: Iterable[Token]) -> None:
        """Forget what was made from one of the tokens."""
        self._shelf.drop(tokens)

    def clear(self) -> None:
        """Forget all."""
        self._shelf.clear()
