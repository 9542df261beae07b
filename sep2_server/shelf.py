"""A memory, bounded in number and octets, of what was made from stored resources, until those change."""

from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from sep2_server.rows import Change

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Token = Hashable
"""What something was made from: the id of a resource, or (id, scope) of a list."""


class Shelf(Generic[K, V]):
    """Values by key, the least recently used dropped first; each knows the tokens it was made from.

    `most` bounds their number, `most_octets` the sum of the sizes that `put` is told; `octets` is that sum.
    """

    def __init__(self, most: int, most_octets: int = 0) -> None:
        self._most = most
        self._most_octets = most_octets
        self.octets = 0
        self._kept: OrderedDict[K, tuple[V, frozenset[Token], int]] = OrderedDict()
        self._keys: defaultdict[Token, set[K]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """What was put there, None if nothing or no longer."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, tokens: Iterable[Token], octets: int = 0) -> None:
        """Keep a value of some size until one of its tokens is dropped, or room is needed."""
        self.drop_key(key)
        made_from = frozenset(tokens)
        self._kept[key] = (value, made_from, octets)
        self.octets += octets
        for token in made_from:
            self._keys[token].add(key)
        while len(self._kept) > self._most or self.octets > self._most_octets:
            self.drop_key(next(iter(self._kept)))

    def drop(self, tokens: Iterable[Token]) -> None:
        """Forget everything that was made from one of the tokens."""
        for token in tokens:
            for key in tuple(self._keys.get(token, ())):
                self.drop_key(key)

    def drop_key(self, key: K) -> None:
        """Forget one value, if it is there."""
        found = self._kept.pop(key, None)
        if found is None:
            return
        self.octets -= found[2]
        for token in found[1]:
            keys = self._keys[token]
            keys.discard(key)
            if not keys:
                del self._keys[token]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self.octets = 0
        self._keys.clear()


def tokens_of(changes: Iterable[Change]) -> set[Token]:
    """The tokens that a commit touches."""
    touched: set[Token] = set()
    for change in changes:
        touched.add(change.resource_id)
        if change.list_id is not None:
            touched.add((change.list_id, change.scope))
    return touched
