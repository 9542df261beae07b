"""One connection to a listener that answers what is no answer: the delivery fails, and says why."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from certs import Door
from sep2_server.notifications.posting import LARGEST_ANSWER, DeliveryError, Endpoint, Posting

Answer = Callable[[asyncio.Transport], None]


class Peer(asyncio.Protocol):
    """Does something with the connection once a whole request is there."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.Transport | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._read.endswith(b"body") and self._transport is not None:
            self._read = b""
            self._answer(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None


@asynccontextmanager
async def posting_to(answer: Answer) -> AsyncIterator[tuple[Posting, Endpoint]]:
    door = Door.at("127.0.0.1", 0, lambda: Peer(answer))
    endpoint = Endpoint("http", "127.0.0.1", door.port)
    address = ip_address("127.0.0.1")
    loop = asyncio.get_running_loop()
    _, posting = await loop.create_connection(lambda: Posting(address), "127.0.0.1", door.port)
    try:
        yield posting, endpoint
    finally:
        posting.close()
        await door.close()
        await asyncio.sleep(0)


def sends(octets: bytes) -> Answer:
    return lambda transport: transport.write(octets)


async def posted(posting: Posting, endpoint: Endpoint) -> int:
    async with asyncio.timeout(10):
        return await posting.post(endpoint, "/ntfy", b"body", "application/sep+xml")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (sends(b"no HTTP at all\r\n\r\n"), "no HTTP"),
        (sends(b"HTTP/1.1 200 OK\r\nX: " + b"y" * LARGEST_ANSWER), "too large"),
        (lambda transport: transport.close(), "the connection was lost: closed by the listener"),
        (lambda transport: transport.abort(), "the connection was lost"),
    ],
    ids=["no-http", "too-large", "closes", "aborts"],
)
async def test_what_is_no_answer_fails_the_delivery(answer: Answer, told: str) -> None:
    async with posting_to(answer) as (posting, endpoint):
        with pytest.raises(DeliveryError, match=told):
            await posted(posting, endpoint)
        with pytest.raises(DeliveryError, match="the connection is closed"):
            await posted(posting, endpoint)


async def test_an_interim_answer_is_not_the_answer() -> None:
    octets = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    async with posting_to(sends(octets)) as (posting, endpoint):
        assert [await posted(posting, endpoint) for _ in range(2)] == [204, 204]
        assert posting.is_used


async def test_a_connection_that_the_listener_ends_is_used_no_more() -> None:
    octets = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with posting_to(sends(octets)) as (posting, endpoint):
        assert await posted(posting, endpoint) == 200
        assert not posting.is_open


@pytest.mark.parametrize(
    ("endpoint", "authority"),
    [
        (Endpoint("https", "a.example", 443), "a.example"),
        (Endpoint("http", "a.example", 443), "a.example:443"),
        (Endpoint("https", "::1", 8443), "[::1]:8443"),
    ],
)
def test_the_host_header_names_a_port_that_is_not_the_usual_one(endpoint: Endpoint, authority: str) -> None:
    assert endpoint.authority == authority
