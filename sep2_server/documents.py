"""From what is stored to what is sent: fragments with all filled in that hangs on reader and time.

`ListLink@all`, `List@all` and `List@results` are counted for the client, `pollRate` comes from the settings.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final

from function_sets import ROUTES, Route
from schemas import (
    BASE,
    Codec,
    EndDevice,
    FunctionSetAssignments,
    Malformed,
    SelfDevice,
    SubscribableResource,
    UsagePoint,
    spec_of,
    wire_name,
)
from sep2_server.access import Viewer
from sep2_server.combined_tariffs import CombinedTariffs
from sep2_server.device_links import START, DeviceLinks
from sep2_server.environment import Environment
from sep2_server.errors import NotAcceptable, NotFound
from sep2_server.files.fits import Wanted
from sep2_server.listing import ALWAYS, Listing, RepairDue, View, is_plain
from sep2_server.location import READING_SET, Target, locate
from sep2_server.notifications.subscribable import subscribable
from sep2_server.profiles import rate_in
from sep2_server.reader import Reader
from sep2_server.rows import EVERYBODY, Row
from sep2_server.shelf import Token
from sep2_server.shown_items import BODY, IS_PRIVATE, UNTIL, Seer, ShownItem, ShownItems
from sep2_server.standing import standing
from sep2_server.supply import OPERATION
from sep2_server.uris import route_named

_LIST_LINK: Final = re.compile(rb'<([\w:]*ListLink) href="([^"]*)"(?: all="\d+")?/>')
_LIST_LINKED: Final = b"ListLink "
FEW: Final = 16
"""Links of a page that are counted one by one, but for those of EndDevices."""
_DEVICES: Final = (b"<EndDevice ", b"<SelfDevice ", b"<FunctionSetAssignments ")
"""Resources whose links are to whole function sets."""

MIXED_LISTS: Final = frozenset({"ResponseList"})
"""Lists whose items may be of types derived from the declared one."""
_BASE: Final = Codec(BASE)
_XSI: Final = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="%s"'


@dataclass(slots=True)
class Draft:
    """A document while it is made: what it was made from so far, until when it is right, who it is for."""

    reader: Reader
    viewer: Viewer
    now: int
    tokens: set[Token] = field(default_factory=set)
    until: int = ALWAYS
    is_private: bool = False
    wanted: Wanted = field(default_factory=dict)
    items: list[ShownItem] = field(default_factory=list)
    """The items out of memory that are part of it."""
    known: dict[bytes, tuple[int, Token] | None] = field(default_factory=dict)
    """Items and tokens of lists that were looked up together, by URI; None: to be counted by itself."""

    @property
    def seer(self) -> Seer:
        """Who the items of the document are for."""
        return self.viewer.scope, self.viewer.aggregator_id

    def see(self, view: View) -> None:
        """Take note that a list is part of the document."""
        self.tokens |= view.tokens
        self.until = min(self.until, view.until)
        self.is_private = self.is_private or view.is_private

    def stands(self, href: str) -> bool:
        """Whether something is at a URI; if so, the document hangs on that."""
        row = self.reader.by_href(href)
        if row is not None:
            self.tokens.add(row.id)
        return row is not None

    def part(self) -> "Draft":
        """A draft of one item of this document."""
        return Draft(self.reader, self.viewer, self.now, known=self.known)

    def take(self, items: Collection[ShownItem]) -> None:
        """Take note that items are part of the document."""
        self.items += items
        self.until = min(self.until, min(map(UNTIL, items), default=ALWAYS))
        self.is_private = self.is_private or any(map(IS_PRIVATE, items))


MOST_ENDS: Final = 1024


class Documents:
    """Makes the documents that clients get."""

    def __init__(self, environment: Environment, listing: Listing, items: ShownItems | None = None) -> None:
        self._environment = environment
        self._items = items or ShownItems(0)
        self._codec = environment.codec
        self._listing = listing
        self._rates: Mapping[str, int] = {}
        self._ends = lru_cache(MOST_ENDS)(self._ends_of)
        self._off = _links_off(environment.offered_kinds)
        self._links = DeviceLinks(environment)
        self._tariffs = CombinedTariffs(environment)

    def set_rates(self, rates: Mapping[str, int]) -> None:
        """Take poll rates by the id of the resource that go before the settings."""
        self._rates = dict(rates)

    def resource(self, draft: Draft, target: Target, row: Row) -> bytes:
        """The document of a stored resource."""
        where = row.id if row.kind == OPERATION else row.list_id
        if row.next_at is not None and row.next_at <= draft.now and where is not None:
            raise RepairDue(where)
        draft.tokens.add(row.id)
        if row.kind == READING_SET:
            draft.tokens.add(row.list_id)  # with its list it is gone, and only later removed
        draft.until = min(draft.until, row.next_at or ALWAYS)
        body = self._tariffs.priced(draft.reader, row.kind, row.body)
        return self._document(draft, target.route, body)

    def associated(self, draft: Draft, target: Target, row: Row) -> bytes:
        """The document of the UsagePoint that a DER is associated with, as it is now. 10.10."""
        named: UsagePoint = self._codec.decode_fragment(row.body, UsagePoint)
        point = draft.reader.by_href(named.href or "")
        if point is None:
            raise NotFound(target.href)
        draft.tokens.add(row.id)
        return self.resource(draft, target, point)

    def built(self, draft: Draft, route: Route, value: object) -> bytes:
        """The document of a resource that is made at read."""
        return self._document(draft, route, self._codec.fragment(value))

    def page(self, draft: Draft, target: Target, start: int, limit: int, after: int | None) -> bytes:
        """The document of a list."""
        view = self._listing.view(draft.reader, target, draft.viewer, draft.now, after, draft.wanted)
        draft.see(view)
        count = view.total()
        limit = limit if start < count else 0  # else the database would walk the whole list to find its end
        if view.numbers is not None:
            bodies = self._devices(draft, view.numbers(start, limit) if limit else [])
        else:
            found = view.fetch(start, limit) if limit else []
            fragments = [self._tariffs.priced(draft.reader, target.route.id, one) for one in found]
            bodies = self._all_filled(draft, fragments)
        if target.route.id in MIXED_LISTS and target.route.item is not None:
            bodies = [as_item(body, wire_name(target.route.item)) for body in bodies]
        total = self._total(draft, target, count, after)
        opening, closing = self._ends(
            target.route.id, target.href, total, len(bodies), self._rate(target.route)
        )
        return b"".join((opening, *bodies, closing))

    def _ends_of(
        self, kind: str, href: str, total: int, results: int, rate: int | None
    ) -> tuple[bytes, bytes]:
        """What stands before and behind the items of a page: most pages of a list have the same."""
        route = route_named(kind)
        values: dict[str, object] = {"href": href, "all": total, "results": results}
        if rate is not None:
            values["pollRate"] = rate
        if issubclass(route.type, SubscribableResource):
            values["subscribable"] = int(subscribable(route.id))
        return self._codec.ends(route.type(**values))

    def _total(self, draft: Draft, target: Target, count: int, after: int | None) -> int:
        """What `all` counts: with `a` the items that are left, or all of them where the profile says so."""
        if after is not None and self._environment.rules.all_with_after == "whole":
            return self._listing.view(draft.reader, target, draft.viewer, draft.now).total()
        return count

    def filled(self, draft: Draft, fragment: bytes) -> bytes:
        """A fragment whose links to lists tell how many items the client may see there."""
        return self._counted(draft, self._split(draft, fragment))

    def _all_filled(self, draft: Draft, fragments: list[bytes]) -> list[bytes]:
        """As `filled`, for the items of a page."""
        parts = [self._split(draft, fragment) for fragment in fragments]
        hrefs = [href for part in parts for href in part[2::3]]
        if len(hrefs) > FEW or (hrefs and fragments[0].startswith(START)):
            self._count_together(draft, hrefs)
        return [self._counted(draft, part) for part in parts]

    def _devices(self, draft: Draft, numbers: list[int]) -> list[bytes]:
        """The EndDevices with these row ids, as `filled`; they are remembered.

        One that is not there any more is left out: row ids may be those of a moment before.
        """
        shown = self._items.of(draft.seer, numbers, draft.now)
        if not all(shown):
            missing = [place for place, item in enumerate(shown) if item is None]
            made = self._made(draft, [numbers[place] for place in missing])
            for place in missing:
                shown[place] = made.get(numbers[place])
        there = list(filter(None, shown))
        draft.take(there)
        return list(map(BODY, there))

    def _made(self, draft: Draft, numbers: list[int]) -> dict[int, ShownItem]:
        """EndDevices; kept where all lists that they link to are stored: changes of them are heard."""
        parts = {number: self._split(draft, body) for number, body in draft.reader.bodies(numbers)}
        hrefs = {number: part[2::3] for number, part in parts.items()}
        self._count_together(draft, [href for some in hrefs.values() for href in some])
        made: dict[int, ShownItem] = {}
        for number, part in parts.items():
            own = draft.part()
            own.tokens.add(number)
            body = self._counted(own, part)
            item = made[number] = ShownItem(body, frozenset(own.tokens), draft.now, own.until, own.is_private)
            is_heard = all(href in draft.known for href in hrefs[number])
            if not is_heard or not self._items.put(draft.seer, number, item, draft.reader.since):
                draft.tokens |= item.tokens
        return made

    def _split(self, draft: Draft, fragment: bytes) -> list[bytes]:
        """A fragment with all its links: what is before a link to a list, its name, its URI, and so on."""
        if self._off is not None and fragment.startswith(_DEVICES):
            fragment = self._off.sub(b"", fragment)
        if fragment.startswith(START):
            fragment = self._links.completed(fragment, draft.viewer)
        fragment = standing(self._tariffs.linked(fragment), draft.stands)
        return _LIST_LINK.split(fragment) if _LIST_LINKED in fragment else [fragment]

    def count(self, draft: Draft, href: str) -> int:
        """How many items the client may see in the list at a URI; 0 where there is none."""
        target = locate(draft.reader, self._environment.uris, href)
        if target is None or not target.exists:
            return 0
        if target.above is not None:
            draft.tokens.add(target.above.id)
        view = self._listing.view(draft.reader, target, draft.viewer, draft.now)
        draft.see(view)
        return view.total()

    def _count_together(self, draft: Draft, hrefs: list[bytes]) -> None:
        """Count the lists that the items of a page link to by one question, as far as counting is all.

        A page of 100 EndDevices links to 800 lists and more.
        """
        plain: dict[str, bool] = {}
        for href, list_id, kind, amount in draft.reader.lists_at([href.decode() for href in hrefs]):
            if kind not in plain:
                plain[kind] = is_plain(kind)
            draft.known[href.encode()] = (amount, (list_id, EVERYBODY)) if plain[kind] else None

    def _counted(self, draft: Draft, parts: list[bytes]) -> bytes:
        """The parts of a fragment together, each link with the number of items."""
        if len(parts) == 1:
            return parts[0]
        known = draft.known
        for at in range(1, len(parts), 3):
            href = parts[at + 1]
            found = known.get(href)
            if found is None:
                count = self.count(draft, href.decode())
            else:
                count, token = found
                draft.tokens.add(token)
            parts[at] = b'<%s href="%s" all="%d"/>' % (parts[at], href, count)
            parts[at + 1] = b""
        return b"".join(parts)

    def _document(self, draft: Draft, route: Route, fragment: bytes) -> bytes:
        document = self._codec.document(self.filled(draft, fragment))
        rate = self._rate(route)
        if rate is None:
            return document
        head, space, rest = document.partition(b" ")
        return b'%s pollRate="%d"%s%s' % (head, rate, space, rest)

    def _rate(self, route: Route) -> int | None:
        if not _has_poll_rate(route.type):
            return None
        rate = rate_in(self._rates, route.id)
        return self._environment.rules.poll_rate_of(route.id) if rate is None else rate


def as_item(fragment: bytes, declared: str) -> bytes:
    """A fragment as it stands in a list whose items are declared as a base of its type."""
    name, space, rest = fragment[1:].partition(b" ")
    tag = declared.encode()
    if name == tag:
        return fragment
    return b"<" + tag + _XSI % name + space + rest.removesuffix(name + b">") + tag + b">"


def base_document(document: bytes) -> bytes:
    """A document of ours without the extensions of its profile. NotAcceptable where it is one altogether.

    It is read by the base schema alone: what a client of the base schema has put may lack what an extension
    requires.
    """
    try:
        value = _BASE.decode_any(document, most=len(document))
    except Malformed as flaw:
        if flaw.rule != "root":
            raise
        raise NotAcceptable("an extension is not for a client of the base schema") from flaw
    return _BASE.encode(value)


def _links_off(offered: frozenset[str]) -> re.Pattern[bytes] | None:
    """What matches the links of a device to function sets that are not served; None where all are."""
    known = ROUTES.keys() - offered
    classes = (EndDevice, SelfDevice, FunctionSetAssignments)
    names = {f.name for cls in classes for f in spec_of(cls) if f.name.removesuffix("Link") in known}
    if not names:
        return None
    return re.compile(rb"<(?:%s) [^>]*/>" % b"|".join(name.encode() for name in sorted(names)))


@cache
def _has_poll_rate(cls: type) -> bool:
    return any(f.name == "pollRate" for f in spec_of(cls))
