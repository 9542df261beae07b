"""Plain HTTP is sent to HTTPS: method, path and query kept, and nothing else served. CORE-002, ERR-001."""

import asyncio
import logging
from pathlib import Path

import pytest

from certs import Pki
from sep2_server.redirection import Redirection
from tests.integration.sep2_harness import running


async def ask(port: int, text: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case and body of the answer to a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.replace("\n", "\r\n").encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    ("host", "target", "place"),
    [
        ("utility.example:8080", "/edev?s=1&l=255", "https://utility.example:{port}/edev?s=1&l=255"),
        ("[::1]:80", "/dcap", "https://[::1]:{port}/dcap"),
        ("[::1]", "/dcap", "https://[::1]:{port}/dcap"),
        ("utility.example", "/aus13/dcap", "https://utility.example:{port}/aus13/dcap"),
    ],
)
async def test_a_request_is_sent_to_the_same_place_under_https(
    tmp_path: Path, sep2_pki: Pki, method: str, host: str, target: str, place: str
) -> None:
    async with running(tmp_path, sep2_pki, redirect_port=0) as bench:
        assert bench.server.redirection is not None
        status, headers, body = await ask(
            bench.server.redirection.port,
            f"{method} {target} HTTP/1.1\nHost: {host}\nContent-Length: 0\nConnection: close\n\n",
        )
        assert (status, headers["location"]) == (301, place.format(port=bench.server.port))
        assert body == b"" or method != "HEAD"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Host:\n",
        *(f"Host: {host}\n" for host in ("a b", ":80", "a/b", "u@a", "a:b", "[::1", "[]", "<i>")),
    ],
)
async def test_a_request_without_a_host_is_400(tmp_path: Path, sep2_pki: Pki, line: str) -> None:
    async with running(tmp_path, sep2_pki, redirect_port=0) as bench:
        assert bench.server.redirection is not None
        text = f"GET /dcap HTTP/1.1\n{line}Connection: close\n\n"
        assert (await ask(bench.server.redirection.port, text))[0] == 400


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", 400),
        (b"FOO /x HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 301),
        (
            b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
            301,
        ),
    ],
)
async def test_what_is_no_request_is_answered_and_takes_one_line_of_the_log_at_most(
    caplog: pytest.LogCaptureFixture, octets: bytes, status: int
) -> None:
    plain = Redirection("127.0.0.1", 0, 443)
    await plain.start()
    try:
        with caplog.at_level(logging.DEBUG):
            reader, writer = await asyncio.open_connection("127.0.0.1", plain.port)
            writer.write(octets)
            async with asyncio.timeout(10):
                answer = await reader.read()
            writer.close()
    finally:
        await plain.stop()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert b"\r\nServer: lineside\r\n" in head + b"\r\n"
    assert body == b""
    told = [one for one in caplog.records if one.name != "asyncio"]
    assert [one.exc_info for one in told] == [None] * int(status != 301)
    assert not any("\n" in one.getMessage() for one in told)


async def test_a_client_that_sends_nothing_or_a_part_is_dropped_in_time() -> None:
    plain = Redirection("127.0.0.1", 0, 443, longest_s=0.2)
    await plain.start()
    try:
        for sent in (b"", b"GET /dcap HTTP/1.1\r\nHo"):
            reader, writer = await asyncio.open_connection("127.0.0.1", plain.port)
            writer.write(sent)
            async with asyncio.timeout(10):
                await reader.read()
            assert reader.at_eof()
            writer.close()
    finally:
        await plain.stop()


async def test_a_connection_too_many_is_closed_and_there_is_room_again_later() -> None:
    plain = Redirection("127.0.0.1", 0, 443, most=2, longest_s=1)
    request = "GET /dcap HTTP/1.1\nHost: a\nConnection: close\n\n"
    await plain.start()
    try:
        idle = [await asyncio.open_connection("127.0.0.1", plain.port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", plain.port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
            assert not any(held.at_eof() for held, _ in idle)
            for held, _ in idle:
                await held.read()
        assert (await ask(plain.port, request))[0] == 301
        for one in (writer, *(ends for _, ends in idle)):
            one.close()
    finally:
        await plain.stop()
