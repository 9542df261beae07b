"""Rows in the shape that statements take."""

from collections.abc import Iterable, Sequence
from typing import Any

from sep2_server import statements as q
from sep2_server.rows import Row


def parts(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Items in parts that one statement takes."""
    return (items[first : first + q.AT_ONCE] for first in range(0, len(items), q.AT_ONCE))


def padded(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """The same, each part filled up to a power of two with its last item, so that statements are few."""
    for part in parts(items):
        size = 1 << (len(part) - 1).bit_length()
        yield [*part, *[part[-1]] * (size - len(part))]


def by_columns(updates: Iterable[tuple[Row, Row]]) -> dict[frozenset[str], list[dict[str, object]]]:
    """The parameters of updates by the columns that they change."""
    found: dict[frozenset[str], list[dict[str, object]]] = {}
    for old, row in updates:
        pairs = zip(Row._fields, row, old, strict=True)
        values: dict[str, object] = {name: new for name, new, before in pairs if new != before}
        if values:
            new = {f"new_{name}": value for name, value in values.items()}
            found.setdefault(frozenset(values), []).append({"row_id": row.id, **new})
    return found
