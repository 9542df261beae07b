"""A listener that is closed leaves no socket behind, whatever was under way."""

import asyncio
import gc
import socket
from typing import TYPE_CHECKING, cast

from certs import listen
from sep2_server.process.listener import Bounds, Listener

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
