"""Connections of operators are bounded in number and in time, whoever they are of; others are served."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from sep2_server.operator import Site
from sep2_server.operator.guests import Bounds
from tests.integration.operator_api.conftest import LiveServer
from tests.integration.operator_api.test_operator_access import audit_lines
from tests.integration.unread import is_cut_off

BOUNDS = Bounds(connections=100, idle_s=0.4, body_s=0.4, write_s=0.4)
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def bounds() -> Bounds:
    return BOUNDS


@pytest.fixture
def port(live: LiveServer, bounds: Bounds) -> Iterator[int]:
    """Where the operators of a running server are heard too, within other bounds."""
    with live.heard_too(bounds) as port:
        yield port


async def opened(port: int, sent: bytes = b"") -> Line:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    return reader, writer


async def rest_of(line: Line) -> bytes:
    """All that still comes, until the other side closes."""
    async with asyncio.timeout(10):
        told = await line[0].read()
    line[1].close()
    return told


async def first_line(port: int) -> bytes:
    """What answers one request; nothing where the connection is closed at once."""
    reader, writer = await opened(port, GET)
    try:
        return await reader.readline()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHo"])
async def test_a_connection_on_which_no_request_comes_is_closed(port: int, sent: bytes) -> None:
    assert await rest_of(await opened(port, sent)) == b""


async def test_a_head_that_comes_octet_by_octet_is_closed(port: int) -> None:
    line = await opened(port, b"GET /livez HTTP/1.1\r\nX: ")

    async def drip() -> None:
        while not line[0].at_eof():
            line[1].write(b"a")
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drip())
        with suppress(ConnectionResetError):  # an octet that came behind the end
            assert await rest_of(line) == b""


async def test_a_connection_with_requests_lives_on(port: int) -> None:
    reader, writer = await opened(port)
    async with asyncio.timeout(10):
        for _ in range(12):
            writer.write(GET)
            assert (await reader.readuntil(b'{"live": true}\n')).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.1)
    writer.close()


@pytest.mark.parametrize("path", ["devices", "contents"])
async def test_a_body_that_does_not_come_is_400_in_time(site: Site, port: int, path: str) -> None:
    secret = (site.operator.folder / "operator.token").read_text().strip()
    head = f"POST /{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nContent-Length: 9\r\n\r\nx"
    told = await rest_of(await opened(port, head.encode()))
    assert told.startswith(b"HTTP/1.1 400")
    assert b'"error": "bad-request"' in told


@pytest.mark.parametrize(("path", "is_known"), [("devices", False), ("devices", True), ("contents", True)])
async def test_a_connection_that_ends_inside_a_body_is_no_error_of_the_server(
    site: Site, live: LiveServer, path: str, is_known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody who reached the port could fill the log with stacks."""
    secret = (site.operator.folder / "operator.token").read_text().strip() if is_known else "0"
    head = f"POST /{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nContent-Length: 9\r\n\r\nx"
    with live.heard_too() as port:
        _, writer = await opened(port, head.encode())
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()
        await writer.wait_closed()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    if path == "contents":
        assert audit_lines(site)[-1]["outcome"] == "refused: bad-request"


async def test_an_upload_that_stalls_is_an_audit_line(site: Site, port: int) -> None:
    await test_a_body_that_does_not_come_is_400_in_time(site, port, "contents")
    assert audit_lines(site)[-1]["outcome"] == "refused: bad-request"


async def test_a_client_that_does_not_read_is_cut_off(port: int) -> None:
    """Its answers wait in memory, and it takes a place of others."""
    assert await is_cut_off(port, GET)


@pytest.mark.parametrize("bounds", [replace(BOUNDS, connections=2, idle_s=5)])
async def test_a_connection_too_many_is_closed_and_there_is_room_again_later(port: int) -> None:
    held = [await opened(port) for _ in range(2)]
    assert await rest_of(await opened(port)) == b""
    for _, writer in held:
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(10):
        answer = b""
        while answer == b"":
            answer = await first_line(port)
    assert answer.startswith(b"HTTP/1.1 200")
