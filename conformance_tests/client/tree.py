"""The resources of a stage by their addresses: lists in their order, links with their counts.

No IO and no clock: times are arguments, s since 1970 UTC.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from function_sets import ListQuery, Route, is_active, is_over, page, sort_key, status_at
from function_sets.paging import after_bounds
from function_sets.routes import ROUTES
from schemas import DERControlBase, Event, Link, ListLink, Resource, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conformance_tests.client.addresses import Addresses

Make = Callable[[int], Resource]
LINGER_S: Final = 30
"""How long an event stays in its list after the last device has stopped, s."""


@dataclass(slots=True, kw_only=True)
class Held:
    """One resource of a stage, or a list with the hrefs of its items.

    `path` is the default path, under which the resources below it stand too. `make` computes a resource that
    changes with time alone. `view_of` is the href of the list that a list of active events is a view of.
    """

    href: str
    path: str
    route: Route
    resource: Resource
    items: list[str] = field(default_factory=list)
    make: Make | None = None
    view_of: str | None = None


class Tree:
    """Everything that a stage serves; `rates` are pollRates by the id of the route, s."""

    def __init__(self, addresses: Addresses, *, poll_rate_s: int, post_rate_s: int) -> None:
        self.addresses = addresses
        self.poll_rate_s = poll_rate_s
        self.post_rate_s = post_rate_s
        self.rates: dict[str, int] = {}
        self.is_subscribable = True
        self.held: dict[str, Held] = {}
        self.places: dict[str, tuple[str, str]] = {}
        """Where a client may PUT what is not there yet: route and default path by href."""
        self._moved: dict[str, str] = {}
        self._marks: dict[str, int] = {}

    def put(
        self, route: str, path: str, resource: Resource, *, make: Make | None = None, view_of: str = ""
    ) -> str:
        """Hold a resource (of a list its head) under a default path; its href."""
        href = self.addresses.of(path)
        there = self.held.get(href)
        held = Held(href=href, path=path, route=ROUTES[route], resource=resource, make=make)
        held.view_of = view_of or None
        held.items = there.items if there is not None else []
        resource.href = href
        self.held[href] = held
        return href

    def put_list(self, route: str, path: str, *, view_of: str = "") -> str:
        """Hold an empty list; its href."""
        head: Any = ROUTES[route].type
        return self.put(route, path, head(all=0, results=0), view_of=view_of)

    def expect(self, route: str, path: str) -> str:
        """Let a client PUT a resource that is not there yet; the href."""
        href = self.addresses.of(path)
        self.places[href] = route, path
        return href

    def number(self, what: str) -> int:
        """The next number of a kind, never given twice."""
        self._marks[what] = self._marks.get(what, 0) + 1
        return self._marks[what]

    def add(self, list_href: str, item_href: str) -> None:
        """Let an item stand in a list."""
        items = self.held[list_href].items
        if item_href not in items:
            items.append(item_href)

    def leave(self, list_href: str, item_href: str) -> None:
        """Take an item out of a list; it stays where it is."""
        items = self.held[list_href].items
        if item_href in items:
            items.remove(item_href)

    def drop(self, href: str) -> frozenset[str]:
        """Remove a resource with all below it, from its lists too; the hrefs of those lists."""
        below = f"{self.held[href].path}/"
        gone = {href} | {one.href for one in self.held.values() if one.path.startswith(below)}
        lists = {one.href for one in self.held.values() if gone & set(one.items)} - gone
        for one in gone:
            del self.held[one]
        for one in lists:
            self.held[one].items = [item for item in self.held[one].items if item not in gone]
        return frozenset(lists)

    def move(self, href: str) -> str:
        """Give a resource another address: the old one is gone, links and lists lead to the new one."""
        number = self.number("moved")
        new = self.addresses.of(f"{self.held[href].path}?moved={number}")
        held = self.held.pop(href)
        self.held[new] = held
        held.href = held.resource.href = new
        self._moved = {old: new if there == href else there for old, there in self._moved.items()}
        self._moved[href] = new
        for one in self.held.values():
            one.items = [new if item == href else item for item in one.items]
        return new

    def where(self, href: str) -> str:
        """Where a resource is now that was at `href`."""
        return self._moved.get(href, href)

    def lists_of(self, href: str) -> Iterator[str]:
        """The lists in which an item stands."""
        return (one.href for one in self.held.values() if href in one.items)

    def read(self, href: str, now_s: int, query: ListQuery | None = None) -> Resource:
        """A resource as it is at a time; of a list the page asked for. KeyError where there is none."""
        held = self.held[href]
        if held.route.is_list:
            return self._page(held, now_s, query or ListQuery())
        return self._shown(held, now_s)

    def item_hrefs(self, list_href: str, now_s: int) -> list[str]:
        """The items that a list shows at a time, in its order."""
        held = self.held[list_href]
        rows = [self.held[one] for one in self.held[held.view_of or list_href].items if one in self.held]
        is_view = held.view_of is not None
        shown = [row for row in rows if _is_shown(row.resource, now_s, is_view=is_view)]
        return [row.href for row in sorted(shown, key=lambda row: sort_key(held.route, row.resource))]

    def _page(self, held: Held, now_s: int, query: ListQuery) -> Resource:
        hrefs = self.item_hrefs(held.href, now_s)
        late = [one for one in hrefs if self._is_after(held.route, one, query.after)]
        items = [self._shown(self.held[one], now_s) for one in page(late, query)]
        name = next(f.attr for f in spec_of(type(held.resource)) if f.is_list)
        head = self._shown(held, now_s)
        changes: Mapping[str, Any] = {"all": len(late), "results": len(items), name: items}
        return replace(head, **changes)

    def _is_after(self, route: Route, href: str, after: int | None) -> bool:
        bounds = after_bounds(route, after) if after is not None else None
        if bounds is None:
            return True
        key = sort_key(route, self.held[href].resource)
        return (bounds.low is None or key >= bounds.low) and (bounds.high is None or key < bounds.high)

    def _shown(self, held: Held, now_s: int) -> Resource:
        resource = held.make(now_s) if held.make is not None else held.resource
        resource = self._linked(resource, now_s)
        changes: dict[str, Any] = {"href": held.href, **self._head(held, resource)}
        if isinstance(resource, Event):
            changes["EventStatus_"] = status_at(resource, self._siblings(held.href), now_s)
        shown: Resource = replace(resource, **changes)
        return shown

    def _head(self, held: Held, resource: Resource) -> dict[str, Any]:
        """pollRate, postRate and subscribable, where the resource has them and does not say itself."""
        names = {f.attr for f in spec_of(type(resource))}
        wanted = {
            "pollRate": self.rates.get(held.route.id, self.poll_rate_s),
            "postRate": self.post_rate_s,
            "subscribable": 1 if self.is_subscribable else 0,
        }
        return {name: value for name, value in wanted.items() if name in names and not _says(resource, name)}

    def _siblings(self, href: str) -> Iterable[Event]:
        for one in self.held.values():
            if href in one.items:
                found = [self.held[item].resource for item in one.items if item != href]
                return [event for event in found if isinstance(event, Event)]
        return ()

    def _linked(self, resource: Any, now_s: int) -> Any:  # noqa: ANN401  the class that came goes out again
        """A copy in which links lead to where things are now, and tell how many items lists have."""
        changes: dict[str, Any] = {}
        for f in spec_of(type(resource)):
            value = getattr(resource, f.attr)
            if isinstance(value, Link):
                changes[f.attr] = self._link(value, now_s)
            elif isinstance(value, DERControlBase):
                changes[f.attr] = self._linked(value, now_s)
        return dataclasses.replace(resource, **changes)

    def _link(self, link: Link, now_s: int) -> Link:
        href = self.where(link.href)
        if isinstance(link, ListLink) and link.all is None and href in self.held:
            return replace(link, href=href, all=len(self.item_hrefs(href, now_s)))
        return replace(link, href=href)


def _says(resource: Resource, name: str) -> bool:
    return getattr(resource, name) is not None


def _is_shown(resource: Resource, now_s: int, *, is_view: bool) -> bool:
    if not isinstance(resource, Event):
        return True
    return is_active(resource, now_s) if is_view else not is_over(resource, now_s - LINGER_S)
