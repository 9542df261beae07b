"""Whatever a target does, a request ends in bounded time, and what was seen is kept."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from certs import Pki
from conformance_tests import Exchange, TargetError
from conformance_tests.server.wire import origin_of
from tests.integration.conformance.stand import device_of, stranger, wire_of

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
OK = b"HTTP/1.1 200 OK\r\n"
GOOD = OK + b"Content-Length: 2\r\n\r\nok"


def says(*parts: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Reads a request and answers with these octets, then closes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


def for_ever(
    first: bytes, then: bytes
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Answers without an end."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        while True:
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(0)  # drain alone need not let the loop hear of a connection that is lost

    return answer


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads all and says nothing."""
    while await reader.read(1 << 16):
        pass


async def hangs_within(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begins a body and says nothing more."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await hangs(reader, writer)


HOSTILE = {
    "hang": (hangs, "no whole answer within 0.5 s; nothing came"),
    "hang-in-body": (hangs_within, "status 200, 4 octets of the body came"),
    "close": (says(), "closed without an answer"),
    "close-in-head": (says(OK + b"Conte"), "closed within the headers"),
    "close-in-body": (says(OK + b"Content-Length: 9\r\n\r\nhalf"), "after 4 of 9 octets"),
    "garbage": (says(b"\x00\x01\x02garbage\r\n\r\n"), "no HTTP/1.1"),
    "no-header": (says(OK + b"no header\r\n\r\n"), "no header of HTTP"),
    "length": (says(OK + b"Content-Length: -1\r\n\r\n"), "Content-Length is no number"),
    "lengths": (says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), "no number: 1, 2"),
    "gigabyte": (says(OK + b"Content-Length: 1073741824\r\n\r\n"), "Content-Length 1073741824"),
    "endless-body": (for_ever(OK + b"\r\n", b"x" * 65536), "no end within 4194304 octets"),
    "endless-chunks": (
        for_ever(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"ffff\r\n" + b"x" * 65535 + b"\r\n"),
        "no end within 4194304 octets",
    ),
    "endless-head": (for_ever(OK + b"", b"X-Header: 1\r\n" * 5000), "no end of the headers"),
    "endless-line": (for_ever(OK + b"X: ", b"x" * 65536), "no end of the headers"),
    "endless-interim": (for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), "interim answers"),
    "chunk-size": (says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "no size of a chunk"),
    "chunk-longer": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"), "longer than it says"
    ),
    "chunks-end": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n"), "closed within the chunks"),
    "coding": (says(OK + b"Transfer-Encoding: gzip\r\n\r\n"), "only chunked"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_answer_ends_in_bounded_time_with_what_was_seen(sep2_pki: Pki, name: str) -> None:
    answering, told = HOSTILE[name]
    kept: list[Exchange] = []
    began_s = time.monotonic()
    answer_s = 0.5 if name.startswith("hang") else 30.0
    device = device_of(sep2_pki)
    async with stranger(sep2_pki, answering) as target, wire_of(device, answer_s=answer_s) as wire:
        with pytest.raises(TargetError, match=told):
            await wire.request("POST", f"https://127.0.0.1:{target.port}/dcap", {}, b"<x/>", kept.append)
    assert time.monotonic() - began_s < answer_s + 15
    assert len(kept) == 1
    assert told in kept[0].error
    assert kept[0].tls is not None or name != "hang"


async def test_nobody_at_the_address_is_told_as_such(sep2_pki: Pki) -> None:
    kept: list[Exchange] = []
    async with wire_of(device_of(sep2_pki)) as wire:
        with pytest.raises(TargetError, match="no connection"):
            await wire.request("GET", "https://127.0.0.1:1/dcap", {}, None, kept.append)
    assert kept[0].status is None


@pytest.mark.parametrize(
    "uri", ["ftp://host/x", "https://", "https://host:99999/x", "https://[::1/x", "dcap"]
)
def test_what_is_no_http_uri_is_refused(uri: str) -> None:
    with pytest.raises(TargetError):
        origin_of(uri)


async def test_a_connection_carries_several_requests_and_a_closed_one_is_replaced(sep2_pki: Pki) -> None:
    async def two_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(GOOD)
            await writer.drain()

    kept: list[Exchange] = []
    async with stranger(sep2_pki, two_each) as target, wire_of(device_of(sep2_pki)) as wire:
        for _ in range(4):
            got = await wire.request("GET", f"https://127.0.0.1:{target.port}/x", {}, None, kept.append)
            assert got.body == b"ok"
        assert target.connections == 2
    assert [one.error for one in kept] == [""] * 4


async def test_chunks_and_a_body_that_ends_with_the_connection_are_read(sep2_pki: Pki) -> None:
    chunked = says(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"
    )
    to_the_end = says(b"HTTP/1.0 200 OK\r\n\r\nabcde")
    for answering in (chunked, to_the_end):
        async with stranger(sep2_pki, answering) as target, wire_of(device_of(sep2_pki)) as wire:
            got = await wire.request("GET", f"https://127.0.0.1:{target.port}/x", {}, None, lambda _: None)
            assert (got.status, got.body) == (200, b"abcde")


async def test_facts_of_tls_and_the_refusal_of_a_stranger_are_kept(sep2_pki: Pki, tmp_path: object) -> None:
    kept: list[Exchange] = []
    async with stranger(sep2_pki, says(GOOD)) as target:
        uri = f"https://127.0.0.1:{target.port}/x"
        async with wire_of(device_of(sep2_pki)) as wire:
            got = await wire.request("GET", uri, {}, None, kept.append)
    assert got.tls is not None
    assert (got.tls.version, got.tls.suite) == ("TLSv1.2", "ECDHE-ECDSA-AES128-CCM8")
    assert len(got.tls.chain) == 3


async def test_a_refused_certificate_leaves_the_alert(
    sep2_pki: Pki, tmp_path_factory: pytest.TempPathFactory
) -> None:
    foreign = Pki.create(tmp_path_factory.mktemp("foreign") / "pki", depth=2)
    kept: list[Exchange] = []
    async with stranger(sep2_pki, says(GOOD)) as target, wire_of(device_of(foreign)) as wire:
        with pytest.raises(TargetError, match="TLS was refused"):
            await wire.request("GET", f"https://127.0.0.1:{target.port}/x", {}, None, kept.append)
    assert kept[0].tls is not None
    assert kept[0].tls.alert
