"""The tour: everything that links lead to from DeviceCapability on, by the declared types of the links."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urljoin

from function_sets import ROUTES
from schemas import Link, Malformed, spec_of, wire_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from conformance_tests.evidence import Exchange
    from conformance_tests.trial import Trial
    from schemas import Codec

MOST_REQUESTS: Final = 2000
MOST_OF_ONE: Final = 40
"""Resources of one kind whose links are followed: a fleet of a million devices is not walked through."""
MOST_OCTETS: Final = 1 << 22
PAGE: Final = 255
OF_SELF: Final = "SelfDevice/"
"""Before the id of a route: what only a SelfDevice leads to, the server's own DeviceStatus say.

Annex A marks the parts of an EndDevice and none of a SelfDevice but itself: it is judged by its body alone.
"""
_NOT_READ: Final = frozenset({"File"})
"""What is no XML or has no end."""


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One tour: what was found so far, and what is still to be looked at."""

    look: Callable[[str], Awaitable[Exchange]]
    dcap: str
    codec: Codec
    trial: Trial
    most: int
    found: dict[str, list[str]] = field(default_factory=dict)
    ahead: deque[tuple[str, str]] = field(default_factory=deque)
    looked: set[tuple[bool, str]] = field(default_factory=set)
    requests: int = 0

    async def run(self) -> None:
        """Walk until nothing is ahead, or the bound is reached."""
        self.add("DeviceCapability", self._placed("", self.dcap))
        while self.ahead and self.requests < MOST_REQUESTS:
            route_id, href = self.ahead.popleft()
            await self._visit(route_id, href)

    def add(self, name: str, href: str, *, look: bool = True) -> None:
        """Keep an href, and look at it later unless enough of its kind were looked at."""
        held = self.found.setdefault(name, [])
        if href not in held:
            held.append(href)
        is_here = href.startswith("/")  # what is at another server is another target's
        few = len(held) <= self.most and _route_of(name) not in _NOT_READ
        key = name.startswith(OF_SELF), href
        if look and is_here and few and key not in self.looked:
            self.looked.add(key)
            self.ahead.append((name, href))

    async def _visit(self, name: str, href: str) -> None:
        """Look at one resource, page by page where it is a list."""
        route_id = _route_of(name)
        if route_id not in ROUTES:
            return
        is_list, start = ROUTES[route_id].is_list, 0
        below = OF_SELF if name.startswith(OF_SELF) or name == "SelfDevice" else ""
        while True:
            value = await self._resource(with_query(href, {"s": start, "l": PAGE}) if is_list else href)
            if value is None:
                return
            self._links(href, value, below)
            items = _items(value)
            for item in items:
                self._item(href, item, below)
            start += len(items)
            if not items or start >= min(getattr(value, "all", 0), self.most):
                return

    async def _resource(self, href: str) -> object | None:
        self.requests += 1
        exchange = await self.look(href)
        if exchange.status in {403, 404}:
            return None
        flaw = f"{exchange.status}"
        if exchange.status == 200:
            try:
                return self.codec.decode_any(exchange.body, most=MOST_OCTETS)
            except Malformed as why:
                flaw = str(why)
        self.trial.exchange(exchange)
        self.trial.note(f"tour: GET {href}: {flaw}")
        return None

    def _item(self, base: str, item: object, below: str) -> None:
        """An item of a list: its own href, and what it links to."""
        href = getattr(item, "href", None)
        if href:
            base = self._placed(base, href)
            self.add(below + wire_name(type(item)), base, look=False)
        self._links(base, item, below)

    def _links(self, base: str, value: object, below: str) -> None:
        """All links of a resource, those within its parts among them; the items of a list apart."""
        for f in spec_of(type(value)):
            held = getattr(value, f.attr)
            if f.target is None or held is None or (f.is_list and hasattr(value, "results")):
                continue
            for one in held if f.is_list else [held]:
                if isinstance(one, Link):
                    kind = wire_name(type(one)).removesuffix("Link")
                    self.add(below + kind, self._placed(base, one.href))
                else:
                    self._links(base, one, below)

    def _placed(self, base: str, href: str) -> str:
        """An href as seen from a document; the path alone where it stays at the same server."""
        whole = urljoin(urljoin(self.dcap, base), href)
        root = urljoin(self.dcap, "/")
        return whole[len(root) - 1 :] if whole.startswith(root) else whole


def _route_of(name: str) -> str:
    return name.removeprefix(OF_SELF)


def _items(value: object) -> Sequence[object]:
    if not hasattr(value, "results"):
        return []
    place = next((f.attr for f in spec_of(type(value)) if f.is_list), None)
    return getattr(value, place) if place else []


async def tour(
    look: Callable[[str], Awaitable[Exchange]],
    dcap: str,
    codec: Codec,
    trial: Trial,
    most: int = MOST_OF_ONE,
) -> Mapping[str, Sequence[str]]:
    """Hrefs by the id of their route, from the DeviceCapability at the URI `dcap` on.

    What a SelfDevice leads to is named `SelfDevice/` and the id. `look` makes a GET. Up to `most` resources
    of each kind are followed, with 2,000 requests in all. What is neither there (200) nor absent (403, 404:
    linked, and not put yet) is noted in the trial.
    """
    walk = _Walk(look=look, dcap=dcap, codec=codec, trial=trial, most=most)
    await walk.run()
    count = sum(map(len, walk.found.values()))
    trial.note(f"tour: {walk.requests} requests, {count} resources of {len(walk.found)} kinds")
    if walk.ahead:
        trial.note(f"tour: ended after {walk.requests} requests, {len(walk.ahead)} resources not looked at")
    return walk.found


def with_query(href: str, query: Mapping[str, int | str]) -> str:
    """An href with a query appended to what it has."""
    if not query:
        return href
    return f"{href}{'&' if '?' in href else '?'}{urlencode(query)}"
