"""What a case for a server works with: viewers, operator, clock. Protocols; the target has the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from certs import Credentials
    from conformance_tests.case import Need
    from conformance_tests.chains import IssuingRoot
    from conformance_tests.evidence import Exchange
    from conformance_tests.server.listener import Listener
    from conformance_tests.server.operator import Operator
    from conformance_tests.trial import Trial
    from schemas import Profile

T = TypeVar("T")


class Viewer(Protocol):
    """One identity at the server: each request is kept in the evidence of the case.

    Requests raise TargetError where no answer comes in time, or what comes is no HTTP, or is too large.
    Nothing here builds a URI: `href` is the address of the DeviceCapability, or what the server gave.
    """

    @property
    def name(self) -> str:
        """Who it is, in words: device, other device, aggregator."""
        ...

    @property
    def lfdi(self) -> str:
        """LFDI of its certificate, 40 hex digits."""
        ...

    @property
    def sfdi(self) -> int:
        """SFDI of its certificate."""
        ...

    @property
    def credentials(self) -> Credentials:
        """Its certificate and key, as files."""
        ...

    @property
    def profile(self) -> Profile:
        """The profile in which it reads and writes."""
        ...

    def uri(self, href: str) -> str:
        """The whole URI of an href that the server gave. RFC 3986, 5."""
        ...

    async def raw(self, octets: bytes) -> Exchange:
        """Octets as they are, over a connection of their own to the place of the DeviceCapability."""
        ...

    async def follow(self, href: str) -> Exchange:
        """A GET that follows redirections; the case ends (as failed) after more than five of them."""
        ...

    async def head(self, href: str, **query: int | str) -> Exchange:
        """A HEAD, else as `get`."""
        ...

    def decoded(self, exchange: Exchange, cls: type[T]) -> T:
        """The resource in an answer; the case ends (as failed) where it is none of this class."""
        ...

    async def send(
        self, method: str, href: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Exchange:
        """Any request, with exactly these headers beside Host and Content-Length."""
        ...

    async def get(self, href: str, **query: int | str) -> Exchange:
        """A GET with Accept application/sep+xml, and the query appended."""
        ...

    async def read(self, href: str, cls: type[T], **query: int | str) -> T:
        """The resource; the case ends (as failed) where the answer is not 200 with such a resource."""
        ...

    async def items(self, href: str, list_cls: type, item_cls: type[T]) -> Sequence[T]:
        """All items of a list, page by page, bounded; the paging itself is checked on the way."""
        ...

    async def post(self, href: str, resource: object) -> Exchange:
        """POST a resource as application/sep+xml."""
        ...

    async def put(self, href: str, resource: object) -> Exchange:
        """PUT a resource as application/sep+xml."""
        ...

    async def delete(self, href: str) -> Exchange:
        """DELETE a resource."""
        ...

    async def tour(self, most: int = 40) -> Mapping[str, Sequence[str]]:
        """Hrefs of all that links lead to from DeviceCapability, by the id of the route (WADL name).

        Links are followed of `most` resources of each kind.
        """
        ...


class ServerBench(Protocol):
    """What one case has in hand."""

    @property
    def trial(self) -> Trial:
        """Where findings go."""
        ...

    @property
    def profile(self) -> Profile:
        """Namespaces and extensions of the profile under which it is judged."""
        ...

    @property
    def dcap(self) -> str:
        """Address of the DeviceCapability."""
        ...

    @property
    def shared(self) -> MutableMapping[str, object]:
        """What cases of one run share at this target, by names of their own: a tour, a judge."""
        ...

    @property
    def device(self) -> Viewer:
        """The device whose certificate the run was given."""
        ...

    @property
    def other(self) -> Viewer:
        """A second device. Need.SECOND_DEVICE."""
        ...

    @property
    def aggregator(self) -> Viewer:
        """An aggregator. Need.AGGREGATOR."""
        ...

    @property
    def operator(self) -> Operator:
        """Who acts for the utility. Need.OPERATOR."""
        ...

    @property
    def has(self) -> frozenset[Need]:
        """The needs that are met."""
        ...

    @property
    def listen(self) -> tuple[str, int]:
        """Host and port at which the server may notify the runner. Need.LISTENER."""
        ...

    def listening(self, viewer: Viewer) -> AbstractAsyncContextManager[Listener]:
        """A listener of one identity, at the address that the run was given. Need.LISTENER."""
        ...

    def visitor(
        self, name: str, credentials: Credentials, *, strict: bool = False
    ) -> AbstractAsyncContextManager[Viewer]:
        """An identity of this case alone; `strict`: it offers the mandatory cipher suite and no other."""
        ...

    @property
    def ca(self) -> IssuingRoot:
        """A root that the target trusts, with its key. Need.TEST_CA."""
        ...

    def in_plain(self, href: str) -> str:
        """An href at the target's port without TLS. Need.PLAIN_HTTP."""
        ...

    async def restart(self) -> None:
        """Restart the target; done when it runs again. Need.RESTART."""
        ...

    async def now(self) -> int:
        """Server time, s since 1970 UTC, by its Time resource."""
        ...

    async def until(self, server_s: int) -> None:
        """Wait until it is that time at the server."""
        ...
