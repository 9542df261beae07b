"""The listener's HTTP: how requests are read and answered, and when a connection ends. RFC 9110, RFC 9112."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from certs import TlsSession
from der_client import http_answering
from der_client.http_answering import HttpAnswering, Received
from der_client.http_reply import MOST_HEAD

MOST = 10
PATIENCE_S = 15.0


@dataclass
class House:
    """A listener without TLS on a free port, what it read, and one connection to it."""

    received: list[Received] = field(default_factory=list)
    open: set[HttpAnswering] = field(default_factory=set)

    def judge(self, session: TlsSession, received: Received) -> int:
        self.received.append(received)
        return 405 if received.method == "PUT" else 201

    async def enter(self) -> None:
        make = partial(HttpAnswering, self.judge, self.open, MOST)
        self.server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)

    async def leave(self) -> None:
        self.writer.close()
        self.server.close()
        await self.server.wait_closed()

    async def says(self) -> list[str]:
        """The head of the next answer."""
        async with asyncio.timeout(PATIENCE_S):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]

    async def ends(self) -> bytes:
        """What comes until the connection ends."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    await made.enter()
    yield made
    await made.leave()


def post(body: bytes = b"hello", *fields: str, method: str = "POST") -> bytes:
    lines = [f"{method} /a%20b?c=d HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def test_requests_of_a_connection_are_answered_in_their_order(house: House) -> None:
    house.writer.write(post() + post(b"again", method="PUT"))

    assert await house.says() == ["HTTP/1.1 201 Created", "Content-Length: 0"]
    assert await house.says() == ["HTTP/1.1 405 Method Not Allowed", "Content-Length: 0", "Allow: POST"]
    assert [one.body for one in house.received] == [b"hello", b"again"]


async def test_a_request_is_read_however_its_octets_come(house: House) -> None:
    for octet in post(b"hello", "Content-Type: Application/SEP+xml; level=-S1"):
        house.writer.write(bytes([octet]))
        await house.writer.drain()
    await house.says()

    assert house.received == [
        Received(method="POST", path="/a b", media_type="application/sep+xml", body=b"hello", is_cut=False)
    ]


async def test_a_body_in_chunks_is_read(house: House) -> None:
    house.writer.write(b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    house.writer.write(b"2\r\nhe\r\n3\r\nllo\r\n0\r\nContent-Type: no/thing\r\n\r\n")
    await house.says()

    assert (house.received[0].body, house.received[0].media_type) == (b"hello", "")


async def test_a_body_that_is_too_long_is_cut_and_the_next_request_is_read(house: House) -> None:
    house.writer.write(post(b"0" * 2 * MOST) + post())
    await house.says()
    await house.says()

    assert [(len(one.body), one.is_cut) for one in house.received] == [(MOST, True), (5, False)]


async def test_who_waits_to_be_asked_for_the_body_is_asked(house: House) -> None:
    whole = post(b"hello", "Expect: 100-continue")
    house.writer.write(whole[:-5])
    assert await house.says() == ["HTTP/1.1 100 Continue"]

    house.writer.write(whole[-5:])
    assert await house.says() == ["HTTP/1.1 201 Created", "Content-Length: 0"]


@pytest.mark.parametrize("octets", [post(b"", "Connection: close"), post().replace(b"HTTP/1.1", b"HTTP/1.0")])
async def test_the_last_request_of_a_connection_ends_it(house: House, octets: bytes) -> None:
    house.writer.write(octets + post())

    assert await house.says() == ["HTTP/1.1 201 Created", "Content-Length: 0", "Connection: close"]
    assert await house.ends() == b""
    assert len(house.received) == 1


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"\x16\x03\x01 no HTTP\r\n\r\n", 400),
        (b"POST /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /x HTTP/1.1\r\nA: " + b"a" * (MOST_HEAD + 1), 431),
    ],
    ids=["no-http", "two-lengths", "long-head"],
)
async def test_what_cannot_be_read_is_answered_and_ends_the_connection(
    house: House, octets: bytes, status: int
) -> None:
    house.writer.write(octets)

    assert (await house.ends()).startswith(f"HTTP/1.1 {status} ".encode())
    assert house.received == []


async def test_a_request_before_one_that_cannot_be_read_is_answered(house: House) -> None:
    house.writer.write(post() + b"no HTTP\r\n\r\n")

    assert (await house.says())[0] == "HTTP/1.1 201 Created"
    assert (await house.says())[0] == "HTTP/1.1 400 Bad Request"
    assert await house.ends() == b""


@pytest.mark.parametrize(("name", "octets"), [("REQUEST_S", post()[:-1]), ("IDLE_S", post())])
async def test_a_connection_on_which_nothing_happens_is_closed(
    house: House, monkeypatch: pytest.MonkeyPatch, name: str, octets: bytes
) -> None:
    monkeypatch.setattr(http_answering, name, 0.01)
    house.writer.write(octets)
    await house.ends()

    assert house.open == set()


async def test_nothing_is_read_from_somebody_who_does_not_read_the_answers(house: House) -> None:
    house.writer.write(post())
    await house.says()
    (one,) = house.open
    one.pause_writing()
    assert not one._transport.is_reading()
    house.writer.write(post(b"later"))
    one.resume_writing()
    await house.says()

    assert [each.body for each in house.received] == [b"hello", b"later"]


async def test_a_target_that_is_none_has_no_path(house: House) -> None:
    house.writer.write(post().replace(b"/a%20b?c=d", b"http://h:port/x"))

    await house.says()
    assert [one.path for one in house.received] == [""]
