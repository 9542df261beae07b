"""The programs of an aggregator in the lists at the root: as many as its fleet, in their order.

Which they are is found out once after each change of its rights, or of a program: that grows with the fleet,
as far as a list in order and its length do. A page then costs what is on it.
"""

from array import array
from typing import Final

from sep2_server.access import Viewer
from sep2_server.reader import Reader
from sep2_server.rows import EVERYBODY, Row, Span
from sep2_server.shelf import Recall, Shelf, Token

MOST: Final = 256
"""Lists that are remembered."""
FEW: Final = 256
"""As long as there are no more programs of a kind, each of them is looked at, and not each group."""


class FleetPrograms:
    """Remembers which programs aggregators have in which list. Any thread may use it."""

    def __init__(self, recall: Recall | None = None) -> None:
        self._known: Shelf[tuple[int, int], array[int]] = Shelf(MOST, 0, recall)

    def of(self, reader: Reader, source: Row, kind: str, viewer: Viewer) -> "array[int]":
        """Row ids of the programs of an aggregator in a list at the root; `kind`: of the lists of groups."""
        key = viewer.scope, source.id
        found = None if reader.since is None else self._known.get(key)
        if found is None:
            found = array("q", _found(reader, source, kind, viewer))
            if reader.since is not None:
                self._known.put(key, found, tokens_of_fleet(source, viewer), since=reader.since)
        return found

    def drop(self, tokens: set[Token]) -> None:
        """Forget what has changed."""
        self._known.drop(tokens)

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()


def tokens_of_fleet(source: Row, viewer: Viewer) -> frozenset[Token]:
    """What such a list hangs on: the rights of the aggregator, and any program in it."""
    return frozenset({viewer.scope, EVERYBODY, (source.id, EVERYBODY)})


def _found(reader: Reader, source: Row, kind: str, viewer: Viewer) -> list[int]:
    if reader.count(Span(list_id=source.id)) <= FEW:
        return reader.few_in_order(viewer.scope, source.id)
    return reader.programs_in_order(viewer.scope, kind)
