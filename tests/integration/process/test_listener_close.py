"""A listener that is closed leaves no socket behind, whatever was under way."""

import asyncio
import gc
import socket
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from certs import Pki, listen
from sep2_server.process.listener import Bounds, Listener
from tests.integration.sep2_harness import running

if TYPE_CHECKING:
    from certs import ServerTls


class Nobody:
    """Counts nothing."""

    def turned_away(self, why: str) -> None:
        pass

    def handshake_failed(self, why: str) -> None:
        pass


async def test_a_connection_that_was_just_accepted_is_closed_with_the_listener() -> None:
    sockets = listen("127.0.0.1", 0)
    listener = Listener(
        sockets,
        lambda _: asyncio.Protocol(),
        cast("ServerTls", None),
        bounds=Bounds(connections=9, per_address=9, handshake_s=9),
        watcher=Nobody(),
    )
    with socket.create_connection(("127.0.0.1", listener.port)) as client:
        client.settimeout(5)
        listener._accepting.accept(sockets[0])
        await listener.close()
        gc.collect()
        assert client.recv(1) == b""
    assert listener.connections == 0


async def test_a_server_that_was_started_anew_stops_listening_too(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        await bench.server.stop()
        await bench.server.start()
        port = bench.server.port
        socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
