"""The port of monitoring is bounded in connections and in time, as that of operators is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sep2_server.process.monitor import Monitor
from sep2_server.process.pages import JSON, Page
from sep2_server.process.patience import Patience
from tests.integration.unread import is_cut_off

GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    monitor = Monitor(
        lambda _: Page(200, JSON, b"x" * 5000), Patience(connections=3, idle_s=0.4, write_s=0.4)
    )
    await monitor.start(0)
    yield int(monitor.url.rpartition(":")[2])
    await monitor.stop()


async def rest_of(line: Line) -> bytes:
    """All that still comes, until the other side closes."""
    async with asyncio.timeout(5):
        told = await line[0].read()
    line[1].close()
    return told


@pytest.mark.parametrize("sent", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHo"])
async def test_a_connection_on_which_no_request_comes_is_closed(port: int, sent: bytes) -> None:
    line = await asyncio.open_connection("127.0.0.1", port)
    line[1].write(sent)
    assert await rest_of(line) == b""


async def test_a_connection_too_many_is_closed(port: int) -> None:
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    for _, writer in held:
        writer.write(GET)
    for reader, _ in held:
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert await rest_of(await asyncio.open_connection("127.0.0.1", port)) == b""
    for _, writer in held:
        writer.close()


async def test_a_client_that_does_not_read_is_cut_off(port: int) -> None:
    assert await is_cut_off(port, GET)
