"""How a client finds resources: by links from the DeviceCapability on, lists page by page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

import schemas
from conformance_tests.aus.server_client import Seen
from conformance_tests.aus.server_deeds import Found
from conformance_tests.case import Level
from conformance_tests.server.judged import check_valid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance_tests.aus.server_client import Client
    from conformance_tests.evidence import Exchange
    from conformance_tests.trial import Trial

PAGE: Final = 100
MOST_PAGES: Final = 20
BUSY: Final = 429
PATIENCE_S: Final = (5, 15, 30)
"""After each 429 the request is sent again this much later, s."""

ITEMS: Final = {
    Found.EDEV: Found.EDEV_LIST,
    Found.FSA: Found.FSA_LIST,
    Found.DERP: Found.DERP_LIST,
    Found.DERC: Found.DERC_LIST,
    Found.DER: Found.DER_LIST,
    Found.MUP: Found.MUP_LIST,
    Found.SUB: Found.SUB_LIST,
}
"""What is an item of which list."""

LINKED: Final = {
    Found.TIME: Found.DCAP,
    Found.EDEV_LIST: Found.DCAP,
    Found.MUP_LIST: Found.DCAP,
    Found.REGISTRATION: Found.EDEV,
    Found.CONNECTION_POINT: Found.EDEV,
    Found.FSA_LIST: Found.EDEV,
    Found.DER_LIST: Found.EDEV,
    Found.SUB_LIST: Found.EDEV,
    Found.DERP_LIST: Found.FSA,
    Found.DERC_LIST: Found.DERP,
    Found.DDERC: Found.DERP,
    Found.DER_CAPABILITY: Found.DER,
    Found.DER_SETTINGS: Found.DER,
    Found.DER_STATUS: Found.DER,
}
"""What is found by a link in which resource."""

ORDER: Final = (
    *(Found.DCAP, Found.TIME, Found.EDEV_LIST, Found.EDEV, Found.REGISTRATION, Found.CONNECTION_POINT),
    *(Found.FSA_LIST, Found.FSA, Found.DERP_LIST, Found.DERP, Found.DERC_LIST, Found.DERC, Found.DDERC),
    *(Found.DER_LIST, Found.DER, Found.DER_CAPABILITY, Found.DER_SETTINGS, Found.DER_STATUS),
    *(Found.MUP_LIST, Found.MUP, Found.SUB_LIST, Found.SUB),
)
"""In which order they are looked for."""


def class_of(client: Client, kind: Found) -> type:
    """The class of a resource in the profile of the run."""
    added = client.viewer.profile.additions.get(kind)
    return added or client.viewer.profile.resolve(getattr(schemas, kind))


def link_of(value: object, kind: Found) -> str | None:
    """The href of the link to a resource, None where there is none."""
    link = getattr(value, f"{kind}Link_", None) or getattr(value, f"{kind}Link", None)
    return None if link is None else str(link.href)


def needed(kinds: Sequence[Found]) -> list[Found]:
    """These and all on the way to them, in the order in which they are looked for."""
    found: set[Found] = set()
    ahead = list(kinds)
    while ahead:
        kind = ahead.pop()
        found.add(kind)
        above = ITEMS.get(kind) or LINKED.get(kind)
        if above is not None:
            ahead.append(above)
    return [kind for kind in ORDER if kind in found]


class Walk:
    """One discovery of a client; what it finds takes the place of what was found before."""

    def __init__(self, client: Client, trial: Trial, limit: int | None = None) -> None:
        self.client = client
        self.trial = trial
        self.limit = limit

    async def run(self, kinds: Sequence[Found]) -> None:
        """Find these and all on the way to them."""
        for kind in needed(kinds):
            self.client.found[kind] = []
            for parent, href in list(self._leads(kind)):
                await self._look(kind, parent, href)

    async def again(self, kind: Found) -> None:
        """Read lists of a kind again, where they were found, with their items."""
        held, items = self.client.seen(kind), [item for item, of in ITEMS.items() if of is kind]
        self.client.found[kind] = []
        for one in held:
            await self._look(kind, one.parent, one.href)
        for item in items:
            self.client.found[item] = []
            for one in self.client.seen(kind):
                await self._items(item, one)

    def _leads(self, kind: Found) -> Iterator[tuple[Seen | None, str]]:
        """Where resources of a kind must be: addresses, each with what led there; each address once."""
        if kind is Found.DCAP:
            yield None, self.client.viewer.uri("")
            return
        if kind in ITEMS:
            return (yield from ((one, one.href) for one in self.client.seen(ITEMS[kind])))
        known: set[str] = set()
        for parent in self._parents(kind):
            href = link_of(parent.value, kind)
            if href is not None and (at := urljoin(parent.href, href)) not in known:
                known.add(at)
                yield parent, at

    def _parents(self, kind: Found) -> list[Seen]:
        """All EndDevices for subscriptions, else only the client's own."""
        above = LINKED[kind]
        if above is not Found.EDEV or kind is Found.SUB_LIST:
            return self.client.seen(above)
        own = self.client.own_device()
        return [own] if own else []

    async def _look(self, kind: Found, parent: Seen | None, href: str) -> None:
        """Read one resource, or the items of a list that was read."""
        if kind in ITEMS:
            if parent is not None:
                await self._items(kind, parent)
            return
        query = {"s": 0, "l": self.limit or PAGE} if kind in ITEMS.values() else {}
        exchange = await fetch(self.client, href, **query)
        if exchange.status == 404 and kind in LINKED:
            return
        value = self._read(exchange, kind)
        read_s = exchange.at_s, exchange.at_s + exchange.took_s
        self.client.found[kind].append(Seen(kind, value, self.client.viewer.uri(href), parent, read_s))

    async def _items(self, kind: Found, parent: Seen) -> None:
        """All items of a list, page by page until one is empty; the first page was read with the list."""
        page, all_, count = parent.value, getattr(parent.value, "all", None), 0
        for _ in range(MOST_PAGES + 1):
            items: list[object] = getattr(page, f"{kind}_")
            self._judge_page(page, items, all_, ITEMS[kind])
            count += len(items)
            for item in items:
                self._keep(kind, item, parent)
            if not items or self.limit is not None:
                break
            exchange = await fetch(self.client, parent.href, s=count, l=PAGE)
            page = self._read(exchange, ITEMS[kind])
        else:
            self.trial.require(
                False, f"a {ITEMS[kind]} has at most {MOST_PAGES} pages", seen=f"{count} items"
            )
        if self.limit is None:
            held = all_ == count
            self._should(held, f"`all` of a {ITEMS[kind]} is the number of items", f"{all_}, {count} items")

    def _keep(self, kind: Found, item: object, parent: Seen) -> None:
        href = getattr(item, "href", None)
        self._should(href, f"each {kind} of a list has its href", "none")
        self.client.found[kind].append(Seen(kind, item, urljoin(parent.href, str(href or "")), parent))

    def _judge_page(self, page: object, items: list[object], all_: object, kind: Found) -> None:
        results, told = getattr(page, "results", None), getattr(page, "all", None)
        self._should(
            results == len(items), f"`results` of a {kind} counts its items", f"{results}, {len(items)}"
        )
        self._should(told == all_, f"`all` of a {kind} is the same on each page", f"{told}, first {all_}")

    def _read(self, exchange: Exchange, kind: Found) -> object:
        return read(self.client, self.trial, exchange, kind)

    def _should(self, held: object, what: str, seen: str) -> None:
        if not held:
            self.trial.check(held, what, seen=seen, level=Level.SHOULD)


def read(client: Client, trial: Trial, exchange: Exchange, kind: Found) -> object:
    """The resource in an answer, which must be a 2xx whose body keeps the schema and parses."""
    answered(trial, exchange, f"GET of the {kind}")
    judgement = client.judge.judge(exchange.body, exchange.header("Content-Type") or "")
    check_valid(trial, judgement, f"the {kind}", only_flaws=True)
    value: object = client.viewer.decoded(exchange, class_of(client, kind))
    return value


def answered(trial: Trial, exchange: Exchange, what: str) -> None:
    """The request must have been granted: any 2xx."""
    status = exchange.status or 0
    trial.require(200 <= status < 300, f"{what} is granted with a 2xx", seen=status)


async def fetch(client: Client, href: str, **query: int) -> Exchange:
    """A GET; a server that is busy gets three more tries."""
    for pause_s in PATIENCE_S:
        exchange = await client.viewer.get(href, **query)
        if exchange.status != BUSY:
            return exchange
        await asyncio.sleep(pause_s)
    return await client.viewer.get(href, **query)
