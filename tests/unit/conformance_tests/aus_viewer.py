"""A viewer that plays back what a test gives it, in the place of one at a server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urljoin

from certs import Credentials, parse_lfdi, sfdi_of
from conformance_tests.evidence import Exchange
from schemas import Codec, Profile

T = TypeVar("T")
LFDI = "3E4F45AB31EDFE5B67E343E5E4562E3100000001"
SFDI = sfdi_of(parse_lfdi(LFDI))
ORIGIN = "https://server"


@dataclass
class NoViewer:
    """Answers by method and path: a status with a body or a Location, the last one again and again."""

    profile: Profile
    answers: dict[tuple[str, str], list[Exchange]] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    name: str = "device"
    lfdi: str = LFDI
    sfdi: int = SFDI

    @property
    def credentials(self) -> Credentials:
        """None here."""
        raise AssertionError

    def answers_with(
        self, method: str, path: str, status: int, value: object = None, location: str | None = None
    ) -> None:
        """From now on one more answer."""
        body = (
            value if isinstance(value, bytes) else b"" if value is None else Codec(self.profile).encode(value)
        )
        headers = (("Content-Type", "application/sep+xml"),) + ((("Location", location),) if location else ())
        made = Exchange(
            at_s=0, by="device", method=method, uri=ORIGIN + path, status=status, headers=headers, body=body
        )
        self.answers.setdefault((method, path), []).append(made)

    def uri(self, href: str) -> str:
        """The whole URI of an href."""
        return urljoin(f"{ORIGIN}/dcap", href)

    def decoded(self, exchange: Exchange, cls: type[T]) -> T:
        """The resource in an answer."""
        return Codec(self.profile).decode(exchange.body, cls)

    async def send(
        self, method: str, href: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Exchange:
        """The next answer."""
        del headers
        path = self.uri(href).removeprefix(ORIGIN)
        self.asked.append((method, path, body or b""))
        held = self.answers[method, path]
        return held.pop(0) if len(held) > 1 else held[0]

    async def get(self, href: str, **query: int | str) -> Exchange:
        """The next answer, whatever the query."""
        del query
        return await self.send("GET", href)

    async def post(self, href: str, resource: object) -> Exchange:
        """The next answer."""
        return await self.send("POST", href, Codec(self.profile).encode(resource))

    async def put(self, href: str, resource: object) -> Exchange:
        """The next answer."""
        return await self.send("PUT", href, Codec(self.profile).encode(resource))

    async def delete(self, href: str) -> Exchange:
        """The next answer."""
        return await self.send("DELETE", href)

    async def raw(self, octets: bytes) -> Exchange:
        """Not asked for here."""
        raise AssertionError(octets)

    async def follow(self, href: str) -> Exchange:
        """The next answer."""
        return await self.get(href)

    async def head(self, href: str, **query: int | str) -> Exchange:
        """The next answer."""
        return await self.get(href, **query)

    async def read(self, href: str, cls: type[T], **query: int | str) -> T:
        """The resource of the next answer."""
        return self.decoded(await self.get(href, **query), cls)

    async def items(self, href: str, list_cls: type, item_cls: type[T]) -> Sequence[T]:
        """Not asked for here."""
        raise AssertionError((href, list_cls, item_cls))

    async def tour(self, most: int = 40) -> Mapping[str, Sequence[str]]:
        """Not asked for here."""
        raise AssertionError
