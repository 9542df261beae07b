"""All pages of a list, and whether they are all of it: a list that moves meanwhile is walked anew.

Each page begins with the last object of the one before. If it does not, something came or went between the
two, or a page was lost or sent twice. OpenADR 3.1.0, skip and limit.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from openadr_ven.v3.errors import UnreadableError
from openadr_ven.v3.read_list import MOST_ON_PAGE
from openadr_ven.v3.version import LIMIT

MOST_OBJECTS: Final = 10_000
"""So many of one kind are read; with more the list is not complete."""
TRIES: Final = 3

Fetch = Callable[[int], Awaitable[object]]
"""The page behind so many objects."""


@dataclass(frozen=True, slots=True)
class Walked:
    """Objects as JSON. What is not complete says nothing of what is missing from it."""

    items: tuple[object, ...]
    is_complete: bool


async def walk(fetch: Fetch) -> Walked:
    """A whole list. Raises UnreadableError for a page that is no list, and what `fetch` raises."""
    found = Walked((), is_complete=False)
    for _ in range(TRIES):
        found = await _walk_once(fetch)
        if found.is_complete or len(found.items) >= MOST_OBJECTS:
            break
    return found


async def _walk_once(fetch: Fetch) -> Walked:
    items = await _page(fetch, 0)
    if not items or len(items) > LIMIT:
        return Walked(tuple(items), is_complete=len(items) <= MOST_OBJECTS)
    seen = [_key(one) for one in items]
    while len(items) < MOST_OBJECTS:
        page = await _page(fetch, len(items) - 1)
        keys = [_key(one) for one in page]
        if keys == seen and len(items) < LIMIT:
            return Walked(tuple(items), is_complete=True)
        if not keys or keys[0] != seen[-1] or not set(seen).isdisjoint(keys[1:]):
            return Walked((*items, *page), is_complete=False)
        if len(keys) == 1:
            return Walked(tuple(items), is_complete=True)
        items += page[1:]
        seen += keys[1:]
    return Walked(tuple(items), is_complete=False)


async def _page(fetch: Fetch, skip: int) -> list[object]:
    page = await fetch(skip)
    if not isinstance(page, list) or len(page) > MOST_ON_PAGE:
        raise UnreadableError("no page of a list within bounds")
    return page


def _key(item: object) -> str:
    """By what an object is told from others: its id, or all of it."""
    found = item.get("id") if isinstance(item, dict) else None
    return f"id {found}" if isinstance(found, str | int) else repr(item)
