"""HTTPS to one server: GET, PUT and POST of resources, redirects remembered, bodies bounded, one pool.

Who decides what to ask for, and when, is elsewhere; here is only how one exchange goes.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self, TypeVar
from urllib.parse import urljoin

from certs import client_context
from der_client.errors import ExchangeError, MissingError, RefusedError, UnreachableError
from der_client.http_connection import Request
from der_client.http_pool import HttpPool
from der_client.http_reply import HttpError
from der_client.list_pages import MOST_ITEMS, PAGE_LIMIT, ListPages, items_attribute, with_query
from der_client.server_check import ServerCheck
from der_client.settings import ServerSettings
from schemas import MEDIA_TYPE, Codec, Malformed, Resource

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Resource)

REDIRECTS: Final = frozenset({301, 302, 307, 308})
NOT_NOW: Final = frozenset({408, 425, 429})
"""Statuses below 500 that say: the same request may be taken later."""
MOST_REDIRECTS: Final = 5
MOST_BODY: Final = 1 << 20
MOST_PAGES: Final = 1000
"""A server may cap its pages at a few items."""
MOST_READINGS: Final = 3
"""How often a list is read that changes while it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of the server: HTTP status, Location, body, and the local times around the exchange, s."""

    status: int
    location: str | None
    body: bytes
    sent_s: float
    received_s: float


class Session:
    """A client of one server; opened by `async with`. Owned by one client, used by its tasks."""

    def __init__(
        self,
        settings: ServerSettings,
        codec: Codec | None = None,
        *,
        local_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.codec = codec or Codec()
        self.base = settings.uri
        """The URI that all others are relative to: that of DeviceCapability."""
        self._local_s = local_s
        self._moved: dict[str, str] = {}
        self._http: HttpPool | None = None

    async def __aenter__(self) -> Self:
        files = self.settings
        self._check = ServerCheck(files.roots)
        context = client_context(files.certificate, files.key, files.roots, strict=files.strict_ciphers)
        self._http = HttpPool(context, self._check.refusal, MOST_BODY)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    @property
    def server_lfdis(self) -> Collection[str]:
        """LFDIs of the certificates that the server has shown."""
        return self._check.lfdis

    def joined(self, href: str) -> str:
        """The whole URI of an href. RefusedError for one without TLS."""
        return _joined(self.base, href)

    async def read_plain(self, href: str, media_type: str) -> bytes:
        """A document that is none of the schema's, of another media type. ExchangeError."""
        return (await self._exchange("GET", href, accept=media_type)).body

    async def delete(self, href: str) -> None:
        """Delete what is at `href`."""
        await self._exchange("DELETE", href)

    async def get(self, href: str, cls: type[R]) -> R:
        """The resource at `href`; a list is read whole. ExchangeError where that fails."""
        if items_attribute(cls) is None:
            return (await self._read(href, href, cls))[0]
        return await self._get_list(href, cls)

    async def get_timed(self, href: str, cls: type[R]) -> tuple[R, float, float]:
        """A resource with the local times just before the request and just after the answer, s."""
        resource, answer = await self._read(href, href, cls)
        return resource, answer.sent_s, answer.received_s

    async def first_page(self, href: str, cls: type[R]) -> R:
        """The first page of a list: its newest items where the list is ordered by time."""
        return (await self._read(href, with_query(href, f"s=0&l={PAGE_LIMIT}"), cls))[0]

    async def put(self, href: str, resource: Resource) -> None:
        """Store a resource at `href`."""
        await self._exchange("PUT", href, self.codec.encode(resource))

    async def post(self, href: str, body: bytes) -> str | None:
        """Post a document to `href`; the URI of what came of it, if the server says one."""
        return (await self._exchange("POST", href, body)).location

    def forget_moves(self) -> None:
        """Forget all redirects, as after a rediscovery."""
        self._moved.clear()

    async def _get_list(self, href: str, cls: type[R]) -> R:
        """All items of a list, read again where it changed between two pages: none may be missed.

        Of one that changes in each reading it is all that was seen in any, as it was seen last.
        """
        pages = await self._get_pages(href, cls)
        for _ in range(MOST_READINGS - 1):
            if not pages.is_torn:
                break
            former, pages = pages, await self._get_pages(href, cls)
            if pages.is_torn:
                pages.fill(former)
        if pages.is_cut:
            log.warning("%s: more than %d items, the others are not read", href, MOST_ITEMS)
        return pages.whole()

    async def _get_pages(self, href: str, cls: type[R]) -> ListPages[R]:
        pages: ListPages[R] = ListPages()
        for _ in range(MOST_PAGES):
            query = pages.next_query()
            if query is None:
                return pages
            pages.take((await self._read(href, with_query(href, query), cls))[0])
        raise RefusedError(href, f"the list is not whole after {MOST_PAGES} pages")

    async def _read(self, href: str, asked: str, cls: type[R]) -> tuple[R, Answer]:
        """The resource at `asked`, a URI or a page of it, and the answer that held it.

        Where a URI has moved to what is no such resource (a page of maintenance), it is asked where it was.
        """
        answer = await self._exchange("GET", asked)
        try:
            return self._decoded(href, answer, cls), answer
        except RefusedError:
            if self._moved.pop(asked.partition("?")[0], None) is None:
                raise
        answer = await self._exchange("GET", asked)
        return self._decoded(href, answer, cls), answer

    def _decoded(self, href: str, answer: Answer, cls: type[R]) -> R:
        try:
            resource = self.codec.decode(answer.body, cls)
        except Malformed as flaw:
            raise RefusedError(href, f"the answer cannot be used: {flaw}", answer.status) from flaw
        resource.href = href
        return resource

    async def _exchange(
        self, method: str, href: str, body: bytes | None = None, *, accept: str = MEDIA_TYPE
    ) -> Answer:
        """One exchange; a URI that moved is asked again where it was before, should it fail there.

        A POST is only where it was refused: without an answer the server may have taken it.
        """
        path, _, query = href.partition("?")
        moved = self._moved.get(path)
        if moved is not None:
            try:
                return await self._follow(method, moved + (f"?{query}" if query else ""), body, accept)
            except ExchangeError as error:
                self._moved.pop(path, None)
                if method == "POST" and not _is_refusal(error):
                    raise
        return await self._follow(method, href, body, accept)

    async def _follow(self, method: str, href: str, body: bytes | None, accept: str) -> Answer:
        """Ask, and go where a redirection leads.

        What is sent and refused there (by a page of maintenance) is no refusal: its URI is missing.
        """
        url, is_misled = self.joined(href), False
        refusal = RefusedError(href, "redirected too often", None)
        try:
            for _ in range(MOST_REDIRECTS + 1):
                answer = await self._request(method, url, body, accept)
                if answer.status not in REDIRECTS or answer.location is None:
                    return _checked(href, answer)
                is_misled = body is not None
                url = _joined(url, answer.location)
                self._moved[href.partition("?")[0]] = url.partition("?")[0]
                log.info("%s moved to %s", href, url)
        except RefusedError as error:
            refusal = error
        if is_misled and _is_refusal(refusal):
            text = f"moved to where it cannot be sent: {refusal.detail}"
            raise MissingError(href, text, refusal.status or HTTPStatus.NOT_FOUND) from refusal
        raise refusal

    async def _request(self, method: str, url: str, body: bytes | None, accept: str) -> Answer:
        if self._http is None:
            raise RuntimeError("the session is not open")
        fields = {"Accept": accept} if body is None else {"Accept": accept, "Content-Type": MEDIA_TYPE}
        try:
            request = Request.of(method, url, fields, body)
        except ValueError as error:
            raise RefusedError(url, "no usable URI") from error
        sent_s = self._local_s()
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                reply = await self._http.ask(request)
        except (HttpError, OSError, ValueError) as error:
            raise UnreachableError(url, f"{type(error).__name__}: {error}") from error
        received_s = self._local_s()
        return Answer(
            status=reply.status,
            location=reply.location,
            body=reply.body,
            sent_s=sent_s,
            received_s=received_s,
        )


