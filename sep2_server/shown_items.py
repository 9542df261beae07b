"""EndDevices as a client saw them last, so that a page of a hundred costs what has changed since.

An item is found by its row id, and forgotten with what was stored of it and the lists that were counted
for it: a page that nobody asked for before is put together out of items of other pages, and a change of one
device makes one anew. A page is made from its items, not from what they were made from: with an item its
pages go.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sep2_server.shelf import OCTETS_OF_TOKEN, Recall, Shelf, Token

Seer = tuple[int, int | None]
"""Who sees an item: scope of the client, and the aggregator that speaks for it; its links hang on both."""
Key = tuple[Seer, int]
"""Who sees an item, and its row id. It is a token too, of the documents that the item is part of."""
Gone = Callable[[Iterable[Token]], object]

MOST: Final = 20_000
_OCTETS_BESIDE: Final = 600
"""About what an item costs beside its octets and tokens."""


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item with its links counted, what it was made from, and from when until before when it is right.

    `is_private`: others see another. `key` is that of a kept one.
    """

    body: bytes
    tokens: frozenset[Token]
    made: int
    until: int
    is_private: bool = False
    key: Key | None = None


class ShownItems:
    """The items of clients, within a bound of octets. Any thread may use it.

    `gone` is told the keys of items that are not kept any more, after they have gone.
    """

    def __init__(
        self, most_octets: int, recall: Recall | None = None, gone: Gone = lambda keys: None
    ) -> None:
        self._shelf: Shelf[Key, ShownItem] = Shelf(MOST, most_octets, recall)
        self._gone = gone

    @property
    def octets(self) -> int:
        """Memory that they take, roughly."""
        return self._shelf.octets

    def of(self, seer: Seer, numbers: Sequence[int], now: int) -> dict[int, ShownItem]:
        """The items that are kept and right at a time, of those with these row ids."""
        found = self._shelf.get_all([(seer, number) for number in numbers])
        return {
            number: item
            for number, item in zip(numbers, found, strict=True)
            if item is not None and item.made <= now < item.until
        }

    def put(self, item: ShownItem, since: int | None) -> None:
        """Keep an item; `since` as for `Shelf.put`."""
        if item.key is not None:
            octets = 2 * len(item.body) + _OCTETS_BESIDE + OCTETS_OF_TOKEN * len(item.tokens)
            self._tell(self._shelf.put(item.key, item, item.tokens, octets, since=since))

    def are_kept(self, items: Iterable[ShownItem]) -> bool:
        """Whether nothing has become wrong of these since they were taken or put."""
        items = list(items)
        kept = self._shelf.get_all([item.key for item in items if item.key is not None])
        return all(one is other for one, other in zip(items, kept, strict=True))

    def drop(self, tokens: Iterable[Token]) -> None:
        """Forget what was made from one of the tokens."""
        self._tell(self._shelf.drop(tokens))

    def clear(self) -> None:
        """Forget all, without telling: the documents are forgotten too."""
        self._shelf.clear()

    def _tell(self, gone: list[Key]) -> None:
        if gone:
            self._gone(gone)
