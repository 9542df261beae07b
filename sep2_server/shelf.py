"""A memory, bounded in number and octets, of what was made from stored resources, until those change.

Any thread may use it. What is made in one thread while another hears of a change that makes it wrong is not
kept: a `Recall` of the latest changes knows.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Collection, Hashable, Iterable
from typing import Final, Generic, TypeVar

from sep2_server.rows import ACCESS, Change

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Token = Hashable
"""What something was made from: the id of a resource, or (id, scope) of a list."""
OCTETS_OF_TOKEN: Final = 200
"""About what a token of a value that is kept costs."""
MOST_SPARED: Final = 8
"""Values that are looked at before one goes: so long does it take at most to make room."""


class Recall:
    """The tokens of the latest changes; `now` counts the changes that were heard."""

    def __init__(self, most: int = 1024) -> None:
        self.now = 0
        self._oldest = 0
        self._heard: deque[tuple[int, frozenset[Token]]] = deque(maxlen=most)
        self._most = most

    def hear(self, tokens: Iterable[Token]) -> None:
        """Remember that what was made from these is wrong."""
        if len(self._heard) == self._most:
            self._oldest = self._heard[0][0]
        self._heard.append((self.now + 1, frozenset(tokens)))
        self.now += 1

    def hear_all(self) -> None:
        """Remember that everything may be wrong."""
        self.now += 1
        self._oldest = self.now

    def is_sound(self, tokens: frozenset[Token], since: int) -> bool:
        """Whether nothing that was made from these, after `now` was `since`, has become wrong."""
        if since == self.now:
            return True
        if since < self._oldest:
            return False
        heard = tuple(self._heard)
        return all(touched.isdisjoint(tokens) for number, touched in reversed(heard) if number > since)


class _Several(set[K]):
    """Keys of values that were made from the same."""


class _Held(Generic[V]):
    """A value on a shelf, and whether anybody has asked for it since it was last spared."""

    __slots__ = ("is_used", "octets", "tokens", "value")

    def __init__(self, value: V, tokens: frozenset[Token], octets: int) -> None:
        self.value = value
        self.tokens = tokens
        self.octets = octets
        self.is_used = False


class Shelf(Generic[K, V]):
    """Values by key, those dropped first that nobody asks for; each knows the tokens it was made from.

    `most` bounds their number, `most_octets` the sum of the sizes that `put` is told; `octets` is that sum.
    """

    def __init__(self, most: int, most_octets: int = 0, recall: Recall | None = None) -> None:
        self._most = most
        self._recall = recall or Recall()
        self._lock = threading.RLock()
        self._most_octets = most_octets
        self.octets = 0
        self._kept: OrderedDict[K, _Held[V]] = OrderedDict()
        self._keys: dict[Token, K | _Several[K]] = {}
        """The keys by each token: most have one, which stands there by itself."""

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """What was put there, None if nothing or no longer."""
        found = self._kept.get(key)
        if found is None:
            return None
        found.is_used = True
        return found.value

    def get_all(self, keys: Iterable[K]) -> list[V | None]:
        """What was put at each of these keys, None as for `get`."""
        found = list(map(self._kept.get, keys))
        for there in filter(None, found):
            there.is_used = True
        return [None if held is None else held.value for held in found]

    def put(
        self, key: K, value: V, tokens: Iterable[Token], octets: int = 0, *, since: int | None = None
    ) -> list[V]:
        """Keep a value of some size until one of its tokens is dropped, or room is needed.

        One that is larger than the shelf is not kept.
        `since` is what `Recall.now` was before the making began; a value that is wrong by now is not kept.
        What has gone for it: the value that was there, and the oldest ones.
        """
        made_from = frozenset(tokens)
        with self._lock:
            gone = self.drop_key(key)
            if self._most < 1 or octets > self._most_octets:
                return gone
            if since is not None and not self._recall.is_sound(made_from, since):
                return gone
            while len(self._kept) >= self._most or self.octets + octets > self._most_octets:
                gone += self._make_room()
            self._kept[key] = _Held(value, made_from, octets)
            self.octets += octets
            keys = self._keys
            for token in made_from:
                if keys.setdefault(token, key) != key:
                    self._share(token, key)
        return gone

    def _make_room(self) -> list[V]:
        """Drop the oldest value; a few that somebody has asked for are spared before, and count as new."""
        for _ in range(MOST_SPARED):
            oldest, held = next(iter(self._kept.items()))
            if not held.is_used:
                break
            held.is_used = False
            self._kept.move_to_end(oldest)
        return self.drop_key(next(iter(self._kept)))

    def drop(self, tokens: Collection[Token]) -> list[V]:
        """Forget what was made from one of the tokens: this. The recall has heard of them before."""
        with self._lock:
            if self._keys.keys().isdisjoint(tokens):
                return []
            return [
                value for token in tokens for key in self._made_from(token) for value in self.drop_key(key)
            ]

    def drop_key(self, key: K) -> list[V]:
        """Forget one value: this, if it was there."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is None:
                return []
            self.octets -= found.octets
            for token in found.tokens:
                held = self._keys[token]
                if isinstance(held, _Several):
                    held.discard(key)
                if not held or held == key:
                    del self._keys[token]
            return [found.value]

    def _share(self, token: Token, key: K) -> None:
        """Take note of a key beside others of a token."""
        held = self._keys[token]
        if isinstance(held, _Several):
            held.add(key)
        else:
            self._keys[token] = _Several((held, key))

    def _made_from(self, token: Token) -> tuple[K, ...]:
        held = self._keys.get(token)
        if held is None:
            return ()
        return tuple(held) if isinstance(held, _Several) else (held,)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self.octets = 0
            self._keys.clear()


def access_token(end_device_id: int) -> Token:
    """The token of what hangs on who may speak for an EndDevice."""
    return ("access", end_device_id)


def tokens_of(changes: Iterable[Change]) -> set[Token]:
    """The tokens that a commit touches."""
    touched: set[Token] = set()
    for change in changes:
        touched.add(change.resource_id)
        if change.kind == ACCESS:
            touched.add(access_token(change.resource_id))
        if change.list_id is not None:
            touched.add((change.list_id, change.scope))
    return touched
