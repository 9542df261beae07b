"""Rows in the shape that statements take."""

from collections.abc import Iterable, Sequence
from typing import Any

from sep2_server import statements as q
from sep2_server.rows import Row


def parts(items: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """Items in parts that one statement takes."""
    if 0 < len(items) <= q.AT_ONCE:
        return (items,)
    return [items[first : first + q.AT_ONCE] for first in range(0, len(items), q.AT_ONCE)]


def padded(items: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """The same, each part filled up to a power of two with its last item, so that statements are few."""
    return [_filled(part) for part in parts(items)] if items else ()


def _filled(part: Sequence[Any]) -> Sequence[Any]:
    size = 1 << (len(part) - 1).bit_length()
    return part if size == len(part) else [*part, *[part[-1]] * (size - len(part))]


def by_columns(updates: Iterable[tuple[Row, Row]]) -> dict[frozenset[str], list[dict[str, object]]]:
    """The parameters of updates by the columns that they change."""
    found: dict[frozenset[str], list[dict[str, object]]] = {}
    for old, row in updates:
        changed, values = [], dict[str, object](row_id=row.id)
        for name, new, before in zip(Row._fields, row, old, strict=True):
            if new != before:
                changed.append(name)
                values[f"new_{name}"] = new
        if changed:
            found.setdefault(frozenset(changed), []).append(values)
    return found


def by_places(moves: Sequence[tuple[tuple[int, int], int]]) -> dict[str, object]:
    """The parameters of a statement that moves the tallies of so many lists and scopes."""
    values: dict[str, object] = {}
    for n, ((list_id, scope), by) in enumerate(moves):
        values[f"l{n}"], values[f"s{n}"], values[f"b{n}"] = list_id, scope, by
    return values
