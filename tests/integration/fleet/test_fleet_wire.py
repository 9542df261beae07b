"""What servers other than ours do with HTTP: redirects, chunks, closed connections, garbage."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from certs import Pki, server_context
from lineside.fleet import Tally, issue
from lineside.fleet.wire import Wire, WireError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@asynccontextmanager
async def served(pki: Pki, answer: Callable[[str], bytes]) -> AsyncIterator[tuple[Wire, Tally]]:
    """A wire to a server that writes what `answer` gives for a target."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                writer.write(answer(head.split(" ")[1]))
                await writer.drain()
        except (EOFError, OSError):
            writer.close()

    if not (pki.folder / "other").is_dir():
        pki.issue_server("other", hosts=["127.0.0.1"])
    mine = pki.credentials("other")
    context = server_context(mine.certificate_path, mine.key_path, mine.root_path)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    tally = Tally()
    wire = Wire(issue(pki.folder, 1)[0], f"https://127.0.0.1:{port}/dcap", timeout_s=5, tally=tally)
    try:
        yield wire, tally
    finally:
        await wire.close()
        server.close()
        await server.wait_closed()


async def test_redirect_is_followed_and_counted(sep2_pki: Pki) -> None:
    moved = b"HTTP/1.1 301 Moved\r\nLocation: /b/there?x=1\r\nContent-Length: 0\r\n\r\n"
    answers = {"/a": moved, "/b/there?x=1": OK}
    async with served(sep2_pki, answers.__getitem__) as (wire, tally):
        reply = await wire.exchange("GET X", "GET", "/a")
        assert (reply.body, reply.url.rpartition("/b")[2]) == (b"hi", "/there?x=1")
        assert tally.kinds["GET X"].statuses == {301: 1, 200: 1}


async def test_endless_redirects_end(sep2_pki: Pki) -> None:
    moved = b"HTTP/1.1 302 Moved\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"
    async with served(sep2_pki, lambda _: moved) as (wire, _):
        with pytest.raises(WireError, match="too often"):
            await wire.exchange("GET X", "GET", "/a")


async def test_chunks_are_joined(sep2_pki: Pki) -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n"
    )
    async with served(sep2_pki, lambda _: chunked) as (wire, _):
        first = await wire.exchange("GET X", "GET", "/a")
        second = await wire.exchange("GET X", "GET", "/a")
        assert (first.body, second.body) == (b"abcde", b"abcde")


async def test_connection_that_the_server_ends_is_opened_again_and_resumed(sep2_pki: Pki) -> None:
    closing = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    async with served(sep2_pki, lambda _: closing) as (wire, tally):
        for _ in range(3):
            await wire.exchange("GET X", "GET", "/a")
        assert {name: found.count for name, found in tally.handshakes.items()} == {"full": 1, "resumed": 2}


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0 hello\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    ],
)
async def test_garbage_is_an_error_without_status(sep2_pki: Pki, garbage: bytes) -> None:
    async with served(sep2_pki, lambda _: garbage) as (wire, tally):
        with pytest.raises(WireError):
            await wire.exchange("GET X", "GET", "/a")
        assert tally.kinds["GET X"].statuses == {0: 1}


async def test_server_of_a_foreign_root_is_refused(sep2_pki: Pki, tmp_path: Path) -> None:
    foreign = Pki.create(tmp_path / "pki", depth=2)
    async with served(sep2_pki, lambda _: OK) as (wire, _):
        wire._identity = issue(foreign.folder, 1)[0]
        with pytest.raises(WireError, match="CERTIFICATE_VERIFY_FAILED"):
            await wire.exchange("GET X", "GET", "/a")
