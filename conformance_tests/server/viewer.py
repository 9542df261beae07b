"""One identity at the server under test, as a case has it in hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, cast
from urllib.parse import urljoin

from conformance_tests.errors import Ended
from conformance_tests.server.tour import MOST_OCTETS, MOST_OF_ONE, tour, with_query
from schemas import MEDIA_TYPE, Malformed, spec_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from certs import Credentials
    from conformance_tests.evidence import Exchange
    from conformance_tests.server.wire import Wire
    from conformance_tests.trial import Trial
    from schemas import Codec, Profile

T = TypeVar("T")

PAGE: Final = 50
MOST_ITEMS: Final = 20_000
MOST_REDIRECTS: Final = 5


class Page(Protocol):
    """A page of a list."""

    all: int
    results: int


class Tours(Protocol):
    """Keeps what a tour found, until something was changed at the server."""

    def of(self, name: str) -> Mapping[str, Sequence[str]] | None:
        """What the last tour of an identity found, None where it may have changed."""
        ...

    def keep(self, name: str, found: Mapping[str, Sequence[str]]) -> None:
        """Keep what a tour found."""
        ...

    def changed(self) -> None:
        """Something was written: what tours found may no longer be so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityViewer:
    """A viewer with one certificate: everything it asks is kept in the evidence of its case."""

    name: str
    credentials: Credentials
    wire: Wire
    trial: Trial
    dcap: str
    codec: Codec
    tours: Tours

    @property
    def lfdi(self) -> str:
        """LFDI of its certificate, 40 hex digits."""
        return self.credentials.lfdi

    @property
    def sfdi(self) -> int:
        """SFDI of its certificate."""
        return self.credentials.sfdi

    @property
    def profile(self) -> Profile:
        """The profile in which it reads and writes."""
        return self.codec.profile

    def uri(self, href: str) -> str:
        """The whole URI of an href that the server gave. RFC 3986, 5."""
        return urljoin(self.dcap, href)

    async def send(
        self, method: str, href: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Exchange:
        """Any request, with exactly these headers beside Host and Content-Length."""
        return await self._send(method, href, body, headers or {}, self.trial.exchange)

    async def raw(self, octets: bytes) -> Exchange:
        """Octets as they are, over a connection of their own to the place of the DeviceCapability."""
        return await self.wire.raw(self.dcap, octets, self.trial.exchange)

    async def get(self, href: str, **query: int | str) -> Exchange:
        """A GET with Accept application/sep+xml, and the query appended."""
        return await self.send("GET", with_query(href, query), headers={"Accept": MEDIA_TYPE})

    async def head(self, href: str, **query: int | str) -> Exchange:
        """A HEAD, else as `get`."""
        return await self.send("HEAD", with_query(href, query), headers={"Accept": MEDIA_TYPE})

    async def follow(self, href: str) -> Exchange:
        """A GET that follows redirections; the case ends (as failed) after more than five of them."""
        seen = [href]
        while True:
            exchange = await self.get(seen[-1])
            location = exchange.header("Location")
            if exchange.status not in {301, 302, 303, 307, 308} or location is None:
                return exchange
            seen.append(urljoin(self.uri(seen[-1]), location))
            few = len(seen) <= MOST_REDIRECTS and seen[-1] not in seen[:-1]
            self.trial.require(few, "redirections come to an end", seen=" -> ".join(seen)[:400])

    async def read(self, href: str, cls: type[T], **query: int | str) -> T:
        """The resource; the case ends (as failed) where the answer is not 200 with such a resource."""
        exchange = await self.get(href, **query)
        what = f"GET of the {cls.__name__} answers 200"
        self.trial.require(exchange.status == 200, what, seen=exchange.status)
        return self.decoded(exchange, cls)

    def decoded(self, exchange: Exchange, cls: type[T]) -> T:
        """The resource in an answer; the case ends (as failed) where it is none of this class."""
        media = (exchange.header("Content-Type") or "").split(";")[0].strip().lower()
        self.trial.require(
            media == MEDIA_TYPE, f"the {cls.__name__} comes as {MEDIA_TYPE}", seen=media or "no Content-Type"
        )
        try:
            return self.codec.decode(exchange.body, cls, most=MOST_OCTETS)
        except Malformed as flaw:
            what = f"the body is a valid {cls.__name__}"
            self.trial.require(held=False, what=what, seen=str(flaw))
            raise Ended(what) from None

    async def items(self, href: str, list_cls: type, item_cls: type[T]) -> Sequence[T]:
        """All items of a list, page by page, bounded; the paging itself is checked on the way."""
        place = next(f.attr for f in spec_of(list_cls) if f.is_list)
        found: list[T] = []
        all_: int | None = None
        while all_ is None or len(found) < all_:
            page = await self.read(href, cast("type[Page]", list_cls), s=len(found), l=PAGE)
            items: Sequence[T] = getattr(page, place)
            all_ = page.all if all_ is None else all_
            most = min(PAGE, max(0, all_ - len(found)))
            self.trial.require(
                min(1, most) <= len(items) <= most and page.results == len(items) and page.all == all_,
                f"a page of {list_cls.__name__} tells all and results, and has items while some are left",
                seen=f"s={len(found)} l={PAGE}: all={page.all} (first: {all_}), results={page.results}, "
                f"{len(items)} items",
            )
            found += items
            self.trial.require(len(found) <= MOST_ITEMS, f"at most {MOST_ITEMS} items", seen=all_)
        return found

    async def post(self, href: str, resource: object) -> Exchange:
        """POST a resource as application/sep+xml."""
        return await self._write("POST", href, resource)

    async def put(self, href: str, resource: object) -> Exchange:
        """PUT a resource as application/sep+xml."""
        return await self._write("PUT", href, resource)

    async def delete(self, href: str) -> Exchange:
        """DELETE a resource."""
        return await self.send("DELETE", href)

    async def tour(self, most: int = MOST_OF_ONE) -> Mapping[str, Sequence[str]]:
        """Hrefs of all that links lead to from DeviceCapability, by the id of the route (WADL name).

        Links are followed of `most` resources of each kind.
        """
        name = f"{self.name}, {most} of each kind"
        found = self.tours.of(name)
        if found is None:
            found = await tour(self._look, self.dcap, self.codec, self.trial, most)
            self.tours.keep(name, found)
        return found

    async def _look(self, href: str) -> Exchange:
        headers = {"Accept": MEDIA_TYPE}
        return await self._send("GET", href, None, headers, lambda _: None)

    async def _write(self, method: str, href: str, resource: object) -> Exchange:
        headers = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        return await self.send(method, href, self.codec.encode(resource), headers)

    async def _send(
        self,
        method: str,
        href: str,
        body: bytes | None,
        headers: Mapping[str, str],
        keep: Callable[[Exchange], None],
    ) -> Exchange:
        if method not in {"GET", "HEAD"}:
            self.tours.changed()
        return await self.wire.request(method, self.uri(href), headers, body, keep)
