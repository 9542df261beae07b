"""Reading a list page by page. Pure: says which query comes next, takes pages, gives the whole list."""

from typing import Final, Generic, TypeVar

from schemas import List, Resource, SubscribableList, spec_of

L = TypeVar("L", bound=Resource)

PAGE_LIMIT: Final = 255
MOST_ITEMS: Final = 20_000
_LISTS: Final[tuple[type, ...]] = (List, SubscribableList)


def items_attribute(cls: type) -> str | None:
    """Python attribute that holds the items of a list class; None for a class that is no list."""
    is_list = any(base in _LISTS for base in cls.__mro__)
    return next(f.attr for f in spec_of(cls) if f.is_list) if is_list else None


def items_of(page: object) -> list[Resource]:
    """Items of a list resource; empty for a resource that is no list."""
    attribute = items_attribute(type(page))
    items: list[Resource] = getattr(page, attribute) if attribute else []
    return items


def page_all(page: Resource) -> int:
    """How many items the whole list has by this page; 0 for a resource that is no list."""
    return page.all if isinstance(page, List | SubscribableList) else 0


class ListPages(Generic[L]):
    """One list being read: pages of 255, `s` going on by what each page held. IEEE 2030.5-2018 (lists)."""

    def __init__(self, limit: int = PAGE_LIMIT) -> None:
        self._limit = limit
        self._start = 0
        self._first: L | None = None
        self._items: dict[object, Resource] = {}
        self._done = False
        self.is_torn = False
        """True once the list has changed between two pages: an item may be missing."""

    def next_query(self) -> str | None:
        """Query string of the next page, or None when the list is complete."""
        return None if self._done else f"s={self._start}&l={self._limit}"

    def take(self, page: L) -> None:
        """Take the page that the last query gave; an item that moved between pages counts once."""
        items = items_of(page)
        if self._first is None:
            self._first = page
        self.is_torn |= page_all(page) != page_all(self._first)
        self.is_torn |= any(item.href in self._items for item in items if item.href)
        for offset, item in enumerate(items):
            self._items.setdefault(item.href or self._start + offset, item)
        self._start += len(items)
        self._done = not items or self._start >= min(page_all(page), MOST_ITEMS)

    @property
    def is_cut(self) -> bool:
        """True where the list has more items than are read."""
        return self._first is not None and page_all(self._first) > MOST_ITEMS

    def fill(self, former: "ListPages[L]") -> None:
        """Add what an earlier reading of the list had and this one has not: it may have missed that."""
        for item in items_of(former.whole()):
            if item.href:
                self._items.setdefault(item.href, item)

    def whole(self) -> L:
        """The list with all items that were read, in the server's order."""
        if self._first is None:
            raise LookupError("no page was taken")
        attribute = items_attribute(type(self._first))
        setattr(self._first, str(attribute), list(self._items.values()))
        return self._first


def with_query(href: str, query: str) -> str:
    """The href with one more query string."""
    return f"{href}{'&' if '?' in href else '?'}{query}"