def _joined(base: str, href: str) -> str:
    """The URI that a link or a Location leads to; RefusedError where that is none, or one without TLS."""
    try:
        url = urljoin(base, href)
    except ValueError as error:
        raise RefusedError(href, f"no usable URI: {error}") from error
    if not url.startswith("https:"):
        raise RefusedError(href, "a URI without TLS")
    return url


def _is_refusal(error: ExchangeError) -> bool:
    """True where it is certain that what was sent has not been taken."""
    is_refused = isinstance(error, MissingError | RefusedError)
    return is_refused and (error.status is None or error.status >= HTTPStatus.BAD_REQUEST)


def _checked(href: str, answer: Answer) -> Answer:
    """The answer if it is good; else the error that its status stands for. IEEE 2030.5-2018 (HTTP)."""
    if len(answer.body) > MOST_BODY:
        raise RefusedError(href, f"the answer is longer than {MOST_BODY} octets", answer.status)
    if 200 <= answer.status < 300:
        return answer
    if answer.status == 404:
        raise MissingError(href, "404", 404)
    is_for_now = answer.status >= 500 or answer.status in NOT_NOW
    kind: type[ExchangeError] = UnreachableError if is_for_now else RefusedError
    raise kind(href, f"HTTP status {answer.status}", answer.status)
