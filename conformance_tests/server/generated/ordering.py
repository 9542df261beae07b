"""Whether items stand in the order of their list, read from the items alone. IEEE 2030.5-2018, annex B."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from function_sets.model import attribute_path
from schemas import spec_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from function_sets import Key, Route

_DIGITS: Final = re.compile(r"(\d+)")
Comparable = tuple[object, ...]


def out_of_order(route: Route, items: Sequence[object]) -> str:
    """The first two neighbours that stand the wrong way round, in words; empty where there are none.

    Items of which one lacks a key are not told apart by it and the keys behind: the standard does not say
    which goes first.
    """
    for number, (one, other) in enumerate(pairwise(items)):
        key = _wrong_by(route, one, other)
        if key is not None:
            ways = "descending" if key.descending else "ascending"
            first, second = value_of(route, key.path, one), value_of(route, key.path, other)
            return f"items {number} and {number + 1}: {key.path} {first} before {second}, it is {ways}"
    return ""


def value_of(route: Route, path: str, item: object) -> object:
    """What an item has at a dotted path of wire names, None where it has nothing."""
    value: object = item
    for attr in attribute_path(route.item or object, path):
        value = getattr(value, attr, None)
    return value


def _wrong_by(route: Route, one: object, other: object) -> Key | None:
    """The key by which two neighbours stand the wrong way round."""
    for key in route.order:
        first, second = value_of(route, key.path, one), value_of(route, key.path, other)
        if first is None or second is None:
            return None
        ways = {
            _compare(a, b) * (-1 if key.descending else 1)
            for a, b in _readings(route, key.path, first, second)
        }
        if ways == {1}:
            return key
        if ways != {0}:
            return None
    return None


def _compare(first: Comparable, second: Comparable) -> int:
    return (first > second) - (first < second)


def _readings(route: Route, path: str, first: object, second: object) -> list[tuple[Comparable, Comparable]]:
    """The ways in which two values of a key may be compared: texts by octets, hrefs also by their numbers."""
    if _is_hex(route, path):
        return [((int(str(first) or "0", 16),), (int(str(second) or "0", 16),))]
    if isinstance(first, int) and isinstance(second, int):
        return [((int(first),), (int(second),))]
    texts: list[tuple[Comparable, Comparable]] = [((str(first).encode(),), (str(second).encode(),))]
    return [*texts, (_natural(str(first)), _natural(str(second)))] if path == "href" else texts


def _natural(text: str) -> Comparable:
    """A text with its numbers as numbers."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(text))


def _is_hex(route: Route, path: str) -> bool:
    cls = route.item or object
    field = None
    for name in path.split("."):
        field = next(f for f in spec_of(cls) if f.name == name)
        cls = field.target or cls
    return field is not None and field.scalar is not None and field.scalar.primitive == "xs:hexBinary"
