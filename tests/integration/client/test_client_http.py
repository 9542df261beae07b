"""The client's HTTP: which connections it keeps, what it sends again. RFC 9110, 9.2.2; RFC 9112, 9."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from certs import Door, client_context, server_context
from der_client.http_connection import LostError, Request
from der_client.http_pool import KEEP_S, MOST_CONNECTIONS, HttpPool
from der_client.http_reply import HttpError
from tests.integration.client.harness import Lab

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE_S = 15.0
Made = Callable[[str], Request]


def fine(wire: "Wire") -> None:
    """Answer each request."""
    wire.transport.write(OK)


@dataclass
class Raw:
    """A server over mutual TLS that knows no HTTP: it does with each request what the test says."""

    act: Callable[["Wire"], None]
    wires: list["Wire"] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await self.news.wait()

    @property
    def requests(self) -> list[int]:
        """How many requests each connection carried."""
        return [wire.requests for wire in self.wires]


class Wire(asyncio.Protocol):
    """One connection to it."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.requests = 0
        self.is_open = True
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.raw.wires.append(self)

    def data_received(self, data: bytes) -> None:
        self.requests += data.count(b" HTTP/1.1\r\n")
        self.raw.act(self)
        self.raw.told()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self.raw.told()


@asynccontextmanager
async def asking(lab: Lab, raw: Raw, keep_s: float = KEEP_S) -> AsyncIterator[tuple[HttpPool, Made]]:
    """A pool for that server, and what makes a request to it."""
    own, other = lab.device, lab.server
    context = server_context(other.certificate_path, other.key_path, other.root_path)
    door = Door.at("127.0.0.1", 0, lambda: Wire(raw), context)
    client = client_context(own.certificate_path, own.key_path, own.root_path)
    pool = HttpPool(client, lambda _: None, 1000, keep_s)
    try:
        yield pool, lambda method: Request.of(method, f"https://127.0.0.1:{door.port}/x", {}, b"")
    finally:
        await pool.close()
        await door.close()
        for wire in raw.wires:
            wire.transport.abort()
        await raw.until(lambda: not any(wire.is_open for wire in raw.wires))


async def test_requests_one_after_the_other_share_a_connection(lab: Lab) -> None:
    raw = Raw(fine)
    async with asking(lab, raw) as (pool, made):
        assert [(await pool.ask(made("GET"))).body for _ in range(3)] == [b"ok"] * 3

    assert raw.requests == [3]


async def test_requests_at_once_share_a_few_connections(lab: Lab) -> None:
    raw = Raw(fine)
    async with asking(lab, raw) as (pool, made):
        await asyncio.gather(*(pool.ask(made("GET")) for _ in range(3 * MOST_CONNECTIONS)))

    assert len(raw.requests) == MOST_CONNECTIONS
    assert sum(raw.requests) == 3 * MOST_CONNECTIONS


def once_then_silence(wire: Wire) -> None:
    """Answer the first request of a connection, and close it at the second."""
    if wire.requests == 1:
        wire.transport.write(OK)
    else:
        wire.transport.abort()


async def test_a_request_given_up_at_any_step_leaves_no_socket_behind(lab: Lab) -> None:
    raw = Raw(fine)
    leaks: list[str] = []
    async with asking(lab, raw) as (pool, made):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.unraisablehook", lambda found: leaks.append(str(found.exc_value)))
            for steps in [*range(40)] * 3:
                given_up = asyncio.create_task(pool.ask(made("GET")))
                for _ in range(steps):
                    await asyncio.sleep(0)
                given_up.cancel()
                await asyncio.wait([given_up])
                await pool.close()
            gc.collect()

    assert leaks == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_what_may_be_sent_twice_is_where_a_kept_connection_has_ended(lab: Lab, method: str) -> None:
    raw = Raw(once_then_silence)
    async with asking(lab, raw) as (pool, made):
        await pool.ask(made("GET"))
        assert (await pool.ask(made(method))).status == 200

    assert raw.requests == [2, 1]


async def test_a_post_is_sent_once(lab: Lab) -> None:
    raw = Raw(once_then_silence)
    async with asking(lab, raw) as (pool, made):
        await pool.ask(made("GET"))
        with pytest.raises(LostError):
            await pool.ask(made("POST"))

    assert raw.requests == [2]


async def test_a_fresh_connection_that_ends_without_an_answer_is_not_tried_again(lab: Lab) -> None:
    raw = Raw(lambda wire: wire.transport.abort())
    async with asking(lab, raw) as (pool, made):
        with pytest.raises(LostError):
            await pool.ask(made("GET"))

    assert raw.requests == [1]


async def test_a_kept_connection_that_the_server_closes_is_forgotten(lab: Lab) -> None:
    raw = Raw(fine)
    async with asking(lab, raw) as (pool, made):
        await pool.ask(made("POST"))
        raw.wires[0].transport.close()
        await raw.until(lambda: not raw.wires[0].is_open)
        await pool.ask(made("POST"))

    assert raw.requests == [1, 1]


async def test_octets_that_nobody_asked_for_end_a_kept_connection(lab: Lab) -> None:
    raw = Raw(fine)
    async with asking(lab, raw) as (pool, made):
        await pool.ask(made("GET"))
        raw.wires[0].transport.write(OK)
        await raw.until(lambda: not raw.wires[0].is_open)
        assert (await pool.ask(made("POST"))).body == b"ok"

    assert raw.requests == [1, 1]


async def test_a_connection_is_closed_once_it_was_not_used_for_long(lab: Lab) -> None:
    raw = Raw(fine)
    async with asking(lab, raw, keep_s=0.01) as (pool, made):
        await pool.ask(made("GET"))
        await raw.until(lambda: not raw.wires[0].is_open)


async def test_an_answer_that_ends_with_its_connection_is_whole(lab: Lab) -> None:
    def act(wire: Wire) -> None:
        wire.transport.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        wire.transport.close()

    async with asking(lab, Raw(act)) as (pool, made):
        assert (await pool.ask(made("GET"))).body == b"all of it"


async def test_a_request_that_is_given_up_takes_its_connection_with_it(lab: Lab) -> None:
    raw = Raw(lambda wire: None)
    async with asking(lab, raw) as (pool, made):
        task = asyncio.create_task(pool.ask(made("GET")))
        await raw.until(lambda: raw.requests == [1])
        task.cancel()
        await raw.until(lambda: not raw.wires[0].is_open)
        raw.act = fine
        await pool.ask(made("GET"))

    assert raw.requests == [1, 1]


async def test_a_server_that_is_to_be_refused_gets_no_request(lab: Lab) -> None:
    raw = Raw(fine)
    async with asking(lab, raw) as (pool, made):
        pool.refusal = lambda _: "its key is no good"
        with pytest.raises(HttpError, match="refused: its key is no good"):
            await pool.ask(made("GET"))
        await raw.until(lambda: not raw.wires[0].is_open)

    assert raw.requests == [0]


async def test_what_is_no_http_closes_the_connection(lab: Lab) -> None:
    raw = Raw(lambda wire: wire.transport.write(b"220 mail.example ESMTP\r\n"))
    async with asking(lab, raw) as (pool, made):
        with pytest.raises(HttpError, match="no HTTP"):
            await pool.ask(made("GET"))
        await raw.until(lambda: not raw.wires[0].is_open)
