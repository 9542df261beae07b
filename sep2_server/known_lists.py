"""Lists that were asked for before: where they are, and how many items they have, until that changes.

Another page of such a list then asks the database for nothing but the items that are not known.
"""

from typing import Final

from sep2_server.location import Target, locate
from sep2_server.reader import Reader
from sep2_server.rows import Span
from sep2_server.shelf import Recall, Shelf, Token
from sep2_server.uris import Uris

MOST: Final = 4096


class KnownLists:
    """What is remembered of lists, for readers that hear of changes. Any thread may use it."""

    def __init__(self, recall: Recall | None = None) -> None:
        self._targets: Shelf[str, Target] = Shelf(MOST, 0, recall)
        self._totals: Shelf[tuple[int, int], int] = Shelf(MOST, 0, recall)

    def target(self, reader: Reader, uris: Uris, href: str) -> Target | None:
        """What is at a URI, as `locate` finds it."""
        found = None if reader.since is None else self._targets.get(href)
        if found is not None:
            return found
        found = locate(reader, uris, href)
        if found is not None and found.row is not None and found.route.is_list and reader.since is not None:
            self._targets.put(href, found, (found.row.id,), since=reader.since)
        return found

    def total(self, reader: Reader, span: Span) -> int:
        """How many items a whole list has in a scope."""
        if reader.since is None:
            return reader.count(span)
        key = span.list_id, span.scope
        found = self._totals.get(key)
        if found is None:
            found = reader.count(span)
            self._totals.put(key, found, (key,), since=reader.since)
        return found

    def drop(self, tokens: set[Token]) -> None:
        """Forget what has changed."""
        self._targets.drop(tokens)
        self._totals.drop(tokens)

    def clear(self) -> None:
        """Forget all."""
        self._targets.clear()
        self._totals.clear()
