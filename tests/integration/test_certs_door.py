"""A door leaves no socket behind, whatever was under way when it was closed."""

import asyncio
import gc
import logging
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from certs import Credentials, Door, Pki, client_context, server_context
from certs.door import PAUSE_S, listen

HANDSHAKE = b"\x16\x03"
"""How a record of a handshake begins. RFC 5246, 6.2.1."""


class Greeting(asyncio.Protocol):
    """Says what it is, stays, and says again what it hears."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"hello")

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


def connected(door: Door) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", door.port), 5)
    client.setblocking(False)
    return client


async def heard(client: socket.socket) -> bytes:
    """What a client reads next; nothing where the connection was closed."""
    async with asyncio.timeout(5):
        return await asyncio.get_running_loop().sock_recv(client, 9)


def first_flight(own: Credentials) -> bytes:
    """What a client says first in a handshake of TLS, which it does not go on with."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = client_context(own.certificate_path, own.key_path, own.root_path)
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_in_any_state_is_served_or_closed_with_the_door(turns: int) -> None:
    door = Door.at("127.0.0.1", 0, Greeting)
    with connected(door) as client:
        for _ in range(turns):
            await asyncio.sleep(0)
        await door.close()
        gc.collect()
        try:
            found = await heard(client)
        except ConnectionResetError:
            found = b""
        assert found in {b"", b"hello"}
    gc.collect()


async def test_open_connections_outlive_the_door() -> None:
    door = Door.at("127.0.0.1", 0, Greeting)
    with connected(door) as client:
        assert await heard(client) == b"hello"
        await door.close()
        client.send(b"still?")
        assert await heard(client) == b"still?"


async def test_a_handshake_that_has_begun_ends_with_the_door(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki", 2)
    own = pki.issue_server("server", hosts=["127.0.0.1"])
    context = server_context(own.certificate_path, own.key_path, own.root_path)
    door = Door.at("127.0.0.1", 0, Greeting, context)
    with connected(door) as client:
        client.send(first_flight(own))
        assert (await heard(client)).startswith(HANDSHAKE)
        await door.close()
        while await heard(client):
            pass


async def test_what_is_no_handshake_is_closed_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pki = Pki.create(tmp_path / "pki", 2)
    own = pki.issue_server("server", hosts=["127.0.0.1"])
    door = Door.at(
        "127.0.0.1", 0, Greeting, server_context(own.certificate_path, own.key_path, own.root_path)
    )
    with connected(door) as client, caplog.at_level(logging.INFO, "certs.door"):
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        while await heard(client):
            pass
        assert "No connection with 127.0.0.1" in caplog.text
    await door.close()


async def test_a_factory_that_fails_costs_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    made: list[Greeting] = []

    def factory() -> Greeting:
        made.append(Greeting())
        if len(made) == 1:
            raise ValueError("the first")
        return made[-1]

    door = Door.at("127.0.0.1", 0, factory)
    with connected(door) as first:
        assert await heard(first) == b""
    with connected(door) as second:
        assert await heard(second) == b"hello"
    await door.close()
    assert "A connection of 127.0.0.1 failed" in caplog.text


async def test_handshakes_are_bounded_in_number(tmp_path: Path) -> None:
    own = Pki.create(tmp_path / "pki", 2).issue_server("server", hosts=["127.0.0.1"])
    context = server_context(own.certificate_path, own.key_path, own.root_path)
    door = Door(listen("127.0.0.1", 0), Greeting, context, most_entering=2)
    with connected(door) as first, connected(door), connected(door) as third:
        assert await heard(third) == b""
        first.close()
        async with asyncio.timeout(5):
            while not await has_room(door, first_flight(own)):
                pass
        await door.close()


async def has_room(door: Door, flight: bytes) -> bool:
    """Whether one more connection is heard."""
    with connected(door) as client:
        client.send(flight)
        try:
            return (await heard(client)).startswith(HANDSHAKE)
        except ConnectionResetError:
            return False


async def test_without_files_connections_wait(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door.at("127.0.0.1", 0, Greeting)
    refusals = 2

    def accept(listening: socket.socket) -> tuple[socket.socket, object]:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise OSError(24, "Too many open files")
        return plain(listening)

    plain = socket.socket.accept
    monkeypatch.setattr(socket.socket, "accept", accept)
    began = asyncio.get_running_loop().time()
    with connected(door) as client:
        assert await heard(client) == b"hello"
    assert asyncio.get_running_loop().time() - began >= 2 * PAUSE_S - 0.02
    assert caplog.text.count("No further connection can be accepted") == 2
    await door.close()


V4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
NOT_HERE = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))
NO_FAMILY = (99, socket.SOCK_STREAM, 6, "", ("x", 0))


def found_as(monkeypatch: pytest.MonkeyPatch, *places: tuple[object, ...]) -> None:
    """Let every host have these addresses."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: list(places))


@pytest.mark.parametrize("missing", [NOT_HERE, NO_FAMILY], ids=["address", "family"])
@pytest.mark.parametrize("is_first", [True, False])
def test_an_address_that_this_machine_has_not_keeps_no_server_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    missing: tuple[object, ...],
    is_first: bool,
) -> None:
    """A container without IPv6 whose `localhost` is `::1` too."""
    found_as(monkeypatch, *((missing, V4) if is_first else (V4, missing)))
    (one,) = listen("localhost", 0)
    with one:
        assert one.getsockname()[0] == "127.0.0.1"
    assert "is not listened on" in caplog.text


def test_a_host_that_has_no_address_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found_as(monkeypatch, NOT_HERE, NO_FAMILY)
    with pytest.raises(OSError, match=r"assign|family"):
        listen("elsewhere", 0)


def test_a_port_that_is_taken_at_one_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        found_as(monkeypatch, V4, (*V4[:4], ("127.0.0.2", port)))
        with pytest.raises(OSError, match="in use"):
            listen("localhost", port)


def test_what_a_listening_socket_accepts_has_keep_alive_and_no_delay() -> None:
    (listening,) = listen("127.0.0.1", 0)
    with listening, socket.create_connection(listening.getsockname()):
        listening.settimeout(5)
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
